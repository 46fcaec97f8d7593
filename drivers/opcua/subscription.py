"""One subscription: the points of one publishing interval, followed message by message."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from math import ceil

from asyncua import ua

from drivers.base import Block, Change, Listener
from drivers.errors import LinkLost
from drivers.opcua.calls import Portions
from drivers.opcua.channel import Channel
from drivers.opcua.data_types import Vetting
from drivers.opcua.items import Granted, Item, Items
from drivers.opcua.notification import (
    DATA_CHANGE,
    STATUS_CHANGE,
    Part,
    Publication,
    read_change_count,
    read_changes,
    read_status_change,
)
from drivers.opcua.quality import OVERFLOW, judge_status, name_status
from drivers.opcua.retries import Retries
from drivers.opcua.variant import Structured
from drivers.opcua.verification import Verification
from drivers.values import Quality, Seconds

LIFETIME = 30.0
"""Seconds without a publish request after which the server drops a subscription whose gateway died."""
SLICE = 250
"""Changes that are taken in before the loop gets its turn."""
MAX_NOTIFICATIONS = 1000
"""Of one message; the server sends the rest in the next."""
SLACK = 1.0
"""Seconds that a change may take from the server to here, over the intervals that were granted."""

_HEARTBEAT = 0xFFFF_FFFF
"""The client handle of the server's clock, watched where the server would keep silent for too long."""
_CLOCK = ua.NodeId(ua.Int32(2258))
_CLOCK_TICK = 1.0
"""Seconds between two changes of the server's clock, where it is slow."""
_LAST_SEQUENCE = 0xFFFF_FFFF
_ENDED = frozenset({0x800A0000, 0x800C0000, 0x002D0000})
"""Status changes after which nothing more comes: timed out, shut down, transferred to somebody else."""


class Subscription:
    """The source of one block; it tells the listener what every publish response brings."""

    def __init__(
        self,
        block: Block,
        listener: Listener,
        vetting: Vetting,
        verification: Verification,
        retries: Retries,
        reread: Callable[[], Awaitable[Sequence[Change]]],
        structures: Structured,
        count: Callable[[str], None],
    ) -> None:
        """Reread: asks for all points of the block anew."""
        self.block = block
        self.id = 0
        self.vetting = vetting
        self.verification = verification
        self.retries = retries
        self._listener = listener
        self._reread = reread
        self._structures = structures
        self._count = count
        self._interval = 0.0
        self._heard = float("inf")
        self._patience = 0.0
        self._sequence = 0
        self._deep: set[int] = set()

    async def create(self, channel: Channel, interval: Seconds) -> None:
        """Have the server begin to publish. Raises DeviceFault."""
        keep_alive = 2 if interval <= 0.5 else 1
        request = ua.CreateSubscriptionRequest()
        parameters = request.Parameters
        parameters.RequestedPublishingInterval = ua.Duration(interval * 1000)
        parameters.RequestedMaxKeepAliveCount = ua.Counter(keep_alive)
        parameters.RequestedLifetimeCount = ua.Counter(max(3 * keep_alive, ceil(LIFETIME / interval)))
        parameters.MaxNotificationsPerPublish = ua.Counter(MAX_NOTIFICATIONS)
        granted = (await channel.ask(request, ua.CreateSubscriptionResponse)).Parameters
        self.id = granted.SubscriptionId
        self._interval = granted.RevisedPublishingInterval / 1000
        silence = self._interval * max(granted.RevisedMaxKeepAliveCount, 1)
        if silence > 1.5 * interval * keep_alive and await self._watch_clock(channel, interval):
            silence = max(self._interval, _CLOCK_TICK)
        self._listener.granted(self.block, silence)
        self._patience = 2 * silence + 1
        self._heard = asyncio.get_running_loop().time()

    def adopt(self, granted: Sequence[Granted]) -> list[Change]:
        """Take over what the server made of the items; return the points that it newly refused, BAD."""
        refused: list[Change] = []
        now = asyncio.get_running_loop().time()
        for point, refusal, sampling, queue in granted:
            if refusal:
                if not self.verification.is_told(point, refusal):
                    refused.append(self.verification.spoil(point, refusal))
                self.retries.postpone(point, now)
                continue
            self.verification.allow(point, sampling + 2 * self._interval + SLACK)
            if queue > 1:
                self._deep.add(point)
        return refused

    def tell(self, changes: Sequence[Change]) -> None:
        """Hand on what was found out about some points otherwise than by a notification."""
        if changes:
            self._listener.received(self.block, changes)

    def is_overdue(self, now: float) -> bool:
        """Return whether the server should have published long since."""
        return not now - self._heard <= self._patience

    async def take(self, data: bytes, publication: Publication) -> None:
        """Take in one publish response. Raises BadEncoding or DeviceFault; then nothing can be believed any more."""
        self._heard = asyncio.get_running_loop().time()
        missed = self._has_gap(publication)
        told = False
        for part in publication.parts:
            if part.kind == DATA_CHANGE:
                await self._take_changes(data, part)
                told = True
            elif part.kind == STATUS_CHANGE:
                missed |= self._take_status(read_status_change(data, part))
        if missed:
            # An item that is not monitored stays BAD, even if it can be read: nobody would tell of its changes.
            self._count("message_lost")
            self._listener.received(self.block, self.verification.amend(await self._reread()))
        elif not told:
            self._listener.received(self.block, ())

    async def _watch_clock(self, channel: Channel, interval: Seconds) -> bool:
        items = Items(channel, self.id, Portions(1), ua.TimestampsToReturn.Neither)
        (granted,) = await items.create([Item(_HEARTBEAT, _CLOCK, interval)])
        return not granted.refusal

    async def _take_changes(self, data: bytes, part: Part) -> None:
        left, at = read_change_count(data, part)
        while True:
            changes, at = read_changes(data, at, min(left, SLICE), self._structures)
            left -= len(changes)
            vetted = self.vetting.vet(changes)
            if OVERFLOW in [change[1][2] for change in vetted]:
                vetted = [self._weigh(change) for change in vetted]
            self.verification.note(vetted)
            self._listener.received(self.block, vetted)
            if left <= 0:
                return
            await asyncio.sleep(0)

    def _weigh(self, change: Change) -> Change:
        # With a queue of one the newest value is all that was asked for; a server should not speak of an overflow then
        # (OPC 10000-4, 7.22: only with queues longer than one), and some do.
        point, sample = change
        if sample.reason != OVERFLOW:
            return change
        self._count(OVERFLOW)
        return change if point in self._deep else (point, sample._replace(quality=Quality.GOOD, reason=""))

    def _take_status(self, status: int) -> bool:
        """Return whether something about the points has changed that no data change tells."""
        if status & 0xFFFF0000 in _ENDED:
            raise LinkLost("subscription_lost", f"the server ended the subscription: {name_status(status)}")
        return judge_status(status)[0] is Quality.BAD

    def _has_gap(self, publication: Publication) -> bool:
        if not publication.parts:
            return False
        before, self._sequence = self._sequence, publication.sequence
        return before != 0 and publication.sequence != (1 if before == _LAST_SEQUENCE else before + 1)
