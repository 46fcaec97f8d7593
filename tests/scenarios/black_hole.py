"""A port of loopback where connections are neither taken nor refused, as behind a firewall that drops."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing


@asynccontextmanager
async def black_hole() -> AsyncIterator[int]:
    """Fill a listener's queue, so that the system drops every further SYN."""
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(closing(socket.socket()))
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        while True:
            client = stack.enter_context(closing(socket.socket()))
            client.settimeout(0)
            try:
                async with asyncio.timeout(0.3):
                    await loop.sock_connect(client, address)
            except TimeoutError:
                break
        yield int(address[1])
