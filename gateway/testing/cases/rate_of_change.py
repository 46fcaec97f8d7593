"""RATE_OF_CHANGE: too fast upwards and downwards, every doubt, and every step of a write that it limits. Pure."""

from collections.abc import Iterator

from gateway.safety.kinds.rate_of_change import RateOfChange
from gateway.testing.bench import Bench
from gateway.testing.case import Case, Drive, Ramp, Step
from gateway.testing.cases.doubts import doubts, max_age
from gateway.testing.cases.excursion import Excursion, excursion
from gateway.testing.cases.proposals import steps
from gateway.testing.cases.stages import coverage
from gateway.testing.cell import CannotDrive, Kind

FAST = 1.5
"""Times the limit."""
SLOW = 0.5
_UPWARDS = {"rising": 1, "falling": -1}


def cases(bench: Bench, constraint: RateOfChange) -> Iterator[Case]:
    """Yield everything that is to be proved of it."""
    yield from coverage(bench)
    for word, direction in _UPWARDS.items() if constraint.max_per_second is not None else ():
        title = f"{constraint.tag} {word} faster than {constraint.max_per_second:g} a second"
        try:
            yield excursion(bench, _way(bench, constraint, title, direction))
        except CannotDrive as reason:
            yield Case(title, not_proved=str(reason))
    yield from doubts(bench, (constraint.tag,))
    yield from max_age(bench)
    yield from steps(bench, constraint)


def _way(bench: Bench, constraint: RateOfChange, title: str, direction: int) -> Excursion:
    tag, fastest = constraint.tag, constraint.max_per_second or 0.0
    cell = bench.model.cells.get(tag)
    if cell is None:
        raise CannotDrive(f"{tag} is computed, and how fast its inputs make it is not known")
    if cell.kind not in {Kind.REAL, Kind.WHOLE}:
        raise CannotDrive(f"{tag} is no number")
    scan = bench.scan(tag)
    rate = FAST * fastest
    if cell.kind is Kind.WHOLE:
        rate = max(rate, fastest + 1.5 / scan)  # a count is the least that it can change by
    span = cell.range.within(cell.reach)
    low, high = max(span.low, -1e9), min(span.high, 1e9)
    if not rate * scan <= high - low:
        raise CannotDrive(f"within its range {tag} cannot change by {rate * scan:g} from one scan to the next")
    gentle: tuple[Step, ...] = (Ramp(tag, direction * SLOW * fastest, low, high),)
    return Excursion(
        title,
        over=(Ramp(tag, direction * rate, low, high),),
        back=(Drive({tag: bench.rest[tag]}),),
        before=gentle if cell.kind is Kind.REAL else (),
        slow=2 * scan,
    )
