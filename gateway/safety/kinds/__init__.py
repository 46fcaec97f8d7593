"""The kinds of constraints: one file each, what it says and how it judges."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from gateway.safety.constraint import Constraint
from gateway.safety.kinds.compliance import Compliance, ComplianceRule
from gateway.safety.kinds.dependency import Dependency, DependencyRule
from gateway.safety.kinds.permission import Permission, PermissionRule
from gateway.safety.kinds.rate_limit import RateLimit, RateLimitRule
from gateway.safety.kinds.rate_of_change import RateOfChange, RateOfChangeRule
from gateway.safety.kinds.resource import Resource, ResourceRule
from gateway.safety.kinds.threshold import Threshold, ThresholdRule
from gateway.safety.kinds.timing import Timing, TimingRule
from gateway.safety.kinds.vote import Vote, VoteRule
from gateway.safety.rule import Rule

_RULES: Mapping[type[Constraint], Callable[[Any], Rule]] = MappingProxyType(
    {
        Threshold: ThresholdRule,
        RateOfChange: RateOfChangeRule,
        RateLimit: RateLimitRule,
        Dependency: DependencyRule,
        Permission: PermissionRule,
        Resource: ResourceRule,
        Timing: TimingRule,
        Compliance: ComplianceRule,
        Vote: VoteRule,
    }
)

KINDS: Mapping[str, type[Constraint]] = MappingProxyType({kind.kind: kind for kind in _RULES})
"""Every kind that a configuration can name."""


def rule_of(constraint: Constraint) -> Rule:
    """Return the constraint at work. Raises KeyError for a class that is no kind."""
    return _RULES[type(constraint)](constraint)
