"""A client of the broker that owes nothing to the gateway: it sees what anybody sees, outages of the broker too."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, NamedTuple

import aiomqtt
import pytest

RETRY = 0.05


class Seen(NamedTuple):
    """One message."""

    at: float
    """When it came, monotonic."""
    topic: str
    payload: Any
    retained: bool
    """That the broker had kept it, and did not just get it."""


class MqttClient:
    """Sees `agent/#`, or what else it is told; connects again at once where the broker is gone."""

    def __init__(self, port: int, gateway: str, below: Sequence[str] = ()) -> None:
        """Below: filters of topics below the gateway's."""
        self.seen: list[Seen] = []
        self.newest: dict[str, Any] = {}
        """The payload of each topic, without `agent/{gateway}/`; nothing of what a lost broker said counts."""
        self._port = port
        self._prefix = f"agent/{gateway}/"
        self._filters = [(f"{self._prefix}{each}", 1) for each in below] or [("agent/#", 1)]
        self._news = asyncio.Condition()

    def of(self, topic: str, since: float = 0.0) -> list[Seen]:
        return [seen for seen in self.seen if seen.topic == topic and seen.at >= since]

    def tags(self, device: str) -> dict[str, Any]:
        """The newest of each tag of a device."""
        begin = f"tag/{device}/"
        return {topic.removeprefix(begin): seen for topic, seen in self.newest.items() if topic.startswith(begin)}

    def is_so(self, topic: str, **members: Any) -> bool:
        """Whether the newest payload of a topic has these members."""
        newest: dict[str, Any] = self.newest.get(topic, {})
        return newest.items() >= members.items()

    async def until(self, what: str, true: Callable[[], bool], within: float) -> float:
        """Wait until it is true, looking at each message; return how many seconds that took."""
        began = monotonic()
        try:
            async with asyncio.timeout(within), self._news:
                await self._news.wait_for(true)
        except TimeoutError:
            pytest.fail(f"not within {within:g} s: {what}\nlast seen: {self._last()}")
        return monotonic() - began

    async def shows(self, topic: str, within: float, **members: Any) -> float:
        """Wait until the newest payload of a topic has these members."""
        return await self.until(f"{topic} {members}", lambda: self.is_so(topic, **members), within)

    async def all_good(self, device: str, count: int, within: float) -> float:
        """Wait until all the tags of a device are good."""

        def true() -> bool:
            tags = self.tags(device)
            return len(tags) == count and all(seen["quality"] == "good" for seen in tags.values())

        return await self.until(f"{count} good tags of {device}", true, within)

    async def all_bad(self, device: str, count: int, within: float, reason: str = "") -> float:
        """Wait until all the tags of a device are bad, for this reason or, where it is empty, for any."""

        def true() -> bool:
            tags = self.tags(device).values()
            return len(tags) == count and all(
                seen["quality"] == "bad" and seen["reason"] and reason in {"", seen["reason"]} for seen in tags
            )

        return await self.until(f"{count} bad tags of {device} {reason}", true, within)

    async def run(self) -> None:
        while True:
            try:
                await self._listen()
            except aiomqtt.MqttError:
                self.newest.clear()
                await asyncio.sleep(RETRY)

    async def _listen(self) -> None:
        async with aiomqtt.Client("127.0.0.1", self._port, protocol=aiomqtt.ProtocolVersion.V5) as client:
            await client.subscribe(self._filters)
            async for message in client.messages:
                topic, payload = message.topic.value.removeprefix(self._prefix), _read(bytes(message.payload))
                self.seen.append(Seen(monotonic(), topic, payload, message.retain))
                self.newest[topic] = payload
                async with self._news:
                    self._news.notify_all()

    def _last(self) -> str:
        return "\n".join(f"{seen.topic} {seen.payload}" for seen in self.seen[-12:])


def _read(payload: bytes) -> Any:
    """Return what the JSON says, None where it is none: commands may be anything."""
    try:
        return json.loads(payload)
    except ValueError:
        return None


@asynccontextmanager
async def mqtt_client(port: int, gateway: str = "boiler-house", below: Sequence[str] = ()) -> AsyncIterator[MqttClient]:
    """Watch a broker that is there, and go on watching when it is not."""
    client = MqttClient(port, gateway, below)
    task = asyncio.create_task(client.run(), name="mqtt client")
    try:
        yield client
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def retained(port: int, topics: set[str], within: float, gateway: str = "boiler-house") -> dict[str, Any]:
    """Return what a client that comes now finds retained, once it has found these topics."""
    async with mqtt_client(port, gateway) as late:

        def kept() -> dict[str, Any]:
            return {seen.topic: seen.payload for seen in late.seen if seen.retained}

        await late.until(f"retained: {sorted(topics)}", lambda: topics <= kept().keys(), within)
        return kept()
