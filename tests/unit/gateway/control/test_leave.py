"""A leave is for one frame: the write that was judged, as it is encoded now, on the connection it was judged for."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.control.leave import Bounds, Leave
from gateway.control.refusal import Refused
from gateway.control.target import encoded_anew
from gateway.safety.operation import Operation
from gateway.safety.permit import PermitRefused
from tests.unit.gateway.app.control_site import ControlSite, play


def leave_for_eight(site: ControlSite) -> tuple[Leave, int]:
    """Return leave to write 8 to the counter, and the connection's generation."""
    control = site.control
    (target,) = control.targets.resolve({"boiler.count": 8})
    generation = target.outlet.generation
    assert generation is not None
    bounds = Bounds(control.gate.epoch, generation, site.clock.monotonic() + 5)
    operation = Operation("ann", (target.write,))
    leave = Leave(
        control.gate, site.clock, operation, target.write, bounds, lambda: encoded_anew(target), lambda _: None, dict,
        lambda _: None,
    )  # fmt: skip
    return leave, generation


def test_the_frame_that_was_asked_for_may_leave() -> None:
    async def story(site: ControlSite) -> None:
        leave, generation = leave_for_eight(site)
        leave.spend("boiler", "count", 8, generation)
        assert (leave.raw, leave.sent) == (8, site.clock.monotonic())

    play(story)


@pytest.mark.parametrize(
    "frame",
    [("boiler", "count", 99), ("boiler", "count", 8.0), ("boiler", "mode", 8), ("turbine", "count", 8)],
    ids=["another value", "another type", "another tag", "another device"],
)
def test_no_other_frame_may(frame: tuple[str, str, Any]) -> None:
    async def story(site: ControlSite) -> None:
        leave, generation = leave_for_eight(site)
        with pytest.raises(PermitRefused):
            leave.spend(*frame, generation)
        assert leave.sent is None

    play(story)


def test_nor_on_another_connection() -> None:
    async def story(site: ControlSite) -> None:
        leave, generation = leave_for_eight(site)
        with pytest.raises(Refused) as refused:
            leave.spend("boiler", "count", 8, generation + 1)
        assert refused.value.code == "device_down"

    play(story)


def make_fractional(site: ControlSite) -> None:
    site.far().set("count", 7.5)


def forget(site: ControlSite) -> None:
    del site.far().cells["count"]


@pytest.mark.parametrize("happening", [make_fractional, forget])
def test_nor_once_the_device_would_take_it_for_another_value(happening: Callable[[ControlSite], None]) -> None:
    async def story(site: ControlSite) -> None:
        leave, generation = leave_for_eight(site)
        happening(site)
        with pytest.raises(Refused) as refused:
            leave.spend("boiler", "count", 8, generation)
        assert refused.value.code == "cancelled"

    play(story)
