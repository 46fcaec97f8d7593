"""Whoever sends commands over MQTT and waits for what is answered; it owes nothing to the gateway."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import aiomqtt
import pytest

from tests.scenarios.deadlines import SLACK

ANSWERED = SLACK * 2.0
"""Seconds until an answer: a write that cannot be read back takes 2 s."""

_numbers = count(1)


class Commander:
    """One client of the broker."""

    def __init__(self, client: aiomqtt.Client, gateway: str) -> None:
        self.replies: list[dict[str, Any]] = []
        """All that came, in their order."""
        self._by_id: dict[str, list[dict[str, Any]]] = {}
        self._client = client
        self._command = f"agent/{gateway}/command"
        self._reply = f"agent/{gateway}/reply/#"
        self._news = asyncio.Condition()

    def to(self, command_id: str) -> list[dict[str, Any]]:
        """Return the replies to one id, in their order."""
        return self._by_id.get(command_id, [])

    async def send(self, below: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish something below `command`; an empty text for the topic itself."""
        topic = f"{self._command}/{below}" if below else self._command
        await self._client.publish(topic, payload, qos=qos, retain=retain)

    async def ask(self, verb: str, *, retain: bool = False, within: float = ANSWERED, **fields: Any) -> dict[str, Any]:
        """Send a command, and return its reply; with an id of its own where none is given."""
        fields = {"id": f"c{next(_numbers)}", **fields}
        before = len(self.to(fields["id"]))
        await self.send(verb, json.dumps(fields).encode(), retain=retain)
        return await self.nth(fields["id"], before + 1, within)

    async def write(self, tag: str, value: Any, **fields: Any) -> dict[str, Any]:
        """Send a write of one tag, and return its reply."""
        return await self.ask("write", writes={tag: value}, **fields)

    async def nth(self, command_id: str, number: int, within: float = ANSWERED) -> dict[str, Any]:
        """Wait for so many replies to an id, and return that one."""
        try:
            async with asyncio.timeout(within), self._news:
                await self._news.wait_for(lambda: len(self.to(command_id)) >= number)
        except TimeoutError:
            pytest.fail(f"no reply {number} to {command_id} within {within:g} s; the last: {self.replies[-5:]}")
        return self.to(command_id)[number - 1]

    async def total(self, number: int, within: float) -> None:
        """Wait for so many replies, whatever they answer."""
        try:
            async with asyncio.timeout(within), self._news:
                await self._news.wait_for(lambda: len(self.replies) >= number)
        except TimeoutError:
            pytest.fail(f"{len(self.replies)} replies and not {number} within {within:g} s")

    async def listen(self, listens: asyncio.Event) -> None:
        """Take replies in for ever."""
        await self._client.subscribe(self._reply, qos=1)
        listens.set()
        async for message in self._client.messages:
            async with self._news:
                reply = json.loads(bytes(message.payload))
                self.replies.append(reply)
                self._by_id.setdefault(reply["id"], []).append(reply)
                self._news.notify_all()


@asynccontextmanager
async def commander(port: int, gateway: str) -> AsyncIterator[Commander]:
    """Listen to the replies of a gateway as long as the context lasts."""
    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        giver, listens = Commander(client, gateway), asyncio.Event()
        task = asyncio.create_task(giver.listen(listens), name="commander")
        try:
            await listens.wait()
            yield giver
        finally:
            task.cancel()
            await asyncio.wait((task,))
