"""The live table of `plantgate watch`: state in, something for the terminal out."""

from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from gateway.cli.shown import harmless, shown, titled
from gateway.cli.watch_state import ConstraintRow, TagRow, WatchState

_COLOURS = {
    "online": "green",
    "degraded": "yellow",
    "ok": "green",
    "violated": "bold red",
    "unknown": "yellow",
    "uncertain": "yellow",
    "bad": "red",
    "good": "",
}
_GRAVEST_FIRST = ("violated", "unknown", "ok")
_BEYOND = len(_GRAVEST_FIRST)


def screen(state: WatchState, wall: float, height: int, trouble: str = "") -> RenderableType:
    """Return the whole screen, `height` lines at most.

    Trouble: why nothing new comes, one line; empty where all is well.
    """
    lines = [_headline(state, wall), *(Text(f"  {harmless(reason)}", "dim") for reason in state.reasons)]
    if trouble:
        lines.append(Text(harmless(trouble), "red"))
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    taken = len(lines) + (len(state.constraints) + 1 if state.constraints else 0)
    parts: list[RenderableType] = [*lines]
    if state.constraints:
        parts.append(_constraints(state, wall))
    return Group(*parts, *_tags(state, wall, max(height - taken - 1, 0)))


def age(seconds: float) -> str:
    """Return how long ago something was, in the unit that suits it."""
    if not seconds >= 0:
        return "0 s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _headline(state: WatchState, wall: float) -> Text:
    now = state.state(wall)
    line = Text.assemble((f"{harmless(state.gateway)} ", "bold"), (harmless(now), _COLOURS.get(now, "red")))
    for device in state.devices.values():
        reason = f" ({harmless(device.reason)})" if device.reason else ""
        style = "" if device.state == "connected" else "red"
        line.append(f"   {harmless(device.name)}: {harmless(device.state)}{reason}", style)
    return line


def _constraints(state: WatchState, wall: float) -> Table:
    table = _table("constraint", "verdict", "level", "value", "limits", "since")
    for row in sorted(state.constraints.values(), key=_gravity):
        verdict = f"{row.verdict} ({row.reason})" if row.reason and row.verdict != "ok" else row.verdict
        table.add_row(
            harmless(row.name),
            Text(harmless(verdict), _COLOURS.get(row.verdict, "") if state.is_live(wall) else "dim"),
            harmless(row.level),
            shown(row.value),
            ", ".join(f"{bound} {shown(limit)}" for bound, limit in row.limits.items()),
            "" if row.since is None else age(wall - row.since),
        )
    return table


def _tags(state: WatchState, wall: float, most: int) -> list[RenderableType]:
    table = _table("device", "tag", "value", "unit", "quality", "age")
    table.columns[2].justify = "right"
    rows = state.tags()
    fitting = rows if len(rows) <= most else rows[: max(most - 1, 0)]
    device, live = "", state.is_live(wall)
    for row in fitting:
        first, device = row.device != device, row.device
        table.add_row(
            harmless(row.device) if first else "",
            harmless(row.name),
            titled(row.value, row.text),
            harmless(state.unit(row)),
            _quality(row, live=live),
            "" if row.time is None else age(wall - row.time),
            style="" if live else "dim",
        )
    hidden = len(rows) - len(fitting)
    if not hidden:
        return [table]
    return [table, Text(f" and {hidden} more tags; a taller window shows them", "dim", no_wrap=True)]


def _table(*headings: str) -> Table:
    return Table(*(Column(heading, no_wrap=True) for heading in headings), box=None, header_style="dim")


def _quality(row: TagRow, *, live: bool) -> Text:
    if not live:
        return Text("no longer", "dim")  # what was retained counts only while its gateway lives
    words = f"{row.quality} ({row.reason})" if row.reason else row.quality
    return Text(harmless(words), _COLOURS.get(row.quality, "red"))


def _gravity(row: ConstraintRow) -> tuple[int, str]:
    return _GRAVEST_FIRST.index(row.verdict) if row.verdict in _GRAVEST_FIRST else _BEYOND, row.name
