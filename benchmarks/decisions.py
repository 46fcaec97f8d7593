"""What a decision costs: the library's monitor beside one that scans a list, and the gate on a sample that arrives.

`python -m benchmarks.decisions [ROUNDS]` asks both monitors in turn about an operation of one parameter, with 1 and
with 100 thresholds, and prints microseconds of CPU a call and their ratio. Then it has the gate judge a sample of a tag
with 1, 10 and 100 constraints on it, and prints the cost of one constraint. Medians over the rounds.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

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


@dataclass
class Limit:
    """A threshold of the scanning monitor."""

    name: str
    parameter: str
    high: float
    kind: str = "threshold"
    enabled: bool = True


@dataclass
class Verdict:
    """Its answer."""

    is_safe: bool
    violations: list[str] = field(default_factory=list)
    checked: int = 0
    milliseconds: float = 0.0


class Scanning:
    """A monitor as one writes it first: every call asks every constraint, and then averages what calls took so far.

    Written from a description of such a one, with what that costs there: a look for a breaker and a limiter, one
    validator a constraint, a mean over the last thousand durations, and a time stamp.
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
            validator = self._validators.get(limit.kind)
            found = validator(parameters, limit) if validator else None
            if found is not None:
                violations.append(found)
        took = (time.perf_counter() - begun) * 1000
        self._durations.append(took)
        self._durations = self._durations[-CALLS:]
        self.mean = sum(self._durations) / len(self._durations)
        self.updated = datetime.now(UTC).isoformat()
        return Verdict(not violations, violations, checked, took)

    def _threshold(self, parameters: Mapping[str, Any], limit: Limit) -> str | None:
        value = parameters.get(limit.parameter)
        if value is None:
            value = parameters.get(limit.name.lower())
        if value is None:
            return None
        if float(value) > limit.high:
            return f"{limit.name}: {value} is above {limit.high}"
        return None


def scanning(count: int) -> Callable[[], Awaitable[object]]:
    """Return a call of the scanning monitor with so many thresholds."""
    monitor = Scanning([Limit(f"max_{place}", "temperature", 600.0 + place) for place in range(count)])
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


def evaluate(kind: str, count: int, rounds: int) -> tuple[float, float]:
    """Return seconds of CPU: a sample a constraint on its tag, and a write that all of them decide about."""
    clock = SystemClock()
    tag = Tag(0, "boiler", "steam", TagSettings(), Seconds(1e9))
    image = ProcessImage([tag], clock)
    block = image.regroup("boiler", [[tag]])[0]
    gate = Gate([_constraint(kind, place) for place in range(count)], PlantWorld(image), clock.monotonic)
    wanted = Operation("me", (Write("boiler.setpoint", 450.0),))
    samples, writes = [], []
    for round_ in range(rounds + 1):
        spent_samples = spent_writes = 0.0
        for call in range(CALLS // count):
            image.receive("boiler", [Answer(block, clock.monotonic(), [(tag, Sample(500.0 + (call + round_) % 7))])])
            now = clock.monotonic()
            begun = time.process_time()
            gate.observe(["boiler.steam"], now)
            middle = time.process_time()
            gate.judge(wanted, now)
            spent_samples += middle - begun
            spent_writes += time.process_time() - middle
        samples.append(spent_samples / (CALLS // count) / count)
        writes.append(spent_writes / (CALLS // count))
    return statistics.median(samples[1:]), statistics.median(writes[1:])


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
    for name, cost in found.items():
        print(f"{name:35} {cost * 1e6:7.2f} us a call")
    faster = found["scanning 100"] / found["indexed 100"]
    flat = found["indexed 100"] / found["indexed 1"]
    print(f"calls a second with 100, beside the scanning one: {faster:.1f} times (at least {FASTER:g})")
    print(f"cost with 100 beside its own with 1: {flat:.2f} (at most {FLAT:g})")
    print(f"cost with 1 beside the scanning one with 1: {found['indexed 1'] / found['scanning 1']:.2f}")
    worst = 0.0
    for kind in ("threshold", "rate_of_change"):
        for count in (1, 10, 100):
            sample, write = evaluate(kind, count, rounds)
            worst = max(worst, sample * 1e6)
            print(
                f"{count:3} {kind:15} {sample * 1e6:6.2f} us a sample and constraint, {write * 1e6:7.2f} us a write judged"
            )
    print(f"worst evaluation: {worst:.2f} us (at most {EVALUATION_US:g})")
    return 0 if faster >= FASTER and flat <= FLAT and worst <= EVALUATION_US else 1


if __name__ == "__main__":
    sys.exit(main())
