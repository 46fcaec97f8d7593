"""What it takes to satisfy the comparisons of a dependency, or to miss one of them. Pure."""

from collections.abc import Iterator, Mapping
from math import inf, nextafter

from gateway.safety.constraint import Comparison, Setting
from gateway.safety.kinds.dependency import satisfies
from gateway.testing.bench import Bench
from gateway.testing.cell import CannotDrive, Kind
from gateway.testing.plant_model import Values
from gateway.testing.rest import fitting


def bring_about(bench: Bench, comparisons: Mapping[str, Setting | Comparison]) -> Values:
    """Return what brings all of these about. Raises CannotDrive."""
    parts = [_met(bench, tag, wanted) for tag, wanted in comparisons.items()]
    return bench.together(*parts)


def _met(bench: Bench, tag: str, wanted: Setting | Comparison) -> Values:
    cell = bench.model.cells.get(tag)
    return bench.model.value(tag, lambda value: satisfies(wanted, value), list(fitting(wanted, cell)), bench.rest)


def misses(bench: Bench, tag: str, wanted: Setting | Comparison) -> Iterator[tuple[str, Values | CannotDrive]]:
    """Yield each way in which a requirement can be missed, and what brings it about."""
    if isinstance(wanted, Comparison) and wanted.equals is None:
        if wanted.max is not None:
            yield f"above {wanted.max:g}", _try(bench, tag, wanted.max, 1)
        if wanted.min is not None:
            yield f"below {wanted.min:g}", _try(bench, tag, wanted.min, -1)
        return
    try:
        found: Values | CannotDrive = (
            {tag: unlike(bench, tag, wanted)} if tag in bench.model.cells else _other(bench, tag, wanted)
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


def unlike(bench: Bench, tag: str, wanted: Setting | Comparison) -> Setting:
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
