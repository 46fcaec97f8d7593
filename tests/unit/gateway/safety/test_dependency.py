"""DEPENDENCY: a permissive for what is proposed, an interlock for what is."""

import pytest

from drivers.values import Quality, Sample, Seconds
from gateway.safety.constraint import Comparison, Setting
from gateway.safety.kinds.dependency import Dependency, DependencyRule, satisfies
from gateway.safety.operation import Write
from gateway.safety.rule import Objection
from gateway.safety.verdict import SafetyLevel, Verdict
from tests.unit.gateway.safety.plant import DOUBTS, MAX_AGE, NOW, FakePlant, operation

BURNER, PUMP, LEVEL = "boiler.burner", "boiler.pump", "boiler.level"


def rule() -> DependencyRule:
    return DependencyRule(
        Dependency(
            name="pump_first",
            level=SafetyLevel.CRITICAL,
            when={BURNER: True},
            requires={PUMP: Comparison(equals=True), LEVEL: Comparison(min=-200, max=200)},
        )
    )


def live(plant: FakePlant) -> tuple[Verdict, str]:
    judgement = rule().live(plant, NOW)
    return judgement.verdict, judgement.reason


def plant(*, burner: object = True, pump: object = True, level: object = 0.0) -> FakePlant:
    made = FakePlant()
    for tag, value in ((BURNER, burner), (PUMP, pump), (LEVEL, level)):
        made.set(tag, value)  # type: ignore[arg-type]
    return made


def test_it_is_ok_while_the_condition_does_not_hold_or_everything_is_met() -> None:
    assert live(plant()) == (Verdict.OK, "")
    assert live(plant(burner=False, pump=False)) == (Verdict.OK, "")


def test_it_is_violated_by_what_is_surely_not_met() -> None:
    assert live(plant(pump=False)) == (Verdict.VIOLATED, PUMP)
    assert live(plant(level=201.0)) == (Verdict.VIOLATED, LEVEL)


@pytest.mark.parametrize("doubt", DOUBTS)
def test_a_doubt_about_what_is_required_is_unknown(doubt: str) -> None:
    sample, age, reason = DOUBTS[doubt]
    made = plant()
    made.set(LEVEL, sample, at=NOW - age)
    assert live(made) == (Verdict.UNKNOWN, f"{LEVEL}:{reason}")


def test_a_doubt_about_the_condition_is_unknown_unless_everything_is_met() -> None:
    made = plant(pump=False)
    made.spoil(BURNER, "timeout")
    assert live(made) == (Verdict.UNKNOWN, f"{BURNER}:timeout")
    made.set(PUMP, True)  # noqa: FBT003  (a value, not a flag)
    assert live(made) == (Verdict.OK, "")


def test_a_value_outside_its_range_is_a_doubt() -> None:
    assert live(plant(level=Sample(0.0, Quality.UNCERTAIN, "out_of_range"))) == (
        Verdict.UNKNOWN,
        f"{LEVEL}:out_of_range",
    )


def test_a_verdict_holds_as_long_as_the_oldest_sample_that_it_rests_on() -> None:
    made = plant()
    made.set(LEVEL, 0.0, at=NOW - 2)
    assert rule().live(made, NOW).holds_until == NOW - 2 + MAX_AGE
    made.set(BURNER, False, at=NOW - 1)  # noqa: FBT003  (a value, not a flag)
    made.spoil(PUMP, "timeout")
    assert rule().live(made, NOW).holds_until == NOW - 1 + MAX_AGE


def propose(made: FakePlant, *, value: object = True) -> Objection | None:
    return rule().object(Write(BURNER, value), operation(BURNER, value), made, NOW)  # type: ignore[arg-type]


def test_a_write_that_brings_the_condition_about_needs_the_rest_first() -> None:
    off = {"burner": False}
    assert propose(plant(**off)) is None
    assert propose(plant(**off, pump=False)) == Objection("violation", PUMP)


def test_a_doubt_about_what_is_required_refuses_the_write() -> None:
    made = plant(burner=False)
    made.spoil(PUMP, "timeout")
    assert propose(made) == Objection("stale_input", f"{PUMP}:timeout")


def test_a_write_that_leaves_the_condition_is_permitted() -> None:
    assert propose(plant(pump=False), value=False) is None


def test_the_other_conditions_count_as_they_are() -> None:
    both = DependencyRule(
        Dependency(
            name="x", level=SafetyLevel.HIGH, when={BURNER: True, LEVEL: Comparison(max=0)}, requires={PUMP: True}
        )
    )
    made = plant(burner=False, pump=False, level=5.0)
    wanted = operation(BURNER, value=True)
    assert both.object(wanted.writes[0], wanted, made, NOW) is None
    made.spoil(LEVEL, "timeout")
    assert both.object(wanted.writes[0], wanted, made, NOW) == Objection("violation", PUMP)


def test_it_judges_proposals_to_the_tags_of_its_condition() -> None:
    assert rule().proposes == (BURNER,)


@pytest.mark.parametrize(
    ("wanted", "value", "met"),
    [
        (True, True, True),
        (True, 1, False),
        (1, True, False),
        (1, 1.0, True),
        ("on", "on", True),
        ("on", "off", False),
        (Comparison(equals=False), False, True),
        (Comparison(equals=0), False, False),
        (Comparison(min=1), 1, True),
        (Comparison(min=1), 0.999, False),
        (Comparison(max=1), 1.001, False),
        (Comparison(min=1, max=2), 1.5, True),
        (Comparison(min=0), float("nan"), False),
        (Comparison(min=0), True, False),
        (Comparison(min=0), "5", False),
        (Comparison(min=0), None, False),
    ],
)
def test_what_satisfies_a_comparison(wanted: Setting | Comparison, value: object, *, met: bool) -> None:
    assert satisfies(wanted, value) is met


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400])
def test_a_comparison_with_what_no_tag_can_be_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"equals: .* is no value"):
        Comparison(equals=value)
    for names in (
        {"when": {LEVEL: value}, "requires": {PUMP: True}},
        {"when": {BURNER: True}, "requires": {LEVEL: value}},
    ):
        with pytest.raises(ValueError, match=rf"{LEVEL}: .* is no value; give a finite number"):
            Dependency(name="x", level=SafetyLevel.HIGH, **names)  # type: ignore[arg-type]


def test_it_wants_samples_as_fresh_as_it_says() -> None:
    declared = Dependency(
        name="x", level=SafetyLevel.HIGH, when={BURNER: True}, requires={PUMP: True}, max_age=Seconds(1)
    )
    made = plant()
    assert DependencyRule(declared).live(made, NOW + 1).verdict is Verdict.OK
    judgement = DependencyRule(declared).live(made, NOW + 1.1)
    assert (judgement.verdict, judgement.reason) == (Verdict.UNKNOWN, f"{BURNER}:stale")


def test_a_difference_that_is_sure_decides_although_another_is_in_doubt() -> None:
    made = plant(pump=False)
    made.spoil(LEVEL, "timeout")
    assert live(made) == (Verdict.VIOLATED, PUMP)


def test_what_is_not_comparable_is_a_doubt() -> None:
    for wanted, value in (
        (True, 1),
        (1, True),
        ("on", 1),
        (1, "on"),
        (Comparison(equals="on"), 2.0),
        (Comparison(max=1), "x"),
    ):
        declared = Dependency(name="x", level=SafetyLevel.HIGH, when={BURNER: True}, requires={PUMP: wanted})
        judgement = DependencyRule(declared).live(plant(pump=value), NOW)
        assert (judgement.verdict, judgement.reason) == (Verdict.UNKNOWN, f"{PUMP}:wrong_type")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"when": {}}, "when: names no tag"),
        ({"requires": {}}, "requires: names no tag"),
    ],
)
def test_a_declaration_that_can_never_be_judged_is_refused(keys: dict[str, object], message: str) -> None:
    declared = {"when": {BURNER: True}, "requires": {PUMP: True}, **keys}
    with pytest.raises(ValueError, match=r".") as refused:
        Dependency(name="x", level=SafetyLevel.HIGH, **declared)  # type: ignore[arg-type]
    assert str(refused.value) == message


def test_equals_stands_alone() -> None:
    for limits in ({"min": 1.0}, {"max": 1.0}):
        with pytest.raises(ValueError, match=r"^equals: stands alone, without min and max$"):
            Comparison(equals=1, **limits)
    with pytest.raises(ValueError, match="no limit is set"):
        Comparison()


def test_a_proposal_that_cannot_be_compared_is_refused_with_its_reason() -> None:
    assert propose(plant(), value=1) == Objection("violation", "wrong_type")
    declared = Dependency(
        name="x", level=SafetyLevel.HIGH, when={LEVEL: Comparison(min=0, max=10)}, requires={PUMP: True}
    )
    made = plant(pump=False)
    for value, objection in ((float("nan"), Objection("violation", "not_finite")), (10, Objection("violation", PUMP))):
        wanted = operation(LEVEL, value)
        assert DependencyRule(declared).object(wanted.writes[0], wanted, made, NOW) == objection
    assert satisfies(Comparison(min=0, max=10), 10)
    assert not satisfies(Comparison(min=0, max=10), 10.001)
    assert satisfies(Comparison(min=0, max=10), 0)


def test_a_good_sample_with_a_remark_is_good() -> None:
    made = plant(level=Sample(0.0, Quality.GOOD, "held"))
    assert live(made) == (Verdict.OK, "")
