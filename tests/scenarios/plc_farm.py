"""A process that forks simulators. Loading OPC UA's standard address space takes seconds; here it is done once.

A line of JSON in, the arguments of `python -m simulators`; a line out, the process id.
"""

import asyncio
import gc
import json
import os
import signal
import sys
from typing import Any

from asyncua.server.server import Server

from simulators.__main__ import main
from simulators.faces import opcua_face


def load_address_space() -> None:
    """Let the face of every process that is forked from here on take the server that is made now."""
    server: Any = Server()
    asyncio.run(server.init())

    async def init() -> None:
        """Do nothing: it was done."""

    server.init = init
    face: Any = opcua_face
    face.Server = lambda: server
    gc.freeze()


def serve() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            os.close(sys.stdin.fileno())
            os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # its READY is not for those who wait for the id
            os._exit(main(json.loads(line)))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    load_address_space()
    serve()
