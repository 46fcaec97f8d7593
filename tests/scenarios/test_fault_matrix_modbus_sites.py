"""The Modbus rows of the fault matrix that need a site of their own: M8, another map; M9, a serial line; M10, two
gateways; and servers of a second make."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

import pytest

from tests.integration.node_servers import NodeModbus, node_modbus
from tests.integration.serial_bus import Asked, SerialBus, serial_bus, serial_server
from tests.integration.serial_bus import good as answers
from tests.scenarios.deadlines import BACK, LOST, SCAN, SEEN, SLACK, START, TIMEOUT
from tests.scenarios.gateway_process import gateway
from tests.scenarios.matrix_site import Stopwatch, matrix_site
from tests.scenarios.mqtt_client import mqtt_client
from tests.scenarios.small_plant import GATEWAY, configuration
from tests.scenarios.small_plant import meter as configured
from tests.scenarios.truthful_meter import LIE, Meter, listening
from tests.servers import mosquitto

pytestmark = pytest.mark.real

MODEL, OTHER_MODEL = 17, 18
MODEL_REGISTER = 5


async def test_m8_a_device_that_comes_back_with_another_map_is_not_believed_until_it_is_itself_again(
    tmp_path: Path,
) -> None:
    meter = Meter("controller")
    meter.plc.words[MODEL_REGISTER] = MODEL
    device = configured(meter.plc.url, fingerprint={"model": MODEL})
    device["tags"]["model"] = {"address": f"holding:{MODEL_REGISTER}"}
    async with listening(meter), matrix_site(tmp_path, {meter.name: device}) as site:
        client, watch = site.client, Stopwatch("M8")
        await client.all_good(meter.name, 3, START)
        await meter.refuse()
        meter.plc.words[0:2] = [LIE] * 2  # what lies there in the other map
        meter.plc.words[MODEL_REGISTER] = OTHER_MODEL
        watch.restart()
        await meter.listen()
        await client.all_bad(meter.name, 3, BACK, "fingerprint_mismatch")
        watch.lap("bad (fingerprint_mismatch)")
        await site.shows_loss(meter.name, 3)
        await client.shows(f"device/{meter.name}", SEEN, state="disconnected", reason="fingerprint_mismatch")
        await meter.refuse()
        meter.plc.words[MODEL_REGISTER] = MODEL
        meter.says_something_new()
        watch.restart()
        await meter.listen()
        await client.all_good(meter.name, 3, BACK)
        watch.lap("good")
        site.believed_only(meter.name, {*meter.said, MODEL})


async def test_m2_m3_m6_units_of_a_second_make_are_missed_and_found_again(tmp_path: Path) -> None:
    faults = {
        "silent": ("silent", "timeout"),
        "slow": ({"delay": 2 * TIMEOUT}, "timeout"),
        "failing": ({"exception": 4}, "exception_4"),
    }
    async with AsyncExitStack() as stack:
        servers = {name: await stack.enter_async_context(node_modbus(tmp_path)) for name in faults}
        for server in servers.values():
            await server.set("holding", 0, [1001, 1001])
        devices = {name: configured(server.url) for name, server in servers.items()}
        site = await stack.enter_async_context(matrix_site(tmp_path, devices))

        async def goes_through(name: str, server: NodeModbus) -> None:
            fault, kind = faults[name]
            await site.client.all_good(name, 2, START)
            await server.fault(fault)
            await site.client.all_bad(name, 2, LOST, kind)
            await site.shows_loss(name, 2)
            assert await site.counts(name, kind) >= 1
            await server.set("holding", 0, [1002, 1002])
            await server.fault(None)
            for tag in ("reading", "second"):
                await site.client.shows(f"tag/{name}/{tag}", BACK, value=1002, quality="good")
            site.believed_only(name, {1001, 1002})

        await asyncio.gather(*(goes_through(name, server) for name, server in servers.items()))


def too_late(unit: int) -> Callable[[SerialBus, Asked], Awaitable[None]]:
    """Let one unit answer with lies, after the gateway has given up and before it may ask again; the others well."""

    async def answer(bus: SerialBus, asked: Asked) -> None:
        if asked.unit != unit:
            await answers(bus, asked)
            return
        true = bus.words[0:2]
        bus.words[0:2] = [LIE] * 2
        frame = bus.answer(asked)
        bus.words[0:2] = true
        await asyncio.sleep(1.3 * TIMEOUT)
        bus.send(frame)

    return answer


@pytest.mark.parametrize("line", [serial_bus, serial_server])
async def test_m9_on_a_serial_line_a_late_answer_is_never_taken_for_that_to_another_request(
    line: Callable[[], AbstractAsyncContextManager[SerialBus]], tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(line())
        bus.words[0:2] = said = [1001, 1002]
        devices = {"late": configured(bus.url, unit=1), "neighbour": configured(bus.url, unit=2)}
        site = await stack.enter_async_context(matrix_site(tmp_path, devices))
        client, watch = site.client, Stopwatch("M9")
        for name in devices:
            await client.all_good(name, 2, START)
        bus.always(too_late(unit=1))
        watch.restart()
        await client.all_bad("late", 2, 2 * LOST, "timeout")
        watch.lap("bad (timeout)")
        assert await site.counts("late", "timeout") >= 1
        for value in range(1003, 1006):
            bus.words[0:2] = [value, value]
            said += [value]
            await client.shows("tag/neighbour/reading", SLACK * (SCAN + 2 * TIMEOUT), value=value, quality="good")
        bus.always(answers)
        watch.restart()
        await client.all_good("late", 2, 2 * BACK)
        watch.lap("good")
        for name in devices:
            site.believed_only(name, said)


async def test_m10_two_gateways_read_one_device_and_neither_costs_the_other_anything(tmp_path: Path) -> None:
    meter, names = Meter("shared"), (GATEWAY, "other")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(listening(meter))
        broker = await stack.enter_async_context(mosquitto(tmp_path))
        processes, clients = [], []
        for name in names:
            (folder := tmp_path / name).mkdir()
            settings = configuration(broker.url, {"shared": configured(meter.plc.url)}) | {"gateway": {"id": name}}
            processes.append(await stack.enter_async_context(gateway(folder, settings)))
            clients.append(await stack.enter_async_context(mqtt_client(broker.port, name)))

        async def both_show_the_truth(within: float) -> None:
            meter.says_something_new()
            for client in clients:
                await client.shows("tag/shared/reading", within, value=meter.value, quality="good")

        await both_show_the_truth(START)
        await meter.refuse()
        for client in clients:
            await client.all_bad("shared", 2, LOST)
        await meter.listen()
        await both_show_the_truth(BACK)
        await processes[1].stop()
        meter.says_something_new()
        await clients[0].shows("tag/shared/reading", SEEN, value=meter.value, quality="good")
        assert "session_crashed" not in processes[0].log + processes[1].log
