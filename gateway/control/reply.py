"""What a command is answered: one outcome, one code, and what became of each of its writes. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from drivers.values import Value
from gateway.safety.constraint import Setting
from gateway.safety.decision import Finding


class Outcome(StrEnum):
    """What a reply says became of a command."""

    APPLIED = "applied"
    """Read back equal."""
    UNVERIFIED = "unverified"
    """Acknowledged by a tag with `readback: none`."""
    REFUSED = "refused"
    """No frame left."""
    FAILED = "failed"
    """The device said no, or only some of the writes were let out."""
    MISMATCH = "mismatch"
    """A fresh read differs at `readback_timeout`."""
    UNKNOWN = "unknown"
    """A frame was sent, and no valid answer came, or the read-back is unreadable."""


CODES: Final = frozenset((
    "bad_encoding", "bad_schema", "bad_value", "too_large", "unknown_tag", "unknown_name", "not_writable",
    "out_of_range", "unauthenticated", "forbidden", "expired", "time_untrusted", "duplicate", "retained",
    "rate_limited", "circuit_open", "violation", "stale_input", "halted", "outranked", "not_active", "lock_lost",
    "approval_missing", "device_down", "device_error", "fingerprint_mismatch", "timeout", "readback_mismatch",
    "journal_unavailable", "cause_present", "not_bypassable", "cancelled", "restart", "queue_full", "dry_run",
    "internal",
))  # fmt: skip
"""Every code of a reply; they are stable."""

_WORST_FIRST = (
    Outcome.UNKNOWN, Outcome.MISMATCH, Outcome.FAILED, Outcome.REFUSED, Outcome.UNVERIFIED, Outcome.APPLIED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one write."""

    requested: Setting
    outcome: Outcome
    code: str = ""
    """Empty where the outcome says it all."""
    read_back: Value = None
    """In engineering units; None where nothing was read."""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one command."""

    id: str
    """The command's; `_` for one whose id could not be used."""
    outcome: Outcome
    code: str = ""
    """One of CODES, empty where the outcome says it all."""
    message: str = ""
    """One line for a person: what, where, what to do."""
    violations: Sequence[Finding] = ()
    """What spoke against it, and what it was warned of."""
    results: Mapping[str, Result] = field(default_factory=lambda: MappingProxyType({}))
    """By tag; empty where no write was tried."""
    provenance_hash: str = ""
    """The hash of the audit record that closed it, hexadecimal; empty where it was only counted."""
    wall: float = 0.0
    """When it was answered, seconds since 1970 UTC."""
    repeated: bool = False
    """That this is the stored answer to a command which came before."""


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the outcome of a command by those of its writes.

    One whose writes were let out only in part has FAILED: a frame left, so it was not refused, and not all of it is
    applied either.
    """
    found = set(outcomes)
    if Outcome.REFUSED in found and found != {Outcome.REFUSED}:
        found = (found - {Outcome.REFUSED}) | {Outcome.FAILED}
    return next(each for each in _WORST_FIRST if each in found)


def finding_plain(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON has it; what it does not say is left out."""
    return {key: value for key, value in finding._asdict().items() if value not in {None, ""}}
