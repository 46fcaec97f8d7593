"""The process image: what holds for a tag now, and who is told."""

import pytest

from drivers.values import Quality, Sample, Seconds, bad
from gateway.tags.image import Answer, Batch, Freshness, ProcessImage
from gateway.tags.tag import Tag, TagSettings


class HandClock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = 100.0
        self.behind = 0.0
        """Seconds by which the wall clock is wrong."""

    def monotonic(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1_790_000_000.0 + self.now - self.behind


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


def test_an_answer_that_came_too_late_to_be_fresh_is_told_as_stale_and_never_as_good(plant: Plant) -> None:
    plant.answer(plant.a, (0, 1.0), (1, 2.0))
    plant.told()
    for value in (3.0, 4.0):
        late = Answer(plant.a, plant.clock.now, [(plant.tags[0], Sample(value))])
        plant.clock.now += 3.01
        plant.image.receive("a", [late])
        plant.image.expire()
    assert plant.told() == [("a.x", bad("stale")), ("a.y", bad("stale"))]
    plant.answer(plant.a)
    assert sorted(plant.told()) == [("a.x", Sample(4.0)), ("a.y", Sample(2.0))]


def test_a_failed_block_that_answers_too_late_is_stale_and_no_longer_failed(plant: Plant) -> None:
    plant.answer(plant.a, (0, 1.0), (1, 2.0))
    plant.image.fail("a", "timeout", [plant.a])
    plant.told()
    plant.image.receive("a", [Answer(plant.a, plant.clock.now - 3.01, [])])
    assert plant.told() == [("a.x", bad("stale")), ("a.y", bad("stale"))]
    assert plant.sample(0) == bad("stale")


def stamp(plant: Plant, value: float, ahead: float = 0.0) -> Sample:
    """Let `b.z` have a value whose source time is right, or so many seconds ahead of the right time."""
    right = 1_790_000_000.0 + plant.clock.now
    sample = Sample(value, source_time=right + ahead)
    plant.image.receive("b", [Answer(plant.b, plant.clock.now, [(plant.tags[2], sample)])])
    return sample


def test_what_only_our_own_wrong_clock_took_for_future_is_good_once_it_is_set(plant: Plant) -> None:
    plant.clock.behind = 3600.0
    sample = stamp(plant, 7.0)
    assert plant.sample(2) == Sample(7.0, Quality.UNCERTAIN, "future")
    plant.image.expire()
    plant.told()
    plant.clock.now += 1.0
    plant.clock.behind = 0.0
    plant.image.expire()
    assert plant.told() == [("b.z", sample)]
    assert plant.sample(2) == sample
    plant.image.expire()
    assert plant.told() == []


def test_a_device_whose_clock_is_ahead_is_doubted_however_long_its_value_stands(plant: Plant) -> None:
    stamp(plant, 7.0, ahead=10.0)
    for _ in range(20):
        plant.clock.now += 2.0
        plant.answer(plant.b)
        plant.image.expire()
    assert plant.sample(2) == Sample(7.0, Quality.UNCERTAIN, "future")


def test_a_newer_sample_or_connection_takes_the_place_of_one_that_was_ahead(plant: Plant) -> None:
    plant.clock.behind = 3600.0
    stamp(plant, 7.0)
    plant.answer(plant.b, (2, 8.0))
    plant.clock.behind = 0.0
    plant.image.expire()
    assert plant.sample(2) == Sample(8.0)
    plant.clock.behind = 3600.0
    stamp(plant, 7.0)
    plant.image.regroup("b", [plant.tags[2:]])
    plant.clock.behind = 0.0
    plant.image.expire()
    assert plant.sample(2) == bad("no_data")


def test_a_failed_source_stays_bad_when_our_clock_is_set(plant: Plant) -> None:
    plant.clock.behind = 3600.0
    sample = stamp(plant, 7.0)
    plant.image.fail("b", "timeout")
    plant.told()
    plant.clock.behind = 0.0
    plant.image.expire()
    assert plant.told() == []
    assert plant.sample(2) == bad("timeout")
    plant.answer(plant.b)
    assert plant.told() == [("b.z", sample)]


def test_the_parts_of_a_block_take_over_what_is_known_of_their_tags(plant: Plant) -> None:
    plant.answer(plant.a, (0, 1.0), (1, 2.0))
    plant.a.max_age = 5.0
    plant.told()
    x, y = plant.image.split("a", plant.a, [plant.tags[:1], plant.tags[1:2]])
    assert plant.sample(0) == Sample(1.0)
    plant.image.fail("a", "refused", [y])
    assert plant.told() == [("a.y", bad("refused"))]
    plant.clock.now += 4.9
    assert plant.sample(0) == Sample(1.0)
    plant.answer(x)
    plant.clock.now += 4.9
    plant.image.expire()
    assert plant.told() == []


def test_the_parts_of_a_failed_block_are_failed_until_they_answer(plant: Plant) -> None:
    plant.answer(plant.a, (0, 1.0), (1, 2.0))
    plant.image.fail("a", "refused")
    plant.told()
    x, _ = plant.image.split("a", plant.a, [plant.tags[:1], plant.tags[1:2]])
    plant.answer(x)
    assert plant.told() == [("a.x", Sample(1.0))]
    assert plant.sample(1) == bad("refused")


def test_nothing_of_a_barred_device_is_believed_and_what_came_meanwhile_is_told_afterwards(plant: Plant) -> None:
    plant.answer(plant.a, (0, 1.0), (1, 2.0))
    plant.told()
    plant.image.bar("a", "other")
    assert plant.told() == [("a.x", bad("other")), ("a.y", bad("other"))]
    plant.answer(plant.a, (0, 5.0))
    plant.image.expire()
    assert plant.told() == []
    assert plant.sample(0) == bad("other")
    assert plant.image.behind_bar(plant.tags[0], plant.clock.now) == Sample(5.0)
    plant.image.unbar("a")
    assert sorted(plant.told()) == [("a.x", Sample(5.0)), ("a.y", Sample(2.0))]
    assert plant.sample(0) == Sample(5.0)


def test_what_failed_while_it_was_barred_stays_so_until_it_answers(plant: Plant) -> None:
    plant.answer(plant.a, (0, 1.0), (1, 2.0))
    plant.image.bar("a", "other")
    plant.image.fail("a", "timeout")
    plant.image.bar("a", "unread")
    assert plant.image.behind_bar(plant.tags[0], plant.clock.now) == bad("timeout")
    plant.image.unbar("a")
    assert plant.sample(0) == bad("timeout")
    plant.answer(plant.a)
    assert plant.sample(0) == Sample(1.0)


def test_what_grew_old_while_it_was_barred_is_stale_afterwards(plant: Plant) -> None:
    plant.answer(plant.a, (0, 1.0), (1, 2.0))
    plant.image.bar("a", "other")
    plant.told()
    plant.clock.now += 3.01
    assert plant.image.behind_bar(plant.tags[0], plant.clock.now) == bad("stale")
    plant.image.unbar("a")
    assert plant.told() == [("a.x", bad("stale")), ("a.y", bad("stale"))]
