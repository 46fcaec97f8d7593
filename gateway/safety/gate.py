"""The gate: every constraint, judged when a sample arrives and kept with a time limit, asked before every write.

It reads the plant in place and returns what it finds as values. No I/O; the clock it is lent is for permits alone.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from math import inf
from typing import NamedTuple

from gateway.safety.breaker import Breaker
from gateway.safety.constraint import Constraint, Setting, is_same, safe_value
from gateway.safety.decision import Decision
from gateway.safety.judging import Judge
from gateway.safety.live import LiveConstraint
from gateway.safety.operation import Operation, Write
from gateway.safety.permit import Permit
from gateway.safety.rule import World
from gateway.safety.scope import Scopes
from gateway.safety.trip import TripState

LOOKING_BACK = frozenset(("rate_of_change", "timing"))
PERMIT_LIFE = 0.1
"""Seconds between minting and spending, which follow each other in one step."""


class Observed(NamedTuple):
    """What one evaluation found."""

    changed: Sequence[LiveConstraint]
    """Those whose verdict or reason is another, also where a decision between two evaluations found it out."""
    tripped: Sequence[LiveConstraint]
    """Those that latched just now, in the order of the configuration."""


_NOTHING = Observed([], [])


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
        self.first_out = tuple(live.name for live in self.constraints if live.latch.is_latched)
        """What tripped first since nothing was latched: several may in one evaluation, and what is remembered."""
        self._world = world
        self._clock = clock
        self._beats = frozenset(beats)
        self._halts_all = halt_on_critical
        self._by_name = {live.name: live for live in self.constraints}
        self.orphans = set(remembered) - set(self._by_name)
        """Latched, and no constraint is called so any more. Nobody knows their scope: they halt all until reset."""
        self._scopes = Scopes(self.constraints)
        self._judge = Judge(
            self.constraints,
            self._scopes,
            world,
            halts_all=halt_on_critical,
            always_allowed=always_allowed or {},
            orphans=self.orphans,
        )
        self._earliest = -inf
        """Until when every kept verdict holds."""
        self._untold: dict[LiveConstraint, None] = {}
        """Those that changed in between, of which the next evaluation tells."""

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
        return bool(self.orphans) or (self._halts_all and self._is_any_latched())

    def find(self, name: str) -> LiveConstraint | None:
        """Return the constraint of that name, None where there is none."""
        return self._by_name.get(name)

    def watches(self, tag: str) -> bool:
        """Return whether any constraint judges the tag's live values."""
        return bool(self._scopes.watching([tag]))

    def inputs(self, tag: str) -> tuple[str, ...]:
        """Return the tags whose values decide about writes to a tag."""
        deciding = (*self._scopes.covering(tag), *self._scopes.objectors(tag))
        return tuple(dict.fromkeys(name for live in deciding for name in live.constraint.watched))

    def is_always_allowed(self, writes: Iterable[Write]) -> bool:
        """Return whether all of these are values of safety, which pass whatever is violated, unknown or halted."""
        return all(self._judge.is_always_allowed(write) for write in writes)

    def looks_back(self, tag: str) -> bool:
        """Return whether a write of the tag is judged by what the tag was before, or for how long."""
        return any(live.constraint.kind in LOOKING_BACK for live in self._scopes.objectors(tag))

    def observe(self, changed: Iterable[str], now: float) -> Observed:
        """Judge the constraints that watch these tags."""
        tripped: list[LiveConstraint] = []
        for live in self._scopes.watching(changed):
            self._evaluate(live, now)
            if live.settle(now):
                tripped.append(live)
        return self._observed(tripped)

    def refresh(self, now: float) -> Observed:
        """Judge those whose verdict has ended or that are to be judged all the time, and let every delay run."""
        tripped: list[LiveConstraint] = []
        for live in self.constraints:
            if live.rule.restless or not now <= live.judgement.holds_until:
                self._evaluate(live, now)
            if live.settle(now):
                tripped.append(live)
        self._earliest = min((live.judgement.holds_until for live in self.constraints), default=inf)
        return self._observed(tripped)

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
        if not is_same(safe_value(live.constraint.on_trip[write.tag]), write.value):
            return None
        return self._permit(write, raw, generation, now)

    def mint_beat(self, write: Write, raw: object, generation: int, now: float) -> Permit | None:
        """Return leave for one beat of a deadman, whose only judge is the evaluation that was on time."""
        return self._permit(write, raw, generation, now) if write.tag in self._beats else None

    def reset(self, name: str, now: float) -> str:
        """Clear the latch of a constraint; return the code of a refusal, empty where nothing is latched any more."""
        live = self._by_name.get(name)
        if live is None and name not in self.orphans:
            return "unknown_name"
        if live is not None and live.latch.is_latched and not self._clear(live, now):
            return "cause_present"
        self.orphans.discard(name)
        if not self._is_any_latched():
            self.first_out = ()
        if live is not None:
            live.show(now)
        self.advance()
        return ""

    def reset_all(self, now: float) -> str:
        """Clear every latch; return the code of the first refusal, empty where nothing is latched any more."""
        codes = [self.reset(name, now) for name in self.latched()]
        return next((code for code in codes if code), "")

    def latched(self) -> list[str]:
        """Return the name of everything that is latched, orphans last."""
        return [*(live.name for live in self.constraints if live.latch.is_latched), *sorted(self.orphans)]

    def refuses_reset(self, name: str, now: float) -> str:
        """Return the code with which `reset` would refuse now, empty where it would not. Clears nothing."""
        live = self._by_name.get(name)
        if live is None:
            return "" if name in self.orphans else "unknown_name"
        if not live.latch.is_latched:
            return ""
        self._evaluate(live, now)
        live.run_latch(now)
        return "" if live.is_bypassed(now) or live.latch.state is TripState.RESETTABLE else "cause_present"

    def bypass(self, name: str, until: float) -> str:
        """Stop denial and new trips of a constraint until then; return the code of a refusal. Clears no latch.

        Until: monotonic, not further ahead than `max_bypass`, and never for good; in the past it ends a bypass.
        """
        live = self._by_name.get(name)
        if live is None:
            return "unknown_name"
        if not live.constraint.bypassable:
            return "not_bypassable"
        longest = live.constraint.max_bypass
        if not until < inf or not (longest is None or until - self._clock() <= longest):
            return "bad_value"
        live.bypassed_until = until
        self.advance()
        return ""

    def advance(self) -> None:
        """Void every permit: a trip, a reconnect, a lost lease, a change of configuration."""
        self.epoch += 1

    def _evaluate(self, live: LiveConstraint, now: float) -> None:
        if live.judge(self._world, now):
            self._untold[live] = None
        self._earliest = min(self._earliest, live.judgement.holds_until)

    def _observed(self, tripped: list[LiveConstraint]) -> Observed:
        """Note what tripped, and tell of it and of what changed."""
        if tripped:
            self.advance()
            self.first_out = self.first_out or tuple(live.name for live in tripped)
        if not tripped and not self._untold:
            return _NOTHING
        altered = list(self._untold)
        self._untold.clear()
        return Observed(altered, tripped)

    def _clear(self, live: LiveConstraint, now: float) -> bool:
        """Judge anew what is latched, and let the latch go if that allows it; return whether it did."""
        self._evaluate(live, now)
        live.run_latch(now)
        if live.is_bypassed(now):
            live.latch.force(now)
            return True
        return live.latch.reset(now)

    def _catch_up(self, now: float) -> None:
        """Judge what has ended, so that nothing is relied on that does not hold, whatever the evaluation does."""
        if now <= self._earliest:
            return
        for live in self.constraints:
            if not now <= live.judgement.holds_until:
                self._evaluate(live, now)
        self._earliest = min((live.judgement.holds_until for live in self.constraints), default=inf)

    def _is_any_latched(self) -> bool:
        return bool(self.orphans) or any(live.latch.is_latched for live in self.constraints)

    def _permit(self, write: Write, raw: object, generation: int, now: float) -> Permit:
        name = write.tag.partition(".")[2]
        return Permit(write.device, name, raw, generation, self.epoch, now + PERMIT_LIFE, self._current)

    def _current(self) -> tuple[int, float]:
        return self.epoch, self._clock()
