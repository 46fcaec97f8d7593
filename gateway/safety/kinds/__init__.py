"""How each kind of constraint judges. Pure: samples and times in, verdicts out."""
