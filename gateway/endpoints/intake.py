"""What one connection brings of one device, on its way to the process image; before all, whether it is that device."""

from collections.abc import Callable, Sequence

from gateway.clock import Clock
from gateway.endpoints.counter_watch import FROZEN, CounterWatch
from gateway.endpoints.device import CONNECTING, Device
from gateway.endpoints.fingerprint import UNREAD, find_doubt
from gateway.tags.conditioning import condition
from gateway.tags.image import Answer, ProcessImage


class Intake:
    """Hands answers over. A device with a fingerprint is believed only while that is right."""

    def __init__(
        self,
        device: Device,
        image: ProcessImage,
        clock: Clock,
        answered: Callable[[], None],
        watch: CounterWatch | None = None,
    ) -> None:
        """Answered: called whenever something good came. To be made once the image has the device's blocks."""
        self._device = device
        self._image = image
        self._clock = clock
        self._answered = answered
        self._watch = watch
        self._expected = device.settings.fingerprint
        self._marks = {tag.name: tag for tag in device.tags if tag.name in self._expected}
        self.reported = float("-inf")
        """When the device last reported something by itself, monotonic."""
        self._doubted = float("-inf")
        """Since when the fingerprint has to have been read anew, monotonic."""
        self._believed = not self._expected
        self.doubt()

    def take(self, answers: Sequence[Answer]) -> None:
        """Take in what a scan or a subscription brought."""
        self._device.counters.updates += sum(len(answer.news) for answer in answers)
        if self._believed and self._marks:
            self._bar_another(answers)
        if self._watch is not None:
            self._watch.take(answers)
        self._image.receive(self._device.name, answers)
        self._answered()
        if not self._expected or self._is_itself(answers):
            self._device.up(FROZEN if self._watch is not None and self._watch.is_frozen else "")

    def doubt(self) -> None:
        """Believe nothing until the fingerprint was read anew: who falls silent may come back as another."""
        if self._expected:
            self._believed = False
            self._doubted = self._clock.monotonic()
            self._image.bar(self._device.name, UNREAD)

    def _bar_another(self, answers: Sequence[Answer]) -> None:
        """Believe nothing of answers which show that the device is another by now, not for one step."""
        wall = self._clock.wall()
        seen = {
            tag.name: condition(sample, tag.settings, wall)
            for answer in answers
            for tag, sample in answer.news
            if tag.name in self._marks
        }
        doubt = find_doubt({name: self._expected[name] for name in seen}, seen)
        if doubt is not None:
            self._believed = False
            self._image.bar(self._device.name, doubt.reason)

    def _is_itself(self, answers: Sequence[Answer]) -> bool:
        if self._believed and not any(tag.name in self._marks for answer in answers for tag, _ in answer.news):
            return True
        now = self._clock.monotonic()
        if not all(self._image.answered(tag) >= self._doubted for tag in self._marks.values()):
            return False
        seen = {name: self._image.behind_bar(tag, now) for name, tag in self._marks.items()}
        doubt = find_doubt(self._expected, seen)
        self._believed = doubt is None
        if doubt is None:
            self._image.unbar(self._device.name)
            return True
        self._image.bar(self._device.name, doubt.reason)
        if doubt.reason != UNREAD or self._device.state.reason != CONNECTING:
            self._device.down(doubt.reason, f"{self._device.name}: {doubt.why}")
        return False
