"""What systemd hears of a running gateway, and when it hears nothing."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.integration.fake_plc import fake_plc
from tests.scenarios.deadlines import BACK, LOST, PERIOD, SLACK, START
from tests.scenarios.gateway_process import gateway
from tests.scenarios.small_plant import configuration, meter
from tests.scenarios.systemd_socket import systemd_socket
from tests.servers import mosquitto

pytestmark = pytest.mark.real

WATCHDOG = 0.9
PINGED = SLACK * (WATCHDOG / 3 + PERIOD)
PING = "WATCHDOG=1"


async def test_systemd_hears_ready_after_the_first_evaluation_then_pings_while_the_loop_runs_then_the_stop(
    tmp_path: Path,
) -> None:
    async with mosquitto(tmp_path) as broker, fake_plc() as plc, systemd_socket(tmp_path) as systemd:
        configured = configuration(broker.url, {"meter": meter(plc.url)})
        async with gateway(tmp_path, configured, systemd.environ(WATCHDOG)) as daemon:
            began = await systemd.until("READY=1", START)
            assert set(began) <= {"READY=1", PING}
            # Before the first evaluation it would be 503.
            assert (await daemon.get("/healthz"))[0] == 200
            limits = "; 0 violated and 0 unknown of 1 constraints"
            await systemd.until(f"STATUS=1 of 1 devices up; broker up{limits}", BACK)
            for _ in range(4):
                await systemd.until(PING, PINGED)
            await broker.kill()
            await systemd.until(f"STATUS=1 of 1 devices up; broker down{limits}", LOST)
            await daemon.stop()
            assert systemd.drain()[-1] == "STOPPING=1"


async def test_a_gateway_that_stands_still_feeds_no_watchdog(tmp_path: Path) -> None:
    async with fake_plc() as plc, systemd_socket(tmp_path) as systemd:
        configured = configuration("mqtt://127.0.0.1:1", {"meter": meter(plc.url)})
        async with gateway(tmp_path, configured, systemd.environ(WATCHDOG)) as daemon:
            await systemd.until(PING, START)
            daemon.send(signal.SIGSTOP)
            # Said before it stood still; a stopped process says nothing, so there is no event to wait for.
            await asyncio.sleep(0.1)
            systemd.drain()
            with pytest.raises(TimeoutError):
                await systemd.next(2 * WATCHDOG)
            daemon.send(signal.SIGCONT)
            await systemd.until(PING, PINGED)
