"""A local socket where a running simulator can be asked: one JSON object a line in, one a line out."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from simulators.errors import SimulatorError

LONGEST_LINE = 65_536
MOST_CLIENTS = 8

Execute = Callable[[bytes], dict[str, Any]]


@asynccontextmanager
async def control_socket(path: Path, execute: Execute) -> AsyncIterator[None]:
    """Answer at a Unix socket while the context lasts. Raises SimulatorError where it cannot be made."""
    clients: set[asyncio.StreamWriter] = set()
    closing = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if closing.is_set() or len(clients) >= MOST_CLIENTS:
            writer.close()
            return
        clients.add(writer)
        try:
            await _converse(reader, writer, execute)
        finally:
            clients.discard(writer)
            writer.close()

    try:
        _make_way(path)
        server = await asyncio.start_unix_server(serve, path, limit=LONGEST_LINE)
        _keep_private(path)
    except OSError as error:
        raise SimulatorError(f"the control socket {path} cannot be made: {error.strerror or error}") from error
    try:
        yield
    finally:
        closing.set()
        server.close()
        for writer in clients.copy():
            writer.close()
        await server.wait_closed()
        _make_way(path)


def _make_way(path: Path) -> None:
    path.unlink(missing_ok=True)


def _keep_private(path: Path) -> None:
    path.chmod(0o600)


async def _converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, execute: Execute) -> None:
    try:
        while line := await reader.readline():
            writer.write(json.dumps(execute(line)).encode() + b"\n")
            await writer.drain()
    except (ValueError, ConnectionError):
        return  # a line beyond all measure, or a client that left


async def ask(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Send one request to a running simulator and return its reply. Raises SimulatorError where nobody answers."""
    try:
        reader, writer = await asyncio.open_unix_connection(path, limit=LONGEST_LINE)
    except OSError as error:
        raise SimulatorError(f"no simulator answers at {path}: {error.strerror or error}") from error
    try:
        writer.write(json.dumps(request).encode() + b"\n")
        line = await reader.readline()
    finally:
        writer.close()
        await writer.wait_closed()
    if not line:
        raise SimulatorError(f"the simulator at {path} hung up")
    reply: dict[str, Any] = json.loads(line)
    return reply
