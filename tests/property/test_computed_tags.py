"""Computed tags against brute force: medians, votes, windows, quality, and any text as an expression."""

from collections.abc import Sequence
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.values import Quality, Sample, bad
from gateway.tags.computed.expression import parse
from gateway.tags.computed.order import find_cycles, levels
from gateway.tags.computed.redundant import Vote, take_median, take_vote
from gateway.tags.computed.rules import take_expression
from gateway.tags.computed.tree import ExpressionError
from gateway.tags.computed.window import BUCKETS, Window

NUMBERS = st.one_of(st.integers(-(2**63), 2**63), st.floats(-1e6, 1e6), st.booleans())
GOOD = NUMBERS.map(Sample)
SAMPLES = st.one_of(
    GOOD,
    NUMBERS.map(lambda value: Sample(value, Quality.UNCERTAIN, "frozen")),
    st.sampled_from([bad("timeout"), bad("stale"), bad("")]),
)
EXPRESSIONS = ("t.a + t.b * t.c", "t.a / t.b - t.c", "t.a if t.b > t.c else t.b", "max(t.a, t.b, t.c) ** 2 > 1")


@given(st.lists(GOOD, min_size=3, max_size=16))
def test_half_of_the_sensors_are_not_above_the_median_and_half_are_not_below(samples: list[Sample]) -> None:
    middle = take_median(samples, None).value
    assert isinstance(middle, float)
    values = sorted(float(sample.value) for sample in samples)  # type: ignore[arg-type]  # numbers all of them
    assert 2 * sum(value <= middle for value in values) >= len(values)
    assert 2 * sum(value >= middle for value in values) >= len(values)
    if len(values) % 2:
        assert middle == values[len(values) // 2]


@given(st.lists(SAMPLES, min_size=2, max_size=6), st.data())
def test_a_vote_is_true_where_some_group_of_so_many_tags_is_past_the_limit(
    samples: list[Sample], data: st.DataObject
) -> None:
    agree = data.draw(st.integers(1, len(samples)))
    vote = Vote(tags=tuple(f"t.{place}" for place in range(len(samples))), agree=agree, above=0)
    past = [sample.quality is Quality.BAD or sample.value > 0 for sample in samples]  # type: ignore[operator]  # numbers
    outcome = take_vote(samples, vote)
    if all(sample.quality is Quality.BAD for sample in samples):
        assert outcome.quality is Quality.BAD
    else:
        assert outcome.value is any(all(group) for group in combinations(past, agree))


@given(st.lists(SAMPLES, min_size=2, max_size=6), st.data())
def test_a_vote_without_the_bad_ones_is_the_vote_of_the_others(samples: list[Sample], data: st.DataObject) -> None:
    agree = data.draw(st.integers(1, len(samples)))
    tags = tuple(f"t.{place}" for place in range(len(samples)))
    past = [sample.value > 0 for sample in samples if sample.quality is not Quality.BAD]  # type: ignore[operator]  # numbers
    outcome = take_vote(samples, Vote(tags=tags, agree=agree, above=0, bad="excluded"))
    assert outcome.value is (sum(past) >= agree if len(past) >= agree else None)


@given(st.lists(SAMPLES, min_size=3, max_size=3), st.sampled_from(EXPRESSIONS))
def test_an_expression_is_never_better_than_its_worst_input(samples: list[Sample], text: str) -> None:
    result = take_expression(samples, parse(text).evaluate)
    assert result.quality <= min(sample.quality for sample in samples)
    assert (result.value is None) is (result.quality is Quality.BAD)
    assert bool(result.reason) is (result.quality is not Quality.GOOD)


@given(st.lists(SAMPLES, min_size=3, max_size=5), st.sampled_from(["votes", "excluded"]))
def test_a_median_and_a_vote_are_good_only_where_every_input_is(samples: list[Sample], how: str) -> None:
    tags = tuple(f"t.{place}" for place in range(len(samples)))
    all_good = all(sample.quality is Quality.GOOD for sample in samples)
    for result in (take_median(samples, None), take_vote(samples, Vote(tags=tags, agree=2, above=0, bad=how))):  # type: ignore[arg-type]  # drawn
        assert (result.quality is Quality.GOOD) is all_good
        assert (result.value is None) is (result.quality is Quality.BAD)


STEPS = st.lists(st.tuples(st.floats(0.001, 60), st.one_of(st.none(), st.floats(-100, 100))), min_size=1, max_size=60)


@given(st.floats(1, 500), STEPS, st.floats(0.001, 100))
def test_a_window_holds_the_exact_integral_but_for_its_moving_edge(
    length: float, steps: list[tuple[float, float | None]], rest: float
) -> None:
    window, times, values = Window(length, 0), [0.0], [None, *(value for _, value in steps)]
    for pause, value in steps:
        times.append(times[-1] + pause)
        window.take(value, times[-1])
    now = times[-1] + rest
    window.advance(now)
    summary = window.summary()
    integral, covered = brute_force([*times, now], values, now - length)
    one = length / BUCKETS  # what the oldest bucket may hold in another part of it than is taken
    assert summary.integral == pytest.approx(integral, abs=100 * one + 1e-6)
    assert summary.seconds == pytest.approx(covered, abs=one + 1e-6)
    assert 0 <= summary.coverage <= 1


@given(st.lists(st.tuples(st.integers(0, 40), st.one_of(st.none(), st.integers(-100, 100))), max_size=40))
def test_a_window_whose_changes_fall_on_its_buckets_is_exact(steps: list[tuple[int, int | None]]) -> None:
    window, times, values = Window(BUCKETS, 0), [0.0], [None, *(value for _, value in steps)]
    for pause, value in steps:
        times.append(times[-1] + pause)
        window.take(value, times[-1])
    window.advance(times[-1])
    integral, covered = brute_force(times, values, times[-1] - BUCKETS)
    assert window.summary().integral == pytest.approx(integral)
    assert window.summary().seconds == pytest.approx(covered)


def brute_force(times: Sequence[float], values: Sequence[float | None], since: float) -> tuple[float, float]:
    """Integrate the value that holds from each time to the next, from `since` on; also the seconds with a value."""
    integral = covered = 0.0
    for (start, end), value in zip(pairwise(times), values, strict=False):
        if value is not None and end > since:
            integral += value * (end - max(start, since))
            covered += end - max(start, since)
    return integral, covered


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_is_refused_in_one_line(text: str) -> None:
    told = ""
    try:
        parse(text)
    except ExpressionError as refused:
        told = str(refused)
    assert len(told.splitlines()) <= 1


OPERANDS = ["t.a", "t.b", "0", "1.5", "2**60", "'x'", "true", "(", ")", ","]
OPERATORS = ["+", "-", "*", "/", "**", "//", "%", "<", "==", "!=", " and ", " or ", " not ", " if ", " else "]
CALLS = ["max(", "min(", "round(", "sqrt(", "exp(", "log(", "abs("]
PARTS = st.sampled_from([*OPERANDS, *OPERATORS, *CALLS])


@given(st.lists(PARTS, min_size=1, max_size=14), st.lists(SAMPLES, min_size=2, max_size=2))
def test_whatever_can_be_read_gives_a_sample_and_no_exception(parts: list[str], samples: list[Sample]) -> None:
    try:
        expression = parse("".join(parts))
    except ExpressionError:
        return
    result = take_expression(samples[: len(expression.inputs)], expression.evaluate)
    assert result.quality <= min(sample.quality for sample in samples[: len(expression.inputs)])


@given(st.dictionaries(st.integers(0, 12), st.lists(st.integers(0, 12), max_size=3)))
def test_tags_without_a_cycle_have_levels_and_tags_with_one_are_found(graph: dict[int, list[int]]) -> None:
    inputs = {str(tag): [str(each) for each in needed] for tag, needed in graph.items()}
    cycles = find_cycles(inputs)
    for cycle in cycles:
        assert cycle[0] == cycle[-1]
        assert all(after in inputs[before] for before, after in pairwise(cycle))
    assert bool(cycles) is has_cycle(inputs)
    if not cycles:
        level = levels(inputs)
        assert all(level[tag] > level.get(each, -1) for tag, needed in inputs.items() for each in needed)


def has_cycle(inputs: dict[str, list[str]]) -> bool:
    left = dict(inputs)
    while ready := [tag for tag, needed in left.items() if not any(each in left for each in needed)]:
        for tag in ready:
            del left[tag]
    return bool(left)
