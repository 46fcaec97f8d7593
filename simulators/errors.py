"""What goes wrong in a simulator that its user can mend."""


class SimulatorError(Exception):
    """The text is one line: what, where, what to do."""
