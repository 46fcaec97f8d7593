"""The driver to copy, and devices that say what nobody asked for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from drivers._blueprint import DRIVER
from drivers._blueprint.settings import BlueprintDevice, BlueprintPoint
from drivers.base import Block, Connection, Reader
from drivers.errors import LinkLost

pytestmark = pytest.mark.real

PATIENCE = 10.0
VALUES = {"a": "1", "b": "2", "c": "3", "d": "4"}


class LineDevice:
    """Answers as it should; the test can have it say more."""

    def __init__(self) -> None:
        self.wires: list[asyncio.StreamWriter] = []

    def say(self, line: bytes) -> None:
        for wire in self.wires:
            wire.write(line)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.wires.append(writer)
        try:
            while line := await reader.readline():
                writer.write(f"OK {' '.join(VALUES[item] for item in line.decode().split()[1:])}\n".encode())
        except ConnectionError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[LineDevice, Connection, Reader, list[Block]]]:
    far = LineDevice()
    server = await asyncio.start_server(far.serve, "127.0.0.1", 0)
    device = BlueprintDevice(f"line://127.0.0.1:{server.sockets[0].getsockname()[1]}", max_items=2)
    connection = DRIVER.connect(device)
    try:
        await connection.open()
        reader = connection.reader(device, [BlueprintPoint(item) for item in VALUES])
        yield far, connection, reader, list((await reader.prepare()).polled)
    finally:
        await connection.close()
        server.close()
        await server.wait_closed()


async def test_a_line_that_nobody_asked_for_ends_the_link_and_is_never_taken_for_an_answer() -> None:
    async with connected() as (far, connection, reader, (first, second)):
        await reader.read(first)
        far.say(b"OK 1 2\n")
        async with asyncio.timeout(PATIENCE):
            assert "nobody asked for" in await connection.lost()
        with pytest.raises(LinkLost, match="nobody asked for"):
            await reader.read(second)


async def test_a_line_without_end_ends_the_link() -> None:
    async with connected() as (far, connection, reader, (first, _)):
        await reader.read(first)
        far.say(b"9" * 200_000)
        async with asyncio.timeout(PATIENCE):
            assert "without end" in await connection.lost()


async def test_a_device_that_leaves_is_missed_without_being_asked() -> None:
    async with connected() as (far, connection, reader, (first, _)):
        await reader.read(first)
        for wire in far.wires:
            wire.close()
        async with asyncio.timeout(PATIENCE):
            assert "closed the connection" in await connection.lost()


@pytest.mark.parametrize("item", ["", "a b", "a\nREAD", "a\t"])
def test_an_item_that_would_break_the_request_is_refused(item: str) -> None:
    with pytest.raises(ValueError, match="one word"):
        BlueprintPoint(item)


@pytest.mark.parametrize(
    "wrong", [{"url": "line://h:0"}, {"url": "line://h:99999"}, {"url": "line://h", "max_items": 0}]
)
def test_settings_that_could_never_work_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"port|max_items|Port"):
        BlueprintDevice(**wrong)  # type: ignore[arg-type]  # the table mixes keys
