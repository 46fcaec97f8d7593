"""The gate under any order of samples, pauses, resets, bypasses and restarts, against a model that knows no gate."""

from dataclasses import dataclass
from math import inf, nan

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from drivers.values import Quality, Sample, Seconds, bad
from gateway.safety.constraint import Setting
from gateway.safety.gate import Gate, Observed
from gateway.safety.kinds.threshold import Threshold
from gateway.safety.operation import Operation, Write
from gateway.safety.permit import Permit, PermitRefused
from gateway.safety.verdict import SafetyLevel
from tests.unit.gateway.safety.plant import MAX_AGE, NOW, FakePlant

STEAM, BURNER, SETPOINT = "boiler.steam", "boiler.burner", "boiler.setpoint"
SPEED, VALVE, LOAD = "turbine.speed", "turbine.valve", "turbine.load"
SAFE = {BURNER: (False,), VALVE: (True,), LOAD: (0,)}
TAGS = (BURNER, SETPOINT, VALVE, LOAD)
VALUES: tuple[Setting, ...] = (False, True, 0, 0.0, 1, 50.0)


@dataclass
class Limit:
    """What the model knows of a constraint."""

    name: str
    tag: str
    scope: tuple[str, ...]
    trips: bool
    on_delay: float = 0.0
    off_delay: float = 0.0
    bypassed_until: float = -inf
    is_held: bool = False
    """That the limit was passed and not come back from by the hysteresis."""
    looked: tuple[str, float] = ("unknown", 0.0)
    """The last verdict, and when it was found."""
    lasted: float = 0.0
    """For how long it was seen violated, since it was last OK."""
    ok_since: float | None = None
    """The first of the looks that found it OK without a break."""

    def forget(self) -> None:
        self.looked, self.lasted, self.ok_since = ("unknown", 0.0), 0.0, None


MAX, HYSTERESIS = 100.0, 10.0
LIMITS = (
    ("steam", STEAM, ("boiler", "turbine"), True, 0.0, 0.0),
    ("slow", STEAM, ("boiler", "turbine"), True, 1.5, 2.0),
    ("speed", SPEED, ("turbine",), True, 0.0, 1.0),
    ("high", SPEED, ("turbine",), False, 0.0, 0.0),
)


class GateUnderFire(RuleBasedStateMachine):
    """Calls the gate as the guard and the arbiter do."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.plant = FakePlant()
        self.latched: set[str] = set()
        self.first: tuple[str, ...] = ()
        self.old: list[tuple[Permit, Write]] = []
        self.limits = [Limit(*each) for each in LIMITS]
        self.halts_all = True
        self.gate = self.open()

    def open(self) -> Gate:
        safe = {"steam": {BURNER: False, VALVE: True}, "slow": {BURNER: False, VALVE: True}, "speed": {VALVE: True}}
        constraints = [
            Threshold(
                name=each.name,
                level=SafetyLevel.CRITICAL if each.trips else SafetyLevel.HIGH,
                tag=each.tag,
                max=MAX,
                hysteresis=HYSTERESIS,
                on_delay=Seconds(each.on_delay),
                off_delay=Seconds(each.off_delay),
                on_trip=safe.get(each.name, {}),
                bypassable=True,
                max_bypass=Seconds(5),
            )
            for each in self.limits
        ]
        return Gate(
            constraints,
            self.plant,
            lambda: self.now,
            halt_on_critical=self.halts_all,
            latched=self.latched,
            always_allowed={LOAD: [0]},
        )

    @initialize(halts_all=st.booleans())
    def begin(self, *, halts_all: bool) -> None:
        self.halts_all = halts_all
        self.gate = self.open()

    # What happens to the plant

    @rule(
        tag=st.sampled_from([STEAM, SPEED]),
        value=st.sampled_from([0.0, 89.0, 90.0, 95.0, 100.0, 100.1, 500.0, nan, inf, True, "hot"]),
        quality=st.sampled_from(list(Quality)),
        age=st.sampled_from([0.0, 0.0, 0.0, 2.875, 3.125, -1.0]),
    )
    def sample(self, tag: str, value: float | str, quality: Quality, age: float) -> None:
        reason = "" if quality is Quality.GOOD else "sensor"
        self.plant.set(tag, bad(reason) if quality is Quality.BAD else Sample(value, quality, reason), self.now - age)
        self.take(self.gate.observe([tag], self.now), {tag})

    @rule(tag=st.sampled_from([STEAM, SPEED]), value=st.sampled_from([50.0, 80.0, 95.0, 101.0]))
    def good_sample(self, tag: str, value: float) -> None:
        self.sample(tag, value, Quality.GOOD, 0.0)

    # No pause has a rounding error, so the model and the gate agree on when a delay is over.
    @rule(pause=st.sampled_from([0.0625, 0.125, 0.5, 1.0, 2.875, 3.125]))
    def evaluate(self, pause: float) -> None:
        self.now += pause
        self.take(self.gate.refresh(self.now), {STEAM, SPEED})

    # What people do

    @rule(tag=st.sampled_from(TAGS), value=st.sampled_from(VALUES), raw=st.integers(0, 3))
    def write(self, tag: str, value: Setting, raw: int) -> None:
        operation = Operation("me", (Write(tag, value),))
        decision = self.gate.judge(operation, self.now)
        minted = self.gate.mint(operation, operation.writes[0], raw, 1, self.now)
        assert isinstance(minted, Permit) is decision.is_permitted is self.may(tag, value)
        if isinstance(minted, Permit):
            self.old.append((minted, operation.writes[0]))

    @rule(values=st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(VALUES)), min_size=2, max_size=3))
    def write_several(self, values: list[tuple[str, Setting]]) -> None:
        operation = Operation("me", tuple(Write(*each) for each in values))
        safe = all(self.is_safe(*each) for each in values)
        permitted = self.gate.judge(operation, self.now).is_permitted
        assert permitted is (safe or all(self.may(tag, value, alone=False) for tag, value in values))

    @precondition(lambda self: self.old)
    @rule(place=st.integers(0, 100), again=st.booleans())
    def spend(self, place: int, *, again: bool) -> None:
        permit, write = self.old[place % len(self.old)]
        name = write.tag.partition(".")[2]
        valid = permit.epoch == self.gate.epoch and self.now <= permit.expires and not permit._spent
        if valid:
            permit.spend(write.device, name, permit.raw, 1)
        if again or not valid:
            with pytest.raises(PermitRefused):
                permit.spend(write.device, name, permit.raw, 1)

    @rule(name=st.sampled_from([each[0] for each in LIMITS]))
    def reset(self, name: str) -> None:
        limit = self.find(name)
        was_latched = name in self.latched
        if was_latched:
            self.look(limit)
        lasted = None if limit.ok_since is None else self.now - limit.ok_since
        bypassed = self.now < limit.bypassed_until
        clears = not was_latched or bypassed or (lasted is not None and lasted >= limit.off_delay)
        before = self.gate.epoch
        assert self.gate.refuses_reset(name, self.now) == ("" if clears else "cause_present")
        assert self.gate.reset(name, self.now) == ("" if clears else "cause_present")
        assert (self.gate.epoch > before) is clears
        if was_latched and clears:
            self.latched.discard(name)
            limit.forget()
        if not self.latched:
            self.first = ()

    @rule(name=st.sampled_from([each[0] for each in LIMITS]), seconds=st.sampled_from([-1.0, 0.5, 2.0, 5.0, 5.1, inf]))
    def bypass(self, name: str, seconds: float) -> None:
        code = self.gate.bypass(name, self.now + seconds)
        assert code == ("" if seconds <= 5.0 else "bad_value")
        if not code:
            self.find(name).bypassed_until = self.now + seconds

    @rule()
    def restart(self) -> None:
        self.gate = self.open()
        self.old.clear()
        self.first = tuple(each.name for each in self.limits if each.name in self.latched)
        for limit in self.limits:
            limit.bypassed_until, limit.is_held = -inf, False
            limit.forget()

    # The model

    def find(self, name: str) -> Limit:
        return next(each for each in self.limits if each.name == name)

    def verdict(self, limit: Limit) -> str:
        seen = self.plant.tags.get(limit.tag)
        if seen is None or seen.sample.quality is not Quality.GOOD:
            return "unknown"
        value = seen.sample.value
        if not isinstance(value, float) or not -inf < value < inf:
            return "unknown"
        if not 0 <= self.now - seen.answered <= MAX_AGE:
            return "unknown"
        return "ok" if value <= (MAX - HYSTERESIS if limit.is_held else MAX) else "violated"

    def look(self, limit: Limit) -> str:
        (before, when), verdict = limit.looked, self.verdict(limit)
        limit.looked = (verdict, self.now)
        limit.lasted = 0.0 if verdict == "ok" else limit.lasted + (self.now - when if before == "violated" else 0.0)
        limit.is_held = limit.is_held if verdict == "unknown" else verdict == "violated"
        if verdict != "ok":
            limit.ok_since = None
        elif limit.ok_since is None:
            limit.ok_since = self.now
        return verdict

    def take(self, observed: Observed, tags: set[str]) -> None:
        """Follow an evaluation, and check that it tripped what it had to, and nothing else."""
        tripped = []
        for limit in self.limits:
            if limit.tag not in tags:
                continue
            is_violated = self.look(limit) == "violated"
            may_trip = limit.trips and limit.name not in self.latched and not self.now < limit.bypassed_until
            if may_trip and is_violated and limit.lasted >= limit.on_delay:
                tripped.append(limit.name)
        assert [live.name for live in observed.tripped] == tripped
        self.first = self.first or tuple(tripped)
        self.latched.update(tripped)

    def is_safe(self, tag: str, value: Setting) -> bool:
        return any(
            value is safe if isinstance(value, bool) or isinstance(safe, bool) else value == safe
            for safe in SAFE.get(tag, ())
        )

    def may(self, tag: str, value: Setting, *, alone: bool = True) -> bool:
        if alone and self.is_safe(tag, value):
            return True
        device = tag.partition(".")[0]
        covering = [each for each in self.limits if device in each.scope]
        halting = self.limits if self.halts_all else covering
        if any(each.name in self.latched for each in halting):
            return False
        return all(self.now < each.bypassed_until or self.verdict(each) == "ok" for each in covering)

    @invariant()
    def a_latch_stands_until_it_is_reset(self) -> None:
        assert set(self.gate.latched()) == self.latched
        assert self.gate.is_halted is (self.halts_all and bool(self.latched))

    @invariant()
    def what_was_first_stays_first(self) -> None:
        assert self.gate.first_out == self.first


TestGateUnderFire = GateUnderFire.TestCase
TestGateUnderFire.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
