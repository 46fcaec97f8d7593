"""Where commands come in: a connection of their own, a short row, and for every message in it exactly one reply.

Of a flood, what was sent at QoS 1 waits at the broker, and what was sent at QoS 0 is dropped here and counted: it
would only come in late and keep out what comes after it. A command that is sent while the gateway is away is lost,
and never carried out later.
"""

import asyncio
import logging
import random
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import NamedTuple

from gateway.clock import Clock
from gateway.control.reply import Outcome, Reply
from gateway.counters import ControlCounters
from gateway.northbound.command_link import RECEIVE_MAXIMUM, CommandLink
from gateway.northbound.faults import LinkDown
from gateway.northbound.link import FIRST_PAUSE, STABLE, next_pause
from gateway.northbound.names import Names
from gateway.northbound.packet_stream import Publish
from gateway.northbound.settings import MqttSettings

MOST_WAITING = 200
"""Messages that wait for their turn; further ones at QoS 0 are dropped, at QoS 1 the broker keeps them."""
AT_ONCE = 30
"""Messages that are being dealt with."""
FEW = 8
"""Messages begun in one turn of the loop."""
REST = 0.001
"""Seconds until the next few: under a flood the loop belongs to others for at least this long in between."""
MOST_TOPIC = 256
"""Characters below `command/` that can still be a verb and a principal; no name is longer than 64."""
MOST_CLEARED = 200

_log = logging.getLogger("plantgate.northbound")


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message from a command topic, as it came."""

    verb: str
    """The levels below `command` but the last; that one alone where there is no other. It may be any text."""
    principal: str | None
    """The topic's last level, None where it has none beside the verb. Whether it is to be believed is not said."""
    payload: bytes
    """At most one byte more than a command may have."""
    retained: bool
    """That it is no live message, and its topic is being cleared."""
    received: float
    """Monotonic."""


class _Taken(NamedTuple):
    """A message that waits for its turn; the broker is told of it once that comes."""

    arrived: Arrived
    link: CommandLink
    packet_id: int


class Inbox:
    """Listens for commands until `close`."""

    def __init__(
        self,
        settings: MqttSettings,
        gateway_id: str,
        clock: Clock,
        rng: random.Random,
        counters: ControlCounters,
        receive: Callable[[Arrived], Awaitable[Reply]],
        answer: Callable[[Reply], None],
    ) -> None:
        """Receive: deals with one message. Answer: is told the reply; returns at once and never raises."""
        self._settings = settings
        self._url = settings.address.url
        self._client_id = f"{settings.client_id or f'plantgate-{gateway_id}'}-commands"
        self._topic = Names(settings.root, gateway_id).command
        self._clock = clock
        self._rng = rng
        self._counters = counters
        self._receive = receive
        self._answer = answer
        self._link: CommandLink | None = None
        self._row: deque[_Taken] = deque()
        self._under_way = 0
        self._due = asyncio.Event()
        """That something may be begun, or that all is over."""
        self._room = asyncio.Event()
        self._closing = asyncio.Event()
        self._is_over = False
        """That nothing more is taken."""
        self._cleared: OrderedDict[str, bool] = OrderedDict()
        """Topics whose clearing comes back to us as a live message, which MQTT 3.1.1 cannot tell apart."""
        self._complaints: set[str] = set()

    @property
    def up(self) -> bool:
        """That commands come in, as far as the broker says."""
        return self._link is not None and self._link.subscribed

    async def run(self) -> None:
        """Listen for ever; after `close` until everything that was taken is answered."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._begin_each(group), name="commands")
            listening = group.create_task(self._keep_connected(), name="command connection")
            await self._closing.wait()
            listening.cancel()
            await asyncio.wait((listening,))
            self._is_over = True
            self._due.set()

    def close(self) -> None:
        """Take nothing more."""
        self._closing.set()

    async def _keep_connected(self) -> None:
        pause = FIRST_PAUSE
        while True:
            began = self._clock.monotonic()
            try:
                await self._listen()
            except LinkDown as problem:
                self._complain(str(problem))
            else:
                _log.warning("commands_flooded", extra={"broker": self._url, "then": "connecting anew"})
                continue
            pause = FIRST_PAUSE if self._clock.monotonic() - began >= STABLE else pause
            pause = next_pause(pause, self._settings.reconnect_max, self._rng)
            await asyncio.sleep(pause)

    async def _listen(self) -> None:
        """Take in what one connection brings, until a flood is over. Raises LinkDown at its end."""
        link = CommandLink(self._settings, self._client_id, f"{self._topic}/#")
        await link.open()
        self._link = link
        self._cleared.clear()
        _log.info("commands_connected", extra={"broker": self._url, "mqtt": link.version})
        try:
            async with aclosing(link.received()) as messages:
                async for message in messages:
                    await self._take(link, message)
        finally:
            self._link = None
            if link.subscribed:
                self._complaints.clear()
            await link.close()

    async def _take(self, link: CommandLink, message: Publish) -> None:
        """Put one message into the row. At QoS 0 it is dropped where the row is full: it was never promised."""
        if self._is_echo(message):
            self._count("ignored")
            link.acknowledge(message.packet_id)
            return
        if not message.packet_id and len(self._row) >= MOST_WAITING:
            self._count("overflow")
            return
        while len(self._row) >= MOST_WAITING + RECEIVE_MAXIMUM:  # a broker that cares for no receive maximum
            self._room.clear()
            await self._room.wait()
        verb, principal = read_topic(message.topic[len(self._topic) + 1 :])
        arrived = Arrived(verb, principal, message.payload, message.retained, self._clock.monotonic())
        self._row.append(_Taken(arrived, link, message.packet_id))
        self._count("taken")
        self._due.set()
        if message.retained:
            self._clear(link, message.topic)

    def _is_echo(self, message: Publish) -> bool:
        """Tell whether somebody, perhaps we, cleared the topic: that is no command."""
        return not message.payload and (message.retained or self._cleared.pop(message.topic, False))

    def _clear(self, link: CommandLink, topic: str) -> None:
        link.clear(topic)
        if link.version == "3.1.1":
            self._cleared[topic] = True
            if len(self._cleared) > MOST_CLEARED:
                self._cleared.popitem(last=False)

    async def _begin_each(self, group: asyncio.TaskGroup) -> None:
        """Begin with what waits, a few at a time, until all is over."""
        while self._row or not self._is_over:
            await self._due.wait()
            for _ in range(min(FEW, len(self._row), AT_ONCE - self._under_way)):
                self._under_way += 1
                arrived, link, packet_id = self._row.popleft()
                link.acknowledge(packet_id)
                group.create_task(self._deal_with(arrived), name="command")
            if not self._row or self._under_way >= AT_ONCE:
                self._due.clear()
            self._room.set()
            await asyncio.sleep(REST)

    async def _deal_with(self, arrived: Arrived) -> None:
        try:
            reply = await self._receive(arrived)
        except Exception as error:  # noqa: BLE001  (a defect must neither stop the inbox nor leave a sender waiting)
            _log.error("command_failed", exc_info=error)
            why = "a defect of the gateway; its log says more"
            reply = Reply("_", Outcome.UNKNOWN, "internal", why, wall=self._clock.wall())
        finally:
            self._under_way -= 1
            self._due.set()
        self._answer(reply)

    def _count(self, result: str) -> None:
        self._counters.received[result] += 1

    def _complain(self, problem: str) -> None:
        if problem not in self._complaints:
            self._complaints.add(problem)
            _log.warning("commands_not_heard", extra={"why": problem, "then": "trying on"})


def read_topic(below: str) -> tuple[str, str | None]:
    """Return verb and principal of a topic by its levels below `command`; a verb with more levels is none."""
    if len(below) > MOST_TOPIC:
        return "", None
    verb, slash, principal = below.rpartition("/")
    return (verb, principal) if slash else (principal, None)
