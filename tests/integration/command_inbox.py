"""An inbox on its own, and a way to send it commands as any client would."""

import asyncio
import os
import random
from collections.abc import Awaitable, Callable
from typing import Self

from gateway.clock import SystemClock
from gateway.control.reply import Outcome, Reply
from gateway.counters import ControlCounters
from gateway.northbound.inbox import Arrived, Inbox
from gateway.northbound.settings import MqttSettings
from tests.integration.mqtt_gateway import until
from tests.servers import library_path, program

COMMAND = "agent/gw/command/"


class Desk:
    """Takes commands and answers each with its place in the order in which they came; as `async with` it listens."""

    def __init__(self, settings: MqttSettings, answer: Callable[[Reply], None] | None = None) -> None:
        self.arrived: list[Arrived] = []
        self.replies: list[Reply] = []
        self.counters = ControlCounters()
        self.at_once = 0
        """The most that were dealt with at the same time."""
        self.open = asyncio.Event()
        """Until it is set, whoever was begun with waits."""
        self.open.set()
        self._now = 0
        self.inbox = Inbox(
            settings,
            "gw",
            SystemClock(),
            random.Random(1),
            self.counters,
            self.receive,
            answer or self.replies.append,
        )
        self.running: asyncio.Task[None] | None = None

    def receive(self, arrived: Arrived) -> Awaitable[Reply]:
        self.arrived.append(arrived)
        return self._deal_with(str(len(self.arrived)))

    async def _deal_with(self, place: str) -> Reply:
        self._now += 1
        self.at_once = max(self.at_once, self._now)
        await self.open.wait()
        self._now -= 1
        return Reply(place, Outcome.APPLIED)

    async def __aenter__(self) -> Self:
        self.running = asyncio.create_task(self.inbox.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.running is not None
        self.inbox.close()
        async with asyncio.timeout(10):
            await self.running

    async def listening(self) -> None:
        await until(lambda: self.inbox.up)

    async def answered(self, count: int) -> None:
        await until(lambda: len(self.replies) >= count)
        assert len(self.replies) == count


async def send(port: int, topic: str, *payloads: str, qos: int = 1, retain: bool = False) -> None:
    """Publish with a client of another make, each payload as a message of its own."""
    how = ("-l",) if payloads else ("-n",)
    flags = ("-r",) if retain else ()
    command = (program("mosquitto_pub"), "-p", str(port), "-q", str(qos), "-t", topic, *how, *flags)
    process = await asyncio.create_subprocess_exec(*command, env=library_path(), stdin=asyncio.subprocess.PIPE)
    await process.communicate("".join(f"{payload}\n" for payload in payloads).encode())
    assert process.returncode == os.EX_OK
