"""What the gate says against a write, who has no say in it, and what is counted."""

from drivers.values import Seconds
from gateway.safety.breaker import Breaker
from gateway.safety.decision import Decision, Finding
from gateway.safety.kinds.dependency import Dependency
from gateway.safety.kinds.permission import Permission
from gateway.safety.kinds.rate_limit import RateLimit
from gateway.safety.kinds.timing import Timing
from gateway.safety.operation import Operation, Write
from gateway.safety.permit import Permit
from gateway.safety.verdict import SafetyLevel
from tests.unit.gateway.safety.boiler import BURNER, LOAD, SETPOINT, STEAM, codes, gate, plant, steam, trip
from tests.unit.gateway.safety.plant import NOW, operation

# What is limited, and what is not counted


def calm(most: int) -> RateLimit:
    return RateLimit(name="calm", level=SafetyLevel.HIGH, key="boiler", max=most, window=Seconds(60))


def test_an_operation_counts_once_however_many_writes_it_has() -> None:
    opened = gate(plant(), calm(2))
    for _ in range(2):
        wanted = Operation("me", (Write(SETPOINT, 450.0), Write(BURNER, value=True), Write(LOAD, 1.0)))
        assert opened.judge(wanted, NOW).is_permitted
        for write in wanted.writes:
            assert isinstance(opened.mint(wanted, write, 1, 1, NOW), Permit)
    assert opened.judge(operation(SETPOINT, 450.0), NOW).code == "rate_limited"


def test_an_operation_that_is_sent_again_counts_again() -> None:
    opened = gate(plant(), calm(2))
    wanted = operation(SETPOINT, 450.0)
    minted = [isinstance(opened.mint(wanted, wanted.writes[0], 1, 1, NOW), Permit) for _ in range(3)]
    assert minted == [True, True, False]


def test_a_re_assertion_is_neither_counted_nor_paced() -> None:
    made = plant()
    rest = Timing(name="rest", level=SafetyLevel.HIGH, tag=BURNER, min_interval=Seconds(60))
    opened = gate(made, calm(1), rest)
    made.written[BURNER] = NOW
    again = operation(BURNER, value=True, is_reassert=True)
    for _ in range(3):
        assert isinstance(opened.mint(again, again.writes[0], 1, 1, NOW), Permit)
    made.written.clear()
    assert isinstance(opened.mint(operation(BURNER, value=True), again.writes[0], 1, 1, NOW), Permit)
    assert opened.judge(operation(BURNER, value=True), NOW).code == "rate_limited"


def test_a_re_assertion_is_held_to_every_other_constraint() -> None:
    made = plant()
    opened = gate(made, steam(SafetyLevel.HIGH, limits_also=(SETPOINT,)))
    assert codes(opened.judge(operation(SETPOINT, 600.0, is_reassert=True), NOW)) == ["violation"]
    made.set(STEAM, 600.0)
    opened.observe([STEAM], NOW)
    assert codes(opened.judge(operation(SETPOINT, 450.0, is_reassert=True), NOW)) == ["violation"]


# What is said of it


def test_a_finding_says_who_speaks_against_what_why_and_by_how_much() -> None:
    made = plant()
    opened = gate(made, steam(SafetyLevel.HIGH, limits_also=(SETPOINT,)), calm(1))
    [found] = opened.judge(operation(SETPOINT, 600.0), NOW).refusals
    assert found == Finding("violation", "steam", "above_max", SETPOINT, 600.0, 580.0)
    made.set(STEAM, 590.0)
    opened.observe([STEAM], NOW)
    [found] = opened.judge(operation(SETPOINT, 450.0), NOW).refusals
    assert found == Finding("violation", "steam", "above_max", SETPOINT, 590.0)
    made.set(STEAM, 500.0)
    opened.observe([STEAM], NOW)
    assert opened.judge(operation(SETPOINT, 450.0), NOW) == Decision()
    opened.mint(operation(SETPOINT, 450.0), Write(SETPOINT, 450.0), 1, 1, NOW)
    [found] = opened.judge(operation(SETPOINT, 450.0), NOW).refusals
    assert found == Finding("rate_limited", "calm", "too_often", SETPOINT, None, 1.0)


def test_what_raises_at_a_proposal_says_so_and_is_counted_each_time() -> None:
    made = plant()
    depends = Dependency(name="d", level=SafetyLevel.HIGH, when={LOAD: 1.0}, requires={"boiler.pump": True})
    opened = gate(made, depends)
    made.raises.add("boiler.pump")
    before = opened.errors
    for times in (1, 2):
        found = opened.judge(operation(LOAD, 1.0), NOW).refusals
        assert Finding("stale_input", "d", "error", LOAD) in found
        assert opened.errors == before + 2 * times, "once live, once as an objection"


def test_a_halt_and_an_open_breaker_say_which_and_why() -> None:
    made = plant()
    opened = gate(made)
    opened.breakers["boiler"] = Breaker(failure_threshold=1)
    opened.breakers["boiler"].fail(NOW)
    trip(made, opened)
    halted, broken, violated = opened.judge(operation(SETPOINT, 450.0), NOW).refusals
    assert halted == Finding("halted", "steam", "above_max", SETPOINT)
    assert broken == Finding("circuit_open", "boiler", "open", SETPOINT)
    assert violated == Finding("violation", "steam", "above_max", SETPOINT, 600.0)
    made.set(STEAM, 500.0)
    opened.observe([STEAM], NOW)
    assert opened.judge(operation(SETPOINT, 450.0), NOW).refusals[0] == Finding("halted", "steam", "latched", SETPOINT)


def test_a_decision_has_the_code_of_its_first_refusal_and_none_where_there_is_none() -> None:
    assert Decision().code == ""
    assert Decision((Finding("halted", "a", "b"), Finding("violation", "c", "d"))).code == "halted"


def test_who_cannot_be_asked_about_a_write_does_not_permit_it() -> None:
    made = plant()
    opened = gate(made, Permission(name="who", level=SafetyLevel.HIGH))
    made.raises.add(SETPOINT)
    for times in (1, 2):
        assert opened.judge(operation(SETPOINT, 1.0), NOW).refusals == (
            Finding("stale_input", "who", "error", SETPOINT),
        )
        assert opened.errors == times


def test_whoever_has_no_say_takes_none_from_the_others() -> None:
    made = plant()
    first = steam(SafetyLevel.HIGH, limits_also=(SETPOINT,), bypassable=True)
    second = steam(SafetyLevel.HIGH, name="second", max=570.0, limits_also=(SETPOINT,))
    who = Permission(name="who", level=SafetyLevel.HIGH)
    opened = gate(made, first, second, calm(1), who)
    opened.bypass("steam", NOW + 10)
    assert [found.name for found in opened.judge(operation(SETPOINT, 600.0), NOW).refusals] == ["second"]
    made.granted = False
    again = opened.judge(operation(SETPOINT, 600.0, is_reassert=True), NOW)
    assert [found.name for found in again.refusals] == ["second", "who"]
    safe = opened.judge(operation(BURNER, value=False), NOW)
    assert [found.name for found in safe.refusals] == ["who"]
