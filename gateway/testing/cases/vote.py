"""VOTE: every sensor's vote over each limit, one too few, and what bad sensors count for. Pure."""

from collections.abc import Iterator, Sequence

from gateway.safety.kinds.vote import Vote
from gateway.safety.verdict import Verdict
from gateway.testing.bench import Bench
from gateway.testing.case import WHOLE_DEVICE, Becomes, Case, Doubt, Keeps, Latched, Mend, Pass, Step
from gateway.testing.cases.doubts import doubts, max_age, spoiled
from gateway.testing.cases.excursion import Excursion, excursion
from gateway.testing.cases.stages import (
    RECONNECTED,
    SOME,
    STALE,
    VIOLATION,
    agrees,
    begin,
    coverage,
    driven,
    let_go,
    speaks,
    trips,
    written,
)
from gateway.testing.cases.threshold import passed, past, within_hysteresis
from gateway.testing.cell import CannotDrive
from gateway.testing.plant_model import Values


def cases(bench: Bench, constraint: Vote) -> Iterator[Case]:
    """Yield everything that is to be proved of it."""
    yield from coverage(bench)
    for word, limit, direction in passed(constraint.min, constraint.max):
        for group in _groups(constraint):
            title = f"{' and '.join(group)} {word} {limit:g}"
            try:
                yield excursion(bench, _way(bench, constraint, group, title, limit, direction))
            except CannotDrive as reason:
                yield Case(title, not_proved=str(reason))
    for doubt in bench.doubts(*constraint.tags):
        told = {constraint.tags}
        for bad in _numbers_of_bad(constraint):
            lost = _lost(bench, constraint, doubt, constraint.tags[:bad])
            if lost not in told:
                told.add(lost)
                yield _bad_sensors(bench, constraint, doubt, lost)
    yield from doubts(bench, constraint.tags, title="every sensor")
    yield from max_age(bench)


def expected(constraint: Vote, over: int, bad: int) -> Verdict:
    """Return what follows from so many sensors over the limit and so many bad ones, each of which was good once."""
    if bad == len(constraint.tags):
        return Verdict.UNKNOWN
    if constraint.degrade is None:
        return Verdict.VIOLATED if over + bad >= constraint.agree else Verdict.OK
    if bad > len(constraint.degrade):
        return Verdict.UNKNOWN
    needed = (constraint.agree, *constraint.degrade)[bad]
    return Verdict.VIOLATED if over >= needed else Verdict.OK


def _groups(constraint: Vote) -> Iterator[tuple[str, ...]]:
    """Yield as many sensors as must agree, each of them in some of the groups."""
    tags = constraint.tags
    seen: set[frozenset[str]] = set()
    for first in range(len(tags)):
        group = tuple(tags[(first + step) % len(tags)] for step in range(constraint.agree))
        if frozenset(group) not in seen:
            seen.add(frozenset(group))
            yield group


def _numbers_of_bad(constraint: Vote) -> Sequence[int]:
    """Return how many bad sensors are worth a look: where the verdict changes. All of them is a case of its own."""
    every = len(constraint.tags)
    return [bad for bad in range(1, every) if _turns(constraint, bad) or _turns(constraint, bad + 1) or bad == 1]


def _turns(constraint: Vote, bad: int) -> bool:
    return bad < len(constraint.tags) and expected(constraint, 0, bad) is not expected(constraint, 0, bad - 1)


def _way(bench: Bench, constraint: Vote, group: Sequence[str], title: str, limit: float, direction: int) -> Excursion:
    values = [past(bench, tag, limit, direction) for tag in group]
    over = bench.together(*values)
    few = bench.together(*values[:-1])
    _check_apart(bench, constraint, group, over)
    half = within_hysteresis(bench, group[-1], limit, direction, constraint.hysteresis)
    return Excursion(
        title,
        over=driven(over),
        back=driven({path: bench.rest[path] for path in over}),
        before=driven(few) if few else (),
        half=half,
        slow=max(bench.model.window(tag) for tag in constraint.tags),
        begins_within=max(bench.model.window(tag) for tag in constraint.tags),
    )


def _check_apart(bench: Bench, constraint: Vote, group: Sequence[str], over: Values) -> None:
    """Raise CannotDrive where a sensor cannot be moved without another."""
    for tag in constraint.tags:
        if tag not in group and any(base.path in over for base in bench.model.bases(tag)):
            raise CannotDrive(f"{tag} is made from the same inputs, and moves together with them")


def _bad_sensors(bench: Bench, constraint: Vote, doubt: Doubt, bad: Sequence[str]) -> Case:
    """Return the case of some bad sensors: they count as violations, or as is declared for that."""
    verdict = expected(constraint, 0, len(bad))
    title = f"{' and '.join(bad)} {doubt}: {verdict.value}"
    tripped = _is_tripped(bench, verdict)
    try:
        spoil = spoiled(bench, bad, doubt, 0.0, trips=tripped)
    except CannotDrive as reason:
        return Case(title, not_proved=str(reason))
    settle = bench.settle(*bad) + (bench.stale_after(bad[0]) if doubt in WHOLE_DEVICE else 0.0) + SOME
    reachable = doubt not in WHOLE_DEVICE
    steps: list[Step] = [*begin(bench), spoil, *_seen(bench, verdict, settle, reachable=reachable)]
    back = settle + (spoil.seconds if doubt is Doubt.STALE else 0.0) + RECONNECTED
    late = written(bench) if tripped else []
    steps += [Mend(), Becomes(Verdict.OK, back), *late, *let_go(bench, tripped=tripped)]
    return Case(title, tuple(steps), bench.rest)


def _seen(bench: Bench, verdict: Verdict, settle: float, *, reachable: bool) -> list[Step]:
    if verdict is Verdict.OK:
        return [Pass(settle), Keeps(verdict, SOME), *agrees(bench), Latched(latched=False)]
    codes = VIOLATION if verdict is Verdict.VIOLATED else STALE
    after = bench.constraint.on_delay if verdict is Verdict.VIOLATED else bench.constraint.unknown_delay
    found: list[Step] = [Becomes(verdict, settle), *speaks(bench, codes)]
    if _is_tripped(bench, verdict):
        return [*found, *trips(bench, verdict, after, reachable=reachable)]
    return [*found, Pass(after + SOME), Latched(latched=False)]


def _is_tripped(bench: Bench, verdict: Verdict) -> bool:
    return (verdict is Verdict.VIOLATED and bench.is_critical) or (verdict is Verdict.UNKNOWN and bench.trips_on_doubt)


def _lost(bench: Bench, constraint: Vote, doubt: Doubt, bad: Sequence[str]) -> tuple[str, ...]:
    """Return the sensors that are bad then: a device takes all of its own with it."""
    if doubt in WHOLE_DEVICE:
        hit = {base.device for tag in bad for base in bench.model.bases(tag)}
        return tuple(t for t in constraint.tags if any(base.device in hit for base in bench.model.bases(t)))
    hit = {base.path for tag in bad for base in bench.model.bases(tag)}
    return tuple(t for t in constraint.tags if any(base.path in hit for base in bench.model.bases(t)))
