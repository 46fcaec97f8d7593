"""A way over a limit and back, as every kind that judges live values has one. Pure."""

from dataclasses import dataclass, field
from types import MappingProxyType

from gateway.safety.verdict import Verdict
from gateway.testing.bench import Bench
from gateway.testing.case import (
    Becomes,
    Case,
    Keeps,
    Latched,
    Pass,
    Resets,
    Step,
    Trips,
)
from gateway.testing.cases.stages import HALTED, SOME, VIOLATION, agrees, begin, let_go, speaks, trips, written
from gateway.testing.plant_model import Values


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


def excursion(bench: Bench, way: Excursion) -> Case:
    """Return the case of a violation: denied, tripped where it is critical, and let go only where that is right."""
    tags = bench.constraint.watched
    settle = bench.settle(*tags) + way.slow
    steps = [
        *begin(bench, way.begins_within),
        *way.before,
        *((Keeps(Verdict.OK, settle), *agrees(bench), Latched(latched=False)) if way.before else ()),
        *way.over,
    ]
    if bench.ends_itself(way.over):
        return Case(way.title, (*steps, *_ended_by_its_trip(bench, settle)), {**bench.rest, **way.start})
    steps += [
        Becomes(Verdict.VIOLATED, settle),
        *speaks(bench, VIOLATION),
        *_tripped(bench, Verdict.VIOLATED, bench.constraint.on_delay),
    ]
    if way.half:
        steps += [*way.half, Keeps(Verdict.VIOLATED, settle), *speaks(bench, VIOLATION), *_held(bench)]
    steps += [*way.back, Becomes(Verdict.OK, settle + way.slow), *let_go(bench, tripped=bench.is_critical)]
    return Case(way.title, tuple(steps), {**bench.rest, **way.start})


def _ended_by_its_trip(bench: Bench, settle: float) -> list[Step]:
    """Return the steps of a violation that the safe state takes away: it stays latched all the same."""
    return [
        Becomes(Verdict.VIOLATED, settle, passing=True),
        Trips(Verdict.VIOLATED, bench.constraint.on_delay, 3 * bench.period),
        *written(bench),
        *speaks(bench, HALTED),
        Becomes(Verdict.OK, settle),
        *let_go(bench, tripped=True),
    ]


def _tripped(bench: Bench, cause: Verdict, after: float) -> list[Step]:
    if bench.is_critical:
        return trips(bench, cause, after)
    return [Pass(SOME), Latched(latched=False)]


def _held(bench: Bench) -> list[Step]:
    return [Latched(latched=True), Resets("cause_present")] if bench.is_critical else []
