"""The process image while tags are written: what is kept, what is dropped, and what is told."""

import pytest

from drivers.values import Quality, Sample, bad
from gateway.tags.bars import PULSE
from gateway.tags.image import Answer
from tests.unit.gateway.tags.test_image import Plant


@pytest.fixture
def plant() -> Plant:
    plant = Plant()
    plant.answer(plant.a, (0, 1.0), (1, 2.0))
    plant.answer(plant.b, (2, 3.0))
    plant.told()
    return plant


def test_a_tag_that_is_held_keeps_its_sample_and_the_others_of_its_block_go_on(plant: Plant) -> None:
    plant.image.hold(plant.tags[0])
    plant.answer(plant.a, (0, 5.0), (1, 6.0))
    assert plant.told() == [("a.y", Sample(6.0))]
    assert plant.sample(0) == Sample(1.0)


def test_a_block_of_held_tags_stays_fresh(plant: Plant) -> None:
    plant.image.hold(plant.tags[2])
    for _ in range(3):
        plant.clock.now += 2.0
        plant.answer(plant.b, (2, 5.0))
    assert plant.sample(2) == Sample(3.0)


def test_what_was_asked_for_before_a_tag_was_settled_is_dropped_also_later(plant: Plant) -> None:
    sent = plant.clock.now
    plant.image.hold(plant.tags[0])
    plant.clock.now += 0.05
    plant.image.settle(plant.tags[0], plant.clock.now)
    plant.clock.now += 0.05
    plant.image.receive("a", [Answer(plant.a, sent, [(plant.tags[0], Sample(7.0)), (plant.tags[1], Sample(8.0))])])
    assert plant.told() == [("a.y", Sample(8.0))]
    plant.answer(plant.a, (0, 9.0))
    assert plant.told() == [("a.x", Sample(9.0))]


def test_what_was_asked_for_in_the_very_moment_is_taken_in(plant: Plant) -> None:
    plant.image.settle(plant.tags[0], plant.clock.now)
    plant.answer(plant.a, (0, 9.0))
    assert plant.sample(0) == Sample(9.0)


def test_an_answer_of_another_block_ends_nothing(plant: Plant) -> None:
    plant.clock.now += 1.0
    plant.image.settle(plant.tags[0], plant.clock.now)
    plant.answer(plant.b, (2, 4.0))
    plant.image.receive("a", [Answer(plant.a, plant.clock.now - 0.5, [(plant.tags[0], Sample(7.0))])])
    assert plant.sample(0) == Sample(1.0)


def test_the_first_later_answer_ends_the_matter_though_it_brings_nothing_new_of_the_tag(plant: Plant) -> None:
    plant.image.settle(plant.tags[0], plant.clock.now)
    plant.answer(plant.a, (1, 9.0))
    assert not plant.image._unsettled.limits


def test_a_new_connection_ends_the_matter(plant: Plant) -> None:
    plant.image.hold(plant.tags[2])
    (plant.b,) = plant.image.regroup("b", [plant.tags[2:]])
    plant.answer(plant.b, (2, 5.0))
    assert plant.sample(2) == Sample(5.0)


def test_what_is_put_is_told_in_that_step_though_the_tag_is_held(plant: Plant) -> None:
    plant.image.hold(plant.tags[0])
    assert plant.image.put(plant.tags[0], Sample(5.0)) == Sample(5.0)
    assert plant.told() == [("a.x", Sample(5.0))]
    assert plant.sample(0) == Sample(5.0)


def test_what_is_put_into_a_block_that_failed_or_is_stale_is_kept_and_told_when_it_answers(plant: Plant) -> None:
    plant.image.fail("b", "timeout")
    plant.told()
    plant.image.put(plant.tags[2], Sample(5.0))
    assert plant.told() == []
    assert plant.sample(2) == bad("timeout")
    plant.answer(plant.b)
    assert plant.told() == [("b.z", Sample(5.0))]
    plant.clock.now += 3.1
    plant.image.put(plant.tags[2], Sample(6.0))
    assert plant.told() == []
    assert plant.sample(2) == bad("stale")


def test_what_is_put_has_its_quality_judged_like_everything_else(plant: Plant) -> None:
    assert plant.image.put(plant.tags[0], Sample(float("nan"))) == bad("nan")
    ahead = Sample(5.0, source_time=plant.clock.wall() + 60)
    assert plant.image.put(plant.tags[0], ahead).quality is Quality.UNCERTAIN


def test_a_device_is_barred_as_long_as_anything_speaks_against_it(plant: Plant) -> None:
    plant.image.bar("b", "frozen", PULSE)
    assert plant.sample(2) == bad("frozen")
    plant.image.bar("b", "fingerprint_mismatch")
    assert plant.sample(2) == bad("fingerprint_mismatch")
    plant.image.unbar("b")
    assert plant.sample(2) == bad("frozen")
    plant.told()
    plant.image.unbar("b", PULSE)
    assert plant.told() == [("b.z", Sample(3.0))]


def test_a_bar_outlives_a_connection(plant: Plant) -> None:
    plant.image.bar("b", "frozen", PULSE)
    plant.image.fail("b", "disconnected")
    (plant.b,) = plant.image.regroup("b", [plant.tags[2:]])
    plant.told()
    plant.answer(plant.b, (2, 5.0))
    assert plant.told() == [("b.z", bad("frozen"))]
    plant.image.unbar("b", PULSE)
    assert plant.told() == [("b.z", Sample(5.0))]
