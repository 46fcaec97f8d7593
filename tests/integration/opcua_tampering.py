"""What somebody could do to the answers of a server, done inside the real one; and what it is asked on the way in."""

from collections.abc import Callable
from copy import copy
from typing import Any

import asyncua
from asyncua.common.connection import SecureConnection
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.server.internal_session import InternalSession
from asyncua.server.uaprocessor import UaProcessor

ua: Any = asyncua.ua  # its types refuse the plain values that it documents


def tamper(tampering: str, authorities: bytes, note: Callable[[str], None]) -> None:
    """Change how this process serves: `tampering` names a function below; `authorities` follow its certificate.

    `note` is told of every session that is created, of every attempt to log in, and of certificates that come with
    their authorities.
    """
    processor: Any = UaProcessor
    send = processor.send_response
    change = globals()[f"_{tampering}"] if tampering else None

    def send_changed(self: Any, handle: Any, header: Any, response: Any, *further: Any) -> Any:
        if isinstance(response, ua.CreateSessionResponse):
            note("create_session")
        if isinstance(response, ua.GetEndpointsResponse):
            for endpoint in response.Endpoints:
                endpoint.ServerCertificate = (endpoint.ServerCertificate or b"") + authorities
        if change is not None:
            change(response)
        return send(self, handle, header, response, *further)

    processor.send_response = send_changed
    if tampering == "short_channel_nonce":
        SecurityPolicyBasic256Sha256.secure_channel_nonce_length = 8
    _watch_logins(note)
    _watch_certificates(note)


def _watch_certificates(note: Callable[[str], None]) -> None:
    connection: Any = SecureConnection
    select = connection.select_policy

    def select_noted(self: Any, uri: Any, sent: bytes | None, *further: Any) -> None:
        if sent and len(sent) > int.from_bytes(sent[2:4], "big") + 4:
            note("certificate_chain")
        select(self, uri, sent, *further)

    connection.select_policy = select_noted


def _watch_logins(note: Callable[[str], None]) -> None:
    session: Any = InternalSession
    activate = session.activate_session

    def activate_noted(self: Any, params: Any, certificate: Any) -> Any:
        note("activate_session")
        token = params.UserIdentityToken
        if getattr(token, "Password", None) and not token.EncryptionAlgorithm:
            note("plain_password")
        return activate(self, params, certificate)

    session.activate_session = activate_noted


def _short_channel_nonce(response: Any) -> None:
    """Make the server's half of the channel's keys easy to guess."""


def _short_session_nonce(response: Any) -> None:
    if isinstance(response, ua.CreateSessionResponse):
        response.Parameters.ServerNonce = bytes(8)


def _another_certificate(response: Any) -> None:
    if isinstance(response, ua.CreateSessionResponse):
        certificate = bytearray(response.Parameters.ServerCertificate)
        certificate[-1] ^= 1
        response.Parameters.ServerCertificate = bytes(certificate)


def _no_certificate(response: Any) -> None:
    if isinstance(response, ua.CreateSessionResponse):
        response.Parameters.ServerCertificate = None


def _another_signature(response: Any) -> None:
    if isinstance(response, ua.CreateSessionResponse):
        signature = bytearray(response.Parameters.ServerSignature.Signature)
        signature[-1] ^= 1
        response.Parameters.ServerSignature.Signature = bytes(signature)


def _no_signature(response: Any) -> None:
    if isinstance(response, ua.CreateSessionResponse):
        response.Parameters.ServerSignature.Signature = None


def _hidden_endpoint(response: Any) -> None:
    """Keep the stronger of two endpoints from whoever asks what there is."""
    if isinstance(response, ua.GetEndpointsResponse):
        response.Endpoints = response.Endpoints[1:]


def _weaker_login(response: Any) -> None:
    """Say, where nothing is signed yet, that a password needs no encryption."""
    if isinstance(response, ua.GetEndpointsResponse):
        for endpoint in response.Endpoints:
            endpoint.UserIdentityTokens = [copy(each) for each in endpoint.UserIdentityTokens]
            for each in endpoint.UserIdentityTokens:
                each.SecurityPolicyUri = "http://opcfoundation.org/UA/SecurityPolicy#None"


def _another_name(response: Any) -> None:
    if isinstance(response, ua.CreateSessionResponse):
        for endpoint in response.Parameters.ServerEndpoints:
            endpoint.Server.ApplicationUri = "urn:another"


def _plain_login(response: Any) -> None:
    """Take passwords as they are, at every endpoint."""
    _set_login(response, "None")


def _broken_login(response: Any) -> None:
    """Take passwords only as a broken policy encrypts them."""
    _set_login(response, "Basic128Rsa15")


def _plain_login_first(response: Any) -> None:
    """Take passwords as they are as well, and say so before the better way."""
    for endpoint in _endpoints(response):
        plain = [copy(each) for each in endpoint.UserIdentityTokens]
        for each in plain:
            each.SecurityPolicyUri = "http://opcfoundation.org/UA/SecurityPolicy#None"
        endpoint.UserIdentityTokens = [*plain, *endpoint.UserIdentityTokens]


def _set_login(response: Any, policy: str) -> None:
    for endpoint in _endpoints(response):
        endpoint.UserIdentityTokens = [copy(each) for each in endpoint.UserIdentityTokens]
        for each in endpoint.UserIdentityTokens:
            each.SecurityPolicyUri = f"http://opcfoundation.org/UA/SecurityPolicy#{policy}"


def _endpoints(response: Any) -> Any:
    if isinstance(response, ua.GetEndpointsResponse):
        return response.Endpoints
    return response.Parameters.ServerEndpoints if isinstance(response, ua.CreateSessionResponse) else ()
