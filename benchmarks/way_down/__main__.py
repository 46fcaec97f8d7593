"""The way down, in time: from a sample that trips to its safe state, and from a command to its verified answer.

`python -m benchmarks.way_down [trips|slow|commands ...] [--in FOLDER]` prints each figure beside what is wanted and
beside the least that has to be done, measured in turn; all of them where nothing is named. The state of the gateway
lies in FOLDER: name one on the disk that matters; the default is a temporary one here.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from benchmarks.way_down import commands, trips
from gateway.app.service import THREAD_TURN
from tests.servers import Mosquitto, mosquitto

MEASURES: dict[str, Callable[[Path, Mosquitto], Awaitable[None]]] = {
    "trips": trips.quick,
    "slow": trips.slow,
    "commands": commands.main,
}


def file_system(folder: Path) -> str:
    """Return the kind of file system that a folder lies on, and its device."""
    lines = [line.split() for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()]
    above = [line for line in lines if folder.resolve().is_relative_to(line[1])]
    device, _, kind, *_ = max(above, key=lambda line: len(line[1]))
    return f"{kind} on {device}"


async def main(names: Sequence[str], folder: Path) -> None:
    """Measure what is named."""
    print(f"state on {file_system(folder)}")
    async with mosquitto(folder) as broker:
        for name in names or MEASURES:
            own = folder / name
            own.mkdir()
            await MEASURES[name](own, broker)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="trips|slow|commands", choices=[*MEASURES, []])
    parser.add_argument("--in", dest="place", default=".", metavar="FOLDER")
    given = parser.parse_args()
    logging.disable(logging.WARNING)
    sys.setswitchinterval(THREAD_TURN)
    with tempfile.TemporaryDirectory(dir=given.place) as chosen:
        asyncio.run(main(given.names, Path(chosen)))
