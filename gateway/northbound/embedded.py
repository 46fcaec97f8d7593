"""`embedded://`: a broker of our own for a first try, in a process of its own that ends with this one.

It serves loopback, takes everybody and keeps nothing on disk: real plants run Mosquitto or another broker.
"""

import asyncio
import signal
import sys
from importlib.util import find_spec
from typing import Self

from gateway.errors import ServiceError
from gateway.northbound.address import BrokerAddress

READY = "ready"
_START = 15.0
_STOP = 3.0
_INSTEAD = "or name another broker in mqtt.url"


class EmbeddedBroker:
    """The broker's process, as `async with`; it is up once that is entered."""

    def __init__(self, address: BrokerAddress) -> None:
        self._address = address
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        """Start it. Raises ServiceError: amqtt is missing, or the port is taken."""
        if find_spec("amqtt") is None:
            raise ServiceError(f"embedded:// needs amqtt: pip install 'amqtt==0.12.1', {_INSTEAD}")
        host, port = self._address.host, self._address.port
        # Its standard input is the life-line: it ends when this process closes it, however that comes about.
        self._process = process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "ignore", "-m", __name__, host, str(port)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None, "asked for above"
        answer = ""
        try:
            async with asyncio.timeout(_START):
                answer = (await process.stdout.readline()).decode().strip()
        except TimeoutError:
            answer = f"did not start within {_START:g} s"
        finally:
            if answer != READY:
                await self._end()
        if answer != READY:
            raise ServiceError(f"the embedded broker: {answer or 'ended at once'}; free the port, {_INSTEAD}")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop it."""
        await self._end()

    async def ended(self) -> int:
        """Wait until it has ended, and return its exit code; it is not started again."""
        assert self._process is not None, "enter first"
        return await self._process.wait()

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        assert process.stdin is not None, "asked for above"
        process.stdin.close()
        try:
            async with asyncio.timeout(_STOP):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def main(host: str, port: int) -> None:
    """Be the broker's process: serve until standard input ends."""
    from gateway.northbound.embedded_server import serve  # noqa: PLC0415  (amqtt is loaded in this process alone)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the gateway, which still has a status to publish
    asyncio.run(serve(host, port))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
