"""The composition root: builds the parts from the settings and wires them. Nothing else knows them all."""
