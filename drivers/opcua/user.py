"""Who logs in, and how: the one user token policy of the server that shows nobody a secret.

The library takes the first policy of a kind, whatever it asks for, and makes one up where there is none.
"""

from collections.abc import Sequence
from dataclasses import replace

from asyncua import ua
from asyncua.crypto.uacrypto import x509_from_der

from drivers.errors import LinkLost
from drivers.opcua.policies import MIN_PADDING, PROTECTING, UNPROTECTED
from drivers.opcua.settings import OpcUaDevice

_ASKED = {
    ua.UserTokenType.Anonymous: "an anonymous user",
    ua.UserTokenType.UserName: "a user name",
    ua.UserTokenType.Certificate: "a user's certificate",
}


def choose_token_policy(device: OpcUaDevice, endpoint: ua.EndpointDescription) -> ua.UserTokenPolicy:
    """Return the policy by which to log in. Raises LinkLost where none of the endpoint's will do."""
    kind = _kind(device)
    offered = [_complete(each, endpoint) for each in endpoint.UserIdentityTokens or () if each.TokenType == kind]
    if kind == ua.UserTokenType.Anonymous and (offered or not endpoint.UserIdentityTokens):
        return offered[0] if offered else ua.UserTokenPolicy()
    if not offered:
        raise LinkLost("identity_not_offered", f"the server does not take {_ASKED[kind]} here; check the login")
    fit = [each for each in offered if each.SecurityPolicyUri in PROTECTING]
    if fit:
        return fit[0]
    if kind == ua.UserTokenType.UserName and _may_be_open(device):
        fit = [each for each in offered if each.SecurityPolicyUri == UNPROTECTED]
        if fit:
            return fit[0]
    raise _refusal(device, offered)


def check_password_fits(password: str, policy: ua.UserTokenPolicy, session: ua.CreateSessionResult) -> None:
    """Raise LinkLost for a password that is too long for the library, which encrypts no more than one block."""
    if policy.SecurityPolicyUri not in PROTECTING:
        return
    key = x509_from_der(session.ServerCertificate).public_key()  # type: ignore[no-untyped-call]  # without types
    most = key.key_size // 8 - MIN_PADDING[policy.SecurityPolicyUri] - 4 - len(session.ServerNonce or b"")
    if not len(password.encode()) <= most:
        raise LinkLost("password_too_long", f"the password is longer than the {most} bytes that can be encrypted")


def _kind(device: OpcUaDevice) -> ua.UserTokenType:
    if device.user_certificate is not None:
        return ua.UserTokenType.Certificate
    return ua.UserTokenType.Anonymous if device.username is None else ua.UserTokenType.UserName


def _complete(policy: ua.UserTokenPolicy, endpoint: ua.EndpointDescription) -> ua.UserTokenPolicy:
    """Put in what an empty URI stands for: the endpoint's own policy (OPC 10000-4, 7.41)."""
    return policy if policy.SecurityPolicyUri else replace(policy, SecurityPolicyUri=endpoint.SecurityPolicyUri)


def _may_be_open(device: OpcUaDevice) -> bool:
    security = device.security
    return security.mode == "SignAndEncrypt" or security.plain_password or device.password is None


def _refusal(device: OpcUaDevice, offered: Sequence[ua.UserTokenPolicy]) -> LinkLost:
    if any(each.SecurityPolicyUri == UNPROTECTED for each in offered) and device.user_certificate is None:
        return LinkLost(
            "password_exposed",
            "the server would take the password unencrypted; set security.mode: SignAndEncrypt, "
            "or allow it with security.plain_password: true",
        )
    names = ", ".join(sorted({(each.SecurityPolicyUri or "").rpartition("#")[2] for each in offered}))
    return LinkLost("policy_not_offered", f"the server takes the login only by {names}, which is refused")
