"""A gateway that takes commands at a real broker and answers as a test wants; it owes nothing to the real one."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import aiomqtt

from tests.servers import Mosquitto

Fields: TypeAlias = dict[str, Any]
Answer: TypeAlias = Callable[[str, Fields], Fields | None]
"""The topic below `command/` and the payload -> the reply, None for none."""

ONLINE = {"state": "online", "time": "2026-01-01T00:00:00.000Z", "expires": "2999-01-01T00:00:00.000Z", "reasons": []}


def apply(topic: str, fields: Fields) -> Fields:
    """Answer as a gateway does at which everything is applied."""
    results = {
        tag: {"requested": value, "read_back": value, "outcome": "applied", "code": ""}
        for tag, value in fields.get("writes", {}).items()
    }
    return {"id": fields["id"], "outcome": "applied", "code": "", "message": "", "violations": [], "results": results}


def say_nothing(topic: str, fields: Fields) -> None:
    """Answer nothing."""


class AnsweringGateway:
    """What came in, as it came."""

    def __init__(self, client: aiomqtt.Client, gateway: str) -> None:
        self.commands: list[tuple[str, Fields]] = []
        self.payloads: list[bytes] = []
        self.answer: Answer = apply
        self.came = asyncio.Event()
        self._client = client
        self._prefix = f"agent/{gateway}"

    async def tell(self, **members: Any) -> None:
        """Publish a status."""
        await self._client.publish(f"{self._prefix}/status", json.dumps(ONLINE | members), qos=1, retain=True)

    async def listen(self) -> None:
        await self._client.subscribe(f"{self._prefix}/command/#", qos=1)

    async def serve(self) -> None:
        async for message in self._client.messages:
            payload = bytes(message.payload)
            topic, fields = message.topic.value.removeprefix(f"{self._prefix}/command/"), json.loads(payload)
            self.commands.append((topic, fields))
            self.payloads.append(payload)
            self.came.set()
            reply = self.answer(topic, fields)
            if reply is not None:
                await self._client.publish(f"{self._prefix}/reply/{fields['id']}", json.dumps(reply), qos=1)


@asynccontextmanager
async def answering(broker: Mosquitto, gateway: str = "gw", **login: Any) -> AsyncIterator[AnsweringGateway]:
    """Run it: online, and listening."""
    async with aiomqtt.Client("127.0.0.1", broker.port, protocol=aiomqtt.ProtocolVersion.V5, **login) as client:
        answerer = AnsweringGateway(client, gateway)
        await answerer.listen()
        await answerer.tell()
        serving = asyncio.create_task(answerer.serve(), name="answering gateway")
        try:
            yield answerer
        finally:
            serving.cancel()
            await asyncio.wait((serving,))
