"""Leave for a frame of a safe state: exempt from nearly all, and bound by connection, fingerprint, type and range."""

from collections.abc import Callable
from math import inf, nan
from typing import Any

import pytest

from gateway.control.safe_permit import SafePermit, check_range
from gateway.endpoints.fingerprint import MISMATCH, UNREAD
from gateway.safety.constraint import Setting
from gateway.safety.permit import PermitRefused
from tests.unit.gateway.app.control_site import ControlSite, configuration, play

OFF, ON = ("boiler", "burner", False), ("boiler", "burner", True)


async def permit_of(site: ControlSite, value: Setting = False, *, trip: bool = True) -> SafePermit:  # noqa: FBT002  (a value)
    """Return leave to turn the burner off, with the trip that calls for it."""
    if trip:
        site.far().set("steam", 600.0)
        await site.scan()
        assert site.control.gate.latched() == ["hot"]
    outlet, tag = site.plant.outlets["boiler"], site.plant.image.find("boiler.burner")
    assert tag is not None
    return SafePermit(
        tag, value, outlet.device, site.control.gate, site.plant.image, site.clock, lambda: value, lambda: ["hot"],
        lambda now, raw: None,
    )  # fmt: skip


def test_it_is_spent_by_one_use() -> None:
    async def story(site: ControlSite) -> None:
        permit = await permit_of(site)
        permit.spend(*OFF, 1)
        assert permit.has_left
        with pytest.raises(PermitRefused, match="has left already"):
            permit.spend(*OFF, 1)

    play(story)


@pytest.mark.parametrize(
    "frame",
    [("boiler", "burner", True), ("boiler", "burner", 0), ("boiler", "count", False), ("turbine", "burner", False)],
    ids=["another value", "another type", "another tag", "another device"],
)
def test_it_is_for_no_other_frame(frame: tuple[str, str, Any]) -> None:
    async def story(site: ControlSite) -> None:
        permit = await permit_of(site)
        with pytest.raises(PermitRefused):
            permit.spend(*frame, 1)
        assert not permit.has_left

    play(story)


def test_it_is_for_the_value_of_the_trip_alone() -> None:
    async def story(site: ControlSite) -> None:
        permit = await permit_of(site, value=True)
        with pytest.raises(PermitRefused, match="no trip calls for it"):
            permit.spend(*ON, 1)

    play(story)


def test_without_a_trip_there_is_none() -> None:
    async def story(site: ControlSite) -> None:
        permit = await permit_of(site, trip=False)
        with pytest.raises(PermitRefused, match="no trip calls for it"):
            permit.spend(*OFF, 1)

    play(story)


def of_another_kind(site: ControlSite) -> None:
    site.plant.devices[0].down(MISMATCH, "it reads 5")


def silent(site: ControlSite) -> None:
    site.plant.devices[0].down("timeout", "no answer")


def barred(site: ControlSite) -> None:
    site.plant.image.bar("boiler", MISMATCH)


def unread(site: ControlSite) -> None:
    site.plant.image.bar("boiler", UNREAD)


@pytest.mark.parametrize("doubt", [of_another_kind, silent, barred, unread])
def test_a_device_with_a_fingerprint_has_to_show_it_first(doubt: Callable[[ControlSite], None]) -> None:
    async def story(site: ControlSite) -> None:
        permit = await permit_of(site)
        doubt(site)
        with pytest.raises(PermitRefused, match="fingerprint"):
            permit.spend(*OFF, 1)
        assert not permit.has_left

    play(story, configuration(boiler={"fingerprint": {"mode": "auto"}}))


def test_one_without_is_written_to_however_it_is() -> None:
    async def story(site: ControlSite) -> None:
        permit = await permit_of(site)
        silent(site)
        permit.spend(*OFF, 1)
        assert permit.has_left

    play(story)


@pytest.mark.parametrize("value", [99.9, 560.1, nan, inf, -inf, True, "450"], ids=str)
def test_what_is_not_within_the_range_never_goes(value: Setting) -> None:
    async def story(site: ControlSite) -> None:
        tag = site.plant.image.find("boiler.setpoint")
        assert tag is not None
        with pytest.raises(PermitRefused, match="not within its range"):
            check_range(tag, value)
        check_range(tag, 100)
        check_range(tag, 560.0)

    play(story)


@pytest.mark.parametrize("value", [nan, inf, -inf], ids=str)
def test_nor_does_what_is_not_finite_where_there_is_no_range(value: float) -> None:
    async def story(site: ControlSite) -> None:
        tag = site.plant.image.find("boiler.count")
        assert tag is not None
        with pytest.raises(PermitRefused, match="not within its range"):
            check_range(tag, value)

    play(story)


def test_a_safe_value_out_of_range_is_no_exception() -> None:
    async def story(site: ControlSite) -> None:
        outlet, tag = site.plant.outlets["boiler"], site.plant.image.find("boiler.setpoint")
        assert tag is not None
        permit = SafePermit(
            tag, 99.9, outlet.device, site.control.gate, site.plant.image, site.clock, lambda: 99.9, lambda: ["hot"],
            lambda now, raw: None,
        )  # fmt: skip
        with pytest.raises(PermitRefused, match="not within its range"):
            permit.spend("boiler", "setpoint", 99.9, 1)

    play(story)
