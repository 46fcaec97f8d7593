"""The library's client with the checks that it leaves out, and its complaints in words that say who is not believed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from asyncua import ua
from asyncua.client.client import Client
from asyncua.ua.uaerrors import UaError
from cryptography.exceptions import InvalidSignature

from drivers.opcua.policies import CHANNEL_NONCE, UNPROTECTED
from drivers.opcua.trust import NotTrusted

GOODBYE = 1.0
"""Seconds that a server gets to answer that a session is closed."""


class CheckedClient(Client):
    """What is checked here holds for every channel and session, renewed ones as well."""

    async def open_secure_channel(self, renew: bool = False) -> None:  # noqa: FBT001, FBT002  (the library's own)
        """Look at the nonce from which the keys are made. Raises NotTrusted."""
        await super().open_secure_channel(renew)
        protocol = self.uaclient.protocol
        if protocol is None or self.security_policy.URI == UNPROTECTED:
            return
        nonce = protocol._connection.remote_nonce  # noqa: SLF001  (kept nowhere else)
        if not (isinstance(nonce, bytes) and len(nonce) == CHANNEL_NONCE):
            raise NotTrusted(f"the server's nonce for the channel's keys is not {CHANNEL_NONCE} bytes long")

    async def create_session(self) -> ua.CreateSessionResult:
        """Say what it means where the library finds a signature or a certificate wrong. Raises NotTrusted."""
        try:
            return await super().create_session()
        except (InvalidSignature, TypeError):  # TypeError: there is no signature at all
            if self.security_policy.URI == UNPROTECTED:
                raise
            raise NotTrusted("the server does not prove that it has the key of its certificate") from None
        except UaError as error:
            if "certificate mismatch" not in str(error):
                raise
            raise NotTrusted("the server's certificate is another in the session than it was before") from None


@asynccontextmanager
async def closed_on_failure(client: Client) -> AsyncIterator[None]:
    """Close the session where its login fails: left to its timeout, a few of them keep everybody else out."""
    try:
        yield
    except Exception:
        with suppress(Exception):  # whatever becomes of it, the connection ends here
            async with asyncio.timeout(GOODBYE):
                await client.uaclient.close_session(delete_subscriptions=True)
        raise
