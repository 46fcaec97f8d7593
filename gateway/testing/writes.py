"""The writes with which a constraint is asked what it permits. Pure."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Literal

from gateway.control.authority import ANONYMOUS, Grant
from gateway.safety.constraint import Constraint, Setting, is_same, safe_value
from gateway.safety.kinds.dependency import Dependency, satisfies
from gateway.safety.kinds.resource import Resource
from gateway.safety.kinds.timing import Timing
from gateway.settings.model import Settings
from gateway.testing.case import Proposal
from gateway.testing.cell import CannotDrive, Cell, Kind, Span
from gateway.testing.plant_model import PlantModel, Values

TOKEN = 7
"""The fencing token that is the current one of every lock in the stand-in."""
SOMEBODY = "proof-test"
"""Whoever writes where everybody may."""
STRANGER = "proof-test-stranger"


class Writes:
    """What can be written in the scope of one constraint, and by whom."""

    def __init__(self, settings: Settings, model: PlantModel, constraint: Constraint, rest: Values) -> None:
        """Rest: what every tag has before anything is written."""
        self._settings = settings
        self._model = model
        self._constraint = constraint
        self._rest = rest
        self._safe = dict(_safe_values(settings))

    def covers(self, tag: str) -> bool:
        """Return whether a write to a tag is in the constraint's scope."""
        constraint = self._constraint
        own = (*constraint.watched, *constraint.limited, *constraint.on_trip)
        globs = constraint.applies_to or tuple(f"{tag.partition('.')[0]}.*" for tag in own) or ("*",)
        return any(fnmatchcase(tag, glob) for glob in globs)

    def writable(self) -> Iterator[Cell]:
        """Yield the tags that can be written and lie in the scope."""
        return (cell for cell in self._model.cells.values() if cell.writable and self.covers(cell.path))

    def probe(self) -> Proposal:
        """Return a write to which only the live verdict can be the objection. Raises CannotDrive."""
        covered = list(self.writable())
        if not covered:
            raise CannotDrive("it covers no writable tag, so there is nothing that it could deny")
        for cell in sorted(covered, key=self._is_named):
            for value in self.harmless(cell):
                if not self.is_always_allowed(cell.path, value) and not self._brings_about(cell.path, value):
                    return self.proposal((cell.path, value))
        raise CannotDrive("every write that it covers is of a safe state, and always allowed")

    def harmless(self, cell: Cell) -> Iterator[Setting]:
        """Yield values that a tag may be given: what it has, then others."""
        yield self._rest[cell.path]
        if cell.kind is Kind.BOOL:
            yield not self._rest[cell.path]
        elif cell.kind in {Kind.REAL, Kind.WHOLE}:
            for span in (Span(low=cell.range.low).within(cell.range), cell.range):
                value = cell.number(span)
                yield value
                yield value + 1 if span.holds(value + 1) else value

    def proposal(self, *writes: tuple[str, Setting]) -> Proposal:
        """Return a command of somebody who may write the tags, and who holds every lock."""
        held = {each.lock: TOKEN for each in self._settings.safety.constraints if isinstance(each, Resource)}
        return Proposal(tuple(writes), self.principal([tag for tag, _ in writes]), "", held)

    def principal(self, tags: list[str]) -> str:
        """Return somebody who may write all these tags, if there is anybody."""
        authority: Literal["open"] | Mapping[str, Grant] | None = self._settings.authority
        if authority is None:
            return ANONYMOUS
        if authority == "open":
            return SOMEBODY
        able = (who for who, grant in authority.items() if all(grants(grant, tag) for tag in tags))
        return next(able, next(iter(authority), SOMEBODY))

    def is_always_allowed(self, tag: str, value: Setting) -> bool:
        """Return whether it is the safe state of some constraint, or stands in `always_allowed`."""
        return any(is_same(safe, value) for safe in self._safe.get(tag, ()))

    def is_paced(self, tag: str) -> bool:
        """Return whether some constraint lets writes to a tag only come slowly."""
        return any(isinstance(each, Timing) and each.tag == tag for each in self._settings.safety.constraints)

    def _is_named(self, cell: Cell) -> bool:
        """Return whether some constraint judges what is proposed for the tag; others are better to ask with."""
        return any(cell.path in (*each.watched, *each.limited) for each in self._settings.safety.constraints)

    def _brings_about(self, tag: str, value: Setting) -> bool:
        """Return whether the constraint judges the write itself, beside its live verdict."""
        constraint = self._constraint
        if isinstance(constraint, Timing):
            return tag == constraint.tag
        return isinstance(constraint, Dependency) and tag in constraint.when and satisfies(constraint.when[tag], value)


def grants(grant: Grant, tag: str) -> bool:
    """Return whether a row of the matrix lets a tag be written."""
    return "write" in grant.may and any(fnmatchcase(tag, glob) for glob in grant.tags)


def _safe_values(settings: Settings) -> Iterator[tuple[str, list[Setting]]]:
    found: dict[str, list[Setting]] = {}
    for constraint in settings.safety.constraints:
        for tag, wanted in constraint.on_trip.items():
            found.setdefault(tag, []).append(safe_value(wanted))
    for device in settings.devices.values():
        for each in device.tags:
            found.setdefault(f"{device.name}.{each.name}", []).extend(each.settings.always_allowed)
    return iter(found.items())
