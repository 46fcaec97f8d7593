"""What is proved of every constraint that judges live values: excursions, and doubts. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from gateway.safety.verdict import Verdict
from gateway.testing.bench import Bench
from gateway.testing.case import (
    WHOLE_DEVICE,
    Agrees,
    Becomes,
    Case,
    Doubt,
    Drive,
    Keeps,
    Latched,
    Mend,
    Pass,
    Proposal,
    Resets,
    Speaks,
    Spoil,
    Step,
    Trips,
    Written,
)
from gateway.testing.cell import CannotDrive
from gateway.testing.plant_model import Values

VIOLATION = frozenset(("violation",))
STALE = frozenset(("stale_input",))
HALTED = frozenset(("halted",))
LONG = 300.0
"""Seconds of a window after which nobody waits until it has forgotten a doubt, where nothing is to be reset."""
RECONNECTED = 3.0
"""Seconds until a device that was away is read again, scans aside."""
SOME = 1.0
"""Seconds for which something is watched that should not happen."""


@dataclass(frozen=True, slots=True)
class Excursion:
    """A way over a limit, and back."""

    title: str
    over: tuple[Step, ...]
    back: tuple[Step, ...]
    before: tuple[Step, ...] = ()
    """What is fine still: up to the limit, or one sensor less."""
    half: tuple[Step, ...] = ()
    """Back within the limit, and not by the hysteresis."""
    slow: float = 0.0
    """Seconds that a verdict takes beyond what reading takes: a window that has to fill."""
    begins_within: float = 0.0
    """Seconds more than usual until the verdict is OK for the first time."""
    start: Values = field(default_factory=lambda: MappingProxyType({}))


def probe_of(bench: Bench) -> Proposal | None:
    """Return the write with which a constraint is asked, None where it covers nothing that could be asked for."""
    try:
        return bench.writes.probe()
    except CannotDrive:
        return None


def coverage(bench: Bench) -> Iterator[Case]:
    """Yield a case that is not proved where the constraint can deny nothing."""
    try:
        bench.writes.probe()
    except CannotDrive as reason:
        yield Case("it denies writes in its scope", not_proved=str(reason))


def excursion(bench: Bench, way: Excursion) -> Case:
    """Return the case of a violation: denied, tripped where it is critical, and let go only where that is right."""
    tags = bench.constraint.watched
    settle = bench.settle(*tags) + way.slow
    steps = [
        *begin(bench, way.begins_within),
        *way.before,
        *((Keeps(Verdict.OK, settle), *agrees(bench), Latched(latched=False)) if way.before else ()),
        *way.over,
        Becomes(Verdict.VIOLATED, settle),
        *speaks(bench, VIOLATION),
        *_tripped(bench, Verdict.VIOLATED, bench.constraint.on_delay),
    ]
    if way.half:
        steps += [*way.half, Keeps(Verdict.VIOLATED, settle), *speaks(bench, VIOLATION), *_held(bench)]
    steps += [*way.back, Becomes(Verdict.OK, settle + way.slow), *let_go(bench, tripped=bench.is_critical)]
    return Case(way.title, tuple(steps), {**bench.rest, **way.start})


def doubts(
    bench: Bench,
    tags: Sequence[str],
    *,
    title: str = "",
    drive: Values = MappingProxyType({}),
    slow: float = 0.0,
    begins_within: float = 0.0,
) -> Iterator[Case]:
    """Yield a case for each doubt about all of these tags: denied, and tripped only where that is written.

    Drive: what the plant is at that time.
    """
    for doubt in bench.doubts(*tags):
        spoil = spoiled(bench, tags, doubt, slow)
        settle = bench.settle(*tags) + slow + (bench.stale_after(tags[0]) if doubt in WHOLE_DEVICE else 0.0)
        steps = [
            *begin(bench, begins_within),
            spoil,
            Becomes(Verdict.UNKNOWN, settle + SOME),
            *speaks(bench, STALE),
            *_doubted(bench, reachable=doubt not in WHOLE_DEVICE),
        ]
        if bench.trips_on_doubt or slow < LONG:
            steps += _mended(bench, settle + slow + (spoil.seconds if doubt is Doubt.STALE else 0.0))
        yield Case(f"{title or ' and '.join(tags)} {doubt}", tuple(steps), {**bench.rest, **drive})
    yield from unborn(bench, tags, drive)


def _mended(bench: Bench, within: float) -> list[Step]:
    """Return the steps back from a doubt."""
    return [
        Mend(),
        Becomes(Verdict.OK, within + RECONNECTED),
        *(written(bench) if bench.trips_on_doubt else []),
        *let_go(bench, tripped=bench.trips_on_doubt),
    ]


def unborn(bench: Bench, tags: Sequence[str], drive: Values) -> Iterator[Case]:
    """Yield the case of values that were never good since the start: they deny, and never trip."""
    if not any(bench.model.bases(tag) for tag in tags):
        return
    wait = bench.constraint.unknown_delay + SOME if bench.trips_on_doubt else SOME
    steps = (
        spoiled(bench, tags, Doubt.BAD, wait),
        Pass(bench.start),
        Keeps(Verdict.UNKNOWN, wait),
        *speaks(bench, STALE),
        Latched(latched=False),
    )
    yield Case(f"{' and '.join(tags)} not good once since the start", steps, {**bench.rest, **drive})


def max_age(bench: Bench) -> Iterator[Case]:
    """Yield the case of values that are older than the constraint lets them be, and not stale to others yet."""
    oldest, tags = bench.constraint.max_age, bench.constraint.watched
    if oldest is None or not tags or not oldest < max(bench.stale_after(tag) for tag in tags):
        return
    spoil = spoiled(bench, tags, Doubt.STALE, 0.0)
    steps = (
        *begin(bench),
        spoil,
        Becomes(Verdict.UNKNOWN, oldest + bench.scan(tags[0]) + 3 * bench.period),
        *speaks(bench, STALE),
    )
    yield Case(f"{' and '.join(tags)} older than its max_age of {oldest:g} s", steps, bench.rest)


def spoiled(bench: Bench, tags: Sequence[str], doubt: Doubt, more: float) -> Spoil:
    """Return the step that makes tags doubtful, through their inputs where they are computed."""
    cells = {cell.path: cell for tag in tags for cell in bench.model.bases(tag)}
    lasts = sum((
        bench.constraint.unknown_delay,
        2 * max((bench.stale_after(tag) for tag in tags), default=0.0),
        bench.settle(*tags),
        more,
        2 * SOME,
    ))  # fmt: skip
    beyond = {path: bench.outside(cell) for path, cell in cells.items()} if doubt is Doubt.OUT_OF_RANGE else {}
    return Spoil(tuple(cells), doubt, lasts, beyond)


def begin(bench: Bench, more: float = 0.0) -> list[Step]:
    """Return the steps until the constraint is content."""
    within = bench.start + bench.settle(*bench.constraint.watched) + more
    return [Becomes(Verdict.OK, within, to_begin=True), *agrees(bench), Latched(latched=False)]


def speaks(bench: Bench, codes: frozenset[str]) -> list[Step]:
    """Return the step in which a write of its scope is denied, or warned of."""
    probe = probe_of(bench)
    return [] if probe is None else [Speaks(probe, codes)]


def agrees(bench: Bench) -> list[Step]:
    """Return the step in which it has nothing against a write of its scope."""
    probe = probe_of(bench)
    return [] if probe is None else [Agrees(probe)]


def let_go(bench: Bench, *, tripped: bool) -> list[Step]:
    """Return the steps after the cause is gone: what tripped is latched until it is reset, and only then permitted."""
    if not tripped:
        return [Latched(latched=False), *agrees(bench)]
    name_delay = bench.constraint.off_delay
    early = [Resets("cause_present")] if name_delay > 4 * bench.period else []
    return [
        Latched(latched=True),
        *speaks(bench, HALTED),
        *early,
        Pass(name_delay + 3 * bench.period),
        Latched(latched=True),
        *speaks(bench, HALTED),
        Resets(""),
        Latched(latched=False),
        *agrees(bench),
    ]


def written(bench: Bench) -> list[Step]:
    """Return the step in which the safe state is written, if there is one."""
    safe = bench.safe_state()
    return [Written(safe, bench.safe_state_within())] if safe else []


def trips(bench: Bench, cause: Verdict, after: float, *, reachable: bool = True) -> list[Step]:
    """Return the steps in which it trips, is not reset, and lets its safe state be written.

    Reachable: that its devices answer, so that the safe state is written at once.
    """
    safe = bench.safe_state()
    return [
        Trips(cause, after, 3 * bench.period),
        *(written(bench) if reachable else []),
        Latched(latched=True),
        *speaks(bench, HALTED),
        Resets("cause_present"),
        Latched(latched=True),
        *([Agrees(bench.writes.proposal(*safe))] if safe else []),
    ]


def _tripped(bench: Bench, cause: Verdict, after: float) -> list[Step]:
    if bench.is_critical:
        return trips(bench, cause, after)
    return [Pass(SOME), Latched(latched=False)]


def _held(bench: Bench) -> list[Step]:
    return [Latched(latched=True), Resets("cause_present")] if bench.is_critical else []


def _doubted(bench: Bench, *, reachable: bool) -> list[Step]:
    if bench.trips_on_doubt:
        return trips(bench, Verdict.UNKNOWN, bench.constraint.unknown_delay, reachable=reachable)
    return [Pass(bench.constraint.unknown_delay + SOME), Latched(latched=False)]


def driven(values: Values) -> tuple[Step, ...]:
    """Return the step that gives tags values."""
    return (Drive(values),)
