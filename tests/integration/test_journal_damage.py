"""P6: bits flipped and files cut at many places. The good prefix is used, the rest set aside and told; never a crash.

Sizes grow with PLANTGATE_SOAK (1 by default): 200 for every offset of the file, more or less.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from gateway.errors import StorageError
from gateway.storage.port import Chained, Change, Limits, Table
from gateway.storage.salvage import KEPT, QUARANTINE
from tests.unit.gateway.storage.journals import journal, kept, verified

SOAK = int(os.environ.get("PLANTGATE_SOAK", "1"))
QUICK = Limits(reserve=0, retry=0.05, segment=20_000)
TRIPS = {f"trip-{n}": {"since": n, "cause": "x" * 50} for n in range(20)}
RECORDS = 120


class Original:
    """A journal's files as a clean stop leaves them (`clean`), and as a kill does (`killed`)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.chain: list[Chained] = []

    async def make(self) -> "Original":
        live = self.folder / "live"
        live.mkdir()
        async with journal(live, QUICK) as each:
            for number, (key, value) in zip(range(RECORDS), list(TRIPS.items()) * RECORDS, strict=False):
                record = {"kind": "intent", "number": number, "filler": "y" * 400}
                await each.commit(
                    [record], [Change(Table.TRIPS, key, value), Change(Table.COMMANDS, f"p/{number}", {})]
                )
            shutil.copytree(live, self.folder / "killed")
        live.rename(self.folder / "clean")
        self.chain = kept(self.folder / "clean")
        return self


@pytest.fixture
async def original(tmp_path: Path) -> Original:
    return await Original(tmp_path).make()


async def comes_up(folder: Path, original: Original, *, lost: bool | None = None) -> str:
    """Open a damaged journal; return what it told. It has to work, to be proved, and to have hidden nothing."""
    async with journal(folder, QUICK) as each:
        assert each.state.healthy, each.state.reason
        trips = await each.load(Table.TRIPS)
        assert trips.damaged or trips.values == TRIPS
        assert all(TRIPS[key] == value for key, value in trips.values.items())
        try:
            assert await each.find(Table.COMMANDS, "p/7") in (None, {})
        except StorageError:  # found damaged just now: refused, and salvaged
            assert not each.state.healthy
        await each.commit([{"kind": "start"}], urgent=True)
    verdict = verified(folder)
    assert verdict.is_proved, verdict
    chain = kept(folder)
    whole = chain[: len(original.chain)] == original.chain
    if not whole:
        assert verdict.breaks, "records are gone, and nothing says so"
    same = 0
    while same < min(len(chain), len(original.chain)) and chain[same] == original.chain[same]:
        same += 1
    others = [json.loads(record.body)["kind"] for record in chain[same:]]
    assert set(others) <= {"journal", "start"}, "a good prefix, then our own words"
    if lost is not None:
        assert (not whole) is lost
    return "; ".join(verdict.breaks)


def damaged_copies(
    original: Original, state: str, name: str, times: int, seed: int
) -> Iterator[tuple[Path, Random, Path]]:
    rng = Random(seed)
    for number in range(times * SOAK):
        folder = original.folder / f"{state}-{number}"
        shutil.copytree(original.folder / state, folder)
        yield folder, rng, folder / name
        shutil.rmtree(folder)


@pytest.mark.parametrize(("state", "name"), [("clean", "journal.db"), ("killed", "journal.db-wal")])
@pytest.mark.timeout(60 * max(1, SOAK))
async def test_a_flipped_bit_is_harmless_or_told(original: Original, state: str, name: str) -> None:
    told = 0
    for folder, rng, file in damaged_copies(original, state, name, 60, seed=11):
        content = bytearray(file.read_bytes())
        place = rng.randrange(len(content))
        content[place] ^= 1 << rng.randrange(8)
        file.write_bytes(content)
        told += bool(await comes_up(folder, original))
    assert told, "none of the flips was told: is anything looked at?"


@pytest.mark.parametrize(("state", "name"), [("clean", "journal.db"), ("killed", "journal.db-wal")])
@pytest.mark.timeout(60 * max(1, SOAK))
async def test_a_file_cut_short_anywhere_loses_only_its_end_and_says_so(
    original: Original, state: str, name: str
) -> None:
    for folder, rng, file in damaged_copies(original, state, name, 25, seed=12):
        length = file.stat().st_size
        os.truncate(file, rng.randrange(length - 4096))
        told = await comes_up(folder, original, lost=True)
        assert told or json.loads(kept(folder)[0].body)["event"] == "created"


@pytest.mark.timeout(60 * max(1, SOAK))
async def test_a_page_of_noise_anywhere_is_harmless_or_told(original: Original) -> None:
    for folder, rng, file in damaged_copies(original, "clean", "journal.db", 25, seed=13):
        content = bytearray(file.read_bytes())
        page = rng.randrange(len(content) // 4096) * 4096
        content[page : page + 4096] = rng.randbytes(4096)
        file.write_bytes(content)
        await comes_up(folder, original)


async def test_what_is_damaged_lies_untouched_in_quarantine_and_does_not_pile_up(original: Original) -> None:
    folder = original.folder / "clean"
    for number in range(KEPT + 2):
        content = bytearray((folder / "journal.db").read_bytes())
        content[:16] = b"not a database.."
        (folder / "journal.db").write_bytes(content)
        damage = bytes(content)
        async with journal(folder, QUICK) as each:
            assert each.state.healthy
            assert (await each.load(Table.TRIPS)).damaged
        newest = folder / QUARANTINE / f"journal-{number + 1}.db"
        assert newest.read_bytes() == damage
    assert len(list((folder / QUARANTINE).glob("*.db"))) == KEPT


@pytest.mark.parametrize("cut", ["building", "wal moved", "database moved"])
async def test_a_salvage_that_was_interrupted_is_ended_at_the_next_start(original: Original, cut: str) -> None:
    folder = original.folder / "clean"
    if cut == "building":
        (folder / "journal.building").write_bytes(b"half a database")
    else:  # the new one is complete; the damaged one is on its way into quarantine
        shutil.copy(folder / "journal.db", folder / "journal.new")
        (folder / QUARANTINE).mkdir()
        if cut == "database moved":
            (folder / "journal.db").rename(folder / QUARANTINE / "journal-1.db")
        else:
            (folder / "journal.db").write_bytes(b"damaged")
    async with journal(folder, QUICK) as each:
        assert each.state.healthy
        assert await each.load(Table.TRIPS) == (TRIPS, False)
    assert kept(folder)[: len(original.chain)] == original.chain
    assert verified(folder).is_proved
    assert not (folder / "journal.new").exists()
