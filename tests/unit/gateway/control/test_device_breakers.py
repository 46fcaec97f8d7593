"""Breakers of devices: opened by silence to writes, closed by answers to reads, and never in the way of safety."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from drivers.errors import DeviceFault
from drivers.values import Seconds
from gateway.control.breaker_settings import BreakerSettings
from gateway.control.device_breakers import DeviceBreakers, ReadProbedBreaker
from gateway.control.reply import Outcome
from gateway.endpoints.fair_queue import Priority
from gateway.safety.breaker import CircuitState
from gateway.safety.operation import Operation, Write
from gateway.safety.permit import Permit
from tests.unit.gateway.control.plant_rig import WRITABLE, Cell, PlantRig, play

SETTINGS = BreakerSettings(failure_threshold=2, timeout=Seconds(10), success_threshold=1)


class Rig(PlantRig):
    def __init__(self, *, push: bool = False) -> None:
        super().__init__([Cell("setpoint", 450.0, WRITABLE)], push=push)
        self.breakers = DeviceBreakers(
            self.devices.values(), {"boiler": SETTINGS}, self.gate, self.image, self.clock, self.tell
        )

    @property
    def state(self) -> str:
        return self.breakers.states(self.clock.monotonic())["boiler"]

    @property
    def told_states(self) -> list[str]:
        return [what for kind, what, _ in self.told if kind == "breaker"]

    async def write(self) -> str:
        """Write the setpoint; return the code."""
        _, sent = await self.command("boiler.setpoint", 455.0)
        return sent.result.code or sent.result.outcome.value

    async def open(self) -> None:
        """Let the boiler do what is written to it, and never say so."""
        self.plants["boiler"].mute = {1}
        for _ in range(2):
            await self.write()
        assert self.state == "open"


def with_breakers(story: Callable[[Rig], Awaitable[None]]) -> Callable[[Rig], Awaitable[None]]:
    async def told(rig: Rig) -> None:
        looks = asyncio.create_task(rig.breakers.run())
        try:
            await story(rig)
        finally:
            looks.cancel()
            await asyncio.gather(looks, return_exceptions=True)

    return told


def tell(story: Callable[[Rig], Awaitable[None]]) -> None:
    play(Rig, with_breakers(story))


def test_writes_without_an_answer_open_it_and_no_more_frames_leave() -> None:
    async def story(rig: Rig) -> None:
        await rig.open()
        before = len(rig.frames("setpoint"))
        assert await rig.write() == "circuit_open"
        assert len(rig.frames("setpoint")) == before == 2
        await asyncio.sleep(0.3)
        assert rig.told[-1] == ("breaker", "open", {"device": "boiler", "failures": 2})

    tell(story)


def test_a_device_that_answers_reads_and_no_writes_is_not_taken_for_a_healthy_one() -> None:
    async def story(rig: Rig) -> None:
        rig.plants["boiler"].mute = {1}
        await rig.write()
        await asyncio.sleep(5)  # ten scans, all of them answered
        await rig.write()
        assert rig.state == "open"

    tell(story)


def test_a_scan_after_the_time_out_closes_it_and_writes_go_again() -> None:
    async def story(rig: Rig) -> None:
        await rig.open()
        rig.plants["boiler"].mute = set()
        await asyncio.sleep(9.5)
        assert rig.state == "open"  # the scans that are answered meanwhile prove nothing
        await asyncio.sleep(1.5)
        assert rig.state == "closed"
        assert rig.told_states == ["open", "half_open", "closed"]
        assert await rig.write() == "applied"

    tell(story)


def test_no_write_is_let_out_as_the_probe() -> None:
    async def story(rig: Rig) -> None:
        await rig.open()
        rig.plants["boiler"].silent = {1}
        await asyncio.sleep(15)
        assert rig.state == "half_open"
        now = rig.clock.monotonic()
        decision = rig.gate.judge(Operation("operator", (Write("boiler.setpoint", 455.0),)), now)
        assert decision.code == "circuit_open"
        assert not rig.gate.breakers["boiler"].take(now)

    tell(story)


def test_a_device_that_stays_silent_keeps_it_half_open() -> None:
    async def story(rig: Rig) -> None:
        await rig.open()
        rig.plants["boiler"].silent = {1}
        await asyncio.sleep(60)
        assert rig.state == "half_open"
        rig.plants["boiler"].silent = rig.plants["boiler"].mute = set()
        await asyncio.sleep(10)
        assert rig.state == "closed"

    tell(story)


def test_what_a_person_may_always_do_goes_through_an_open_one() -> None:
    async def story(rig: Rig) -> None:
        await rig.open()
        rig.plants["boiler"].mute = set()
        _, sent = await rig.command("boiler.burner", value=False)  # it is the safe state of `hot`
        assert sent.result.outcome is Outcome.APPLIED
        assert rig.state == "open"

    tell(story)


def test_an_open_one_does_not_stop_the_write_of_a_safe_state() -> None:
    async def story(rig: Rig) -> None:
        await rig.open()
        rig.plants["boiler"].mute = set()
        rig.plants["boiler"].set("steam", 600.0)
        await asyncio.sleep(0.6)
        outlet, write, now = rig.outlets["boiler"], Write("boiler.burner", value=False), rig.clock.monotonic()
        burner = next(tag for tag in rig.tags if tag.path == "boiler.burner")
        raw, generation = outlet.encode(burner, value=False), outlet.generation
        assert generation is not None
        permit = rig.gate.mint_safe_state("hot", write, raw, generation, now)
        assert isinstance(permit, Permit)
        await outlet.write(burner, raw, permit, Priority.SAFE_STATE)
        outlet.release(burner)
        assert rig.state == "open"
        assert rig.cell("burner") is False

    tell(story)


def test_a_refusal_by_the_device_is_an_answer() -> None:
    async def story(rig: Rig) -> None:
        rig.plants["boiler"].refusal = DeviceFault("exception_2", "no such register")
        for _ in range(5):
            assert await rig.write() == "device_error"
        assert rig.state == "closed"

    tell(story)


def test_a_device_that_reports_by_itself_proves_itself_so() -> None:
    async def story(rig: Rig) -> None:
        await rig.open()
        rig.plants["boiler"].mute = set()
        await asyncio.sleep(11)
        assert rig.state == "closed"

    play(lambda: Rig(push=True), with_breakers(story))


def test_devices_have_their_own() -> None:
    async def story(rig: Rig) -> None:
        await rig.open()
        assert rig.breakers.states(rig.clock.monotonic()) == {"boiler": "open", "turbine": "closed"}

    tell(story)


def test_reads_say_nothing_of_writes_while_it_is_closed() -> None:
    breaker = ReadProbedBreaker(BreakerSettings(failure_threshold=2))
    breaker.fail(100.0)
    breaker.prove(101.0, 101.0)
    breaker.fail(102.0)
    assert breaker.state(102.0) is CircuitState.OPEN


def test_each_answer_counts_once() -> None:
    breaker = ReadProbedBreaker(BreakerSettings(failure_threshold=1, timeout=Seconds(10), success_threshold=2))
    breaker.fail(100.0)
    for heard, now, state in (
        (99.0, 105.0, CircuitState.OPEN),
        (110.0, 111.0, CircuitState.HALF_OPEN),  # asked for and answered before anything was to be proved
        (110.5, 111.0, CircuitState.HALF_OPEN),
        (110.5, 112.0, CircuitState.HALF_OPEN),
        (112.5, 113.0, CircuitState.CLOSED),
    ):
        breaker.prove(heard, now)
        assert breaker.state(now) is state


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"failure_threshold": 0}, "failure_threshold: 0 is not within 1 and 1000"),
        ({"success_threshold": 0}, "success_threshold: 0 is not within 1 and 1000"),
        ({"timeout": Seconds(0)}, "timeout: 0 s is not within 1s and 1h"),
    ],
    ids=["failures", "successes", "timeout"],
)
def test_a_breaker_that_could_not_work_is_refused(keys: dict[str, Seconds], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BreakerSettings(**keys)  # type: ignore[arg-type]  # as a file may have them
