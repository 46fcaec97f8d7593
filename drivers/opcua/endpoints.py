"""What a server offers: the one endpoint that is configured, and whether the offer stays what it was.

What is heard before the channel is protected anybody can have said; the session's answer is the server's own.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from asyncua import ua

from drivers.errors import LinkLost
from drivers.opcua.policies import MODES, POLICIES, SESSION_NONCE
from drivers.opcua.security_settings import OpcUaSecurity
from drivers.opcua.trust import NotTrusted

TRANSPORT = "http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary"


def choose_endpoint(offered: Sequence[ua.EndpointDescription], security: OpcUaSecurity) -> ua.EndpointDescription:
    """Return the endpoint with the policy and mode that are configured. Raises LinkLost where there is none."""
    wanted = POLICIES[security.policy].URI, MODES[security.mode]
    for each in _ours(offered):
        if (each.SecurityPolicyUri, each.SecurityMode) == wanted:
            return each
    names = ", ".join(sorted({_describe(each) for each in offered})) or "nothing"
    raise LinkLost("policy_not_offered", f"no {security.policy} {security.mode} is offered, only {names}")


def check_session(answer: ua.CreateSessionResult, discovered: Sequence[ua.EndpointDescription]) -> None:
    """Raise NotTrusted unless the answer to CreateSession bears out what was heard before (OPC 10000-4, 5.5.1)."""
    length = len(answer.ServerNonce or b"")
    if not length >= SESSION_NONCE:
        raise NotTrusted(f"the server's nonce has {length} bytes, and fewer than {SESSION_NONCE} can be guessed")
    before, after = _ours(discovered), _ours(answer.ServerEndpoints)
    same = Counter(map(_identify, before)) == Counter(map(_identify, after))
    if not (same and _named(after) <= _named(before)):
        raise NotTrusted("the server's endpoints are others than it offered before; somebody may stand in between")


def _ours(endpoints: Sequence[ua.EndpointDescription]) -> list[ua.EndpointDescription]:
    return [each for each in endpoints or () if each.TransportProfileUri in {TRANSPORT, "", None}]


def _identify(endpoint: ua.EndpointDescription) -> tuple[Any, ...]:
    # Its URL is left out: it is never followed, and servers behind other names write it as they please.
    tokens = sorted(
        (each.PolicyId or "", int(each.TokenType), each.IssuedTokenType or "", each.SecurityPolicyUri or "")
        for each in endpoint.UserIdentityTokens or ()
    )
    return endpoint.SecurityPolicyUri or "", int(endpoint.SecurityMode), int(endpoint.SecurityLevel), tuple(tokens)


def _named(endpoints: Sequence[ua.EndpointDescription]) -> set[str]:
    # Servers before 1.05 may leave the application URI out of the session's answer.
    return {each.Server.ApplicationUri for each in endpoints if each.Server.ApplicationUri}


def _describe(endpoint: ua.EndpointDescription) -> str:
    policy = (endpoint.SecurityPolicyUri or "").rpartition("#")[2]
    return f"{policy} {endpoint.SecurityMode.name}".replace("None None_", "None")
