"""docs/commands.md is a page that can be trusted: its tables are complete and every example in it works."""

import asyncio
import json
import os
import re
import subprocess
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.values import Secret
from gateway.cli.verdict import exit_code
from gateway.clock import SystemClock
from gateway.control.authority import Authority
from gateway.control.command import _KEYS, _SHARED, VERBS, read_command
from gateway.control.principal import Principals
from gateway.control.refusal import Refused
from gateway.control.reply import CODES, Outcome
from gateway.control.sequences import Sequences
from gateway.control.settings import CommandSettings, KeySettings
from gateway.settings.load import load
from gateway.storage.port import Loaded
from tests.integration.answering_gateway import Answer, Fields, answering, apply
from tests.servers import ROOT, Mosquitto, library_path, mosquitto, program

PAGE = (ROOT / "docs" / "commands.md").read_text()
GATEWAY = "boiler-house"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def rows(first: str) -> dict[str, list[str]]:
    """The table whose head begins with a word: by what its rows begin with, several names in one cell apart."""
    table = PAGE.split(f"\n| {first} | ")[1].split("\n\n")[0]
    found: dict[str, list[str]] = {}
    for line in table.splitlines()[2:]:
        name, *cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        found |= {each.strip(" `"): cells for each in name.split(",")}
    return found


def test_every_code_has_a_row_and_no_other_has() -> None:
    assert rows("code").keys() == CODES


def test_every_outcome_has_a_row_with_its_exit_code() -> None:
    table = rows("outcome")
    assert table.keys() == set(Outcome)
    assert {name: int(cells[1]) for name, cells in table.items()} == {
        each.value: exit_code({"outcome": each.value}) for each in Outcome
    }


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_row_with_its_fields(verb: str) -> None:
    (cell,) = rows("verb")[verb]
    assert [key for key in _KEYS[verb] - _SHARED if f"`{key}`" not in cell] == []
    assert [key for key in _SHARED if f"`{key}`" not in PAGE] == []


def test_its_reply_is_one() -> None:
    (example,) = blocks("json")
    reply = json.loads(example)
    assert reply["outcome"] in set(Outcome)
    assert exit_code(reply) == 0


def test_its_configuration_is_in_order_and_grants_what_it_says(tmp_path: Path) -> None:
    (example,) = blocks("yaml")
    file = tmp_path / "example.yaml"
    file.write_text(f"gateway: {{id: {GATEWAY}}}\n{example}")
    (tmp_path / "optimizer").write_text("0123456789abcdef0123456789abcdef\n")
    settings, notes = load(file, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert [note for note in notes if "there are no devices" not in note] == []
    assert settings.commands.keys["optimizer"].hmac == "0123456789abcdef0123456789abcdef"
    authority = Authority(settings.authority)
    assert authority.may_name("operator-1", "reset", ("boiler.drum_level", "boiler.burner_enable"))
    assert not authority.may_name("operator-1", "reset", ())
    assert authority.may("anonymous", "ack", "boiler.drum_level")
    assert not authority.may("anonymous", "write", "boiler.temperature_setpoint")


def believing(folder: Path, keys: dict[str, KeySettings]) -> Answer:
    """Answer as a gateway that knows these keys, and those whose files lie in the folder."""

    def answer(topic: str, fields: Fields) -> Fields:
        verb: Any = topic.split("/", maxsplit=1)[0]
        who = Principals(
            *(GATEWAY, CommandSettings(keys=keys | made(folder)), Sequences(Loaded({})), SystemClock()),
            trusts_time=lambda: True,
            trust_topic=True,
        )
        named = topic.split("/")[1] if "/" in topic else None
        try:
            found = who.identify(read_command(verb, json.dumps(fields).encode()), named).principal
        except Refused as refused:
            return {**apply(topic, fields), "outcome": "refused", "code": refused.code, "message": str(refused)}
        return {**apply(topic, fields), "message": f"by {found}"}

    return answer


def made(folder: Path) -> dict[str, KeySettings]:
    pem, secret = folder / "operator-1.pem", folder / "optimizer.secret"
    if not secret.exists():
        return {}
    public = subprocess.run(["openssl", "pkey", "-in", str(pem), "-pubout"], check=True, capture_output=True).stdout
    return {
        "operator-1": KeySettings(ed25519=public.decode().splitlines()[1]),
        "optimizer": KeySettings(hmac=Secret(secret.read_text().strip())),
    }


def put_on_path(folder: Path, broker: Mosquitto) -> dict[str, str]:
    """Return an environment in which the page's programs are ours, and the broker is the test's."""
    tools = folder / "tools"
    tools.mkdir()
    for name, line in commands(broker):
        file = tools / name
        file.write_text(f"#!/bin/sh\nexec {line}\n")
        file.chmod(0o755)
    return library_path() | {"PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


def commands(broker: Mosquitto) -> Iterator[tuple[str, str]]:
    yield "plantgate", f'{sys.executable} -m gateway "$@" --mqtt {broker.url} --gateway {GATEWAY}'
    for name in ("mosquitto_pub", "mosquitto_sub"):
        yield name, f'{program(name)} -p {broker.port} "$@"'


async def run(script: str, folder: Path, environ: dict[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *("sh", "-euc", script), cwd=folder, env=environ, stdout=PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(55):
        out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


@pytest.mark.real
@pytest.mark.timeout(120)
async def test_every_line_that_it_tells_to_type_works(tmp_path: Path) -> None:
    sending, publishing, _, making, signing = blocks("sh")
    async with mosquitto(tmp_path) as broker, answering(broker, GATEWAY) as gateway:
        environ = put_on_path(tmp_path, broker)
        gateway.answer = believing(tmp_path, {})
        out = await run(sending, tmp_path, environ)
        assert out.count("applied: by anonymous") == len(sending.splitlines()) == len(gateway.commands)
        assert {topic for topic, _ in gateway.commands} == set(VERBS)
        (reply,) = [json.loads(line) for line in (await run(publishing, tmp_path, environ)).splitlines()]
        assert (reply["id"], reply["message"]) == ("start-17", "by anonymous")
        assert re.fullmatch(r"MCow[A-Za-z0-9+/]{55}=\n", await run(making, tmp_path, environ))
        out = await run(signing, tmp_path, environ)
        assert [line for line in out.splitlines() if "applied:" in line and "by" in line] == [
            "applied: by operator-1",
            "applied: by optimizer",
        ]


@pytest.mark.real
async def test_its_program_signs_as_the_gateway_wants_it(tmp_path: Path) -> None:
    (tmp_path / "sign.py").write_text(*blocks("python"))
    (tmp_path / "secret").write_text("0123456789abcdef0123456789abcdef\n")
    printed = await run(f"{sys.executable} sign.py secret", tmp_path, dict(os.environ))
    keys = {"optimizer": KeySettings(hmac=Secret("0123456789abcdef0123456789abcdef"))}
    reply = believing(tmp_path, keys)("write", json.loads(printed))
    assert reply is not None
    assert reply["message"] == "by optimizer"


@pytest.mark.real
async def test_its_rules_let_each_user_write_below_its_own_name(tmp_path: Path) -> None:
    rules, passwords, _ = tmp_path / "rules", tmp_path / "passwords", (tmp_path / "ann.password").write_text("secret\n")
    rules.write_text("user ours\ntopic readwrite #\n" + blocks("acl")[0])
    create = " && ".join(
        f"{program('mosquitto_passwd')} -b {'-c' if name == 'ours' else ''} {passwords} {name} secret"
        for name in ("ours", "ann")
    )
    await run(create, tmp_path, library_path())
    lines = ["user root", "allow_anonymous false", f"password_file {passwords}", f"acl_file {rules}"]
    ours = {"username": "ours", "password": "secret"}
    async with mosquitto(tmp_path, *lines) as broker, answering(broker, GATEWAY, **ours) as gateway:
        gateway.answer = believing(tmp_path, {})
        environ = put_on_path(tmp_path, broker)
        command = blocks("sh")[2].strip()
        assert (await run(command, tmp_path, environ)).startswith("applied: by ann\n")
        for wrong in (command.replace("--as ann", "--as bob"), command.replace("--as ann", "")):
            out = await run(f"{wrong} && exit 1 || true", tmp_path, environ)
            assert "not authorized (135); nothing was carried out" in out
        assert len(gateway.commands) == 1
