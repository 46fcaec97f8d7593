"""RATE_LIMIT: as many operations as are allowed, one more, and again when the window has moved on. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from gateway.safety.kinds.rate_limit import RateLimit
from gateway.testing.bench import Bench
from gateway.testing.case import Agrees, Case, Goes, Latched, Pass, Proposal, Speaks, Step
from gateway.testing.cell import CannotDrive

TOO_OFTEN = frozenset(("rate_limited",))
MOST = 5000
"""Operations that are carried out for one case."""


def cases(bench: Bench, constraint: RateLimit) -> Iterator[Case]:
    """Yield everything that is to be proved of it."""
    title = f"more than {constraint.max} operations of {constraint.key} within {constraint.window:g} s"
    try:
        asked = _command(bench, constraint)
    except CannotDrive as reason:
        yield Case(title, not_proved=str(reason))
        return
    early = constraint.window - 3 * bench.period
    if constraint.max > MOST or not early > 0:
        yield Case(
            title, not_proved=f"no more than {MOST} operations are tried, in no less than {3 * bench.period:g} s"
        )
        return
    steps: list[Step] = [Pass(bench.start), Agrees(asked), Goes(asked, settle=bench.patience())]
    steps += [Goes(asked)] * (constraint.max - 1)
    # As many more as are allowed, later on: what is refused takes no place of those that come after.
    steps += [Speaks(asked, TOO_OFTEN), Pass(early / 2)]
    steps += [Speaks(asked, TOO_OFTEN)] * constraint.max
    steps += [Pass(early / 2), Speaks(asked, TOO_OFTEN), Latched(latched=False), Pass(4 * bench.period), Agrees(asked)]
    yield Case(title, tuple(steps), bench.rest)


def _command(bench: Bench, constraint: RateLimit) -> Proposal:
    """Return an operation that counts: on a tag of the device that is the key, else one that names the key."""
    is_device = constraint.key in bench.settings.devices
    for cell in bench.writes.writable():
        if is_device and cell.device != constraint.key:
            continue
        at = bench.rest[cell.path]
        if not bench.writes.is_paced(cell.path):
            found = bench.writes.proposal((cell.path, at))
            return found if is_device else replace(found, key=constraint.key)
    raise CannotDrive("there is no writable tag whose writes it would count, and that has no rest of its own")
