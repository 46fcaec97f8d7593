"""The services of one connected session: asked for, bounded in time, their failures said in one line.

A Channel is opened once and closed once.
"""

import asyncio
from contextlib import suppress
from typing import Any, TypeVar

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.utils import Buffer
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary

from drivers.errors import DeviceFault, LinkLost
from drivers.opcua.checked_client import GOODBYE
from drivers.opcua.faults import FATAL, explain, one_line
from drivers.opcua.frames import FrameGuard
from drivers.opcua.handshake import Handshake
from drivers.opcua.settings import OpcUaDevice

T = TypeVar("T")

FOR_EVER = 0.0
"""The timeout of a request that the server may keep for as long as it likes."""

_RENEW_AFTER = 0.75
"""Of the life of a channel's keys (OPC 10000-4, 5.5.2.1)."""
_STATE = ua.NodeId(ua.Int32(2259))


def _warm_up() -> None:
    """Have the library build what encodes and decodes these: at first use that would hold up the loop for 50 ms."""
    for request in (
        ua.OpenSecureChannelRequest, ua.CreateSessionRequest, ua.ActivateSessionRequest, ua.CloseSessionRequest,
        ua.GetEndpointsRequest, ua.ReadRequest, ua.CreateSubscriptionRequest, ua.CreateMonitoredItemsRequest,
        ua.MonitoredItemCreateRequest, ua.ReadValueId, ua.PublishRequest, ua.SubscriptionAcknowledgement,
        ua.SetMonitoringModeRequest, ua.DeleteMonitoredItemsRequest, ua.DataChangeFilter, ua.BrowseRequest,
        ua.BrowseDescription,
    ):  # fmt: skip
        struct_to_binary(request())
    for answer in (
        ua.OpenSecureChannelResponse, ua.CreateSessionResponse, ua.ActivateSessionResponse, ua.CloseSessionResponse,
        ua.GetEndpointsResponse, ua.EndpointDescription, ua.CreateSubscriptionResponse,
        ua.CreateMonitoredItemsResponse, ua.MonitoredItemCreateResult, ua.SetMonitoringModeResponse,
        ua.DeleteMonitoredItemsResponse, ua.BrowseResponse, ua.BrowseResult, ua.ReferenceDescription,
    ):  # fmt: skip
        struct_from_binary(answer, Buffer(struct_to_binary(answer())))


_warm_up()


class Channel:
    """A connected, protected, activated session: services are asked for over it."""

    def __init__(self, device: OpcUaDevice) -> None:
        self.address = device.address
        self._device = device
        self._handshake = Handshake(device)
        self._client: Client | None = None
        self._renew_at = 0.0

    async def open(self) -> None:
        """Connect within the device's timeout. Raises LinkLost with the cause."""
        try:
            async with asyncio.timeout(self._device.timeout):
                self._client = await self._handshake.run()
        except LinkLost as fault:
            raise LinkLost(fault.kind, one_line(f"{self.address}: {fault}")) from None
        except Exception as error:  # noqa: BLE001  (a broken server makes the library raise whatever Python raises)
            raise self._lost(error) from None
        finally:
            if self._client is None:
                self._handshake.abort()
        self._plan_renewal(self._client)

    async def close(self, *, politely: bool) -> None:
        """Let go of the connection; politely, by telling a server that is still there. Never raises."""
        client, guard = self._client, self._guard
        if guard is None:
            return
        try:
            if politely and client is not None and not guard.ended.is_set():
                with suppress(Exception):  # whatever becomes of it, the connection ends here
                    async with asyncio.timeout(GOODBYE):
                        await client.uaclient.close_session(delete_subscriptions=True)
                        await client.close_secure_channel()
        finally:
            self._handshake.abort()
        await guard.ended.wait()

    @property
    def heard(self) -> float:
        """When the server last sent anything, on the loop's clock."""
        return self._guard.heard if self._guard else float("-inf")

    def is_living(self, within: float) -> bool:
        """Return whether the server spoke so lately that it will hear a farewell: else it keeps the session."""
        guard = self._guard
        now = asyncio.get_running_loop().time()
        return guard is not None and not guard.ended.is_set() and now - guard.heard <= within

    @property
    def cause(self) -> str:
        """Why the connection ended, empty while it has not."""
        return f"{self.address}: {self._guard.cause}" if self._guard and self._guard.ended.is_set() else ""

    async def watch(self, within: float) -> None:
        """Wait so many seconds. Raises LinkLost as soon as the connection ends."""
        if self._guard is None:
            raise self._lost(ConnectionError("not connected"))
        try:
            async with asyncio.timeout(within):
                await self._guard.ended.wait()
        except TimeoutError:
            return
        raise LinkLost("connection_lost", self.cause)

    async def probe(self, within: float) -> None:
        """Make the server say something within so many seconds. Raises LinkLost where it stays silent."""
        request = ua.ReadRequest()
        request.Parameters.NodesToRead = [ua.ReadValueId(NodeId=_STATE, AttributeId=ua.IntegerId(AttributeIds.Value))]
        before = self.heard
        try:
            async with asyncio.timeout(within):
                await self.ask_bytes(request)
        except TimeoutError:
            if self.heard == before:
                raise LinkLost("timeout", f"{self.address}: the server hangs; it is silent though asked") from None
        except LinkLost:
            raise
        except DeviceFault:
            return  # an answer, if not a friendly one

    async def ask(self, request: Any, answer: type[T]) -> T:  # noqa: ANN401  (the library's requests share no base)
        """Ask for a service and return its whole answer. Raises DeviceFault, also where the service failed."""
        data = await self.ask_bytes(request)
        try:
            response: Any = struct_from_binary(answer, Buffer(data))
            response.ResponseHeader.ServiceResult.check()
        except Exception as error:  # noqa: BLE001  (the library's parser lets out whatever Python raises)
            raise self._fault(error, request) from None
        return response  # type: ignore[no-any-return]  # it is of the type that was asked for

    async def ask_bytes(self, request: Any, timeout: float | None = None) -> bytes:  # noqa: ANN401, ASYNC109
        """Ask for a service and return its answer as it came. Raises DeviceFault."""
        protocol = self._client.uaclient.protocol if self._client else None
        if protocol is None:
            raise self._fault(ConnectionError("not connected"), request)
        try:
            return bytes(await protocol.send_request(request, self._device.timeout if timeout is None else timeout))
        except Exception as error:  # noqa: BLE001  (a broken server makes the library raise whatever Python raises)
            raise self._fault(error, request) from None

    async def renew_if_due(self) -> None:
        """Renew the channel's keys when three quarters of their life are over. Raises LinkLost."""
        loop = asyncio.get_running_loop()
        if self._client is None or loop.time() < self._renew_at:
            return
        try:
            async with asyncio.timeout(self._device.timeout):
                await self._client.open_secure_channel(renew=True)
            self._client.uaclient.revolve_security_token()
        except Exception as error:  # noqa: BLE001  (a broken server makes the library raise whatever Python raises)
            raise self._lost(error) from None
        self._plan_renewal(self._client)
        # The server goes on with the old keys, which expire soon, until it hears the new ones.
        await self.probe(self._device.timeout)

    @property
    def _guard(self) -> FrameGuard | None:
        return self._handshake.guard

    def _plan_renewal(self, client: Client) -> None:
        life = client.secure_channel_timeout / 1000
        self._renew_at = asyncio.get_running_loop().time() + _RENEW_AFTER * life

    def _fault(self, error: Exception, request: Any) -> DeviceFault:  # noqa: ANN401
        kind, cause = explain(error)
        service = type(request).__name__.removesuffix("Request")
        fault = LinkLost if kind in FATAL else DeviceFault
        return fault(kind, one_line(f"{self.address}: {service}: {self._improve(kind, cause)}"))

    def _lost(self, error: Exception) -> LinkLost:
        kind, cause = explain(error)
        return LinkLost(kind, one_line(f"{self.address}: {self._improve(kind, cause)}"))

    def _improve(self, kind: str, cause: str) -> str:
        # Of a connection that broke the guard knows more than those who wait for an answer.
        guard = self._guard
        return guard.cause if guard and kind == "connection_lost" and guard.ended.is_set() else cause
