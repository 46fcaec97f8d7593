"""The plant at rest: a value for every tag with which, as far as possible, no constraint has anything to say. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from math import inf

from gateway.safety.constraint import Comparison, Constraint, Setting
from gateway.safety.kinds.compliance import Compliance
from gateway.safety.kinds.dependency import Dependency, satisfies
from gateway.safety.kinds.threshold import Threshold
from gateway.safety.kinds.vote import Vote
from gateway.testing.cell import CannotDrive, Cell, Kind, Span
from gateway.testing.plant_model import PlantModel, Values

_UNNAMED: Mapping[Kind, Setting] = {Kind.BOOL: False, Kind.TEXT: "", Kind.OTHER: ""}


def rest_values(
    model: PlantModel, constraints: Sequence[Constraint], first: Constraint | None, marks: Values
) -> dict[str, Setting]:
    """Return a value for each tag that is not computed.

    First: the constraint whose limits count before all others, where some exclude each other. Marks: what has to be.
    """
    ordered = [each for each in (first,) if each is not None] + [each for each in constraints if each is not first]
    fixed = {**dict(_fixed(model, ordered)), **marks}
    spans = _spans(ordered)
    found = {
        path: fixed[path] if path in fixed else _at_rest(cell, spans.get(path, Span()))
        for path, cell in model.cells.items()
    }
    for constraint in reversed(ordered):  # so that the first has the last word
        for tag, span in limits(constraint):
            if model.is_computed(tag):
                found |= _through_inputs(model, tag, span, found)
    return found


def limits(constraint: Constraint) -> Iterator[tuple[str, Span]]:
    """Yield the tags that a constraint holds within limits, and where each is surely inside of them."""
    if isinstance(constraint, Threshold):
        inside = _inside(constraint.min, constraint.max, constraint.hysteresis)
        yield from ((tag, inside) for tag in (constraint.tag, *constraint.limits_also))
    elif isinstance(constraint, Compliance):
        yield constraint.tag, _inside(constraint.min, constraint.max, 0.0)
    elif isinstance(constraint, Vote):
        yield from ((tag, _inside(constraint.min, constraint.max, constraint.hysteresis)) for tag in constraint.tags)
    elif isinstance(constraint, Dependency):
        for tag, wanted in constraint.requires.items():
            if isinstance(wanted, Comparison) and wanted.equals is None:
                yield tag, _inside(wanted.min, wanted.max, 0.0)


def fitting(wanted: Setting | Comparison, cell: Cell | None) -> Iterator[Setting]:
    """Yield values of a tag that satisfy a comparison, or could."""
    if not isinstance(wanted, Comparison):
        yield wanted
    elif wanted.equals is not None:
        yield wanted.equals
    elif cell is not None:
        try:
            yield cell.number(_inside(wanted.min, wanted.max, 0.0).within(cell.range))
        except CannotDrive:
            return


def _inside(low: float | None, high: float | None, hysteresis: float) -> Span:
    return Span(
        -inf if low is None else low + hysteresis,
        inf if high is None else high - hysteresis,
    )


def _fixed(model: PlantModel, constraints: Sequence[Constraint]) -> Iterator[tuple[str, Setting]]:
    """Yield what dependencies require to be equal to something; the first that speaks of a tag decides."""
    told: set[str] = set()
    for constraint in constraints:
        for tag, wanted in constraint.requires.items() if isinstance(constraint, Dependency) else ():
            if tag in told or tag not in model.cells:
                continue
            value = next((each for each in fitting(wanted, None) if satisfies(wanted, each)), None)
            if value is not None:
                told.add(tag)
                yield tag, value


def _spans(constraints: Sequence[Constraint]) -> Mapping[str, Span]:
    found: dict[str, Span] = {}
    for constraint in constraints:
        for tag, span in limits(constraint):
            both = found.get(tag, Span()).within(span)
            if not both.is_empty:
                found[tag] = both
    return found


def _at_rest(cell: Cell, span: Span) -> Setting:
    if cell.kind in _UNNAMED:
        return _UNNAMED[cell.kind]
    for wanted in (span.within(cell.range), span, cell.range, Span()):
        try:
            return cell.number(wanted)
        except CannotDrive:
            continue
    return 0


def _through_inputs(model: PlantModel, tag: str, span: Span, values: Values) -> Values:
    if span.holds(model.steady(tag, values).value):
        return {}
    try:
        return model.number(tag, span, values)
    except CannotDrive:
        return {}
