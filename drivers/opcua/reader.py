"""The read half of one device: its points resolved on this connection, subscribed, or read when asked."""

from collections.abc import Callable, Coroutine, Hashable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from asyncua import ua

from drivers.base import Block, Care, Change, Listener, Plan, Surroundings
from drivers.errors import DeviceFault, LinkLost
from drivers.opcua.calls import ServerFacts, learn_facts, read_nodes, watch_namespaces
from drivers.opcua.channel import Channel
from drivers.opcua.data_types import Vetting
from drivers.opcua.items import Item, Items
from drivers.opcua.notification import Result
from drivers.opcua.publisher import Publisher
from drivers.opcua.read_plan import ReadPlan, unproved
from drivers.opcua.retries import Retries
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint
from drivers.opcua.subscription import Subscription
from drivers.opcua.survey import Survey, survey
from drivers.opcua.upkeep import Kept, Rhythm, Upkeep
from drivers.opcua.verification import Verification, is_same
from drivers.values import DataType, Sample, Seconds, bad


class Start(Protocol):
    """Has something run for as long as the connection lives; what it raises ends the connection."""

    def __call__(self, chore: Callable[[], Coroutine[Any, Any, None]], once: Hashable = None) -> None:
        """Of the chores with the same `once`, the first alone is run."""


class OpcUaReader:
    """The points of one device on one connection; any block can be read, subscribed or not."""

    def __init__(
        self,
        channel: Channel,
        publisher: Publisher,
        device: OpcUaDevice,
        points: Sequence[OpcUaPoint],
        around: Surroundings,
        start: Start,
    ) -> None:
        self._channel = channel
        self._publisher = publisher
        self._device = device
        self._points = tuple(points)
        self._around = around
        self._start = start
        self._plan = ReadPlan(device, self._points)
        self._cares: Mapping[int, Care] = dict(enumerate(around.cares))
        self._stamps = ua.TimestampsToReturn.Source if device.with_time else ua.TimestampsToReturn.Neither
        self._intervals: dict[Block, Seconds] = {}
        self._polled: set[Block] = set()
        self._last: dict[int, Sample] = {}
        self._vettings: dict[Block, Vetting] = {}
        self._facts: ServerFacts | None = None
        self._survey: Survey | None = None
        self._upkeep: Upkeep | None = None

    async def prepare(self) -> Plan:
        if not self._device.verify and unproved(self._cares, self._plan):
            raise DeviceFault(
                "unverified", f"{self._channel.address}: verify: 0 leaves tags unproved that decisions rest on; set 5s"
            )
        self._facts = facts = await learn_facts(self._channel, self._device, self._around.learned)
        every = self._device.compare
        self._start(partial(watch_namespaces, self._channel, facts.namespaces, every), (facts.namespaces, every))
        self._survey = await survey(self._channel, facts, self._points)
        self._intervals = self._plan.subscribed()
        polled = self._plan.polled(facts.reads.size)
        self._polled = set(polled)
        self._vettings = {block: self._vetting_of(block.points) for block in [*polled, *self._intervals]}
        return Plan(polled=polled, subscribed=tuple(self._intervals))

    def data_type(self, point: int) -> DataType | None:
        configured = self._points[point].type
        return self._survey.types.get(point) if configured is None and self._survey is not None else configured

    async def read(self, block: Block) -> Sequence[Change]:
        """Ask once for a block. Of a subscribed one all points are returned, of a polled one those that changed."""
        known = self._known(block)
        results = await self._read(known)
        changes = [(point, result.sample) for point, result in zip(known, results, strict=True)]
        changes = self._vettings[block].vet(changes) + self._unknown(block)
        return self._sift(changes) if block in self._polled else changes

    async def probe(self, within: Seconds) -> None:
        await self._channel.probe(within)

    async def subscribe(self, listener: Listener) -> None:
        assert self._facts is not None
        made: list[Subscription] = []
        try:
            intervals = self._intervals.items()
            kept = [await self._subscribe(block, interval, listener, made) for block, interval in intervals]
        except LinkLost:
            raise
        except DeviceFault:
            await self._publisher.drop(made)  # it is going to be tried anew, with others
            raise
        rhythm = Rhythm(self._device.verify, self._device.compare)
        if kept:
            self._upkeep = Upkeep(kept, self._read_vetted, lambda: self._size, rhythm, self._around.count)
            self._start(self._upkeep.run)

    def forget(self, points: Sequence[int]) -> None:
        for point in points:
            self._last.pop(point, None)
        if self._upkeep is not None:
            self._upkeep.recall(points)

    async def _subscribe(self, block: Block, interval: Seconds, listener: Listener, made: list[Subscription]) -> Kept:
        """Made: takes up the subscription as soon as the server has it."""
        assert self._facts is not None
        assert self._survey is not None
        wanted = {place: self._item(place, interval) for place in self._known(block)}
        retries = Retries()
        verification = Verification({place: self._care(place).deadband for place in block.points}, retries)
        subscription = Subscription(
            block,
            listener,
            self._vettings[block],
            verification,
            retries,
            partial(self.read, block),
            self._survey.structures,
            self._around.count,
        )
        await subscription.create(self._channel, interval)
        self._publisher.add(subscription)
        made.append(subscription)
        items = Items(self._channel, subscription.id, self._facts.creates, self._stamps)
        refused = subscription.adopt(await items.create(list(wanted.values())))
        listener.received(block, refused + self._unknown(block))
        judged = frozenset(place for place in wanted if self._care(place).judged)
        return Kept(subscription, items, wanted, judged)

    def _item(self, place: int, interval: Seconds) -> Item:
        assert self._survey is not None
        plan, care = self._plan, self._care(place)
        return Item(
            place,
            self._survey.nodes[place],
            plan.sampling(place),
            plan.queue(place, interval, care),
            plan.deadband(care, self.data_type(place), self._survey.expected[place]),
        )

    def _care(self, place: int) -> Care:
        return self._cares.get(place, Care())

    @property
    def _size(self) -> int:
        assert self._facts is not None
        return self._facts.reads.size

    def _known(self, block: Block) -> list[int]:
        assert self._survey is not None
        return [point for point in block.points if point in self._survey.nodes]

    def _unknown(self, block: Block) -> list[Change]:
        assert self._survey is not None
        return [(point, bad("namespace_unknown")) for point in block.points if point not in self._survey.nodes]

    def _vetting_of(self, places: Sequence[int]) -> Vetting:
        assert self._survey is not None
        return Vetting({place: self._survey.expected[place] for place in places}, with_time=self._device.with_time)

    def _sift(self, changes: Sequence[Change]) -> list[Change]:
        """Keep the changes that are none but for a new time stamp away, as a subscription would."""
        last = self._last
        news = [change for change in changes if change[0] not in last or not _is_alike(last[change[0]], change[1])]
        last.update(news)
        return news

    async def _read_vetted(self, places: Sequence[int]) -> Sequence[Sample]:
        results = await self._read(places)
        readings = [(place, result.sample) for place, result in zip(places, results, strict=True)]
        return [sample for _, sample in self._vetting_of(places).vet(readings)]

    async def _read(self, places: Sequence[int]) -> list[Result]:
        assert self._facts is not None
        assert self._survey is not None
        nodes, structures = self._survey.nodes, self._survey.structures

        async def read(portion: Sequence[ua.NodeId]) -> list[Result]:
            return await read_nodes(self._channel, portion, stamps=self._stamps, structures=structures)

        return await self._facts.reads.run([nodes[place] for place in places], read)


def _is_alike(one: Sample, other: Sample) -> bool:
    same_quality = one.quality is other.quality and one.reason == other.reason
    return same_quality and is_same(one.value, other.value, 0.0)
