"""R1: kill -9 at random moments. What was acknowledged is there, with its state; the chain verifies.

PLANTGATE_KILLS says how often (20 by default; 2,000 for a soak).
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from random import Random

import pytest

from gateway.errors import ServiceError
from gateway.storage.port import Chained, Table
from gateway.storage.state_directory import claim
from tests.integration.journal_child import LIMITS
from tests.servers import ROOT
from tests.unit.gateway.storage.journals import journal, kept, verified

pytestmark = pytest.mark.real

KILLS = int(os.environ.get("PLANTGATE_KILLS", "20"))
LONGEST = 0.25
"""Seconds from the first acknowledgement to the kill, at most; more than a segment takes to fill."""


async def run_and_kill(folder: Path, rng: Random) -> list[tuple[int, str, str, int]]:
    """Return what was acknowledged before the kill: sequence, hash, key of the state and its number."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.journal_child", str(folder)), cwd=ROOT, stdout=PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        first = await process.stdout.readline()
        assert first, "it ended by itself"
        await asyncio.sleep(rng.uniform(0, LONGEST))  # the moment of the kill is the point
        process.kill()
        lines = (first + await process.stdout.read()).splitlines(keepends=True)
        await process.wait()
    whole = [line.split() for line in lines if line.endswith(b"\n")]
    return [(int(number), digest.decode(), key.decode(), int(count)) for number, digest, key, count in whole]


@pytest.mark.timeout(60 + 10 * KILLS)
async def test_nothing_acknowledged_is_lost_by_a_kill(tmp_path: Path) -> None:
    rng = Random(4711)
    acknowledged = 0
    dropped: set[int] = set()
    for _ in range(KILLS):
        told = await run_and_kill(tmp_path, rng)
        acknowledged += len(told)
        verdict = verified(tmp_path)
        assert verdict.is_proved, verdict
        assert not verdict.breaks
        chain = {record.sequence: record for record in kept(tmp_path)}
        for sequence, digest, _, _ in told:
            if sequence > verdict.base.sequence:  # else dropped, as the size demands
                assert chain[sequence].hash.hex() == digest
        dropped.add(verdict.base.sequence)
        await check_state(tmp_path, told, chain)
    assert acknowledged > 20 * KILLS
    print(f"{KILLS} kills, {acknowledged} acknowledged, 0 lost, {len(dropped)} states of dropping")  # noqa: T201


async def check_state(folder: Path, told: list[tuple[int, str, str, int]], chain: dict[int, Chained]) -> None:
    newest = {key: number for _, _, key, number in told}
    async with journal(folder, LIMITS) as after:
        assert after.state.healthy, after.state.reason
        loaded = await after.load(Table.TRIPS)
    assert not loaded.damaged
    for key, number in newest.items():
        assert loaded.values[key]["number"] >= number, "older than what was acknowledged"
    assert verified(folder).head.sequence >= max(chain)


async def test_a_second_gateway_is_kept_out_and_told_by_whom(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.journal_child", str(tmp_path)), cwd=ROOT, stdout=PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        await process.stdout.readline()
        with pytest.raises(ServiceError, match=f"process {process.pid}"), claim(tmp_path):
            pass
        process.kill()
        await process.stdout.read()
        await process.wait()
    with claim(tmp_path) as folder:  # a kill leaves no lock behind
        assert folder == tmp_path
