"""What the section `commands` takes."""

from typing import Any

import pytest

from drivers.values import Seconds, Secret
from gateway.control.settings import RESERVED, CommandSettings, KeySettings

SECRET = Secret("0123456789abcdef0123456789abcdef")


def test_by_itself_it_takes_what_the_contract_says() -> None:
    assert CommandSettings() == CommandSettings(Seconds(10), 100, require_signature=False, keys={})


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"max_age": 0}, "max_age: 0 s is not within 100ms and 60s"),
        ({"max_age": 61}, "max_age: 61 s is not within 100ms and 60s"),
        ({"max_age": float("nan")}, "max_age: nan s is not within"),
        ({"queue": 0}, "queue: 0 is not within 1 and 10000"),
        ({"queue": 10_001}, "queue: 10001 is not within 1 and 10000"),
        ({"require_signature": True}, "require_signature: nobody could send a command; `keys` is empty"),
        ({"keys": {"a b": KeySettings(hmac=SECRET)}}, "keys: 'a b' does not fit"),
    ],
    ids=str,
)
def test_what_could_not_work_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        CommandSettings(**keys)


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_no_key_makes_anybody_what_they_cannot_be(name: str) -> None:
    with pytest.raises(ValueError, match=f"^keys.{name}: nobody can prove to be '{name}'"):
        CommandSettings(keys={name: KeySettings(hmac=SECRET)})


def test_a_secret_is_never_shown() -> None:
    assert SECRET not in repr(CommandSettings(keys={"op-1": KeySettings(hmac=SECRET)}))
