"""How long a unit wants to be left in peace."""

from typing import NamedTuple


class Pace(NamedTuple):
    """Pauses in seconds, each 0 or more."""

    after_connect: float = 0.0
    """Between the connecting and the first request."""
    between: float = 0.0
    """Between the end of a request to this unit and the next to it."""
    silence: float = 0.0
    """With nothing on the wire at all, to or from anybody, before a request."""
    late: float = 0.0
    """After an answer that did not come in time: how long it may yet come, where it could be taken for another."""
