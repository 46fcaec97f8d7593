"""What follows from the writes to one device for the samples of its tags.

From the moment in which a frame left until it was read back, a sample may be from before it, in whatever order things
arrive; the image keeps the old one meanwhile. What was dropped the driver has to tell anew.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from gateway.clock import Clock
from gateway.tags.image import ProcessImage
from gateway.tags.tag import NONE, Tag

GRACE = 10.0
"""Seconds beyond `readback_timeout` after which a write counts as given up, though nobody said so.

A sample that is kept for ever would look alive.
"""

_log = logging.getLogger("plantgate.control")


@dataclass(slots=True, eq=False)
class Written:
    """A write whose frame has left."""

    tag: Tag
    shown: Tag
    """Where it is read back."""
    answered: float | None = None
    """Monotonic; None while the frame is on the wire."""
    timer: asyncio.TimerHandle | None = None

    @property
    def tags(self) -> set[Tag]:
        """Those whose samples may be from before."""
        return {self.tag, self.shown}


class Aftermath:
    """The writes to one device that were not read back yet."""

    def __init__(self, image: ProcessImage, clock: Clock, forget: Callable[[Sequence[Tag]], None]) -> None:
        """Forget: has the driver tell of tags anew."""
        self._image = image
        self._clock = clock
        self._forget = forget
        self._open: list[Written] = []

    def began(self, tag: Tag, shown: Tag) -> Written:
        """Note that a frame leaves now."""
        written = Written(tag, shown)
        self._open.append(written)
        for each in written.tags:
            self._image.hold(each)
        return written

    def answered(self, written: Written) -> None:
        """Note that a write has ended, whatever came of it."""
        if written not in self._open:
            return  # its connection has ended, and its samples with it
        written.answered = self._clock.monotonic()
        if written.tag.settings.readback == NONE:
            self._end([written], written.answered)
            return
        loop = asyncio.get_running_loop()
        seconds = written.tag.settings.readback_timeout + GRACE
        written.timer = loop.call_later(seconds, self._give_up_late, written)

    def read_back(self, tag: Tag, shown: Tag, sent: float) -> None:
        """Note that a tag was read, as asked for then, monotonic: that is newer than all that came before."""
        self._end([each for each in self._open if each.tag is tag and each.answered is not None], sent, {shown})

    def give_up(self, tag: Tag) -> None:
        """Note that a write of the tag is not going to be read back, the oldest where there are several."""
        oldest = next((each for each in self._open if each.tag is tag and each.answered is not None), None)
        if oldest is not None:
            self._end([oldest], oldest.answered or 0.0)

    def clear(self) -> None:
        """Forget all: the connection has ended, and what comes over the next one was asked for later."""
        self._end(self._open.copy(), self._clock.monotonic())

    def _give_up_late(self, written: Written) -> None:
        _log.warning("readback_left_open", extra={"tag": written.tag.path})
        self._end([written], written.answered or 0.0)

    def _end(self, ended: Sequence[Written], since: float, read: Iterable[Tag] = ()) -> None:
        for each in ended:
            self._open.remove(each)
            if each.timer is not None:
                each.timer.cancel()
        affected = {tag for each in ended for tag in each.tags} | set(read)
        held = {tag for each in self._open for tag in each.tags}
        for tag in affected - held:
            self._image.settle(tag, since)
        if affected:
            self._forget(sorted(affected, key=lambda tag: tag.index))
