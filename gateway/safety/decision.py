"""What the gate answers when it is asked about an operation."""

from dataclasses import dataclass
from typing import NamedTuple

from gateway.safety.verdict import SafetyLevel

REFUSING = frozenset((SafetyLevel.CRITICAL, SafetyLevel.HIGH))
"""The levels at which a constraint refuses; those below it warn."""


class Finding(NamedTuple):
    """One thing that speaks against an operation."""

    code: str
    """As in a reply: halted, circuit_open, rate_limited, violation, stale_input, forbidden, lock_lost, ..."""
    name: str
    """Of the constraint, breaker or limiter."""
    reason: str
    """One word."""
    tag: str = ""
    """The write that it speaks against."""
    value: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Every finding of one judgement; nothing is permitted that has one that refuses."""

    refusals: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()

    @property
    def is_permitted(self) -> bool:
        """That nothing refuses."""
        return not self.refusals

    @property
    def code(self) -> str:
        """The code of the first refusal, empty where there is none."""
        return self.refusals[0].code if self.refusals else ""


PERMITTED = Decision()
