"""What is recorded: one frozen kind for each thing that can happen. Pure.

Values are tag values as they are; `canonical` says how each is written. What does not apply is left out of the
record, so an absent key means `not applicable` and never `unknown`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple

GATEWAY = "gateway"
"""The principal of what the gateway does by itself."""


class Saw(NamedTuple):
    """A tag as the gate saw it when it decided."""

    value: Any
    quality: str
    age: float
    """Seconds since the last good answer that held it."""
    reason: str = ""
    """Of a quality that is not good."""


class Frame(NamedTuple):
    """A request that was handed to a device's transport."""

    device: str
    tag: str
    raw: Any
    permit: str
    sent: float
    """On the monotonic clock."""


class ReadBack(NamedTuple):
    """What a device said after a write."""

    requested: Any
    read: Any
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """What every kind has."""

    kind: ClassVar[str]
    principal: str = GATEWAY
    """Who, as authenticated."""
    actor: str | None = None
    """Who, as the principal says of itself: a note."""
    reason: str | None = None
    tags: Sequence[str] = ()
    """The tags that it is about."""

    def plain(self) -> dict[str, Any]:
        """Return the record as the journal takes it."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        return {"kind": self.kind, **{name: _plain(value) for name, value in given.items() if _says_something(value)}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent(AuditRecord):
    """A command is about to be carried out: on the disk before the first frame."""

    kind = "intent"
    command: str
    verb: str
    request: Mapping[str, Any]
    """As it came, parsed."""
    saw: Mapping[str, Saw]
    verdict: str
    warnings: Sequence[str] = ()
    epoch: int
    """The gate's; an older permit is void."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(AuditRecord):
    """What became of an intent: of every intent there is one, after a crash too."""

    kind = "outcome"
    command: str
    outcome: str
    """applied, unverified, refused, failed, mismatch or unknown."""
    code: str | None = None
    saw: Mapping[str, Saw] | None = None
    """As judged in the step that handed the first frame over."""
    frames: Sequence[Frame] = ()
    read_back: Mapping[str, ReadBack] | None = None
    violations: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(AuditRecord):
    """A command that left no frame and no intent."""

    kind = "refusal"
    command: str | None = None
    verb: str | None = None
    code: str
    message: str | None = None
    request: Mapping[str, Any] | None = None
    violations: Sequence[Mapping[str, Any]] = ()
    saw: Mapping[str, Saw] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals(AuditRecord):
    """Refusals of one principal beyond ten a second; see `refusal_summary`."""

    kind = "refusals"
    since: float
    """On the monotonic clock."""
    counts: Mapping[str, int]
    """By code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip(AuditRecord):
    """A constraint tripped, and stays so until it is reset."""

    kind = "trip"
    constraint: str
    verdict: str
    first_out: bool
    saw: Mapping[str, Saw]
    limit: Any = None
    safe_state: Mapping[str, Any] | None = None
    """What is written to which tag because of it."""
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeState(AuditRecord):
    """How the writes of a trip came on."""

    kind = "safe_state"
    constraint: str
    state: str
    """pending, confirmed, failed or deviated."""
    frames: Sequence[Frame] = ()
    read_back: Mapping[str, ReadBack] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(AuditRecord):
    """A trip was reset by a person."""

    kind = "reset"
    constraint: str
    saw: Mapping[str, Saw]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bypass(AuditRecord):
    """A constraint was bypassed, or its bypass ended."""

    kind = "bypass"
    constraint: str
    state: str
    """begun, expired, ended or unmeasurable."""
    seconds: float | None = None
    """How long it was granted for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelve(AuditRecord):
    """An alarm was shelved or unshelved. It changes no interlock."""

    kind = "shelve"
    alarm: str
    seconds: float | None = None
    """None: unshelved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement(AuditRecord):
    """An alarm was acknowledged. It changes no interlock."""

    kind = "acknowledgement"
    alarm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration(AuditRecord):
    """A configuration was taken, or refused and the old one kept."""

    kind = "configuration"
    digest: str
    accepted: bool
    loosened: Sequence[str] = ()
    """What is watched or bounded less than before."""
    problems: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(AuditRecord):
    """The gateway started."""

    kind = "start"
    version: str
    digest: str
    """Of the configuration."""
    latched: Sequence[str] = ()
    """Trips that were found latched."""
    unresolved: Sequence[str] = ()
    """Commands with an intent and no outcome."""
    ended: Sequence[str] = ()
    """Tags for which somebody's wish held in the last run, and what was kept alive of them: neither goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(AuditRecord):
    """The gateway stopped in order. A start with no stop before it followed a crash."""

    kind = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepAlive(AuditRecord):
    """A value that is asserted again and again, or a deadman's beats: not each write, but that they go on."""

    kind = "keep_alive"
    event: str
    """start, stop, deviation or hourly."""
    writes: int = 0
    """Since the last such record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofTest(AuditRecord):
    """A configuration was proved on stand-ins; no device had any part in it."""

    kind = "proof_test"
    version: str
    digest: str
    """Of the configuration."""
    only: str | None = None
    """The one constraint that was driven; all of them where absent."""
    proved: int
    failed: int
    not_proved: int
    exceptions: Sequence[str] = ()
    """A line for each case that failed or is not proved, the first ones where there are many."""
    report: str
    """SHA-256 of the whole report as JSON, hexadecimal."""


KINDS: tuple[type[AuditRecord], ...] = (
    Intent, Outcome, Refusal, Refusals, Trip, SafeState, Reset, Bypass, Shelve, Acknowledgement, Configuration, Start,
    Stop, KeepAlive, ProofTest,
)  # fmt: skip
"""All of them. The journal adds `journal`: created, sealed, dropped, recovered."""


def _says_something(value: object) -> bool:
    return not (value is None or (isinstance(value, (tuple, list)) and not value))


def _plain(value: Any) -> Any:  # noqa: ANN401  (any field of a record)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: _plain(each) for name, each in value._asdict().items()}
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    return value
