"""The end of the gateway, in order or not, whatever the others are doing."""

import signal
from pathlib import Path
from typing import Any

import pytest

from tests.integration.fake_plc import fake_plc, silent
from tests.integration.mqtt_broker import strait
from tests.scenarios.black_hole import black_hole
from tests.scenarios.deadlines import BACK, LOST, SEEN, STOP_AT_WORST
from tests.scenarios.gateway_process import NO_BROKER, gateway
from tests.scenarios.mqtt_client import retained
from tests.scenarios.running import running_small
from tests.scenarios.small_plant import GATEWAY, configuration, meter
from tests.servers import mosquitto

pytestmark = pytest.mark.real


async def test_after_sigterm_those_who_come_later_find_it_offline(tmp_path: Path) -> None:
    async with running_small(tmp_path) as site:
        await site.daemon.stop()
        kept = await retained(site.broker.port, {"status"}, SEEN, GATEWAY)
        assert kept["status"]["state"] == "offline"
        assert kept["status"]["reasons"] == ["stopped"]
        assert site.daemon.log.splitlines()[-1].endswith("stopped")


async def test_after_kill_9_the_broker_says_offline_in_its_place(tmp_path: Path) -> None:
    async with running_small(tmp_path) as site:
        assert await site.daemon.end(signal.SIGKILL) == -signal.SIGKILL
        await site.client.shows("status", SEEN, state="offline", reasons=["connection_lost"])
        kept = await retained(site.broker.port, {"status"}, SEEN, GATEWAY)
        assert kept["status"]["state"] == "offline"


async def test_sigterm_is_obeyed_in_time_while_the_broker_is_not_there(tmp_path: Path) -> None:
    async with running_small(tmp_path) as site:
        await site.broker.kill()
        await site.daemon.is_missing(NO_BROKER, LOST)
        await site.daemon.stop()


async def test_sigterm_is_obeyed_in_time_while_broker_and_devices_accept_and_say_nothing(tmp_path: Path) -> None:
    async with fake_plc() as plc, fake_plc() as mute:
        plc.always(silent)
        mute.always(silent)
        devices = {"meter": meter(plc.url), "turbine": turbine(mute.port)}
        async with gateway(tmp_path, configuration(f"mqtt://127.0.0.1:{mute.port}", devices)) as daemon:
            await plc.was_asked(1)
            await daemon.stop()


async def test_sigterm_is_obeyed_in_time_while_everything_hangs_that_answered_before(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, strait(broker.port) as way, fake_plc() as plc:
        # A timeout far beyond what the stop may take: it has to leave a request that is on the wire.
        devices = {"meter": meter(plc.url, timeout="60s")}
        async with gateway(tmp_path, configuration(f"mqtt://127.0.0.1:{way.port}", devices)) as daemon:
            await daemon.is_missing(set(), BACK)
            way.freeze()
            plc.always(silent)
            await plc.was_asked(len(plc.asked) + 1)
            await daemon.stop(STOP_AT_WORST)


async def test_sigterm_is_obeyed_in_time_while_nothing_answers_a_connection(tmp_path: Path) -> None:
    async with black_hole() as port:
        devices = {"meter": meter(f"tcp://127.0.0.1:{port}"), "turbine": turbine(port)}
        async with gateway(tmp_path, configuration(f"mqtt://127.0.0.1:{port}", devices)) as daemon:
            await daemon.stop()


def turbine(port: int) -> dict[str, Any]:
    url, tags = f"opc.tcp://127.0.0.1:{port}/", {"speed": {"node": "ns=2;s=Speed"}}
    return {"driver": "opcua", "url": url, "tags": tags}
