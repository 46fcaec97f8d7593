"""One command at a time for each device."""

import asyncio

import pytest

from gateway.control.devices_in_turn import DevicesInTurn
from gateway.control.refusal import Refused
from gateway.counters import ControlCounters
from gateway.safety.operation import Operation, Write
from tests.virtual_time import run_virtual

OPERATION = Operation("me", (Write("boiler.a", 1),))


def deadline(seconds: float) -> float:
    return asyncio.get_running_loop().time() + seconds


class Site:
    def __init__(self, limit: int = 10) -> None:
        self.counters = ControlCounters()
        self.turns = DevicesInTurn(limit, self.counters)
        self.order: list[str] = []

    async def use(self, name: str, seconds: float = 1.0, within: float = 100.0, devices: str = "boiler") -> None:
        async with self.turns.turn("normal", devices.split(), deadline(within), OPERATION):
            self.order.append(f"{name} begins")
            await asyncio.sleep(seconds)
            self.order.append(f"{name} ends")

    def start(
        self, name: str, seconds: float = 1.0, within: float = 100.0, devices: str = "boiler"
    ) -> asyncio.Task[None]:
        return asyncio.create_task(self.use(name, seconds, within, devices))


def test_two_commands_for_one_device_never_overlap() -> None:
    async def main() -> None:
        site = Site()
        await asyncio.gather(site.start("a"), site.start("b"))
        assert site.order == ["a begins", "a ends", "b begins", "b ends"]

    run_virtual(main())


def test_commands_for_two_devices_run_side_by_side() -> None:
    async def main() -> None:
        site = Site()
        await asyncio.gather(site.start("a"), site.start("b", devices="turbine"))
        assert site.order[:2] == ["a begins", "b begins"]

    run_virtual(main())


def test_one_that_waits_beyond_its_deadline_is_refused_and_holds_nothing() -> None:
    async def main() -> None:
        site = Site()
        first, late = site.start("a", 5.0), site.start("late", within=2.0)
        with pytest.raises(Refused, match="busy") as refused:
            await late
        assert refused.value.code == "expired"
        await first
        await site.use("c")
        assert "late begins" not in site.order

    run_virtual(main())


def test_one_more_than_may_wait_is_refused() -> None:
    async def main() -> None:
        site = Site(limit=1)
        tasks = [site.start("a"), site.start("b")]
        await asyncio.sleep(0)
        assert site.counters.queued == 1
        with pytest.raises(Refused) as refused:
            await site.use("c")
        assert refused.value.code == "queue_full"
        await asyncio.gather(*tasks)
        assert site.counters.queued == 0

    run_virtual(main())


def test_a_trip_ends_those_that_wait_and_not_the_one_that_runs() -> None:
    async def main() -> None:
        site = Site()
        tasks = [site.start("a"), site.start("b"), site.start("c")]
        await asyncio.sleep(0.5)
        site.turns.refuse(lambda _: Refused("halted", "a trip"))
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [getattr(each, "code", "") for each in found] == ["", "halted", "halted"]
        assert site.order == ["a begins", "a ends"]

    run_virtual(main())


def test_only_those_are_ended_for_whom_there_is_a_reason() -> None:
    async def main() -> None:
        site = Site()
        tasks = [site.start("a"), site.start("b")]
        await asyncio.sleep(0.5)
        site.turns.refuse(lambda _: None)
        await asyncio.gather(*tasks)
        assert site.order[-1] == "b ends"

    run_virtual(main())


def test_a_stop_ends_those_that_wait_and_takes_no_more() -> None:
    async def main() -> None:
        site = Site()
        first, second = site.start("a"), site.start("b")
        await asyncio.sleep(0.5)
        site.turns.close()
        with pytest.raises(Refused) as refused:
            await second
        assert refused.value.code == "restart"
        await first
        with pytest.raises(Refused) as refused:
            await site.use("c")
        assert refused.value.code == "restart"

    run_virtual(main())


def test_one_that_is_cancelled_when_its_turn_comes_gives_the_device_back() -> None:
    async def main() -> None:
        site = Site()
        first, second = site.start("a"), site.start("b")
        await asyncio.sleep(0.999)
        first.add_done_callback(lambda _: second.cancel())
        await first
        await asyncio.gather(second, return_exceptions=True)
        await site.use("c")
        assert site.order[-1] == "c ends"

    run_virtual(main())


def test_one_cancelled_after_its_turn_was_given_in_that_step_gives_it_back() -> None:
    async def main() -> None:
        site = Site()
        first, second = site.start("a"), site.start("b")
        await asyncio.sleep(0.5)
        first.cancel()
        await asyncio.sleep(0)  # the device is handed to the second, which has not run yet
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        await site.use("c")
        assert site.order == ["a begins", "c begins", "c ends"]

    run_virtual(main())
