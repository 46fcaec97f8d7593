"""The way out to one device, over whatever connection it has: values to the wire, one frame, and reading it back.

It decides nothing: whoever writes has to bring a permit.
"""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from drivers.base import Connection, Reader, Surroundings
from drivers.errors import DeviceFault, LinkLost
from drivers.values import Sample, bad
from drivers.writing import NotSent, Raw, Unanswered, WritePermit, Writer, WriterOf
from gateway.clock import Clock
from gateway.control.aftermath import Aftermath, Written
from gateway.endpoints.device import Device
from gateway.endpoints.fair_queue import Priority
from gateway.endpoints.lane import Lane
from gateway.safety.constraint import Setting
from gateway.tags.conditioning import condition
from gateway.tags.image import ProcessImage
from gateway.tags.tag import NONE, SAME, Tag
from gateway.tags.unscaling import unscale


@dataclass(slots=True, eq=False)
class _Way:
    """What one connection gives."""

    writer: Writer
    reader: Reader
    lane: Lane
    is_ready: bool = False
    """That the writer is prepared."""


class _Noting:
    """A permit that notes when it was spent, which is when the frame leaves."""

    def __init__(self, permit: WritePermit, left: Callable[[], Written | None]) -> None:
        self._permit = permit
        self._left = left
        self.has_left = False
        self.written: Written | None = None

    def spend(self, device: str, tag: str, raw: Raw, generation: int) -> None:
        self._permit.spend(device, tag, raw, generation)
        self.has_left = True
        self.written = self._left()


class Outlet:
    """The write half of one device; implements `gateway.endpoints.write_half.WriteHalf`."""

    def __init__(self, device: Device, writer_of: WriterOf, image: ProcessImage, clock: Clock) -> None:
        self.name = device.name
        self.device = device
        self._writer_of = writer_of
        self._image = image
        self._clock = clock
        self._places = {tag: place for place, tag in enumerate(device.tags)}
        self._shown = {tag: self._find_shown(tag) for tag in device.tags if tag.settings.writable}
        deadman = device.settings.deadman
        self._beats = "" if deadman is None else deadman.tag
        self._aftermath = Aftermath(image, clock, self._forget)
        self._listeners: list[Callable[[], None]] = []
        self._way: _Way | None = None

    @property
    def generation(self) -> int | None:
        """The number of the connection on which the device can be written; None while there is none."""
        way = self._way
        return way.writer.generation if way is not None and way.is_ready else None

    def listen(self, listener: Callable[[], None]) -> None:
        """Call the listener, in the step in question, each time the device can be written again after a connect."""
        self._listeners.append(listener)

    def encode(self, tag: Tag, value: Setting) -> Raw:
        """Return a value in engineering units as it would go over the wire.

        Rounded to the nearest step where the device holds a whole number in other units. Raises ValueError, one line,
        where the device cannot hold it, and NotSent while there is no connection.
        """
        place = self._places[tag]
        return self._writer().encode(place, unscale(value, tag.settings, self.device.data_types[place]))

    def decode(self, tag: Tag, raw: Raw) -> Sample:
        """Return what a device that took it would read back, in engineering units. Raises NotSent as `encode`."""
        return condition(self._writer().decode(self._places[tag], raw), tag.settings, self._clock.wall())

    def write(self, tag: Tag, raw: Raw, permit: WritePermit, priority: Priority) -> Coroutine[Any, Any, None]:
        """Queue one frame for the wire in this very step; it is sent under the permit, which is spent in that step.

        What is returned has to be awaited; it returns and raises as `drivers.writing.Writer.write`. NotSent comes at
        once while there is no connection. Whoever waits may stop waiting: before its turn nothing is sent then, and
        after that the frame goes its way. Afterwards `read_back` or `release` has to be called.
        """
        way = self._find_way()
        frame = _Noting(permit, lambda: self._left(tag, way))

        async def call() -> None:
            if self._way is not way:
                raise NotSent("device_down", f"{self.name}: the connection has ended")
            await self._make_ready(way)
            try:
                await way.writer.write(self._places[tag], tag.name, raw, frame)
            finally:
                if frame.written is not None:
                    self._aftermath.answered(frame.written)

        return self._settle_fault(frame, way.lane.enqueue(priority, self.name, call))

    async def read_back(self, tag: Tag, priority: Priority) -> Sample:
        """Ask the device for the tag, or for the one where it is read back, and take that into the image as well.

        In engineering units. Raises DeviceFault.
        """
        way, shown = self._find_way(), self._shown[tag]
        place = self._places[shown]

        async def call() -> Sample:
            await self._make_ready(way)
            sent = self._clock.monotonic()
            raw = dict(await way.writer.read_back([place])).get(place, bad("bad_reply"))
            if self._way is not way:
                return condition(raw, shown.settings, self._clock.wall())
            self._aftermath.read_back(tag, shown, sent)
            return self._image.put(shown, raw)

        try:
            return await way.lane.request(priority, self.name, call)
        except DeviceFault as fault:
            self.device.counters.errors[fault.kind] += 1
            raise

    def release(self, tag: Tag) -> None:
        """Note that a write of this tag is not going to be read back; without one, or after it was, nothing happens."""
        self._aftermath.give_up(tag)

    async def opened(self, connection: Connection, reader: Reader, lane: Lane, around: Surroundings | None) -> None:
        """Take over a connection, and prepare its writer in a turn of the lane. Raises DeviceFault."""
        points = {self._places[tag]: self.device.points[self._places[tag]] for tag in self._involved()}
        writer = self._writer_of(self.name, connection, self.device.driver_settings, points, around)
        self._way = way = _Way(writer, reader, lane)
        await lane.request(Priority.READ, self.name, lambda: self._make_ready(way))

    def closed(self) -> None:
        """Let go of the connection."""
        self._way = None
        self._aftermath.clear()

    async def _make_ready(self, way: _Way) -> None:
        if way.is_ready:
            return
        await way.writer.prepare()
        way.is_ready = True
        if self._way is way:
            for listener in self._listeners:
                listener()

    async def _settle_fault(self, frame: _Noting, sending: Awaitable[None]) -> None:
        """Let a fault say what became of the frame, whoever raised it."""
        try:
            await sending
        except NotSent:
            raise
        except DeviceFault as fault:
            self.device.counters.errors[fault.kind] += 1
            if not frame.has_left:
                raise NotSent(fault.kind, str(fault)) from None
            if isinstance(fault, LinkLost):
                raise Unanswered(fault.kind, str(fault)) from None
            raise
        except Exception as error:
            if not frame.has_left:  # the permit's own, as a rule
                raise
            raise Unanswered("crash", f"{self.name}: {type(error).__name__}: {error}") from error

    def _left(self, tag: Tag, way: _Way) -> Written | None:
        # Of the beats of a deadman nobody judges the samples, and there is one every second.
        if tag.name == self._beats or self._way is not way:
            return None
        return self._aftermath.began(tag, self._shown[tag])

    def _forget(self, tags: Sequence[Tag]) -> None:
        if self._way is not None:
            self._way.reader.forget([self._places[tag] for tag in tags])

    def _find_way(self) -> _Way:
        if self._way is None:
            raise NotSent("device_down", f"{self.name}: there is no connection")
        return self._way

    def _writer(self) -> Writer:
        way = self._find_way()
        if not way.is_ready:
            raise NotSent("device_down", f"{self.name}: what has to be known before it is written was not read yet")
        return way.writer

    def _find_shown(self, tag: Tag) -> Tag:
        where = tag.settings.readback
        if where in {SAME, NONE}:
            return tag
        return next(each for each in self.device.tags if each.path == where)

    def _involved(self) -> list[Tag]:
        return sorted({*self._shown, *self._shown.values()}, key=lambda tag: tag.index)
