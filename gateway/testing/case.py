"""What a case is made of: steps that drive the stand-in of a plant, and steps that say what has to be seen. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from gateway.safety.constraint import Setting
from gateway.safety.verdict import Verdict
from gateway.testing.plant_model import Values


class Doubt(StrEnum):
    """The ways in which a value cannot be believed."""

    BAD = "bad"
    MISSING = "unknown to its device"
    UNCERTAIN = "uncertain"
    FUTURE = "from the future"
    NAN = "NaN"
    INFINITE = "infinite"
    WRONG_TYPE = "of the wrong type"
    OUT_OF_RANGE = "outside its range"
    STALE = "stale"
    SILENT = "of a device that falls silent"
    DISCONNECTED = "of a device that is cut off"


WHOLE_DEVICE = frozenset((Doubt.STALE, Doubt.SILENT, Doubt.DISCONNECTED))
"""Those that befall all tags of a device at once."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Writes that somebody wants."""

    writes: tuple[tuple[str, Setting], ...]
    principal: str
    key: str = ""
    locks: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def __str__(self) -> str:
        return ", ".join(f"{tag}={value!r}" for tag, value in self.writes)


@dataclass(frozen=True, slots=True)
class Drive:
    """Give tags values, good ones."""

    values: Values


@dataclass(frozen=True, slots=True)
class Ramp:
    """Let a tag change at a steady rate, from where it is, to and fro between two values."""

    tag: str
    per_second: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Spoil:
    """Make the values of tags doubtful, all in one way."""

    tags: tuple[str, ...]
    doubt: Doubt
    seconds: float
    """For how long, where an answer is only kept back."""
    outside: Values = field(default_factory=lambda: MappingProxyType({}))
    """A value beyond its range, for each tag that is to have one."""


@dataclass(frozen=True, slots=True)
class Mend:
    """Let every value be good again, as it was driven last."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Let time pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Becomes:
    """The verdict becomes this within so many seconds."""

    verdict: Verdict
    within: float
    to_begin: bool = False
    """That it is only how the case begins: where it does not come about, nothing is proved, and nothing is wrong."""
    passing: bool = False
    """That it need not last: a trip may take its own cause away."""


@dataclass(frozen=True, slots=True)
class Keeps:
    """The verdict is this for so many seconds without a break."""

    verdict: Verdict
    seconds: float


@dataclass(frozen=True, slots=True)
class Speaks:
    """The constraint speaks against a proposal, with one of these codes: it refuses, or warns, as its level says."""

    proposal: Proposal
    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Agrees:
    """The constraint has nothing against a proposal."""

    proposal: Proposal


@dataclass(frozen=True, slots=True)
class Goes:
    """The proposal is carried out, and counts; nobody speaks against it."""

    proposal: Proposal
    settle: float = 0.0
    """How long it is tried, where something else still needs time to be content."""


@dataclass(frozen=True, slots=True)
class Latched:
    """A trip of the constraint is latched, or none is."""

    latched: bool


@dataclass(frozen=True, slots=True)
class Trips:
    """It trips so many seconds after the verdict became this, no earlier."""

    cause: Verdict
    after: float
    within: float
    """How much later it may be."""


@dataclass(frozen=True, slots=True)
class Written:
    """Since the trip its safe state has reached the devices, or does within so many seconds, and they hold it."""

    safe_state: tuple[tuple[str, Setting], ...]
    within: float


@dataclass(frozen=True, slots=True)
class Resets:
    """A reset is answered with this code, empty where it is accepted."""

    code: str


@dataclass(frozen=True, slots=True)
class LocalTime:
    """The time at the plant is this; None: nobody can be sure of it."""

    moment: datetime | None


Step: TypeAlias = (
    Drive
    | Ramp
    | Spoil
    | Mend
    | Pass
    | Becomes
    | Keeps
    | Speaks
    | Agrees
    | Goes
    | Latched
    | Trips
    | Written
    | Resets
    | LocalTime
)


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is to be proved of a constraint."""

    title: str
    steps: tuple[Step, ...] = ()
    start: Values = field(default_factory=lambda: MappingProxyType({}))
    """What tags are at the beginning."""
    not_proved: str = ""
    """Why it cannot be driven at all."""
