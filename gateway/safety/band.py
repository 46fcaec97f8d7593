"""A value against limits with a dead zone on the way back. Written so that what is not surely inside is outside."""

from enum import Enum
from math import inf


class Held(Enum):
    """The limit that was passed and not come back from by the hysteresis yet; its value is the reason."""

    NONE = ""
    ABOVE = "above_max"
    BELOW = "below_min"


NONE = Held.NONE


class Band:
    """min <= value <= max, either of them absent."""

    __slots__ = ("high", "hysteresis", "low")

    def __init__(self, low: float | None, high: float | None, hysteresis: float = 0.0) -> None:
        self.low = -inf if low is None else low
        self.high = inf if high is None else high
        self.hysteresis = hysteresis

    def compare(self, value: float, held: Held) -> Held:
        """Return the limit that the value passes; a held one only lets go inside by the hysteresis."""
        high, low = self.high, self.low
        if held is not NONE:
            high, low = (high - self.hysteresis, low) if held is Held.ABOVE else (high, low + self.hysteresis)
        inside_high = value <= high
        if inside_high and low <= value:
            return NONE
        return Held.BELOW if inside_high else Held.ABOVE

    def permits(self, value: float) -> Held:
        """Return the limit that a proposed value would pass; there is no dead zone for what does not exist yet."""
        return self.compare(value, NONE)
