"""The stages of every case: the beginning, a write that is asked for, a trip, and letting go. Pure."""

from collections.abc import Iterator

from gateway.safety.verdict import Verdict
from gateway.testing.bench import Bench
from gateway.testing.case import (
    Agrees,
    Becomes,
    Case,
    Drive,
    Latched,
    Pass,
    Proposal,
    Resets,
    Speaks,
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


def driven(values: Values) -> tuple[Step, ...]:
    """Return the step that gives tags values."""
    return (Drive(values),)
