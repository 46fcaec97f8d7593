"""What a decision costs: the library's monitor beside one that scans a list, and the gate on a sample that arrives.

`python -m benchmarks.decisions [ROUNDS]` asks both monitors in turn about an operation of one parameter, with 1 and
with 100 thresholds, and prints microseconds of CPU a call and their ratio. Then it has the gate judge a sample of a tag
with 1, 10 and 100 constraints on it, in the real process image, and prints the cost of one constraint. Medians over the
rounds; of the gate also the quickest, to which its bound applies: a busy machine only ever adds.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any, NamedTuple

from drivers.values import Sample, Seconds
from gateway import ConstraintType, OperationContext, SafetyConstraint, SafetyLevel, SafetyMonitor
from gateway.clock import SystemClock
from gateway.control.world import PlantWorld
from gateway.safety.constraint import Constraint
from gateway.safety.gate import Gate
from gateway.safety.kinds.rate_of_change import RateOfChange
from gateway.safety.kinds.threshold import Threshold
from gateway.safety.operation import Operation, Write
from gateway.tags.image import Answer, ProcessImage
from gateway.tags.tag import Tag, TagSettings

CALLS = 1000
"""In each round."""
FASTER = 10.0
"""With 100 thresholds: how many times the calls of the scanning monitor are wanted."""
FLAT = 2.0
"""With 100 thresholds: how many times the cost with 1 is allowed."""
EVALUATION_US = 5.0
"""A constraint in scope, a sample."""


class Kind(Enum):
    """The kinds of the scanning monitor."""

    THRESHOLD = "threshold"
    RATE_LIMIT = "rate_limit"


@dataclass
class Limit:
    """A constraint of the scanning monitor."""

    name: str
    kind: Kind
    minimum: float | None
    maximum: float | None
    enabled: bool = True
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass
class Verdict:
    """Its answer."""

    is_safe: bool
    violations: list[str] = field(default_factory=list)
    checked: int = 0
    milliseconds: float = 0.0


class Scanning:
    """A monitor as one writes it first: every call asks every constraint, and then averages what calls took so far.

    Written from a description of such a one, with what each call does there: a look for a breaker and a limiter, for
    every constraint a validator by its kind and a parameter by its metadata or else by its name in lower case, then a
    mean over the last thousand durations, and a time stamp.
    """

    def __init__(self, limits: list[Limit]) -> None:
        self._limits = {f"constraint-{place}": limit for place, limit in enumerate(limits)}
        self._validators: dict[str, Callable[[Mapping[str, Any], Limit], str | None]] = {"threshold": self._threshold}
        self._breakers: dict[str, Any] = {}
        self._limiters: dict[str, Any] = {}
        self._halted = False
        self._durations = [0.01] * CALLS
        self.updated = ""
        self.mean = 0.0

    async def validate(self, agent: str, operation: str, parameters: Mapping[str, Any]) -> Verdict:
        """Return whether it may go ahead."""
        begun = time.perf_counter()
        if self._halted:
            return Verdict(is_safe=False)
        key = f"{agent}:{operation}"
        if key in self._breakers or key in self._limiters:
            return Verdict(is_safe=False)
        violations, checked = [], 0
        for limit in self._limits.values():
            if not limit.enabled:
                continue
            checked += 1
            found = self._validate(parameters, limit)
            if found is not None:
                violations.append(found)
        took = (time.perf_counter() - begun) * 1000
        self._durations.append(took)
        if len(self._durations) > CALLS:
            self._durations.pop(0)
        self.mean = sum(self._durations) / len(self._durations)
        self.updated = datetime.now(UTC).isoformat()
        return Verdict(not violations, violations, checked, took)

    def _validate(self, parameters: Mapping[str, Any], limit: Limit) -> str | None:
        validator = self._validators.get(limit.kind.value)
        return None if validator is None else validator(parameters, limit)

    def _threshold(self, parameters: Mapping[str, Any], limit: Limit) -> str | None:
        value = parameters.get(limit.metadata.get("parameter", limit.name.lower()))
        if value is None:
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            return None
        if limit.maximum is not None and number > limit.maximum:
            return f"{limit.name}: {number} is above {limit.maximum}"
        if limit.minimum is not None and number < limit.minimum:
            return f"{limit.name}: {number} is below {limit.minimum}"
        return None


def scanning(count: int) -> Callable[[], Awaitable[object]]:
    """Return a call of the scanning monitor with so many thresholds."""
    about = {"parameter": "temperature"}
    limits = [Limit(f"max_{place}", Kind.THRESHOLD, None, 600.0 + place, metadata=about) for place in range(count)]
    monitor = Scanning(limits)
    return lambda: monitor.validate("thermal", "set_temperature", {"temperature": 550})


def indexed(count: int, *, spread: bool = False) -> Callable[[], Awaitable[object]]:
    """Return the same of the library's monitor. Spread: each threshold on a parameter of its own."""
    monitor = SafetyMonitor()
    for place in range(count):
        parameter = f"temperature{place or ''}" if spread else "temperature"
        monitor.add_constraint(
            SafetyConstraint(
                name=f"max_{place}",
                constraint_type=ConstraintType.THRESHOLD,
                max_value=600.0 + place,
                level=SafetyLevel.CRITICAL,
                metadata={"parameter": parameter},
            )
        )
    return lambda: monitor.validate_operation(OperationContext("set_temperature", "thermal", {"temperature": 550}))


async def compare(rounds: int, calls: Mapping[str, Callable[[], Awaitable[object]]]) -> dict[str, float]:
    """Return seconds of CPU a call, the candidates in turn, medians over the rounds."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds + 1):
        for name, call in calls.items():
            begun = time.process_time()
            for _ in range(CALLS):
                await call()
            taken[name].append((time.process_time() - begun) / CALLS)
    return {name: statistics.median(each[1:]) for name, each in taken.items()}


class Cost(NamedTuple):
    """Seconds of CPU."""

    sample: float
    """A sample and a constraint, median over the rounds."""
    quickest: float
    """The same of the quickest round."""
    write: float
    """A write that all of them decide about."""


def evaluate(kind: str, count: int, rounds: int) -> Cost:
    """Return what so many constraints of a kind on one tag cost."""
    clock = SystemClock()
    tag = Tag(0, "boiler", "steam", TagSettings(), Seconds(1e9))
    image = ProcessImage([tag], clock)
    block = image.regroup("boiler", [[tag]])[0]
    gate = Gate([_constraint(kind, place) for place in range(count)], PlantWorld(image), clock.monotonic)
    wanted = Operation("me", (Write("boiler.setpoint", 450.0),))
    calls = CALLS // count

    def receive(call: int) -> float:
        image.receive("boiler", [Answer(block, clock.monotonic(), [(tag, Sample(500.0 + call % 7))])])
        return clock.monotonic()

    samples, writes = [], []
    for _ in range(rounds + 1):
        marks = [time.process_time()]
        for call in range(calls):
            receive(call)
        marks.append(time.process_time())
        for call in range(calls):
            gate.observe(["boiler.steam"], receive(call))
        marks.append(time.process_time())
        for _ in range(calls):
            gate.judge(wanted, clock.monotonic())
        marks.append(time.process_time())
        begun, received, observed, judged = marks
        samples.append(((observed - received) - (received - begun)) / calls / count)
        writes.append((judged - observed) / calls)
    return Cost(statistics.median(samples[1:]), min(samples[1:]), statistics.median(writes[1:]))


def _constraint(kind: str, place: int) -> Constraint:
    if kind == "threshold":
        return Threshold(name=f"t{place}", level=SafetyLevel.CRITICAL, tag="boiler.steam", max=600.0, hysteresis=5.0)
    return RateOfChange(name=f"r{place}", level=SafetyLevel.HIGH, tag="boiler.steam", max_per_second=1e12)


def main() -> int:
    """Print a line a measurement; return 1 where one misses its target."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    found = asyncio.run(
        compare(
            rounds,
            {
                "scanning 1": scanning(1),
                "indexed 1": indexed(1),
                "scanning 100": scanning(100),
                "indexed 100": indexed(100),
                "indexed 100, one of them concerned": indexed(100, spread=True),
            },
        )
    )
    for name, seconds in found.items():
        print(f"{name:35} {seconds * 1e6:7.2f} us a call")
    faster = found["scanning 100"] / found["indexed 100"]
    flat = found["indexed 100"] / found["indexed 1"]
    print(f"calls a second with 100, beside the scanning one: {faster:.1f} times (at least {FASTER:g})")
    print(f"cost with 100 beside its own with 1: {flat:.2f} (at most {FLAT:g})")
    print(f"cost with 1 beside the scanning one with 1: {found['indexed 1'] / found['scanning 1']:.2f}")
    worst = 0.0
    for kind in ("threshold", "rate_of_change"):
        for count in (1, 10, 100):
            cost = evaluate(kind, count, rounds)
            worst = max(worst, cost.quickest)
            evaluation = f"{cost.sample * 1e6:6.2f} us a sample and constraint (quickest {cost.quickest * 1e6:.2f})"
            print(f"{count:3} {kind:15} {evaluation}, {cost.write * 1e6:7.2f} us a write judged")
    print(f"worst evaluation, quickest round: {worst * 1e6:.2f} us (at most {EVALUATION_US:g})")
    return 0 if faster >= FASTER and flat <= FLAT and worst * 1e6 <= EVALUATION_US else 1


if __name__ == "__main__":
    sys.exit(main())
