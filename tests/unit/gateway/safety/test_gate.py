"""The gate: what it keeps, what it is asked, and what it mints."""

import pytest

from drivers.values import Quality, Seconds
from gateway.safety.breaker import Breaker
from gateway.safety.decision import Decision
from gateway.safety.gate import PERMIT_LIFE, Gate
from gateway.safety.kinds.dependency import Dependency
from gateway.safety.kinds.rate_limit import RateLimit
from gateway.safety.kinds.rate_of_change import RateOfChange
from gateway.safety.kinds.timing import Timing
from gateway.safety.operation import Operation, Write
from gateway.safety.permit import Permit, PermitRefused
from gateway.safety.verdict import SafetyLevel, Verdict
from tests.unit.gateway.safety.boiler import BURNER, LOAD, SETPOINT, STEAM, codes, gate, plant, steam, trip
from tests.unit.gateway.safety.plant import MAX_AGE, NOW, operation

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
    assert found == ["halted", "circuit_open", "rate_limited", "violation", "violation"]


def test_every_write_of_an_operation_is_judged() -> None:
    opened = gate(plant(), steam(limits_also=(SETPOINT,)))
    both = Operation("me", (Write(SETPOINT, 450.0), Write(SETPOINT, 600.0)))
    assert codes(opened.judge(both, NOW)) == ["violation"]


def test_a_halt_is_named_first_whichever_write_it_is_about() -> None:
    made = plant()
    opened = gate(made, steam(), steam(SafetyLevel.HIGH, name="load", limits_also=(LOAD,)), halt_on_critical=False)
    trip(made, opened)
    both = Operation("me", (Write(LOAD, 600.0), Write(SETPOINT, 450.0)))
    assert codes(opened.judge(both, NOW)) == ["halted", *["violation"] * 4]


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


def test_what_a_decision_found_out_in_between_is_told_by_the_next_evaluation() -> None:
    made = plant()
    opened = gate(made)
    late = NOW + MAX_AGE + 0.01
    assert opened.judge(operation(SETPOINT, 450.0), late).code == "stale_input"
    assert [live.name for live in opened.refresh(late).changed] == ["steam"]
    assert opened.refresh(late).changed == []


@pytest.mark.parametrize(("max_age", "until"), [(1.0, 1.0), (60.0, MAX_AGE)])
def test_a_constraint_may_want_fresher_samples_than_the_tag_and_never_older_ones(max_age: float, until: float) -> None:
    opened = gate(plant(), steam(max_age=Seconds(max_age)))
    assert opened.judge(operation(SETPOINT, 450.0), NOW + until).is_permitted
    [found] = opened.judge(operation(SETPOINT, 450.0), NOW + until + 0.01).refusals
    assert (found.code, found.reason) == ("stale_input", "stale")


def test_a_tag_that_a_constraint_names_is_limited_wherever_else_it_applies() -> None:
    opened = gate(plant(), steam(SafetyLevel.HIGH, limits_also=(SETPOINT,), applies_to=("turbine.*",)))
    assert codes(opened.judge(operation(SETPOINT, 600.0), NOW)) == ["violation"]
    assert codes(opened.judge(operation(STEAM, 600.0), NOW)) == ["violation"]
    assert opened.judge(operation(SETPOINT, 450.0), NOW).is_permitted


def test_a_beat_is_minted_for_the_tags_of_deadmen_alone() -> None:
    opened = gate(plant(), beats=["boiler.beat"])
    permit = opened.mint_beat(Write("boiler.beat", 7), 7, 1, NOW)
    assert permit is not None
    permit.spend("boiler", "beat", 7, 1)
    assert opened.mint_beat(Write(SETPOINT, 7), 7, 1, NOW) is None


def test_a_permit_is_minted_as_of_now_and_dies_soon() -> None:
    times = [NOW]
    opened = Gate([steam()], plant(), lambda: times[0])
    made = [opened.mint(operation(SETPOINT, 450.0), Write(SETPOINT, 450.0), 1, 1, NOW) for _ in range(2)]
    times[0] = NOW + PERMIT_LIFE
    assert isinstance(made[0], Permit)
    made[0].spend("boiler", "setpoint", 1, 1)
    times[0] = NOW + PERMIT_LIFE + 0.001
    assert isinstance(made[1], Permit)
    with pytest.raises(PermitRefused, match="too long ago"):
        made[1].spend("boiler", "setpoint", 1, 1)


def test_it_knows_which_tags_decide_about_another() -> None:
    pump = Dependency(name="pump", level=SafetyLevel.HIGH, when={LOAD: 1}, requires={"boiler.pump": True})
    opened = gate(plant(), steam(SafetyLevel.HIGH, limits_also=(LOAD,), applies_to=("boiler.*",)), pump)
    assert list(opened.inputs(LOAD)) == [LOAD, "boiler.pump", STEAM]
    assert list(opened.inputs(SETPOINT)) == [STEAM, LOAD, "boiler.pump"]
    assert list(opened.inputs("other.tag")) == []


def test_it_knows_which_tags_it_judges() -> None:
    opened = gate(plant())
    assert opened.watches(STEAM)
    assert not opened.watches(SETPOINT)


def test_without_constraints_everything_is_permitted_at_any_time() -> None:
    opened = Gate([], plant(), lambda: NOW)
    for second in range(2):
        assert opened.judge(operation(SETPOINT, 1.0), NOW + second).is_permitted
    for second in range(3):
        assert opened.refresh(NOW + second) == ([], [])
        assert opened.judge(operation(SETPOINT, 1.0), NOW + second).is_permitted


def test_each_event_voids_the_permits_before_it() -> None:
    opened = gate(plant())
    for _ in range(3):
        permit = opened.mint(operation(SETPOINT, 450.0), Write(SETPOINT, 450.0), 1, 1, NOW)
        opened.advance()
        assert isinstance(permit, Permit)
        with pytest.raises(PermitRefused, match="judged anew"):
            permit.spend("boiler", "setpoint", 1, 1)


def test_another_reason_for_the_same_verdict_is_told() -> None:
    made = plant()
    opened = gate(made)
    made.spoil(STEAM, "timeout")
    assert [live.judgement.reason for live in opened.observe([STEAM], NOW).changed] == ["timeout"]
    made.spoil(STEAM, "disconnected")
    assert [live.judgement.reason for live in opened.observe([STEAM], NOW).changed] == ["disconnected"]


def test_it_knows_which_writes_are_judged_by_what_was_before() -> None:
    rest = Timing(name="rest", level=SafetyLevel.HIGH, tag=BURNER, min_on=Seconds(2))
    slow = RateOfChange(name="slow", level=SafetyLevel.HIGH, tag=STEAM, max_step=1.0, limits_also=(SETPOINT,))
    opened = gate(plant(), steam(SafetyLevel.HIGH, limits_also=(LOAD,)), rest, slow)
    assert [tag for tag in (BURNER, SETPOINT, STEAM, LOAD, "other.tag") if opened.looks_back(tag)] == [
        BURNER,
        SETPOINT,
        STEAM,
    ]
