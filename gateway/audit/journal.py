"""The journal of one gateway, put together: storage, hash chain and the heads that are told to others."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from gateway.audit.chain import HashChain, head_text
from gateway.audit.settings import AuditSettings
from gateway.clock import Clock
from gateway.counters import JournalCounters
from gateway.storage.port import Chained, Head, JournalState
from gateway.storage.sqlite import SqliteJournal
from gateway.storage.stamp import read_boot_id

TellHead: TypeAlias = Callable[[Head], None]

_log = logging.getLogger("plantgate.audit")


def open_journal(folder: Path, settings: AuditSettings, clock: Clock, counters: JournalCounters) -> SqliteJournal:
    """Return the journal of a state directory that is claimed; enter it to open it. Its troubles are logged."""
    journal = SqliteJournal(folder, HashChain(), clock, read_boot_id(), counters, settings.limits)
    journal.watch(_log_state)
    journal.listen(_log_own)
    journal.listen(Heads(settings.head_every, log_head))
    return journal


class Heads:
    """A ChainedListener that tells the head of the chain every so many records."""

    def __init__(self, every: int, tell: TellHead) -> None:
        self._every = every
        self._tell = tell
        self._told = 0

    def __call__(self, chained: Sequence[Chained]) -> None:
        """Take what reached the disk. The first head after a start is told at once: a crash may have eaten one."""
        last = chained[-1]
        if not self._told or last.sequence - self._told >= self._every:
            self._told = last.sequence
            self._tell(last.head)


def log_head(head: Head) -> None:
    """Put a head into the log, which lies outside the state directory."""
    _log.info("audit_head", extra={"head": head_text(head)})


def _log_own(chained: Sequence[Chained]) -> None:
    for each in chained:
        if b'"kind":"journal"' in each.body:
            _log.warning("journal_event", extra={"record": each.body.decode()})


def _log_state(state: JournalState) -> None:
    if not state.healthy and state.reason != "closed":
        _log.error("journal_unavailable", extra={"reason": state.reason})
    elif state.nearly_full:
        _log.warning("audit_nearly_full", extra={"bytes": state.size})
