"""Takes in what a device reports by itself."""

from collections.abc import Mapping, Sequence

from drivers.base import Block, Change
from gateway.clock import Clock
from gateway.endpoints.device import Device
from gateway.endpoints.intake import Intake
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
        intake: Intake,
    ) -> None:
        self._device = device
        self._blocks = blocks
        self._image = image
        self._clock = clock
        self._intake = intake

    def granted(self, block: Block, period: float) -> None:
        # A source that keeps silent for longer than was asked, as it said it would, is no stale one.
        if self._device.settings.max_age is None:
            freshness = self._blocks[block]
            freshness.max_age = max(freshness.max_age, STALE_PERIODS * period)

    def received(self, block: Block, changes: Sequence[Change]) -> None:
        tags = self._device.tags
        news = [(tags[index], sample) for index, sample in changes]
        self._intake.take([Answer(self._blocks[block], self._clock.monotonic(), news)])

    def failed(self, block: Block, reason: str) -> None:
        self._device.counters.errors[reason] += 1
        self._image.fail(self._device.name, reason, [self._blocks[block]])
