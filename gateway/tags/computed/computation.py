"""One computed tag in the process image: from the samples that its inputs have now to its own."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from drivers.values import Quality, Sample
from gateway.tags.computed.freshness import DerivedFreshness
from gateway.tags.computed.point import ComputedPoint
from gateway.tags.computed.rules import Rule, number_of, take_window, tolerates
from gateway.tags.computed.window import Window
from gateway.tags.image import Freshness, ProcessImage
from gateway.tags.tag import Tag


class Outcome(NamedTuple):
    """What an evaluation gave."""

    sample: Sample
    failed: bool
    """That the inputs leave no value: the tag has failed as they have, for the sample's reason."""


class Computation(Protocol):
    """A computed tag that can be evaluated."""

    tag: Tag
    level: int
    """It is evaluated after all of a lower level."""
    last: Sample | None
    """What was told last; None where the tag has failed, or has not been evaluated yet."""
    refreshes: bool
    """That each evaluation, also one that changes nothing, keeps the tag fresh."""

    @property
    def freshness(self) -> Freshness:
        """The tag's own in the process image."""

    def evaluate(self, now: float) -> Outcome:
        """Return the outcome at `now`, monotonic."""


class Derived:
    """Made of its inputs as they are now: an expression, a median, a vote."""

    refreshes = False

    def __init__(
        self, tag: Tag, inputs: Sequence[Tag], point: ComputedPoint, rule: Rule, level: int, image: ProcessImage
    ) -> None:
        self.tag = tag
        self.level = level
        self.freshness = DerivedFreshness(tag, inputs, image)
        self.last: Sample | None = None
        self._inputs = tuple(inputs)
        self._rule = rule
        self._tolerates = tolerates(point)
        self._image = image

    def evaluate(self, now: float) -> Outcome:
        take = self._image.sample
        samples = [take(tag, now) for tag in self._inputs]
        sample = self._rule(samples)
        if self._tolerates:
            usable = [tag for tag, each in zip(self._inputs, samples, strict=True) if each.quality is not Quality.BAD]
            self.freshness.inputs = tuple(usable) or self._inputs
        if sample.quality is not Quality.BAD:
            return Outcome(sample, failed=False)
        return Outcome(sample, failed=any(each.quality is Quality.BAD for each in samples))


class Windowed:
    """Made of what one input was over a window: an average, a total, an extreme."""

    refreshes = True

    def __init__(
        self,
        tag: Tag,
        source: Tag,
        point: ComputedPoint,
        level: int,
        freshness: Freshness,
        image: ProcessImage,
        now: float,
    ) -> None:
        assert point.window is not None
        self.tag = tag
        self.level = level
        self.freshness = freshness
        self.last: Sample | None = None
        self._source = source
        self._point = point
        self._image = image
        self._window = Window(point.window, now)

    def evaluate(self, now: float) -> Outcome:
        self._window.take(number_of(self._image.sample(self._source, now)), now)
        return Outcome(take_window(self._window.summary(), self._point), failed=False)
