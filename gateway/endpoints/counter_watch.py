"""Whether a device's program runs: a counter of its own has to move, or its samples are those of a dead image.

It outlives connections: a controller that stands still does so behind a new connection as well.
"""

from collections.abc import Iterable

from drivers.values import Quality, Sample, Value
from gateway.clock import Clock
from gateway.endpoints.device import Device
from gateway.tags.bars import PULSE
from gateway.tags.conditioning import condition
from gateway.tags.image import Answer, ProcessImage

FROZEN = "frozen"
"""The reason of all samples of a device whose counter stands still."""


class CounterWatch:
    """The watch over one device. It looks at the counter whenever it is read, and at the time whenever tags expire."""

    def __init__(self, device: Device, tag: str, within: float, image: ProcessImage, clock: Clock) -> None:
        """Tag: the counter's name. Within: how long it may stand still, seconds."""
        self.is_frozen = False
        self._device = device
        self._tag = next(each for each in device.tags if each.name == tag)
        self._within = within
        self._image = image
        self._clock = clock
        self._last: Value = None
        self._moved = float("inf")
        """When it moved last, monotonic; when the device first answered, where it never did."""
        image.check(self._check)

    def take(self, answers: Iterable[Answer]) -> None:
        """Look for the counter in what a device answered, before anybody is told of the rest."""
        now = self._clock.monotonic()
        self._moved = min(self._moved, now)  # it answers: from now on the time runs, whether it can be read or not
        for answer in answers:
            for tag, raw in answer.news:
                if tag is self._tag:
                    self._see(condition(raw, tag.settings, self._clock.wall()), now)

    def _see(self, sample: Sample, now: float) -> None:
        if sample.quality is not Quality.GOOD:
            return
        first, moved = self._last is None, (type(sample.value), sample.value) != (type(self._last), self._last)
        self._last = sample.value
        if moved and not first:
            self._moved = now
            self._thaw()

    def _thaw(self) -> None:
        if self.is_frozen:
            self.is_frozen = False
            self._image.unbar(self._device.name, PULSE)

    def _check(self, now: float) -> None:
        if self.is_frozen or not now - self._moved > self._within:
            return
        self.is_frozen = True
        self._image.bar(self._device.name, FROZEN, PULSE)
        if self._device.state.connected:
            self._device.up(FROZEN)
