from math import inf, nan
from typing import Any

import pytest

from drivers.values import Seconds
from gateway.safety.constraint import Comparison, Constraint
from gateway.safety.kinds import KINDS
from gateway.safety.kinds.compliance import Compliance
from gateway.safety.kinds.dependency import Dependency
from gateway.safety.kinds.rate_limit import RateLimit
from gateway.safety.kinds.rate_of_change import RateOfChange
from gateway.safety.kinds.threshold import Threshold
from gateway.safety.kinds.timing import Timing
from gateway.safety.kinds.vote import Vote
from gateway.safety.verdict import SafetyLevel

COMMON: dict[str, Any] = {"name": "c", "level": SafetyLevel.HIGH}
MINUTE = Seconds(60)


@pytest.mark.parametrize(
    ("kind", "keys", "refusal"),
    [
        (Threshold, {"tag": "a.b"}, "no limit is set"),
        (Threshold, {"tag": "a.b", "min": 2, "max": 1}, "min: 2 is above max 1"),
        (Threshold, {"tag": "a.b", "max": nan}, "max: nan is no limit"),
        (Threshold, {"tag": "a.b", "min": -inf, "max": 1}, "min: -inf is no limit"),
        (Threshold, {"tag": "a.b", "max": 1, "hysteresis": -1}, "hysteresis: -1"),
        (Threshold, {"tag": "a.b", "max": 1, "hysteresis": nan}, "hysteresis: nan"),
        (Threshold, {"tag": "a.b", "min": 0, "max": 1, "hysteresis": 1.5}, "hysteresis: 1.5"),
        (Threshold, {"tag": "a.b", "max": 1, "max_bypass": MINUTE}, "max_bypass: needs bypassable"),
        (RateOfChange, {"tag": "a.b"}, "no limit is set"),
        (RateOfChange, {"tag": "a.b", "max_per_second": 0}, "max_per_second: 0"),
        (RateOfChange, {"tag": "a.b", "max_step": nan}, "max_step: nan"),
        (RateLimit, {"key": "k", "max": 0, "window": MINUTE}, "max: 0"),
        (RateLimit, {"key": "k", "max": 1, "window": Seconds(0)}, "window: 0"),
        (Dependency, {"when": {}, "requires": {"a.b": True}}, "when: names no tag"),
        (Timing, {"tag": "a.b"}, "no limit is set"),
        (Compliance, {"tag": "a.b", "window": MINUTE}, "no limit is set"),
        (Compliance, {"tag": "a.b", "window": MINUTE, "max": 1, "min_coverage": 0}, "min_coverage: 0"),
        (Vote, {"tags": ("a.b",), "agree": 2, "max": 1}, "agree: 2 is not within 1"),
        (Vote, {"tags": ("a.b",), "agree": 1, "max": 1, "deviation": -1}, "deviation: -1"),
    ],
)
def test_what_could_never_be_judged_is_refused(kind: type[Constraint], keys: dict[str, Any], refusal: str) -> None:
    with pytest.raises(ValueError, match=f"^{refusal}"):
        kind(**COMMON, **keys)


def test_one_limit_is_enough_and_equal_ones_are_a_point() -> None:
    assert Threshold(**COMMON, tag="a.b", max=1).watched == ("a.b",)
    assert Threshold(**COMMON, tag="a.b", min=1, max=1, hysteresis=0).max == 1


def test_a_comparison_equals_or_has_bounds() -> None:
    assert Comparison(equals=False).equals is False
    assert Comparison(min=1).min == 1
    for keys in ({}, {"equals": 1, "max": 2}, {"min": 3, "max": 2}):
        with pytest.raises(ValueError, match=r"no limit|stands alone|above max"):
            Comparison(**keys)


def test_every_kind_goes_by_its_own_name() -> None:
    assert {name: kind.kind for name, kind in KINDS.items()} == {name: name for name in KINDS}
    assert len(KINDS) == 9
