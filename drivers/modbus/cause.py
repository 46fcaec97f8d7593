"""Why a connection could not be made or is gone, in a word and a line."""

import os
import socket
import ssl
from typing import NamedTuple


class Cause(NamedTuple):
    """A stable word, and what a person can act on."""

    kind: str
    text: str


_TLS = {
    "WRONG_VERSION_NUMBER": "no TLS is spoken there",
    "CERTIFICATE_REQUIRED": "the device wants a certificate of the gateway; set tls.certificate and tls.private_key",
    "UNKNOWN_CA": "the device does not know the authority of the gateway's certificate, tls.certificate",
    "CERTIFICATE_EXPIRED": "the device says that the gateway's certificate has expired, tls.certificate",
    "BAD_CERTIFICATE": "the device refuses the gateway's certificate, tls.certificate",
    "CERTIFICATE_UNKNOWN": "the device refuses the gateway's certificate, tls.certificate",
    "UNSUPPORTED_CERTIFICATE": "the device refuses the kind of the gateway's certificate, tls.certificate",
    "CERTIFICATE_REVOKED": "the device says that the gateway's certificate is revoked, tls.certificate",
    "ACCESS_DENIED": "the device denies access to the gateway's certificate, tls.certificate",
    "HANDSHAKE_FAILURE": "the device breaks off; it may want a certificate of the gateway, tls.certificate",
    "PROTOCOL_VERSION": "the device speaks no TLS 1.2 or later",
    "UNSUPPORTED_PROTOCOL": "the device speaks no TLS 1.2 or later",
}
"""By what OpenSSL calls it, or a part of that: the alerts of RFC 8446, 6.2, and RFC 5246, 7.2."""
_BROKEN_OFF = "the device broke off in the middle of TLS; it may want a certificate of the gateway, tls.certificate"
_EXPIRED, _NOT_YET, _WRONG_HOST, _WRONG_ADDRESS = 10, 9, 62, 64
_UNKNOWN = {18, 19, 20, 21}
"""Self-signed, or signed by somebody whom nobody here named: X509_V_ERR_* of OpenSSL."""


def refused(error: OSError, *, encrypted: bool = False) -> Cause:
    """Return why no connection could be made."""
    if isinstance(error, ssl.SSLError):
        return _tls(error)
    if isinstance(error, ConnectionRefusedError):
        return Cause("refused", "connection refused; nothing listens there")
    if isinstance(error, socket.gaierror):
        return Cause("unknown_host", error.strerror or "unknown host")
    if encrypted and isinstance(error, ConnectionError):
        return Cause("tls", _BROKEN_OFF)
    return Cause("unreachable", os.strerror(error.errno) if error.errno else str(error) or type(error).__name__)


def broken(error: Exception | None, *, began_tls: bool = False) -> Cause:
    """Return why a connection is gone; `began_tls`: nothing but the beginning of TLS has been heard on it.

    In TLS 1.3 the device judges our certificate when we believe the handshake done already (RFC 8446, 4.4.2).
    """
    if isinstance(error, ssl.SSLError):
        return _tls(error)
    if began_tls and (error is None or isinstance(error, ConnectionError)):
        return Cause("tls", _BROKEN_OFF)
    if error is None:
        return Cause("disconnected", "the device closed the connection")
    return Cause("disconnected", f"the connection broke: {error}")


def _tls(error: ssl.SSLError) -> Cause:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Cause("not_trusted", _distrust(error))
    if isinstance(error, ssl.SSLEOFError):
        return Cause("tls", _BROKEN_OFF)
    reason = error.reason or str(error)
    for name, text in _TLS.items():
        if name in reason:
            return Cause("tls", text)
    return Cause("tls", f"TLS failed: {reason.replace('_', ' ').lower()}")


def _distrust(error: ssl.SSLCertVerificationError) -> str:
    code = error.verify_code
    if code == _EXPIRED:
        return "the device's certificate has expired, or that of its authority"
    if code == _NOT_YET:
        return "the device's certificate is not valid yet; is the clock right?"
    if code in {_WRONG_HOST, _WRONG_ADDRESS}:
        return f"the device's certificate is not made out to it: {error.verify_message}; see tls.server_name"
    if code in _UNKNOWN:
        return "the device's certificate is by no authority that tls.ca names"
    return f"the device's certificate is no good: {error.verify_message}"
