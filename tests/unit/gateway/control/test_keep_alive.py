"""Values that are kept alive: read, then said again, until somebody or something speaks against it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from drivers.errors import DeviceFault
from drivers.values import Quality, Seconds
from gateway.audit.record import GATEWAY
from gateway.control.keep_alive import KeepAlives
from gateway.control.refusal import Refused
from gateway.control.reply import Outcome
from gateway.control.target import Targets
from gateway.safety.breaker import Breaker
from gateway.safety.constraint import Constraint, Setting
from gateway.safety.kinds.rate_limit import RateLimit
from gateway.safety.kinds.threshold import Threshold
from gateway.safety.kinds.timing import Timing
from gateway.safety.operation import Operation
from gateway.safety.verdict import SafetyLevel
from gateway.tags.tag import TagSettings
from tests.unit.gateway.control.plant_rig import HOT, WRITABLE, Cell, PlantRig, play

KEPT = TagSettings(writable=True, keep_alive=Seconds(10))
SETPOINT = "boiler.setpoint"
HIGH = SafetyLevel.HIGH


class Rig(PlantRig):
    def __init__(self, constraints: Sequence[Constraint] = (HOT,), *, halt_on_critical: bool = True) -> None:
        super().__init__(
            [Cell("setpoint", 450.0, KEPT), Cell("other", 1.0, WRITABLE)],
            constraints=constraints,
            halt_on_critical=halt_on_critical,
        )
        self.keep_alives = KeepAlives(
            self.targets, self.wishes, self.gate, self.sender, self.turns, self.log, self.clock, self.tell
        )
        self.guard.on_trip(self.keep_alives.tripped)

    async def set(self, value: Setting, principal: str = "operator", tag: str = SETPOINT, **keys: Any) -> Outcome:
        """Command a value, and have it kept alive as the arbiter does."""
        accepted, sent = await self.command(tag, value, principal, **keys)
        if sent.result.outcome is Outcome.APPLIED:
            self.keep_alives.applied(sent.target, accepted)
        return sent.result.outcome

    @property
    def said(self) -> int:
        """How often the setpoint was written."""
        return len(self.frames("setpoint"))

    @property
    def stops(self) -> list[str]:
        """The codes with which it was stopped, each with an alarm."""
        return [details["code"] for kind, what, details in self.told if (kind, what) == ("keep_alive", "stopped")]

    async def events(self) -> list[tuple[str, str | None]]:
        return [(each["event"], each.get("reason")) for each in await self.records()]


def tell(story: Callable[[Rig], Awaitable[None]], *constraints: Constraint, **options: Any) -> None:
    async def closed(rig: Rig) -> None:
        await story(rig)
        await rig.keep_alives.close()

    play(lambda: Rig(constraints or (HOT,), **options), closed)


async def stops_for_good(rig: Rig, *codes: str) -> None:
    """Check that it was stopped for these reasons, and that only a command starts it again."""
    assert rig.stops == list(codes)
    before = rig.said
    await asyncio.sleep(60)
    assert rig.said == before


def test_it_is_said_again_every_period() -> None:
    async def story(rig: Rig) -> None:
        assert await rig.set(460.0) is Outcome.APPLIED
        await asyncio.sleep(35)
        assert rig.frames("setpoint") == [460.0] * 4
        assert rig.told == []

    tell(story)


def test_a_tag_without_it_is_written_once() -> None:
    async def story(rig: Rig) -> None:
        await rig.set(2.0, tag="boiler.other")
        await asyncio.sleep(60)
        assert rig.frames("other") == [2.0]

    tell(story)


def test_where_control_has_been_taken_away_nothing_is_said() -> None:
    async def story(rig: Rig) -> None:
        dry = Targets(rig.image, rig.outlets, "dry_run")
        kept = KeepAlives(dry, rig.wishes, rig.gate, rig.sender, rig.turns, rig.log, rig.clock, rig.tell)
        accepted, sent = await rig.command(SETPOINT, 460.0)
        kept.applied(sent.target, accepted)
        await asyncio.sleep(15)
        await stops_for_good(rig, "forbidden")
        assert rig.said == 1

    tell(story)


def test_saying_it_again_is_no_command_to_say_it_again() -> None:
    async def story(rig: Rig) -> None:
        accepted, sent = await rig.command(SETPOINT, 460.0)
        rig.keep_alives.applied(sent.target, replace(accepted, is_reassert=True))
        await asyncio.sleep(60)
        assert rig.said == 1

    tell(story)


def test_at_the_start_nothing_is_said() -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(60)
        assert rig.said == 0

    tell(story)


def test_what_the_gateway_sets_for_nobody_is_not_kept() -> None:
    async def story(rig: Rig) -> None:
        await rig.set(460.0)
        rig.wishes.relinquish(SETPOINT, "operator")
        await rig.set(400.0, GATEWAY)
        await asyncio.sleep(60)
        assert rig.frames("setpoint") == [460.0, 400.0]
        assert await rig.events() == [("start", None), ("stop", "superseded")]

    tell(story)


def test_a_value_changed_by_somebody_else_stays_and_is_told_of() -> None:
    async def story(rig: Rig) -> None:
        await rig.set(460.0)
        await asyncio.sleep(25)
        rig.plants["boiler"].set("setpoint", 430.0)
        await asyncio.sleep(10)
        await stops_for_good(rig, "deviation")
        assert rig.cell("setpoint") == 430.0
        assert rig.said == 3
        events = await rig.events()
        assert [event for event, _ in events] == ["start", "deviation"]
        assert "it reads 430.0; somebody else has changed it" in str(events[1][1])
        assert await rig.set(470.0) is Outcome.APPLIED
        await asyncio.sleep(25)
        assert rig.frames("setpoint")[-3:] == [470.0] * 3

    tell(story)


def test_it_is_read_from_the_device_and_not_from_the_last_scan() -> None:
    async def story(rig: Rig) -> None:
        await rig.set(460.0)
        await asyncio.sleep(9.99)
        rig.plants["boiler"].set("setpoint", 430.0)
        await asyncio.sleep(0.1)
        assert rig.stops == ["deviation"]
        assert rig.cell("setpoint") == 430.0

    tell(story)


def test_a_device_that_cannot_be_read_is_written_no_more() -> None:
    async def story(rig: Rig) -> None:
        await rig.set(460.0)
        await asyncio.sleep(9.9)
        rig.plants["boiler"].set("setpoint", 460.0, Quality.BAD, "sensor_failure")
        await asyncio.sleep(1)
        await stops_for_good(rig, "device_down")

    tell(story)


def test_a_device_that_is_gone_is_not_waited_for() -> None:
    async def story(rig: Rig) -> None:
        await rig.set(460.0)
        await asyncio.sleep(5)
        rig.plants["boiler"].cut()
        await asyncio.sleep(6)
        rig.plants["boiler"].reachable = True
        await stops_for_good(rig, "device_down")
        assert rig.devices["boiler"].state.connected

    tell(story)


def test_a_denial_of_the_gate_stops_it() -> None:
    limit = Threshold(name="limit", level=HIGH, tag="boiler.steam", max=500)

    async def story(rig: Rig) -> None:
        await rig.set(460.0)
        await asyncio.sleep(15)
        rig.plants["boiler"].set("steam", 510.0)
        await asyncio.sleep(6)
        await stops_for_good(rig, "violation")
        assert rig.said == 2
        ((_, reason),) = [each for each in await rig.events() if each[0] == "stop"]
        assert reason is not None
        assert reason.startswith("violation: limit: above max")

    tell(story, limit)


def test_a_trip_stops_it_in_the_step_that_decides_it() -> None:
    async def story(rig: Rig) -> None:
        await rig.set(460.0)
        await asyncio.sleep(2)
        rig.plants["boiler"].set("steam", 600.0)
        await asyncio.sleep(0.6)
        assert rig.stops == ["halted"]
        rig.plants["boiler"].set("steam", 400.0)
        await asyncio.sleep(1)
        assert rig.gate.reset("hot", rig.clock.monotonic()) == ""
        await stops_for_good(rig, "halted")
        assert rig.said == 1

    tell(story)


def test_a_trip_elsewhere_does_not_where_it_does_not_halt_all() -> None:
    fast = Threshold(name="fast", level=SafetyLevel.CRITICAL, tag="turbine.speed", max=3600)

    async def story(rig: Rig) -> None:
        await rig.set(460.0)
        rig.plants["turbine"].set("speed", 4000)
        await asyncio.sleep(35)
        assert rig.gate.find("fast").latch.is_latched  # type: ignore[union-attr]  # there is one
        assert rig.said == 4

    tell(story, fast, halt_on_critical=False)


def test_an_open_breaker_stops_it() -> None:
    async def story(rig: Rig) -> None:
        rig.gate.breakers["boiler"] = breaker = Breaker(failure_threshold=1)
        await rig.set(460.0)
        breaker.fail(rig.clock.monotonic())
        await asyncio.sleep(11)
        await stops_for_good(rig, "circuit_open")

    tell(story)


def test_a_write_that_the_device_refuses_stops_it() -> None:
    async def story(rig: Rig) -> None:
        await rig.set(460.0)
        rig.plants["boiler"].refusal = DeviceFault("exception_2", "no such register")
        await asyncio.sleep(11)
        await stops_for_good(rig, "device_error")

    tell(story)


def test_it_uses_up_no_limit_and_needs_no_rest() -> None:
    calm = RateLimit(name="calm", level=HIGH, key="boiler", max=2, window=Seconds(3600))
    rest = Timing(name="rest", level=HIGH, tag=SETPOINT, min_interval=Seconds(15))

    async def story(rig: Rig) -> None:
        await rig.set(460.0)
        await asyncio.sleep(105)
        assert rig.said == 11
        assert await rig.set(470.0) is Outcome.APPLIED  # ten times said again, and the rest is over all the same
        assert await rig.set(480.0) is Outcome.REFUSED
        assert rig.stops == []

    tell(story, calm, rest)


def test_it_ends_with_its_wish_and_without_an_alarm() -> None:
    async def story(rig: Rig) -> None:
        await rig.set(460.0, hold=25.0)
        await asyncio.sleep(60)
        assert rig.said == 3
        assert rig.told == []
        assert await rig.events() == [("start", None), ("stop", "the wish has ended")]

    tell(story)


def test_it_ends_when_its_wish_is_taken_back() -> None:
    async def story(rig: Rig) -> None:
        await rig.set(460.0)
        await asyncio.sleep(15)
        assert rig.wishes.relinquish(SETPOINT, "operator")
        await asyncio.sleep(60)
        assert rig.said == 2
        assert rig.told == []
        assert await rig.events() == [("start", None), ("stop", "the wish has ended")]

    tell(story)


def test_a_wish_that_ends_while_the_device_is_read_is_not_said_again() -> None:
    async def story(rig: Rig) -> None:
        await rig.set(460.0)
        await asyncio.sleep(9.9)
        rig.plants["boiler"].latency = 1.0
        await asyncio.sleep(0.5)
        rig.wishes.relinquish(SETPOINT, "operator")
        await asyncio.sleep(10)
        assert rig.said == 1
        assert rig.told == []

    tell(story)


def test_what_follows_a_wish_that_ends_while_it_waits_for_its_turn_is_no_deviation() -> None:
    async def story(rig: Rig) -> None:
        await rig.set(460.0)
        async with rig.turns.turn("normal", {"boiler"}, rig.clock.monotonic() + 1, Operation("operator", ())):
            await asyncio.sleep(11)
            rig.wishes.relinquish(SETPOINT, "operator")
            rig.plants["boiler"].set("setpoint", 400.0)
        await asyncio.sleep(30)
        assert rig.said == 1
        assert rig.told == []

    tell(story)


def test_another_command_takes_its_place() -> None:
    async def story(rig: Rig) -> None:
        await rig.set(440.0, "night_setback")
        await asyncio.sleep(15)
        await rig.set(460.0)
        await asyncio.sleep(25)
        assert rig.frames("setpoint") == [440.0, 440.0, 460.0, 460.0, 460.0]
        records = await rig.records()
        assert [(each["event"], each["principal"]) for each in records] == [
            ("start", "night_setback"),
            ("stop", "night_setback"),
            ("start", "operator"),
        ]
        with pytest.raises(Refused, match="operator"):
            rig.wishes.check(SETPOINT, "night_setback", rig.clock.monotonic())

    tell(story)


def test_a_command_whose_effect_is_not_known_ends_what_was_kept_before_it() -> None:
    async def story(rig: Rig) -> None:
        await rig.set(460.0)
        rig.plants["boiler"].takes = lambda _address, _value: 460.0
        assert await rig.set(470.0) is Outcome.MISMATCH
        await asyncio.sleep(30)
        assert rig.frames("setpoint") == [460.0, 470.0]
        assert await rig.events() == [("start", None), ("stop", "superseded")]

    tell(story)


def test_its_turn_comes_after_those_of_commands_and_one_that_does_not_come_is_missed() -> None:
    async def story(rig: Rig) -> None:
        await rig.set(460.0)
        nothing = Operation("operator", ())
        async with rig.turns.turn("normal", {"boiler"}, rig.clock.monotonic() + 1, nothing):
            await asyncio.sleep(25)
            assert rig.said == 1
        await asyncio.sleep(10)
        assert rig.said >= 2
        assert rig.stops == []

    tell(story)


def test_a_trip_while_it_waits_for_its_turn_lets_nothing_out() -> None:
    async def story(rig: Rig) -> None:
        await rig.set(460.0)
        nothing = Operation("operator", ())
        async with rig.turns.turn("normal", {"boiler"}, rig.clock.monotonic() + 1, nothing):
            await asyncio.sleep(11)
            rig.plants["boiler"].set("steam", 600.0)
            await asyncio.sleep(1)
        await stops_for_good(rig, "halted")
        assert rig.said == 1

    tell(story)


def test_a_value_that_is_always_allowed_is_said_again_while_halted() -> None:
    trip = replace(HOT, on_trip={SETPOINT: 300.0})

    async def story(rig: Rig) -> None:
        rig.plants["boiler"].set("steam", 600.0)
        await asyncio.sleep(1)
        assert rig.gate.is_halted
        assert await rig.set(300.0) is Outcome.APPLIED
        await asyncio.sleep(25)
        assert rig.said == 3

    tell(story, trip)


def test_at_a_stop_it_ends_with_restart() -> None:
    async def story(rig: Rig) -> None:
        await rig.set(460.0)
        await asyncio.sleep(15)
        await rig.keep_alives.close()
        await asyncio.sleep(60)
        assert rig.said == 2
        assert await rig.events() == [("start", None), ("stop", "restart")]
        assert rig.told == []
        await rig.set(460.0)
        await asyncio.sleep(60)
        assert rig.said == 3

    tell(story)


def test_turns_that_are_closed_first_end_it_without_an_alarm() -> None:
    async def story(rig: Rig) -> None:
        await rig.set(460.0)
        rig.turns.close()
        await asyncio.sleep(15)
        assert rig.told == []
        assert await rig.events() == [("start", None), ("stop", "restart")]

    tell(story)
