"""The three ways in which `plantgate watch` shows what comes: a live screen, plain lines, JSON lines."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live

from gateway.cli.shown import harmless, shown, titled
from gateway.cli.watch_screen import screen
from gateway.cli.watch_state import UNSEEN, ConstraintRow, DeviceRow, TagRow, WatchState
from gateway.northbound.reader import Received

Wall = Callable[[], float]


class Output(Protocol):
    """Where messages and trouble go."""

    def watch(self, state: WatchState) -> None:
        """Show this gateway from now on."""

    def take(self, received: Received) -> None:
        """Show a message."""

    def trouble(self, line: str) -> None:
        """Show why nothing new comes; an empty line ends the trouble."""

    def tick(self) -> None:
        """Show that time passes."""


@contextmanager
def output(wall: Wall, *, as_json: bool) -> Iterator[Output]:
    """Give the output that suits: JSON where it is asked for, a screen in a terminal, else lines."""
    if as_json:
        yield JsonLines()
    elif sys.stdout.isatty():
        with Screen(wall) as drawn:
            yield drawn
    else:
        yield PlainLines(wall)


class JsonLines:
    """One JSON object a message, for programs."""

    def watch(self, state: WatchState) -> None:
        pass

    def take(self, received: Received) -> None:
        try:
            payload = json.loads(received.payload)
        except (ValueError, RecursionError):
            payload = received.payload.decode(errors="replace")
        print(json.dumps({"topic": received.topic, "payload": payload}), flush=True)

    def trouble(self, line: str) -> None:
        if line:
            print(line, file=sys.stderr, flush=True)

    def tick(self) -> None:
        pass


class PlainLines:
    """One line a change, for files and pipes."""

    def __init__(self, wall: Wall) -> None:
        self._state: WatchState | None = None
        self._standing = UNSEEN
        self._wall = wall

    def watch(self, state: WatchState) -> None:
        self._state = state

    def take(self, received: Received) -> None:
        assert self._state is not None, "it is told what to watch first"
        row = self._state.take(received.topic, received.payload)
        self.tick()
        if row is not None:
            print(_line(self._state, row), flush=True)

    def trouble(self, line: str) -> None:
        if line:
            print(line, file=sys.stderr, flush=True)

    def tick(self) -> None:
        if self._state is None:
            return
        standing = self._state.state(self._wall())
        if standing != self._standing:
            self._standing = standing
            print(harmless(f"{self._state.gateway} is {standing}"), flush=True)


class Screen:
    """A table that is redrawn in place; used as a context manager."""

    def __init__(self, wall: Wall) -> None:
        self._wall = wall
        self._state: WatchState | None = None
        self._trouble = ""
        self._console = Console(highlight=False)
        self._live = Live(console=self._console, screen=True, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def watch(self, state: WatchState) -> None:
        self._state = state

    def take(self, received: Received) -> None:
        assert self._state is not None, "it is told what to watch first"
        self._state.take(received.topic, received.payload)

    def trouble(self, line: str) -> None:
        self._trouble = line
        self.tick()

    def tick(self) -> None:
        if self._state is None:
            self._live.update(self._trouble or "looking for a gateway", refresh=True)
        else:
            shown_now = screen(self._state, self._wall(), self._console.height, self._trouble)
            self._live.update(shown_now, refresh=True)


def _line(state: WatchState, row: TagRow | ConstraintRow | DeviceRow) -> str:
    match row:
        case TagRow():
            flaw = f" ({row.reason})" if row.reason else ""
            words = [f"{row.device}.{row.name}", titled(row.value, row.text), state.unit(row), f"{row.quality}{flaw}"]
        case ConstraintRow():
            flaw = f" ({row.reason})" if row.reason and row.verdict != "ok" else ""
            words = ["constraint", row.name, f"{row.verdict}{flaw}", shown(row.value)]
        case DeviceRow():
            words = ["device", row.name, row.state, row.reason]
    return harmless(" ".join(filter(None, words)))
