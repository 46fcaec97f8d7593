"""RESOURCE: without the lock, with a lapsed token and with the current one. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from gateway.safety.kinds.resource import Resource
from gateway.testing.bench import Bench
from gateway.testing.case import Agrees, Case, Latched, Pass, Proposal, Speaks
from gateway.testing.cell import CannotDrive
from gateway.testing.writes import TOKEN

LOST = frozenset(("lock_lost",))


def cases(bench: Bench, constraint: Resource) -> Iterator[Case]:
    """Yield everything that is to be proved of it."""
    try:
        asked = bench.writes.probe()
    except CannotDrive as reason:
        yield Case(f"without the lock {constraint.lock}", not_proved=str(reason))
        return
    others = {lock: token for lock, token in asked.locks.items() if lock != constraint.lock}
    yield _case(bench, asked, f"without the lock {constraint.lock}", others)
    yield _case(bench, asked, f"with a lapsed token of {constraint.lock}", {**others, constraint.lock: TOKEN - 1})
    yield _case(bench, asked, f"with a token of {constraint.lock} that nobody gave", {constraint.lock: TOKEN + 1})


def _case(bench: Bench, asked: Proposal, title: str, locks: dict[str, int]) -> Case:
    without = replace(asked, locks=locks)
    steps = (Pass(bench.start), Agrees(asked), Speaks(without, LOST), Latched(latched=False), Agrees(asked))
    return Case(title, steps, bench.rest)
