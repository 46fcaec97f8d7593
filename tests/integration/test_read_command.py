"""`plantgate read` as a process, at the simulated boiler house behind real servers."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.cli.demo_config import find
from gateway.cli.demo_programs import Ports, configure
from simulators.boiler_house_plcs import BoilerHousePlcs, boiler_house_plcs
from simulators.faults import Fault, FaultKind
from tests.servers import ROOT, free_port

# The servers take seconds to start, so all tests of this file share them, and their loop.
pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def plcs() -> AsyncIterator[BoilerHousePlcs]:
    async with boiler_house_plcs() as plcs:
        yield plcs


async def read(folder: Path, modbus: int, opcua: int, *arguments: str) -> tuple[int | None, str, str]:
    config = folder / "plant.yaml"
    config.write_text(configure(find().read_text(), Ports(mqtt=1, modbus=modbus, opcua=opcua, http=1)))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "read", str(config), *arguments), stdout=PIPE, stderr=PIPE, cwd=ROOT
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_every_tag_of_both_plcs_is_read(plcs: BoilerHousePlcs, tmp_path: Path) -> None:
    await plcs.step(1.0)
    code, out, err = await read(tmp_path, plcs.modbus.address.port, plcs.opcua.address.port, "--json")
    assert code == 0
    assert err.endswith("house.nox_hourly, house.steam_hourly\n")
    everything = {each["tag"]: each for each in json.loads(out)}
    answers = {tag: each for tag, each in everything.items() if not tag.startswith("house.")}
    shown = {
        f"{device}.{name}": reading.value
        for device, instruments in plcs.devices.items()
        for name, reading in instruments.readings.items()
    }
    assert {tag: each["quality"] for tag, each in answers.items()} == dict.fromkeys(shown, "good")
    assert {tag: each["value"] for tag, each in answers.items()} == pytest.approx(shown)
    assert answers["turbine.speed"]["unit"] == "rpm"
    assert everything["boiler.flame"]["text"] == "burning"
    efficiency = 100 * everything["turbine.power"]["value"] / (47 * everything["boiler.fuel_flow"]["value"])
    assert everything["house.efficiency"]["value"] == pytest.approx(efficiency)
    assert everything["house.overspeed"]["value"] is False


async def test_broken_sensors_are_bad_each_in_its_own_way(plcs: BoilerHousePlcs, tmp_path: Path) -> None:
    plcs.boiler.inject("steam_temperature", Fault(FaultKind.NAN))
    plcs.turbine.inject("speed_b", Fault(FaultKind.BAD))
    await plcs.refresh()
    tags = ("boiler.steam_temperature", "turbine.speed_b", "turbine.state")
    code, out, err = await read(tmp_path, plcs.modbus.address.port, plcs.opcua.address.port, *tags)
    plcs.boiler.clear("steam_temperature")
    plcs.turbine.clear("speed_b")
    assert (code, err) == (1, "")
    assert [line.split(maxsplit=3)[-1] for line in out.splitlines()[:2]] == ["bad (nan)", "bad (sensor_failure)"]
    assert out.splitlines()[2].split() == ["turbine.state", "synchronised", "good"]


async def test_a_plc_that_is_away_costs_only_its_own_tags(plcs: BoilerHousePlcs, tmp_path: Path) -> None:
    away = free_port()
    tags = ("boiler.flame", "turbine.speed")
    code, out, err = await read(tmp_path, plcs.modbus.address.port, away, *tags)
    assert code == 1
    assert out.splitlines()[0].split() == ["boiler.flame", "burning", "(true)", "good"]
    assert out.splitlines()[1].split() == ["turbine.speed", "-", "rpm", "bad", "(refused)"]
    assert err.startswith(f"turbine: opc.tcp://127.0.0.1:{away}/: ")
    assert len(err.splitlines()) == 1


async def test_a_misspelt_tag_is_exit_code_2(tmp_path: Path) -> None:
    code, out, err = await read(tmp_path, 1, 1, "turbine.sped")
    assert (code, out, err) == (2, "", "there is no tag 'turbine.sped'; did you mean 'turbine.speed'?\n")
