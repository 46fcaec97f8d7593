"""Constraints on the parameters of operations, put together so that one look at a parameter asks all of them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.safety.band import Band, Held
from gateway.safety.constraint import LARGEST, check_limits, is_finite
from gateway.safety.library import REFUSING, SEVERITIES, SafetyConstraint

PREFIXES = ("max_", "min_", "maximum_", "minimum_")
"""A constraint that names no parameter is about what its name says without these: `max_pressure` limits pressure."""


class Breach(NamedTuple):
    """A constraint that a parameter does not satisfy."""

    constraint: SafetyConstraint
    code: str
    reason: str
    value: Any = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class _Limit:
    constraint: SafetyConstraint
    band: Band
    is_required: bool


class Parameters:
    """Every threshold by the parameter that it limits, matched without regard to case."""

    def __init__(self) -> None:
        self._limits: dict[str, list[_Limit]] = {}
        self._spans: dict[str, tuple[float, float]] = {}
        """Within which every limit of the parameter is kept."""
        self._required: dict[str, list[_Limit]] = {}

    def add(self, constraint: SafetyConstraint) -> None:
        """Take in a threshold. Raises ValueError where it has no limits, or none that could be kept."""
        high = constraint.max_value if constraint.threshold is None else constraint.threshold
        if constraint.threshold is not None and constraint.max_value is not None:
            raise ValueError("threshold: it is the same as max_value; give one of them")
        check_limits(constraint.min_value, high)
        is_required = constraint.metadata.get("required") is True
        limit = _Limit(constraint, Band(constraint.min_value, high), is_required)
        self._limits.setdefault(parameter_of(constraint), []).append(limit)
        self._compile()

    def remove(self, constraint: SafetyConstraint) -> None:
        """Take a threshold out."""
        limits = self._limits.get(parameter_of(constraint), [])
        limits[:] = [limit for limit in limits if limit.constraint is not constraint]
        self._compile()

    def check(self, given: Mapping[str, Any]) -> tuple[list[Breach], int]:
        """Return every limit that the parameters do not keep, and how many were looked at."""
        breaches: list[Breach] = []
        looked_at = 0
        for name, value in given.items():
            folded = name.casefold()
            span = self._spans.get(folded)
            if span is None:
                continue
            looked_at += len(self._limits[folded])
            kind = type(value)
            if not ((kind is float or kind is int) and span[0] <= value <= span[1]):
                breaches += self._judge(folded, value)
        if self._required:
            folded_names = {name.casefold() for name in given}
            missing = [limit for name, limits in self._required.items() if name not in folded_names for limit in limits]
            looked_at += len(missing)
            breaches += [Breach(limit.constraint, "stale_input", "missing") for limit in missing]
        return breaches, looked_at

    def _judge(self, name: str, value: Any) -> Iterable[Breach]:  # noqa: ANN401  (whatever an operation carries)
        for limit in self._limits[name]:
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                yield Breach(limit.constraint, "stale_input", "wrong_type", value)
                continue
            if not is_finite(value):
                yield Breach(limit.constraint, "stale_input", "not_finite", value)
                continue
            passed = limit.band.permits(value)
            if passed is not Held.NONE:
                bound = limit.band.high if passed is Held.ABOVE else limit.band.low
                yield Breach(limit.constraint, "violation", passed.value, value, bound)

    def _compile(self) -> None:
        self._limits = {name: limits for name, limits in self._limits.items() if limits}
        self._spans = {
            name: (
                max(-LARGEST, *(limit.band.low for limit in limits)),
                min(LARGEST, *(limit.band.high for limit in limits)),
            )
            for name, limits in self._limits.items()
        }
        required = {name: [limit for limit in limits if limit.is_required] for name, limits in self._limits.items()}
        self._required = {name: limits for name, limits in required.items() if limits}


def parameter_of(constraint: SafetyConstraint) -> str:
    """Return the parameter that a constraint is about, in its folded form."""
    named = constraint.metadata.get("parameter")
    if isinstance(named, str):
        return named.casefold()
    name = constraint.name.casefold()
    for prefix in PREFIXES:
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name


def refuses(constraint: SafetyConstraint) -> bool:
    """Return whether a breach of it refuses the operation, and does not only warn."""
    return SEVERITIES[constraint.level] in REFUSING
