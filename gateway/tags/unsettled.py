"""Tags that were written lately: what was asked of the device before that says nothing of them any more. Pure."""

from collections.abc import Callable, Sequence
from math import inf

from drivers.values import Sample
from gateway.tags.tag import Tag


class Unsettled:
    """Which samples of these tags are taken in. Source times play no part: a device's clock proves no order."""

    def __init__(self) -> None:
        self.limits: dict[Tag, float] = {}
        """When the request of a sample must have been sent at the earliest, monotonic; empty as a rule."""

    def hold(self, tag: Tag) -> None:
        """Take in no sample of the tag."""
        self.limits[tag] = inf

    def settle(self, tag: Tag, since: float) -> None:
        """Take in what was asked for from then on, monotonic."""
        self.limits[tag] = since

    def forget(self, tags: Sequence[Tag]) -> None:
        """Take in everything of these tags."""
        for tag in tags:
            self.limits.pop(tag, None)

    def sift(
        self, sent: float, news: Sequence[tuple[Tag, Sample]], is_answered: Callable[[Tag], bool]
    ) -> list[tuple[Tag, Sample]]:
        """Return what is taken in of an answer. Is_answered: whether it answers for a tag, with news of it or without.

        The answers for one tag come in the order in which they were asked for, so that of a tag that is settled the
        first new one ends the matter.
        """
        kept = [each for each in news if not sent < self.limits.get(each[0], -inf)]
        self.forget([tag for tag, limit in self.limits.items() if limit <= sent and is_answered(tag)])
        return kept
