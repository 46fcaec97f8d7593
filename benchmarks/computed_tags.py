"""What computed tags cost: 1,000 expressions, medians, votes and windows over 1,000 tags that all change every second.

`python -m benchmarks.computed_tags [ROUNDS]` takes in scans of 10 devices with 100 tags each, with and without computed
tags made from them, and prints the CPU of a computed tag, the longest step of the loop, and the share of one core.
A last line is of scans in which nothing changes.
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drivers.values import Sample, Seconds
from gateway.clock import SystemClock
from gateway.tags.computed.computer import Computer
from gateway.tags.computed.point import ComputedPoint
from gateway.tags.computed.redundant import Vote
from gateway.tags.image import Answer, ProcessImage
from gateway.tags.tag import Tag, TagSettings

DEVICES = 10
TAGS = 100
"""Of a device; as many computed tags are made from them."""
TARGET_MS = 5.0
"""The longest that one step may hold the loop."""


def _near(path: str, distance: int) -> str:
    device, _, name = path.partition(".")
    return f"{device}.t{(int(name[1:]) + distance) % TAGS}"


FORMS: dict[str, Callable[[str], ComputedPoint]] = {
    "expression": lambda path: ComputedPoint(expression=f"{path} * 1000 / max({_near(path, 1)}, 0.001)"),
    "longer expression": lambda path: ComputedPoint(
        expression=f"{path} * 3 + {_near(path, 1)} / 7 if {path} > 4 and {_near(path, 1)} < 70 else max({path}, 3, 5)"
    ),
    "median": lambda path: ComputedPoint(median=(path, _near(path, 1), _near(path, 2)), deviation=50.0),
    "vote": lambda path: ComputedPoint(vote=Vote(tags=(path, _near(path, 1), _near(path, 2)), agree=2, above=50.0)),
    "average": lambda path: ComputedPoint(average=path, window=Seconds(3600.0)),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one round took, over all devices; medians over the rounds, seconds."""

    cpu: float
    longest: float
    """The longest of the devices' scans."""


def measure(form: str | None, rounds: int, *, changes: bool = True) -> Cost:
    """Take in scans, with computed tags of a form, or with none."""
    tags = [
        Tag(place, f"d{place // TAGS}", f"t{place % TAGS}", TagSettings(), Seconds(1e9))
        for place in range(DEVICES * TAGS)
    ]
    made = [Tag(len(tags) + place, "house", f"c{place}", TagSettings(), Seconds(1e9)) for place in range(len(tags))]
    clock = SystemClock()
    image = ProcessImage([*tags, *(made if form else ())], clock)
    groups = [tags[place * TAGS : (place + 1) * TAGS] for place in range(DEVICES)]
    blocks = [image.regroup(group[0].device, [group])[0] for group in groups]
    if form:
        Computer([(own, FORMS[form](tag.path)) for own, tag in zip(made, tags, strict=True)], image, clock)
    image.listen(lambda _: None)
    totals, longest = [], []
    for round_ in range(rounds):
        steps = []
        for group, block in zip(groups, blocks, strict=True):
            news = _news(group, round_) if changes or not round_ else ()
            begun = time.process_time()
            image.receive(group[0].device, [Answer(block, clock.monotonic(), news)])
            steps.append(time.process_time() - begun)
        image.expire()
        totals.append(sum(steps))
        longest.append(max(steps))
    return Cost(statistics.median(totals[1:]), statistics.median(longest[1:]))


def _news(group: Sequence[Tag], round_: int) -> list[tuple[Tag, Sample]]:
    return [(tag, Sample(float((tag.index * 7 + round_ * 13) % 97) + 0.5)) for tag in group]


def main() -> int:
    """Print a line a form; return 1 where a step takes longer than it may."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    plain = measure(None, rounds)
    print(f"{DEVICES * TAGS} tags that change, none computed: {plain.cpu * 1e3:.2f} ms a scan")
    worst = 0.0
    for form in FORMS:
        cost = measure(form, rounds)
        each = (cost.cpu - plain.cpu) / (DEVICES * TAGS) * 1e6
        worst = max(worst, cost.longest)
        share = f"{(cost.cpu - plain.cpu) * 100:.1f} % of a core at 1 s"
        print(f"{form:18} {each:5.1f} us a tag, {share}, longest step {cost.longest * 1e3:.2f} ms")
    idle, idle_plain = measure("expression", rounds, changes=False), measure(None, rounds, changes=False)
    print(f"nothing changes: {(idle.cpu - idle_plain.cpu) * 1e6:+.0f} us a scan for {DEVICES * TAGS} expressions")
    return 0 if worst * 1e3 <= TARGET_MS else 1


if __name__ == "__main__":
    sys.exit(main())
