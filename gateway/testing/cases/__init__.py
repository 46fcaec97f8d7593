"""The cases of every kind of constraint: one file each, what is to be proved of it."""
