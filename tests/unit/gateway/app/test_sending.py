"""The step of a frame, and what a driver may do to it: whatever breaks, it is known whether a frame has left."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from drivers.errors import DeviceFault
from drivers.writing import NotSent, Unanswered, WritePermit
from gateway.control.leave import Bounds, Leave
from gateway.control.refusal import Refused
from gateway.control.reply import Outcome, Reply
from gateway.safety.operation import Operation, Write
from gateway.safety.permit import PermitRefused
from tests.unit.gateway.app.control_site import ControlSite, configuration, play

Driver: TypeAlias = Callable[[WritePermit, Any], Awaitable[None]]


async def write_with(site: ControlSite, driver: Driver, **fields: Any) -> Reply:
    """Write a count of 8 through a driver that does this in place of sending."""
    outlet = site.plant.outlets["boiler"]
    whole = outlet.write

    async def write(tag: Any, raw: Any, permit: WritePermit, priority: Any) -> None:
        del tag, priority
        await driver(permit, raw)

    outlet.write = write  # type: ignore[method-assign]
    reply = await site.write("boiler.count", 8, **fields)
    outlet.write = whole  # type: ignore[method-assign]
    return reply


def spend(site: ControlSite, permit: WritePermit, raw: Any, tag: str = "count") -> None:
    generation = site.plant.outlets["boiler"].generation
    assert generation is not None
    permit.spend("boiler", tag, raw, generation)


def raising(site: ControlSite, error: Exception, *, sent: bool) -> Driver:
    async def driver(permit: WritePermit, raw: Any) -> None:
        if sent:
            spend(site, permit, raw)
        raise error

    return driver


BEFORE = {
    "it was not sent": (NotSent("disconnected", "gone"), "device_down"),
    "a defect": (ZeroDivisionError("oops"), "internal"),
}


@pytest.mark.parametrize("case", BEFORE, ids=str)
def test_what_breaks_before_the_frame_is_a_refusal(case: str) -> None:
    error, code = BEFORE[case]

    async def story(site: ControlSite) -> None:
        reply = await write_with(site, raising(site, error, sent=False))
        assert (reply.outcome, reply.code) == (Outcome.REFUSED, code)
        assert site.records("outcome")[-1].get("frames") is None

    play(story)


AFTER = {
    "no answer": (Unanswered("timeout", "silence"), Outcome.MISMATCH, "readback_mismatch"),
    "a defect": (ZeroDivisionError("oops"), Outcome.MISMATCH, "readback_mismatch"),
    "another value taken": (DeviceFault("clamped", "it took 7"), Outcome.MISMATCH, "readback_mismatch"),
    "a no": (DeviceFault("exception_3", "no"), Outcome.FAILED, "device_error"),
}


@pytest.mark.parametrize("case", AFTER, ids=str)
def test_what_breaks_after_the_frame_is_settled_by_reading(case: str) -> None:
    error, outcome, code = AFTER[case]

    async def story(site: ControlSite) -> None:
        reply = await write_with(site, raising(site, error, sent=True))
        assert (reply.outcome, reply.code) == (outcome, code)
        assert len(site.records("outcome")[-1]["frames"]) == 1

    play(story)


def test_a_permit_for_another_frame_lets_nothing_out() -> None:
    async def story(site: ControlSite) -> None:
        async def driver(permit: WritePermit, raw: Any) -> None:
            spend(site, permit, raw, tag="mode")

        reply = await write_with(site, driver)
        assert (reply.outcome, reply.code) == (Outcome.REFUSED, "internal")

    play(story)


@pytest.mark.parametrize("first", [True, False], ids=["after it let a frame out", "after it did not"])
def test_a_leave_can_be_asked_once(*, first: bool) -> None:
    async def story(site: ControlSite) -> None:
        async def driver(permit: WritePermit, raw: Any) -> None:
            if first:
                spend(site, permit, raw)
            else:
                with pytest.raises(PermitRefused):
                    spend(site, permit, raw, tag="mode")
            with pytest.raises(PermitRefused):
                spend(site, permit, raw)
            raise NotSent("disconnected", "gone")

        reply = await write_with(site, driver)
        assert reply.code == "device_down"

    play(story)


@pytest.mark.parametrize("more", [0, 1], ids=["this connection", "another one"])
def test_a_leave_is_for_one_connection(more: int) -> None:
    async def story(site: ControlSite) -> None:
        control, write = site.control, Write("boiler.count", 8)
        bounds = Bounds(control.gate.epoch, 5, site.clock.monotonic() + 1)
        left: list[float] = []
        leave = Leave(
            control.gate,
            site.clock,
            Operation("ann", (write,)),
            write,
            bounds,
            lambda: 8,
            lambda _: None,
            dict,
            left.append,
        )
        if more:
            with pytest.raises(Refused) as refused:
                leave.spend("boiler", "count", 8, 5 + more)
            assert refused.value.code == "device_down"
        else:
            leave.spend("boiler", "count", 8, 5)
        assert len(left) == 1 - more

    play(story)


def test_without_a_connection_there_are_no_bounds() -> None:
    async def story(site: ControlSite) -> None:
        targets = site.control.targets.resolve({"boiler.count": 8})
        site.plant.outlets["boiler"].closed()
        with pytest.raises(Refused) as refused:
            site.control.sender.bounds(targets, 0.0)
        assert refused.value.code == "device_down"

    play(story)


def test_a_device_that_cannot_be_encoded_for_is_down() -> None:
    async def story(site: ControlSite) -> None:
        site.plant.outlets["boiler"].closed()
        assert (await site.write("boiler.count", 8)).code == "device_down"

    play(story)


def test_a_value_that_the_device_would_hold_as_another_is_refused() -> None:
    async def story(site: ControlSite) -> None:
        reply = await site.write("boiler.count", 8.4)
        assert (reply.outcome, reply.code) == (Outcome.REFUSED, "bad_value")

    play(story, configuration(tags={"count": {"scale": 5, "readback_tolerance": 0.1}}))


def test_writes_open_the_breaker_of_a_silent_device_and_its_scans_close_it() -> None:
    async def story(site: ControlSite) -> None:
        for _ in range(2):
            await write_with(site, raising(site, Unanswered("timeout", "silence"), sent=True))
        reply = await site.write("boiler.count", 9)
        assert (reply.outcome, reply.code) == (Outcome.REFUSED, "circuit_open")
        assert site.control.breaker_states()["boiler"] == "open"
        await site.scan(60)
        assert site.control.breaker_states()["boiler"] == "closed"
        assert (await site.write("boiler.count", 9)).outcome is Outcome.APPLIED

    play(story, configuration(breakers={"boiler": {"failure_threshold": 2, "timeout": "5s", "success_threshold": 1}}))
