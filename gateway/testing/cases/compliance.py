"""COMPLIANCE: a mean over each limit and back, too little coverage, and every doubt that lasts. Pure."""

from collections.abc import Iterator
from math import inf

from gateway.safety.kinds.compliance import Compliance
from gateway.safety.verdict import Verdict
from gateway.testing.bench import Bench
from gateway.testing.case import Becomes, Case, Keeps, Latched
from gateway.testing.cases.doubts import doubts, max_age
from gateway.testing.cases.excursion import Excursion, excursion
from gateway.testing.cases.stages import STALE, coverage, driven, speaks
from gateway.testing.cases.threshold import NEAR, passed
from gateway.testing.cell import CannotDrive, Span
from gateway.testing.plant_model import Values


def cases(bench: Bench, constraint: Compliance) -> Iterator[Case]:
    """Yield everything that is to be proved of it."""
    yield from coverage(bench)
    yield _uncovered(bench, constraint)
    fills = constraint.window + bench.model.window(constraint.tag)
    for word, limit, direction in passed(constraint.min, constraint.max):
        title = f"mean of {constraint.tag} over {constraint.window:g} s {word} {limit:g}"
        try:
            over = _past(bench, constraint.tag, limit, direction)
        except CannotDrive as reason:
            yield Case(title, not_proved=str(reason))
            continue
        back = {path: bench.rest[path] for path in over}
        yield excursion(bench, Excursion(title, over=driven(over), back=driven(back), slow=fills, begins_within=fills))
    yield from doubts(bench, (constraint.tag,), slow=fills, begins_within=fills)
    yield from max_age(bench) if not bench.model.is_computed(constraint.tag) else ()


def _uncovered(bench: Bench, constraint: Compliance) -> Case:
    """Return the case of a window of which too little is known yet."""
    needed = constraint.min_coverage * constraint.window
    steps = (
        Keeps(Verdict.UNKNOWN, max(0.9 * needed - bench.start, 0.0)),
        *speaks(bench, STALE),
        Latched(latched=False),
        Becomes(Verdict.OK, constraint.window + bench.start + bench.settle(constraint.tag)),
    )
    return Case(f"less than {constraint.min_coverage:g} of its window known", steps, bench.rest)


def _past(bench: Bench, tag: str, limit: float, direction: int) -> Values:
    """Return what brings a tag past a limit and leaves it within its range, where alone it counts. Raises."""
    step = direction * max(abs(limit) / 10, 1.0)
    settings = bench.model.range(tag)
    for near in (limit + step, limit + direction * NEAR * max(abs(limit), 1.0)):
        ends = sorted((near, direction * inf))
        span = Span(ends[0], ends[1]).within(settings)
        if span.is_empty:
            continue
        return bench.together(bench.model.number(tag, span, bench.rest))
    raise CannotDrive(f"beyond {limit:g} {tag} is outside its range, and so a doubt and no violation")
