"""What speaks against an operation: halt, breakers, live verdicts and what is proposed, in that order."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from gateway.safety.breaker import Breaker
from gateway.safety.constraint import Constraint, Setting, is_same, safe_value
from gateway.safety.decision import Decision, Finding
from gateway.safety.live import LiveConstraint
from gateway.safety.operation import Operation, Write
from gateway.safety.rule import World
from gateway.safety.scope import Scopes

FIRST = {"halted": 0, "circuit_open": 1, "rate_limited": 2}
"""What is named before the constraints, in this order."""
PACING = frozenset(("rate_limit", "timing"))
"""The kinds that say how often something may be written, and so nothing of saying it again."""


class Judge:
    """Asks everybody who has a say; takes nothing and changes nothing."""

    def __init__(
        self,
        constraints: Sequence[LiveConstraint],
        scopes: Scopes,
        world: World,
        *,
        halts_all: bool,
        always_allowed: Mapping[str, Sequence[Setting]],
        orphans: Collection[str] = (),
    ) -> None:
        """Orphans: latched names without a constraint, of whose scope nobody knows."""
        self.breakers: dict[str, Breaker] = {}
        """By device."""
        self._constraints = constraints
        self._scopes = scopes
        self._world = world
        self._halts_all = halts_all
        self._orphans = orphans
        self._safe = _safe_values([live.constraint for live in constraints], always_allowed)

    def judge(self, writes: Iterable[Write], operation: Operation, now: float) -> Decision:
        """Return every finding against these writes of an operation."""
        refusals: list[Finding] = []
        warnings: list[Finding] = []
        judged = tuple(writes)
        # Whoever brings a write that is not of the operation gets no privilege from the operation's own.
        always = all(self.is_always_allowed(write) for write in (*operation.writes, *judged))
        for write in judged:
            if not always:
                refusals += self._halts(write)
                refusals += self._open_breakers(write, now)
            for live, finding in self._findings(write, operation, now, always=always):
                (refusals if live.refuses else warnings).append(finding)
        return Decision(tuple(sorted(refusals, key=_place)), tuple(warnings))

    def _findings(
        self, write: Write, operation: Operation, now: float, *, always: bool
    ) -> Iterator[tuple[LiveConstraint, Finding]]:
        for live in () if always else self._scopes.covering(write.tag):
            finding = None if live.is_bypassed(now) else live.finding(now, write.tag)
            if finding is not None:
                yield live, finding
        for live in self._scopes.objectors(write.tag):
            # What an operator may always do still needs the authority to do it.
            if live.is_bypassed(now) or (always and live.constraint.kind != "permission"):
                continue
            if operation.is_reassert and live.constraint.kind in PACING:
                continue
            finding = self._object(live, write, operation, now)
            if finding is not None:
                yield live, finding

    def _object(self, live: LiveConstraint, write: Write, operation: Operation, now: float) -> Finding | None:
        try:
            objection = live.rule.object(write, operation, self._world, now)
        except Exception:  # noqa: BLE001  (whoever cannot say that it permits does not permit)
            live.errors += 1
            return Finding("stale_input", live.name, "error", write.tag)
        if objection is None:
            return None
        return Finding(objection.code, live.name, objection.reason, write.tag, objection.value, objection.limit)

    def _halts(self, write: Write) -> list[Finding]:
        lost = [Finding("halted", name, "unknown_constraint", write.tag) for name in sorted(self._orphans)]
        return lost + [
            Finding("halted", live.name, live.judgement.reason or "latched", write.tag)
            for live in self._constraints
            if live.latch.is_latched and (self._halts_all or live.covers(write.tag))
        ]

    def _open_breakers(self, write: Write, now: float) -> list[Finding]:
        breaker = self.breakers.get(write.device)
        if breaker is None or breaker.permits(now):
            return []
        return [Finding("circuit_open", write.device, breaker.state(now).value, write.tag)]

    def is_always_allowed(self, write: Write) -> bool:
        """Return whether the value is one of safety, for the tag that it is written to."""
        return any(is_same(safe, write.value) for safe in self._safe.get(write.tag, ()))


def _place(finding: Finding) -> int:
    return FIRST.get(finding.code, len(FIRST))


def _safe_values(
    constraints: Sequence[Constraint], allowed: Mapping[str, Sequence[Setting]]
) -> dict[str, list[Setting]]:
    safe = {tag: list(values) for tag, values in allowed.items()}
    for constraint in constraints:
        for tag, wanted in constraint.on_trip.items():
            safe.setdefault(tag, []).append(safe_value(wanted))
    return safe
