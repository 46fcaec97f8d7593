import logging
from pathlib import Path

import pytest

from gateway.audit.journal import Heads, open_journal
from gateway.audit.settings import AuditSettings
from gateway.clock import SystemClock
from gateway.counters import JournalCounters
from gateway.storage.port import MIB, Chained, Head


def test_a_head_is_told_at_once_and_then_every_so_many_records() -> None:
    told: list[int] = []
    heads = Heads(10, lambda head: told.append(head.sequence))
    for last in (7, 9, 16, 17, 40, 49, 50):
        heads([Chained(last, bytes(32), b"")])
    assert told == [7, 17, 40, 50]


async def test_an_opened_journal_logs_its_head_and_its_own_events(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    counters = JournalCounters()
    async with open_journal(
        tmp_path, AuditSettings(max_size="16MiB", head_every=1), SystemClock(), counters
    ) as journal:
        (chained,) = await journal.commit([{"kind": "start"}])
    heads = [Head(int(text.split(":")[0]), bytes.fromhex(text.split(":")[1])) for text in logged(caplog, "audit_head")]
    assert heads[-1] == chained.head
    assert counters.last_sequence == 2
    assert any(
        '"event":"created"' in record.__dict__["record"] for record in caplog.records if hasattr(record, "record")
    )


def logged(caplog: pytest.LogCaptureFixture, message: str) -> list[str]:
    return [record.__dict__["head"] for record in caplog.records if record.message == message]


@pytest.mark.parametrize(("text", "size"), [("16MiB", 16 * MIB), ("1GiB", 1024 * MIB), ("4GiB", 4096 * MIB)])
def test_a_size_is_written_with_its_unit(text: str, size: int) -> None:
    settings = AuditSettings(max_size=text)
    assert settings.limits.size == size
    assert settings.limits.segment == min(64 * MIB, size // 4)


@pytest.mark.parametrize("text", ["", "1", "1GB", "1 GiB", "-1GiB", "1MiB", "2000GiB", "1.5GiB", "9999999999GiB"])
def test_a_size_that_is_none_is_refused_with_what_is_right(text: str) -> None:
    with pytest.raises(ValueError, match="max_size: "):
        AuditSettings(max_size=text)


@pytest.mark.parametrize("every", [0, -1, 2_000_000])
def test_heads_are_told_neither_never_nor_all_the_time(every: int) -> None:
    with pytest.raises(ValueError, match="head_every: "):
        AuditSettings(head_every=every)
