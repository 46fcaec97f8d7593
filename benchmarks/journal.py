"""What a commit to the journal costs: `python -m benchmarks.journal [FOLDER]`.

One after the other and fifty at once, each answered after its fsync, in FOLDER: name one on the disk that matters; the
default is a temporary one here. Then what the chain costs by itself.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from gateway.app.service import THREAD_TURN
from gateway.audit.chain import HashChain
from gateway.audit.record import Frame, Intent, Outcome, ReadBack, Saw
from gateway.clock import SystemClock
from gateway.counters import JournalCounters
from gateway.storage.port import GENESIS, Change, Limits, Table
from gateway.storage.sqlite import SqliteJournal

ALONE = 1000
AT_ONCE, ROUNDS = 50, 60
CHAINED = 5000
IDLE = 2.0
"""Seconds in which nothing is committed, for comparison."""

SAW = {f"boiler.tag_{n}": Saw(450.25 + n, "good", 0.12) for n in range(3)}
INTENT = Intent(
    principal="operator-1", actor="me", reason="night setback", tags=["boiler.temperature_setpoint"], command="0b9e-77",
    verb="write", request={"writes": {"boiler.temperature_setpoint": 450.5}}, saw=SAW, verdict="ok", epoch=17,
)  # fmt: skip
OUTCOME = Outcome(
    principal="operator-1", tags=["boiler.temperature_setpoint"], command="0b9e-77", outcome="applied", saw=SAW,
    frames=[Frame("boiler", "boiler.temperature_setpoint", 450.5, "permit-1", 12345.678)],
    read_back={"boiler.temperature_setpoint": ReadBack(450.5, 450.5, "applied")},
)  # fmt: skip


async def commit(journal: SqliteJournal, number: int, times: list[float]) -> None:
    """Commit what a command needs, and note how long that took."""
    begun = time.perf_counter()
    await journal.commit([INTENT.plain()], [Change(Table.COMMANDS, f"operator-1/{number}", {"body": "9f2c" * 8})])
    times.append(time.perf_counter() - begun)


async def lag(worst: list[float]) -> None:
    """Note by how much the loop is late, all the time."""
    while True:
        begun = time.perf_counter()
        await asyncio.sleep(0.002)
        worst.append(time.perf_counter() - begun - 0.002)


async def measure(folder: Path) -> None:
    """Print commits a second, and how long each took."""
    async with SqliteJournal(folder, HashChain(), SystemClock(), "bench", JournalCounters(), Limits()) as journal:
        late: list[float] = []
        watch = asyncio.create_task(lag(late))
        await asyncio.sleep(IDLE)
        idle = list(late)
        late.clear()
        alone: list[float] = []
        begun = time.perf_counter()
        for number in range(ALONE):
            await commit(journal, number, alone)
        show("one after the other", alone, time.perf_counter() - begun)
        together: list[float] = []
        begun = time.perf_counter()
        for turn in range(ROUNDS):
            await asyncio.gather(
                *(commit(journal, ALONE + turn * AT_ONCE + number, together) for number in range(AT_ONCE))
            )
        show(f"{AT_ONCE} at once", together, time.perf_counter() - begun)
        watch.cancel()
        busy = percentile(late, 99)
        print(f"the loop, late by (p99): {1000 * busy:.2f} ms, with nothing to do {1000 * percentile(idle, 99):.2f} ms")


def chain() -> None:
    """Print what a record costs beside the disk."""
    links, head = HashChain(), GENESIS
    begun = time.process_time()
    for _ in range(CHAINED):
        chained = links.link(head, OUTCOME.plain())
        head = chained.head
    each = (time.process_time() - begun) / CHAINED
    print(f"chain, a record of {len(chained.body)} bytes: {1e6 * each:.0f} us of CPU; to verify it:", end=" ")
    begun = time.process_time()
    for _ in range(CHAINED):
        links.follows(chained.head._replace(sequence=chained.sequence - 1), chained)
    print(f"{1e6 * (time.process_time() - begun) / CHAINED:.1f} us")


def show(what: str, times: list[float], seconds: float) -> None:
    """Print one line."""
    print(
        f"{what}: {len(times) / seconds:.0f} commits/s, p50 {1000 * statistics.median(times):.2f} ms,"
        f" p99 {1000 * percentile(times, 99):.2f} ms, longest {1000 * max(times):.1f} ms"
    )


def percentile(times: list[float], which: int) -> float:
    """Return the which-th percentile."""
    return statistics.quantiles(times, n=100)[which - 1]


if __name__ == "__main__":
    place = nullcontext(sys.argv[1]) if len(sys.argv) > 1 else tempfile.TemporaryDirectory(dir=".")
    sys.setswitchinterval(THREAD_TURN)
    with place as chosen:
        Path(chosen).mkdir(exist_ok=True)
        asyncio.run(measure(Path(chosen)))
    chain()
