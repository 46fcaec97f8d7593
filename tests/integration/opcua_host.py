"""The process behind `opcua_server`: loads the address space once, and forks a server for each that is asked for."""

import asyncio
import os
import pickle
import socket
import struct
import sys
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import asyncua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.internal_session import InternalSession
from asyncua.server.monitored_item_service import MonitoredItemService
from asyncua.server.server import Server
from asyncua.server.subscription_service import SubscriptionService
from asyncua.server.uaprocessor import UaProcessor

from tests.integration.opcua_server import URI, ServerSpec, Value, receive, send
from tests.integration.opcua_structures import add_structures
from tests.integration.opcua_tampering import tamper

ua: Any = asyncua.ua  # its types refuse the plain values that it documents

_LIMITS = (11705, 11714)


class Host:
    """One server and what a test can have it do: every public coroutine is one command."""

    def __init__(self, server: Server, spec: ServerSpec) -> None:
        self._server = server
        self._spec = spec
        self._index = 0
        self._calls: deque[tuple[str, int]] = deque(maxlen=10_000)
        self._reads_fail = 0

    async def start(self) -> None:
        spec, server = self._spec, self._server
        server.set_endpoint(f"opc.tcp://127.0.0.1:{spec.port}/")
        server.set_security_policy([getattr(ua.SecurityPolicyType, name) for name in spec.policies])
        await server.set_application_uri(spec.application_uri)
        if spec.certificate is not None and spec.private_key is not None:
            await server.load_certificate(spec.certificate)
            await server.load_private_key(spec.private_key)
        self._guard_the_door()
        self._count_calls()
        authorities = b"".join(path.read_bytes() for path in spec.authorities)
        tamper(spec.tampering, authorities, lambda call: self._calls.append((call, 1)))
        self._set_limits()
        for uri in spec.namespaces_first:
            await server.register_namespace(uri)
        self._index = await server.register_namespace(URI)
        for name, value in spec.nodes.items():
            await self.add(name, value)
        for number in _LIMITS:
            limit = ua.Variant(spec.announced_limit, ua.VariantType.UInt32)
            await server.get_node(ua.NodeId(number)).write_value(limit)
        await server.start()

    async def add(self, name: str, value: Value) -> None:
        variant = ua.Variant(value.value, ua.VariantType[value.type])
        await self._server.nodes.objects.add_variable(self._node_id(name), name, variant)
        await self.write(name, value)

    async def add_many(self, count: int) -> None:
        """Add nodes called N0, N1, ... whose values are their numbers."""
        for number in range(count):
            await self.add(f"N{number}", Value(float(number)))

    async def write(self, name: str, value: Value) -> None:
        wall = datetime.now(UTC) if value.source_time is None else datetime.fromtimestamp(value.source_time, UTC)
        data = ua.DataValue(
            ua.Variant(value.value, ua.VariantType[value.type]), ua.StatusCode(value.status), SourceTimestamp=wall
        )
        await self._server.write_attribute_value(self._node_id(name), data)

    async def write_many(self, count: int, start: float) -> None:
        """Give the nodes of `add_many` the values from `start` on."""
        for number in range(count):
            await self.write(f"N{number}", Value(start + number))

    async def force(self, name: str, value: Value) -> None:
        """Write what this server would refuse and others take: a value of another type than the one before."""
        space: Any = self._server.iserver.aspace
        space._is_expected_variant_type = lambda *_: True
        await self.write(name, value)
        del space._is_expected_variant_type

    async def report_many(self, count: int, value: float) -> int:
        """Give the nodes of `add_many` a value with the least work that the server can do; return the reports due.

        A report that was still to be sent is put behind, never replaced: the count is what a client has to see.
        """
        data = ua.DataValue(ua.Variant(value, ua.VariantType.Double), SourceTimestamp=datetime.now(UTC))
        nodes = self._server.iserver.aspace._nodes
        for number in range(count):
            nodes[self._node_id(f"N{number}")].attributes[ua.AttributeIds.Value].value = data
        reports = 0
        for found in self._server.iserver.subscription_service.subscriptions.values():
            for item, known in found.monitored_item_srv._monitored_items.items():
                if known.read_value_id is not None and known.read_value_id.NodeId.NamespaceIndex == self._index:
                    report = ua.MonitoredItemNotification(known.client_handle, data)
                    found._triggered_datachanges.setdefault(item, []).append(report)
                    reports += 1
        return reports

    async def declare(self, name: str, data_type: int) -> None:
        """Say of a node that its values have another data type than they have."""
        declared = ua.DataValue(ua.Variant(ua.NodeId(data_type), ua.VariantType.NodeId))
        await self._server.get_node(self._node_id(name)).write_attribute(ua.AttributeIds.DataType, declared)

    async def remove(self, name: str) -> None:
        """Delete a node; those who monitor it are not told, as this server does it."""
        await self._server.get_node(self._node_id(name)).delete()

    async def lose_items(self, name: str) -> None:
        """Forget the monitored items of a node, and say nothing of it."""
        for service, item in self._items(name):
            service.delete_monitored_items([item])

    async def mute(self, name: str) -> None:
        """Keep the monitored items of a node, and never report for them again."""
        for service, item in self._items(name):
            handle: Any = service._monitored_items[item].callback_handle
            self._server.iserver.aspace.delete_datachange_callback(handle)

    async def fail_reads(self, status: int) -> None:
        """Refuse every Read of a client with a status code, 0 for none."""
        self._reads_fail = status

    async def register(self, uri: str) -> None:
        """Add a namespace."""
        await self._server.register_namespace(uri)

    async def add_structures(self) -> None:
        """Add the types and values of `opcua_structures`."""
        await add_structures(self._server, self._index)

    async def say_that_something_changed(self, status: int) -> None:
        """Send every subscription a status change."""
        for found in self._server.iserver.subscription_service.subscriptions.values():
            await found.enqueue_statuschange(ua.StatusCode(status))

    async def skip_a_message(self) -> None:
        """Make every subscription count a message that nobody gets."""
        for found in self._server.iserver.subscription_service.subscriptions.values():
            found._notification_seq += 1

    async def stop_publishing(self) -> None:
        """Let every subscription fall silent, and say nothing of it."""
        for found in self._server.iserver.subscription_service.subscriptions.values():
            if found._task is not None:
                found._task.cancel()

    async def drop_subscriptions(self) -> None:
        """Forget every subscription, and refuse the publish requests that wait."""
        service = self._server.iserver.subscription_service
        await service.delete_subscriptions(list(service.subscriptions))

    async def counts(self) -> tuple[int, int]:
        """Return how many sessions and subscriptions there are."""
        server = self._server.iserver
        return len(server._external_sessions), len(server.subscription_service.subscriptions)

    async def calls(self) -> list[tuple[str, int]]:
        """Return the services that were called since the last time, each with its number of operations."""
        found = list(self._calls)
        self._calls.clear()
        return found

    def _items(self, name: str) -> list[tuple[MonitoredItemService, int]]:
        node = self._node_id(name)
        return [
            (found.monitored_item_srv, item)
            for found in self._server.iserver.subscription_service.subscriptions.values()
            for item, known in found.monitored_item_srv._monitored_items.items()
            if known.read_value_id is not None and known.read_value_id.NodeId == node
        ]

    def _node_id(self, name: str) -> ua.NodeId:
        return ua.NodeId(name, self._index)

    def _guard_the_door(self) -> None:
        spec = self._spec
        server: Any = self._server.iserver

        class Users:
            def get_user(
                self, iserver: Any, username: Any = None, password: Any = None, certificate: Any = None
            ) -> Any:
                if spec.user_certificates:
                    known = certificate in spec.user_certificates
                else:
                    known = spec.users is None or (username in spec.users and spec.users[username] == password)
                return User(role=UserRole.User, name=username) if known else None

        async def refuse(*_: Any) -> None:
            raise ServiceError(ua.StatusCodes.BadCertificateUntrusted)

        server.user_manager = Users()
        if spec.users is not None:
            self._server.set_identity_tokens([ua.UserNameIdentityToken])
        if spec.user_certificates:
            self._server.set_identity_tokens([ua.X509IdentityToken])
        if spec.refuses_certificates:
            server.certificate_validator = refuse

    def _count_calls(self) -> None:
        """Note the size of each call, and refuse those that are too large, at the real server's own services."""
        spec = self._spec

        def watch(owner: type, name: str, size: Callable[[Any], int]) -> None:
            serve = getattr(owner, name)

            async def watched(service: Any, params: Any) -> Any:
                if not getattr(service, "external", True):
                    return await serve(service, params)
                self._calls.append((name, size(params)))
                if self._reads_fail and name == "read":
                    raise ServiceError(self._reads_fail)
                if spec.enforced_limit and size(params) > spec.enforced_limit:
                    raise ServiceError(ua.StatusCodes.BadTooManyOperations)
                return await serve(service, params)

            setattr(owner, name, watched)

        processor: Any = UaProcessor
        open_channel = processor.open_secure_channel

        def opened(*request: Any) -> None:
            self._calls.append(("open_secure_channel", 1))
            open_channel(*request)

        processor.open_secure_channel = opened
        watch(InternalSession, "read", lambda params: len(params.NodesToRead))
        watch(SubscriptionService, "create_monitored_items", lambda params: len(params.ItemsToCreate))
        watch(InternalSession, "set_monitoring_mode", lambda params: len(params.MonitoredItemIds))

    def _set_limits(self) -> None:
        spec = self._spec
        processor: Any = UaProcessor
        service: Any = SubscriptionService
        if spec.keep_alive_count:
            service._clamp_keep_alive_count = lambda _, __: spec.keep_alive_count
        if spec.not_monitored or spec.refuses_filters:
            self._refuse_items()
        if spec.publish_requests:
            processor.publish_request_limit = lambda _, __: spec.publish_requests

    def _refuse_items(self) -> None:
        items: Any = MonitoredItemService
        create = items._create_data_change_monitored_item

        async def create_or_refuse(service: Any, item: Any) -> Any:
            if self._spec.refuses_filters and item.RequestedParameters.Filter:
                code = ua.StatusCodes.BadMonitoredItemFilterUnsupported
                return ua.MonitoredItemCreateResult(StatusCode=ua.StatusCode(code))
            if item.ItemToMonitor.NodeId.Identifier in self._spec.not_monitored:
                return ua.MonitoredItemCreateResult(StatusCode=ua.StatusCode(ua.StatusCodes.BadTooManyMonitoredItems))
            return await create(service, item)

        items._create_data_change_monitored_item = create_or_refuse


async def serve(server: Server, spec: ServerSpec, control_port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", control_port)
    host = Host(server, spec)
    await host.start()
    answer: Any = None
    while True:
        data = pickle.dumps(answer)
        writer.write(struct.pack("<I", len(data)) + data)
        try:
            (length,) = struct.unpack("<I", await reader.readexactly(4))
        except asyncio.IncompleteReadError:
            os._exit(0)  # the test is gone
        what, how = pickle.loads(await reader.readexactly(length))
        try:
            answer = await getattr(host, what)(**how)
        except Exception as error:  # noqa: BLE001  (the test has to see it)
            answer = RuntimeError(f"{what}: {error!r}")


def main() -> None:
    farm = socket.socket(fileno=int(sys.argv[1]))
    server = Server()
    asyncio.run(server.init())
    while True:
        try:
            what, argument = receive(farm)
        except EOFError:
            return
        if what == "reap":
            os.waitpid(argument, 0)
            send(farm, None)
            continue
        pid = os.fork()
        if pid == 0:
            farm.close()
            asyncio.run(serve(server, *argument))
            os._exit(0)
        send(farm, pid)


if __name__ == "__main__":
    main()
