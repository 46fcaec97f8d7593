"""The gate over a process image: who is judged when, and what is said of it."""

from dataclasses import dataclass

import pytest

from drivers.values import Sample, Seconds
from gateway.errors import GatewayError
from gateway.safety.constraint import Threshold
from gateway.safety.gate import Gate
from gateway.safety.verdict import SafetyLevel, Verdict
from gateway.tags.image import Answer, ProcessImage
from gateway.tags.tag import Tag, TagSettings


@dataclass
class HandClock:
    now: float = 100.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1_790_000_000.0 + self.now


class Plant:
    """One device with the tags `steam` and `level`; `steam` is constrained to 580, aged 2 s at most."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.tags = [Tag(index, "boiler", name, TagSettings(), Seconds(3)) for index, name in enumerate(TAGS)]
        self.image = ProcessImage(self.tags, self.clock)
        (self.block,) = self.image.regroup("boiler", [self.tags])
        self.gate = Gate([limit("boiler.steam", max_age=2)], self.image)

    def answer(self, *news: tuple[int, Sample]) -> None:
        taken = [(self.tags[index], sample) for index, sample in news]
        self.image.receive("boiler", [Answer(self.block, self.clock.now, taken)])

    def verdict(self) -> tuple[Verdict, str]:
        judgement = self.gate.constraints[0].judgement
        return judgement.verdict, judgement.reason


TAGS = ("steam", "level")


def limit(tag: str, max_age: float | None = None) -> Threshold:
    age = None if max_age is None else Seconds(max_age)
    return Threshold(name="limit", level=SafetyLevel.CRITICAL, tag=tag, max=580, max_age=age)


@pytest.fixture
def plant() -> Plant:
    return Plant()


def test_before_the_first_sample_a_constraint_is_unknown(plant: Plant) -> None:
    assert plant.gate.refresh(plant.clock.now) == []
    assert plant.verdict() == (Verdict.UNKNOWN, "no_data")


def test_a_constraint_is_judged_when_its_own_tag_changes(plant: Plant) -> None:
    plant.answer((0, Sample(700.0)), (1, Sample(1.0)))
    assert plant.gate.observe([plant.tags[1]], plant.clock.now) == []
    assert plant.gate.observe([plant.tags[0]], plant.clock.now) == [plant.gate.constraints[0]]
    assert plant.verdict() == (Verdict.VIOLATED, "above_max")


def test_a_verdict_that_stays_the_same_is_told_once(plant: Plant) -> None:
    plant.answer((0, Sample(400.0)))
    assert len(plant.gate.observe([plant.tags[0]], plant.clock.now)) == 1
    plant.answer((0, Sample(401.0)))
    assert plant.gate.observe([plant.tags[0]], plant.clock.now) == []


def test_staleness_needs_no_sample_to_be_noticed(plant: Plant) -> None:
    plant.answer((0, Sample(400.0)))
    plant.gate.refresh(plant.clock.now)
    plant.clock.now += 1.9
    assert plant.gate.refresh(plant.clock.now) == []
    plant.clock.now += 0.2
    assert plant.gate.refresh(plant.clock.now) == [plant.gate.constraints[0]]
    assert plant.verdict() == (Verdict.UNKNOWN, "stale")


def test_an_answer_without_a_change_lets_the_verdict_live_on(plant: Plant) -> None:
    plant.answer((0, Sample(400.0)))
    plant.gate.refresh(plant.clock.now)
    plant.clock.now += 1.9
    plant.answer()
    plant.clock.now += 1.9
    assert plant.gate.refresh(plant.clock.now) == []
    assert plant.verdict() == (Verdict.OK, "")


def test_a_stale_constraint_recovers_by_an_answer_without_a_change(plant: Plant) -> None:
    plant.answer((0, Sample(400.0)))
    plant.clock.now += 2.5
    plant.gate.refresh(plant.clock.now)
    plant.answer()
    assert plant.gate.refresh(plant.clock.now) == [plant.gate.constraints[0]]
    assert plant.verdict() == (Verdict.OK, "")


def test_an_evaluation_that_raises_is_a_doubt_and_is_counted(plant: Plant) -> None:
    class BrokenImage(ProcessImage):
        def sample(self, tag: Tag, now: float) -> Sample:
            raise ZeroDivisionError(tag, now)

    plant.gate = Gate([limit("boiler.steam")], BrokenImage(plant.tags, plant.clock))
    plant.gate.observe([plant.tags[0]], plant.clock.now)
    assert plant.verdict() == (Verdict.UNKNOWN, "error")
    assert plant.gate.errors == 1


def test_a_constraint_on_a_tag_that_is_not_there_is_refused(plant: Plant) -> None:
    with pytest.raises(GatewayError, match=r"limit: there is no tag boiler\.stem"):
        Gate([limit("boiler.stem")], plant.image)


def test_without_an_age_of_its_own_a_constraint_grants_what_its_source_grants(plant: Plant) -> None:
    plant.gate = Gate([limit("boiler.steam")], plant.image)
    plant.block.max_age = 30.0
    plant.answer((0, Sample(400.0)))
    plant.clock.now += 29
    plant.gate.refresh(plant.clock.now)
    assert plant.verdict() == (Verdict.OK, "")
    plant.clock.now += 2
    plant.gate.refresh(plant.clock.now)
    assert plant.verdict() == (Verdict.UNKNOWN, "stale")
