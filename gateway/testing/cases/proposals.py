"""What is proposed to be written: refused past a limit, of the wrong type and where it is no number; it trips nothing.

Pure.
"""

from collections.abc import Iterator, Sequence
from math import inf, nan, nextafter

from gateway.safety.constraint import Setting
from gateway.safety.kinds.rate_of_change import RateOfChange
from gateway.safety.verdict import Verdict
from gateway.testing.bench import Bench
from gateway.testing.case import Agrees, Case, Doubt, Keeps, Latched, Pass, Speaks, Step
from gateway.testing.cases.doubts import spoiled
from gateway.testing.cases.stages import SOME, STALE, VIOLATION, begin
from gateway.testing.cell import Cell, Kind

NO_NUMBERS: tuple[tuple[str, Setting], ...] = (
    ("a text", "5"),
    ("true", True),
    ("NaN", nan),
    ("infinite", inf),
    ("minus infinite", -inf),
)


def limited_writes(bench: Bench, tags: Sequence[str], low: float | None, high: float | None) -> Iterator[Case]:
    """Yield a case for each of the tags that can be written: the limits hold for what is proposed to it."""
    for tag in tags:
        cell = bench.model.cells.get(tag)
        if cell is None or not cell.writable:
            continue
        wrong: list[tuple[str, Setting]] = []
        if high is not None:
            wrong.append(("above max", nextafter(high, inf)))
        if low is not None:
            wrong.append(("below min", nextafter(low, -inf)))
        right = [limit for limit in (low, high) if limit is not None]
        yield _proposals(bench, cell, f"writes to {tag} held to its limits", wrong, right)


def steps(bench: Bench, constraint: RateOfChange) -> Iterator[Case]:
    """Yield a case for each tag that can be written: no proposal lies further away than one step."""
    furthest = constraint.max_step
    for tag in (constraint.tag, *constraint.limits_also) if furthest is not None else ():
        cell = bench.model.cells.get(tag)
        if cell is None or not cell.writable or furthest is None:
            continue
        title = f"writes to {tag} no further than {furthest:g} at once"
        at = bench.rest[tag]
        if cell.kind not in {Kind.REAL, Kind.WHOLE} or isinstance(at, (bool, str)):
            yield Case(title, not_proved=f"{tag} is no number")
            continue
        much = 1.001 * furthest
        wrong: list[tuple[str, Setting]] = [("too far up", at + much), ("too far down", at - much)]
        yield _proposals(bench, cell, title, wrong, [at, at + 0.999 * furthest, at - 0.999 * furthest])
        yield _from_nowhere(bench, cell, at)


def _proposals(
    bench: Bench, cell: Cell, title: str, wrong: Sequence[tuple[str, Setting]], right: Sequence[float]
) -> Case:
    writes, path = bench.writes, cell.path
    refused = [value for _, value in (*wrong, *NO_NUMBERS) if not writes.is_always_allowed(path, value)]
    asked: list[Step] = [
        *(Speaks(writes.proposal((path, value)), VIOLATION) for value in refused),
        *(Agrees(writes.proposal((path, value))) for value in right),
        Keeps(Verdict.OK, SOME),
        Latched(latched=False),
    ]
    return Case(title, (*begin(bench), Pass(bench.settle(cell.path)), *asked), bench.rest)


def _from_nowhere(bench: Bench, cell: Cell, at: float) -> Case:
    """Return the case in which nobody knows from where the step would be taken."""
    asked = Speaks(bench.writes.proposal((cell.path, at)), STALE)
    todo = (*begin(bench), spoiled(bench, (cell.path,), Doubt.BAD, 0.0), Pass(bench.settle(cell.path)), asked)
    return Case(f"writes to {cell.path} while it is bad", (*todo, Latched(latched=False)), bench.rest)
