"""Takes in what a device reports by itself."""

from collections.abc import Callable, Mapping, Sequence

from drivers.base import Block, Change
from gateway.clock import Clock
from gateway.endpoints.device import Device
from gateway.tags.image import Answer, Freshness, ProcessImage

STALE_PERIODS = 3
"""Signs of life that may be missed before what was reported is stale."""


class Subscriber:
    """The listener of one device's subscriptions on one connection."""

    def __init__(
        self,
        device: Device,
        blocks: Mapping[Block, Freshness],
        image: ProcessImage,
        clock: Clock,
        answered: Callable[[], None],
    ) -> None:
        """Answered: called whenever a subscription showed that it lives."""
        self._device = device
        self._blocks = blocks
        self._image = image
        self._clock = clock
        self._answered = answered

    def granted(self, block: Block, period: float) -> None:
        # A source that keeps silent for longer than was asked, as it said it would, is no stale one.
        if self._device.settings.max_age is None:
            freshness = self._blocks[block]
            freshness.max_age = max(freshness.max_age, STALE_PERIODS * period)

    def received(self, block: Block, changes: Sequence[Change]) -> None:
        tags = self._device.tags
        news = [(tags[index], sample) for index, sample in changes]
        self._device.counters.updates += len(news)
        self._image.receive(self._device.name, [Answer(self._blocks[block], self._clock.monotonic(), news)])
        self._device.up()
        self._answered()

    def failed(self, block: Block, reason: str) -> None:
        self._device.counters.errors[reason] += 1
        self._image.fail(self._device.name, reason, [self._blocks[block]])
