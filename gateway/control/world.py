"""The plant as the gate sees it: the process image in place, and who may and holds what."""

from collections.abc import Callable, Mapping
from datetime import datetime
from math import inf

from gateway.safety.seen import Seen
from gateway.tags.image import ProcessImage


def _nobody(principal: str, tag: str) -> bool:
    del principal, tag
    return False


def _nothing_held(lock: str, locks: Mapping[str, int]) -> bool:
    del lock, locks
    return False


class PlantWorld:
    """Implements `gateway.safety.rule.World`. What nobody lends it, it denies."""

    def __init__(
        self,
        image: ProcessImage,
        *,
        may_write: Callable[[str, str], bool] = _nobody,
        holds: Callable[[str, Mapping[str, int]], bool] = _nothing_held,
        local_time: Callable[[], datetime | None] = lambda: None,
    ) -> None:
        self._image = image
        self._written: dict[str, float] = {}
        self.may_write = may_write
        self.holds = holds
        self.local_time = local_time

    def seen(self, tag: str, now: float) -> Seen:
        """Return a tag as it stands. Raises KeyError for one that is not in the image."""
        found = self._image.find(tag)
        if found is None:
            raise KeyError(tag)
        image = self._image
        return Seen(image.sample(found, now), *image.answers(found), image.max_age(found))

    def knows(self, tag: str) -> bool:
        """Return whether there is such a tag."""
        return self._image.find(tag) is not None

    def last_write(self, tag: str) -> float:
        """Return when a frame with this tag last left, monotonic; -inf if none did since the start."""
        return self._written.get(tag, -inf)

    def wrote(self, tag: str, now: float) -> None:
        """Note that a frame with this tag left."""
        self._written[tag] = now
