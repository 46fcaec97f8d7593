"""What the publisher hands to the link, and in which order; on virtual time, over a link without a broker."""

import asyncio
import json
import random
from typing import Any

import pytest

from drivers.values import DataType, Sample, Seconds
from gateway.control.reply import Outcome, Reply, Result
from gateway.counters import MqttCounters
from gateway.northbound.link import Link
from gateway.northbound.publisher import BURST, Publisher
from gateway.northbound.reports import ConstraintReport, DeviceReport, EventReport
from gateway.northbound.settings import MqttSettings
from gateway.northbound.sources import Source
from gateway.safety.verdict import SafetyLevel, Verdict
from gateway.tags.image import Batch
from gateway.tags.tag import Tag, TagSettings
from tests.virtual_time import VirtualClock, run_virtual


class PaperLink(Link):
    """Takes what is handed over, as long as the test says that there is room."""

    def __init__(self, settings: MqttSettings, counters: MqttCounters) -> None:
        super().__init__(settings, "gw", VirtualClock(), random.Random(1), counters)
        self.is_up = False
        self.space = 1_000_000
        self.taken: list[tuple[Source, str, Any]] = []
        self.closed = False
        self.flushes = 0

    @property
    def up(self) -> bool:
        return self.is_up

    @property
    def version(self) -> str:
        return "5" if self.is_up else ""

    def has_room(self) -> bool:
        return self.is_up and self.space > 0

    def hand_over(self, source: Source, payload: bytes, now: float) -> None:
        self.space -= 1
        self.taken.append((source, source.topic.text.removeprefix("agent/gw/"), json.loads(payload)))

    def flush(self) -> None:
        self.flushes += 1

    async def run(self) -> None:
        await asyncio.Event().wait()

    def close(self) -> None:
        self.closed = True

    def topics(self) -> list[str]:
        """Forget what was taken, and return its topics."""
        topics = [topic for _, topic, _ in self.taken]
        self.taken.clear()
        return topics


class Desk:
    """A publisher of one device with some tags, and its link."""

    def __init__(self, publish: str = "tag", tags: int = 3, status_life: float = 90.0) -> None:
        settings = MqttSettings(publish=publish, status_life=Seconds(status_life))  # type: ignore[arg-type]
        self.tags = [Tag(index, "boiler", f"t{index}", TagSettings(), Seconds(2)) for index in range(tags)]
        self.counters = MqttCounters()
        self.link = PaperLink(settings, self.counters)
        self.publisher = Publisher(settings, "gw", self.tags, self.link, VirtualClock(), self.counters)

    async def take(self, *values: float) -> None:
        changes = list(zip(self.tags, map(Sample, values), strict=False))
        self.publisher.batch(Batch("boiler", VirtualClock().wall(), changes))
        await asyncio.sleep(0)

    async def connect(self) -> None:
        self.link.is_up = True
        self.publisher.connected()
        await asyncio.sleep(0)

    async def disconnect(self, *unacknowledged: Source) -> None:
        self.link.is_up = False
        self.publisher.lost(unacknowledged)
        await asyncio.sleep(0)

    async def room(self, space: int) -> None:
        self.link.space = space
        self.publisher.room()
        await asyncio.sleep(0)

    def values_of(self, kind: str) -> list[Any]:
        return [payload for _, topic, payload in self.link.taken if topic.startswith(kind)]


def verdict(of: Verdict) -> ConstraintReport:
    return ConstraintReport("max", of, SafetyLevel.CRITICAL, 1_767_225_600.0)


def test_nothing_is_handed_over_in_the_call_that_takes_a_batch_in() -> None:
    async def main() -> None:
        desk = Desk()
        await desk.connect()
        desk.link.topics()
        desk.publisher.batch(Batch("boiler", 0.0, [(desk.tags[0], Sample(1.0))]))
        assert not desk.link.taken
        await asyncio.sleep(0)
        assert desk.link.topics() == ["tag/boiler/t0"]

    run_virtual(main())


def test_tags_wait_in_the_order_of_their_first_change_and_go_with_their_newest_sample() -> None:
    async def main() -> None:
        desk = Desk()
        await desk.connect()
        desk.link.topics()
        desk.link.space = 0
        for changes in ([(2, 1.0)], [(0, 2.0), (2, 3.0)], [(1, 4.0), (0, 5.0)]):
            desk.publisher.batch(Batch("boiler", 0.0, [(desk.tags[tag], Sample(value)) for tag, value in changes]))
        await asyncio.sleep(0)
        assert desk.counters.pending == 3
        await desk.room(10)
        assert [(topic, payload["value"]) for _, topic, payload in desk.link.taken] == [
            ("tag/boiler/t2", 3.0),
            ("tag/boiler/t0", 5.0),
            ("tag/boiler/t1", 4.0),
        ]
        assert desk.counters.pending == 0

    run_virtual(main())


def test_verdicts_and_births_go_before_values_that_wait() -> None:
    async def main() -> None:
        desk = Desk()
        await desk.connect()
        desk.link.topics()
        desk.link.space = 0
        await desk.take(1.0, 2.0)
        desk.publisher.constraint(verdict(Verdict.VIOLATED))
        await desk.room(2)
        assert desk.link.topics() == ["constraint/max", "tag/boiler/t0"]

    run_virtual(main())


def test_the_status_never_overtakes_the_values_after_a_connection() -> None:
    async def main() -> None:
        desk = Desk()
        desk.publisher.device(DeviceReport("boiler", "connected", 0.0))
        desk.link.space = 2
        await desk.connect()
        desk.publisher.status("online")
        await desk.room(3)
        assert desk.link.topics() == ["device/boiler", "tag/boiler/t0", "tag/boiler/t1", "tag/boiler/t2", "status"]
        desk.publisher.status("degraded", ["device boiler: timeout"])
        await desk.room(1)
        [status] = desk.values_of("status")
        assert (status["state"], status["reasons"]) == ("degraded", ["device boiler: timeout"])

    run_virtual(main())


def test_what_did_not_change_is_not_published_again() -> None:
    async def main() -> None:
        desk = Desk()
        await desk.connect()
        for _ in range(2):
            desk.publisher.device(DeviceReport("boiler", "connected", 0.0))
            desk.publisher.constraint(verdict(Verdict.OK))
            desk.publisher.status("online", [])
            await asyncio.sleep(0)
        topics = desk.link.topics()
        assert [topics.count(topic) for topic in ("device/boiler", "constraint/max")] == [1, 1]
        assert topics.count("status") == 2  # with the connection, and the change to online

    run_virtual(main())


def test_one_turn_of_the_loop_hands_over_a_burst_and_goes_on_in_the_next() -> None:
    async def main() -> None:
        desk = Desk(tags=BURST + 10)
        await desk.connect()
        assert len(desk.link.topics()) == BURST
        await asyncio.sleep(0)
        assert len(desk.link.topics()) == 11
        assert desk.link.flushes == 2

    run_virtual(main())


def test_the_status_is_made_anew_every_third_of_its_life_while_the_link_is_up() -> None:
    async def main() -> None:
        desk = Desk(status_life=90.0)
        running = asyncio.create_task(desk.publisher.run())
        await asyncio.sleep(100)
        assert not desk.link.taken
        await desk.connect()
        desk.link.topics()
        await asyncio.sleep(95)
        statuses = desk.values_of("status")
        assert len(statuses) == 3
        assert statuses[0]["time"] < statuses[1]["time"] < statuses[0]["expires"] < statuses[1]["expires"]
        await desk.publisher.stop()
        await running

    run_virtual(main())


def test_batches_of_an_outage_are_kept_in_order_and_the_oldest_dropped_and_counted() -> None:
    async def main() -> None:
        desk = Desk("device", tags=1000)
        for scan in range(200):  # about 60 kB each
            await desk.take(*(scan + index / 1000 for index in range(1000)))
        assert desk.counters.dropped > 0
        assert desk.counters.pending + desk.counters.dropped == 200
        assert desk.counters.oldest is not None
        await desk.connect()
        batches = desk.values_of("batch")
        scans = [int(batch["tags"]["t0"]["value"]) for batch in batches]
        assert scans == [*range(desk.counters.dropped, 200), 199]  # then everything as it is now
        assert desk.link.topics()[-1] == "status"

    run_virtual(main())


def test_unacknowledged_batches_come_before_those_that_wait_and_retained_values_are_made_anew() -> None:
    async def main() -> None:
        desk = Desk("device", tags=1)
        await desk.connect()
        desk.link.taken.clear()
        await desk.take(1.0)
        await desk.take(2.0)
        on_their_way = [source for source, _, _ in desk.link.taken]
        desk.link.taken.clear()
        desk.link.is_up = False
        await desk.take(3.0)
        await desk.disconnect(*on_their_way)
        await desk.connect()
        assert [batch["tags"]["t0"]["value"] for batch in desk.values_of("batch")] == [1.0, 2.0, 3.0, 3.0]

    run_virtual(main())


def test_a_stop_gives_up_what_waits_and_says_offline() -> None:
    async def main() -> None:
        desk = Desk()
        running = asyncio.create_task(desk.publisher.run())
        await desk.connect()
        desk.link.taken.clear()
        desk.publisher.batch(Batch("boiler", 0.0, [(desk.tags[0], Sample(1.0))]))
        await desk.publisher.stop()
        desk.publisher.status("online")
        desk.publisher.constraint(verdict(Verdict.OK))
        await desk.take(2.0)
        assert [(topic, payload["state"]) for _, topic, payload in desk.link.taken] == [("status", "offline")]
        assert desk.link.closed
        await running

    run_virtual(main())


def test_a_stop_waits_two_seconds_for_a_silent_broker_and_no_longer() -> None:
    async def main() -> None:
        desk = Desk()
        running = asyncio.create_task(desk.publisher.run())
        await desk.connect()
        desk.link.settled.clear()
        began = VirtualClock().monotonic()
        await desk.publisher.stop()
        assert VirtualClock().monotonic() - began == 2.0
        await running

    run_virtual(main())


def test_what_the_broker_refused_is_offered_again_with_the_next_status() -> None:
    async def main() -> None:
        desk = Desk(status_life=90.0)
        running = asyncio.create_task(desk.publisher.run())
        await desk.connect()
        await desk.take(1.0)
        source = next(source for source, topic, _ in desk.link.taken if topic == "tag/boiler/t0")
        desk.link.topics()
        desk.publisher.refused(source)
        await asyncio.sleep(29)
        assert desk.link.topics() == []
        await asyncio.sleep(2)
        assert sorted(desk.link.topics()) == ["status", "tag/boiler/t0"]
        await asyncio.sleep(31)
        assert desk.link.topics() == ["status"]
        await desk.publisher.stop()
        await running

    run_virtual(main())


def refusal(command: str, message: str = "") -> Reply:
    return Reply(command, Outcome.REFUSED, "violation", message, wall=1_767_225_600.0)


def test_replies_go_before_events_records_and_values_and_verdicts_before_them() -> None:
    async def main() -> None:
        desk = Desk()
        await desk.connect()
        desk.link.topics()
        desk.link.space = 0
        await desk.take(1.0)
        desk.publisher.audit(b'{"kind":"intent"}')
        desk.publisher.head("12 ab")
        desk.publisher.reply(refusal("c1"))
        desk.publisher.reply(refusal("_"))
        desk.publisher.constraint(verdict(Verdict.VIOLATED))
        await desk.room(10)
        [head] = desk.values_of("event/audit")
        assert (head["kind"], head["head"]) == ("head", "12 ab")
        assert desk.values_of("audit") == [{"kind": "intent"}]
        assert [source.retain for source, topic, _ in desk.link.taken if topic.startswith("reply/")] == [False] * 2
        assert desk.link.topics() == [
            "constraint/max", "reply/c1", "reply/_", "event/audit", "audit", "tag/boiler/t0",
        ]  # fmt: skip

    run_virtual(main())


def test_a_reply_writes_a_float_as_the_topic_of_its_tag_does() -> None:
    async def main() -> None:
        desk = Desk()
        await desk.connect()
        desk.publisher.device(DeviceReport("boiler", "connected", 0.0, types={"t0": DataType.FLOAT32}))
        result = Result(451.2, Outcome.APPLIED, read_back=451.20001220703125)
        desk.publisher.reply(Reply("c", Outcome.APPLIED, results={"boiler.t0": result, "other.t": result}))
        await asyncio.sleep(0)
        [reply] = desk.values_of("reply/")
        assert reply["results"]["boiler.t0"]["read_back"] == 451.2
        assert reply["results"]["other.t"]["read_back"] == 451.20001220703125

    run_virtual(main())


@pytest.mark.parametrize("kind", ["reply", "audit"])
def test_replies_and_records_of_an_outage_are_kept_in_order_and_the_oldest_dropped_and_counted(kind: str) -> None:
    async def main() -> None:
        desk = Desk()
        for place in range(2000):
            if kind == "reply":
                desk.publisher.reply(refusal(str(place), "x" * 200))
            else:
                desk.publisher.audit(json.dumps({"id": str(place), "why": "x" * 200}).encode())
        await asyncio.sleep(0)
        assert 0 < desk.counters.dropped < 2000
        await desk.connect()
        await asyncio.sleep(1)
        told = [payload["id"] for payload in desk.values_of(kind)]
        assert told == [str(place) for place in range(desk.counters.dropped, 2000)]

    run_virtual(main())


def test_a_reply_that_the_broker_may_not_have_is_told_again() -> None:
    async def main() -> None:
        desk = Desk()
        await desk.connect()
        desk.publisher.reply(refusal("c1"))
        desk.publisher.audit(b"{}")
        await asyncio.sleep(0)
        sent = [source for source, topic, _ in desk.link.taken if topic in {"reply/c1", "audit"}]
        assert len(sent) == 2
        desk.link.topics()
        await desk.disconnect(*sent)
        await desk.connect()
        topics = desk.link.topics()
        assert [topics.count(topic) for topic in ("reply/c1", "audit")] == [1, 1]

    run_virtual(main())


def test_the_last_replies_leave_before_the_gateway_is_offline() -> None:
    async def main() -> None:
        desk = Desk()
        running = asyncio.create_task(desk.publisher.run())
        await desk.connect()
        desk.link.topics()
        desk.publisher.reply(refusal("c1"))
        await desk.publisher.stop()
        desk.publisher.reply(refusal("c2"))
        await asyncio.sleep(0)
        assert desk.link.topics() == ["reply/c1", "status"]
        await running

    run_virtual(main())


def lost(place: int) -> EventReport:
    return EventReport("device", "device_lost", 1_767_225_600.0, {"device": f"d{place}", "reason": "timeout"})


def test_an_event_goes_once_and_before_the_values() -> None:
    async def main() -> None:
        desk = Desk()
        await desk.connect()
        desk.link.topics()
        desk.link.space = 0
        await desk.take(1.0)
        desk.publisher.event(lost(1))
        await desk.room(10)
        assert desk.link.topics() == ["event/device", "tag/boiler/t0"]
        desk.publisher.connected()
        await asyncio.sleep(0)
        assert "event/device" not in desk.link.topics()

    run_virtual(main())


def test_events_of_an_outage_follow_in_order_and_the_oldest_are_dropped_and_counted() -> None:
    async def main() -> None:
        desk = Desk()
        for place in range(2000):
            desk.publisher.event(lost(place))
        await asyncio.sleep(0)
        assert 0 < desk.counters.dropped < 2000
        await desk.connect()
        await asyncio.sleep(1)
        told = [event["device"] for event in desk.values_of("event/")]
        assert told == [f"d{place}" for place in range(desk.counters.dropped, 2000)]

    run_virtual(main())


def test_an_event_that_the_broker_may_not_have_is_told_again() -> None:
    async def main() -> None:
        desk = Desk()
        await desk.connect()
        desk.publisher.event(lost(1))
        await asyncio.sleep(0)
        sent = [source for source, topic, _ in desk.link.taken if topic == "event/device"]
        desk.link.topics()
        await desk.disconnect(*sent)
        await desk.connect()
        assert desk.link.topics().count("event/device") == 1

    run_virtual(main())


def test_an_event_waits_for_no_broker_when_the_gateway_stops() -> None:
    async def main() -> None:
        desk = Desk()
        running = asyncio.create_task(desk.publisher.run())
        await desk.connect()
        desk.link.topics()
        desk.link.space = 0
        desk.publisher.event(lost(1))
        await asyncio.sleep(0)
        desk.link.space = 10
        await desk.publisher.stop()
        desk.publisher.event(lost(2))
        await asyncio.sleep(0)
        assert desk.link.topics() == ["status"]
        await running

    run_virtual(main())
