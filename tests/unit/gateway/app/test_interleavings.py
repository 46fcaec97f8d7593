"""Between the journalled intent and the frame: whatever happens there, at whichever step, no frame leaves after it."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from math import inf
from typing import NamedTuple, TypeAlias

import pytest

from drivers.memory.plant import demolish
from drivers.values import Sample, Value, bad
from gateway.control.reply import Outcome, Reply
from tests.unit.gateway.app.control_site import ControlSite, configuration
from tests.virtual_time import run_virtual

Happening: TypeAlias = Callable[[ControlSite], None]

MOST_STEPS = 60
"""Turns of the loop between intent and frame, at most; the test fails where they were not all seen."""


def _sample(site: ControlSite, value: "Value | Sample") -> None:
    tag = site.plant.image.find("boiler.steam")
    assert tag is not None
    site.plant.image.put(tag, value if isinstance(value, Sample) else Sample(value))


def _exchange(site: ControlSite) -> None:
    site.far().set("mode", "of another")
    site.plant.devices[0].down("fingerprint_mismatch", "it reads 'of another'")


HAPPENINGS: Mapping[str, tuple[Happening, str]] = {
    "a trip": (lambda site: _sample(site, 600.0), "halted"),
    "a new doubt": (lambda site: _sample(site, bad("sensor")), "stale_input"),
    "a value that is no number": (lambda site: _sample(site, "hot"), "stale_input"),
    "a reconnect": (lambda site: site.far().cut(reachable=True), "device_down"),
    "a cut cable": (lambda site: site.far().cut(), "device_down"),
    "an expiry": (lambda site: site.stall(2.0), "expired"),
    "a change of configuration": (lambda site: site.control.gate.advance(), "cancelled"),
    "a bypass elsewhere": (lambda site: site.control.gate.advance(), "cancelled"),
    "a stronger writer": (lambda site: site.control.wishes.enter("boiler.count", 1, "boss", inf), "outranked"),
    "another device behind the address": (
        _exchange,
        "fingerprint_mismatch",
    ),
    "another encoding": (lambda site: site.far().set("count", 7.5), "cancelled"),
    "damage to the trips on record": (lambda site: setattr(site.control.trips._table, "is_damaged", True), "halted"),
}

ROWS = {
    "ann": {"role": "automatic", "may": ["write"], "tags": ["*"]},
    "boss": {"role": "operator", "may": ["write"], "tags": ["*"]},
}


class Run(NamedTuple):
    """How one interleaving went."""

    order: list[str]
    """`happened` and `frame`, in the order in which they were."""
    reply: Reply


SETTINGS = configuration(authority=ROWS, boiler={"fingerprint": {"mode": "auto"}})


class Story:
    """One command, and what happens so many turns of the loop after its intent was on the disk."""

    def __init__(self, happening: Happening, steps: int, busy: float) -> None:
        """Busy: the lane is, for so many seconds; then the steps are parts of that time."""
        for device in SETTINGS.devices.values():
            demolish(device.driver_settings.url)
        self.site = ControlSite(SETTINGS)
        self.order: list[str] = []
        self._happening = happening
        self._steps = steps
        self._busy = busy

    async def tell(self) -> Reply:
        site = self.site
        async with site.running(settle=0.5):
            site.far().asked = self._note
            site.journal.point = self._at
            site.far().latency = self._busy
            if self._busy:  # a scan is on the wire, and the write has to wait for it
                await asyncio.sleep(0.2 - site.clock.monotonic() % 0.2 + 0.001)
            soon = datetime.fromtimestamp(site.clock.wall() + 1.5, UTC)
            reply = await site.write("boiler.count", 8, expires_at=soon)
            await asyncio.sleep(1)
            return reply

    def _at(self, point: str) -> None:
        if point != "durable":
            return
        self.site.journal.point = lambda _: None
        if self._busy:
            asyncio.get_running_loop().call_later(self._steps * self._busy / MOST_STEPS, self._happen)
        else:
            self._count(self._steps)

    def _count(self, left: int) -> None:
        if left:
            asyncio.get_running_loop().call_soon(self._count, left - 1)
        else:
            self._happen()

    def _happen(self) -> None:
        self.order.append("happened")
        self._happening(self.site)

    def _note(self, unit: int, what: str) -> None:
        del unit
        if what == "write" and self.site.far().frames[-1].address == "count":  # not the safe state of the trip
            self.order.append("frame")


def play(happening: Happening, steps: int, *, busy: float = 0.0) -> Run:
    story = Story(happening, steps, busy)
    return Run(story.order, run_virtual(story.tell()))


@pytest.mark.parametrize("case", HAPPENINGS, ids=str)
def test_no_frame_leaves_after_it_at_any_turn_of_the_loop(case: str) -> None:
    happening, code = HAPPENINGS[case]
    refused = 0
    for steps in range(MOST_STEPS):
        run = play(happening, steps)
        assert run.order in (["happened"], ["frame", "happened"]), f"{steps} turns after the intent: {run}"
        if run.order == ["happened"]:
            refused += 1
            assert (run.reply.outcome, run.reply.code) == (Outcome.REFUSED, code), steps
        else:
            break  # from here on the frame is first
    assert 0 < refused < MOST_STEPS - 1


@pytest.mark.parametrize("case", HAPPENINGS, ids=str)
def test_no_frame_leaves_after_it_while_the_lane_is_busy(case: str) -> None:
    happening, code = HAPPENINGS[case]
    seen = set()
    for steps in range(0, MOST_STEPS, 6):
        run = play(happening, steps, busy=0.15)
        seen.add(run.order[0])
        assert run.order in (["happened"], ["frame", "happened"]), run
        if run.order == ["happened"]:
            assert (run.reply.outcome, run.reply.code) == (Outcome.REFUSED, code)
    assert "happened" in seen
