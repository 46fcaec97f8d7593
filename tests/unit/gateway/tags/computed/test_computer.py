"""Computed tags in the process image: when they are evaluated, how good they are, and how fresh."""

from collections.abc import Callable
from typing import Any

import pytest

from drivers.values import Quality, Sample, Seconds, Value, bad
from gateway.tags.computed.computer import Computer
from gateway.tags.computed.point import ComputedPoint
from gateway.tags.computed.redundant import Vote
from gateway.tags.image import Answer, Batch, Freshness, ProcessImage
from gateway.tags.tag import Tag, TagSettings

NEAR_10: Any = pytest.approx(10.0)
NEAR_20: Any = pytest.approx(20.0)


class HandClock:
    """A clock that the test turns."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1_790_000_000.0 + self.now


class Rig:
    """Device `a` with three tags (stale after 3 s), `b` with one (after 10 s), and a computed device `h`."""

    def __init__(self, **points: ComputedPoint | tuple[ComputedPoint, TagSettings]) -> None:
        self.clock = HandClock()
        read = [("a", "x", 3.0), ("a", "y", 3.0), ("a", "z", 3.0), ("b", "w", 10.0)]
        made = {name: point if isinstance(point, tuple) else (point, TagSettings()) for name, point in points.items()}
        built = [
            Tag(index, device, name, TagSettings(), Seconds(age)) for index, (device, name, age) in enumerate(read)
        ]
        own = [
            Tag(len(read) + place, "h", name, settings, Seconds(3.0))
            for place, (name, (_, settings)) in enumerate(made.items())
        ]
        self.image = ProcessImage([*built, *own], self.clock)
        (self.a,) = self.image.regroup("a", [built[:3]])
        (self.b,) = self.image.regroup("b", [built[3:]])
        self.counted = 0
        points_of = [(tag, point) for tag, (point, _) in zip(own, made.values(), strict=True)]
        self.computer = Computer(points_of, self.image, self.clock, self._count)
        self.batches: list[Batch] = []
        self.image.listen(self.batches.append)

    def answer(self, block: Freshness, **values: "Value | Sample") -> None:
        device = block.tags[0].device
        news = [
            (self.tag(f"{device}.{name}"), value if isinstance(value, Sample) else Sample(value))
            for name, value in values.items()
        ]
        self.image.receive(device, [Answer(block, self.clock.now, news)])

    def tag(self, path: str) -> Tag:
        tag = self.image.find(path)
        assert tag is not None
        return tag

    def sample(self, path: str) -> Sample:
        return self.image.sample(self.tag(path), self.clock.now)

    def told(self, path: str) -> list[Sample]:
        told = [sample for batch in self.batches for tag, sample in batch.changes if tag.path == path]
        self.batches.clear()
        return told

    def _count(self, device: str, samples: int) -> None:
        assert device == "h"
        self.counted += samples


def expression(text: str) -> ComputedPoint:
    return ComputedPoint(expression=text)


@pytest.fixture
def rig() -> Rig:
    return Rig(sum=expression("a.x + b.w"), double=expression("2 * h.sum"))


def test_until_every_input_has_a_value_there_is_none(rig: Rig) -> None:
    assert rig.sample("h.sum") == bad("no_data")
    rig.answer(rig.a, x=1.0)
    assert rig.sample("h.sum") == bad("no_data")
    rig.answer(rig.b, w=2.0)
    assert rig.sample("h.sum") == Sample(3.0)
    assert rig.sample("h.double") == Sample(6.0)


def test_it_is_told_in_the_same_step_before_its_input_is(rig: Rig) -> None:
    rig.answer(rig.a, x=1.0)
    rig.batches.clear()
    rig.answer(rig.b, w=2.0)
    assert [[tag.path for tag, _ in batch.changes] for batch in rig.batches] == [["h.sum"], ["h.double"], ["b.w"]]


def test_a_tag_made_from_several_changed_ones_is_evaluated_once_a_batch() -> None:
    rig = Rig(sum=expression("a.x + a.y"), both=expression("h.sum + a.x + a.y"))
    rig.answer(rig.a, x=1.0, y=2.0)
    assert rig.told("h.both") == [Sample(6.0)]
    rig.answer(rig.a, x=2.0, y=3.0)
    assert rig.told("h.both") == [Sample(10.0)]


def test_what_did_not_change_is_not_told_and_nothing_made_from_it_is_evaluated() -> None:
    rig = Rig(rounded=expression("round(a.x)"), made=expression("h.rounded * a.y"))
    rig.answer(rig.a, x=1.1, y=5.0)
    rig.batches.clear()
    rig.answer(rig.a, x=1.2)
    assert [batch.device for batch in rig.batches] == ["a"]
    assert rig.counted == 2


def test_a_tag_of_other_inputs_is_left_alone(rig: Rig) -> None:
    rig.answer(rig.a, x=1.0)
    rig.answer(rig.b, w=2.0)
    counted = rig.counted
    rig.answer(rig.a, y=1.0)
    assert rig.counted == counted


def test_an_input_that_is_answered_without_a_change_keeps_it_fresh(rig: Rig) -> None:
    rig.answer(rig.a, x=1.0)
    rig.answer(rig.b, w=2.0)
    for _ in range(3):
        rig.clock.now += 2.9
        rig.answer(rig.a)
        rig.image.expire()
    assert rig.sample("h.sum") == Sample(3.0)
    assert rig.counted == 2


def test_it_is_stale_in_the_moment_in_which_an_input_is(rig: Rig) -> None:
    rig.answer(rig.a, x=1.0)
    rig.answer(rig.b, w=2.0)
    rig.clock.now += 3.0
    assert rig.sample("h.double") == Sample(6.0)
    rig.clock.now += 0.001
    assert rig.sample("h.sum") == rig.sample("h.double") == rig.sample("a.x") == bad("stale")
    assert rig.sample("b.w") == Sample(2.0)
    rig.batches.clear()
    rig.image.expire()
    assert rig.told("h.double") == [bad("stale")]
    rig.answer(rig.a)
    assert rig.sample("h.double") == Sample(6.0)
    assert rig.told("h.double") == [Sample(6.0)]


def test_its_age_is_that_of_the_input_that_answered_longest_ago(rig: Rig) -> None:
    rig.answer(rig.b, w=2.0)
    rig.clock.now += 8.0
    rig.answer(rig.a, x=1.0)
    tag = rig.tag("h.double")
    assert rig.image.answered(tag) == 100.0
    assert rig.image.answered(tag) + rig.image.max_age(tag) == pytest.approx(110.0)


def test_a_failed_input_fails_it_for_the_same_reason_until_the_input_is_back(rig: Rig) -> None:
    rig.answer(rig.a, x=1.0)
    rig.answer(rig.b, w=2.0)
    rig.batches.clear()
    rig.image.fail("b", "timeout")
    assert rig.sample("h.sum") == rig.sample("h.double") == bad("timeout")
    assert rig.told("h.double") == [bad("timeout")]
    rig.answer(rig.b)
    assert rig.sample("h.double") == Sample(6.0)


def test_a_bad_input_makes_it_bad_and_a_doubtful_one_doubtful(rig: Rig) -> None:
    rig.answer(rig.b, w=2.0)
    rig.answer(rig.a, x=bad("sensor"))
    assert rig.sample("h.double") == bad("sensor")
    rig.answer(rig.a, x=Sample(1.0, Quality.UNCERTAIN, "frozen"))
    assert rig.sample("h.double") == Sample(6.0, Quality.UNCERTAIN, "frozen")


def test_a_computation_that_cannot_be_done_is_bad_and_no_exception() -> None:
    rig = Rig(ratio=expression("a.x / a.y"), more=expression("h.ratio + 1"))
    rig.answer(rig.a, x=1.0, y=0.0)
    assert rig.sample("h.ratio") == rig.sample("h.more") == bad("computation")
    rig.answer(rig.a, y=2.0)
    assert rig.sample("h.more") == Sample(1.5)
    rig.answer(rig.a, y="text")
    assert rig.sample("h.more") == bad("computation")


def test_its_source_time_is_the_oldest_of_its_inputs_where_all_have_one(rig: Rig) -> None:
    now = rig.clock.wall()
    rig.answer(rig.a, x=Sample(1.0, source_time=now - 2))
    rig.answer(rig.b, w=Sample(2.0, source_time=now - 1))
    assert rig.sample("h.double").source_time == now - 2
    rig.answer(rig.b, w=Sample(2.0))
    assert rig.sample("h.double").source_time is None


def test_scale_and_range_apply_to_the_result() -> None:
    rig = Rig(percent=(expression("a.x"), TagSettings(scale=100.0, range=(0.0, 100.0))))
    rig.answer(rig.a, x=0.5)
    assert rig.sample("h.percent") == Sample(50.0)
    rig.answer(rig.a, x=1.5)
    assert rig.sample("h.percent") == Sample(150.0, Quality.UNCERTAIN, "out_of_range")


def test_a_number_that_becomes_a_bool_of_the_same_worth_is_news() -> None:
    rig = Rig(either=expression("a.x if a.y else a.x > 0"))
    rig.answer(rig.a, x=1, y=True)
    rig.batches.clear()
    rig.answer(rig.a, y=False)
    assert [type(sample.value) for sample in rig.told("h.either")] == [bool]


def test_a_vote_goes_on_without_an_input_that_is_stale_and_never_looks_stale_itself() -> None:
    rig = Rig(vote=ComputedPoint(vote=Vote(tags=("a.x", "b.w"), agree=1, above=10)))
    rig.answer(rig.a, x=1.0)
    rig.answer(rig.b, w=2.0)
    assert rig.sample("h.vote") == Sample(value=False)
    rig.clock.now += 3.5
    rig.batches.clear()
    rig.image.expire()
    assert rig.sample("h.vote") == Sample(True, Quality.UNCERTAIN, "degraded")  # noqa: FBT003  (a value)
    assert [sample.reason for sample in rig.told("h.vote")] == ["degraded"]
    rig.clock.now += 7.0
    rig.image.expire()
    assert rig.sample("h.vote") == bad("stale")


def average(**keys: float) -> ComputedPoint:
    return ComputedPoint(average="a.x", window=Seconds(100.0), **keys)  # type: ignore[arg-type]  # min_coverage alone


def run(rig: Rig, seconds: int, then: Callable[[], None] = lambda: None) -> None:
    """Let the field answer and the windows move on once a second."""
    for _ in range(seconds):
        rig.clock.now += 1.0
        rig.answer(rig.a)
        rig.image.expire()
        rig.computer.tick("h")
        then()


def test_a_window_is_doubtful_until_enough_of_it_is_known() -> None:
    rig = Rig(mean=average())
    rig.computer.tick("h")
    assert rig.sample("h.mean") == bad("coverage")
    rig.answer(rig.a, x=10.0)
    run(rig, 74)
    assert rig.sample("h.mean") == Sample(NEAR_10, Quality.UNCERTAIN, "coverage")
    run(rig, 1)
    assert rig.sample("h.mean") == Sample(NEAR_10)


def test_a_window_moves_on_while_nothing_changes() -> None:
    rig = Rig(mean=average(), total=ComputedPoint(total="a.x", window=Seconds(100.0), per=Seconds(3600.0)))
    rig.answer(rig.a, x=0.0)
    run(rig, 100)
    rig.answer(rig.a, x=36.0)
    run(rig, 50)
    assert rig.sample("h.mean").value == pytest.approx(18.0)
    assert rig.sample("h.total").value == pytest.approx(0.5)
    run(rig, 50)
    assert rig.sample("h.mean").value == pytest.approx(36.0)


def test_an_input_that_is_bad_or_doubtful_is_a_gap_in_the_window() -> None:
    rig = Rig(mean=average(), most=ComputedPoint(maximum="a.x", window=Seconds(100.0), min_coverage=0.2))
    rig.answer(rig.a, x=10.0)
    run(rig, 80)
    rig.answer(rig.a, x=Sample(1000.0, Quality.UNCERTAIN, "out_of_range"))
    run(rig, 30)
    assert rig.sample("h.mean") == Sample(NEAR_10, Quality.UNCERTAIN, "coverage")
    assert rig.sample("h.most") == Sample(10.0)
    run(rig, 100)
    assert rig.sample("h.mean") == rig.sample("h.most") == bad("coverage")


def test_an_extreme_is_told_in_the_step_that_brings_it() -> None:
    rig = Rig(
        most=ComputedPoint(maximum="a.x", window=Seconds(100.0), min_coverage=0.1),
        least=ComputedPoint(minimum="a.x", window=Seconds(100.0), min_coverage=0.1),
        span=expression("h.most - h.least"),
    )
    rig.answer(rig.a, x=10.0)
    run(rig, 20)
    rig.answer(rig.a, x=99.0)
    assert rig.sample("h.span") == Sample(89.0)


def test_windows_that_nobody_moves_on_turn_stale_with_all_that_is_made_from_them() -> None:
    rig = Rig(mean=average(min_coverage=0.1), double=expression("h.mean * 2"))
    rig.answer(rig.a, x=10.0)
    run(rig, 20)
    assert rig.sample("h.double") == Sample(NEAR_20)
    rig.clock.now += 3.1
    rig.answer(rig.a)
    rig.image.expire()
    assert rig.sample("h.mean") == rig.sample("h.double") == bad("stale")
    rig.computer.tick("h")
    assert rig.sample("h.double") == Sample(NEAR_20)


def test_a_bool_counts_as_the_share_of_time_in_which_it_was_true() -> None:
    rig = Rig(share=average())
    rig.answer(rig.a, x=True)
    run(rig, 25)
    rig.answer(rig.a, x=False)
    run(rig, 75)
    assert rig.sample("h.share").value == pytest.approx(0.25)


def test_an_input_that_is_not_in_the_image_is_refused_at_once() -> None:
    with pytest.raises(KeyError):
        Rig(sum=expression("a.nothing + 1"))
