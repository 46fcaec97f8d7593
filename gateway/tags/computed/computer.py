"""Evaluates computed tags: in the step in which an input has news, and at every tick for those that look back.

It listens to the process image before anybody else, so whoever judges or publishes a batch finds the computed
tags as new as the batch itself. Only tags whose inputs changed are evaluated, each once a batch.
"""

from collections.abc import Callable, Iterable, Sequence

from drivers.values import Sample
from gateway.clock import Clock
from gateway.tags.computed.computation import Computation, Derived, Windowed
from gateway.tags.computed.order import levels
from gateway.tags.computed.point import ComputedPoint
from gateway.tags.computed.rules import rule_of
from gateway.tags.image import Answer, Batch, Freshness, ProcessImage
from gateway.tags.tag import Tag


def _count_nothing(device: str, samples: int) -> None:
    """Leave the samples uncounted."""


class Computer:
    """All computed tags of a process image."""

    def __init__(
        self,
        points: Sequence[tuple[Tag, ComputedPoint]],
        image: ProcessImage,
        clock: Clock,
        count: Callable[[str, int], None] = _count_nothing,
    ) -> None:
        """Points: the computed tags, whose inputs are all in the image. Count: is told of a device's new samples.

        Raises KeyError for an input that is not in the image.
        """
        self._image = image
        self._clock = clock
        self._count = count
        self._at_work = False
        self._by_input: dict[int, list[Computation]] = {}
        self._windows: dict[str, list[Computation]] = {}
        """Those that a tick evaluates, by device."""
        level = levels({tag.path: point.inputs for tag, point in points})
        for device in dict.fromkeys(tag.device for tag, _ in points):
            self._place([(tag, point) for tag, point in points if tag.device == device], device, level)
        if self._by_input:  # where nothing is computed, a batch costs nothing here
            image.listen(self._observe)

    def tick(self, device: str) -> None:
        """Let time pass for the windows of a device."""
        self._evaluate(self._windows.get(device, ()))

    def _place(self, points: Sequence[tuple[Tag, ComputedPoint]], device: str, level: dict[str, int]) -> None:
        # Only what looks back can grow old by itself; all else is as old as its inputs, which the image expires.
        looking_back = [tag for tag, point in points if rule_of(point) is None]
        blocks = self._image.regroup(device, [[tag] for tag in looking_back])
        own = dict(zip(looking_back, blocks, strict=True))
        for tag, point in points:
            inputs = [self._find(path) for path in point.inputs]
            computation = self._make(tag, point, inputs, level[tag.path], own.get(tag))
            for each in inputs:
                self._by_input.setdefault(each.index, []).append(computation)

    def _make(
        self, tag: Tag, point: ComputedPoint, inputs: Sequence[Tag], level: int, own: Freshness | None
    ) -> Computation:
        rule = rule_of(point)
        if rule is not None:
            derived = Derived(tag, inputs, point, rule, level, self._image)
            self._image.follow(derived.freshness)
            return derived
        assert own is not None
        windowed = Windowed(tag, inputs[0], point, level, own, self._image, self._clock.monotonic())
        self._windows.setdefault(tag.device, []).append(windowed)
        return windowed

    def _find(self, path: str) -> Tag:
        tag = self._image.find(path)
        if tag is None:
            raise KeyError(path)
        return tag

    def _observe(self, batch: Batch) -> None:
        if not self._at_work:  # what it tells itself is followed up where it is told
            self._evaluate(self._made_from(tag for tag, _ in batch.changes))

    def _made_from(self, tags: Iterable[Tag]) -> list[Computation]:
        by_input = self._by_input
        return [computation for tag in tags for computation in by_input.get(tag.index, ())]

    def _evaluate(self, due: Sequence[Computation]) -> None:
        """Evaluate these, and then what is made from those that changed, level by level."""
        waiting = dict.fromkeys(due)
        self._at_work = True
        try:
            while waiting:
                level = min(each.level for each in waiting)
                group = [each for each in waiting if each.level == level]
                for each in group:
                    del waiting[each]
                waiting.update(dict.fromkeys(self._made_from(self._tell(group))))
        finally:
            self._at_work = False

    def _tell(self, group: Sequence[Computation]) -> list[Tag]:
        """Evaluate these and tell the image; return the tags that have news."""
        now = self._clock.monotonic()
        changed: list[Tag] = []
        answers: dict[str, list[Answer]] = {}
        failures: dict[tuple[str, str], list[Freshness]] = {}
        for each in group:
            tag, (sample, failed) = each.tag, each.evaluate(now)
            if failed:
                each.last = None
                if each.freshness.fault != sample.reason:
                    failures.setdefault((tag.device, sample.reason), []).append(each.freshness)
                    changed.append(tag)
            elif each.freshness.stale or each.last is None or not _is_same(sample, each.last):
                each.last = sample
                answers.setdefault(tag.device, []).append(Answer(each.freshness, now, [(tag, sample)]))
                changed.append(tag)
            elif each.refreshes:
                answers.setdefault(tag.device, []).append(Answer(each.freshness, now, ()))
        for (device, reason), blocks in failures.items():
            self._image.fail(device, reason, blocks)
        for device, told in answers.items():
            self._count(device, sum(len(answer.news) for answer in told))
            self._image.receive(device, told)
        return changed


def _is_same(sample: Sample, last: Sample) -> bool:
    return sample == last and type(sample.value) is type(last.value)  # 1 and true are not the same
