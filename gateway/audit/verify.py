"""Is the chain whole? Finds any record that was changed, removed, added, swapped or cut off. Pure.

A tail that was cut off shows only against a head that is known elsewhere.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.audit.chain import link_hash, stated_sequence
from gateway.storage.port import GENESIS, Chained, Head


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and from which sequence on the chain proves nothing."""

    sequence: int
    what: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found."""

    base: Head
    """What the first record follows."""
    head: Head
    """Of the last record that is proved."""
    problem: Problem | None = None
    breaks: tuple[str, ...] = ()
    """Where the gateway itself recorded that something was damaged, missing or withdrawn."""
    unchecked: tuple[str, ...] = ()
    """Heads that could not be compared, for their records are dropped by now."""

    @property
    def is_proved(self) -> bool:
        """Every record is in its place, to the byte, and every head was found."""
        return self.problem is None and not self.unchecked


@dataclass(slots=True)
class Verifier:
    """Takes the records one after the other."""

    base: Head
    heads: Mapping[str, Head]
    """Heads known from elsewhere, by where they are from."""
    head: Head = field(init=False)
    breaks: list[str] = field(default_factory=list)
    _attested: bool = False

    def __post_init__(self) -> None:
        self.head = self.base
        self._attested = self.base == GENESIS

    def take(self, chained: Chained) -> Problem | None:
        """Check the next record."""
        number = self.head.sequence + 1
        if chained.sequence != number:
            return Problem(number, _gap(number, chained.sequence))
        said = stated_sequence(chained.body)
        if said != number:
            return Problem(number, "it was changed" if said is None else f"it calls itself {said}: changed or swapped")
        if chained.hash != link_hash(self.head.hash, chained.body):
            return Problem(number, "it, or a hash kept with it or with the record before, was changed")
        for source, known in self.heads.items():
            if known.sequence == number and known.hash != chained.hash:
                return Problem(number, f"it is not the one that {source} knows")
        self.head = chained.head
        self._note(json.loads(chained.body))
        return None

    def end(self, *, damage: str = "") -> Verdict:
        """Return the verdict; damage: why no more records came, if not because that was all."""
        problem = Problem(self.head.sequence + 1, damage) if damage else self._missing()
        unchecked = tuple(
            f"{source}: record {head.sequence} was dropped; the chain begins at {self.base.sequence + 1}"
            for source, head in self.heads.items()
            if head.sequence <= self.base.sequence and head != self.base
        )
        return Verdict(self.base, self.head, problem, tuple(self.breaks), unchecked)

    def stop(self, problem: Problem) -> Verdict:
        """Return the verdict on a chain with this problem."""
        return Verdict(self.base, self.head, problem, tuple(self.breaks))

    def _missing(self) -> Problem | None:
        for source, known in self.heads.items():
            if known.sequence > self.head.sequence:
                after = self.head.sequence + 1
                return Problem(after, f"the tail is cut off: {source} knows of record {known.sequence}")
        if not self._attested:
            return Problem(self.base.sequence + 1, "nothing recorded says that what came before was dropped")
        return None

    def _note(self, record: Mapping[str, Any]) -> None:
        if record.get("kind") != "journal":
            return
        event = record.get("event")
        if (
            event == "dropped"
            and record.get("last") == self.base.sequence
            and record.get("hash") == self.base.hash.hex()
        ):
            self._attested = True
        if event == "recovered" or (event == "created" and (record.get("missing") or record["sequence"] != 1)):
            facts = ", ".join(f"{key} {record[key]}" for key in _FACTS if key in record)
            self.breaks.append(f"record {record['sequence']}: {event}: {facts}")


_FACTS = ("reason", "missing", "withdrawn", "damaged", "set_aside")


def verify(records: Iterable[Chained], base: Head = GENESIS, heads: Mapping[str, Head] | None = None) -> Verdict:
    """Check a whole chain, stopping at the first record that is wrong."""
    verifier = Verifier(base, heads or {})
    for chained in records:
        problem = verifier.take(chained)
        if problem is not None:
            return verifier.stop(problem)
    return verifier.end()


def export_line(previous: bytes, chained: Chained) -> bytes:
    """Return a record as a line of an export: canonical JSON with its hash and the one before."""
    return b'{"hash":"%s","previous":"%s","record":%s}\n' % (
        chained.hash.hex().encode(), previous.hex().encode(), chained.body,
    )  # fmt: skip


def _gap(expected: int, found: int) -> str:
    if found < expected:
        return f"record {found} comes in its place: swapped"
    return "it is missing" if found == expected + 1 else f"it is missing, and all up to {found - 1}"
