"""A real OPC UA server in a process of its own, told by the test what to do.

Loading the standard address space takes seconds, so one process does that once and forks the servers.
"""

import atexit
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests.servers import ROOT, free_port

HOST_SCRIPT = Path(__file__).with_name("opcua_host.py")
URI = "urn:boiler-house"


class Value(NamedTuple):
    """A value as the server has it; the type by its OPC UA name, so that no test needs the library."""

    value: Any
    type: str = "Double"
    status: int = 0
    source_time: float | None = None
    """Seconds since 1970 UTC; the server's clock where left out."""


@dataclass
class ServerSpec:
    """What a server is like from its start on."""

    nodes: dict[str, Value] = field(default_factory=dict)
    """By the name in `nsu=urn:boiler-house;s=NAME`."""
    namespaces_first: tuple[str, ...] = ()
    """Registered before that of the nodes, whose index they shift."""
    policies: tuple[str, ...] = ("NoSecurity",)
    certificate: Path | None = None
    private_key: Path | None = None
    application_uri: str = "urn:boiler-house:server"
    users: dict[str, str] | None = None
    """Names and passwords; anyone may come in where left out."""
    user_certificates: tuple[bytes, ...] = ()
    """DER; only users with one of these may come in, where there are any."""
    authorities: tuple[Path, ...] = ()
    """DER; sent behind the server's own certificate."""
    tampering: str = ""
    """What is wrong with its answers, see `opcua_tampering`."""
    refuses_certificates: bool = False
    announced_limit: int = 0
    """MaxNodesPerRead and MaxMonitoredItemsPerCall as announced; 0 for none."""
    enforced_limit: int = 0
    """The operations of one call that are really taken; 0 for any number."""
    keep_alive_count: int = 0
    """Granted whatever is asked; 0 grants what is asked."""
    publish_requests: int = 0
    """As many may wait at the server; 0 for the library's own limit."""
    not_monitored: tuple[str, ...] = ()
    """Names of nodes that can be read, and for which there is no monitored item left."""
    refuses_filters: bool = False
    """BadMonitoredItemFilterUnsupported for any item that comes with one."""
    port: int = 0


class OpcUaServer:
    """The test's hand on one server process."""

    def __init__(self, spec: ServerSpec) -> None:
        self.spec = spec
        self.port = spec.port = spec.port or free_port()
        self._pid = 0
        self._control: socket.socket | None = None

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}/"

    def start(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(30)
            self._pid = _farm().fork(self.spec, listener.getsockname()[1])
            self._control, _ = listener.accept()
        self._control.settimeout(30)
        receive(self._control)

    def do(self, what: str, **how: Any) -> Any:
        """Have the server do something, see `opcua_host.Host`, and return what it answers."""
        assert self._control is not None
        send(self._control, (what, how))
        answer = receive(self._control)
        assert not isinstance(answer, Exception), answer
        return answer

    def write(self, name: str, value: Value) -> None:
        self.do("write", name=name, value=value)

    def pause(self) -> None:
        """Make it hang: it keeps its connections, and answers nothing."""
        os.kill(self._pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self._pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, if it still runs."""
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            _farm().reap(self._pid)
            self._pid = 0
        if self._control is not None:
            self._control.close()
            self._control = None


@contextmanager
def opcua_server(spec: ServerSpec) -> Iterator[OpcUaServer]:
    server = OpcUaServer(spec)
    try:
        server.start()
        yield server
    finally:
        server.kill()


class _Farm:
    def __init__(self) -> None:
        command = [sys.executable, "-W", "ignore", str(HOST_SCRIPT)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno())], pass_fds=[theirs.fileno()], env=environment, stdin=subprocess.DEVNULL
            )
        self._socket = ours
        atexit.register(self.close)

    def fork(self, spec: ServerSpec, control_port: int) -> int:
        send(self._socket, ("fork", (spec, control_port)))
        return int(receive(self._socket))

    def reap(self, pid: int) -> None:
        send(self._socket, ("reap", pid))
        receive(self._socket)

    def close(self) -> None:
        self._socket.close()
        self._process.wait(10)


@cache
def _farm() -> _Farm:
    return _Farm()


def send(to: socket.socket, what: object) -> None:
    data = pickle.dumps(what)
    to.sendall(struct.pack("<I", len(data)) + data)


def receive(source: socket.socket) -> Any:
    """Return the next object. Raises EOFError where the other side is gone."""
    (length,) = struct.unpack("<I", _receive_bytes(source, 4))
    return pickle.loads(_receive_bytes(source, length))


def _receive_bytes(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = source.recv(count - len(data))
        if not piece:
            raise EOFError("the server process is gone")
        data += piece
    return data
