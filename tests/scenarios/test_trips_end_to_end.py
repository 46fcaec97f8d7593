"""A limit is passed: what the plant gets, what everybody else is refused, and what ends it."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.integration.fake_plc import good
from tests.integration.register_writes import REGISTER, Written
from tests.scenarios.deadlines import BACK, LOST
from tests.scenarios.write_behaviours import Held, deaf_to_writes
from tests.scenarios.written_plant import (
    BURNER,
    BURNER_OFF,
    COUNT,
    HOT,
    LOAD,
    SETPOINT,
    STEAM,
    TRIPPED,
    VALVE_SHUT,
    WrittenPlant,
    written_plant,
)

pytestmark = pytest.mark.real

SAFE = 2 * BACK
"""Seconds until an output of a device that came back is safe."""


async def test_the_safe_state_is_next_on_the_wire_and_all_other_writes_end_with_halted(tmp_path: Path) -> None:
    async with written_plant(tmp_path, turbine_keys={"timeout": "20s"}) as plant:
        plant.daemon.may_log |= TRIPPED
        held = Held()
        plant.turbine.always(held)
        writes = {"turbine.load": 1, "turbine.rate": 2}
        running = asyncio.create_task(plant.commander.ask("write", writes=writes, id="running"))
        await held.came.wait()
        waiting = asyncio.create_task(plant.commander.write("turbine.load", 3, id="waiting"))
        await plant.daemon.until("it waits", lambda: queued(plant, 1), BACK)
        plant.boiler.words[STEAM] = HOT
        refused = await waiting
        assert (refused["outcome"], refused["code"]) == ("refused", "halted")
        await plant.client.shows("status", BACK, state="halted")
        assert plant.client.newest["status"]["reasons"][0] == "trip hot"
        await plant.client.until("the burner is off", lambda: plant.boiler.writes == [BURNER_OFF], BACK)
        assert not running.done()
        held.go.set()
        ended = await running
        assert (ended["outcome"], ended["code"]) == ("failed", "halted")
        assert [each["outcome"] for each in ended["results"].values()] == ["applied", "refused"]
        await plant.client.shows("constraint/hot", BACK, latched=True, first_out=True, safe_state="confirmed")
        assert plant.turbine.writes == [Written(REGISTER, LOAD, (1,)), VALVE_SHUT]
        assert plant.boiler.writes == [BURNER_OFF]
        await is_counted(plant)


async def queued(plant: WrittenPlant, count: int) -> bool:
    return (await plant.daemon.metrics()).total("plantgate_commands_queued") == count


async def is_counted(plant: WrittenPlant) -> None:
    metrics = await plant.daemon.metrics()
    assert metrics.value("plantgate_safety_trips_total", constraint="hot") == 1
    assert metrics.value("plantgate_safety_halted") == 1
    assert metrics.value("plantgate_safety_safe_state", constraint="hot", state="confirmed") == 1
    assert metrics.value("plantgate_safety_trip_reaction_seconds_count") == 1
    assert [seen.payload["kind"] for seen in plant.client.of("event/trip")] == ["tripped", "safe_state_confirmed"]


async def test_a_trip_outlives_kill_9_and_sighup_and_ends_by_a_reset_once_its_cause_is_gone(tmp_path: Path) -> None:
    async with written_plant(tmp_path) as plant:
        plant.daemon.may_log |= TRIPPED
        await plant.trips()
        await is_refused_to_be_reset(plant, "cause_present", actor="ann", reason="I am in a hurry")
        await plant.cools()
        plant.daemon.send(signal.SIGHUP)
        await plant.daemon.until("it was asked to read its configuration anew", lambda: asked_to_reload(plant), BACK)
        await plant.is_still_tripped()
        await plant.starts_anew()
        await plant.is_still_tripped()
        assert (plant.boiler.writes, plant.turbine.writes) == ([BURNER_OFF], [VALVE_SHUT])
        plant.boiler.words[STEAM] = HOT
        await plant.starts_anew()
        await plant.client.until("it is safe again", lambda: len(plant.turbine.writes) == 2, SAFE)
        await plant.cools()
        await is_refused_to_be_reset(plant, "bad_schema", actor="ann")
        await is_refused_to_be_reset(plant, "bad_schema", reason="it is cold")
        await is_refused_to_be_reset(plant, "unknown_name", name="cold", actor="ann", reason="it is cold")
        done = await plant.commander.ask("reset", name="hot", actor="ann", reason="it is cold")
        assert done["outcome"] == "applied"
        await plant.client.shows("constraint/hot", BACK, latched=False)
        await plant.client.shows("status", BACK, state="online")
        assert (plant.boiler.writes, plant.turbine.writes) == ([BURNER_OFF] * 2, [VALVE_SHUT] * 2)
        assert (await plant.commander.write("boiler.burner", value=True))["outcome"] == "applied"
        await plant.is_proved({"trip": 1, "reset": 1})


async def asked_to_reload(plant: WrittenPlant) -> bool:
    return "reload" in plant.daemon.log


async def is_refused_to_be_reset(plant: WrittenPlant, code: str, **fields: Any) -> None:
    reply = await plant.commander.ask("reset", **fields)
    assert (reply["outcome"], reply["code"]) == ("refused", code), reply
    assert plant.client.is_so("constraint/hot", latched=True)


@pytest.mark.parametrize("way", ["refused", "cut off"])
async def test_a_device_that_is_away_gets_its_safe_state_when_it_is_back(tmp_path: Path, way: str) -> None:
    async with written_plant(tmp_path) as plant:
        plant.daemon.may_log |= TRIPPED
        await (plant.turbine_wire.close() if way == "refused" else asyncio.to_thread(plant.turbine_wire.drop_packets))
        await plant.client.shows("device/turbine", 2 * LOST, state="disconnected")
        plant.boiler.words[STEAM] = HOT
        await plant.client.shows("constraint/hot", BACK, latched=True, safe_state="pending")
        await plant.client.until("the burner is off", lambda: plant.boiler.writes == [BURNER_OFF], BACK)
        assert plant.turbine.writes == []
        await (plant.turbine_wire.start() if way == "refused" else asyncio.to_thread(plant.turbine_wire.flow))
        await plant.client.shows("constraint/hot", SAFE, safe_state="confirmed")
        assert set(plant.turbine.writes) == {VALVE_SHUT}
        assert plant.boiler.writes == [BURNER_OFF]


async def test_an_open_breaker_keeps_commands_back_and_no_safe_state(tmp_path: Path) -> None:
    breakers = {"boiler": {"failure_threshold": 1, "timeout": "10m"}}
    async with written_plant(tmp_path, breakers=breakers) as plant:
        plant.daemon.may_log |= TRIPPED
        plant.boiler.always(deaf_to_writes)
        assert (await plant.commander.write("boiler.count", 8))["outcome"] == "mismatch"
        plant.boiler.always(good)
        await plant.is_up()
        refused = await plant.commander.write("boiler.count", 9)
        assert (refused["outcome"], refused["code"]) == ("refused", "circuit_open")
        assert len(plant.boiler.writes) == 1
        await plant.trips()
        assert plant.boiler.writes[1:] == [BURNER_OFF]


async def test_an_operator_can_always_turn_the_burner_off(tmp_path: Path) -> None:
    async with written_plant(tmp_path) as plant:
        plant.daemon.may_log |= TRIPPED
        plant.boiler.words[SETPOINT] = 520
        await plant.client.shows("constraint/low", BACK, verdict="violated")
        await only_the_burner_can_be_turned_off(plant, "violation", 1)
        plant.boiler.words[SETPOINT], plant.boiler.words[STEAM] = 450, 0  # below the range of the sensor
        await plant.client.shows("constraint/hot", BACK, verdict="unknown")
        await only_the_burner_can_be_turned_off(plant, "stale_input", 2)
        await plant.trips()
        assert len(plant.boiler.writes) == 3
        await only_the_burner_can_be_turned_off(plant, "halted", 4)


async def only_the_burner_can_be_turned_off(plant: WrittenPlant, code: str, frames: int) -> None:
    """See the command that heats refused, and the one that cools carried out."""
    plant.boiler.words[BURNER] = 1
    for tag, value in (("boiler.count", 8), ("boiler.burner", True)):
        reply = await plant.commander.write(tag, value)
        assert (reply["outcome"], reply["code"]) == ("refused", code), reply
    off = await plant.commander.write("boiler.burner", value=False)
    assert off["outcome"] == "applied", off
    assert plant.boiler.writes == [BURNER_OFF] * frames
    assert plant.boiler.words[BURNER] == 0


async def test_a_rogue_proposal_beyond_a_critical_limit_halts_nothing(tmp_path: Path) -> None:
    most = {"name": "most", "kind": "threshold", "tag": "boiler.count", "max": 100, "level": "critical"}
    async with written_plant(tmp_path, constraints=[{**most, "on_trip": {"boiler.burner": False}}]) as plant:
        for value in (9999, 101, 65_535):
            reply = await plant.commander.write("boiler.count", value)
            assert (reply["outcome"], reply["code"]) == ("refused", "violation"), reply
        assert plant.boiler.writes == []
        assert (await plant.commander.write("boiler.count", 100))["outcome"] == "applied"
        assert plant.client.is_so("constraint/most", verdict="ok", latched=False)
        await plant.client.shows("status", BACK, state="online")
        assert plant.boiler.writes == [Written(REGISTER, COUNT, (100,))]
