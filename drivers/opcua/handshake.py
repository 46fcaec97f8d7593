"""From a URL to an activated session: connecting, step by step, with every check that the library leaves out.

The library's own `connect` is not used: it starts tasks that reconnect, recreate and swallow.
"""

import asyncio
import logging
from contextlib import suppress

from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256

from drivers.errors import LinkLost
from drivers.opcua.frames import MAX_MESSAGE, FrameGuard
from drivers.opcua.security import Credentials, check_server, load_credentials, utc_now
from drivers.opcua.settings import OpcUaDevice

SESSION_TIMEOUT = 30.0
"""Seconds after which the server may forget a gateway that died; a living one asks every few seconds."""
CHANNEL_LIFETIME = 3600.0
"""Seconds that the keys of a secure channel are asked to last."""
APPLICATION_URI = "urn:plantgate:opcua-client"
"""Who the gateway is where it has no certificate that says so."""

_MODES = {"Sign": ua.MessageSecurityMode.Sign, "SignAndEncrypt": ua.MessageSecurityMode.SignAndEncrypt}

# What is wrong is said once, by the fault that is raised; the library says it many times, with tracebacks.
_library_log = logging.getLogger("asyncua")
if _library_log.level == logging.NOTSET:
    _library_log.setLevel(logging.CRITICAL + 1)


class Handshake:
    """One attempt to connect; it holds what there is of the connection, however far the attempt came."""

    def __init__(self, device: OpcUaDevice) -> None:
        self._device = device
        self.client: Client | None = None
        self.guard: FrameGuard | None = None

    async def run(self) -> Client:
        """Return the library's client, its session activated. Raises LinkLost, and whatever the library raises."""
        device = self._device
        if device.security.policy == "None":
            client = self._new_client(APPLICATION_URI)
        else:
            # Reading keys and checking them takes longer than the loop can wait.
            credentials = await asyncio.to_thread(load_credentials, device.security, utc_now())
            policy = await self._find_policy(credentials)
            client = self._new_client(credentials.application_uri)
            client.security_policy = policy  # type: ignore[assignment]  # declared as the policy of no security
            client.uaclient.set_security(policy)
        await self._connect(client)
        await client.create_session()
        self._check_login(client)
        await client.activate_session(username=device.username, password=device.password)
        return client

    def abort(self) -> None:
        """Drop the connection at once; the guard hears of it."""
        # Closing it would wait for a hung server to take what is still to be sent.
        protocol = self.client.uaclient.protocol if self.client else None
        if protocol is not None and protocol.transport is not None:
            protocol.transport.abort()

    def _new_client(self, application_uri: str) -> Client:
        client = Client(self._device.address, timeout=self._device.timeout)
        client.application_uri = application_uri
        client.name = client.description = "plantgate"
        client.session_timeout = int(SESSION_TIMEOUT * 1000)
        client.secure_channel_timeout = int(CHANNEL_LIFETIME * 1000)
        client.max_messagesize = MAX_MESSAGE
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

    async def _find_policy(self, credentials: Credentials) -> SecurityPolicyBasic256Sha256:
        """Ask the server, over a channel of no security, what it offers, and believe only what can be checked."""
        endpoints = await self._ask_endpoints(credentials.application_uri)
        security = self._device.security
        wanted = SecurityPolicyBasic256Sha256.URI, _MODES[security.mode]
        offered = [found for found in endpoints if (found.SecurityPolicyUri, found.SecurityMode) == wanted]
        if not offered:
            names = ", ".join(sorted({_describe(found) for found in endpoints})) or "nothing"
            raise LinkLost("policy_not_offered", f"no {security.policy} {security.mode} is offered, only {names}")
        certificate = check_server(
            offered[0].ServerCertificate or b"",
            credentials.trusted,
            self._device.host,
            offered[0].Server.ApplicationUri or "",
            utc_now(),
        )
        return SecurityPolicyBasic256Sha256(  # type: ignore[no-untyped-call]  # the library's crypto has no types
            certificate, credentials.certificate, credentials.key, wanted[1]
        )

    async def _ask_endpoints(self, application_uri: str) -> list[ua.EndpointDescription]:
        client = self._new_client(application_uri)
        await self._connect(client)
        endpoints = await client.get_endpoints()
        with suppress(ConnectionError):  # some servers close it first
            await client.close_secure_channel()
        self.abort()
        return endpoints

    def _check_login(self, client: Client) -> None:
        security = self._device.security
        if self._device.password is None or security.mode == "SignAndEncrypt" or security.plain_password:
            return
        if client.server_policy(ua.UserTokenType.UserName).SecurityPolicyUri != SecurityPolicyBasic256Sha256.URI:
            raise LinkLost(
                "password_exposed",
                "the server would take the password unencrypted; set security.mode: SignAndEncrypt, "
                "or allow it with security.plain_password: true",
            )


def _describe(endpoint: ua.EndpointDescription) -> str:
    policy = (endpoint.SecurityPolicyUri or "").rpartition("#")[2]
    return f"{policy} {endpoint.SecurityMode.name}".replace("None None_", "None")
