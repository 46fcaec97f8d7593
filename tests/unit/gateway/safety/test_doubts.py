"""Every kind of constraint against every doubt, as one table: refused with its code, and nothing minted or tripped."""

from collections.abc import Callable, Iterator
from math import inf, nan

import pytest

from drivers.values import Quality, Sample, Seconds, bad
from gateway.safety.constraint import Comparison, Constraint
from gateway.safety.decision import Decision
from gateway.safety.gate import Gate
from gateway.safety.kinds.compliance import Compliance
from gateway.safety.kinds.dependency import Dependency
from gateway.safety.kinds.permission import Permission
from gateway.safety.kinds.rate_limit import RateLimit
from gateway.safety.kinds.rate_of_change import RateOfChange
from gateway.safety.kinds.resource import Resource
from gateway.safety.kinds.threshold import Threshold
from gateway.safety.kinds.timing import Timing
from gateway.safety.kinds.vote import Vote
from gateway.safety.operation import Operation, Write
from gateway.safety.verdict import SafetyLevel, Verdict
from tests.unit.gateway.safety.plant import DOUBTS, MAX_AGE, NOW, FakePlant

A, B, C, FLAG, WRITTEN = "b.a", "b.b", "b.c", "b.flag", "b.written"
DELAY = 10

DECLARED: dict[str, Callable[..., Constraint]] = {
    "threshold": lambda **keys: Threshold(tag=A, min=0.0, max=100.0, limits_also=(WRITTEN,), **keys),
    "rate_of_change": lambda **keys: RateOfChange(
        tag=A, max_per_second=10.0, max_step=60.0, limits_also=(WRITTEN,), **keys
    ),
    "dependency": lambda **keys: Dependency(
        when={WRITTEN: Comparison(min=0.0)}, requires={A: Comparison(max=100.0)}, **keys
    ),
    "timing": lambda **keys: Timing(tag=FLAG, min_on=Seconds(1), min_off=Seconds(1), **keys),
    "compliance": lambda **keys: Compliance(tag=A, max=100.0, window=Seconds(60), **keys),
    "vote": lambda **keys: Vote(tags=(A, B, C), agree=2, max=100.0, **keys),
    "rate_limit": lambda **keys: RateLimit(key="b", max=9, window=Seconds(60), **keys),
    "permission": Permission,
    "resource": lambda **keys: Resource(lock="b", **keys),
}
"""One of each kind, all about WRITTEN or its device."""

LIVE_TABLE = """
doubt                     threshold    rate_of_change  dependency   timing       compliance   vote         rate_limit  permission   resource
missing                   stale_input  stale_input     stale_input  stale_input  stale_input  stale_input  none        none         none
never received            stale_input  stale_input     stale_input  stale_input  stale_input  stale_input  none        none         none
disconnected              stale_input  stale_input     stale_input  stale_input  stale_input  stale_input  none        none         none
stale                     stale_input  stale_input     stale_input  stale_input  stale_input  stale_input  none        none         none
from the future           stale_input  stale_input     stale_input  stale_input  stale_input  stale_input  none        none         none
answered after now        stale_input  stale_input     stale_input  stale_input  stale_input  stale_input  none        none         none
an age that is no number  stale_input  stale_input     stale_input  stale_input  stale_input  stale_input  none        none         none
bad                       stale_input  stale_input     stale_input  stale_input  stale_input  stale_input  none        none         none
uncertain                 stale_input  stale_input     stale_input  stale_input  stale_input  stale_input  none        none         none
outside its range         stale_input  stale_input     stale_input  stale_input  stale_input  stale_input  none        none         none
NaN                       stale_input  stale_input     stale_input  stale_input  stale_input  stale_input  none        none         none
infinite                  stale_input  stale_input     stale_input  stale_input  stale_input  stale_input  none        none         none
minus infinite            stale_input  stale_input     stale_input  stale_input  stale_input  stale_input  none        none         none
a text                    stale_input  stale_input     stale_input  stale_input  stale_input  stale_input  none        none         none
a bool                    stale_input  stale_input     stale_input  a_state      stale_input  stale_input  none        none         none
nothing                   stale_input  stale_input     stale_input  stale_input  stale_input  stale_input  none        none         none
a list                    stale_input  stale_input     stale_input  stale_input  stale_input  stale_input  none        none         none
raising                   stale_input  stale_input     stale_input  stale_input  stale_input  stale_input  none        stale_input  stale_input
"""  # noqa: E501  (a table is read in one piece)
"""What a write is refused with while the doubt lasts.

none: the kind reads no live value. It counts operations, or asks the matrix or the table of locks, which either answer
or raise. a_state: on and off are bools; a bool is what this kind wants to see, and a number is its doubt.
"""

PROPOSED_TABLE = """
proposed        threshold  rate_of_change  dependency  timing     compliance  vote  rate_limit  permission  resource
NaN             violation  violation       violation   violation  none        none  none        none        none
infinite        violation  violation       violation   violation  none        none  none        none        none
minus infinite  violation  violation       violation   violation  none        none  none        none        none
huge            violation  violation       violation   violation  none        none  none        none        none
a text          violation  violation       violation   violation  none        none  none        none        none
a bool          violation  violation       violation   a_state    none        none  none        none        none
nothing         violation  violation       violation   violation  none        none  none        none        none
a list          violation  violation       violation   violation  none        none  none        none        none
"""
"""What a bad proposal is refused with, while everything live is well.

none: the kind judges no proposed value; it judges who writes, how often, or what is measured. That a value fits its tag
is asked before any constraint is.
"""

SAMPLES = {
    **DOUBTS,
    "missing": None,
    "outside its range": (Sample(50.0, Quality.UNCERTAIN, "out_of_range"), 0.0, "out_of_range"),
    "raising": None,
}
PROPOSALS = {
    "NaN": nan,
    "infinite": inf,
    "minus infinite": -inf,
    "huge": 10**400,
    "a text": "50",
    "a bool": True,
    "nothing": None,
    "a list": (50.0,),
}


def cells(table: str) -> Iterator[tuple[str, str, str]]:
    """Yield row, kind and what the cell says."""
    lines = [line for line in table.splitlines() if line]
    kinds = lines[0].split()[1:]
    for line in lines[1:]:
        words = line.split()
        row, found = " ".join(words[: -len(kinds)]), words[-len(kinds) :]
        for kind, cell in zip(kinds, found, strict=True):
            yield row, kind, cell


LIVE = [(kind, row, cell) for row, kind, cell in cells(LIVE_TABLE) if cell not in {"none", "a_state"}]
WATCHING = [(kind, row) for kind, row, _ in LIVE if kind not in {"permission", "resource"}]
PROPOSED = [(kind, row, cell) for row, kind, cell in cells(PROPOSED_TABLE) if cell not in {"none", "a_state"}]


def declare(kind: str, **keys: object) -> Constraint:
    return DECLARED[kind](**{"name": kind, "level": SafetyLevel.CRITICAL, **keys})


def tag_of(kind: str) -> str:
    return FLAG if kind == "timing" else WRITTEN


def wanted(kind: str, value: object = None) -> Operation:
    proposed = (False if kind == "timing" else 50.0) if value is None else value
    return Operation("me", (Write(tag_of(kind), proposed),), locks={"b": 7})  # type: ignore[arg-type]


def good(made: FakePlant, now: float, value: float = 50.0) -> None:
    made.tokens["b"] = 7
    for tag in (A, B, C, WRITTEN):
        made.set(tag, value, at=now)
    made.set(FLAG, True, at=now)  # noqa: FBT003  (a value, not a flag)


def spoil(made: FakePlant, doubt: str, now: float) -> None:
    """Put everything that the constraints look at into doubt."""
    for tag in (A, B, C, FLAG):
        if doubt == "raising":
            made.raises |= {tag, WRITTEN, "b", FLAG}
        elif doubt == "missing":
            made.tags.pop(tag, None)
        else:
            sample, age, _ = SAMPLES[doubt] or (bad(""), 0.0, "")
            if tag == FLAG and sample.value == 50.0:
                sample = sample._replace(value=True)  # there only the rest of it is to be doubted
            made.set(tag, sample, at=now - age)


def settle(kind: str, made: FakePlant, opened: Gate) -> float:
    """Let good samples come until the kind is content; return the time."""
    for second in range(60 if kind == "compliance" else 3):
        now = NOW + second
        good(made, now)
        opened.observe([A, B, C, FLAG], now)
        opened.refresh(now)
    return now


def opened_with(kind: str, made: FakePlant, **keys: object) -> Gate:
    return Gate([declare(kind, **keys)], made, lambda: NOW)


def refusals(opened: Gate, operation: Operation, now: float) -> set[tuple[str, str]]:
    """Return the constraints that refuse it, each with its code; minting gives the same and no permit."""
    decision = opened.judge(operation, now)
    minted = opened.mint(operation, operation.writes[0], 50, 1, now)
    assert isinstance(minted, Decision)
    assert minted == decision
    return {(found.name, found.code) for found in decision.refusals}


def test_the_tables_are_complete() -> None:
    assert {kind for _, kind, _ in cells(LIVE_TABLE)} == {kind for _, kind, _ in cells(PROPOSED_TABLE)} == set(DECLARED)
    assert {row for row, _, _ in cells(LIVE_TABLE)} == set(SAMPLES)
    assert {row for row, _, _ in cells(PROPOSED_TABLE)} == set(PROPOSALS)


@pytest.mark.parametrize("kind", DECLARED)
def test_nothing_is_refused_while_there_is_no_doubt(kind: str) -> None:
    made = FakePlant()
    opened = opened_with(kind, made)
    assert opened.judge(wanted(kind), settle(kind, made, opened)).is_permitted


@pytest.mark.parametrize(("kind", "doubt", "code"), LIVE)
def test_a_doubt_from_the_start_refuses_and_mints_nothing(kind: str, doubt: str, code: str) -> None:
    made = FakePlant()
    made.set(WRITTEN, 50.0)
    spoil(made, doubt, NOW)
    assert refusals(opened_with(kind, made), wanted(kind), NOW) == {(kind, code)}


@pytest.mark.parametrize(("kind", "doubt", "code"), LIVE)
def test_a_doubt_that_comes_later_refuses_and_mints_nothing(kind: str, doubt: str, code: str) -> None:
    made = FakePlant()
    opened = opened_with(kind, made)
    now = settle(kind, made, opened)
    for _ in range(20 if kind == "compliance" else 1):  # that one bears gaps in its window, and no more than it says
        now += 1
        good(made, now)
        spoil(made, doubt, now)
        opened.observe([A, B, C, FLAG], now)
    assert refusals(opened, wanted(kind), now) == {(kind, code)}


@pytest.mark.parametrize("kind", dict.fromkeys(kind for kind, _ in WATCHING))
def test_what_is_not_evaluated_any_more_is_not_relied_on(kind: str) -> None:
    made = FakePlant()
    opened = opened_with(kind, made)
    now = settle(kind, made, opened) + MAX_AGE + (20 if kind == "compliance" else 0.01)
    made.set(WRITTEN, 50.0, at=now)
    assert refusals(opened, wanted(kind), now) == {(kind, "stale_input")}


def test_time_that_does_not_pass_between_two_samples_is_a_doubt() -> None:
    made = FakePlant()
    opened = opened_with("rate_of_change", made)
    now = settle("rate_of_change", made, opened)
    made.set(A, 51.0, at=now)
    opened.observe([A], now)
    assert refusals(opened, wanted("rate_of_change"), now) == {("rate_of_change", "stale_input")}


@pytest.mark.parametrize(("kind", "doubt"), WATCHING)
def test_a_doubt_trips_nothing(kind: str, doubt: str) -> None:
    made = FakePlant()
    opened = opened_with(kind, made)
    now = settle(kind, made, opened)
    for _ in range(40):
        now += 1
        spoil(made, doubt, now)
        assert opened.observe([A, B, C, FLAG], now).tripped == []
        assert opened.refresh(now).tripped == []
    assert opened.constraints[0].judgement.verdict is Verdict.UNKNOWN
    assert opened.constraints[0].alarm.state.value == "unack_active"


@pytest.mark.parametrize(("kind", "doubt"), WATCHING)
def test_a_doubt_trips_after_its_delay_where_that_is_written(kind: str, doubt: str) -> None:
    made = FakePlant()
    opened = opened_with(kind, made, on_unknown="trip", unknown_delay=Seconds(DELAY))
    now = settle(kind, made, opened)
    begun, tripped = [], []
    for second in range(30):
        now += 1
        spoil(made, doubt, now)
        observed = opened.refresh(now) if second % 2 else opened.observe([A, B, C, FLAG], now)
        if opened.constraints[0].judgement.verdict is Verdict.UNKNOWN:
            begun.append(second)
        tripped += [second for _ in observed.tripped]
    assert tripped == [begun[0] + DELAY]


@pytest.mark.parametrize(("kind", "doubt"), WATCHING)
def test_a_doubt_never_trips_before_the_first_good_sample(kind: str, doubt: str) -> None:
    made = FakePlant()
    opened = opened_with(kind, made, on_unknown="trip", unknown_delay=Seconds(DELAY))
    for second in range(20):
        spoil(made, doubt, NOW + second)
        assert opened.observe([A, B, C, FLAG], NOW + second).tripped == []
        assert opened.refresh(NOW + second).tripped == []


@pytest.mark.parametrize(("kind", "proposal", "code"), PROPOSED)
def test_a_bad_proposal_is_refused_and_trips_nothing(kind: str, proposal: str, code: str) -> None:
    made = FakePlant()
    opened = opened_with(kind, made)
    now = settle(kind, made, opened)
    operation = Operation("me", (Write(tag_of(kind), PROPOSALS[proposal]),))  # type: ignore[arg-type]
    for _ in range(3):
        assert refusals(opened, operation, now) == {(kind, code)}
    assert opened.refresh(now).tripped == []
    assert not opened.is_halted
    assert opened.judge(wanted(kind), now).is_permitted


@pytest.mark.parametrize("doubt", [row for row in SAMPLES if row != "outside its range"])
def test_a_step_from_where_nobody_knows_is_refused(doubt: str) -> None:
    made = FakePlant()
    opened = opened_with("rate_of_change", made)
    now = settle("rate_of_change", made, opened)
    if doubt == "raising":
        made.raises.add(WRITTEN)
    elif doubt == "missing":
        made.tags.pop(WRITTEN)
    else:
        sample, age, _ = SAMPLES[doubt] or (bad(""), 0.0, "")
        made.set(WRITTEN, sample, at=now - age)
    assert refusals(opened, wanted("rate_of_change"), now) == {("rate_of_change", "stale_input")}


def test_an_untrusted_clock_refuses_what_keeps_hours() -> None:
    made = FakePlant()
    hours = Timing(name="hours", level=SafetyLevel.HIGH, tag=FLAG, not_before="06:00", not_after="22:00")
    opened = Gate([hours], made, lambda: NOW)
    good(made, NOW)
    assert refusals(opened, wanted("timing"), NOW) == {("hours", "time_untrusted")}


def test_who_is_not_granted_and_what_is_not_held_is_refused_with_its_own_code() -> None:
    made = FakePlant()
    good(made, NOW)
    made.granted, made.tokens["b"] = False, 8
    assert refusals(opened_with("permission", made), wanted("permission"), NOW) == {("permission", "forbidden")}
    assert refusals(opened_with("resource", made), wanted("resource"), NOW) == {("resource", "lock_lost")}


def test_the_levels_below_only_warn_of_a_doubt() -> None:
    made = FakePlant()
    for level in (SafetyLevel.MEDIUM, SafetyLevel.LOW, SafetyLevel.INFO):
        opened = Gate([declare("threshold", level=level)], made, lambda: NOW)
        decision = opened.judge(wanted("threshold"), NOW)
        assert decision.is_permitted
        assert [found.code for found in decision.warnings] == ["stale_input"]
