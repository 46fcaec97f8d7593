import socket

import pytest
from asyncua import ua
from asyncua.ua.uaerrors import UaError, UaStatusCodeError

from drivers.errors import LinkLost
from drivers.opcua.faults import explain, one_line


def status(code: int) -> Exception:
    return UaStatusCodeError(code)  # type: ignore[no-untyped-call]  # without types


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (status(0x80210000), "identity_rejected", "check username and password"),
        (status(0x801F0000), "user_denied", "rights"),
        (status(0x801A0000), "certificate_refused", "does not trust"),
        (status(0x801D0000), "certificate_refused", "BadCertificateRevoked"),
        (status(0x80250000), "session_lost", "dropped the session"),
        (status(0x80100000), "too_many_operations", "BadTooManyOperations"),
        (status(0x800B0000), "service_unsupported", "BadServiceUnsupported"),
        (UaError("No matching endpoints: 3, x"), "policy_not_offered", "security policy"),
        (TimeoutError(), "timeout", "no answer in time"),
        (ConnectionRefusedError(111, "refused"), "refused", "is the server running?"),
        (socket.gaierror(-2, "unknown"), "unknown_host", "host name"),
        (ConnectionResetError(104, "Connection reset by peer"), "connection_lost", "Connection reset by peer"),
        (ConnectionError("connection lost"), "connection_lost", "connection lost"),
        (LinkLost("not_trusted", "whoever"), "not_trusted", "whoever"),
        (KeyError("x"), "bad_reply", "makes no sense"),
        (ValueError(), "bad_reply", "ValueError"),
    ],
)
def test_whatever_is_raised_becomes_a_kind_and_a_cause(error: Exception, kind: str, words: str) -> None:
    found, cause = explain(error)
    assert found == kind
    assert words in cause


def test_every_status_code_becomes_one_word() -> None:
    for code in (value for name, value in vars(ua.status_codes.StatusCodes).items() if name.startswith("Bad")):
        kind, _ = explain(status(code))
        assert kind.isidentifier()
        assert kind == kind.lower()


def test_the_words_of_a_server_stay_on_one_line_of_some_length() -> None:
    assert one_line("two\nlines\r\n and\ttabs") == "two lines and tabs"
    assert len(one_line("x" * 10_000)) == 300
