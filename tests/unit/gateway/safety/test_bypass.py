"""What a bypass stops, what it does not, and how it ends."""

from math import inf, nan

import pytest

from drivers.values import Seconds, bad
from gateway.safety.gate import Gate
from tests.unit.gateway.safety.boiler import SETPOINT, STEAM, codes, gate, plant, steam, trip
from tests.unit.gateway.safety.plant import NOW, FakePlant, operation


def test_a_bypass_stops_denial_and_new_trips_for_its_time() -> None:
    made = plant()
    opened = gate(made, steam(bypassable=True))
    assert opened.bypass("steam", NOW + 10) == ""
    made.set(STEAM, 600.0)
    assert opened.observe([STEAM], NOW).tripped == []
    assert opened.judge(operation(SETPOINT, 450.0), NOW + 1).is_permitted
    made.set(STEAM, 600.0, at=NOW + 10)
    assert [live.name for live in opened.observe([STEAM], NOW + 10).tripped] == ["steam"]


def test_a_bypass_clears_no_latch_and_allows_its_reset() -> None:
    made = plant()
    opened = gate(made, steam(bypassable=True))
    trip(made, opened)
    opened.bypass("steam", NOW + 10)
    assert codes(opened.judge(operation(SETPOINT, 450.0), NOW)) == ["halted"]
    assert opened.reset("steam", NOW) == ""
    assert opened.judge(operation(SETPOINT, 450.0), NOW).is_permitted


def test_what_is_not_bypassable_is_not_bypassed() -> None:
    assert gate(plant()).bypass("steam", NOW + 10) == "not_bypassable"


def seconds(made: FakePlant, opened: Gate, *story: tuple[int, float | None]) -> list[int]:
    """Return the seconds at which it tripped. Story: second, value; None: a doubt."""
    tripped = []
    for second, value in story:
        made.set(STEAM, bad("timeout") if value is None else value, at=NOW + second)
        if opened.observe([STEAM], NOW + second).tripped:
            tripped.append(second)
    return tripped


def test_a_violation_that_outlasts_the_bypass_trips_when_that_ends() -> None:
    made = plant()
    opened = gate(made, steam(bypassable=True, on_delay=Seconds(5)))
    opened.bypass("steam", NOW + 10)
    assert seconds(made, opened, (0, 600.0), (9, 600.0), (10, 600.0)) == [10], "it had lasted for its delay"


def test_a_violation_late_in_a_bypass_still_has_to_last() -> None:
    made = plant()
    opened = gate(made, steam(bypassable=True, on_delay=Seconds(5)))
    opened.observe([STEAM], NOW)
    opened.bypass("steam", NOW + 10)
    story = ((0, 600.0), (2, 500.0), (9, 600.0), (10, 600.0), (13, 600.0), (14, 600.0))
    assert seconds(made, opened, *story) == [14], "the delay began anew when it was OK"


def test_a_doubt_trips_after_a_bypass_only_if_it_lasted() -> None:
    made = plant()
    opened = gate(made, steam(bypassable=True, on_unknown="trip", unknown_delay=Seconds(5)))
    opened.bypass("steam", NOW + 10)
    assert seconds(made, opened, (0, None), (5, 500.0), (9, None), (10, None), (13, None), (14, None)) == [14]


def test_a_good_sample_during_a_bypass_is_a_first_one() -> None:
    made = plant()
    made.tags.clear()
    opened = gate(made, steam(bypassable=True, on_unknown="trip", unknown_delay=Seconds(5)))
    opened.bypass("steam", NOW + 10)
    assert seconds(made, opened, (1, 500.0), (2, None), (11, None)) == [11]


def test_a_latch_that_is_bypassed_moves_on_without_being_cleared() -> None:
    made = plant()
    opened = gate(made, steam(bypassable=True))
    trip(made, opened)
    opened.bypass("steam", NOW + 2)
    made.set(STEAM, 500.0, at=NOW + 1)
    assert opened.observe([STEAM], NOW + 1).tripped == []
    assert opened.constraints[0].latch.is_latched
    assert opened.refresh(NOW + 2).tripped == []
    assert opened.reset("steam", NOW + 2) == ""


@pytest.mark.parametrize(
    ("until", "code"),
    [(NOW + 60, ""), (NOW + 60.001, "bad_value"), (inf, "bad_value"), (nan, "bad_value"), (NOW - 1, ""), (-inf, "")],
)
def test_no_bypass_lasts_longer_than_is_declared(until: float, code: str) -> None:
    made = plant()
    opened = gate(made, steam(bypassable=True, max_bypass=Seconds(60)))
    assert opened.bypass("steam", until) == code
    made.set(STEAM, 600.0)
    assert bool(opened.observe([STEAM], NOW).tripped) is not (until == NOW + 60)


@pytest.mark.parametrize("until", [inf, nan])
def test_no_bypass_is_for_good(until: float) -> None:
    assert gate(plant(), steam(bypassable=True)).bypass("steam", until) == "bad_value"


def test_a_bypass_can_be_ended() -> None:
    made = plant()
    opened = gate(made, steam(bypassable=True))
    opened.bypass("steam", NOW + 10)
    made.set(STEAM, 600.0)
    assert opened.observe([STEAM], NOW).tripped == []
    assert opened.bypass("steam", NOW) == ""
    assert [live.name for live in opened.refresh(NOW).tripped] == ["steam"]


def test_a_bypass_stops_what_is_proposed_from_being_judged_too() -> None:
    opened = gate(plant(), steam(bypassable=True, limits_also=(SETPOINT,)))
    opened.bypass("steam", NOW + 10)
    assert opened.judge(operation(SETPOINT, 600.0), NOW + 9.9).is_permitted
    assert not opened.judge(operation(SETPOINT, 600.0), NOW + 10).is_permitted
