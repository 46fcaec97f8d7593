"""A proof is worth what it finds: each of these defects, put into the gate, must make it fail."""

from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from gateway.control.safe_state import SafeStates
from gateway.safety.band import Band, Held
from gateway.safety.gate import Gate
from gateway.safety.judging import Judge
from gateway.safety.kinds import (
    compliance,
    dependency,
    permission,
    rate_limit,
    rate_of_change,
    resource,
    threshold,
    timing,
    vote,
)
from gateway.safety.limiter import SlidingWindow
from gateway.safety.live import LiveConstraint
from gateway.safety.rule import Rule
from gateway.safety.trip import Latch, TripDelays, TripState
from gateway.safety.verdict import Judgement, Verdict
from tests.unit.gateway.testing.proofs import LAYOUT, failed, not_proved, proof_of

Patch: TypeAlias = pytest.MonkeyPatch
CONTENT = Judgement(Verdict.OK, "", 1.0, inf)


def always_content(rule: type[Rule]) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(rule, "live", lambda *_: CONTENT)


def never_objects(rule: type[Rule]) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(rule, "object", lambda *_: None)


RULES: dict[str, tuple[str, Callable[[Patch], None]]] = {
    "a threshold that is always content": ("threshold", always_content(threshold.ThresholdRule)),
    "a rate that is always content": ("rate_of_change", always_content(rate_of_change.RateOfChangeRule)),
    "a dependency that is always content": ("dependency", always_content(dependency.DependencyRule)),
    "a mean that is always content": ("compliance", always_content(compliance.ComplianceRule)),
    "a vote that is always content": ("vote", always_content(vote.VoteRule)),
    "a timing that is always content": ("timing", always_content(timing.TimingRule)),
    "steps of any length": ("rate_of_change", never_objects(rate_of_change.RateOfChangeRule)),
    "a permissive that permits": ("dependency", never_objects(dependency.DependencyRule)),
    "a limiter without a limit": ("rate_limit", never_objects(rate_limit.RateLimitRule)),
    "everybody may write": ("permission", never_objects(permission.PermissionRule)),
    "no lock is needed": ("resource", never_objects(resource.ResourceRule)),
    "no rest is needed": ("timing", never_objects(timing.TimingRule)),
}


def no_hysteresis(patch: Patch) -> None:
    compare = Band.compare
    patch.setattr(Band, "compare", lambda self, value, held: compare(self, value, Held.NONE))


def a_limit_that_is_off_by_little(patch: Patch) -> None:
    compare = Band.compare
    patch.setattr(Band, "compare", lambda self, value, held: compare(self, value - 0.001, held))


def downwards_is_fine(patch: Patch) -> None:
    compare = Band.compare

    def only_above(self: Band, value: float, held: Held) -> Held:
        found = compare(self, value, held)
        return Held.NONE if found is Held.BELOW else found

    patch.setattr(Band, "compare", only_above)


def doubts_pass(patch: Patch) -> None:
    patch.setattr(threshold, "is_certain", lambda _: True)
    patch.setattr(
        threshold, "number", lambda seen, _: (seen.sample.value if seen.sample.value is not None else 60.0, "")
    )


def a_stale_verdict_holds(patch: Patch) -> None:
    def finding(self: LiveConstraint, *_: object) -> None:
        del self

    patch.setattr(LiveConstraint, "finding", finding)


def nothing_trips(patch: Patch) -> None:
    patch.setattr(Latch, "judge", lambda *_, **__: False)


def every_delay_is_nothing(patch: Patch) -> None:
    init = Latch.__init__
    patch.setattr(Latch, "__init__", lambda self, _, **keys: init(self, TripDelays(), **keys))


def doubts_trip(patch: Patch) -> None:
    init = Latch.__init__

    def wary(self: Latch, delays: TripDelays, **keys: Any) -> None:
        init(self, TripDelays(delays.on_delay, delays.off_delay, 1.0), **keys)

    patch.setattr(Latch, "__init__", wary)


def a_doubt_trips_before_anything_was_good(patch: Patch) -> None:
    doubts_trip(patch)
    patch.setattr(Latch, "_proved", property(lambda _: True, lambda *_: None))


def a_latch_lets_go_by_itself(patch: Patch) -> None:
    judge = Latch.judge

    def forgetful(self: Latch, verdict: Verdict, now: float, **keys: Any) -> bool:
        tripped = judge(self, verdict, now, **keys)
        if verdict is Verdict.OK:
            self.state = TripState.CLEAR
        return tripped

    patch.setattr(Latch, "judge", forgetful)


def a_reset_whatever_the_cause(patch: Patch) -> None:
    def reset(self: Latch, _: float) -> bool:
        self.state = TripState.CLEAR
        return True

    patch.setattr(Latch, "reset", reset)
    patch.setattr(Gate, "refuses_reset", lambda *_: "")


def nothing_is_halted(patch: Patch) -> None:
    patch.setattr(Judge, "_halts", lambda *_: [])


def the_safe_state_is_refused(patch: Patch) -> None:
    patch.setattr(Judge, "is_always_allowed", lambda *_: False)


def the_safe_state_is_not_written(patch: Patch) -> None:
    patch.setattr(SafeStates, "begin", lambda *_: None)


def refused_operations_count(patch: Patch) -> None:
    has_room = SlidingWindow.has_room

    def counting(self: SlidingWindow, now: float) -> bool:
        if not has_room(self, now):
            self._times.append(now)
            return False
        return True

    patch.setattr(SlidingWindow, "has_room", counting)


PARTS: dict[str, tuple[str, Callable[[Patch], None]]] = {
    "no hysteresis": ("threshold", no_hysteresis),
    "a limit that is off by little": ("threshold", a_limit_that_is_off_by_little),
    "no lower limit": ("threshold", downwards_is_fine),
    "no lower limit of a mean": ("compliance", downwards_is_fine),
    "doubts pass": ("threshold", doubts_pass),
    "no verdict denies": ("threshold", a_stale_verdict_holds),
    "nothing trips": ("threshold", nothing_trips),
    "a trip without its delay": ("threshold", every_delay_is_nothing),
    "doubts trip": ("threshold", doubts_trip),
    "doubts trip before anything was good": ("dependency", a_doubt_trips_before_anything_was_good),
    "a latch that lets go by itself": ("vote", a_latch_lets_go_by_itself),
    "a reset whatever the cause": ("rate_of_change", a_reset_whatever_the_cause),
    "a trip that halts nothing": ("threshold", nothing_is_halted),
    "a safe state that nobody may write": ("threshold", the_safe_state_is_refused),
    "a safe state that is not written": ("threshold", the_safe_state_is_not_written),
    "refused operations take places": ("rate_limit", refused_operations_count),
}


@pytest.mark.parametrize("defect", [*RULES, *PARTS])
def test_a_defect_in_the_gate_makes_the_proof_fail(
    defect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, spoil = (RULES | PARTS)[defect]
    spoil(monkeypatch)
    results = proof_of(tmp_path, LAYOUT[kind])
    assert failed(results), not_proved(results)


def test_a_gate_that_says_yes_to_everything_fails_wherever_it_has_to_say_no(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.safety.decision import PERMITTED  # noqa: PLC0415  (beside its only use)

    monkeypatch.setattr(Judge, "judge", lambda *_: PERMITTED)
    for kind, constraint in LAYOUT.items():
        assert failed(proof_of(tmp_path, constraint)), kind
