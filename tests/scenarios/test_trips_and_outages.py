"""What goes wrong beside the plant: cables, PLCs and gateways trip nothing, and a disk holds no safe state up."""

import resource
import signal
from pathlib import Path

import pytest

from tests.integration.register_writes import REGISTER, Written
from tests.scenarios.deadlines import BACK, LOST
from tests.scenarios.small_disk import small_disk
from tests.scenarios.written_plant import (
    BURNER_OFF,
    COLD,
    LOAD,
    STEAM,
    TRIPPED,
    VALVE_SHUT,
    WrittenPlant,
    written_plant,
)

pytestmark = pytest.mark.real

JOURNAL = {"outcome_not_recorded", "journal_failed", "trip_unpersisted", "not_recorded"}
"""What is logged as errors while the disk fails."""


async def test_neither_a_cable_pulled_nor_a_plc_or_a_gateway_restarted_trips_and_all_of_them_deny(
    tmp_path: Path,
) -> None:
    async with written_plant(tmp_path) as plant:
        plant.boiler_wire.drop_packets()
        await is_denied_without_a_trip(plant)
        plant.boiler_wire.flow()
        await is_well_again(plant, 1)
        await plant.boiler_wire.close()
        await is_denied_without_a_trip(plant)
        await plant.boiler_wire.start()
        await is_well_again(plant, 2)
        await plant.boiler_wire.close()
        await starts_anew_with_nothing_there(plant)
        await is_denied_without_a_trip(plant)
        await plant.boiler_wire.start()
        await is_well_again(plant, 3)
        assert plant.boiler.writes == []
        assert plant.client.of("event/trip") == []
        assert (await plant.daemon.metrics()).value("plantgate_safety_halted") == 0


async def is_denied_without_a_trip(plant: WrittenPlant) -> None:
    """See that nothing is known of the steam, and that this stops commands to all that its limit protects."""
    await plant.client.shows("constraint/hot", 2 * LOST, verdict="unknown", latched=False, alarm="suppressed")
    reply = await plant.commander.write("turbine.load", 9)
    assert (reply["outcome"], reply["code"]) == ("refused", "stale_input"), reply
    reply = await plant.commander.write("boiler.count", 9)
    assert (reply["outcome"], reply["code"]) == ("refused", "device_down"), reply
    await plant.client.shows("status", BACK, state="degraded")
    assert plant.client.newest["status"]["reasons"][0].startswith("device boiler: ")


async def starts_anew_with_nothing_there(plant: WrittenPlant) -> None:
    await plant.daemon.end(signal.SIGKILL)
    await plant.daemon.start()
    await plant.daemon.is_missing({"device.boiler"}, BACK)


async def is_well_again(plant: WrittenPlant, load: int) -> None:
    await plant.client.shows("constraint/hot", BACK, verdict="ok", latched=False)
    await plant.is_up()
    assert (await plant.commander.write("turbine.load", load))["outcome"] == "applied"
    assert plant.turbine.writes[-1] == Written(REGISTER, LOAD, (load,))


async def test_a_journal_that_cannot_grow_refuses_commands_and_holds_no_safe_state_up(tmp_path: Path) -> None:
    async with written_plant(tmp_path) as plant:
        plant.daemon.may_log |= TRIPPED | JOURNAL
        limits = resource.prlimit(plant.daemon.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(plant.daemon.pid, resource.RLIMIT_FSIZE, (16_384, limits[1]))
        await is_refused_for_the_journal(plant)
        await plant.trips()
        assert (plant.boiler.writes, plant.turbine.writes) == ([BURNER_OFF], [VALVE_SHUT])
        resource.prlimit(plant.daemon.pid, resource.RLIMIT_FSIZE, limits)
        await plant.daemon.until("the journal is well", lambda: journal_is_healthy(plant), BACK)
        await plant.cools()
        await plant.starts_anew()
        await plant.is_still_tripped()
        await plant.is_proved({"trip": 1})


async def test_on_a_full_disk_the_safe_state_is_reached_and_the_trip_remembered(tmp_path: Path) -> None:
    async with small_disk(tmp_path, 16) as disk, written_plant(tmp_path, disk=disk) as plant:
        plant.daemon.may_log |= TRIPPED | JOURNAL
        disk.fill()
        await is_refused_for_the_journal(plant)
        await plant.trips()
        assert (plant.boiler.writes, plant.turbine.writes) == ([BURNER_OFF], [VALVE_SHUT])
        plant.boiler.words[STEAM] = COLD
        disk.empty()
        await plant.daemon.until("the journal is well", lambda: journal_is_healthy(plant), BACK)
        await plant.starts_anew()
        await plant.is_still_tripped()
        assert (plant.boiler.writes, plant.turbine.writes) == ([BURNER_OFF], [VALVE_SHUT])


async def is_refused_for_the_journal(plant: WrittenPlant) -> None:
    reply = await plant.commander.write("boiler.count", 8)
    assert (reply["outcome"], reply["code"]) == ("refused", "journal_unavailable"), reply
    assert plant.boiler.writes == []


async def journal_is_healthy(plant: WrittenPlant) -> bool:
    return (await plant.daemon.metrics()).value("plantgate_journal_healthy") == 1
