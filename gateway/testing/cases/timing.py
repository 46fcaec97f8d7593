"""TIMING: too early on, too early off, too soon after the last write, out of hours, and every doubt. Pure."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta

from gateway.safety.constraint import Setting
from gateway.safety.kinds.timing import Timing
from gateway.testing.bench import Bench
from gateway.testing.case import Agrees, Case, Doubt, Drive, Goes, Latched, LocalTime, Pass, Proposal, Speaks, Step
from gateway.testing.cases.doubts import doubts, max_age
from gateway.testing.cases.stages import VIOLATION, begin, coverage
from gateway.testing.cell import CannotDrive, Cell, Kind

DAY = datetime(2026, 6, 15, tzinfo=UTC)
UNTRUSTED = frozenset(("time_untrusted",))


def cases(bench: Bench, constraint: Timing) -> Iterator[Case]:
    """Yield everything that is to be proved of it."""
    yield from coverage(bench)
    cell = bench.model.cells.get(constraint.tag)
    if cell is None or not cell.writable:
        yield Case(
            f"writes to {constraint.tag}", not_proved=f"{constraint.tag} cannot be written, so nothing is denied"
        )
    else:
        yield from _writes(bench, constraint, cell)
    typed = constraint.min_on is not None or constraint.min_off is not None
    yield from doubts(bench, (constraint.tag,), left_out=() if typed else (Doubt.WRONG_TYPE,))
    yield from max_age(bench)


def _writes(bench: Bench, constraint: Timing, cell: Cell) -> Iterator[Case]:
    hours = [LocalTime(_middle(*constraint.window))] if constraint.window is not None else []
    for rest, value in ((constraint.min_off, True), (constraint.min_on, False)):
        if rest is not None:
            yield _rests(bench, cell, rest, value, hours)
    if constraint.min_interval is not None:
        yield _interval(bench, cell, constraint.min_interval, hours)
    if constraint.window is not None:
        yield _hours(bench, constraint, cell, *constraint.window)


def _rests(
    bench: Bench,
    cell: Cell,
    rest: float,
    value: bool,  # noqa: FBT001  (a value of the tag, no flag)
    hours: Sequence[Step],
) -> Case:
    title = f"{cell.path} {'on' if value else 'off'} before it was {'off' if value else 'on'} for {rest:g} s"
    if cell.kind is not Kind.BOOL:
        return Case(title, not_proved=f"{cell.path} is not true or false, so it is neither on nor off")
    try:
        asked = _command(bench, cell, value)
    except CannotDrive as reason:
        return Case(title, not_proved=str(reason))
    late = bench.settle(cell.path)
    if not rest > late:
        return Case(title, not_proved=f"{rest:g} s pass before a change is surely seen, which takes up to {late:g} s")
    steps = (
        *hours,
        *begin(bench),
        Pass(rest + late),
        Agrees(asked),
        Drive({cell.path: value}),
        Pass(late),
        Drive({cell.path: not value}),
        Pass(late),
        Speaks(asked, VIOLATION),
        Pass(max(rest - 2 * late, 0.0)),
        *((Speaks(asked, VIOLATION),) if rest > 2 * late else ()),
        Latched(latched=False),
        Pass(2 * late),
        Agrees(asked),
    )
    return Case(title, steps, {**bench.rest, cell.path: not value})


def _interval(bench: Bench, cell: Cell, interval: float, hours: Sequence[Step]) -> Case:
    title = f"{cell.path} written again within {interval:g} s"
    at = bench.rest[cell.path]
    try:
        asked = _command(bench, cell, at)
    except CannotDrive as reason:
        return Case(title, not_proved=str(reason))
    steps = (
        *hours,
        *begin(bench),
        Agrees(asked),
        Goes(asked),
        Speaks(asked, VIOLATION),
        Pass(0.9 * interval),
        Speaks(asked, VIOLATION),
        Latched(latched=False),
        Pass(0.1 * interval + bench.period),
        Agrees(asked),
    )
    return Case(title, steps, bench.rest)


def _hours(bench: Bench, constraint: Timing, cell: Cell, first: time, last: time) -> Case:
    """Return the case of the hours: at both ends and inside allowed, a second outside not; nor without a clock."""
    title = f"{cell.path} written outside {constraint.not_before} and {constraint.not_after}"
    try:
        asked = _command(bench, cell, bench.rest[cell.path])
    except CannotDrive as reason:
        return Case(title, not_proved=str(reason))
    opens, closes = _open(first, last)
    second = timedelta(seconds=1)
    if closes - opens >= timedelta(days=1) - 2 * second:
        return Case(title, not_proved="the hours are the whole day, so nothing is denied")
    steps = (
        *begin(bench),
        *_at((opens, _middle(first, last), closes), Agrees(asked)),
        *_at((opens - second, closes + second), Speaks(asked, VIOLATION)),
        LocalTime(None),
        Speaks(asked, UNTRUSTED),
        Latched(latched=False),
    )
    return Case(title, steps, bench.rest)


def _open(first: time, last: time) -> tuple[datetime, datetime]:
    """Return when the hours begin and end, past midnight where the end is the earlier of the two."""
    closes = datetime.combine(DAY, last, UTC)
    return datetime.combine(DAY, first, UTC), closes + (timedelta(days=1) if last < first else timedelta())


def _middle(first: time, last: time) -> datetime:
    opens, closes = _open(first, last)
    return opens + (closes - opens) / 2


def _at(moments: Sequence[datetime], step: Step) -> Iterator[Step]:
    for moment in moments:
        yield LocalTime(moment)
        yield step


def _command(bench: Bench, cell: Cell, value: Setting) -> Proposal:
    """Return a command with the write; beside another one where it alone would always be allowed. Raises."""
    if not bench.writes.is_always_allowed(cell.path, value):
        return bench.writes.proposal((cell.path, value))
    for other in bench.writes.writable():
        at = bench.rest[other.path]
        if other.path != cell.path and not bench.writes.is_always_allowed(other.path, at):
            return bench.writes.proposal((cell.path, value), (other.path, at))
    raise CannotDrive(f"{cell.path}={value!r} is a safe state, and always allowed")
