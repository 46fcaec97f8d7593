"""What a plant cannot choose: a demand or a frequency that wanders about a mean."""

from typing import TYPE_CHECKING

from simulators.plant.controller import clamp, lag

if TYPE_CHECKING:
    from random import Random


class Wander:
    """Draws a new target every period of plant time and drifts towards it.

    The draws hang on plant time alone: the same seed gives the same course, whatever the steps.
    """

    def __init__(self, chance: "Random", mean: float, spread: float, period: float) -> None:
        """Spread: one standard deviation; targets stay within three of them."""
        self.value = mean
        self._chance = chance
        self._mean = mean
        self._spread = spread
        self._period = period
        self._target = mean
        self._left = 0.0

    def step(self, dt: float) -> float:
        self._left -= dt
        while self._left <= 0:
            self._left += self._period
            self._target = self._mean + self._spread * clamp(self._chance.gauss(0.0, 1.0), -3.0, 3.0)
        self.value = lag(self.value, self._target, dt, self._period)
        return self.value
