"""The gate: every constraint, judged when a sample arrives and kept with a time limit, asked before every write.

It reads the plant in place and returns what it finds as values. No I/O; the clock it is lent is for permits alone.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from math import inf
from typing import NamedTuple

from gateway.safety.breaker import Breaker
from gateway.safety.constraint import Constraint, Setting
from gateway.safety.decision import Decision
from gateway.safety.judging import Judge, safe_value
from gateway.safety.live import LiveConstraint
from gateway.safety.operation import Operation, Write
from gateway.safety.permit import Permit
from gateway.safety.rule import World
from gateway.safety.scope import Scopes
from gateway.safety.verdict import Verdict

PERMIT_LIFE = 0.1
"""Seconds between minting and spending, which follow each other in one step."""


class Observed(NamedTuple):
    """What one evaluation found."""

    changed: Sequence[LiveConstraint]
    """Those whose verdict or reason is another."""
    tripped: Sequence[LiveConstraint]
    """Those that latched just now, in the order of the configuration."""


class Gate:
    """All constraints, breakers and latches of one gateway."""

    def __init__(
        self,
        constraints: Sequence[Constraint],
        world: World,
        clock: Callable[[], float],
        *,
        halt_on_critical: bool = True,
        latched: Iterable[str] = (),
        always_allowed: Mapping[str, Sequence[Setting]] | None = None,
        beats: Collection[str] = (),
    ) -> None:
        """Clock: monotonic. Latched: trips that are remembered. Always_allowed: by tag, beside the safe states.

        Beats: the tags of deadmen, which nobody else writes.
        """
        remembered = frozenset(latched)
        self.constraints = tuple(LiveConstraint(each, latched=each.name in remembered) for each in constraints)
        self.epoch = 0
        """Advances whenever older permits are void."""
        self.first_out: tuple[str, ...] = ()
        """What tripped first since nothing was latched; several may in one evaluation."""
        self._world = world
        self._clock = clock
        self._beats = frozenset(beats)
        self._halts_all = halt_on_critical
        self._by_name = {live.name: live for live in self.constraints}
        self._scopes = Scopes(self.constraints)
        self._judge = Judge(
            self.constraints, self._scopes, world, halts_all=halt_on_critical, always_allowed=always_allowed or {}
        )
        self._earliest = -inf
        """Until when every kept verdict holds."""

    @property
    def breakers(self) -> dict[str, Breaker]:
        """The breakers by device."""
        return self._judge.breakers

    @property
    def errors(self) -> int:
        """Evaluations that raised; their verdict was UNKNOWN."""
        return sum(live.errors for live in self.constraints)

    @property
    def is_halted(self) -> bool:
        """That a latched trip stops all control."""
        return self._halts_all and self._is_any_latched()

    def find(self, name: str) -> LiveConstraint | None:
        """Return the constraint of that name, None where there is none."""
        return self._by_name.get(name)

    def watches(self, tag: str) -> bool:
        """Return whether any constraint judges the tag's live values."""
        return bool(self._scopes.watching([tag]))

    def observe(self, changed: Iterable[str], now: float) -> Observed:
        """Judge the constraints that watch these tags."""
        affected = list(self._scopes.watching(changed))
        altered = [live for live in affected if self._evaluate(live, now)]
        return self._settle(affected, altered, now)

    def refresh(self, now: float) -> Observed:
        """Judge those whose verdict has ended or that are to be judged all the time, and let every delay run."""
        due = [each for each in self.constraints if each.rule.restless or not now <= each.judgement.holds_until]
        altered = [live for live in due if self._evaluate(live, now)]
        observed = self._settle(self.constraints, altered, now)
        self._earliest = min((live.judgement.holds_until for live in self.constraints), default=inf)
        return observed

    def judge(self, operation: Operation, now: float) -> Decision:
        """Return everything that speaks against the operation; takes nothing."""
        self._catch_up(now)
        return self._judge.judge(operation.writes, operation, now)

    def mint(self, operation: Operation, write: Write, raw: object, generation: int, now: float) -> Permit | Decision:
        """Return leave for one frame of the operation, or why there is none; only then it uses up what is limited."""
        self._catch_up(now)
        decision = self._judge.judge([write], operation, now)
        if not decision.is_permitted:
            return decision
        for live in () if operation.is_reassert else self._scopes.objectors(write.tag):
            live.rule.take(operation, now)
        breaker = self.breakers.get(write.device)
        if breaker is not None:
            breaker.take(now)
        return self._permit(write, raw, generation, now)

    def mint_safe_state(self, name: str, write: Write, raw: object, generation: int, now: float) -> Permit | None:
        """Return leave for a frame of the safe state of a latched constraint; None where it is not of its list."""
        live = self._by_name.get(name)
        if live is None or not live.latch.is_latched or write.tag not in live.constraint.on_trip:
            return None
        wanted = safe_value(live.constraint.on_trip[write.tag])
        if type(wanted) is not type(write.value) or wanted != write.value:
            return None
        return self._permit(write, raw, generation, now)

    def mint_beat(self, write: Write, raw: object, generation: int, now: float) -> Permit | None:
        """Return leave for one beat of a deadman, whose only judge is the evaluation that was on time."""
        return self._permit(write, raw, generation, now) if write.tag in self._beats else None

    def reset(self, name: str, now: float) -> str:
        """Clear the latch of a constraint; return the code of a refusal, empty where nothing is latched any more."""
        live = self._by_name.get(name)
        if live is None:
            return "unknown_name"
        self._evaluate(live, now)
        self._settle([live], [], now)
        if live.is_bypassed(now):
            live.latch.force()
        elif live.latch.is_latched and not live.latch.reset(now):
            return "cause_present"
        if not self._is_any_latched():
            self.first_out = ()
        self._show(live, now)
        self.advance()
        return ""

    def reset_all(self, now: float) -> str:
        """Clear every latch; return the code of the first refusal, empty where nothing is latched any more."""
        codes = [self.reset(live.name, now) for live in self.constraints if live.latch.is_latched]
        return next((code for code in codes if code), "")

    def bypass(self, name: str, until: float) -> str:
        """Stop denial and new trips of a constraint until then; return the code of a refusal. Clears no latch."""
        live = self._by_name.get(name)
        if live is None:
            return "unknown_name"
        if not live.constraint.bypassable:
            return "not_bypassable"
        live.bypassed_until = until
        self.advance()
        return ""

    def advance(self) -> None:
        """Void every permit: a trip, a reconnect, a lost lease, a change of configuration."""
        self.epoch += 1

    def _evaluate(self, live: LiveConstraint, now: float) -> bool:
        altered = live.judge(self._world, now)
        self._earliest = min(self._earliest, live.judgement.holds_until)
        return altered

    def _settle(self, affected: Iterable[LiveConstraint], altered: Sequence[LiveConstraint], now: float) -> Observed:
        """Let latches and alarms follow the verdicts."""
        tripped = [live for live in affected if live.trips and self._run_latch(live, now)]
        if tripped:
            self.advance()
            self.first_out = self.first_out or tuple(live.name for live in tripped)
        for live in affected:
            self._show(live, now)
        return Observed(altered, tripped)

    def _run_latch(self, live: LiveConstraint, now: float) -> bool:
        if live.is_bypassed(now) and not live.latch.is_latched:
            return False
        return live.latch.judge(live.judgement.verdict, now)

    def _show(self, live: LiveConstraint, now: float) -> None:
        live.alarm.observe(now, active=live.judgement.verdict is not Verdict.OK, latched=live.latch.is_latched)

    def _catch_up(self, now: float) -> None:
        """Judge what has ended, so that nothing is relied on that does not hold, whatever the evaluation does."""
        if now <= self._earliest:
            return
        for live in self.constraints:
            if not now <= live.judgement.holds_until:
                live.judge(self._world, now)
        self._earliest = min((live.judgement.holds_until for live in self.constraints), default=inf)

    def _is_any_latched(self) -> bool:
        return any(live.latch.is_latched for live in self.constraints)

    def _permit(self, write: Write, raw: object, generation: int, now: float) -> Permit:
        name = write.tag.partition(".")[2]
        return Permit(write.device, name, raw, generation, self.epoch, now + PERMIT_LIFE, self._current)

    def _current(self) -> tuple[int, float]:
        return self.epoch, self._clock()
