"""Servers of a second make: modbus-serial and node-opcua, each a process of its own, told by the test what to do."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from tests.integration.node_process import NodeServer
from tests.integration.opcua_certificates import SERVER_URI, Identity, issue


class NodeModbus(NodeServer):
    """modbus-serial's server: units whose registers are what a test set, and nothing else."""

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    async def set(self, table: str, start: int, values: Sequence[int], unit: int = 1) -> None:
        """Table: coil, discrete, input or holding. Values: words, or bits as 0 and 1."""
        await self.do("set", unit=unit, table=table, start=start, values=list(values))

    async def fault(self, fault: Any, unit: int = 1) -> None:
        """Fault: "silent", {"delay": seconds}, {"exception": code}; None ends it."""
        await self.do("fault", unit=unit, fault=fault)


@asynccontextmanager
async def node_modbus(folder: Path, units: Sequence[int] = (1,)) -> AsyncIterator[NodeModbus]:
    server = NodeModbus("modbus_server.cjs", folder, {"port": 0, "units": list(units)})
    try:
        await server.start()
        yield server
    finally:
        server.kill()


@dataclass
class NodeOpcUaSpec:
    """What a node-opcua server is like from its start on."""

    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By the name in `nsu=urn:boiler-house;s=NAME`: {"type": "Double", "value": 1.0}; a list is an array, an Int64
    a string, a DateTime in ISO format, a Range {"low": 0, "high": 1}; also `status` and `source_time`."""
    namespace: str = "urn:boiler-house"
    before: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    """Namespaces registered before that one, whose index they shift, each with nodes of its own."""
    policies: tuple[str, ...] = ("None",)
    """None, Basic256Sha256, Aes128_Sha256_RsaOaep, Aes256_Sha256_RsaPss; the modes follow."""
    application_uri: str = SERVER_URI
    identity: Identity | None = None
    """Its certificate; one signed by itself where left out."""
    users: dict[str, str] | None = None
    """Names and passwords; anyone may come in where left out."""
    limits: dict[str, int] = field(default_factory=dict)
    """OperationLimits, like maxNodesPerRead."""
    port: int = 0


class NodeOpcUa(NodeServer):
    """node-opcua's server."""

    def __init__(self, folder: Path, spec: NodeOpcUaSpec) -> None:
        """Folder: it makes one of its own in there."""
        folder = Path(mkdtemp(prefix="node-opcua-", dir=folder))
        self._is_cut = False
        self.identity = spec.identity or issue("node-opcua", spec.application_uri)
        certificate = folder / "node-opcua.pem"  # it takes no DER
        certificate.write_bytes(self.identity.certificate.public_bytes(Encoding.PEM))
        _, key = self.identity.save(folder, "node-opcua")
        modes = ["None"] * ("None" in spec.policies) + ["Sign", "SignAndEncrypt"] * (set(spec.policies) != {"None"})
        super().__init__(
            "opcua_server.cjs",
            folder,
            {
                "port": spec.port,
                "pki": str(folder / "node-opcua-pki"),
                "application_uri": spec.application_uri,
                "certificate": str(certificate),
                "private_key": str(key),
                "policies": list(spec.policies),
                "modes": modes,
                "namespace": spec.namespace,
                "before": spec.before,
                "nodes": spec.nodes,
                "users": spec.users,
                "limits": spec.limits,
            },
        )

    @property
    def url(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.port}/"

    async def set(self, name: str, value: Any, type: str = "Double", **how: Any) -> None:  # noqa: A002  (the field's own name)
        """How: `status` by its name, `source_time` in ISO format; Good and now where left out."""
        await self.do("set", name=name, value=value, type=type, **how)

    async def remove(self, name: str) -> None:
        await self.do("remove", name=name)

    async def drop_subscriptions(self) -> None:
        await self.do("drop_subscriptions")

    async def drop_sessions(self) -> None:
        """Let every session time out."""
        await self.do("drop_sessions")

    async def drop_items(self) -> None:
        """Forget every monitored item, and keep the subscriptions."""
        await self.do("drop_items")

    async def cut(self) -> None:
        """Close every connection and take no new one; sessions and subscriptions live on unseen."""
        self._is_cut = True
        await self.do("cut")

    async def mend(self) -> None:
        """Listen again where it was cut off, start where it does not run."""
        if not self.runs:
            await self.start()
        elif self._is_cut:
            await self.do("mend")
        self._is_cut = False

    async def counts(self) -> dict[str, int]:
        """Return how many `sessions` and `subscriptions` there are."""
        counts: dict[str, int] = await self.do("counts")
        return counts


@asynccontextmanager
async def node_opcua(folder: Path, spec: NodeOpcUaSpec) -> AsyncIterator[NodeOpcUa]:
    server = NodeOpcUa(folder, spec)
    try:
        await server.start()
        yield server
    finally:
        server.kill()
