"""The evaluation loop on virtual time: on time, on every batch, and honest when it is late."""

import asyncio
from collections.abc import Awaitable, Callable

from drivers.values import Sample, Seconds
from gateway.control.guard import ConstraintState, Guard
from gateway.control.world import PlantWorld
from gateway.counters import Counters
from gateway.safety.gate import Gate
from gateway.safety.kinds.threshold import Threshold
from gateway.safety.verdict import SafetyLevel, Verdict
from gateway.tags.image import Answer, ProcessImage
from gateway.tags.tag import Tag, TagSettings
from tests.virtual_time import VirtualClock, VirtualLoop, run_virtual


class Rig:
    """A guard over one tag, `boiler.steam`, limited to 580."""

    def __init__(self, level: SafetyLevel) -> None:
        clock = VirtualClock()
        self.tag = Tag(0, "boiler", "steam", TagSettings(), Seconds(3))
        self.image = ProcessImage([self.tag], clock)
        (self.block,) = self.image.regroup("boiler", [[self.tag]])
        limit = Threshold(name="limit", level=level, tag="boiler.steam", max=580)
        self.counters = Counters()
        self.beats = 0
        self.guard = Guard(
            Gate([limit], PlantWorld(self.image), clock.monotonic),
            self.image,
            0.1,
            clock,
            self.counters.guard,
            self.counters.loop_lag,
            self.beat,
        )
        self.told: list[ConstraintState] = []
        self.guard.listen(self.told.append)

    def beat(self) -> None:
        self.beats += 1

    def steam(self, *value: float) -> None:
        now = asyncio.get_running_loop().time()
        self.image.receive("boiler", [Answer(self.block, now, [(self.tag, Sample(each)) for each in value])])

    @property
    def last(self) -> tuple[Verdict, str, float | None]:
        return self.told[-1].verdict, self.told[-1].reason, self.told[-1].value


def play(story: Callable[[Rig], Awaitable[None]], level: SafetyLevel = SafetyLevel.CRITICAL) -> None:
    async def main() -> None:
        rig = Rig(level)
        loop = asyncio.create_task(rig.guard.run())
        await story(rig)
        loop.cancel()
        await asyncio.gather(loop, return_exceptions=True)

    run_virtual(main())


def test_who_listens_is_told_at_once_how_things_stand() -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(0)
        assert rig.last == (Verdict.UNKNOWN, "no_data", None)

    play(story)


def test_a_violation_is_told_in_the_step_that_brought_the_sample() -> None:
    async def story(rig: Rig) -> None:
        await rig.guard.evaluated.wait()
        rig.steam(400.0)
        assert rig.last == (Verdict.OK, "", 400.0)
        rig.steam(600.0)
        assert rig.last == (Verdict.VIOLATED, "above_max", 600.0)
        assert rig.counters.guard.violations == {"limit": 1}

    play(story, SafetyLevel.HIGH)


def test_what_a_trip_sets_off_begins_in_its_step_and_it_is_told_a_turn_later() -> None:
    async def story(rig: Rig) -> None:
        order: list[str] = []
        await rig.guard.evaluated.wait()

        def trip(*_: object) -> None:
            order.append("tripped")
            asyncio.get_running_loop().call_soon(order.append, "the turn in which frames go")

        rig.guard.on_trip(trip)
        rig.steam(400.0)
        rig.guard.listen(lambda state: order.append(f"told of {state.verdict.value}, latched: {state.latched}"))
        rig.steam(600.0)
        assert order == ["told of ok, latched: False", "tripped"]
        await asyncio.sleep(0)
        assert order[2:4] == ["the turn in which frames go", "told of violated, latched: True"]
        assert rig.counters.guard.violations == {"limit": 1}

    play(story)


def test_a_source_that_falls_silent_is_noticed_within_a_period() -> None:
    async def story(rig: Rig) -> None:
        rig.steam(400.0)
        await asyncio.sleep(2.99)
        assert rig.last[0] is Verdict.OK
        await asyncio.sleep(0.12)
        assert rig.last == (Verdict.UNKNOWN, "stale", None)

    play(story)


def test_a_value_that_moves_within_its_limits_is_told_once_a_second() -> None:
    async def story(rig: Rig) -> None:
        for step in range(100):
            rig.steam(400.0 + step)
            await asyncio.sleep(0.1)
        assert 9 <= len(rig.told) <= 13
        assert rig.told[-1].since == rig.told[2].since

    play(story)


def test_it_evaluates_every_period_without_any_batch() -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(10.05)
        assert rig.counters.guard.evaluations == 101
        assert rig.beats == 101
        assert rig.counters.guard.late == 0

    play(story)


def test_an_evaluation_that_comes_late_is_counted_and_feeds_no_watchdog() -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(1.05)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.stall(0.5)
        await asyncio.sleep(1.0)
        assert rig.counters.guard.late == 1
        assert rig.beats == rig.counters.guard.evaluations - 1
        assert rig.counters.loop_lag.total > 0.4

    play(story)


def test_while_the_evaluation_is_late_nothing_is_said_to_be_ok() -> None:
    async def story(rig: Rig) -> None:
        await rig.guard.evaluated.wait()
        rig.steam(400.0)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.stall(0.29)
        assert [state.verdict for state in rig.guard.states()] == [Verdict.OK]
        loop.stall(0.1)
        assert [(state.verdict, state.reason, state.value) for state in rig.guard.states()] == [
            (Verdict.UNKNOWN, "late", None)
        ]
        await asyncio.sleep(0.1)
        assert [state.verdict for state in rig.guard.states()] == [Verdict.OK]

    play(story)
