"""Every doubt about live values: denied, and tripped only where that is written. Pure."""

from collections.abc import Collection, Iterator, Sequence
from types import MappingProxyType

from gateway.safety.verdict import Verdict
from gateway.testing.bench import Bench
from gateway.testing.case import (
    WHOLE_DEVICE,
    Becomes,
    Case,
    Doubt,
    Keeps,
    Latched,
    Mend,
    Pass,
    Spoil,
    Step,
)
from gateway.testing.cases.stages import (
    LONG,
    RECONNECTED,
    SOME,
    STALE,
    begin,
    let_go,
    speaks,
    trips,
    written,
)
from gateway.testing.cell import CannotDrive
from gateway.testing.plant_model import Values


def doubts(
    bench: Bench,
    tags: Sequence[str],
    *,
    title: str = "",
    drive: Values = MappingProxyType({}),
    slow: float = 0.0,
    begins_within: float = 0.0,
    left_out: Collection[Doubt] = (),
) -> Iterator[Case]:
    """Yield a case for each doubt about all of these tags: denied, and tripped only where that is written.

    Drive: what the plant is at that time. Left_out: what is none to this constraint.
    """
    for doubt in bench.doubts(*tags):
        if doubt in left_out:
            continue
        name = f"{title or ' and '.join(tags)} {doubt}"
        try:
            spoil = spoiled(bench, tags, doubt, slow, trips=bench.trips_on_doubt)
        except CannotDrive as reason:
            yield Case(name, not_proved=str(reason))
            continue
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
        yield Case(name, tuple(steps), {**bench.rest, **drive})
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


def spoiled(bench: Bench, tags: Sequence[str], doubt: Doubt, more: float, *, trips: bool = False) -> Spoil:
    """Return the step that makes tags doubtful, through their inputs where they are computed.

    Trips: that it brings a trip, which must not make good what was made doubtful. Raises CannotDrive.
    """
    cells = {cell.path: cell for tag in tags for cell in bench.model.bases(tag)}
    if trips and doubt not in WHOLE_DEVICE:
        for path in cells.keys() & bench.constraint.on_trip.keys():
            raise CannotDrive(f"{path} is what its safe state sets, and so no doubt about it lasts")
    lasts = sum((
        bench.constraint.unknown_delay,
        2 * max((bench.stale_after(tag) for tag in tags), default=0.0),
        bench.settle(*tags),
        more,
        2 * SOME,
    ))  # fmt: skip
    beyond = {path: bench.outside(cell) for path, cell in cells.items()} if doubt is Doubt.OUT_OF_RANGE else {}
    return Spoil(tuple(cells), doubt, lasts, beyond)


def _doubted(bench: Bench, *, reachable: bool) -> list[Step]:
    if bench.trips_on_doubt:
        return trips(bench, Verdict.UNKNOWN, bench.constraint.unknown_delay, reachable=reachable)
    return [Pass(bench.constraint.unknown_delay + SOME), Latched(latched=False)]
