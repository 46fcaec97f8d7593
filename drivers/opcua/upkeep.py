"""Looks after the monitored items of one device: proves them by reading, finds the lost ones, asks for them again.

Nothing here ends the link but a LinkLost: a point whose item is lost is BAD, and gets its item back alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from drivers.base import Change
from drivers.errors import DeviceFault, LinkLost
from drivers.opcua.items import Item, Items
from drivers.opcua.subscription import Subscription
from drivers.opcua.verification import LOST, UNVERIFIED, Finding
from drivers.values import Sample, Seconds

ITEM_LOST = "item_lost"
SUSPECTS_EVERY = Seconds(5.0)
"""How often a point is read again that differed, where nothing is verified."""
PORTION = 75
"""Points of one Read, where the server takes as many: this is never urgent, and 150 take the loop 5 ms."""
RECALL_AFTER = 0.1
"""Seconds until points that the gateway has forgotten are read: several writes then cost one Read."""
RECALL_AGAIN = 1.0
"""Seconds until they are read once more, where the server did not answer."""
LONGEST_PAUSE = 0.5
"""Seconds between the portions of a comparison, which spread its load over half of the interval."""

Read = Callable[[Sequence[int]], Awaitable[Sequence[Sample]]]


class Kept(NamedTuple):
    """A subscription with what it is to monitor."""

    subscription: Subscription
    items: Items
    wanted: Mapping[int, Item]
    """By point; those of namespaces that the server does not have are missing."""
    judged: frozenset[int]


class Rhythm(NamedTuple):
    """How often what is done, in seconds; `verify` 0 for never."""

    verify: float
    compare: float


class Upkeep:
    """The care for the subscriptions of one device on one connection."""

    def __init__(
        self, kept: Sequence[Kept], read: Read, portion: Callable[[], int], rhythm: Rhythm, count: Callable[[str], None]
    ) -> None:
        """Read: asks for the values of points and returns them vetted. Portion: how many one Read may ask for."""
        self._kept = kept
        self._read = read
        self._portion = portion
        self._rhythm = rhythm
        self._count = count
        self._wake = asyncio.Event()
        self._forgotten: set[int] = set()
        self._recall = asyncio.Event()

    def recall(self, points: Iterable[int]) -> None:
        """Have these points read soon and told to the listener, whether the server reports them or not."""
        self._forgotten.update(points)
        self._recall.set()

    async def run(self) -> None:
        """Look after them until the link is lost. Raises LinkLost."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_verifying(), name="opcua verify")
            tasks.create_task(self._keep_comparing(), name="opcua compare")
            tasks.create_task(self._keep_retrying(), name="opcua retry")
            tasks.create_task(self._keep_recalling(), name="opcua recall")

    async def _keep_verifying(self) -> None:
        every = self._rhythm.verify or SUSPECTS_EVERY
        while True:
            await asyncio.sleep(every)
            for kept in self._kept:
                suspects = kept.subscription.verification.suspects
                judged = kept.judged if self._rhythm.verify else ()
                await self._check_all(kept, sorted({*judged, *suspects}))

    async def _keep_comparing(self) -> None:
        while True:
            for kept in self._kept:
                await self._compare_items(kept)
            await asyncio.sleep(self._rhythm.compare / 2)
            for kept in self._kept:
                await self._compare_values(kept)
            await asyncio.sleep(self._rhythm.compare / 2)

    async def _keep_retrying(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            self._wake.clear()
            next_due = min((kept.subscription.retries.next_due for kept in self._kept), default=float("inf"))
            try:
                async with asyncio.timeout_at(next_due if next_due < float("inf") else None):
                    await self._wake.wait()
            except TimeoutError:
                pass
            for kept in self._kept:
                await self._retry(kept, kept.subscription.retries.take_due(loop.time()))

    async def _keep_recalling(self) -> None:
        while True:
            await self._recall.wait()
            await asyncio.sleep(RECALL_AFTER)
            self._recall.clear()
            forgotten, self._forgotten = self._forgotten, set()
            for kept in self._kept:
                points = sorted(forgotten & kept.wanted.keys())
                size = min(self._portion(), PORTION)
                for first in range(0, len(points), size):
                    await self._tell_anew(kept, points[first : first + size])

    async def _tell_anew(self, kept: Kept, points: Sequence[int]) -> None:
        """Read these points and tell what they are; of what the server reports meanwhile that is the newer."""
        verification = kept.subscription.verification
        told = {point: verification.told(point) for point in points}
        try:
            samples = await self._read(points)
        except LinkLost:
            raise
        except DeviceFault as fault:
            self._count(f"recall_{fault.kind}")
            await asyncio.sleep(RECALL_AGAIN)
            self.recall(points)
            return
        readings = [each for each in zip(points, samples, strict=True) if verification.told(each[0]) is told[each[0]]]
        self._weigh(kept, readings)
        kept.subscription.tell([(point, verification.shown(point, sample)) for point, sample in readings])

    async def _compare_items(self, kept: Kept) -> None:
        try:
            missing = await kept.items.find_missing()
        except LinkLost:
            raise
        except DeviceFault as fault:
            self._count(f"compare_{fault.kind}")
            return
        for point in missing:
            self._lose(kept, [(point, ITEM_LOST)])

    async def _compare_values(self, kept: Kept) -> None:
        points = [point for point in kept.wanted if point not in kept.judged or not self._rhythm.verify]
        portions = max(1, len(points) / min(self._portion(), PORTION))
        await self._check_all(kept, points, min(self._rhythm.compare / 2 / portions, LONGEST_PAUSE))

    async def _check_all(self, kept: Kept, points: Sequence[int], pause: float = 0.0) -> None:
        size = min(self._portion(), PORTION)
        for first in range(0, len(points), size):
            await self._check(kept, points[first : first + size])
            await asyncio.sleep(pause)

    async def _check(self, kept: Kept, points: Sequence[int]) -> None:
        verification = kept.subscription.verification
        points = [point for point in points if not verification.is_spoiled(point)]
        if not points:
            return
        try:
            samples = await self._read(points)
        except LinkLost:
            raise
        except DeviceFault as fault:
            self._count(f"verify_{fault.kind}")
            missed = [point for point in points if point in kept.judged and verification.miss(point)]
            kept.subscription.tell([verification.spoil(point, UNVERIFIED) for point in missed])
            return
        self._weigh(kept, zip(points, samples, strict=True))

    def _weigh(self, kept: Kept, readings: Iterable[Change]) -> None:
        """Draw the conclusions from what was read, in one step."""
        verification, now = kept.subscription.verification, asyncio.get_running_loop().time()
        lost: list[tuple[int, str]] = []
        absolved: list[Change] = []
        for point, sample in readings:
            if verification.is_spoiled(point):
                continue  # found out by somebody else meanwhile
            match verification.check(point, sample, now):
                case Finding.LOST:
                    lost.append((point, LOST))
                case Finding.GONE:
                    lost.append((point, sample.reason))
                case Finding.AGREES:
                    absolved += verification.absolve(point)
                case Finding.SUSPECT:
                    pass
        kept.subscription.tell(absolved)
        self._lose(kept, lost)

    def _lose(self, kept: Kept, lost: Sequence[tuple[int, str]]) -> None:
        """Believe these points no longer, and have the server monitor them anew."""
        now = asyncio.get_running_loop().time()
        for point, reason in lost:
            self._count(reason)
            kept.subscription.retries.hasten(point, now)
        kept.subscription.tell([kept.subscription.verification.spoil(point, reason) for point, reason in lost])
        if lost:
            self._wake.set()

    async def _retry(self, kept: Kept, points: Sequence[int]) -> None:
        """Have the server monitor these points, and them alone."""
        if not points:
            return
        subscription = kept.subscription
        for point in points:
            subscription.verification.expect(point)
        # The deadband is left to the gateway this time: some servers measure it from the last sample instead of the
        # last report, and so keep back a slow drift for ever.
        items = [kept.wanted[point]._replace(deadband=0.0) for point in points]
        try:
            await kept.items.drop(points)
            granted = await kept.items.create(items)
        except LinkLost:
            raise
        except DeviceFault as fault:
            self._count(f"retry_{fault.kind}")
            granted = []
        subscription.tell(subscription.adopt(granted))
        # Only a notification shows that it lives: without one it is asked for again, also where it was accepted.
        now = asyncio.get_running_loop().time()
        for point in set(points) - {item.point for item in granted if item.refusal}:
            if subscription.verification.is_spoiled(point):
                subscription.retries.postpone(point, now)
