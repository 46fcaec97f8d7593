"""What there is to prove of a configuration: the cases of each of its constraints. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from gateway.safety.constraint import Constraint
from gateway.safety.kinds.compliance import Compliance
from gateway.safety.kinds.dependency import Dependency
from gateway.safety.kinds.permission import Permission
from gateway.safety.kinds.rate_limit import RateLimit
from gateway.safety.kinds.rate_of_change import RateOfChange
from gateway.safety.kinds.resource import Resource
from gateway.safety.kinds.threshold import Threshold
from gateway.safety.kinds.timing import Timing
from gateway.safety.kinds.vote import Vote
from gateway.settings.model import Settings
from gateway.testing.bench import Bench
from gateway.testing.case import Case
from gateway.testing.cases import (
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
from gateway.testing.plant_model import PlantModel
from gateway.testing.stand_in import stand_in, stretch

Cases = Callable[[Bench, Any], Iterator[Case]]

_CASES: Mapping[type[Constraint], Cases] = MappingProxyType(
    {
        Threshold: threshold.cases,
        RateOfChange: rate_of_change.cases,
        RateLimit: rate_limit.cases,
        Dependency: dependency.cases,
        Permission: permission.cases,
        Resource: resource.cases,
        Timing: timing.cases,
        Compliance: compliance.cases,
        Vote: vote.cases,
    }
)
NOTHING = Case("anything of it", not_proved="nothing of it can be driven")
QUICK = 100.0
"""Seconds; a constraint that knows no longer time is judged as often as it will be."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One constraint that is to be proved."""

    constraint: Constraint
    settings: Settings
    """Of the stand-in in which its cases run."""
    cases: tuple[Case, ...]
    grain: float
    """Seconds of the steps in which time advances, for one that is shown in slow motion; 0 for all others."""


def subjects(settings: Settings) -> Iterator[Subject]:
    """Yield every constraint of a configuration, with its cases, in the order of the file."""
    model = PlantModel(settings)
    plain = stand_in(settings)
    for place, constraint in enumerate(settings.safety.constraints):
        longest = longest_time(model, constraint)
        slow = stretch(plain, constraint, longest) if longest > QUICK else plain
        judged = slow.safety.constraints[place]
        cases = tuple(_CASES[type(constraint)](Bench(slow, model, judged), judged)) or (NOTHING,)
        # In slow motion nothing happens between two evaluations that anybody waits for.
        yield Subject(judged, slow, cases, 0.0 if slow is plain else slow.safety.period / 2)


def longest_time(model: PlantModel, constraint: Constraint) -> float:
    """Return the longest time that a constraint knows, seconds."""
    times: list[float] = [constraint.on_delay, constraint.off_delay]
    if constraint.on_unknown == "trip":
        times.append(constraint.unknown_delay)
    own = [getattr(constraint, key, None) for key in ("window", "min_on", "min_off", "min_interval")]
    times += [each for each in own if isinstance(each, float)]
    times += [model.window(tag) for tag in constraint.watched]
    return max(times)
