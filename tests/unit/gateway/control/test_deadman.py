"""Beats of deadmen: on time or not at all, one at a time, and gone when a trip has brought its safe state."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest

from drivers.errors import DeviceFault
from drivers.values import Seconds
from gateway.control.beat_permit import BeatPermit
from gateway.control.beat_stops import BeatStops
from gateway.control.deadman import Deadmen
from gateway.control.target import Mode
from gateway.endpoints.settings import Deadman
from gateway.safety.constraint import Constraint, Setting
from gateway.safety.kinds.threshold import Threshold
from gateway.safety.operation import Write
from gateway.safety.permit import PermitRefused
from gateway.safety.verdict import SafetyLevel
from gateway.tags.tag import TagSettings
from tests.unit.gateway.control.plant_rig import HOT, WRITABLE, Cell, PlantRig, play

FAST = Threshold(name="fast", level=SafetyLevel.CRITICAL, tag="turbine.speed", max=3600)


class Rig(PlantRig):
    """A bool beats in the boiler, a counter in the turbine, once a second each."""

    def __init__(
        self,
        start: Setting = False,  # noqa: FBT002  (a value)
        settings: TagSettings = WRITABLE,
        constraints: Sequence[Constraint] = (HOT, FAST),
        mode: Mode = "on",
        boiler: dict[str, Any] | None = None,
        *,
        latched: Sequence[str] = (),
        halt_on_critical: bool = True,
    ) -> None:
        deadman = {"deadman": Deadman("beat", Seconds(1))}
        super().__init__(
            [Cell("beat", start, settings), Cell("setpoint", 450.0, WRITABLE)],
            [Cell("beat", 0, WRITABLE)],
            keys={"boiler": {**deadman, **(boiler or {})}, "turbine": deadman},
            constraints=constraints,
            halt_on_critical=halt_on_critical,
            mode=mode,
            latched=latched,
            beats=["boiler.beat", "turbine.beat"],
        )
        self.coming: set[tuple[str, str]] = set()
        """Safe states that are not confirmed yet, by constraint and device."""
        stops = BeatStops(
            self.gate,
            {name: [tag.path for tag in device.tags] for name, device in self.devices.items()},
            lambda name, device: (name, device) in self.coming,
        )
        self.deadmen = Deadmen(
            self.outlets,
            self.gate,
            stops,
            self.targets.mode,
            lambda: self.guard.is_on_time,
            self.log,
            self.clock,
            self.counters.control,
            self.tell,
        )
        self.guard.on_beat(self.deadmen.release)
        self.guard.on_trip(self._tripped)
        self.beats: list[float] = []
        """When the boiler was written to, monotonic."""
        self.plants["boiler"].asked = lambda _, what: (
            self.beats.append(self.clock.monotonic()) if what == "write" else None
        )

    def _tripped(self, tripped: Sequence[Any], now: float) -> None:
        del now
        self.coming |= {("hot", "boiler") for live in tripped if live.name == "hot"}

    def count(self, device: str = "boiler") -> int:
        return len(self.frames("beat", device))

    async def beats_within(self, seconds: float, device: str = "boiler") -> int:
        before = self.count(device)
        await asyncio.sleep(seconds)
        return self.count(device) - before

    def told_of(self, kind: str = "deadman") -> list[tuple[str, str]]:
        return [(what, details["tag"]) for each, what, details in self.told if each == kind]


def tell(story: Callable[[Rig], Awaitable[None]], **options: Any) -> None:
    async def closed(rig: Rig) -> None:
        await story(rig)
        await rig.deadmen.close()

    play(lambda: Rig(**options), closed)


def test_a_bool_turns_over_and_an_integer_counts_every_period() -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(9.2)
        assert rig.frames("beat") == [True, False] * 5
        assert rig.frames("beat", "turbine") == list(range(10))
        assert all(later - earlier == pytest.approx(1.0, abs=0.11) for earlier, later in pairwise(rig.beats))
        assert rig.counters.control.beats == {"boiler": 10, "turbine": 10}
        assert rig.counters.control.frames == {"boiler": 10, "turbine": 10}

    tell(story)


def test_nothing_beats_before_the_first_evaluation() -> None:
    async def story(rig: Rig) -> None:
        fresh = Rig()
        sessions = [asyncio.create_task(session.run()) for session in fresh.sessions]
        await asyncio.sleep(5)
        assert fresh.devices["boiler"].state.connected
        assert fresh.count() == 0
        for session, task in zip(fresh.sessions, sessions, strict=True):
            session.stop()
            task.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)

    tell(story)


def test_a_dead_guard_ends_them_and_one_that_waits_for_the_wire_is_not_sent() -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(2)
        rig.plants["boiler"].latency = 3.0  # the scan on the wire holds it for so long
        await asyncio.sleep(0.6)
        before = rig.count()
        await asyncio.sleep(0.7)  # in which a beat was released
        rig.guard_task.cancel()
        rig.plants["boiler"].latency = 0.0
        assert await rig.beats_within(60) == 0
        assert rig.count() == before
        assert await rig.beats_within(1, "turbine") == 0

    tell(story)


def test_a_late_evaluation_releases_none_and_the_next_on_time_does() -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(2)
        before, released = rig.counters.guard.evaluations, list[float]()
        rig.guard.on_beat(released.append)
        late = rig.counters.guard.late
        rig.stall(2.0)
        assert await rig.beats_within(1.5) == 2  # one at once, and none for those that were missed
        assert rig.counters.guard.late == late + 1
        assert len(released) == rig.counters.guard.evaluations - before - 1

    tell(story)


def test_a_long_pause_of_the_evaluation_is_on_record() -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(2)
        rig.stall(10.0)
        await asyncio.sleep(2.5)
        events = [
            (each["event"], each.get("reason")) for each in await rig.records() if each["tags"] == ["boiler.beat"]
        ]
        # Whatever else it brings (the samples are stale, too), that the beats had ended is told first.
        assert events[:2] == [("start", None), ("stop", "late")]
        assert events[-1][0] == "start"

    tell(story)


def test_one_is_in_flight_at_a_time_and_none_queue_up() -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(1)
        before = rig.count()
        rig.plants["boiler"].latency = 2.5  # scans and beats share the wire
        await asyncio.sleep(30)
        rig.plants["boiler"].latency = 0.0
        assert 4 <= rig.count() - before <= 8
        assert await rig.beats_within(5) <= 6
        said = rig.frames("beat")
        assert all(later is not earlier for earlier, later in pairwise(said))

    tell(story)


def test_one_that_failed_is_followed_by_the_next_at_its_time() -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(2)
        rig.plants["boiler"].refusal = DeviceFault("exception_4", "the device has a failure")
        assert await rig.beats_within(5) == 5
        rig.plants["boiler"].refusal = None
        assert await rig.beats_within(5) == 5
        assert rig.told_of().count(("failing", "boiler.beat")) == 1
        rig.plants["boiler"].refusal = DeviceFault("exception_4", "the device has a failure")
        await asyncio.sleep(5)
        assert rig.told_of().count(("failing", "boiler.beat")) == 2

    tell(story)


def test_what_did_not_leave_is_said_again() -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(2.1)
        rig.plants["boiler"].cut(reachable=True)
        await asyncio.sleep(5)
        said = rig.frames("beat")
        assert len(said) >= 5
        assert all(later is not earlier for earlier, later in pairwise(said))

    tell(story)


@pytest.mark.parametrize("mode", ["off", "dry_run"])
def test_there_are_none_without_control(mode: Mode) -> None:
    async def story(rig: Rig) -> None:
        assert await rig.beats_within(5) == 0
        assert rig.told == []

    tell(story, mode=mode)


def test_a_device_of_its_own_mode_has_none() -> None:
    async def story(rig: Rig) -> None:
        assert await rig.beats_within(5) == 0
        assert rig.count("turbine") == 6

    tell(story, boiler={"control": "dry_run"})


def test_another_device_than_the_configured_one_gets_none() -> None:
    async def story(rig: Rig) -> None:
        assert rig.devices["boiler"].state.reason == "fingerprint_mismatch"
        assert await rig.beats_within(5) == 0
        rig.plants["boiler"].set("setpoint", 7.0)
        assert await rig.beats_within(5) >= 4
        rig.plants["boiler"].set("setpoint", 8.0)
        await asyncio.sleep(0.6)
        assert await rig.beats_within(5) == 0
        records = [each for each in await rig.records() if each["tags"] == ["boiler.beat"]]
        assert [(each["event"], each.get("reason")) for each in records] == [
            ("start", None),
            ("stop", "fingerprint_mismatch"),
        ]

    tell(story, boiler={"fingerprint": {"setpoint": 7.0}})


def test_a_trip_ends_the_beats_of_all_once_its_safe_state_is_confirmed() -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(2)
        rig.plants["boiler"].set("steam", 600.0)
        await asyncio.sleep(0.6)
        assert rig.gate.is_halted
        assert await rig.beats_within(3) == 3  # it takes the safe state only while it hears them
        assert await rig.beats_within(1, "turbine") == 0  # of which the trip wants nothing
        rig.coming.clear()
        assert await rig.beats_within(10) == 0

    tell(story)


def test_a_trip_ends_them_after_five_seconds_whatever_became_of_its_safe_state() -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(2)
        rig.plants["boiler"].set("steam", 600.0)
        await asyncio.sleep(0.5)
        assert await rig.beats_within(20) in {4, 5, 6}
        assert await rig.beats_within(20) == 0
        last = [each for each in await rig.records() if each["tags"] == ["boiler.beat"]][-1]
        assert (last["event"], last["reason"]) == ("stop", "tripped: hot")

    tell(story)


def test_only_the_devices_in_its_scope_stop_where_a_trip_does_not_halt_all() -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(2)
        rig.plants["boiler"].set("steam", 600.0)
        await asyncio.sleep(0.6)
        rig.coming.clear()
        assert await rig.beats_within(10, "turbine") == 10
        assert await rig.beats_within(10) == 0

    tell(story, halt_on_critical=False)


def test_they_begin_again_when_nothing_is_latched_any_more() -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(2)
        rig.plants["boiler"].set("steam", 600.0)
        await asyncio.sleep(8)
        rig.plants["boiler"].set("steam", 400.0)
        assert await rig.beats_within(5) == 0
        assert rig.gate.reset("hot", rig.clock.monotonic()) == ""
        assert await rig.beats_within(5) == 5
        assert rig.told_of().count(("started", "boiler.beat")) == 2
        assert rig.told_of().count(("stopped", "boiler.beat")) == 1

    tell(story)


def test_a_device_that_comes_back_while_a_trip_is_in_force_hears_none() -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(2)
        rig.plants["boiler"].set("steam", 600.0)
        await asyncio.sleep(0.6)
        assert await rig.beats_within(1) == 1
        rig.plants["boiler"].cut(reachable=True)
        await asyncio.sleep(1)
        assert rig.devices["boiler"].state.connected
        assert await rig.beats_within(10) == 0

    tell(story)


def test_a_trip_that_is_remembered_from_before_the_start_lets_none_begin() -> None:
    async def story(rig: Rig) -> None:
        assert await rig.beats_within(10) == 0
        assert rig.gate.reset("hot", rig.clock.monotonic()) == ""
        assert await rig.beats_within(5) == 5

    tell(story, latched=["hot"])


def test_a_trip_of_which_nobody_knows_the_scope_stops_all() -> None:
    async def story(rig: Rig) -> None:
        assert await rig.beats_within(5, "turbine") == 0
        assert rig.gate.reset("renamed", rig.clock.monotonic()) == ""
        assert await rig.beats_within(5, "turbine") == 5

    tell(story, latched=["renamed"], halt_on_critical=False)


def test_starts_and_stops_are_recorded_and_not_each_beat() -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(60)
        await rig.deadmen.close()
        records = [each for each in await rig.records() if each["tags"] == ["boiler.beat"]]
        assert [(each["event"], each.get("reason")) for each in records] == [("start", None), ("stop", "stop")]
        assert all((each["kind"], each["principal"]) == ("keep_alive", "gateway") for each in records)
        assert sum(each["writes"] for each in records) == len(rig.beats)

    tell(story)


def test_nothing_beats_after_a_stop() -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(2)
        rig.plants["boiler"].latency = 1.5  # the scan on the wire holds the next beat for so long
        await asyncio.sleep(1.2)
        before = rig.count()
        await rig.deadmen.close()
        rig.plants["boiler"].latency = 0.0
        await asyncio.sleep(10)
        assert rig.count() == before

    tell(story)


@pytest.mark.parametrize(
    ("start", "settings", "why"),
    [
        (1.5, WRITABLE, "counts in an integer, and this is a float64"),
        (0, TagSettings(writable=True, scale=10.0), "a beat wants a tag without a scale"),
    ],
    ids=["float", "scaled"],
)
def test_a_tag_that_cannot_say_it_is_told_of_once(start: Setting, settings: TagSettings, why: str) -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(9.2)
        assert rig.count() <= 1
        (told,) = [details for kind, what, details in rig.told if (kind, what) == ("deadman", "failing")]
        assert why in told["why"]
        assert rig.count("turbine") == 10

    tell(story, start=start, settings=settings)


def test_the_permit_is_for_one_connection_and_for_tags_of_deadmen() -> None:
    async def story(rig: Rig) -> None:
        left: list[int] = []

        def permit(tag: str, generation: int) -> BeatPermit:
            write = Write(tag, value=True)
            return BeatPermit(write, generation, rig.gate, rig.clock, lambda _: "", lambda: left.append(1))

        with pytest.raises(PermitRefused, match="no beat while device_down"):
            permit("boiler.beat", 1).spend("boiler", "beat", True, 2)  # noqa: FBT003  (a value)
        with pytest.raises(PermitRefused, match="knows no deadman"):
            permit("boiler.burner", 1).spend("boiler", "burner", True, 1)  # noqa: FBT003
        with pytest.raises(PermitRefused, match="another frame"):
            permit("boiler.beat", 1).spend("boiler", "burner", True, 1)  # noqa: FBT003
        assert left == []
        permit("boiler.beat", 1).spend("boiler", "beat", True, 1)  # noqa: FBT003
        assert left == [1]

    tell(story)
