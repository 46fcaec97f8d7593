"""A device goes away: what its loss costs, and what it does not."""

import asyncio
from itertools import pairwise
from pathlib import Path
from time import monotonic

import pytest

from tests.integration.fake_plc import Asked, FakePlc, fake_plc, good, silent
from tests.scenarios.boiler_house import BoilerHouse, Plc
from tests.scenarios.deadlines import BACK, LOST, SCAN, SEEN, SLACK, TIMEOUT
from tests.scenarios.gateway_process import gateway
from tests.scenarios.mqtt_client import MqttClient, mqtt_client
from tests.scenarios.running import Site, running
from tests.scenarios.small_plant import GATEWAY, configuration, meter
from tests.servers import mosquitto

pytestmark = pytest.mark.real

PROBED = 20.0
"""A silent unit was probed so often that it is demoted, or is heard again: after 1, 2, 4 and 8 s."""
CYCLES = 20
"""Of the simulated PLC between two values of its counter: two are to be expected, ten times as many are a gap."""


async def outage(site: Site, plant: BoilerHouse, plc: Plc, device: str, neighbour: str) -> None:
    """Kill a device's process and start it again."""
    client, count = site.client, len(plant.tags[device])
    began = client.of(f"tag/{neighbour}/scan_counter")[-1].at
    plc.kill()
    await client.all_bad(device, count, LOST)
    await client.shows(f"device/{device}", LOST, state="disconnected")
    birth = client.newest[f"device/{device}"]
    assert birth["reason"]
    await client.shows("status", LOST, state="degraded")
    assert [why for why in client.newest["status"]["reasons"] if why.startswith(f"device {device}: ")]
    assert (await site.daemon.not_ready()).keys() == {f"device.{device}"}
    metrics = await site.daemon.metrics()
    assert metrics.value("plantgate_device_connected", device=device) == 0
    assert metrics.value("plantgate_tags", device=device, quality="bad") == count
    await moves_on(client, neighbour)
    await plc.start()
    await client.all_good(device, count, BACK)
    await client.shows(f"device/{device}", BACK, state="connected")
    await client.shows("status", BACK, state="online")
    assert (await site.daemon.metrics()).value("plantgate_device_reconnects_total", device=device) >= 1
    await moves_on(client, neighbour)
    had_no_gap(client, neighbour, began)


async def moves_on(client: MqttClient, device: str) -> None:
    """See three more values of a device's counter."""
    topic = f"tag/{device}/scan_counter"
    wanted = len(client.of(topic)) + 3
    await client.until(f"three more of {topic}", lambda: len(client.of(topic)) >= wanted, 3 * SEEN)


def had_no_gap(client: MqttClient, device: str, since: float) -> None:
    # The counter and not the clock: where the whole machine stands still, the PLC does so too.
    counted = [seen.payload["value"] for seen in client.of(f"tag/{device}/scan_counter", since)]
    longest = max(after - before for before, after in pairwise(counted))
    assert longest <= CYCLES, f"{device} was not heard for {longest} cycles of its PLC"
    of_it = [seen for seen in client.seen if seen.topic.startswith(f"tag/{device}/") and seen.at >= since]
    assert {seen.payload["quality"] for seen in of_it} == {"good"}


async def test_a_modbus_device_that_is_killed_costs_its_own_tags_and_comes_back_by_itself(
    plant: BoilerHouse, tmp_path: Path
) -> None:
    async with running(plant, tmp_path) as site:
        await outage(site, plant, plant.boiler, "boiler", neighbour="turbine")
        verdicts = [seen.payload["verdict"] for seen in site.client.of("constraint/max_steam_temperature")]
        assert verdicts[-2:] == ["unknown", "ok"]


async def test_an_opc_ua_server_that_is_killed_costs_its_own_tags_and_comes_back_by_itself(
    plant: BoilerHouse, tmp_path: Path
) -> None:
    async with running(plant, tmp_path) as site:
        await outage(site, plant, plant.turbine, "turbine", neighbour="boiler")
        verdicts = [seen.payload["verdict"] for seen in site.client.of("constraint/vibration")]
        assert verdicts[-2:] == ["unknown", "ok"]


async def test_a_device_that_accepts_and_says_nothing_costs_its_neighbour_nothing(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, fake_plc() as live, fake_plc() as mute:
        mute.always(silent)
        devices = {"live": meter(live.url), "mute": meter(mute.url, timeout="200ms")}
        async with (
            gateway(tmp_path, configuration(broker.url, devices)),
            mqtt_client(broker.port, GATEWAY) as client,
        ):
            await client.all_bad("mute", 2, LOST, "timeout")
            down = monotonic()
            for value in range(1, 9):
                live.words[0] = value
                await client.shows("tag/live/reading", SEEN, value=value, quality="good")
            # By now the driver has taken the connection for half-open, and opened another one.
            assert mute.connections >= 2
            assert {seen.payload["quality"] for seen in client.of("tag/live/reading", down)} == {"good"}
            assert client.is_so("device/mute", state="disconnected", reason="timeout")


async def test_a_unit_that_falls_silent_is_demoted_and_costs_the_others_at_its_endpoint_nothing(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, fake_plc() as plc:
        devices = {
            "first": meter(plc.url, unit=1),
            "mute": meter(plc.url, unit=2, timeout="200ms"),
            "third": meter(plc.url, unit=3),
        }
        async with (
            gateway(tmp_path, configuration(broker.url, devices)) as daemon,
            mqtt_client(broker.port, GATEWAY) as client,
        ):
            await client.all_good("mute", 2, BACK)
            plc.always(silent_in_unit_2)
            await client.all_bad("mute", 2, LOST, "timeout")
            for value in range(1, 4):
                plc.words[0] = value
                for device in ("first", "third"):
                    await client.shows(f"tag/{device}/reading", SLACK * (SCAN + TIMEOUT), value=value, quality="good")
            await client.shows("device/mute", PROBED, state="demoted", reason="timeout")
            await client.shows("status", LOST, reasons=["device mute: timeout, demoted"])
            metrics = await daemon.metrics()
            assert metrics.value("plantgate_device_demoted", device="mute") == 1
            assert metrics.value("plantgate_device_demoted", device="first") == 0
            assert metrics.value("plantgate_device_probes_total", device="mute") >= 3
            plc.always(good)
            # `second` did not change meanwhile: it has to be told again all the same.
            await client.all_good("mute", 2, PROBED)
            await client.shows("device/mute", BACK, state="connected")
            assert plc.connections == 1
            events = [seen.payload for seen in client.of("event/device")]
            told = [(event["kind"], event.get("reason")) for event in events if event["device"] == "mute"]
            assert told[-3:] == [("device_lost", "timeout"), ("device_demoted", "timeout"), ("device_returned", None)]


async def silent_in_unit_2(plc: FakePlc, asked: Asked, writer: asyncio.StreamWriter) -> None:
    if asked.unit != 2:
        await good(plc, asked, writer)
