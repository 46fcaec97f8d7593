"""What every declaration refuses, whatever its kind."""

from math import inf, nan

import pytest

from drivers.values import Seconds
from gateway.safety.band import Band, Held
from gateway.safety.constraint import LARGEST, SafeWrite, is_finite, is_same
from gateway.safety.kinds import KINDS, rule_of
from gateway.safety.kinds.compliance import Compliance
from gateway.safety.kinds.dependency import Dependency
from gateway.safety.kinds.permission import Permission
from gateway.safety.kinds.rate_limit import RateLimit
from gateway.safety.kinds.rate_of_change import RateOfChange
from gateway.safety.kinds.resource import Resource
from gateway.safety.kinds.threshold import Threshold
from gateway.safety.kinds.timing import Timing
from gateway.safety.kinds.vote import Vote
from gateway.safety.rule import NOTHING_LIVE
from gateway.safety.verdict import SafetyLevel, Verdict
from tests.unit.gateway.safety.plant import NOW, FakePlant, operation

DECLARED: dict[str, dict[str, object]] = {
    "threshold": {"tag": "b.t", "max": 1.0},
    "rate_of_change": {"tag": "b.t", "max_step": 1.0},
    "rate_limit": {"key": "b", "max": 1, "window": Seconds(60)},
    "dependency": {"when": {"b.t": True}, "requires": {"b.u": True}},
    "permission": {},
    "resource": {"lock": "b"},
    "timing": {"tag": "b.t", "min_interval": Seconds(1)},
    "compliance": {"tag": "b.t", "max": 1.0, "window": Seconds(60)},
    "vote": {"tags": ("b.t", "b.u"), "agree": 1, "max": 1.0},
}
"""The least that each kind needs."""


def declare(kind: str, **keys: object) -> object:
    return KINDS[kind](**{"name": "x", "level": SafetyLevel.HIGH, **DECLARED[kind], **keys})  # type: ignore[arg-type]


def test_there_is_a_declaration_here_of_every_kind() -> None:
    assert set(DECLARED) == set(KINDS)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"on_delay": Seconds(-1)}, "on_delay: -1 is not a number from 0 upwards"),
        ({"off_delay": Seconds(inf)}, "off_delay: inf is not a number from 0 upwards"),
        ({"unknown_delay": Seconds(nan)}, "unknown_delay: nan is not a number from 0 upwards"),
        ({"max_age": Seconds(0)}, "max_age: 0 is not a number above 0"),
        ({"max_bypass": Seconds(60)}, "max_bypass: needs bypassable: true beside it"),
        ({"max_bypass": Seconds(0), "bypassable": True}, "max_bypass: 0 is not a number above 0"),
        ({"on_trip": {"b.t": nan}}, "on_trip: b.t: nan is no value; give a finite number"),
        ({"on_trip": {"b.t": SafeWrite(value=-inf)}}, "on_trip: b.t: -inf is no value; give a finite number"),
    ],
)
@pytest.mark.parametrize("kind", DECLARED)
def test_a_declaration_that_could_never_be_kept_is_refused(kind: str, keys: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        declare(kind, **keys)
    assert str(refused.value) == message


@pytest.mark.parametrize("kind", DECLARED)
def test_what_can_be_kept_is_accepted(kind: str) -> None:
    keys = {"on_delay": Seconds(0), "max_age": Seconds(1), "bypassable": True, "max_bypass": Seconds(60)}
    assert declare(kind, **keys, on_trip={"b.t": False, "b.u": SafeWrite(value=400), "b.v": "shut"})


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"max": nan}, "max: nan is no limit; give a finite number"),
        ({"min": -inf}, "min: -inf is no limit; give a finite number"),
        ({"max": True}, "max: True is no limit; give a finite number"),
        ({"max": 10**400}, f"max: {10**400} is no limit; give a finite number"),
        ({"max": None}, "no limit is set; give min, max or both"),
        ({"min": 2.0}, "min: 2 is above max 1"),
        ({"min": 0.0, "hysteresis": 1.5}, "hysteresis: 1.5 is more than lies between min and max"),
        ({"hysteresis": nan}, "hysteresis: nan is not a number from 0 upwards"),
    ],
)
def test_limits_that_could_never_be_kept_are_refused(keys: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        declare("threshold", **keys)
    assert str(refused.value) == message


def test_one_value_alone_may_be_permitted() -> None:
    assert declare("threshold", min=1.0, hysteresis=0.0)
    assert declare("threshold", min=0.0, hysteresis=1.0)


@pytest.mark.parametrize(
    ("keys", "message"),
    [({"max": 0}, "max: 0 is not a number above 0"), ({"window": Seconds(0)}, "window: 0 is not a number above 0")],
)
def test_a_rate_that_could_never_be_kept_is_refused(keys: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        declare("rate_limit", **keys)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (400, 400.0, True),
        (1, True, False),
        (False, 0, False),
        (True, True, True),
        ("on", "on", True),
        ("1", 1, False),
        (nan, nan, False),
        (1.0, None, False),
    ],
)
def test_what_is_the_same_value(one: float, other: object, *, same: bool) -> None:
    assert is_same(one, other) is same


@pytest.mark.parametrize("kind", ["rate_limit", "permission", "resource"])
def test_kinds_that_watch_nothing_are_never_in_doubt(kind: str) -> None:
    judging, plant = rule_of(declare(kind)), FakePlant()  # type: ignore[arg-type]
    assert judging.live(plant, NOW) is NOTHING_LIVE
    assert NOTHING_LIVE.verdict is Verdict.OK
    assert NOTHING_LIVE.holds_until == inf
    assert judging.constraint.watched == judging.constraint.limited == ()
    assert judging.constraint.bounds == (None, None)
    assert not judging.restless


@pytest.mark.parametrize("kind", ["compliance", "vote"])
def test_kinds_that_judge_no_proposal_object_to_none(kind: str) -> None:
    judging, wanted = rule_of(declare(kind)), operation("b.t", 9999.0)  # type: ignore[arg-type]
    assert judging.proposes == ()
    assert judging.object(wanted.writes[0], wanted, FakePlant(), NOW) is None


def test_what_is_no_kind_has_no_rule() -> None:
    class Unknown(Threshold):
        pass

    with pytest.raises(KeyError):
        rule_of(Unknown(name="x", level=SafetyLevel.HIGH, tag="b.t", max=1.0))


def test_every_kind_has_its_own_rule() -> None:
    kinds = (Threshold, RateOfChange, RateLimit, Dependency, Permission, Resource, Timing, Compliance, Vote)
    assert {kind.kind: kind for kind in kinds} == dict(KINDS)
    assert {type(rule_of(declare(kind))).__name__ for kind in KINDS} == {f"{kind.__name__}Rule" for kind in kinds}  # type: ignore[arg-type]


def test_the_largest_number_is_one() -> None:
    assert is_finite(LARGEST)
    assert is_finite(-LARGEST)
    assert not is_finite(inf)
    assert not is_finite(-inf)
    assert not is_finite(nan)
    assert not is_finite(10**400)


def test_a_band_has_no_dead_zone_unless_it_is_given_one() -> None:
    assert Band(0.0, 10.0).compare(10.0, Held.ABOVE) is Held.NONE
    assert Band(0.0, 10.0).compare(0.0, Held.BELOW) is Held.NONE
    assert Band(0.0, 10.0, 2.0).compare(8.1, Held.ABOVE) is Held.ABOVE
    assert Band(0.0, 10.0, 2.0).compare(1.9, Held.BELOW) is Held.BELOW
    assert Band(0.0, 10.0, 2.0).compare(1.9, Held.ABOVE) is Held.NONE
    assert Band(0.0, 10.0).compare(nan, Held.NONE) is Held.ABOVE
