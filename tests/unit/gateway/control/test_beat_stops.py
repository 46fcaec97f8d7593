"""Which trips end the beats of which devices, and when."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from gateway.control.beat_stops import GRACE, BeatStops
from gateway.control.world import PlantWorld
from gateway.safety.constraint import Constraint
from gateway.safety.gate import Gate
from gateway.safety.verdict import Verdict
from gateway.tags.image import ProcessImage
from tests.unit.gateway.control.plant_rig import HOT
from tests.virtual_time import VirtualClock

NOW = 1000.0
TAGS = {"boiler": ["boiler.steam", "boiler.burner"], "turbine": ["turbine.speed", "turbine.valve"]}


def gate(*constraints: Constraint, latched: Sequence[str] = (), halt_on_critical: bool = False) -> Gate:
    world = PlantWorld(ProcessImage([], VirtualClock()))  # of which nothing is asked here
    return Gate(constraints, world, lambda: NOW, halt_on_critical=halt_on_critical, latched=latched)


def trip(of: Gate, name: str = "hot") -> None:
    """Latch a constraint as an evaluation would."""
    live = of.find(name)
    assert live is not None
    live.latch.judge(Verdict.VIOLATED, NOW)
    of.advance()


def coming(name: str, device: str) -> bool:
    del name, device
    return True


def come(name: str, device: str) -> bool:
    return not coming(name, device)


def test_nothing_speaks_against_them_while_nothing_is_latched() -> None:
    stops = BeatStops(gate(HOT), TAGS, coming)
    assert stops.reason("boiler", NOW, is_beating=False) == ""


def test_they_go_on_while_the_safe_state_is_coming_for_five_seconds() -> None:
    judged = gate(HOT)
    stops = BeatStops(judged, TAGS, coming)
    trip(judged)
    for now, reason in ((NOW, ""), (NOW + GRACE, ""), (NOW + GRACE + 0.1, "hot")):
        assert stops.reason("boiler", now, is_beating=True) == reason
    assert stops.reason("boiler", NOW, is_beating=False) == "hot"


def test_they_end_at_once_where_it_has_come() -> None:
    judged = gate(HOT)
    stops = BeatStops(judged, TAGS, come)
    trip(judged)
    assert stops.reason("boiler", NOW, is_beating=True) == "hot"


@pytest.mark.parametrize("halts_all", [True, False], ids=["halting all", "halting its scope"])
def test_a_device_of_which_the_trip_wants_nothing_does_not_wait_for_another(*, halts_all: bool) -> None:
    judged = gate(HOT, halt_on_critical=halts_all)
    stops = BeatStops(judged, TAGS, coming)
    trip(judged)
    assert stops.reason("turbine", NOW, is_beating=True) == ("hot" if halts_all else "")


def test_a_safe_state_of_a_device_concerns_it_wherever_else_the_constraint_applies() -> None:
    judged = gate(replace(HOT, applies_to=("boiler.*",), on_trip={"turbine.valve": True}))
    stops = BeatStops(judged, TAGS, come)
    trip(judged)
    assert stops.reason("turbine", NOW, is_beating=True) == "hot"


def test_several_trips_are_all_waited_for_and_all_told() -> None:
    judged = gate(HOT, replace(HOT, name="hotter"))
    stops = BeatStops(judged, TAGS, lambda name, _: name == "hotter")
    trip(judged)
    trip(judged, "hotter")
    assert stops.reason("boiler", NOW, is_beating=True) == ""
    assert stops.reason("boiler", NOW + GRACE + 1, is_beating=True) == "hot hotter"


def test_what_trips_again_after_a_reset_has_its_five_seconds_anew() -> None:
    judged = gate(HOT)
    stops = BeatStops(judged, TAGS, coming)
    trip(judged)
    assert stops.reason("boiler", NOW, is_beating=True) == ""
    live = judged.find("hot")
    assert live is not None
    live.latch.force(NOW + 20)
    judged.advance()
    assert stops.reason("boiler", NOW + 20, is_beating=False) == ""
    trip(judged)
    assert stops.reason("boiler", NOW + 24, is_beating=True) == ""


def test_a_latch_without_a_constraint_stops_all() -> None:
    judged = gate(HOT, latched=["renamed"])
    stops = BeatStops(judged, TAGS, coming)
    assert stops.reason("turbine", NOW, is_beating=True) == "renamed"
