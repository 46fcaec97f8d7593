"""Reading from a broker, for commands and checks: what the patterns match, as it comes."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from gateway.northbound.connection import Connection
from gateway.northbound.faults import LinkDown
from gateway.northbound.session import Received
from gateway.northbound.settings import MqttSettings

__all__ = ["LinkDown", "Received", "subscribed"]


@asynccontextmanager
async def subscribed(settings: MqttSettings, patterns: Sequence[str]) -> AsyncIterator[AsyncIterator[Received]]:
    """Connect and subscribe; hand out the messages, retained ones first.

    Of the settings it uses the address, the login, TLS and the client id (the broker gives one where absent).
    Raises LinkDown with one clear line where there is no connection, and from the iterator once it is lost.
    """
    connection = Connection(settings, settings.client_id or "")
    await connection.open()
    try:
        await connection.subscribe(patterns)
        yield connection.received()
    finally:
        connection.disconnect()
