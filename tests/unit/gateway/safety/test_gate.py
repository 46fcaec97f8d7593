"""The gate: what it keeps, what it is asked, what it mints, and what latches."""

from collections.abc import Mapping

import pytest

from drivers.values import Quality, Sample, Seconds
from gateway.safety.breaker import Breaker
from gateway.safety.constraint import Constraint, SafeWrite, Setting
from gateway.safety.decision import Decision
from gateway.safety.gate import Gate
from gateway.safety.kinds.dependency import Dependency
from gateway.safety.kinds.permission import Permission
from gateway.safety.kinds.rate_limit import RateLimit
from gateway.safety.kinds.threshold import Threshold
from gateway.safety.kinds.timing import Timing
from gateway.safety.operation import Operation, Write
from gateway.safety.permit import Permit, PermitRefused
from gateway.safety.verdict import SafetyLevel, Verdict
from tests.unit.gateway.safety.plant import MAX_AGE, NOW, FakePlant, operation

STEAM, BURNER, SETPOINT, LOAD = "boiler.steam", "boiler.burner", "boiler.setpoint", "turbine.load"
OFF: Mapping[str, Setting | SafeWrite] = {BURNER: False}


def steam(level: SafetyLevel = SafetyLevel.CRITICAL, **keys: object) -> Threshold:
    declared = {"name": "steam", "max": 580.0, "hysteresis": 5.0, "on_trip": OFF, **keys}
    return Threshold(level=level, tag=STEAM, **declared)  # type: ignore[arg-type]


def plant(value: float = 500.0, at: float = NOW) -> FakePlant:
    made = FakePlant()
    made.set(STEAM, value, at=at)
    made.set(BURNER, True, at=at)  # noqa: FBT003  (a value, not a flag)
    return made


def gate(made: FakePlant, *constraints: Constraint, **keys: object) -> Gate:
    opened = Gate(constraints or (steam(),), made, lambda: NOW, **keys)  # type: ignore[arg-type]
    opened.refresh(NOW)
    return opened


def codes(decision: Decision) -> list[str]:
    return [finding.code for finding in decision.refusals]


def trip(made: FakePlant, opened: Gate, at: float = NOW) -> None:
    made.set(STEAM, 600.0, at=at)
    assert [live.name for live in opened.observe([STEAM], at).tripped] == ["steam"]


# What is kept


def test_it_is_unknown_until_something_was_judged() -> None:
    opened = Gate([steam()], plant(), lambda: NOW)
    assert opened.constraints[0].judgement.verdict is Verdict.UNKNOWN


def test_a_sample_is_judged_when_it_arrives_and_what_did_not_change_is_not_told() -> None:
    made = plant()
    opened = gate(made)
    made.set(STEAM, 590.0)
    assert [live.name for live in opened.observe([STEAM, BURNER], NOW).changed] == ["steam"]
    assert opened.observe([STEAM], NOW).changed == []
    assert opened.observe(["boiler.other"], NOW).changed == []


def test_a_verdict_ends_with_its_sample_and_needs_none_to_be_noticed() -> None:
    opened = gate(plant())
    assert opened.refresh(NOW + MAX_AGE).changed == []
    assert [live.judgement.reason for live in opened.refresh(NOW + MAX_AGE + 0.01).changed] == ["stale"]


def test_an_evaluation_that_raises_is_a_doubt_and_is_counted() -> None:
    made = plant()
    opened = gate(made)
    made.raises.add(STEAM)
    assert [live.judgement.reason for live in opened.observe([STEAM], NOW).changed] == ["error"]
    assert opened.errors == 1
    assert opened.judge(operation(SETPOINT, 1.0), NOW).code == "stale_input"


def test_a_constraint_that_raises_at_a_proposal_does_not_permit_it() -> None:
    made = plant()
    depends = Dependency(name="d", level=SafetyLevel.HIGH, when={BURNER: True}, requires={"boiler.pump": True})
    opened = gate(made, depends)
    made.raises.add("boiler.pump")
    decision = opened.judge(operation(BURNER, value=True), NOW)
    assert ("stale_input", "error") in [(found.code, found.reason) for found in decision.refusals]


# What it is asked


def test_nothing_speaks_against_a_write_while_all_is_well() -> None:
    assert gate(plant()).judge(operation(SETPOINT, 450.0), NOW).is_permitted


@pytest.mark.parametrize("level", [SafetyLevel.CRITICAL, SafetyLevel.HIGH])
def test_a_violation_refuses_every_write_in_its_scope(level: SafetyLevel) -> None:
    made = plant(590.0)
    opened = gate(made, steam(level, on_delay=Seconds(60)))
    assert codes(opened.judge(operation(SETPOINT, 450.0), NOW)) == ["violation"]
    assert opened.judge(operation(LOAD, 1.0), NOW).is_permitted


@pytest.mark.parametrize("level", [SafetyLevel.MEDIUM, SafetyLevel.LOW, SafetyLevel.INFO])
def test_the_lower_levels_warn(level: SafetyLevel) -> None:
    decision = gate(plant(590.0), steam(level)).judge(operation(SETPOINT, 450.0), NOW)
    assert decision.is_permitted
    assert [found.code for found in decision.warnings] == ["violation"]


def test_a_doubt_refuses_with_its_reason() -> None:
    made = plant()
    made.spoil(STEAM, "timeout")
    [found] = gate(made).judge(operation(SETPOINT, 450.0), NOW).refusals
    assert (found.code, found.name, found.reason, found.tag) == ("stale_input", "steam", "timeout", SETPOINT)


def test_a_decision_relies_on_no_verdict_that_has_ended_even_if_the_evaluation_stands_still() -> None:
    opened = gate(plant())
    assert opened.judge(operation(SETPOINT, 450.0), NOW + MAX_AGE).is_permitted
    assert opened.judge(operation(SETPOINT, 450.0), NOW + MAX_AGE + 0.01).code == "stale_input"


def test_a_sample_that_came_meanwhile_is_seen_by_the_decision() -> None:
    made = plant()
    opened = gate(made)
    made.set(STEAM, 500.0, at=NOW + 5)
    assert opened.judge(operation(SETPOINT, 450.0), NOW + 5).is_permitted


def test_scope_is_the_devices_of_its_tags_or_what_applies_to_says() -> None:
    made = plant(590.0)
    everywhere = gate(made, steam(SafetyLevel.HIGH, applies_to=("*",)))
    assert not everywhere.judge(operation(LOAD, 1.0), NOW).is_permitted
    turbine = gate(made, steam(SafetyLevel.HIGH, applies_to=("turbine.*",)))
    assert turbine.judge(operation(SETPOINT, 1.0), NOW).is_permitted
    assert not turbine.judge(operation(LOAD, 1.0), NOW).is_permitted
    by_its_trip = gate(made, steam(SafetyLevel.HIGH, on_trip={"turbine.valve": True}))
    assert not by_its_trip.judge(operation(LOAD, 1.0), NOW).is_permitted


def test_a_proposal_is_judged_by_whoever_limits_its_tag_also() -> None:
    limited = steam(SafetyLevel.HIGH, limits_also=(LOAD,))
    opened = gate(plant(), limited)
    assert codes(opened.judge(operation(LOAD, 600.0), NOW)) == ["violation"]
    assert opened.judge(operation(LOAD, 500.0), NOW).is_permitted


def test_a_rogue_proposal_halts_and_latches_nothing() -> None:
    opened = gate(plant(), steam(limits_also=(SETPOINT,)))
    for _ in range(100):
        assert codes(opened.judge(operation(SETPOINT, 9999.0), NOW)) == ["violation"]
    opened.refresh(NOW)
    assert not opened.is_halted
    assert opened.judge(operation(SETPOINT, 450.0), NOW).is_permitted


def test_everything_that_refuses_is_named_in_the_stated_order() -> None:
    made = plant()
    calm = RateLimit(name="calm", level=SafetyLevel.HIGH, key="boiler", max=1, window=Seconds(60))
    opened = gate(made, steam(limits_also=(SETPOINT,)), calm)
    opened.mint(operation(SETPOINT, 450.0), Write(SETPOINT, 450.0), 1, 1, NOW)
    opened.breakers["boiler"] = Breaker(failure_threshold=1)
    opened.breakers["boiler"].fail(NOW)
    trip(made, opened)
    found = codes(opened.judge(operation(SETPOINT, 600.0), NOW))
    assert found == ["halted", "circuit_open", "violation", "violation", "rate_limited"]


def test_every_write_of_an_operation_is_judged() -> None:
    opened = gate(plant(), steam(limits_also=(SETPOINT,)))
    both = Operation("me", (Write(SETPOINT, 450.0), Write(SETPOINT, 600.0)))
    assert codes(opened.judge(both, NOW)) == ["violation"]


# What it mints


def test_a_permit_is_for_the_frame_that_was_judged() -> None:
    opened = gate(plant())
    permit = opened.mint(operation(SETPOINT, 450.0), Write(SETPOINT, 450.0), (1, 2), 7, NOW)
    assert isinstance(permit, Permit)
    permit.spend("boiler", "setpoint", (1, 2), 7)


def test_what_is_refused_is_no_permit_and_uses_nothing_up() -> None:
    made = plant()
    calm = RateLimit(name="calm", level=SafetyLevel.HIGH, key="boiler", max=1, window=Seconds(60))
    opened = gate(made, steam(SafetyLevel.HIGH, limits_also=(SETPOINT,)), calm)
    assert isinstance(opened.mint(operation(SETPOINT, 600.0), Write(SETPOINT, 600.0), 1, 1, NOW), Decision)
    assert isinstance(opened.mint(operation(SETPOINT, 450.0), Write(SETPOINT, 450.0), 1, 1, NOW), Permit)
    refused = opened.mint(operation(SETPOINT, 450.0), Write(SETPOINT, 450.0), 1, 1, NOW)
    assert isinstance(refused, Decision)
    assert refused.code == "rate_limited"


def test_a_half_open_breaker_admits_one_frame_at_a_time() -> None:
    opened = gate(plant())
    opened.breakers["boiler"] = Breaker(failure_threshold=1, timeout=1.0)
    opened.breakers["boiler"].fail(NOW - 2)
    wanted = operation(SETPOINT, 450.0)
    assert isinstance(opened.mint(wanted, wanted.writes[0], 1, 1, NOW), Permit)
    refused = opened.mint(wanted, wanted.writes[0], 1, 1, NOW)
    assert isinstance(refused, Decision)
    assert refused.code == "circuit_open"


@pytest.mark.parametrize("event", ["trip", "advance", "reset", "bypass"])
def test_whatever_changes_the_judgement_voids_older_permits(event: str) -> None:
    made = plant()
    opened = gate(made, steam(bypassable=True), steam(SafetyLevel.HIGH, name="other"))
    permit = opened.mint(operation(SETPOINT, 450.0), Write(SETPOINT, 450.0), 1, 1, NOW)
    assert isinstance(permit, Permit)
    match event:
        case "trip":
            trip(made, opened)
        case "advance":
            opened.advance()
        case "reset":
            assert opened.reset("steam", NOW) == ""
        case "bypass":
            assert opened.bypass("steam", NOW + 60) == ""
    with pytest.raises(PermitRefused):
        permit.spend("boiler", "setpoint", 1, 1)


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


# Bypass and what is always allowed


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


def test_the_burner_can_always_be_turned_off() -> None:
    made = plant()
    calm = RateLimit(name="calm", level=SafetyLevel.HIGH, key="boiler", max=1, window=Seconds(60))
    opened = gate(made, steam(), calm)
    opened.mint(operation(SETPOINT, 450.0), Write(SETPOINT, 450.0), 1, 1, NOW)
    trip(made, opened)
    made.spoil(STEAM, "timeout")
    opened.refresh(NOW)
    assert opened.judge(operation(BURNER, value=False), NOW).is_permitted
    assert not opened.judge(operation(BURNER, value=True), NOW).is_permitted
    assert not opened.judge(operation(BURNER, 0), NOW).is_permitted, "0 is not false"


def test_a_safe_write_among_others_frees_none_of_them() -> None:
    made = plant()
    opened = gate(made)
    trip(made, opened)
    both = Operation("me", (Write(BURNER, value=False), Write(SETPOINT, 450.0)))
    assert not opened.judge(both, NOW).is_permitted
    assert isinstance(opened.mint(both, both.writes[0], 1, 1, NOW), Decision)


def test_what_is_always_allowed_still_needs_authority() -> None:
    made = plant()
    opened = gate(made, steam(), Permission(name="who", level=SafetyLevel.CRITICAL))
    made.granted = False
    assert codes(opened.judge(operation(BURNER, value=False), NOW)) == ["forbidden"]


def test_a_tag_can_name_what_is_always_allowed() -> None:
    made = plant()
    opened = gate(made, always_allowed={SETPOINT: [400.0]})
    trip(made, opened)
    assert opened.judge(operation(SETPOINT, 400.0), NOW).is_permitted
    assert not opened.judge(operation(SETPOINT, 401.0), NOW).is_permitted


def test_a_safe_state_is_minted_for_its_own_list_of_a_latched_trip_alone() -> None:
    made = plant()
    opened = gate(made, steam(on_trip={BURNER: SafeWrite(value=False, hold=True)}))
    assert opened.mint_safe_state("steam", Write(BURNER, value=False), 0, 1, NOW) is None, "nothing has tripped"
    trip(made, opened)
    permit = opened.mint_safe_state("steam", Write(BURNER, value=False), 0, 1, NOW)
    assert permit is not None
    permit.spend("boiler", "burner", 0, 1)
    assert opened.mint_safe_state("steam", Write(BURNER, value=True), 1, 1, NOW) is None
    assert opened.mint_safe_state("steam", Write(BURNER, 0), 0, 1, NOW) is None
    assert opened.mint_safe_state("steam", Write(SETPOINT, 1.0), 0, 1, NOW) is None
    assert opened.mint_safe_state("other", Write(BURNER, value=False), 0, 1, NOW) is None


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


def test_it_finds_a_constraint_by_its_name() -> None:
    opened = gate(plant())
    found = opened.find("steam")
    assert found is opened.constraints[0]
    assert opened.find("x") is None


def test_one_that_is_restless_is_judged_at_every_evaluation() -> None:
    made = plant()
    rest = Timing(name="rest", level=SafetyLevel.HIGH, tag=BURNER, min_on=Seconds(2))
    opened = gate(made, rest)
    off = operation(BURNER, value=False)
    assert not opened.judge(off, NOW + 1.9).is_permitted
    assert opened.judge(off, NOW + 2).is_permitted
    made.spoil(BURNER, "uncertain", Quality.UNCERTAIN)
    opened.refresh(NOW + 2)
    assert not opened.judge(off, NOW + 2).is_permitted


def test_a_value_out_of_range_beyond_the_limit_trips() -> None:
    made = plant()
    opened = gate(made)
    made.set(STEAM, Sample(900.0, Quality.UNCERTAIN, "out_of_range"))
    assert [live.name for live in opened.observe([STEAM], NOW).tripped] == ["steam"]
