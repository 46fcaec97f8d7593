"""The daemon as a process: its configuration, logs, signals and systemd around the parts."""

import asyncio
import logging
import os
import sys
from pathlib import Path
from random import Random

from gateway.app.daemon import Daemon
from gateway.app.threads import PassingThreads
from gateway.clock import Clock, SystemClock
from gateway.lifecycle import Notifier, connect_systemd, stop_on_signals
from gateway.observability.logs import logs
from gateway.settings.load import load
from gateway.settings.model import Settings
from gateway.storage.state_directory import state_dir

THREAD_TURN = 0.0005
"""Seconds that another thread may keep the interpreter: a scrape in Python's usual 5 ms would hold the loop 20 ms."""

_log = logging.getLogger("plantgate.service")


def run_service(config: str, state: str | None = None) -> int:
    """Run the gateway until SIGTERM or SIGINT; return 0 after an ordered stop.

    State: where it keeps what lasts, unless systemd says so; see `state_dir`.
    Raises SettingsError before anything runs, another GatewayError where a vital part failed.
    """
    sys.setswitchinterval(THREAD_TURN)
    loaded = load(config)
    clock = SystemClock()
    notifier = connect_systemd(os.environ, clock)
    with logs(loaded.settings.logging, clock):
        for note in loaded.notes:
            _log.warning("configuration_note", extra={"note": note})
        folder = state_dir(os.environ, state, loaded.settings.gateway.id)
        asyncio.run(_serve(loaded.settings, folder, clock, notifier))
    return 0


async def _serve(settings: Settings, state: Path, clock: Clock, notifier: Notifier) -> None:
    asyncio.get_running_loop().set_default_executor(PassingThreads())
    async with stop_on_signals() as stop:
        await Daemon(settings, state, clock, Random(), notifier).run(stop)  # noqa: S311  (jitter, no secret)
