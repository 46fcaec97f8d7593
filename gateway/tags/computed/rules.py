"""From the keys of a computed tag to what makes its sample. Pure."""

from collections.abc import Callable, Sequence
from functools import partial
from math import isfinite
from typing import TypeAlias

from drivers.values import DataType, Quality, Sample, Value, bad
from gateway.tags.computed.expression import Evaluate
from gateway.tags.computed.inputs import COMPUTATION, derive, failure
from gateway.tags.computed.point import ComputedPoint
from gateway.tags.computed.redundant import take_median, take_vote
from gateway.tags.computed.window import Summary

COVERAGE = "coverage"
"""The reason of a result for which too little of its window is known."""
ENOUGH = 0.75
"""The share of a window that needs good values, where the configuration says nothing."""
_ROUNDING = 1e-9

Rule: TypeAlias = Callable[[Sequence[Sample]], Sample]
"""The inputs' samples, in their order -> the tag's sample; never raises."""


def rule_of(point: ComputedPoint) -> Rule | None:
    """Return the rule of a tag that is made of its inputs as they are now; None for one that looks back."""
    match point.form:
        case "expression":
            return partial(take_expression, evaluate=point.parsed().evaluate)
        case "median":
            return partial(take_median, deviation=point.deviation)
        case "vote":
            assert point.vote is not None
            return partial(take_vote, vote=point.vote)
    return None


def tolerates(point: ComputedPoint) -> bool:
    """Return whether the tag's rule can do without some of its inputs."""
    return point.form in {"median", "vote"}


def type_of(point: ComputedPoint) -> DataType | None:
    """Return the type of the tag's values; None where it depends on the inputs."""
    if point.form == "expression":
        return point.parsed().data_type
    return DataType.BOOL if point.form == "vote" else DataType.FLOAT64


def take_expression(samples: Sequence[Sample], evaluate: Evaluate) -> Sample:
    """Return what the expression gives; BAD where an input is, or where it cannot be calculated."""
    row: list[Value] = []
    for value, quality, _, _ in samples:
        if quality is Quality.BAD:
            return failure(samples)
        row.append(value)
    try:
        return derive(evaluate(row), samples)
    except (ArithmeticError, TypeError, ValueError):
        return bad(COMPUTATION)


def take_window(summary: Summary, point: ComputedPoint) -> Sample:
    """Return what the window gives; uncertain where too little of it is known, BAD where nothing is."""
    value = _VALUES[point.form](summary, point)
    if value is None or not isfinite(value):
        return bad(COVERAGE)
    enough = ENOUGH if point.min_coverage is None else point.min_coverage
    if summary.coverage >= enough - _ROUNDING:
        return Sample(value)
    return Sample(value, Quality.UNCERTAIN, COVERAGE)


def number_of(sample: Sample) -> float | None:
    """Return what counts in a window: a good number, or a bool as 0 or 1; else None."""
    value: Value = sample.value
    if sample.quality is not Quality.GOOD or not isinstance(value, (bool, int, float)):
        return None
    return float(value) if isfinite(value) else None


_VALUES: dict[str, Callable[[Summary, ComputedPoint], float | None]] = {
    "average": lambda summary, _: summary.integral / summary.seconds if summary.seconds > 0 else None,
    "total": lambda summary, point: summary.integral / point.per if point.per and summary.seconds > 0 else None,
    "minimum": lambda summary, _: summary.least,
    "maximum": lambda summary, _: summary.greatest,
}
