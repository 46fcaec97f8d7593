"""Why there is no connection to the broker, in words that say what to do."""

import ssl

from gateway.errors import GatewayError
from gateway.northbound.address import BrokerAddress
from gateway.northbound.wire import CONNECT_TIMEOUT

UNSUPPORTED_VERSION = 132
"""Reason code 0x84; paho reads code 1 of a 3.1.1 CONNACK as the same."""
_LOGIN_REFUSED = {134, 135}


class LinkDown(GatewayError):
    """There is no connection to the broker, or no longer; the text says why, in one line."""


class ConnectRefused(LinkDown):
    """The broker answered CONNECT with a reason code of failure."""

    def __init__(self, address: BrokerAddress, reason: str, code: int) -> None:
        hint = "; check mqtt.username and mqtt.password" if code in _LOGIN_REFUSED else ""
        super().__init__(f"{address.url}: the broker refused the connection: {reason} ({code}){hint}")
        self.code = code


def explain(fault: OSError, address: BrokerAddress) -> str:
    """Return what a socket's error means, without the address."""
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not trusted: {fault.verify_message}; check mqtt.tls.ca and the host name"
    if isinstance(fault, ssl.SSLError):
        return f"TLS failed: {fault.reason or fault}; check that the broker speaks TLS at this port, and mqtt.tls"
    if isinstance(fault, TimeoutError):
        return f"no answer from {address.host} within {CONNECT_TIMEOUT:g} s"
    if isinstance(fault, ConnectionRefusedError):
        return "connection refused; is the broker running?"
    return fault.strerror or str(fault)
