"""Who a command is put down to, and who is nobody."""

import dataclasses
import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from drivers.values import Secret
from gateway.control.command import Command, Signature
from gateway.control.keys import SharedSecret
from gateway.control.principal import Principals, SequenceUsed
from gateway.control.refusal import Refused
from gateway.control.sequences import Sequences
from gateway.control.settings import CommandSettings, KeySettings
from gateway.control.signing import sign
from gateway.storage.port import Loaded, Table

SECRETS = {name: f"{name}-secret-of-at-least-thirty-two-bytes" for name in ("op-1", "op-2")}
KEYS = {name: KeySettings(hmac=Secret(secret)) for name, secret in SECRETS.items()}
COMMAND = Command("write", id="a-1", writes={"boiler.burner": True})
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
EMPTY = Loaded({})


class StoppedClock:
    def monotonic(self) -> float:
        return 0.0

    def wall(self) -> float:
        return NOW.timestamp()


def principals(
    loaded: Loaded = EMPTY, *, require: bool = False, trust_topic: bool = False, trusted_time: bool = True
) -> Principals:
    settings = CommandSettings(require_signature=require, keys=KEYS)
    return Principals(
        "gw", settings, Sequences(loaded), StoppedClock(), trusts_time=lambda: trusted_time, trust_topic=trust_topic
    )


def signed(sequence: int = 1, key: str = "op-1", after: float = 10.0, gateway: str = "gw") -> Command:
    not_after = (NOW + timedelta(seconds=after)).isoformat()
    signer = SharedSecret(SECRETS[key].encode())
    return dataclasses.replace(COMMAND, signature=sign(COMMAND, gateway, key, sequence, not_after, signer))


def refusal(of: Principals, command: Command, topic: str | None = None) -> str:
    with pytest.raises(Refused) as refused:
        of.identify(command, topic)
    return refused.value.code


def test_whoever_proves_nothing_is_anonymous() -> None:
    found = principals().identify(COMMAND, None)
    assert (found.principal, found.changes()) == ("anonymous", ())
    assert principals().identify(COMMAND, "ann").principal == "anonymous"
    assert principals(trust_topic=True).identify(COMMAND, None).principal == "anonymous"


def test_a_topic_that_the_broker_vouches_for_names_the_principal() -> None:
    assert principals(trust_topic=True).identify(COMMAND, "ann").principal == "ann"


@pytest.mark.parametrize("name", ["gateway", "anonymous", "library", "", "a b", "+", "a" * 65, "ann\n", "é", "op-1"])
def test_no_topic_makes_anybody_what_they_cannot_be(name: str) -> None:
    assert refusal(principals(trust_topic=True), COMMAND, name) == "unauthenticated"


def test_where_signatures_are_required_nothing_else_counts() -> None:
    assert refusal(principals(require=True, trust_topic=True), COMMAND, "ann") == "unauthenticated"
    assert principals(require=True).identify(signed(), None).principal == "op-1"


@pytest.mark.parametrize("topic", [None, "ann", "gateway"])
def test_a_signature_counts_whatever_the_topic_says(topic: str | None) -> None:
    assert principals(trust_topic=True).identify(signed(), topic).principal == "op-1"


def tampered(**fields: Any) -> Command:
    command = signed()
    assert command.signature is not None
    return dataclasses.replace(command, signature=dataclasses.replace(command.signature, **fields))


@pytest.mark.parametrize(
    "command",
    [
        tampered(key="op-2"),
        tampered(key="op-3"),
        tampered(key="gateway"),
        tampered(sequence=2),
        tampered(not_after="2999-01-01T00:00:00Z"),
        tampered(value=""),
        tampered(value="A" * 512),
        tampered(value="no base64!"),
        dataclasses.replace(signed(), writes={"boiler.burner": False}),
        dataclasses.replace(signed(), id="a-2"),
        signed(gateway="gw2"),
    ],
    ids=["another key", "no key", "the gateway", "sequence", "time", "empty", "long", "text", "value", "id", "gateway"],
)
def test_a_signature_that_is_not_right_is_never_taken_for_none(command: Command) -> None:
    whole = principals(trust_topic=True)
    assert refusal(whole, command, "ann") == "unauthenticated"
    assert whole.identify(signed(), None).principal == "op-1", "nothing of it was used up"


def test_a_time_that_cannot_be_read_is_not_right_either() -> None:
    for not_after in ("", "soon", "2026-01-02T03:04:15", "12", "9999-99-99T00:00:00Z"):
        signature = sign(COMMAND, "gw", "op-1", 1, not_after, SharedSecret(SECRETS["op-1"].encode()))
        assert refusal(principals(), dataclasses.replace(COMMAND, signature=signature)) == "unauthenticated"


def test_it_holds_until_its_time_and_no_longer() -> None:
    assert principals().identify(signed(after=0), None).principal == "op-1"
    assert refusal(principals(), signed(after=-0.001)) == "expired"


def test_a_clock_that_is_not_trusted_lets_no_signature_hold() -> None:
    doubtful = principals(trusted_time=False)
    assert refusal(doubtful, signed()) == "time_untrusted"
    assert refusal(doubtful, signed(after=-1)) == "expired"
    assert doubtful.identify(COMMAND, None).principal == "anonymous"


def test_a_sequence_counts_once_and_must_rise() -> None:
    whole = principals()
    assert whole.identify(signed(5), None).principal == "op-1"
    for sequence in (5, 4, 0):
        with pytest.raises(SequenceUsed, match="has used sequence") as refused:
            whole.identify(signed(sequence), None)
        assert (refused.value.code, refused.value.principal) == ("unauthenticated", "op-1")
    assert whole.identify(signed(5, key="op-2"), None).principal == "op-2", "each key has its own"
    assert whole.identify(signed(2**63 - 1), None).principal == "op-1"


def test_a_sequence_is_not_used_up_by_what_is_refused() -> None:
    whole = principals()
    assert refusal(whole, signed(9, after=-1)) == "expired"
    assert whole.identify(signed(9), None).principal == "op-1"


def test_the_mark_survives_a_restart_also_where_an_older_command_reaches_the_disk_last() -> None:
    whole = principals()
    first, second = whole.identify(signed(5), None), whole.identify(signed(6), None)
    disk: dict[str, Mapping[str, Any]] = {}
    for each in (second, first):
        for change in each.changes():
            assert change.table is Table.SEQUENCES
            assert change.value is not None
            disk[change.key] = json.loads(json.dumps(change.value))
    again = principals(Loaded(disk))
    assert refusal(again, signed(6)) == "unauthenticated"
    assert again.identify(signed(7), None).principal == "op-1"


DAMAGED = [
    Loaded({}, damaged=True),
    Loaded({"op-1": {"sequence": 3}}, damaged=True),
    Loaded({"op-9": {}}),
    Loaded({"op-9": {"sequence": "3"}}),
    Loaded({"op-9": {"sequence": True}}),
]


@pytest.mark.parametrize("loaded", DAMAGED, ids=range(5))
def test_with_a_damaged_list_of_sequences_nobody_signs(loaded: Loaded) -> None:
    whole = principals(loaded, trust_topic=True)
    with pytest.raises(Refused, match="the list of used sequences is damaged") as refused:
        whole.identify(signed(2**62), None)
    assert refused.value.code == "unauthenticated"
    assert whole.identify(COMMAND, "ann").principal == "ann"


def test_10_000_forgeries_are_refused_and_use_nothing_up() -> None:
    whole, rng = principals(), random.Random(7)
    genuine = signed(10).signature
    assert genuine is not None
    for _ in range(10_000):
        value = bytearray(genuine.value.encode())
        value[rng.randrange(43)] ^= 1 << rng.randrange(7)  # the 44th is padding
        forged = Signature("op-1", rng.randrange(2**63), genuine.not_after, value.decode("latin-1"))
        assert refusal(whole, dataclasses.replace(COMMAND, signature=forged)) == "unauthenticated"
    assert whole.identify(signed(10), None).principal == "op-1"
