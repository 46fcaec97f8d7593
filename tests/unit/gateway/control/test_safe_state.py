"""Safe states on virtual time: out at once, again until they are there, and nothing else in their way."""

import asyncio

import pytest

from drivers.errors import DeviceFault
from drivers.values import Sample, Seconds
from gateway.control.safe_permit import check_range
from gateway.endpoints.fair_queue import Priority
from gateway.endpoints.settings import DeviceSettings
from gateway.safety.breaker import Breaker
from gateway.safety.constraint import SafeWrite
from gateway.safety.operation import Operation, Write
from gateway.safety.permit import PermitRefused
from gateway.tags.tag import Tag, TagSettings
from tests.permits import Permit
from tests.unit.gateway.control.tripping import (
    BURNER,
    SETPOINT,
    SPEED,
    STEAM,
    TRIP_VALVE,
    VALVE,
    Gateway,
    Site,
    play,
    run,
    running,
    speed,
    steam,
)

TWO = {VALVE: 0.0, BURNER: False}


async def trip(gateway: Gateway) -> None:
    gateway.site.turn(STEAM, 600.0)
    await gateway.until(lambda: gateway.live().latch.is_latched)


async def confirmed(gateway: Gateway, name: str = "steam") -> None:
    await gateway.until(lambda: gateway.safe_states.progress(name) == "confirmed")


# At the trip


def test_a_trip_brings_its_outputs_to_their_safe_values_and_reads_them_back() -> None:
    async def story(gateway: Gateway) -> None:
        await trip(gateway)
        assert gateway.safe_states.progress("steam") == "pending"
        await confirmed(gateway)
        assert gateway.site.frames() == [("valve", 0.0), ("burner", False)]
        assert gateway.counters.control.trips == {"steam": 1}
        assert gateway.counters.control.frames == {"boiler": 2}
        assert gateway.events == ["tripped", "safe_state_confirmed"]
        assert gateway.shown[-1].safe_state == "confirmed"
        assert gateway.world.last_write(BURNER) > 0

    run(story, constraints=[steam(on_trip=TWO)])


def test_the_first_frame_leaves_within_the_turn_of_the_lane() -> None:
    async def story(gateway: Gateway) -> None:
        await trip(gateway)
        await confirmed(gateway)
        reaction = gateway.counters.control.trip_reaction
        assert sum(reaction.counts) == 1
        assert reaction.total <= gateway.site.latency

    run(story)


def test_its_frames_go_before_all_that_waits_behind_the_request_in_flight() -> None:
    async def story(gateway: Gateway) -> None:
        site, outlet = gateway.site, gateway.outlets["boiler"]
        setpoint = gateway.image.find(SETPOINT)
        assert setpoint is not None
        writes = [
            asyncio.create_task(outlet.write(setpoint, float(each), Permit(), Priority.WRITE)) for each in range(5)
        ]
        site.plant("boiler").latency = 0.2
        await gateway.until(lambda: len(site.frames()) == 1)
        gateway.image.put(gateway.image.tags[0], type(gateway.image.behind_bar(gateway.image.tags[0], 0))(600.0))
        assert gateway.live().latch.is_latched
        await asyncio.gather(*writes)
        await confirmed(gateway)
        assert site.frames()[:3] == [("setpoint", 0.0), ("valve", 0.0), ("burner", False)]
        assert len(site.frames()) == 7

    run(story, constraints=[steam(on_trip=TWO)])


def see_steam(gateway: Gateway, value: float) -> None:
    gateway.image.put(gateway.image.tags[0], Sample(value))


def write_setpoints(gateway: Gateway, number: int) -> list[asyncio.Task[None]]:
    outlet, setpoint = gateway.outlets["boiler"], gateway.image.find(SETPOINT)
    assert setpoint is not None
    return [
        asyncio.create_task(outlet.write(setpoint, float(each), Permit(), Priority.WRITE)) for each in range(number)
    ]


def test_its_frames_are_queued_in_the_very_step_of_the_trip() -> None:
    async def story(gateway: Gateway) -> None:
        gateway.site.plant("boiler").latency = 0.2
        writes = write_setpoints(gateway, 3)
        await gateway.until(lambda: len(gateway.site.frames()) == 1)
        way = gateway.outlets["boiler"]._way
        assert way is not None
        waiting = len(way.lane._queue)
        see_steam(gateway, 600.0)
        assert len(way.lane._queue) == waiting + 2
        await asyncio.gather(*writes)
        await confirmed(gateway)

    run(story, constraints=[steam(on_trip=TWO)])


@pytest.mark.parametrize("turns", range(12), ids=str)
def test_whenever_it_trips_its_frames_are_the_next_on_the_wire(turns: int) -> None:
    async def story(gateway: Gateway) -> None:
        gateway.site.plant("boiler").latency = 0.0
        writes = write_setpoints(gateway, 20)
        for _ in range(turns):
            await asyncio.sleep(0)
        before = len(gateway.site.frames())
        see_steam(gateway, 600.0)
        await asyncio.gather(*writes)
        await confirmed(gateway)
        assert before < 20
        assert gateway.site.frames()[before : before + 2] == [("valve", 0.0), ("burner", False)]

    run(story, constraints=[steam(on_trip=TWO)])


def test_its_record_and_what_is_told_follow_in_the_next_turn() -> None:
    async def story(gateway: Gateway) -> None:
        see_steam(gateway, 600.0)
        assert gateway.live().latch.is_latched
        assert gateway.safe_states.progress("steam") == "pending"
        assert not gateway.events
        await asyncio.sleep(0)
        assert gateway.site.frames() == [("burner", False)]
        assert gateway.events == ["tripped"]
        assert "steam" in gateway.trips.names

    run(story)


def test_a_stop_in_the_very_step_of_a_trip_leaves_nothing_behind() -> None:
    async def story(gateway: Gateway) -> None:
        gateway.site.plant("boiler").latency = 0.2
        writes = write_setpoints(gateway, 1)
        await gateway.until(lambda: len(gateway.site.frames()) == 1)
        see_steam(gateway, 600.0)
        await asyncio.gather(*(output.close() for output in gateway.safe_states._outputs.values()))
        await asyncio.gather(*writes)
        await asyncio.sleep(1)
        assert gateway.site.frames() == [("setpoint", 0.0)]

    run(story)


def test_the_lanes_of_two_devices_do_not_wait_for_each_other() -> None:
    async def story(gateway: Gateway) -> None:
        gateway.site.plant("boiler").mute = {1}
        await trip(gateway)
        await gateway.until(lambda: bool(gateway.site.frames("turbine")), 0.5)
        assert gateway.site.value(TRIP_VALVE) is True

    run(story, constraints=[steam(on_trip={BURNER: False, TRIP_VALVE: True})])


def test_what_is_to_be_written_later_is_written_later() -> None:
    async def story(gateway: Gateway) -> None:
        await trip(gateway)
        await asyncio.sleep(1.9)
        assert gateway.site.frames() == [("valve", 0.0)]
        assert gateway.safe_states.progress("steam") == "pending"
        await asyncio.sleep(0.2)
        await confirmed(gateway)
        assert gateway.site.frames() == [("valve", 0.0), ("burner", False)]
        assert gateway.counters.control.trip_reaction.total <= 0.1

    run(story, constraints=[steam(on_trip={BURNER: SafeWrite(value=False, after=Seconds(2)), VALVE: 0.0})])


def test_two_trips_share_a_write() -> None:
    async def story(gateway: Gateway) -> None:
        await trip(gateway)
        await confirmed(gateway, "hot")
        await confirmed(gateway)
        assert gateway.site.frames() == [("burner", False)]
        assert sum(gateway.counters.control.trip_reaction.counts) == 2

    run(story, constraints=[steam(), steam(name="hot", max=590.0)])


def test_a_later_trip_writes_again_what_an_earlier_one_had_written() -> None:
    async def story(gateway: Gateway) -> None:
        await trip(gateway)
        await confirmed(gateway)
        gateway.site.turn(SPEED, 4000.0)
        await confirmed(gateway, "speed")
        assert gateway.site.frames() == [("burner", False)] * 2

    run(story, constraints=[steam(), speed(on_trip={BURNER: False})])


# Exempt, and bound


def test_an_open_breaker_a_halt_and_a_doubt_do_not_hold_it_up() -> None:
    async def story(gateway: Gateway) -> None:
        breaker = gateway.gate.breakers["boiler"] = Breaker(failure_threshold=1)
        breaker.fail(gateway.clock.monotonic())
        await trip(gateway)
        await confirmed(gateway)
        denied = gateway.gate.judge(Operation("me", (Write(SETPOINT, 1.0),)), gateway.clock.monotonic())
        assert [finding.code for finding in denied.refusals][:2] == ["halted", "circuit_open"]

    run(story)


def test_a_device_that_is_another_is_never_written() -> None:
    async def story(gateway: Gateway) -> None:
        gateway.site.turn(SETPOINT, 451.0)
        await gateway.until(lambda: gateway.devices["boiler"].state.reason == "fingerprint_mismatch")
        gateway.site.turn(SPEED, 4000.0)
        await asyncio.sleep(11)
        assert gateway.site.frames() == []
        assert gateway.safe_states.progress("speed") == "failed"
        gateway.site.turn(SETPOINT, 450.0)
        await confirmed(gateway, "speed")

    keys = DeviceSettings(scan=Seconds(0.5), fingerprint={"setpoint": 450.0})
    run(story, constraints=[speed(on_trip={BURNER: False})], devices={"boiler": keys})


def test_a_device_that_has_not_shown_its_fingerprint_yet_is_not_written() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            site.plant("boiler").cut()
            await trip_by_speed(gateway)
            site.turn(SETPOINT, 1.0)
            site.plant("boiler").reachable = True
            await asyncio.sleep(15)
            assert site.frames() == []

    async def trip_by_speed(gateway: Gateway) -> None:
        gateway.site.turn(SPEED, 4000.0)
        await gateway.until(lambda: gateway.live("speed").latch.is_latched)

    keys = DeviceSettings(scan=Seconds(0.5), fingerprint={"setpoint": 450.0})
    play(story, constraints=[speed(on_trip={BURNER: False})], devices={"boiler": keys})


@pytest.mark.parametrize(
    ("value", "limits"), [(101.0, (0.0, 100.0)), (-0.1, (0.0, 100.0)), (float("nan"), None), (True, (0.0, 1.0))],
    ids=["above", "below", "nan", "a bool in a range"],
)  # fmt: skip
def test_a_value_beyond_its_range_gets_no_leave(value: float, limits: tuple[float, float] | None) -> None:
    with pytest.raises(PermitRefused, match="not within its range"):
        check_range(Tag(0, "boiler", "valve", TagSettings(range=limits, writable=True), Seconds(3)), value)


def test_values_within_their_range_pass() -> None:
    for value, limits in ((100.0, (0.0, 100.0)), (False, None), ("off", None), (7, None)):
        check_range(Tag(0, "boiler", "valve", TagSettings(range=limits, writable=True), Seconds(3)), value)


def test_a_value_that_the_device_cannot_hold_has_failed_and_the_others_are_written() -> None:
    async def story(gateway: Gateway) -> None:
        await trip(gateway)
        await gateway.until(lambda: gateway.safe_states.progress("steam") == "failed", 1)
        await gateway.until(lambda: gateway.site.frames() == [("burner", False)], 1)

    run(story, constraints=[steam(on_trip={VALVE: "shut", BURNER: False})])


def test_a_device_without_a_way_out_has_failed_at_once() -> None:
    async def story(gateway: Gateway) -> None:
        await trip(gateway)
        assert gateway.safe_states.progress("steam") == "failed"
        await asyncio.sleep(5)
        assert gateway.site.frames() == []
        assert gateway.events == ["tripped", "safe_state_failed"]

    run(story, written={"boiler": False, "turbine": True})


# Again until it is there


def test_a_device_that_is_down_at_the_trip_is_written_as_soon_as_it_is_back() -> None:
    async def story(gateway: Gateway) -> None:
        gateway.site.plant("boiler").cut()
        gateway.site.turn(SPEED, 4000.0)
        await gateway.until(lambda: gateway.live("speed").latch.is_latched)
        await asyncio.sleep(9)
        assert gateway.safe_states.progress("speed") == "pending"
        await asyncio.sleep(2)
        assert gateway.safe_states.progress("speed") == "failed"
        gateway.site.plant("boiler").reachable = True
        await gateway.until(lambda: gateway.outlets["boiler"].generation is not None)
        await asyncio.sleep(0.1)
        assert gateway.site.frames() == [("valve", 0.0), ("burner", False)]
        assert gateway.safe_states.progress("speed") == "confirmed"

    run(story, constraints=[speed(on_trip=TWO)])


def test_a_frame_without_an_answer_is_read_and_then_repeated() -> None:
    async def story(gateway: Gateway) -> None:
        far = gateway.site.plant("boiler")
        far.silent = {1}
        gateway.site.turn(SPEED, 4000.0)
        await gateway.until(lambda: len(far.frames) >= 2)
        assert gateway.site.value(BURNER) is True
        far.silent = set()
        await confirmed(gateway, "speed")
        assert gateway.site.value(BURNER) is False

    run(story, constraints=[speed(on_trip={BURNER: False})])


def test_a_device_that_obeys_and_never_says_so_is_confirmed_by_reading() -> None:
    async def story(gateway: Gateway) -> None:
        gateway.site.plant("boiler").mute = {1}
        await trip(gateway)
        await confirmed(gateway)
        assert gateway.site.frames() == [("burner", False)]

    run(story)


def test_a_device_that_says_no_has_failed_and_is_asked_again_ever_less_often() -> None:
    async def story(gateway: Gateway) -> None:
        far = gateway.site.plant("boiler")
        far.refusal = DeviceFault("exception_4", "in local mode")
        await trip(gateway)
        await gateway.until(lambda: gateway.safe_states.progress("steam") == "failed", 1)
        await asyncio.sleep(60)
        assert 20 <= len(far.frames) <= 70
        far.refusal = None
        await confirmed(gateway)
        assert gateway.events == ["tripped", "safe_state_failed", "safe_state_confirmed"]

    run(story)


def test_a_device_that_takes_another_value_is_written_until_it_takes_the_right_one() -> None:
    async def story(gateway: Gateway) -> None:
        far = gateway.site.plant("boiler")
        far.takes = lambda address, value: True if address == "burner" else value
        await trip(gateway)
        await asyncio.sleep(11)
        assert gateway.safe_states.progress("steam") == "failed"
        far.takes = lambda _, value: value
        await confirmed(gateway)

    run(story)


def test_a_tag_without_readback_is_confirmed_by_the_answer() -> None:
    async def story(gateway: Gateway) -> None:
        gateway.site.plant("boiler").takes = lambda address, value: True if address == "burner" else value
        await trip(gateway)
        await confirmed(gateway)
        assert gateway.site.frames() == [("burner", False)]

    run(story, tags={BURNER: TagSettings(writable=True, readback="none")})


def test_a_tag_with_readback_elsewhere_is_confirmed_there() -> None:
    async def story(gateway: Gateway) -> None:
        await trip(gateway)
        await asyncio.sleep(1)
        assert gateway.safe_states.progress("steam") == "pending"
        gateway.site.turn(VALVE, 0.0)
        await confirmed(gateway)
        gateway.site.turn(VALVE, 0.5)
        await gateway.until(lambda: gateway.safe_states.progress("steam") == "deviated")

    tags = {SETPOINT: TagSettings(writable=True, readback=VALVE), VALVE: TagSettings()}
    run(story, constraints=[steam(on_trip={SETPOINT: 0.0})], tags=tags)


def test_trouble_in_who_listens_ends_no_repetition(caplog: pytest.LogCaptureFixture) -> None:
    async def story(gateway: Gateway) -> None:
        def raising(_: object) -> None:
            raise ZeroDivisionError

        await trip(gateway)
        gateway.guard._listeners.append(raising)
        await gateway.until(lambda: gateway.site.value(BURNER) is False)
        await confirmed(gateway)
        gateway.guard._listeners.remove(raising)
        assert "listener_failed" in caplog.text

    run(story)


# Once confirmed


def test_a_later_deviation_alarms_and_is_not_written_over() -> None:
    async def story(gateway: Gateway) -> None:
        await trip(gateway)
        await confirmed(gateway)
        gateway.site.turn(BURNER, value=True)
        await gateway.until(lambda: gateway.safe_states.progress("steam") == "deviated", 2)
        await asyncio.sleep(5)
        assert gateway.site.frames() == [("burner", False)]
        gateway.site.turn(BURNER, value=False)
        await gateway.until(lambda: gateway.safe_states.progress("steam") == "confirmed", 2)
        assert gateway.events == ["tripped", "safe_state_confirmed", "safe_state_deviated", "safe_state_confirmed"]

    run(story)


def test_what_is_to_be_held_is_written_again_but_not_in_a_flood() -> None:
    async def story(gateway: Gateway) -> None:
        await trip(gateway)
        await confirmed(gateway)
        gateway.site.turn(BURNER, value=True)
        await gateway.until(lambda: gateway.site.value(BURNER) is False, 3)
        await confirmed(gateway)
        before = len(gateway.site.frames())
        for _ in range(100):
            gateway.site.turn(BURNER, value=True)
            await asyncio.sleep(0.1)
        assert 2 <= len(gateway.site.frames()) - before <= 10
        assert "safe_state_deviated" in gateway.events

    run(story, constraints=[steam(on_trip={BURNER: SafeWrite(value=False, hold=True)})])


def test_a_deviation_that_no_changed_sample_shows_is_found_all_the_same() -> None:
    async def story(gateway: Gateway) -> None:
        far = gateway.site.plant("boiler")
        await trip(gateway)
        await gateway.until(lambda: gateway.site.value(BURNER) is False)
        far.asked = lambda _, what: gateway.site.turn(BURNER, value=False) if what == "read" else None
        await confirmed(gateway)
        far.asked = lambda *_: None
        gateway.site.turn(BURNER, value=True)
        await gateway.until(lambda: gateway.safe_states.progress("steam") == "deviated", 2)

    run(story)


# After a reset


def test_after_a_reset_nothing_is_repeated() -> None:
    async def story(gateway: Gateway) -> None:
        far = gateway.site.plant("boiler")
        far.refusal = DeviceFault("exception_4", "in local mode")
        await trip(gateway)
        gateway.site.turn(STEAM, 400.0)
        await asyncio.sleep(5)
        assert (await gateway.command("reset", name="steam")).outcome == "applied"
        assert gateway.safe_states.progress("steam") == ""
        before = len(far.frames)
        far.cut(reachable=True)
        await asyncio.sleep(20)
        assert len(far.frames) == before

    run(story)


def test_a_frame_that_waits_for_its_turn_at_the_reset_does_not_leave() -> None:
    async def story(gateway: Gateway) -> None:
        gateway.site.plant("boiler").latency = 0.5
        await trip(gateway)
        await gateway.until(lambda: len(gateway.site.frames()) == 1)
        gateway.live().latch.force(gateway.clock.monotonic())
        gateway.safe_states.end("steam")
        await asyncio.sleep(4)
        assert gateway.site.frames() == [("valve", 0.0)]

    run(story, constraints=[steam(on_trip=TWO, on_delay=Seconds(5))])


def test_a_trip_right_after_a_reset_gets_frames_of_its_own() -> None:
    async def story(gateway: Gateway) -> None:
        await trip(gateway)
        await gateway.until(lambda: len(gateway.site.frames()) == 1)
        live, now = gateway.live(), gateway.clock.monotonic()
        live.latch.force(now)
        gateway.safe_states.end("steam")
        assert live.latch.judge(live.judgement.verdict, now)
        gateway.safe_states.begin([live], now)
        assert gateway.safe_states.progress("steam") == "pending"
        await confirmed(gateway)
        assert gateway.site.frames() == [("burner", False)] * 2

    run(story)


# After a restart


async def tripped_before(site: Site, *, wait: bool) -> None:
    """Let a first run trip, and end before or after its safe state is confirmed."""
    if not wait:
        site.plant("boiler").mute = {1}
        site.plant("boiler").takes = lambda address, value: True if address == "burner" else value
    async with running(site) as gateway:
        await trip(gateway)
        if wait:
            await confirmed(gateway)
        await asyncio.sleep(0.5)
    site.plant("boiler").mute = set()
    site.plant("boiler").takes = lambda _, value: value
    site.plant("boiler").frames.clear()
    site.turn(BURNER, value=True)


def test_a_safe_state_that_was_never_confirmed_is_written_after_a_restart() -> None:
    async def story(site: Site) -> None:
        await tripped_before(site, wait=False)
        site.turn(STEAM, 400.0)
        async with running(site) as gateway:
            assert gateway.gate.is_halted
            await confirmed(gateway)
            assert ("burner", False) in site.frames()

    play(story)


def test_one_that_was_confirmed_is_not_written_if_the_cause_is_gone_and_its_deviation_alarms() -> None:
    async def story(site: Site) -> None:
        await tripped_before(site, wait=True)
        site.turn(STEAM, 400.0)
        async with running(site) as gateway:
            await asyncio.sleep(5)
            assert site.frames() == []
            assert gateway.gate.is_halted
            assert gateway.safe_states.progress("steam") == "deviated"

    play(story)


def test_one_that_was_confirmed_is_written_if_the_cause_is_there() -> None:
    async def story(site: Site) -> None:
        await tripped_before(site, wait=True)
        async with running(site) as gateway:
            await gateway.until(lambda: site.value(BURNER) is False, 5)
            await confirmed(gateway)
            assert gateway.counters.control.trips == {}

    play(story)


def test_while_the_cause_is_not_known_nothing_is_written() -> None:
    async def story(site: Site) -> None:
        await tripped_before(site, wait=True)
        site.turn(STEAM, "what?")
        async with running(site) as gateway:
            await asyncio.sleep(5)
            assert site.frames() == []
            site.turn(STEAM, 600.0)
            await gateway.until(lambda: site.value(BURNER) is False, 5)

    play(story)


def test_what_is_to_be_held_is_held_after_a_restart_only_from_when_it_was_seen() -> None:
    async def story(site: Site) -> None:
        await tripped_before(site, wait=True)
        site.turn(STEAM, 400.0)
        async with running(site):
            await asyncio.sleep(5)
            assert site.frames() == []
            site.turn(BURNER, value=False)
            await asyncio.sleep(1)
            site.turn(BURNER, value=True)
            await asyncio.sleep(3)
            assert site.frames() == [("burner", False)]

    play(story, constraints=[steam(on_trip={BURNER: SafeWrite(value=False, hold=True)})])


def test_an_earlier_demand_of_another_trip_goes_before_a_later_one() -> None:
    async def story(gateway: Gateway) -> None:
        await trip(gateway)
        gateway.site.turn(SPEED, 4000.0)
        await confirmed(gateway, "speed")
        assert gateway.clock.monotonic() < 1005
        assert gateway.site.frames() == [("burner", False)]

    late = {BURNER: SafeWrite(value=False, after=Seconds(30))}
    run(story, constraints=[steam(on_trip=late), speed(on_trip={BURNER: False})])


def test_a_silent_device_costs_its_wire_a_fifth_and_is_written_as_soon_as_it_is_heard() -> None:
    async def story(gateway: Gateway) -> None:
        far = gateway.site.plant("boiler")
        far.silent = {1}
        gateway.site.turn(SPEED, 4000.0)
        await asyncio.sleep(2)
        before = len(far.frames)
        await asyncio.sleep(100)
        assert 10 <= len(far.frames) - before <= 20
        far.silent = set()
        await gateway.until(lambda: gateway.outlets["boiler"].device.state.connected, 10)
        await gateway.until(lambda: gateway.safe_states.progress("speed") == "confirmed", 0.5)

    run(story, constraints=[speed(on_trip={BURNER: False})])


def test_a_defect_on_the_way_ends_no_repetition(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(gateway: Gateway) -> None:
        def raising(*_: object) -> float:
            raise ZeroDivisionError

        with monkeypatch.context() as broken:
            broken.setattr(gateway.outlets["boiler"], "encode", raising)
            await trip(gateway)
            await gateway.until(lambda: gateway.safe_states.progress("steam") == "failed", 1)
        await confirmed(gateway)

    run(story)
