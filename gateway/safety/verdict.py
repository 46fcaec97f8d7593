"""What a constraint can say about the live plant. Any doubt is UNKNOWN, and UNKNOWN denies like VIOLATED."""

from enum import Enum
from typing import NamedTuple


class Verdict(Enum):
    """OK permits; VIOLATED is a fresh, good sample outside the limit; UNKNOWN is any doubt."""

    OK = "ok"
    VIOLATED = "violated"
    UNKNOWN = "unknown"


OK, VIOLATED, UNKNOWN = Verdict.OK, Verdict.VIOLATED, Verdict.UNKNOWN
"""For what runs at every sample: on Python 3.11 naming a member by its class takes longer than a comparison."""


class SafetyLevel(Enum):
    """How grave a violation is. CRITICAL and HIGH refuse; the others warn."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class Judgement(NamedTuple):
    """A verdict, what it rests on, and until when it may be relied on."""

    verdict: Verdict
    reason: str
    """Why it is not OK, one word: above_max, below_min, or the reason of the doubt (stale, timeout, ...)."""
    value: float | None
    """The value that was judged, in engineering units; None where there was none to judge."""
    holds_until: float
    """Monotonic. After it the verdict is UNKNOWN, unless it was evaluated anew."""
