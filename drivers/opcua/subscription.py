"""One subscription: the points of one publishing interval, created piece by piece and followed message by message."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from math import ceil
from typing import NamedTuple

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from drivers.base import Block, Change, Listener
from drivers.errors import LinkLost
from drivers.opcua.calls import Portions
from drivers.opcua.channel import Channel
from drivers.opcua.data_types import Vetting
from drivers.opcua.notification import (
    DATA_CHANGE,
    STATUS_CHANGE,
    Part,
    Publication,
    read_change_count,
    read_changes,
    read_status_change,
)
from drivers.opcua.quality import judge_status, name_status
from drivers.values import Quality, Seconds, bad

LIFETIME = 30.0
"""Seconds without a publish request after which the server drops a subscription whose gateway died."""
SLICE = 250
"""Changes that are taken in before the loop gets its turn."""
MAX_NOTIFICATIONS = 1000
"""Of one message; the server sends the rest in the next."""

_HEARTBEAT = 0xFFFF_FFFF
"""The client handle of the server's clock, watched where the server would keep silent for too long."""
_CLOCK = ua.NodeId(ua.Int32(2258))
_CLOCK_TICK = 1.0
"""Seconds between two changes of the server's clock, where it is slow."""
_LAST_SEQUENCE = 0xFFFF_FFFF
_ENDED = frozenset({0x800A0000, 0x800C0000, 0x002D0000})
"""Status changes after which nothing more comes: timed out, shut down, transferred to somebody else."""


class Item(NamedTuple):
    """A point that is to be monitored."""

    point: int
    """Its place in the reader's points, which is also its client handle."""
    node: ua.NodeId
    sampling: Seconds


class Subscription:
    """The source of one block; it tells the listener what every publish response brings."""

    def __init__(
        self,
        block: Block,
        listener: Listener,
        vetting: Vetting,
        reread: Callable[[], Awaitable[Sequence[Change]]],
    ) -> None:
        """Reread: asks for all points of the block anew."""
        self.block = block
        self.id = 0
        self._listener = listener
        self._vetting = vetting
        self._reread = reread
        self._heard = float("inf")
        self._patience = 0.0
        self._sequence = 0
        self._refused: dict[int, Change] = {}

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
        silence = granted.RevisedPublishingInterval / 1000 * max(granted.RevisedMaxKeepAliveCount, 1)
        if silence > 1.5 * interval * keep_alive and await self._watch_clock(channel, interval):
            silence = max(granted.RevisedPublishingInterval / 1000, _CLOCK_TICK)
        self._listener.granted(self.block, silence)
        self._patience = 2 * silence + 1
        self._heard = asyncio.get_running_loop().time()

    async def monitor(
        self, channel: Channel, items: Sequence[Item], portions: Portions, stamps: ua.TimestampsToReturn
    ) -> list[Change]:
        """Have the server watch the items; return those that it refuses, BAD. Raises DeviceFault."""

        async def create(portion: Sequence[Item]) -> Sequence[ua.MonitoredItemCreateResult]:
            return await self._create_items(channel, portion, stamps)

        results = await portions.run(items, create)
        verdicts = [judge_status(result.StatusCode.value) for result in results]
        pairs = zip(items, verdicts, strict=True)
        refused = [(item.point, bad(reason)) for item, (quality, reason) in pairs if quality is Quality.BAD]
        self._refused.update((change[0], change) for change in refused)
        return refused

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
            changes = [self._refused.get(change[0], change) for change in await self._reread()]
            self._listener.received(self.block, changes)
        elif not told:
            self._listener.received(self.block, ())

    async def _create_items(
        self, channel: Channel, items: Sequence[Item], stamps: ua.TimestampsToReturn
    ) -> Sequence[ua.MonitoredItemCreateResult]:
        request = ua.CreateMonitoredItemsRequest()
        request.Parameters.SubscriptionId = ua.IntegerId(self.id)
        request.Parameters.TimestampsToReturn = stamps
        request.Parameters.ItemsToCreate = [_describe(item) for item in items]
        return (await channel.ask(request, ua.CreateMonitoredItemsResponse)).Results

    async def _watch_clock(self, channel: Channel, interval: Seconds) -> bool:
        clock = Item(_HEARTBEAT, _CLOCK, interval)
        return not await self.monitor(channel, [clock], Portions(1), ua.TimestampsToReturn.Neither)

    async def _take_changes(self, data: bytes, part: Part) -> None:
        left, at = read_change_count(data, part)
        while True:
            changes, at = read_changes(data, at, min(left, SLICE))
            self._listener.received(self.block, self._vetting.vet(changes))
            left -= SLICE
            if left <= 0:
                return
            await asyncio.sleep(0)

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


def _describe(item: Item) -> ua.MonitoredItemCreateRequest:
    # A queue of one: what counts is the newest value. No filter: the deadband is the gateway's.
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=ua.ReadValueId(NodeId=item.node, AttributeId=ua.IntegerId(AttributeIds.Value)),
        MonitoringMode=ua.MonitoringMode.Reporting,
        RequestedParameters=ua.MonitoringParameters(
            ClientHandle=ua.IntegerId(item.point),
            SamplingInterval=ua.Duration(item.sampling * 1000),
            QueueSize=ua.Counter(1),
            DiscardOldest=True,
        ),
    )
