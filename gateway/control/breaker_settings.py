"""One entry of the `breakers` section of the configuration."""

from dataclasses import dataclass

from drivers.values import Seconds


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    """When nothing more is written to a device that does not answer, and when again."""

    failure_threshold: int = 5
    """So many writes in a row without an answer, and no more are let out. A refusal by the device is an answer."""
    timeout: Seconds = Seconds(30)
    """So long at least nothing is let out; from then on the device has to answer its scans."""
    success_threshold: int = 1
    """So many answered scans then let writes out again."""

    def __post_init__(self) -> None:
        for key in ("failure_threshold", "success_threshold"):
            if not 1 <= getattr(self, key) <= 1000:
                raise ValueError(f"{key}: {getattr(self, key)} is not within 1 and 1000")
        if not 1 <= self.timeout <= 3600:
            raise ValueError(f"timeout: {self.timeout:g} s is not within 1s and 1h")
