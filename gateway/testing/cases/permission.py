"""PERMISSION: every principal held to what the matrix of `authority` grants, and a stranger to nothing. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from gateway.control.authority import ANONYMOUS, UNWRITTEN, Grant
from gateway.safety.kinds.permission import Permission
from gateway.testing.bench import Bench
from gateway.testing.case import Agrees, Case, Latched, Pass, Speaks, Step
from gateway.testing.cell import Cell
from gateway.testing.writes import STRANGER, grants

FORBIDDEN = frozenset(("forbidden",))


def cases(bench: Bench, constraint: Permission) -> Iterator[Case]:
    """Yield everything that is to be proved of it."""
    del constraint
    cells = list(bench.writes.writable())
    if not cells:
        yield Case(
            "writes in its scope", not_proved="it covers no writable tag, so there is nothing that it could deny"
        )
        return
    authority = bench.settings.authority
    if authority == "open":
        yield Case("a stranger", not_proved="`authority: open` lets everybody write, so nothing is denied")
        return
    matrix: Mapping[str, Grant] = UNWRITTEN if authority is None else authority
    for principal, grant in matrix.items():
        yield _held(bench, principal, [(cell, grants(grant, cell.path)) for cell in cells])
    for stranger in dict.fromkeys((STRANGER, ANONYMOUS)):
        if stranger not in matrix:
            yield _held(bench, stranger, [(cell, False) for cell in cells])


def _held(bench: Bench, principal: str, rights: list[tuple[Cell, bool]]) -> Case:
    steps: list[Step] = [Pass(bench.start)]
    for cell, may in rights:
        asked = replace(bench.writes.proposal((cell.path, bench.rest[cell.path])), principal=principal)
        steps.append(Agrees(asked) if may else Speaks(asked, FORBIDDEN))
    granted = sum(may for _, may in rights)
    title = f"{principal} may write {granted} and may not write {len(rights) - granted} of the tags"
    return Case(title, (*steps, Latched(latched=False)), bench.rest)
