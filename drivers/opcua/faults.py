"""What the library and the wire raise, as a kind and a cause that a person can act on."""

import re
from socket import gaierror

from asyncua import ua
from asyncua.ua.uaerrors import UaError, UaStatusCodeError

from drivers.errors import DeviceFault

_KNOWN = {
    "BadIdentityTokenRejected": ("identity_rejected", "the server refuses the login; check username and password"),
    "BadIdentityTokenInvalid": ("identity_rejected", "the server wants another login; check username and password"),
    "BadUserSignatureInvalid": ("identity_rejected", "the server refuses the signature of the user's key"),
    "BadUserAccessDenied": ("user_denied", "the server denies the user access; check username, password and rights"),
    "BadCertificateUntrusted": ("certificate_refused", "the server does not trust the gateway's certificate"),
    "BadSecurityChecksFailed": ("certificate_refused", "the server does not accept the gateway's certificate"),
    "BadCertificateTimeInvalid": ("certificate_refused", "the server finds the gateway's certificate out of date"),
    "BadCertificateUriInvalid": ("certificate_refused", "the server refuses the gateway's application URI"),
    "BadNoValidCertificates": ("certificate_refused", "the server has no valid certificate of the gateway or itself"),
    "BadApplicationSignatureInvalid": ("certificate_refused", "the server refuses the signature of the gateway's key"),
    "BadSecurityPolicyRejected": ("policy_not_offered", "the server does not offer this security policy"),
    "BadSecurityModeRejected": ("policy_not_offered", "the server does not offer this security mode"),
    "BadSecurityModeInsufficient": ("policy_not_offered", "the server wants a stronger security mode"),
    "BadTooManySessions": ("too_many_sessions", "the server has no session left; close other clients"),
    "BadTcpEndpointUrlInvalid": ("bad_url", "the server knows no such path; check the url"),
    "BadNoSubscription": ("subscription_lost", "the server dropped the subscription"),
    "BadSubscriptionIdInvalid": ("subscription_lost", "the server dropped the subscription"),
    "BadSessionIdInvalid": ("session_lost", "the server dropped the session"),
    "BadSessionClosed": ("session_lost", "the server closed the session"),
    "BadSecureChannelClosed": ("connection_lost", "the server closed the secure channel"),
}
"""Status codes of services that deserve more than their name."""

FATAL = frozenset({"connection_lost", "session_lost", "subscription_lost"})
"""Kinds after which the connection is of no more use."""

TOO_MUCH = frozenset({"too_many_operations", "request_too_large", "response_too_large", "encoding_limits_exceeded"})
"""Kinds after which the same may be asked again in smaller portions."""

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def explain(error: Exception) -> tuple[str, str]:
    """Return the kind of a fault, one lower-case word, and its cause in a few words."""
    if isinstance(error, DeviceFault):
        return error.kind, str(error)
    if isinstance(error, UaStatusCodeError):
        return _explain_status(ua.StatusCode(ua.UInt32(error.code)).name)
    if isinstance(error, OSError):
        return _explain_wire(error)
    if isinstance(error, UaError) and "No matching endpoints" in str(error):
        return "policy_not_offered", "the server does not offer the security policy and mode that are set"
    return "bad_reply", f"the server's answer makes no sense: {str(error) or type(error).__name__}"


def one_line(text: str) -> str:
    """Return a text with words of the server's own, so that it still is one line of some length."""
    return " ".join(text.split())[:300]


def _explain_status(name: str) -> tuple[str, str]:
    if name in _KNOWN:
        return _KNOWN[name]
    if name.startswith("BadCertificate"):
        return "certificate_refused", f"the server refuses the gateway's certificate: {name}"
    return _to_kind(name), f"the server says {name}"


def _explain_wire(error: OSError) -> tuple[str, str]:
    if isinstance(error, TimeoutError):
        return "timeout", "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "refused", "connection refused; is the server running?"
    if isinstance(error, gaierror):
        return "unknown_host", "the host name is not known"
    return "connection_lost", f"the connection broke: {error.strerror or error}"


def _to_kind(name: str) -> str:
    return _WORDS.sub("_", name.removeprefix("Bad")).lower() or "bad"
