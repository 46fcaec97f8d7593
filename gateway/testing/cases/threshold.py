"""THRESHOLD: over each limit and back by the hysteresis, every doubt, and every write that it limits. Pure."""

from collections.abc import Iterator
from math import inf

from gateway.safety.kinds.threshold import Threshold
from gateway.testing.bench import Bench
from gateway.testing.case import Case, Step
from gateway.testing.cases.doubts import doubts, max_age
from gateway.testing.cases.excursion import Excursion, excursion
from gateway.testing.cases.proposals import limited_writes
from gateway.testing.cases.stages import coverage, driven
from gateway.testing.cell import CannotDrive, Kind, Span
from gateway.testing.plant_model import Values

NEAR = 1e-3
"""How far past its limit a computed tag is brought, of the limit or of one."""


def cases(bench: Bench, constraint: Threshold) -> Iterator[Case]:
    """Yield everything that is to be proved of it."""
    yield from coverage(bench)
    for word, limit, direction in passed(constraint.min, constraint.max):
        title = f"{constraint.tag} {word} {limit:g}"
        try:
            yield excursion(bench, _way(bench, constraint, title, limit, direction))
        except CannotDrive as reason:
            yield Case(title, not_proved=str(reason))
    yield from doubts(bench, (constraint.tag,))
    yield from max_age(bench)
    yield from limited_writes(bench, (constraint.tag, *constraint.limits_also), constraint.min, constraint.max)


def passed(low: float | None, high: float | None) -> Iterator[tuple[str, float, int]]:
    """Yield each limit with its word and the direction in which it is passed."""
    if high is not None:
        yield "above max", high, 1
    if low is not None:
        yield "below min", low, -1


def past(bench: Bench, tag: str, limit: float, direction: int) -> Values:
    """Return what brings a tag past a limit, the nearer the better. Raises CannotDrive."""
    cell = bench.model.cells.get(tag)
    if cell is not None:
        return bench.together({tag: cell.beyond(limit, direction)})
    ends = sorted((limit + direction * NEAR * max(abs(limit), 1.0), direction * inf))
    return bench.together(bench.model.number(tag, Span(ends[0], ends[1]), bench.rest))


def at_limit(bench: Bench, tag: str, limit: float) -> tuple[Step, ...]:
    """Return the step to exactly a limit, none where the tag cannot be exactly there."""
    cell = bench.model.cells.get(tag)
    if cell is None or (cell.kind is Kind.WHOLE and limit != int(limit)):
        return ()
    if not cell.range.within(cell.reach).holds(limit):
        return ()
    return driven({tag: cell.number(Span(limit, limit))})


def within_hysteresis(bench: Bench, tag: str, limit: float, direction: int, hysteresis: float) -> tuple[Step, ...]:
    """Return the step to a value within a limit by less than the hysteresis, none where there is no such value."""
    inside = sorted((limit, limit - direction * hysteresis * 0.9))
    span = Span(inside[0], inside[1])
    if not hysteresis > 0:
        return ()
    try:
        cell = bench.model.cells.get(tag)
        found = bench.model.number(tag, span if cell is None else span.within(cell.range), bench.rest)
        return driven(bench.together(found))
    except CannotDrive:
        return ()


def _way(bench: Bench, constraint: Threshold, title: str, limit: float, direction: int) -> Excursion:
    tag = constraint.tag
    over = past(bench, tag, limit, direction)
    return Excursion(
        title,
        over=driven(over),
        back=driven({base.path: bench.rest[base.path] for base in bench.model.bases(tag)}),
        before=at_limit(bench, tag, limit),
        half=within_hysteresis(bench, tag, limit, direction, constraint.hysteresis),
        slow=bench.model.window(tag),
        begins_within=bench.model.window(tag),
    )
