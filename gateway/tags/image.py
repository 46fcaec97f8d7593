"""The process image: the newest sample of every tag, and how old it is.

Read in place: code without `await` sees one consistent plant. Points that are answered together share
one Freshness, so a scan that changes nothing costs one assignment a block, however many tags it holds.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeAlias

from drivers.values import Quality, Sample, bad
from gateway.clock import Clock
from gateway.tags.ahead import Ahead
from gateway.tags.bars import IDENTITY, Bars
from gateway.tags.conditioning import FUTURE, condition
from gateway.tags.tag import Tag
from gateway.tags.unsettled import Unsettled

NO_DATA = "no_data"
STALE = "stale"


class Freshness:
    """How fresh the tags of one block are: the block's source answers for all of them at once."""

    __slots__ = ("answered", "bar", "before", "fault", "max_age", "stale", "tags")

    def __init__(self, tags: Sequence[Tag], fault: str) -> None:
        self.tags = tuple(tags)
        self.max_age = min((tag.max_age for tag in tags), default=0.0)
        self.answered = float("-inf")
        """When the request of the last good answer was sent, monotonic."""
        self.before = self.answered
        """The same of the good answer before that."""
        self.fault = fault
        """Why the tags cannot be believed at all; empty where they can."""
        self.bar = ""
        """Why the tags cannot be believed whatever their source answers; empty where they can."""
        self.stale = False
        """That the tags were reported as stale."""

    def part(self, tags: Sequence[Tag]) -> "Freshness":
        """Return the freshness of some of the tags, which are answered apart from the others from now on."""
        part = Freshness(tags, self.fault)
        part.max_age, part.answered, part.before = self.max_age, self.answered, self.before
        part.bar, part.stale = self.bar, self.stale
        return part


News: TypeAlias = tuple[Tag, Sample]
"""A tag with a sample that is new to it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What changed in one device at one moment: tags with the samples that now hold."""

    device: str
    wall: float
    """When it was received, seconds since 1970 UTC."""
    changes: Sequence[News]


class Answer(NamedTuple):
    """A good answer of one block: when it was asked for, and which of its tags have new samples."""

    freshness: Freshness
    sent: float
    """When the request was sent, monotonic: age counts from there."""
    news: Sequence[News]


BatchListener: TypeAlias = Callable[[Batch], None]
Check: TypeAlias = Callable[[float], None]
"""Told the time, monotonic."""


class ProcessImage:
    """The newest sample of every tag; told by the endpoints, read by everyone."""

    def __init__(self, tags: Sequence[Tag], clock: Clock) -> None:
        self.tags = tuple(tags)
        self._clock = clock
        self._by_path = {tag.path: tag for tag in tags}
        self._samples = [bad(NO_DATA)] * len(self.tags)
        self._freshness: list[Freshness] = [Freshness((), NO_DATA)] * len(self.tags)
        self._blocks: dict[str, list[Freshness]] = {}
        self._listeners: list[BatchListener] = []
        self._ahead = Ahead()
        self._unsettled = Unsettled()
        self._bars = Bars()
        self._checks: list[Check] = []
        for device in dict.fromkeys(tag.device for tag in tags):
            self.regroup(device, [[tag for tag in tags if tag.device == device]])

    def find(self, path: str) -> Tag | None:
        """Return the tag called `device.tag`, None where there is none."""
        return self._by_path.get(path)

    def listen(self, listener: BatchListener) -> None:
        """Hand every later batch to the listener, in the step in which it is taken in."""
        self._listeners.append(listener)

    def check(self, check: Check) -> None:
        """Have something that only time shows looked at whenever tags expire."""
        self._checks.append(check)

    def sample(self, tag: Tag, now: float) -> Sample:
        """Return the tag's sample as it stands at `now`, monotonic: BAD where its source failed or is silent."""
        freshness = self._freshness[tag.index]
        if freshness.fault:
            return bad(freshness.fault)
        if now - freshness.answered <= freshness.max_age:
            return self._samples[tag.index]
        return bad(STALE)

    def answered(self, tag: Tag) -> float:
        """Return when the tag's source last answered, monotonic; -inf if it never did."""
        return self._freshness[tag.index].answered

    def answers(self, tag: Tag) -> tuple[float, float]:
        """Return when the tag's source last answered and when it did before that, monotonic; -inf for never."""
        freshness = self._freshness[tag.index]
        return freshness.answered, freshness.before

    def max_age(self, tag: Tag) -> float:
        """Return the age at which the tag turns stale, seconds: its own, or more where its source is slower."""
        return self._freshness[tag.index].max_age

    def regroup(self, device: str, blocks: Iterable[Sequence[Tag]]) -> list[Freshness]:
        """Put a device's tags into new blocks, none of which has answered yet; older samples are forgotten.

        Until then the tags stay BAD for the reason that they had, NO_DATA where they had none. A bar stays, too.
        """
        self._blocks[device] = fresh = [Freshness(tags, self._last_fault(tags)) for tags in blocks]
        for freshness in fresh:
            freshness.bar = self._bars.reason(device)
            self._unsettled.forget(freshness.tags)
            for tag in freshness.tags:
                self._freshness[tag.index] = freshness
                self._samples[tag.index] = bad(NO_DATA)
                self._ahead.kept.pop(tag, None)
        return fresh

    def split(self, device: str, freshness: Freshness, groups: Iterable[Sequence[Tag]]) -> list[Freshness]:
        """Put the tags of one block into several, which take over everything that is known of them."""
        parts = [freshness.part(tags) for tags in groups]
        blocks = self._blocks[device]
        place = blocks.index(freshness)
        blocks[place : place + 1] = parts
        for part in parts:
            for tag in part.tags:
                self._freshness[tag.index] = part
        return parts

    def bar(self, device: str, reason: str, ground: str = IDENTITY) -> None:
        """Believe none of a device's tags, whatever comes, until `unbar`; what comes is kept meanwhile."""
        self._bars.put(device, ground, reason)
        self._rebar(device)

    def unbar(self, device: str, ground: str = IDENTITY) -> None:
        """Believe a device's tags again, as far as they are fresh and nothing else speaks against them."""
        self._bars.take(device, ground)
        self._rebar(device)

    def behind_bar(self, tag: Tag, now: float) -> Sample:
        """Return the tag's sample as it would stand at `now`, monotonic, if the device were not barred."""
        freshness = self._freshness[tag.index]
        if freshness.fault and freshness.fault != freshness.bar:
            return bad(freshness.fault)
        return self._samples[tag.index] if now - freshness.answered <= freshness.max_age else bad(STALE)

    def follow(self, freshness: Freshness) -> None:
        """Let tags be as fresh as this says: it follows other tags, so nothing has to make it expire."""
        for tag in freshness.tags:
            self._freshness[tag.index] = freshness

    def hold(self, tag: Tag) -> None:
        """Keep the tag's sample as it is and drop what comes of it, until `settle`: it is being written."""
        self._unsettled.hold(tag)

    def settle(self, tag: Tag, since: float) -> None:
        """Take in samples of the tag again, those that were asked for from then on, monotonic.

        Whoever calls this has the driver forget what it has told of the tag meanwhile, since that was dropped.
        """
        self._unsettled.settle(tag, since)

    def put(self, tag: Tag, raw: Sample) -> Sample:
        """Take in one tag's sample that was asked for by itself; return it as it is in engineering units.

        It proves nothing of the tag's block, whose age and faults stay.
        """
        now, wall = self._clock.monotonic(), self._clock.wall()
        ((_, sample),) = self._take([(tag, raw)], now, wall)
        if self.sample(tag, now) is sample:
            self._emit(tag.device, wall, [(tag, sample)])
        return sample

    def receive(self, device: str, answers: Iterable[Answer]) -> None:
        """Take in one scan of a device: the blocks that answered, with what is new in them."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        unsettled = self._unsettled
        changes: list[News] = []
        for freshness, sent, news in answers:
            if unsettled.limits:
                news = unsettled.sift(sent, news, partial(self._is_of, freshness))  # noqa: PLW2901  (the rest is dropped)
            taken = self._take(news, now, wall) if news else []
            freshness.before, freshness.answered = freshness.answered, sent
            if freshness.bar:
                changes += self._withhold(freshness)
                continue
            if not now - sent <= freshness.max_age:
                changes += self._age(freshness)  # on its way for so long that it is too old already
                continue
            if freshness.fault or freshness.stale:
                self._revive(freshness, taken)
            changes += taken
        self._emit(device, wall, changes)

    def fail(self, device: str, reason: str, blocks: Iterable[Freshness] | None = None) -> None:
        """Mark blocks of a device, by default all of them, as not to be believed until they answer."""
        wall = self._clock.wall()
        changes = []
        for freshness in self._blocks[device] if blocks is None else blocks:
            if freshness.fault != reason:
                freshness.fault = reason
                changes += self._worsen(freshness, reason)
        self._emit(device, wall, changes)

    def expire(self) -> None:
        """Report the tags that grew too old since the last call; to be called all the time."""
        now, wall = self._clock.monotonic(), self._clock.wall()
        for check in self._checks:
            check(now)
        for device, blocks in self._blocks.items():
            changes: list[News] = []
            for freshness in blocks:
                if not (freshness.fault or now - freshness.answered <= freshness.max_age):
                    changes += self._age(freshness)
            self._emit(device, wall, changes)
        self._believe_again(now, wall)

    def count(self) -> dict[str, dict[Quality, int]]:
        """Count each device's tags by their quality of now. For a scrape, from any thread."""
        now = self._clock.monotonic()
        counted: dict[str, dict[Quality, int]] = {}
        for tag in self.tags:
            qualities = counted.setdefault(tag.device, dict.fromkeys(Quality, 0))
            qualities[self.sample(tag, now).quality] += 1
        return counted

    def _take(self, news: Sequence[News], now: float, wall: float) -> list[News]:
        """Condition and keep samples as devices gave them."""
        samples, ahead = self._samples, self._ahead
        taken: list[News] = []
        for tag, raw in news:
            sample = condition(raw, tag.settings, wall)
            samples[tag.index] = sample
            taken.append((tag, sample))
            if sample.reason == FUTURE:
                ahead.keep(tag, raw, now, wall)
            elif ahead.kept:
                ahead.kept.pop(tag, None)
        return taken

    def _is_of(self, freshness: Freshness, tag: Tag) -> bool:
        return self._freshness[tag.index] is freshness

    def _rebar(self, device: str) -> None:
        """Let the blocks of a device follow what speaks against it now."""
        now, changes = self._clock.monotonic(), list[News]()
        bar = self._bars.reason(device)
        for freshness in self._blocks[device]:
            before, freshness.bar = freshness.bar, bar
            if bar and freshness.fault in {"", before}:  # what failed stays so until it answers
                changes += self._withhold(freshness)
            elif not bar and before and freshness.fault == before:
                changes += self._believe(freshness, now)
        self._emit(device, self._clock.wall(), changes)

    def _believe(self, freshness: Freshness, now: float) -> list[News]:
        if not now - freshness.answered <= freshness.max_age:
            return self._age(freshness)
        taken: list[News] = []
        self._revive(freshness, taken)
        return taken

    def _last_fault(self, tags: Sequence[Tag]) -> str:
        return (self._freshness[tags[0].index].fault if tags else "") or NO_DATA

    def _believe_again(self, now: float, wall: float) -> None:
        """Report the samples that our own clock, wrong until now, had taken for future ones."""
        changes: dict[str, list[News]] = {}
        for tag, raw, received in self._ahead.due(now, wall):
            sample = condition(raw, tag.settings, received)
            if sample.reason == FUTURE:
                continue
            del self._ahead.kept[tag]
            self._samples[tag.index] = sample
            freshness = self._freshness[tag.index]
            if not (freshness.fault or freshness.stale):
                changes.setdefault(tag.device, []).append((tag, sample))
        for device, news in changes.items():
            self._emit(device, wall, news)

    def _revive(self, freshness: Freshness, taken: list[News]) -> None:
        # What did not change meanwhile was reported as BAD, and so has to be reported again.
        told = {tag.index for tag, _ in taken}
        taken += [(tag, self._samples[tag.index]) for tag in freshness.tags if tag.index not in told]
        freshness.fault = ""
        freshness.stale = False

    def _age(self, freshness: Freshness) -> list[News]:
        # A block that failed and then answered too late is stale from now on, and no longer failed.
        if freshness.stale and not freshness.fault:
            return []
        freshness.fault = ""
        freshness.stale = True
        return self._worsen(freshness, STALE)

    def _withhold(self, freshness: Freshness) -> list[News]:
        if freshness.fault == freshness.bar:
            return []
        freshness.fault = freshness.bar
        return self._worsen(freshness, freshness.bar)

    def _worsen(self, freshness: Freshness, reason: str) -> list[News]:
        sample = bad(reason)
        return [(tag, sample) for tag in freshness.tags]

    def _emit(self, device: str, wall: float, changes: Sequence[News]) -> None:
        if not changes:
            return
        batch = Batch(device, wall, changes)
        for listener in self._listeners:
            listener(batch)
