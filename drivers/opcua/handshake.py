"""From a URL to an activated session: connecting, step by step, with every check that the library leaves out.

The library's own `connect` is not used: it starts tasks that reconnect, recreate and swallow.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from asyncua import ua
from asyncua.client.client import Client
from cryptography import x509

from drivers.opcua.certificate import expires_in_days, name_of
from drivers.opcua.checked_client import CheckedClient, closed_on_failure
from drivers.opcua.endpoints import check_session, choose_endpoint
from drivers.opcua.frames import MAX_CHUNKS, MAX_MESSAGE, FrameGuard
from drivers.opcua.policies import MODES, POLICIES, Protection
from drivers.opcua.security import Credentials, load_credentials, utc_now
from drivers.opcua.settings import OpcUaDevice
from drivers.opcua.trust import check_server
from drivers.opcua.user import check_password_fits, choose_token_policy

SESSION_TIMEOUT = 30.0
"""Seconds after which the server may forget a gateway that died; a living one asks every few seconds."""
CHANNEL_LIFETIME = 3600.0
"""Seconds that the keys of a secure channel are asked to last."""
APPLICATION_URI = "urn:plantgate:opcua-client"
"""Who the gateway is where it has no certificate that says so."""

WARN_DAYS = 30
"""A certificate that expires sooner is warned of at each connect."""

_log = logging.getLogger("plantgate.opcua")

# What is wrong is said once, by the fault that is raised; the library says it many times, with tracebacks.
_library_log = logging.getLogger("asyncua")
if _library_log.level == logging.NOTSET:
    _library_log.setLevel(logging.CRITICAL + 1)


class Believed(NamedTuple):
    """What was heard of a server before the channel was protected, and could be checked."""

    certificate: x509.Certificate
    endpoints: Sequence[ua.EndpointDescription]


class Handshake:
    """One attempt to connect; it holds what there is of the connection, however far the attempt came."""

    def __init__(self, device: OpcUaDevice) -> None:
        self._device = device
        self.client: Client | None = None
        self.guard: FrameGuard | None = None

    async def run(self) -> Client:
        """Return the library's client, its session activated. Raises LinkLost, and whatever the library raises."""
        if self._device.security.policy == "None":
            return await self._run_open()
        return await self._run_protected()

    async def _run_open(self) -> Client:
        client = self._new_client(APPLICATION_URI)
        await self._connect(client)
        answer = await client.create_session()
        async with closed_on_failure(client):
            await self._log_in(client, answer, None)
        return client

    async def _run_protected(self) -> Client:
        device = self._device
        # Reading keys and checking them takes longer than the loop can wait.
        credentials = await asyncio.to_thread(
            load_credentials, device.security, utc_now(), device.user_certificate, device.user_key
        )
        believed = await self._ask_endpoints(credentials)
        client = self._new_client(credentials.application_uri)
        policy = self._protection(credentials, believed)
        client.security_policy = policy  # type: ignore[assignment]  # declared as the policy of no security
        client.uaclient.set_security(policy)
        await self._connect(client)
        answer = await client.create_session()
        async with closed_on_failure(client):
            check_session(answer, believed.endpoints)
            await self._log_in(client, answer, credentials)
        self._warn_of_expiry(credentials, believed)
        return client

    def abort(self) -> None:
        """Drop the connection at once; the guard hears of it."""
        # Closing it would wait for a hung server to take what is still to be sent.
        protocol = self.client.uaclient.protocol if self.client else None
        if protocol is not None and protocol.transport is not None:
            protocol.transport.abort()

    def _new_client(self, application_uri: str) -> Client:
        client = CheckedClient(self._device.address, timeout=self._device.timeout)
        client.application_uri = application_uri
        client.name = client.description = "plantgate"
        client.session_timeout = int(SESSION_TIMEOUT * 1000)
        client.secure_channel_timeout = int(CHANNEL_LIFETIME * 1000)
        client.max_messagesize = MAX_MESSAGE
        client.max_chunkcount = MAX_CHUNKS
        return client

    async def _connect(self, client: Client) -> None:
        self.client = client
        await client.connect_socket()
        protocol = client.uaclient.protocol
        if protocol is None or protocol.transport is None:
            raise ConnectionError("the server closed the connection")
        self.guard = FrameGuard(protocol.transport, protocol, asyncio.get_running_loop().time)
        await client.send_hello()
        await client.open_secure_channel()

    async def _ask_endpoints(self, credentials: Credentials) -> Believed:
        """Ask the server, over a channel of no security, what it offers, and believe only what can be checked."""
        client = self._new_client(credentials.application_uri)
        await self._connect(client)
        endpoints = await client.get_endpoints()
        with suppress(ConnectionError):  # some servers close it first
            await client.close_secure_channel()
        self.abort()
        chosen = choose_endpoint(endpoints, self._device.security)
        certificate = await asyncio.to_thread(
            check_server,
            chosen.ServerCertificate or b"",
            credentials.trust,
            self._device.host,
            chosen.Server.ApplicationUri or "",
            utc_now(),
        )
        return Believed(certificate, endpoints)

    def _protection(self, credentials: Credentials, believed: Believed) -> Protection:
        security, gateway = self._device.security, credentials.gateway
        return POLICIES[security.policy](
            believed.certificate,
            gateway.certificate,
            gateway.key,
            MODES[security.mode],
            host_cert_chain=gateway.chain,
        )

    async def _log_in(self, client: Client, answer: ua.CreateSessionResult, credentials: Credentials | None) -> None:
        device, protection = self._device, client.security_policy
        endpoint = Client.find_endpoint(answer.ServerEndpoints, protection.Mode, protection.URI)
        token = choose_token_policy(device, endpoint)
        client._policy_ids = [token]  # noqa: SLF001  (the library would take the first that the server lists)
        user = credentials.user if credentials else None
        if user is not None:
            client.user_private_key = user.key
            client.user_certificate_chain = list(user.chain)
            await client.activate_session(certificate=user.certificate)
            return
        if device.password is not None:
            check_password_fits(device.password, token, answer)
        await client.activate_session(username=device.username, password=device.password)

    def _warn_of_expiry(self, credentials: Credentials, believed: Believed) -> None:
        ours = {"gateway": credentials.gateway, "user": credentials.user}
        shown = {whose: each.certificate for whose, each in ours.items() if each} | {"server": believed.certificate}
        for whose, certificate in shown.items():
            days = expires_in_days(certificate, utc_now())
            if days < WARN_DAYS:
                fields = {"endpoint": self._device.address, "whose": whose, "certificate": name_of(certificate)}
                _log.warning("certificate_expires", extra=fields | {"days": days})
