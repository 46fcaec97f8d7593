"""Puts a proof on record: one entry in the audit log of a gateway that is not running."""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.audit.chain import head_text
from gateway.audit.journal import open_journal
from gateway.audit.record import ProofTest
from gateway.audit.settings import AuditSettings
from gateway.clock import SystemClock
from gateway.counters import JournalCounters
from gateway.errors import ServiceError, StorageError
from gateway.storage.state_directory import claim
from gateway.testing.prover import Status, quiet
from gateway.testing.report import Report, as_json, lines

WITHIN = 30.0
"""Seconds that the disk gets."""
MOST_LINES = 100


@contextmanager
def owned(folder: Path) -> Iterator[Path]:
    """Own a gateway's state directory meanwhile. Raises ServiceError: there is none, or a gateway is running on it."""
    if not folder.is_dir():
        raise ServiceError(f"{folder}: there is no such directory; --record takes the state directory of a gateway")
    with claim(folder):
        yield folder


def record(folder: Path, settings: AuditSettings, report: Report, only: str | None) -> str:
    """Chain a summary into the audit log; return the head. Folder: owned. Raises ServiceError."""
    spoken = [line for line in lines(report) if not line.startswith(Status.PROVED.value)]
    entry = ProofTest(
        principal="proof-test",
        version=report.version,
        digest=report.digest,
        only=only,
        proved=report.count(Status.PROVED),
        failed=report.count(Status.FAILED),
        not_proved=report.count(Status.NOT_PROVED),
        exceptions=spoken[:MOST_LINES],
        report=hashlib.sha256(as_json(report).encode()).hexdigest(),
    )
    try:
        with quiet():
            return asyncio.run(_commit(folder, settings, entry))
    except (StorageError, TimeoutError) as error:
        why = str(error) or "the disk does not answer"
        raise ServiceError(f"{folder}: the proof was not put on record: {why}") from error


async def _commit(folder: Path, settings: AuditSettings, entry: ProofTest) -> str:
    async with open_journal(folder, settings, SystemClock(), JournalCounters()) as journal, asyncio.timeout(WITHIN):
        (chained,) = await journal.commit([entry.plain()])
    return head_text(chained.head)
