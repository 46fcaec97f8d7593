"""The monitored items of one subscription: created, dropped, and held against what the server still has."""

from collections.abc import Sequence
from typing import NamedTuple

from asyncua import ua
from asyncua.ua.attribute_ids import AttributeIds

from drivers.errors import DeviceFault, LinkLost
from drivers.opcua.calls import Portions
from drivers.opcua.channel import Channel
from drivers.opcua.quality import judge_status
from drivers.values import Quality, Seconds

_ITEM_INVALID = 0x80420000
_FILTER_REFUSED = frozenset({0x80430000, 0x80440000, 0x80450000, 0x808E0000})
"""BadMonitoredItemFilterInvalid, ...Unsupported, BadFilterNotAllowed, BadDeadbandFilterInvalid."""
_CODE = 0xFFFF0000
_LONGEST = 86_400.0


class Item(NamedTuple):
    """A point that is to be monitored."""

    point: int
    """Its place in the reader's points, which is also its client handle."""
    node: ua.NodeId
    sampling: Seconds
    queue: int = 1
    """Values that the server keeps between two publish responses, the newest last."""
    deadband: float = 0.0
    """A smaller change is not reported, in the device's own units."""


class Granted(NamedTuple):
    """What the server made of an item."""

    point: int
    refusal: str
    """Why there is none, empty where there is one."""
    sampling: float
    """Seconds between two looks at the value."""
    queue: int


class Items:
    """What one subscription monitors, by point."""

    def __init__(self, channel: Channel, subscription: int, portions: Portions, stamps: ua.TimestampsToReturn) -> None:
        self._channel = channel
        self._subscription = ua.IntegerId(subscription)
        self._portions = portions
        self._stamps = stamps
        self._ids: dict[int, int] = {}
        self._comparable = True

    async def create(self, items: Sequence[Item]) -> list[Granted]:
        """Have the server watch the items; where it refuses a deadband, without one. Raises DeviceFault."""
        results = await self._portions.run(items, self._create)
        plain = [
            item._replace(deadband=0.0)
            for item, result in zip(items, results, strict=True)
            if item.deadband and result.StatusCode.value & _CODE in _FILTER_REFUSED
        ]
        second = dict(zip((item.point for item in plain), await self._portions.run(plain, self._create), strict=True))
        return [self._adopt(item, second.get(item.point, first)) for item, first in zip(items, results, strict=True)]

    async def drop(self, points: Sequence[int]) -> None:
        """Have the server forget what it may still have of these points. Raises DeviceFault."""
        known = [(point, self._ids[point]) for point in points if point in self._ids]
        await self._portions.run([item for _, item in known], self._delete)
        for point, _ in known:
            self._ids.pop(point, None)

    async def find_missing(self) -> list[int]:
        """Return the points whose items the server has lost. Raises DeviceFault.

        To set the monitoring mode that an item has anyway changes nothing, and is answered for each item by itself.
        (GetMonitoredItems is a method, and a method call counts as a write.)
        """
        if not self._comparable:
            return []
        known = list(self._ids.items())
        try:
            codes = await self._portions.run([item for _, item in known], self._set_mode)
        except LinkLost:
            raise
        except DeviceFault as fault:
            self._comparable = fault.kind not in {"service_unsupported", "not_implemented", "not_supported"}
            raise
        lost = [pair for pair, code in zip(known, codes, strict=True) if code & _CODE == _ITEM_INVALID]
        # A point may have got a new item meanwhile.
        missing = [point for point, item in lost if self._ids.get(point) == item]
        for point in missing:
            del self._ids[point]
        return missing

    def _adopt(self, item: Item, result: ua.MonitoredItemCreateResult) -> Granted:
        quality, reason = judge_status(result.StatusCode.value)
        if quality is Quality.BAD:
            return Granted(item.point, reason, 0.0, 0)
        self._ids[item.point] = result.MonitoredItemId
        sampling = result.RevisedSamplingInterval / 1000
        return Granted(
            item.point,
            "",
            sampling if 0 <= sampling <= _LONGEST else item.sampling,
            result.RevisedQueueSize,
        )

    async def _create(self, items: Sequence[Item]) -> Sequence[ua.MonitoredItemCreateResult]:
        request = ua.CreateMonitoredItemsRequest()
        request.Parameters.SubscriptionId = self._subscription
        request.Parameters.TimestampsToReturn = self._stamps
        request.Parameters.ItemsToCreate = [_describe(item) for item in items]
        return (await self._channel.ask(request, ua.CreateMonitoredItemsResponse)).Results

    async def _delete(self, ids: Sequence[int]) -> Sequence[ua.StatusCode]:
        request = ua.DeleteMonitoredItemsRequest()
        request.Parameters.SubscriptionId = self._subscription
        request.Parameters.MonitoredItemIds = [ua.IntegerId(item) for item in ids]
        return (await self._channel.ask(request, ua.DeleteMonitoredItemsResponse)).Results

    async def _set_mode(self, ids: Sequence[int]) -> Sequence[int]:
        request = ua.SetMonitoringModeRequest()
        request.Parameters.SubscriptionId = self._subscription
        request.Parameters.MonitoringMode = ua.MonitoringMode.Reporting
        request.Parameters.MonitoredItemIds = [ua.IntegerId(item) for item in ids]
        answer = await self._channel.ask(request, ua.SetMonitoringModeResponse)
        return [code.value for code in answer.Parameters.Results]


def _describe(item: Item) -> ua.MonitoredItemCreateRequest:
    parameters = ua.MonitoringParameters(
        ClientHandle=ua.IntegerId(item.point),
        SamplingInterval=ua.Duration(item.sampling * 1000),
        QueueSize=ua.Counter(item.queue),
        DiscardOldest=True,
    )
    if item.deadband:
        parameters.Filter = ua.DataChangeFilter(
            Trigger=ua.DataChangeTrigger.StatusValue,
            DeadbandType=ua.UInt32(ua.DeadbandType.Absolute),
            DeadbandValue=ua.Double(item.deadband),
        )
    return ua.MonitoredItemCreateRequest(
        ItemToMonitor=ua.ReadValueId(NodeId=item.node, AttributeId=ua.IntegerId(AttributeIds.Value)),
        MonitoringMode=ua.MonitoringMode.Reporting,
        RequestedParameters=parameters,
    )
