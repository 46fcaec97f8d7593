"""Control: the guard, which evaluates. Nothing here writes."""
