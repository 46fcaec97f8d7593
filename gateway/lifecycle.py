"""The daemon's life as systemd and signals see it: ready, alive, stopping.

Nothing here decides when the watchdog is fed: the safety evaluation does, and nobody else.
"""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from types import FrameType

from gateway.clock import Clock
from gateway.errors import SettingsError

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_log = logging.getLogger("plantgate.lifecycle")


class Notifier:
    """Tells systemd how the daemon is; see sd_notify(3). Never raises: systemd's trouble is not ours."""

    def __init__(self, send: Callable[[str], object], watchdog: float, clock: Clock) -> None:
        """Send: takes one state, `READY=1`. Watchdog: systemd's limit in seconds; 0 where there is none."""
        self._send = send
        self._pause = watchdog / 3
        self._clock = clock
        self._pinged = float("-inf")
        self._status = ""

    def ready(self) -> None:
        """Say that the configuration is loaded and the first safety evaluation ran."""
        self._tell("READY=1")

    def status(self, text: str) -> None:
        """Show one line in `systemctl status`; sent only where it differs from the last one."""
        line = " ".join(text.split())  # a line break would begin another assignment
        if line != self._status:
            self._status = line
            self._tell(f"STATUS={line}")

    def stopping(self) -> None:
        """Say that the ordered stop has begun."""
        self._tell("STOPPING=1")

    def watchdog_ping(self) -> None:
        """Feed the watchdog, at most three times within its limit; for the guard alone, at every evaluation."""
        now = self._clock.monotonic()
        if self._pause > 0 and now - self._pinged >= self._pause:
            self._pinged = now
            self._tell("WATCHDOG=1")

    def _tell(self, state: str) -> None:
        try:
            self._send(state)
        except OSError as error:
            _log.warning("systemd_not_told", extra={"state": state.partition("=")[0], "error": str(error)})


def connect_systemd(environ: Mapping[str, str], clock: Clock) -> Notifier:
    """Return the link to systemd, or one that says nothing where systemd did not ask.

    Raises SettingsError: systemd asks to be told, and systemd-python is missing.
    """
    if not environ.get("NOTIFY_SOCKET"):
        return Notifier(lambda _: None, 0.0, clock)
    try:
        notify = import_module("systemd.daemon").notify
    except ImportError as error:
        raise SettingsError(
            "systemd waits to be told (NOTIFY_SOCKET is set), but systemd-python is missing: "
            "pip install 'plantgate[systemd]', or apt install python3-systemd"
        ) from error
    return Notifier(notify, watchdog_limit(environ, os.getpid()), clock)


def watchdog_limit(environ: Mapping[str, str], pid: int) -> float:
    """Return the seconds within which systemd wants a ping from process `pid`; 0 where it wants none."""
    limit, whose = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", str(pid))
    if not (limit.isascii() and limit.isdigit()) or whose != str(pid):
        return 0.0
    return int(limit) / 1_000_000


@asynccontextmanager
async def stop_on_signals() -> AsyncIterator[asyncio.Event]:
    """Yield an event that the first SIGTERM or SIGINT sets; further ones, and SIGHUP, change nothing.

    To be held around everything that stops in order. Once told to stop, the process stays deaf to these
    signals until it is gone, or a second one would kill it in the middle of its last steps.
    """
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def note(number: signal.Signals) -> None:
        if number is signal.SIGHUP:
            _log.warning("reload_not_supported", extra={"hint": "restart the service to apply a change"})
        elif not stop.is_set():
            _log.info("stopping", extra={"signal": number.name})
            stop.set()

    def receive(number: int, _: FrameType | None) -> None:
        loop.call_soon_threadsafe(note, signal.Signals(number))

    # Not loop.add_signal_handler: on its removal a signal would meet the default, and kill, for a moment.
    before = {number: signal.signal(number, receive) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if stop.is_set() else handler or signal.SIG_DFL)
