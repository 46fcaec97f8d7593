"""What a PLC's control blocks do: PI controllers, ramps, lags and timers."""

from dataclasses import dataclass
from math import exp


def clamp(value: float, low: float, high: float) -> float:
    """Return the value, or the limit that it passes."""
    return low if value < low else min(value, high)


def ramp(value: float, target: float, most: float) -> float:
    """Return the value moved towards the target, by `most` at the utmost."""
    return clamp(target, value - most, value + most)


def lag(value: float, target: float, dt: float, time_constant: float) -> float:
    """Return the value of a first-order lag after `dt`; exact, so never unstable."""
    return target + (value - target) * exp(-dt / time_constant)


@dataclass(slots=True)
class PiController:
    """Proportional and integral action with limits on the output, and no wind-up beyond them."""

    gain: float
    """Output per unit of error."""
    reset_time: float
    """Seconds in which the integral repeats the proportional action."""
    low: float
    high: float
    integral: float = 0.0

    def step(self, error: float, dt: float, feed_forward: float = 0.0) -> float:
        """Return the output for an error, positive where the output has to rise."""
        wanted = feed_forward + self.integral + self.gain * error
        output = clamp(wanted, self.low, self.high)
        if output == wanted or (wanted - output) * error < 0:
            self.integral += self.gain * error * dt / self.reset_time
        return output


@dataclass(slots=True)
class OnDelay:
    """True once its input has been true for some time without a break."""

    delay: float
    elapsed: float = 0.0

    def step(self, condition: bool, dt: float) -> bool:  # noqa: FBT001  (the signal that is timed)
        self.elapsed = self.elapsed + dt if condition else 0.0
        return self.elapsed >= self.delay
