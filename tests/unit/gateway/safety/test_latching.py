"""What latches, what a reset needs, and that alarms only follow."""

from math import inf

import pytest

from drivers.values import Quality, Sample, Seconds
from gateway.safety.decision import Finding
from gateway.safety.gate import Gate
from gateway.safety.kinds.threshold import Threshold
from gateway.safety.live import LiveConstraint
from gateway.safety.verdict import Judgement, SafetyLevel, Verdict
from tests.unit.gateway.safety.boiler import LOAD, SETPOINT, STEAM, codes, gate, plant, steam, trip
from tests.unit.gateway.safety.plant import MAX_AGE, NOW, operation

# What latches


def test_only_a_critical_violation_trips() -> None:
    made = plant()
    opened = gate(made, steam(SafetyLevel.HIGH))
    made.set(STEAM, 600.0)
    assert opened.observe([STEAM], NOW).tripped == []
    assert not opened.is_halted


def test_a_trip_halts_all_control_until_it_is_reset() -> None:
    made = plant()
    opened = gate(made)
    trip(made, opened)
    made.set(STEAM, 500.0)
    opened.observe([STEAM], NOW)
    assert opened.is_halted
    assert codes(opened.judge(operation(LOAD, 1.0), NOW)) == ["halted"]
    assert opened.reset("steam", NOW) == ""
    assert opened.judge(operation(LOAD, 1.0), NOW).is_permitted


def test_a_trip_halts_its_scope_alone_where_that_is_said() -> None:
    made = plant()
    opened = gate(made, halt_on_critical=False)
    trip(made, opened)
    assert not opened.is_halted
    assert opened.judge(operation(LOAD, 1.0), NOW).is_permitted
    assert codes(opened.judge(operation(SETPOINT, 1.0), NOW)) == ["halted", "violation"]


def test_a_delayed_trip_comes_without_a_further_sample() -> None:
    made = plant()
    opened = gate(made, steam(on_delay=Seconds(2)))
    made.set(STEAM, 600.0)
    assert opened.observe([STEAM], NOW).tripped == []
    assert opened.refresh(NOW + 1.9).tripped == []
    assert [live.name for live in opened.refresh(NOW + 2).tripped] == ["steam"]


def test_a_reset_is_refused_while_the_cause_is_present_or_in_doubt() -> None:
    made = plant()
    opened = gate(made)
    trip(made, opened)
    assert opened.reset("steam", NOW) == "cause_present"
    made.set(STEAM, 578.0)
    assert opened.reset("steam", NOW) == "cause_present", "not back by the hysteresis"
    made.spoil(STEAM, "timeout")
    assert opened.reset("steam", NOW) == "cause_present"
    made.set(STEAM, 500.0)
    assert opened.reset("steam", NOW) == ""


def test_a_reset_waits_for_the_off_delay() -> None:
    made = plant()
    opened = gate(made, steam(off_delay=Seconds(5)))
    trip(made, opened)
    for second in range(1, 6):
        made.set(STEAM, 500.0, at=NOW + second)
        opened.observe([STEAM], NOW + second)
    assert opened.reset("steam", NOW + 5.9) == "cause_present"
    assert opened.reset("steam", NOW + 6) == ""


def test_a_reset_trips_nothing_that_the_next_evaluation_would_not_tell_of() -> None:
    made = plant()
    opened = gate(made, steam(on_delay=Seconds(2)))
    made.set(STEAM, 600.0)
    opened.observe([STEAM], NOW)
    assert opened.reset("steam", NOW + 2) == "", "nothing is latched"
    assert [live.name for live in opened.refresh(NOW + 2).tripped] == ["steam"]


def test_all_are_reset_whose_cause_is_gone_and_the_first_that_is_not_is_named() -> None:
    made = plant()
    made.set("turbine.speed", 4000.0)
    speed = Threshold(name="speed", level=SafetyLevel.CRITICAL, tag="turbine.speed", max=3600.0)
    opened = gate(made, speed, steam())
    trip(made, opened)
    assert opened.reset_all(NOW) == "cause_present"
    made.set(STEAM, 500.0)
    assert opened.reset_all(NOW) == "cause_present"
    assert [live.latch.is_latched for live in opened.constraints] == [True, False]
    made.set("turbine.speed", 3000.0)
    assert opened.reset_all(NOW) == ""
    assert not opened.is_halted
    assert opened.reset_all(NOW) == "", "nothing is latched any more"


def test_a_reset_tells_what_it_found_out() -> None:
    made = plant()
    opened = gate(made)
    trip(made, opened)
    made.set(STEAM, 500.0)
    opened.reset("steam", NOW)
    assert [live.name for live in opened.refresh(NOW).changed] == ["steam"]


def test_a_remembered_trip_can_be_reset_although_its_level_was_lowered_meanwhile() -> None:
    opened = gate(plant(), steam(SafetyLevel.HIGH), latched=["steam"])
    assert opened.is_halted
    assert opened.reset("steam", NOW) == ""
    assert not opened.is_halted


def test_a_remembered_trip_goes_before_what_trips_now() -> None:
    made = plant()
    speed = Threshold(name="speed", level=SafetyLevel.CRITICAL, tag="turbine.speed", max=3600.0)
    opened = gate(made, speed, steam(), latched=["speed"])
    assert list(opened.first_out) == ["speed"]
    trip(made, opened)
    assert list(opened.first_out) == ["speed"]


def test_a_remembered_trip_shows_as_one_though_its_cause_is_gone() -> None:
    opened = gate(plant(), latched=["steam"])
    live = opened.constraints[0]
    assert live.alarm.state.value == "latched"
    opened.reset("steam", NOW)
    assert live.alarm.state.value == "normal"


@pytest.mark.parametrize("halts_all", [True, False])
def test_a_trip_that_no_constraint_is_called_by_any_more_halts_all_until_it_is_reset(*, halts_all: bool) -> None:
    opened = gate(plant(), latched=["gone"], halt_on_critical=halts_all)
    halted = [opened.is_halted]
    [found] = opened.judge(operation(LOAD, 1.0), NOW).refusals
    assert (found.code, found.name, found.reason, found.tag) == ("halted", "gone", "unknown_constraint", LOAD)
    assert opened.latched() == ["gone"]
    assert opened.refuses_reset("gone", NOW) == ""
    epoch = opened.epoch
    assert opened.reset("gone", NOW) == ""
    assert opened.epoch > epoch
    assert [*halted, opened.is_halted] == [True, False]
    assert opened.judge(operation(LOAD, 1.0), NOW).is_permitted
    assert opened.reset("gone", NOW) == "unknown_name"


def test_whether_a_reset_would_be_refused_can_be_asked_without_resetting() -> None:
    made = plant()
    opened = gate(made, steam(bypassable=True, off_delay=Seconds(2)))
    assert opened.refuses_reset("steem", NOW) == "unknown_name"
    assert opened.refuses_reset("steam", NOW) == "", "nothing is latched"
    trip(made, opened)
    assert opened.latched() == ["steam"]
    assert opened.refuses_reset("steam", NOW) == "cause_present"
    made.set(STEAM, 500.0)
    assert opened.refuses_reset("steam", NOW) == "cause_present", "the off_delay is not over"
    assert opened.refuses_reset("steam", NOW + 2) == ""
    assert opened.is_halted
    made.set(STEAM, 600.0, at=NOW + 2)
    assert opened.refuses_reset("steam", NOW + 2) == "cause_present"
    opened.bypass("steam", NOW + 10)
    assert opened.refuses_reset("steam", NOW + 2) == ""
    assert opened.is_halted


def test_a_reset_of_nothing_is_named() -> None:
    assert gate(plant()).reset("steem", NOW) == "unknown_name"
    assert gate(plant()).bypass("steem", NOW) == "unknown_name"


def test_a_remembered_trip_denies_from_the_start() -> None:
    opened = gate(plant(), latched=["steam"])
    assert codes(opened.judge(operation(LOAD, 1.0), NOW)) == ["halted"]
    assert opened.reset("steam", NOW) == ""


def test_what_tripped_first_stays_first_until_nothing_is_latched() -> None:
    made = plant()
    made.set("turbine.speed", 3000.0)
    speed = Threshold(name="speed", level=SafetyLevel.CRITICAL, tag="turbine.speed", max=3600.0)
    opened = gate(made, steam(), speed)
    trip(made, opened)
    made.set("turbine.speed", 4000.0)
    opened.observe(["turbine.speed"], NOW)
    assert list(opened.first_out) == ["steam"]
    made.set(STEAM, 500.0)
    opened.reset("steam", NOW)
    assert list(opened.first_out) == ["steam"], "the other is still latched"
    made.set("turbine.speed", 3000.0)
    opened.reset("speed", NOW)
    assert list(opened.first_out) == []


def test_those_that_trip_in_one_evaluation_are_first_together() -> None:
    made = plant()
    made.set("turbine.speed", 3000.0)
    speed = Threshold(name="speed", level=SafetyLevel.CRITICAL, tag="turbine.speed", max=3600.0)
    opened = gate(made, steam(), speed)
    made.set(STEAM, 600.0)
    made.set("turbine.speed", 4000.0)
    opened.observe([STEAM, "turbine.speed"], NOW)
    assert list(opened.first_out) == ["steam", "speed"]


def test_a_value_out_of_range_beyond_the_limit_trips() -> None:
    made = plant()
    opened = gate(made)
    made.set(STEAM, Sample(900.0, Quality.UNCERTAIN, "out_of_range"))
    assert [live.name for live in opened.observe([STEAM], NOW).tripped] == ["steam"]


# Alarms follow, and decide nothing


def test_an_alarm_follows_its_verdict_and_its_latch() -> None:
    made = plant()
    opened = gate(made)
    live = opened.constraints[0]
    trip(made, opened)
    live.alarm.acknowledge()
    made.set(STEAM, 500.0)
    opened.observe([STEAM], NOW)
    states = [live.alarm.state.value]
    opened.reset("steam", NOW)
    assert [*states, live.alarm.state.value] == ["latched", "normal"]


def test_a_shelved_alarm_denies_all_the_same() -> None:
    made = plant()
    opened = gate(made, steam(SafetyLevel.HIGH))
    made.set(STEAM, 600.0)
    opened.observe([STEAM], NOW)
    opened.constraints[0].alarm.shelve(NOW + 100)
    assert not opened.judge(operation(SETPOINT, 450.0), NOW).is_permitted


def test_a_doubt_raises_an_alarm_and_trips_nothing() -> None:
    made = plant()
    opened = gate(made)
    made.spoil(STEAM, "timeout")
    observed = opened.observe([STEAM], NOW)
    assert observed.tripped == []
    assert opened.constraints[0].alarm.state.value == "unack_active"


def test_what_was_first_stays_first_while_a_lost_one_is_latched() -> None:
    opened = gate(plant(), latched=["steam", "gone"])
    assert list(opened.first_out) == ["steam"]
    opened.reset("steam", NOW)
    assert list(opened.first_out) == ["steam"]
    opened.reset("gone", NOW)
    assert list(opened.first_out) == []


def test_a_reset_shows_an_alarm_whose_time_on_the_shelf_is_over() -> None:
    made = plant()
    opened = gate(made)
    trip(made, opened)
    live = opened.constraints[0]
    live.alarm.shelve(NOW + 5)
    made.set(STEAM, 500.0, at=NOW + 5)
    opened.reset("steam", NOW + 5)
    assert live.alarm.state.value == "normal"


def test_an_evaluation_that_raises_is_told_as_a_doubt_and_ends_at_once() -> None:
    made = plant()
    opened = gate(made)
    made.raises.add(STEAM)
    for times in (1, 2):
        opened.observe([STEAM], NOW)
        assert opened.constraints[0].judgement == Judgement(Verdict.UNKNOWN, "error", None, -inf)
        assert opened.constraints[0].errors == times


def test_before_anything_is_judged_it_has_no_data() -> None:
    assert Gate([steam()], plant(), lambda: NOW).constraints[0].judgement == Judgement(
        Verdict.UNKNOWN, "no_data", None, -inf
    )


def test_a_live_verdict_that_has_ended_is_a_doubt_whatever_it_was() -> None:
    made = plant(590.0)
    opened = gate(made, steam(SafetyLevel.HIGH))
    live = opened.constraints[0]
    assert live.finding(NOW + MAX_AGE, SETPOINT) == Finding("violation", "steam", "above_max", SETPOINT, 590.0)
    assert live.finding(NOW + MAX_AGE + 0.1, SETPOINT) == Finding("stale_input", "steam", "above_max", SETPOINT, 590.0)
    made.set(STEAM, 500.0)
    opened.observe([STEAM], NOW)
    assert live.finding(NOW + MAX_AGE, SETPOINT) is None
    assert live.finding(NOW + MAX_AGE + 0.1, SETPOINT) == Finding("stale_input", "steam", "stale", SETPOINT, 500.0)


def test_an_alarm_comes_back_from_the_shelf_by_itself() -> None:
    made = plant()
    opened = gate(made, steam(SafetyLevel.HIGH))
    made.set(STEAM, 600.0)
    opened.observe([STEAM], NOW)
    alarm = opened.constraints[0].alarm
    alarm.shelve(NOW + 2)
    states = []
    for second in (1.9, 2):
        opened.refresh(NOW + second)
        states.append(alarm.state.value)
    assert states == ["shelved", "unack_active"]


def test_a_constraint_begins_unlatched() -> None:
    live = LiveConstraint(steam())
    assert not live.latch.is_latched
    assert live.alarm.state.value == "normal"


def test_an_alarm_hears_of_a_trip_that_comes_after_its_cause() -> None:
    made = plant()
    opened = gate(made, steam(on_delay=Seconds(2)))
    made.set(STEAM, 600.0)
    opened.observe([STEAM], NOW)
    opened.refresh(NOW + 2)
    alarm = opened.constraints[0].alarm
    assert alarm.latched
    alarm.acknowledge()
    made.set(STEAM, 500.0, at=NOW + 3)
    opened.observe([STEAM], NOW + 3)
    assert alarm.state.value == "latched"
