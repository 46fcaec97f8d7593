"""DEPENDENCY: each requirement missed while it counts, before a write as well, and every doubt about it. Pure."""

from collections.abc import Iterator, Mapping
from math import inf, nextafter

from gateway.safety.constraint import Comparison, Setting
from gateway.safety.kinds.dependency import Dependency, satisfies
from gateway.safety.verdict import Verdict
from gateway.testing.bench import Bench
from gateway.testing.case import Agrees, Case, Doubt, Drive, Keeps, Latched, Pass, Speaks
from gateway.testing.cases.common import (
    STALE,
    VIOLATION,
    Excursion,
    begin,
    coverage,
    doubts,
    driven,
    excursion,
    max_age,
    spoiled,
)
from gateway.testing.cell import CannotDrive, Kind
from gateway.testing.plant_model import Values
from gateway.testing.rest import fitting


def cases(bench: Bench, constraint: Dependency) -> Iterator[Case]:
    """Yield everything that is to be proved of it."""
    yield from coverage(bench)
    try:
        applies = _all(bench, constraint.when)
    except CannotDrive as reason:
        yield Case("its condition", not_proved=str(reason))
        return
    for tag, wanted in constraint.requires.items():
        for title, missed in _misses(bench, tag, wanted):
            yield from _missed(bench, constraint, applies, tag, title, missed)
        yield from _doubted(bench, tag, applies)
    yield from max_age(bench)


def _missed(
    bench: Bench, constraint: Dependency, applies: Values, tag: str, title: str, missed: Values | CannotDrive
) -> Iterator[Case]:
    when = " and ".join(f"{each}={applies[each]!r}" for each in constraint.when if each in applies) or "it applies"
    name = f"{tag} {title} while {when}"
    try:
        if isinstance(missed, CannotDrive):
            raise missed
        both = bench.together(applies, missed)
    except CannotDrive as reason:
        yield Case(name, not_proved=str(reason))
        return
    way = Excursion(
        name,
        before=driven(applies),
        over=driven(both),
        back=driven({path: bench.rest[path] for path in both}),
    )
    yield excursion(bench, way)
    for written in constraint.when:
        cell = bench.model.cells.get(written)
        if cell is not None and cell.writable:
            yield _permissive(bench, constraint, written, applies, missed, f"{name}: before it is written")


def _permissive(
    bench: Bench, constraint: Dependency, written: str, applies: Values, missed: Values, title: str
) -> Case:
    """Return the case of a write that would make it count: refused while the requirement is missed, or in doubt."""
    others = {tag: value for tag, value in applies.items() if tag != written}
    wanted = bench.writes.proposal((written, applies[written]))
    try:
        away = _unlike(bench, written, constraint.when[written])
        now = bench.together(others, {written: away}, missed)
    except CannotDrive as reason:
        return Case(title, not_proved=str(reason))
    if bench.writes.is_always_allowed(written, applies[written]):
        return Case(title, not_proved=f"{written}={applies[written]!r} is a safe state, and always allowed")
    settle = Pass(bench.settle(*constraint.watched))
    there = {path: bench.rest[path] for path in missed}
    steps = (
        *begin(bench),
        Drive({**others, written: away}),
        settle,
        Agrees(wanted),
        Drive(now),
        settle,
        Keeps(Verdict.OK, 2 * bench.period),
        Speaks(wanted, VIOLATION),
        Latched(latched=False),
        Drive(there),
        spoiled(bench, tuple(missed), Doubt.BAD, 0.0),
        settle,
        Speaks(wanted, STALE),
        Latched(latched=False),
    )
    return Case(title, steps, {**bench.rest, **others, written: away})


def _doubted(bench: Bench, tag: str, applies: Values) -> Iterator[Case]:
    if any(base.path in applies for base in bench.model.bases(tag)):
        return  # the doubt would be about the condition as well
    yield from doubts(bench, (tag,), title=f"{tag}, which is required,", drive=applies)


def _all(bench: Bench, comparisons: Mapping[str, Setting | Comparison]) -> Values:
    """Return what brings all of these about. Raises CannotDrive."""
    parts = [_met(bench, tag, wanted) for tag, wanted in comparisons.items()]
    return bench.together(*parts)


def _met(bench: Bench, tag: str, wanted: Setting | Comparison) -> Values:
    cell = bench.model.cells.get(tag)
    return bench.model.value(tag, lambda value: satisfies(wanted, value), list(fitting(wanted, cell)), bench.rest)


def _misses(bench: Bench, tag: str, wanted: Setting | Comparison) -> Iterator[tuple[str, Values | CannotDrive]]:
    """Yield each way in which a requirement can be missed, and what brings it about."""
    if isinstance(wanted, Comparison) and wanted.equals is None:
        if wanted.max is not None:
            yield f"above {wanted.max:g}", _try(bench, tag, wanted.max, 1)
        if wanted.min is not None:
            yield f"below {wanted.min:g}", _try(bench, tag, wanted.min, -1)
        return
    try:
        found: Values | CannotDrive = (
            {tag: _unlike(bench, tag, wanted)} if tag in bench.model.cells else _other(bench, tag, wanted)
        )
    except CannotDrive as reason:
        found = reason
    yield "not as required", found


def _try(bench: Bench, tag: str, limit: float, direction: int) -> Values | CannotDrive:
    cell = bench.model.cells.get(tag)
    try:
        if cell is None:
            return bench.model.value(tag, lambda value: _is_past(value, limit, direction), (), bench.rest)
        value = cell.beyond(limit, direction)
    except CannotDrive as reason:
        return reason
    if not cell.range.holds(value):
        return CannotDrive(f"beyond {limit:g} {tag} is outside its range, and so a doubt and no violation")
    return {tag: value}


def _other(bench: Bench, tag: str, wanted: Setting | Comparison) -> Values:
    return bench.model.value(tag, lambda value: value is not None and not satisfies(wanted, value), (), bench.rest)


def _unlike(bench: Bench, tag: str, wanted: Setting | Comparison) -> Setting:
    """Return a value of the same type that does not satisfy. Raises CannotDrive."""
    cell = bench.model.cells.get(tag)
    if cell is None:
        raise CannotDrive(f"{tag} is computed")
    candidates: list[Setting] = [bench.rest[tag]]
    if cell.kind is Kind.BOOL:
        candidates += [False, True]
    elif cell.kind is Kind.TEXT:
        candidates += ["", "another"]
    else:
        span = cell.range.within(cell.reach)
        candidates += [bench.rest[tag], max(span.low, -1e6), min(span.high, 1e6)]
        if isinstance(wanted, Comparison):
            candidates += [nextafter(limit, way * inf) for limit, way in ((wanted.min, -1), (wanted.max, 1)) if limit]
    for value in candidates:
        if not satisfies(wanted, value):
            return int(value) if cell.kind is Kind.WHOLE and isinstance(value, float) else value
    raise CannotDrive(f"{tag} has no other value")


def _is_past(value: object, limit: float, direction: int) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return value > limit if direction > 0 else value < limit
