"""Commands over MQTT 3.1.1, where only a broker that knows nothing newer leads to: here the embedded one."""

from collections.abc import AsyncIterator

import pytest

from drivers.values import Seconds
from gateway.northbound.embedded import EmbeddedBroker
from gateway.northbound.settings import MqttSettings
from tests.integration.command_inbox import COMMAND, Desk, send
from tests.integration.mqtt_gateway import until
from tests.servers import free_port

pytestmark = pytest.mark.real


@pytest.fixture
async def settings() -> AsyncIterator[MqttSettings]:
    made = MqttSettings(url=f"embedded://:{free_port()}", reconnect_max=Seconds(1))
    async with EmbeddedBroker(made.address):
        yield made


async def test_commands_come_in_and_are_answered(settings: MqttSettings) -> None:
    async with Desk(settings) as desk:
        await desk.listening()
        link = desk.inbox._link
        assert link is not None
        assert link.version == "3.1.1"
        await send(settings.address.port, f"{COMMAND}write/me", *map(str, range(300)))
        await desk.answered(300)
        assert [arrived.payload for arrived in desk.arrived] == [str(place).encode() for place in range(300)]
        assert {(arrived.verb, arrived.principal) for arrived in desk.arrived} == {("write", "me")}


async def test_a_retained_command_is_told_apart_at_the_subscription_and_its_clearing_is_no_command(
    settings: MqttSettings,
) -> None:
    port = settings.address.port
    await send(port, f"{COMMAND}write", "old", retain=True)
    async with Desk(settings) as desk:
        await desk.answered(1)
        assert (desk.arrived[0].payload, desk.arrived[0].retained) == (b"old", True)
        await until(lambda: desk.counters.received["ignored"] == 1)
        await send(port, f"{COMMAND}write")
        await desk.answered(2)
        assert (desk.arrived[1].payload, desk.arrived[1].retained) == (b"", False)
    async with Desk(settings) as desk:
        await desk.listening()
        await send(port, f"{COMMAND}write", "live")
        await desk.answered(1)
        assert desk.arrived[0].payload == b"live"
