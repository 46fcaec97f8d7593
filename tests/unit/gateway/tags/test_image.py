"""The process image: what holds for a tag now, and who is told."""

import pytest

from drivers.values import Quality, Sample, Seconds, bad
from gateway.tags.image import Answer, Batch, Freshness, ProcessImage
from gateway.tags.tag import Tag, TagSettings


class HandClock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1_790_000_000.0 + self.now


class Plant:
    """Two devices: `a` with two tags in one block, `b` with one."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.tags = [self._tag(0, "a", "x"), self._tag(1, "a", "y"), self._tag(2, "b", "z")]
        self.image = ProcessImage(self.tags, self.clock)
        self.batches: list[Batch] = []
        self.image.listen(self.batches.append)
        (self.a,) = self.image.regroup("a", [self.tags[:2]])
        (self.b,) = self.image.regroup("b", [self.tags[2:]])

    def _tag(self, index: int, device: str, name: str) -> Tag:
        return Tag(index, device, name, TagSettings(), Seconds(3.0))

    def answer(self, block: Freshness, *values: tuple[int, float]) -> None:
        news = [(self.tags[index], Sample(value)) for index, value in values]
        self.image.receive(block.tags[0].device, [Answer(block, self.clock.now, news)])

    def sample(self, index: int) -> Sample:
        return self.image.sample(self.tags[index], self.clock.now)

    def told(self) -> list[tuple[str, Sample]]:
        told = [(tag.path, sample) for batch in self.batches for tag, sample in batch.changes]
        self.batches.clear()
        return told


@pytest.fixture
def plant() -> Plant:
    return Plant()


def test_before_the_first_answer_every_tag_is_bad(plant: Plant) -> None:
    assert {plant.sample(index) for index in range(3)} == {bad("no_data")}


def test_a_scan_is_told_as_one_batch_of_its_changes(plant: Plant) -> None:
    plant.answer(plant.a, (0, 1.0), (1, 2.0))
    assert len(plant.batches) == 1
    assert plant.told() == [("a.x", Sample(1.0)), ("a.y", Sample(2.0))]


def test_an_answer_without_changes_is_told_to_nobody_and_keeps_the_tags_fresh(plant: Plant) -> None:
    plant.answer(plant.a, (0, 1.0), (1, 2.0))
    plant.told()
    plant.clock.now += 2.9
    plant.answer(plant.a)
    plant.clock.now += 2.9
    plant.image.expire()
    assert plant.told() == []
    assert plant.sample(0) == Sample(1.0)


def test_a_silent_source_makes_its_tags_stale_and_says_so_once(plant: Plant) -> None:
    plant.answer(plant.a, (0, 1.0), (1, 2.0))
    plant.told()
    plant.clock.now += 3.01
    assert plant.sample(0) == bad("stale")
    plant.image.expire()
    plant.image.expire()
    assert plant.told() == [("a.x", bad("stale")), ("a.y", bad("stale"))]


def test_what_comes_back_unchanged_is_told_again(plant: Plant) -> None:
    plant.answer(plant.a, (0, 1.0), (1, 2.0))
    plant.clock.now += 3.01
    plant.image.expire()
    plant.told()
    plant.answer(plant.a, (1, 5.0))
    assert sorted(plant.told()) == [("a.x", Sample(1.0)), ("a.y", Sample(5.0))]
    assert plant.sample(0) == Sample(1.0)


def test_a_failed_block_spoils_its_own_tags_alone(plant: Plant) -> None:
    plant.answer(plant.a, (0, 1.0), (1, 2.0))
    plant.answer(plant.b, (2, 3.0))
    plant.told()
    plant.image.fail("a", "timeout", [plant.a])
    plant.image.fail("a", "timeout", [plant.a])
    assert plant.told() == [("a.x", bad("timeout")), ("a.y", bad("timeout"))]
    assert plant.sample(2) == Sample(3.0)


def test_a_new_connection_forgets_the_values_of_the_old_one(plant: Plant) -> None:
    plant.answer(plant.a, (0, 1.0), (1, 2.0))
    plant.image.fail("a", "disconnected")
    (block,) = plant.image.regroup("a", [plant.tags[:2]])
    plant.answer(block, (0, 7.0))
    assert plant.sample(0) == Sample(7.0)
    assert plant.sample(1) == bad("no_data")


def test_the_time_of_a_tag_is_its_source_time_where_it_has_one(plant: Plant) -> None:
    stamped = plant.clock.wall() - 10
    plant.image.receive("b", [Answer(plant.b, plant.clock.now, [(plant.tags[2], Sample(1.0, source_time=stamped))])])
    assert plant.image.wall(plant.tags[2]) == stamped
    plant.answer(plant.b, (2, 2.0))
    assert plant.image.wall(plant.tags[2]) == plant.clock.wall()


def test_tags_are_counted_by_the_quality_of_now(plant: Plant) -> None:
    plant.answer(plant.a, (0, 1.0), (1, 2.0))
    assert plant.image.count()["a"][Quality.GOOD] == 2
    plant.clock.now += 10
    assert plant.image.count() == {
        "a": {Quality.BAD: 2, Quality.UNCERTAIN: 0, Quality.GOOD: 0},
        "b": {Quality.BAD: 1, Quality.UNCERTAIN: 0, Quality.GOOD: 0},
    }


def test_a_tag_is_found_by_its_path(plant: Plant) -> None:
    assert plant.image.find("a.y") is plant.tags[1]
    assert plant.image.find("a.nothing") is None
