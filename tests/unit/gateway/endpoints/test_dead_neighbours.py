"""Units that share a wire, on virtual time: what a dead one costs those that live, counted exactly."""

import asyncio
from typing import Any

import pytest

from drivers.errors import DeviceFault
from drivers.memory import MemoryConnection
from drivers.values import Sample, bad
from tests.unit.gateway.endpoints.units import Units, play

TEN = tuple(range(3, 53, 5))
"""Ten of fifty units."""
LIVE = tuple(unit for unit in range(1, 51) if unit not in TEN)


@pytest.mark.parametrize("scan", [0.2, 0.5, 1.0, 10.0])
@pytest.mark.parametrize("dead", [1, 2])
def test_beside_a_unit_dead_from_the_start_the_live_one_keeps_its_scans(dead: int, scan: float) -> None:
    async def story(units: Units) -> None:
        began = units.clock.monotonic()
        await asyncio.sleep(300 * scan)
        live = 3 - dead
        assert units.longest_gap([live], began) <= 1.5 + 1e-9
        assert len(units.scans(live)) >= 0.99 * 300
        assert units.counters[live - 1].overruns == 0
        assert not units.scans(dead)
        assert units.sample(live) == Sample(float(live))
        assert units.sample(dead) == bad("timeout")
        assert units.device(dead).state.demoted

    play(story, units=2, dead=[dead], scan=scan)


@pytest.mark.parametrize("scan", [0.5, 1.0, 10.0])
def test_when_a_unit_dies_the_live_one_loses_no_scan(scan: float) -> None:
    async def story(units: Units) -> None:
        await asyncio.sleep(5.7 * scan)
        units.silence(2)
        began = units.clock.monotonic()
        await asyncio.sleep(300 * scan)
        assert units.longest_gap([1], began) <= 1.5 + 1e-9
        assert len(units.scans(1, began)) >= 300 - 1
        assert units.counters[0].overruns == 0
        assert units.told[-2:] == [("u2", "device_lost"), ("u2", "device_demoted")]
        assert len(units.told) == 4

    play(story, units=2, scan=scan)


def test_a_unit_that_dies_is_bad_within_one_scan_and_one_timeout() -> None:
    async def story(units: Units) -> None:
        await asyncio.sleep(5.7)
        units.silence(2)
        await asyncio.sleep(1.0 + 1 / 3 + 0.02)
        assert units.sample(2) == bad("timeout")
        assert units.device(2).state.reason == "timeout"
        assert not units.device(2).state.demoted

    play(story, units=2)


def test_a_dead_unit_costs_a_fifth_of_the_wire_at_first_and_ever_less() -> None:
    async def story(units: Units) -> None:
        await asyncio.sleep(600)
        times = units.probes(2)
        assert len(times) <= 5 + 600 / 30
        assert times[-1] - times[-2] == pytest.approx(30.0, abs=1.0)
        assert units.counters[1].probes == len(times)

    play(story, units=2, dead=[2])


def test_a_unit_that_comes_back_is_scanned_from_its_next_probe_on() -> None:
    async def story(units: Units) -> None:
        await asyncio.sleep(100)
        units.silence()
        await asyncio.sleep(30.1)
        assert units.sample(2) == Sample(2.0)
        assert units.device(2).state.connected
        assert units.told[-1] == ("u2", "device_returned")
        began = units.clock.monotonic()
        await asyncio.sleep(100)
        assert len(units.scans(2, began)) == 100
        assert not units.probes(2, began)

    play(story, units=2, dead=[2])


def test_one_lost_reply_costs_a_unit_one_scan_and_no_demotion() -> None:
    async def story(units: Units) -> None:
        await asyncio.sleep(10.2)
        units.silence(2)
        await asyncio.sleep(1.0)
        units.silence()
        began = units.clock.monotonic()
        await asyncio.sleep(1.0)
        assert units.sample(2) == Sample(2.0)
        assert len(units.scans(2, began)) == 1
        assert ("u2", "device_demoted") not in units.told

    play(story, units=2)


def test_of_fifty_units_ten_dead_ones_cost_the_others_nothing() -> None:
    async def story(units: Units) -> None:
        await asyncio.sleep(10)  # everybody was tried by then
        began = units.clock.monotonic()
        await asyncio.sleep(300)
        assert units.longest_gap(LIVE, began) <= 1.5
        for unit in LIVE:
            assert abs(len(units.scans(unit, began)) - 300) <= 1
            assert units.sample(unit) == Sample(float(unit))
        for unit in TEN:
            assert units.device(unit).state.demoted
            assert units.sample(unit) == bad("timeout")

    play(story, units=50, dead=TEN)


def test_at_the_start_ten_dead_of_fifty_delay_the_others_by_one_short_probe_each() -> None:
    async def story(units: Units) -> None:
        began = units.clock.monotonic()
        await asyncio.sleep(10)
        for unit in LIVE:
            scanned = units.scans(unit)
            assert scanned[0] - began <= 10 * 0.2 + 50 * 0.02
            assert units.longest_gap([unit], scanned[0]) <= 1.5

    play(story, units=50, dead=TEN)


@pytest.mark.parametrize("dying", [TEN, tuple(range(1, 11)), tuple(range(41, 51))])
def test_ten_of_fifty_that_die_at_once_cost_the_others_one_scan_at_most(dying: tuple[int, ...]) -> None:
    async def story(units: Units) -> None:
        await asyncio.sleep(10.0)
        units.silence(*dying)
        began = units.clock.monotonic()
        await asyncio.sleep(60)
        live = [unit for unit in range(1, 51) if unit not in dying]
        assert units.longest_gap(live, began) <= 2.0
        for unit in live:
            assert len(units.scans(unit, began)) >= 60 - 2
            assert units.sample(unit) == Sample(float(unit))
        for unit in dying:
            assert units.device(unit).state.demoted

    play(story, units=50)


def test_ten_that_die_at_once_are_bad_within_three_scans() -> None:
    async def story(units: Units) -> None:
        await asyncio.sleep(10.0)
        units.silence(*TEN)
        await asyncio.sleep(3.0)
        assert {units.sample(unit).reason for unit in TEN} <= {"timeout", "stale"}
        assert [unit for unit in LIVE if units.sample(unit) != Sample(float(unit))] == []

    play(story, units=50)


def test_a_live_unit_is_never_bad_because_another_one_died() -> None:
    async def story(units: Units) -> None:
        units.plant.latency = 0.08  # a slow serial line: an alarm must not take it for silence
        await asyncio.sleep(10.0)
        told = len(units.told)
        units.silence(2)
        await asyncio.sleep(30)
        assert {device for device, _ in units.told[told:]} == {"u2"}

    play(story, units=4)


def test_where_every_unit_is_silent_each_is_found_again_within_the_pause_of_a_reconnect() -> None:
    async def story(units: Units) -> None:
        await asyncio.sleep(300)
        units.silence()
        await asyncio.sleep(units.devices[0].settings.reconnect_max + 1.0)
        assert all(device.state.connected for device in units.devices)

    play(story, units=3, dead=[1, 2, 3])


def test_demotion_outlives_a_connection_and_a_new_one_tries_soon() -> None:
    async def story(units: Units) -> None:
        await asyncio.sleep(300)
        units.plant.cut(reachable=True)
        await asyncio.sleep(0.5)
        assert units.device(2).demotion.misses > 3
        assert units.sample(1) == Sample(1.0)
        units.silence()
        await asyncio.sleep(1.5)
        assert units.sample(2) == Sample(2.0)

    play(story, units=2, dead=[2])


def test_a_unit_that_refuses_lives_and_is_not_demoted() -> None:
    async def story(units: Units) -> None:
        units.plant.fault = DeviceFault("exception_2", "no such register")
        await asyncio.sleep(60)
        assert not units.device(1).demotion.misses
        assert units.device(1).state.reason == "exception_2"
        units.plant.fault = None
        await asyncio.sleep(units.devices[0].settings.reconnect_max + 1.0)
        assert units.sample(1) == Sample(1.0)

    play(story, units=2)


def test_a_unit_for_which_its_gateway_says_that_it_is_silent_is_demoted_although_probes_are_answered() -> None:
    class Refusing(MemoryConnection):
        """Answers probes of unit 2 and refuses its reads, as a Modbus gateway does for a dead unit."""

        def reader(self, device: Any, points: Any, around: Any = None) -> Any:
            reader = super().reader(device, points, around)
            if device.unit == 2:
                reader.read = self.refuse  # type: ignore[method-assign]
            return reader

        async def refuse(self, block: object) -> Any:
            self.plant.asked(2, "read")
            raise DeviceFault("exception_11", "the gateway has no answer from unit 2")

    async def story(units: Units) -> None:
        await asyncio.sleep(600)
        assert units.device(2).state.demoted
        assert len(units.scans(2)) <= 5 + 600 / 30
        assert len(units.scans(1)) >= 599

    play(story, units=2, connect=Refusing)


def test_a_unit_that_cannot_even_be_prepared_leaves_its_neighbour_the_connection() -> None:
    class Unprepared(MemoryConnection):
        def reader(self, device: Any, points: Any, around: Any = None) -> Any:
            reader = super().reader(device, points, around)
            if device.unit == 2 and 2 in self.plant.silent:
                reader.prepare = self.fail  # type: ignore[method-assign]
            return reader

        async def fail(self) -> Any:
            await asyncio.sleep(0.2)
            raise DeviceFault("timeout", "no answer")

    async def story(units: Units) -> None:
        await asyncio.sleep(100)
        assert units.device(2).state.demoted
        assert len(units.scans(1)) >= 99
        assert units.counters[0].reconnects == 0
        units.silence()
        await asyncio.sleep(30.5)
        assert units.sample(2) == Sample(2.0)

    play(story, units=2, dead=[2], connect=Unprepared)


def test_a_device_alone_at_its_endpoint_is_scanned_and_never_probed() -> None:
    async def story(units: Units) -> None:
        await asyncio.sleep(5)
        units.silence(1)
        await asyncio.sleep(60)
        assert not units.probes(1)
        assert not units.device(1).state.demoted
        units.silence()
        await asyncio.sleep(2)
        assert units.sample(1) == Sample(1.0)

    play(story, units=1)


def test_scans_of_many_units_do_not_come_at_once_and_each_keeps_its_grid() -> None:
    async def story(units: Units) -> None:
        await asyncio.sleep(5)
        began = units.clock.monotonic()
        await asyncio.sleep(100)
        first = sorted(units.scans(unit, began)[0] for unit in range(1, 101))
        assert first[-1] - first[0] > 0.9
        for unit in range(1, 101):
            scans = units.scans(unit, began)
            assert len(scans) in {100, 101}
            assert (scans[-1] - scans[0]) / (len(scans) - 1) == pytest.approx(1.0, abs=1e-3)

    play(story, units=100, latency=0.002)
