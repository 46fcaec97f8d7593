"""What is published, and when: the newest of everything that is retained, each batch of what is not.

After a connection everything current goes out first and the status last: a client counts retained values
only while the status is online, so it never takes values from before an outage for live ones.
"""

import asyncio
from collections.abc import Callable, Sequence

from gateway.clock import Clock
from gateway.control.reply import Reply
from gateway.counters import MqttCounters
from gateway.northbound.json_text import FloatText
from gateway.northbound.link import Link
from gateway.northbound.names import Names, Topic
from gateway.northbound.payloads import constraint_payload, device_payload, event_payload, reply_payload
from gateway.northbound.reports import ConstraintReport, DeviceReport, EventReport
from gateway.northbound.settings import MqttSettings
from gateway.northbound.sources import BatchMessage, Fact, Message, Source, Status, TagSource, offline_payload
from gateway.northbound.waiting import Waiting
from gateway.tags.image import Batch
from gateway.tags.tag import Tag

BURST = 250
"""How many messages are handed over in one turn of the loop: 2 ms of it, or some more on a small machine."""
MOST_EVENT_BYTES = 65_536
"""What the events may hold that wait for the broker; the oldest are dropped then."""
MOST_REPLY_BYTES = 262_144
"""What the replies may hold that wait for the broker: a thousand. Whoever gets none asks again with the same id."""
MOST_AUDIT_BYTES = 262_144
"""What the audit records may hold that wait for the broker; the journal has all of them."""
GOODBYE = 2.0
"""Seconds that a clean stop waits for the broker to acknowledge the status offline."""


class Publisher:
    """Takes what the gateway learns, at once and without waiting, and publishes it as the link has room."""

    def __init__(
        self,
        settings: MqttSettings,
        gateway_id: str,
        tags: Sequence[Tag],
        link: Link,
        clock: Clock,
        counters: MqttCounters,
    ) -> None:
        """`tags` are all of the image, in its order: `tags[i].index == i`."""
        self._names = Names(settings.root, gateway_id)
        self._link = link
        self._clock = clock
        self._counters = counters
        self._per_tag = settings.publish == "tag"
        self._refresh = settings.status_life / 3
        wall = clock.wall()
        self._sources = [TagSource(tag, self._names.tag(tag.device, tag.name), wall) for tag in tags]
        self._tags: dict[str, list[Tag]] = {}
        for tag in tags:
            self._tags.setdefault(tag.device, []).append(tag)
        self._batch_topics = {device: self._names.batch(device) for device in self._tags}
        self._facts: dict[str, Fact] = {}
        self._status = Status(self._names.status, settings.status_life, clock)
        self._urgent = Waiting()
        """Births, verdicts and the status: few, and before any value."""
        self._replies = Waiting(MOST_REPLY_BYTES)
        self._events = Waiting(MOST_EVENT_BYTES)
        self._audits = Waiting(MOST_AUDIT_BYTES)
        self._values = Waiting()
        self._rows = (self._urgent, self._replies, self._events, self._audits, self._values)
        """In the order in which they are served."""
        self._row_of = {"reply": self._replies, "event": self._events, "audit": self._audits}
        """By kind of topic."""
        self._texts = {tag.path: source.text for tag, source in zip(tags, self._sources, strict=True)}
        self._refused: dict[Source, None] = {}
        """What the broker did not take, at most once each."""
        self._arrived: list[Batch] = []
        """Batches of this turn of the loop."""
        self._turn_is_due = False
        self._stopping = False
        self._stopped = asyncio.Event()
        link.attend(self)

    async def run(self) -> None:
        """Keep the link and the status alive until `stop`; may be cancelled, then the broker sends the will."""
        async with asyncio.TaskGroup() as group:
            parts = (
                group.create_task(self._link.run(), name="mqtt link"),
                group.create_task(self._keep_status(), name="mqtt status"),
            )
            await self._stopped.wait()
            for part in parts:
                part.cancel()

    async def stop(self) -> None:
        """Publish the status offline, wait for the broker to have it, disconnect, and let `run` end."""
        self._stopping = True
        if self._link.up:
            for waiting in (self._urgent, self._events, self._audits, self._values):
                waiting.clear()
            self._hand_over()  # what was answered last leaves before the status
            offline = Fact(self._names.status)
            offline.body = offline_payload(self._clock.wall(), "stopped")
            self._urgent.put(offline, self._clock.monotonic())
            await self._settle()
        self._link.close()
        self._stopped.set()

    def batch(self, batch: Batch) -> None:
        """Take in what changed in a device; the listener of the process image. Costs one append."""
        self._arrived.append(batch)
        self._wake()

    def device(self, report: DeviceReport) -> None:
        """Take in a device's connection state and the types of its tags."""
        tags = self._tags.get(report.device, [])
        for tag in tags:
            self._sources[tag.index].text.learn(report.types.get(tag.name), tag.settings)
        self._put_fact(
            report, self._names.device(report.device), lambda: device_payload(report, tags, self._clock.wall())
        )

    def constraint(self, report: ConstraintReport) -> None:
        """Take in a constraint's verdict."""
        topic = self._names.constraint(report.name)
        self._put_fact(report, topic, lambda: constraint_payload(report, self._clock.wall()))

    def event(self, report: EventReport) -> None:
        """Take in something that happened."""
        self._put_message(self._names.event(report.kind), lambda: event_payload(report))

    def reply(self, reply: Reply) -> None:
        """Take in the answer to a command."""
        self._put_message(self._names.reply(reply.id), lambda: reply_payload(reply, self._float_text))

    def audit(self, body: bytes) -> None:
        """Take in an audit record, as it was chained."""
        self._put_message(self._names.audit, lambda: body)

    def head(self, text: str) -> None:
        """Take in where the audit chain stands, so that it is known elsewhere too."""
        self.event(EventReport("audit", "head", self._clock.wall(), {"head": text}))

    def status(self, state: str, reasons: Sequence[str] = ()) -> None:
        """Take in the gateway's state (online, degraded, ...) and why it is not online."""
        if (state, tuple(reasons)) != (self._status.state, tuple(self._status.reasons)):
            self._status.state, self._status.reasons = state, tuple(reasons)
            self._put_status()

    def connected(self) -> None:
        """Publish everything that is current anew; the link calls it."""
        if self._stopping:
            return
        self._digest()
        now = self._clock.monotonic()
        self._status.link_reasons = ("mqtt_3.1.1",) if self._link.version == "3.1.1" else ()
        self._urgent.clear()
        for fact in self._facts.values():
            self._urgent.put(fact, now)
        for source in self._sources:
            source.forget()
        if self._per_tag:
            self._values.clear()
            for source in self._sources:
                self._values.put(source, now)
        else:
            self._values.discard(self._status)
            for device, tags in self._tags.items():
                self._put_batch(device, self._clock.wall(), [self._sources[tag.index] for tag in tags])
        self._values.put(self._status, now)
        self._count()
        self._wake()

    def room(self) -> None:
        """Go on; the link calls it."""
        self._wake()

    def refused(self, source: Source) -> None:
        """Offer it again with a later status: access rules are mended while we run; the link calls it."""
        if source.retain and source is not self._status:
            self._refused[source] = None

    def lost(self, unacknowledged: Sequence[Source]) -> None:
        """Keep what no newer message will replace; the link calls it."""
        now = self._clock.monotonic()
        for source in reversed(unacknowledged):
            if source.size:
                self._row_of.get(source.topic.kind, self._values).put_back(source, now)
        self._count()

    async def _keep_status(self) -> None:
        while True:
            await asyncio.sleep(self._refresh)
            if self._link.up:
                self._offer_again()
                self._put_status()

    def _offer_again(self) -> None:
        refused, self._refused = self._refused, {}
        for source in refused:
            if isinstance(source, TagSource):
                source.forget()
            self._values.put(source, self._clock.monotonic())

    async def _settle(self) -> None:
        self._turn()
        try:
            async with asyncio.timeout(GOODBYE):
                while self._urgent and self._link.up:  # the window was full
                    await self._link.settled.wait()
                    await asyncio.sleep(0)
                await self._link.settled.wait()
        except TimeoutError:
            return

    def _put_fact(self, report: object, topic: Topic, payload: Callable[[], bytes]) -> None:
        fact = self._facts.setdefault(topic.text, Fact(topic))
        if fact.about != report and not self._stopping:
            fact.about, fact.body = report, payload()
            self._urgent.put(fact, self._clock.monotonic())
            self._wake()

    def _put_message(self, topic: Topic, body: Callable[[], bytes]) -> None:
        if not self._stopping:
            self._row_of[topic.kind].put(Message(topic, body()), self._clock.monotonic())
            self._wake()

    def _float_text(self, tag: str) -> FloatText:
        text = self._texts.get(tag)
        return repr if text is None else text.float_text

    def _put_status(self) -> None:
        # After a connection the status waits behind the values; it must not overtake them then.
        if self._status not in self._values and not self._stopping:
            self._urgent.put(self._status, self._clock.monotonic())
            self._wake()

    def _put_batch(self, device: str, wall: float, sources: Sequence[TagSource]) -> None:
        if sources:
            message = BatchMessage(self._batch_topics[device], wall, sources)
            self._values.put(message, self._clock.monotonic())

    def _wake(self) -> None:
        # In the loop's next turn, so that the safety evaluation of the same batch comes before the publishing.
        if not self._turn_is_due:
            self._turn_is_due = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_is_due = False
        self._digest()
        if self._link.up:
            self._hand_over()
        self._count()

    def _digest(self) -> None:
        arrived, self._arrived = self._arrived, []
        if self._stopping:
            return
        now = self._clock.monotonic()
        for batch in arrived:
            changed = []
            for tag, sample in batch.changes:
                source = self._sources[tag.index]
                source.sample = sample
                source.wall = batch.wall
                changed.append(source)
            if self._per_tag:
                for source in changed:
                    self._values.put(source, now)
            else:
                self._put_batch(batch.device, batch.wall, [source for source in changed if source.take_as_published()])

    def _hand_over(self) -> None:
        link, now = self._link, self._clock.monotonic()
        left = BURST
        for waiting in self._rows:
            while left and waiting and link.has_room():
                left -= 1
                source = waiting.take()
                payload = source.payload()
                if payload is not None:
                    link.hand_over(source, payload, now)
        link.flush()
        if not left:
            self._wake()

    def _count(self) -> None:
        counters, link, rows = self._counters, self._link, self._rows
        counters.pending = link.on_its_way + sum(map(len, rows))
        counters.dropped = sum(waiting.dropped for waiting in rows)
        times = (link.oldest, *(waiting.oldest for waiting in rows))
        counters.oldest = min((time for time in times if time is not None), default=None)
