"""How many write frames a command is: none where it is refused, one where it is applied, and never a second one.

They are counted by the device. With PLANTGATE_SOAK one command is sent a thousand times, across three kills.
"""

import asyncio
import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.integration.fake_plc import good
from tests.scenarios.deadlines import BACK
from tests.scenarios.write_behaviours import Deaf, Telling
from tests.scenarios.written_plant import BURNER_OFF, COUNT, TRIPPED, WrittenPlant, setpoint, written_plant

pytestmark = pytest.mark.real

DUPLICATES, KILLS = (1000, 3) if os.environ.get("PLANTGATE_SOAK") else (60, 1)
RESOLVED = 2 * BACK
"""Seconds until an outcome is found out by reading: a breath after the device has answered again."""
WANTED = {"boiler.setpoint": 460}
RETAINED = "command/write/retained"

MATRIX = {
    "anonymous": {"role": "operator", "may": ["write", "relinquish"], "tags": ["boiler.*"]},
}
REFUSED: Mapping[str, tuple[dict[str, Any], str]] = {
    "a limit": ({"writes": {"boiler.setpoint": 510}}, "violation"),
    "a range": ({"writes": {"boiler.setpoint": 561}}, "out_of_range"),
    "far beyond": ({"writes": {"boiler.setpoint": 9999}}, "out_of_range"),
    "a range below": ({"writes": {"boiler.setpoint": 99}}, "out_of_range"),
    "an unknown tag": ({"writes": {"boiler.nothing": 1}}, "unknown_tag"),
    "an unknown device": ({"writes": {"kettle.setpoint": 1}}, "forbidden"),
    "a tag that is only read": ({"writes": {"boiler.steam": 1}}, "not_writable"),
    "a bool for a number": ({"writes": {"boiler.setpoint": True}}, "bad_value"),
    "a fraction": ({"writes": {"boiler.setpoint": 450.5}}, "bad_value"),
    "a number for a bool": ({"writes": {"boiler.burner": 0}}, "bad_value"),
    "nobody's tag": ({"writes": {"turbine.load": 1}}, "forbidden"),
    "one of two": ({"writes": {"boiler.count": 8, "boiler.setpoint": 600}}, "out_of_range"),
    "none at all": ({"writes": {}}, "bad_schema"),
    "a field too many": ({"writes": {"boiler.count": 8}, "force": True}, "bad_schema"),
    "the day before": ({"writes": {"boiler.count": 8}, "expires_at": "2020-01-02T03:04:05Z"}, "expired"),
    "a key that nobody has": (
        {
            "writes": {"boiler.count": 8},
            "signature": {"key": "ann", "sequence": 1, "not_after": "2030-01-02T03:04:05Z", "value": "aaaa"},
        },
        "unauthenticated",
    ),
}


async def test_what_is_refused_is_no_frame_and_what_is_applied_exactly_one(tmp_path: Path) -> None:
    async with written_plant(tmp_path, authority=MATRIX) as plant:
        plant.daemon.may_log |= TRIPPED
        for case, (fields, code) in REFUSED.items():
            reply = await plant.commander.ask("write", **fields)
            assert (reply["outcome"], reply["code"]) == ("refused", code), f"{case}: {reply}"
            assert reply["message"], case
        assert plant.boiler.writes == []
        reply = await plant.commander.write("boiler.setpoint", 460, id="first")
        assert (reply["outcome"], reply["results"]["boiler.setpoint"]["read_back"]) == ("applied", 460)
        assert plant.boiler.writes == [setpoint(460)]  # on the same lane, so nothing of before was on its way
        other = await plant.commander.write("boiler.setpoint", 470, id="first")
        assert (other["outcome"], other["code"]) == ("refused", "duplicate")
        await a_retained_one_is_refused(plant)
        await plant.client.shows("status", BACK, state="online", reasons=[])
        await plant.trips()
        halted = await plant.commander.write("boiler.setpoint", 480)
        assert (halted["outcome"], halted["code"]) == ("refused", "halted")
        assert plant.boiler.writes == [setpoint(460), BURNER_OFF]
        metrics = await plant.daemon.metrics()
        assert metrics.total("plantgate_safety_decisions_total", code="violation") == 1


async def a_retained_one_is_refused(plant: WrittenPlant) -> None:
    reply = await plant.commander.ask("write/retained", writes={"boiler.count": 8}, retain=True)
    assert (reply["outcome"], reply["code"]) == ("refused", "retained")
    await plant.client.until("it is cleared", lambda: plant.client.newest.get(RETAINED) is None, BACK)


async def test_what_is_sent_while_the_gateway_is_away_is_never_carried_out(tmp_path: Path) -> None:
    async with written_plant(tmp_path) as plant:
        await plant.daemon.end(signal.SIGKILL)
        await plant.commander.send("write", b'{"id": "lost", "writes": {"boiler.setpoint": 460}}')
        kept = b'{"id": "kept", "writes": {"boiler.setpoint": 470}}'
        await plant.commander.send("write/retained", kept, retain=True)
        await plant.begins()
        refused = await plant.commander.nth("kept", 1)
        assert (refused["outcome"], refused["code"]) == ("refused", "retained")
        await plant.client.until("it is cleared", lambda: plant.client.newest.get(RETAINED) is None, BACK)
        assert (await plant.commander.write("boiler.count", 8))["outcome"] == "applied"
        assert [each.start for each in plant.boiler.writes] == [COUNT]
        assert not plant.commander.to("lost")


@pytest.mark.parametrize(("takes", "settled"), [(True, "applied"), (False, "mismatch")], ids=["took it", "did not"])
async def test_a_silent_device_gets_one_frame_and_reading_finds_out_what_became_of_it(
    tmp_path: Path, *, takes: bool, settled: str
) -> None:
    async with written_plant(tmp_path) as plant:
        plant.boiler.always(Deaf(takes=takes))
        reply = await plant.commander.write("boiler.setpoint", 460, id="silent")
        assert (reply["outcome"], reply["code"]) == ("unknown", "timeout")
        metrics = await plant.daemon.metrics()
        assert metrics.value("plantgate_writes_unresolved") == 1
        assert metrics.value("plantgate_write_frames_total", device="boiler") == 1
        plant.boiler.always(good)
        await plant.client.shows("event/command", RESOLVED, kind="resolved", id="silent", outcome=settled)
        again = await plant.commander.write("boiler.setpoint", 460, id="silent")
        assert (again["outcome"], again["repeated"]) == (settled, True)
        assert plant.boiler.writes == [setpoint(460)]


@pytest.mark.timeout(60 + DUPLICATES / 10 + 30 * KILLS)
async def test_one_command_sent_over_and_over_is_one_frame_however_often_the_gateway_is_killed(tmp_path: Path) -> None:
    command = json.dumps({"id": "once", "writes": WANTED, "reason": "warmer"}).encode()
    async with written_plant(tmp_path) as plant:
        each, random, written = DUPLICATES // (KILLS + 1), Random(1), Telling()
        plant.boiler.always(written)
        for kill in range(KILLS):
            for _ in range(each):
                await plant.commander.send("write", command)
            # First in the worst moment, when the frame has come and nobody knows; then in any other.
            await (asyncio.sleep(random.uniform(0, 0.3)) if kill else written.came.wait())
            await plant.daemon.end(signal.SIGKILL)
            await plant.begins()
        already = len(plant.commander.to("once"))
        for _ in range(DUPLICATES - KILLS * each):
            await plant.commander.send("write", command)
        last = await plant.commander.nth("once", already + DUPLICATES - KILLS * each, within=BACK + DUPLICATES / 20)
        assert last["repeated"] is True
        async with asyncio.timeout(RESOLVED):
            while last["outcome"] != "applied":  # unknown at first, since it was killed at the frame
                last = await plant.commander.ask("write", id="once", writes=WANTED, reason="warmer")
                assert last["repeated"] is True
        assert plant.boiler.writes == [setpoint(460)]
