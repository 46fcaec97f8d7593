"""Ten thousand commands a second: the loop goes on, nothing grows, and the next command is answered."""

import asyncio
import json
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.clock import SystemClock
from gateway.control.reply import Outcome, Reply
from gateway.counters import ControlCounters, MqttCounters
from gateway.northbound.command_link import RECEIVE_MAXIMUM
from gateway.northbound.inbox import AT_ONCE, MOST_WAITING, Arrived, Inbox
from gateway.northbound.link import Link
from gateway.northbound.publisher import MOST_REPLY_BYTES, Publisher
from gateway.northbound.settings import MqttSettings
from tests.integration.command_inbox import COMMAND, send
from tests.integration.mqtt_gateway import until, watching
from tests.servers import ROOT, mosquitto

pytestmark = pytest.mark.real

RATE, SECONDS = 10_000, 3
LAG = 0.02
"""Seconds by which the flood may hold up the loop, in 99 of 100 turns; asserted tenfold."""
ANSWERED = 5.0
"""Seconds within which a command is answered that comes after the flood."""


class Front:
    """An inbox and a publisher; every command is refused at once."""

    def __init__(self, settings: MqttSettings) -> None:
        clock, counters = SystemClock(), MqttCounters()
        link = Link(settings, "gw", clock, random.Random(1), counters)
        self.publisher = Publisher(settings, "gw", [], link, clock, counters)
        self.counters = ControlCounters()
        self.inbox = Inbox(settings, "gw", clock, random.Random(2), self.counters, self.receive, self.publisher.reply)

    async def receive(self, arrived: Arrived) -> Reply:
        fields = json.loads(arrived.payload)
        return Reply(fields["id"], Outcome.REFUSED, "rate_limited", wall=time.time())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.publisher.run())
            group.create_task(self.inbox.run())
            await until(lambda: self.inbox.up)
            yield
            self.inbox.close()
            await self.publisher.stop()


class Look:
    """What was seen of a front, every ten milliseconds."""

    def __init__(self, front: Front) -> None:
        self.lags: list[float] = []
        self.waiting: list[int] = []
        self.replies: list[int] = []
        self.tasks: list[int] = []
        self._front = front

    async def until_done(self, task: "asyncio.Task[str]") -> str:
        while not task.done():
            due = time.monotonic() + 0.01
            await asyncio.sleep(0.01)
            self.lags.append(time.monotonic() - due)
            self.waiting.append(len(self._front.inbox._row))
            self.replies.append(self._front.publisher._replies._bytes)
            self.tasks.append(len(asyncio.all_tasks()))
        return await task


async def flood(port: int, qos: int) -> str:
    command = (sys.executable, "-m", "tests.integration.mqtt_flood", *map(str, (port, qos, RATE, SECONDS)))
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return output.decode()


@pytest.mark.parametrize("qos", [0, 1])
async def test_a_flood_holds_nothing_up_and_the_next_command_is_answered(tmp_path: Path, qos: int) -> None:
    async with mosquitto(tmp_path) as broker:
        settings = MqttSettings(url=broker.url)
        front = Front(settings)
        async with front.running(), watching(settings, "agent/gw/reply/next") as watcher:
            before, look = len(asyncio.all_tasks()), Look(front)
            sent = int(await look.until_done(asyncio.create_task(flood(broker.port, qos))))
            assert sent > RATE  # or it was no flood
            assert front.counters.received["taken"] > MOST_WAITING
            look.lags.sort()
            assert look.lags[len(look.lags) * 99 // 100] < 10 * LAG
            assert max(look.waiting) <= MOST_WAITING + RECEIVE_MAXIMUM
            assert max(look.replies) <= MOST_REPLY_BYTES
            assert max(look.tasks) <= before + AT_ONCE + 10
            if qos:  # the broker's own row is full, and it would drop the next command
                await until(lambda: not front.inbox._row)
            began = time.monotonic()
            await send(broker.port, f"{COMMAND}write", '{"id":"next"}')
            await until(lambda: "agent/gw/reply/next" in watcher.newest, 10 * ANSWERED)
            assert time.monotonic() - began < 10 * ANSWERED
