"""Two commands are the same one where they ask for the same."""

from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

import pytest

from gateway.control.command import Command, Signature
from gateway.control.command_digest import digest_of

COMMAND = Command("write", writes={"boiler.a": 1, "boiler.b": True})


def test_the_id_and_the_signature_are_no_part_of_it() -> None:
    signed = replace(COMMAND, id="7", signature=Signature("ann", 1, "", ""))
    assert digest_of(signed) == digest_of(COMMAND)


@pytest.mark.parametrize(
    "change",
    [
        {"verb": "relinquish"},
        {"actor": "me"},
        {"reason": "why"},
        {"expires_at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"writes": {"boiler.a": 1}},
        {"writes": {"boiler.b": True, "boiler.a": 1}},
        {"writes": {"boiler.a": 1.0, "boiler.b": True}},
        {"writes": {"boiler.a": 1, "boiler.b": 1}},
        {"tags": ("boiler.a",)},
        {"name": "nox"},
        {"seconds": 5.0},
        {"hold": 5.0},
        {"priority": "high"},
        {"key": "api"},
        {"locks": MappingProxyType({"turbine": 3})},
    ],
    ids=lambda change: "-".join(f"{key} {value!s:.40}" for key, value in change.items()),
)
def test_every_other_field_makes_another_command(change: dict[str, object]) -> None:
    assert digest_of(replace(COMMAND, **change)) != digest_of(COMMAND)  # type: ignore[arg-type]
