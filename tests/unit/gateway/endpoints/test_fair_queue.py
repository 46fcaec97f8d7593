"""Who goes next onto a wire, and how much of its time the dead may take."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.endpoints.fair_queue import LONGEST_WAIT, PAUSE, FairQueue, Priority


def filled(*items: tuple[Priority, str, str]) -> FairQueue[str]:
    queue: FairQueue[str] = FairQueue()
    for priority, device, item in items:
        queue.push(priority, device, item, now=0.0)
    return queue


def drain(queue: FairQueue[str], now: float = 0.0) -> list[str | None]:
    return [queue.pop(now) for _ in range(len(queue))]


def test_safe_state_goes_before_writes_and_writes_before_reads_and_reads_before_probes() -> None:
    queue = filled(
        (Priority.PROBE, "a", "probe"),
        (Priority.PROVE, "b", "prove"),
        (Priority.READ, "a", "read"),
        (Priority.WRITE, "a", "write"),
        (Priority.SAFE_STATE, "a", "safe state"),
    )
    assert drain(queue) == ["safe state", "write", "read", "prove", "probe"]


def test_devices_of_one_lane_take_turns() -> None:
    queue = filled(*((Priority.READ, "a", item) for item in ("a1", "a2", "a3")), (Priority.READ, "b", "b1"))
    assert drain(queue) == ["a1", "b1", "a2", "a3"]


def test_an_empty_queue_has_nothing_to_give() -> None:
    assert FairQueue[str]().pop(0.0) is None


def test_after_a_probe_in_vain_the_next_waits_four_times_as_long_as_it_took() -> None:
    queue = filled((Priority.PROBE, "a", "probe"))
    queue.hold(now=10.0, took=0.2)
    assert queue.pop(10.7) is None
    assert queue.held_until == 10.8
    assert queue.pop(10.8) == "probe"


def test_the_first_probe_of_a_unit_waits_for_no_pause() -> None:
    queue = filled((Priority.PROVE, "a", "prove"))
    queue.hold(now=10.0, took=0.2)
    assert queue.pop(10.0) == "prove"


def test_on_a_wire_that_is_never_free_a_probe_goes_all_the_same_and_the_next_after_its_pause() -> None:
    for priority in (Priority.PROBE, Priority.PROVE):
        queue = filled((priority, "a", "1st"), (priority, "b", "2nd"), (Priority.READ, "c", "read"))
        late = LONGEST_WAIT
        assert queue.pop(late) == "1st"
        queue.hold(now=late, took=0.2)
        assert queue.pop(late) == "read"
        queue.push(Priority.READ, "c", "read", now=late)
        assert queue.pop(late + PAUSE * 0.2) == "2nd"


def test_what_is_taken_whatever_its_turn_is_everything() -> None:
    queue = filled((Priority.PROBE, "a", "probe"), (Priority.READ, "a", "read"))
    queue.hold(now=0.0, took=5.0)
    assert sorted(queue.clear()) == ["probe", "read"]
    assert len(queue) == 0
    assert not queue.holds_only_probes or queue.pop(100.0) is None


class Wire:
    """A wire on which every probe is in vain, beside reads that come as they are drawn."""

    def __init__(self) -> None:
        self.queue: FairQueue[tuple[bool, float]] = FairQueue()
        self.now = 0.0
        self.probed: list[tuple[float, float]] = []
        """When a probe began, and how long it took."""

    def serve(self) -> None:
        item = self.queue.pop(self.now)
        if item is None:
            self.now = self.queue.held_until
            item = self.queue.pop(self.now)
            assert item is not None, "a probe whose pause is over goes"
        is_probe, took = item
        if is_probe:
            self.probed.append((self.now, took))
        self.now += took
        if is_probe:
            self.queue.hold(self.now, took)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("abcdef"), st.floats(0.001, 0.5)), min_size=1, max_size=60))
def test_never_more_than_a_fifth_of_the_wires_time_goes_to_units_that_are_silent(
    asked: list[tuple[bool, str, float]],
) -> None:
    wire = Wire()
    for is_probe, device, took in asked:
        wire.queue.push(Priority.PROBE if is_probe else Priority.READ, device, (is_probe, took), wire.now)
        if len(wire.queue) > 3:
            wire.serve()
    while wire.queue:
        wire.serve()
    for (began, took), (following, _) in pairwise(wire.probed):
        assert following - began >= (1 + PAUSE) * took * (1 - 1e-9)


@given(st.lists(st.floats(0.001, 1.0), min_size=1, max_size=30))
def test_a_probe_is_never_kept_for_ever_by_reads_that_never_end(reads: list[float]) -> None:
    wire = Wire()
    wire.queue.push(Priority.PROBE, "dead", (True, 0.2), wire.now)
    for place in range(2000):
        wire.queue.push(Priority.READ, "live", (False, reads[place % len(reads)]), wire.now)
        wire.serve()
        if wire.probed:
            break
    assert wire.now <= LONGEST_WAIT + max(reads) + 0.2 + 1e-9
