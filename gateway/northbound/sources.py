"""What can be published: each source makes its payload at the moment it is handed over, from what is newest then."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from drivers.values import Quality, Sample, bad
from gateway import __version__
from gateway.clock import Clock
from gateway.northbound.json_text import time_text
from gateway.northbound.names import Topic
from gateway.northbound.payloads import TagText, batch_payload, encode, status_payload
from gateway.tags.image import NO_DATA
from gateway.tags.tag import Tag


class Source(Protocol):
    """Something that waits to be published, or is on its way."""

    @property
    def topic(self) -> Topic: ...
    @property
    def retain(self) -> bool: ...
    @property
    def size(self) -> int:
        """How many bytes it keeps while it waits; 0 where it only points at what is newest."""

    def payload(self) -> bytes | None:
        """Return what to publish now, None where there is nothing worth it."""


class TagSource:
    """The newest sample of one tag."""

    __slots__ = ("_deadband", "_published", "sample", "text", "topic", "wall")

    retain = True
    size = 0

    def __init__(self, tag: Tag, topic: Topic, wall: float) -> None:
        self.topic = topic
        self.text = TagText(tag)
        self.sample: Sample = bad(NO_DATA)
        self.wall = wall
        """When the sample was received, seconds since 1970 UTC."""
        self._deadband = tag.settings.deadband
        self._published: float | None = None
        """The good number that clients know; None where they know another value, or perhaps none."""

    def forget(self) -> None:
        """Publish the next sample whatever it is: clients may know nothing of this tag."""
        self._published = None

    def take_as_published(self) -> bool:
        """Take the sample as what clients know now; False where it is within the deadband of what they know.

        The comparison is with what was published, not with the sample before, so that slow drift shows.
        """
        if not self._deadband:  # whatever comes is news
            return True
        value, quality, _, _ = self.sample
        number = None
        if quality is Quality.GOOD and isinstance(value, (int, float)) and not isinstance(value, bool):
            number = value
        known = self._published
        if known is not None and number is not None and abs(number - known) < self._deadband:
            return False
        self._published = number
        return True

    def payload(self) -> bytes | None:
        if not self.take_as_published():
            return None
        sample = self.sample
        return encode(self.text.sample(sample, time_text(sample.source_time or self.wall)))

    def member(self) -> str:
        """Return the sample as a member of a batch."""
        sample = self.sample
        return self.text.member(sample, time_text(sample.source_time or self.wall))


class Fact:
    """A retained payload that holds until another takes its place."""

    __slots__ = ("about", "body", "topic")

    retain = True
    size = 0

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.about: object = None
        """What the payload was made of."""
        self.body = b""

    def payload(self) -> bytes:
        return self.body


class BatchMessage:
    """What changed in a device in one scan; not retained, so each is delivered or counted as dropped."""

    __slots__ = ("body", "size", "topic")

    retain = False

    def __init__(self, topic: Topic, wall: float, sources: Iterable[TagSource]) -> None:
        self.topic = topic
        self.body = batch_payload(time_text(wall), [source.member() for source in sources])
        self.size = len(self.body)

    def payload(self) -> bytes:
        return self.body


class Message:
    """An event, a reply or an audit record; not retained, so each is delivered or counted as dropped."""

    __slots__ = ("body", "size", "topic")

    retain = False

    def __init__(self, topic: Topic, body: bytes) -> None:
        self.topic = topic
        self.body = body
        self.size = len(body)

    def payload(self) -> bytes:
        return self.body


class Status:
    """Whether the gateway lives and why it is not at its best; made anew each time, with a new expiry."""

    retain = True
    size = 0

    def __init__(self, topic: Topic, life: float, clock: Clock) -> None:
        self.topic = topic
        self.state = "degraded"
        self.reasons: Sequence[str] = ("starting",)
        self.link_reasons: Sequence[str] = ()
        """What is wrong with the link itself."""
        self._life = life
        self._clock = clock

    def payload(self) -> bytes:
        now = self._clock.wall()
        return status_payload(self.state, now, now + self._life, __version__, (*self.reasons, *self.link_reasons))


def offline_payload(now: float, reason: str) -> bytes:
    """Return the status of a gateway that is gone; it holds until it comes back, so it never expires."""
    return status_payload("offline", now, None, __version__, (reason,))
