"""Commands of somebody in particular: signed, logged in at the broker, over TLS."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from drivers.values import Secret
from gateway.clock import SystemClock
from gateway.control.command import read_command
from gateway.control.principal import Principals
from gateway.control.refusal import Refused
from gateway.control.sequences import Sequences
from gateway.control.settings import CommandSettings, KeySettings
from gateway.storage.port import Loaded
from tests.integration.answering_gateway import Answer, AnsweringGateway, Fields, answering, apply
from tests.integration.mqtt_certificates import Authority
from tests.integration.plantgate_command import plantgate
from tests.servers import Mosquitto, library_path, mosquitto, program

pytestmark = pytest.mark.real


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
async def gateway(broker: Mosquitto) -> AsyncIterator[AnsweringGateway]:
    async with answering(broker) as answerer:
        yield answerer


def principals(key: KeySettings) -> Principals:
    return Principals(
        *(
            "gw",
            CommandSettings(require_signature=True, keys={"operator-1": key}),
            Sequences(Loaded({})),
            SystemClock(),
        ),
        trusts_time=lambda: True,
        trust_topic=False,
    )


def identifying(who: Principals) -> Answer:
    def answer(topic: str, fields: Fields) -> Fields:
        try:
            found = who.identify(read_command("write", json.dumps(fields).encode()), None).principal
        except Refused as refused:
            return {**apply(topic, fields), "outcome": "refused", "code": refused.code, "message": str(refused)}
        return {**apply(topic, fields), "message": found}

    return answer


def ed25519_key(folder: Path) -> tuple[Path, KeySettings]:
    file = folder / "operator-1.pem"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(file)], check=True, capture_output=True)
    public = subprocess.run(["openssl", "pkey", "-in", str(file), "-pubout"], check=True, capture_output=True).stdout
    return file, KeySettings(ed25519=public.decode().splitlines()[1])


def shared_secret(folder: Path) -> tuple[Path, KeySettings]:
    file = folder / "operator-1.secret"
    made = subprocess.run(["openssl", "rand", "-base64", "48"], check=True, capture_output=True).stdout
    file.write_bytes(made)
    return file, KeySettings(hmac=Secret(made.decode().strip()))


@pytest.mark.parametrize("make", [ed25519_key, shared_secret], ids=["ed25519", "hmac"])
async def test_what_it_signs_the_gateway_believes_each_time_anew(
    broker: Mosquitto, gateway: AnsweringGateway, tmp_path: Path, make: Callable[[Path], tuple[Path, KeySettings]]
) -> None:
    file, key = make(tmp_path)
    gateway.answer = identifying(principals(key))
    signing = ["--as", "operator-1", "--key", str(file), "--mqtt", broker.url]
    for more in (["--hold", "90s"], ["--expires", "5s"]):
        said = await plantgate("write", "boiler.setpoint=450.5", "boiler.burner=true", *more, *signing)
        assert said.out.startswith("applied: operator-1\n"), said
    unsigned = await plantgate("write", "boiler.setpoint=450", "--as", "operator-1", "--mqtt", broker.url)
    assert unsigned.out.startswith("refused (unauthenticated): commands have to be signed here")
    assert unsigned.code == 1


async def test_a_copy_of_what_it_signed_counts_for_nothing(
    broker: Mosquitto, gateway: AnsweringGateway, tmp_path: Path
) -> None:
    file, key = ed25519_key(tmp_path)
    gateway.answer = identifying(principals(key))
    said = await plantgate("write", "a.b=1", "--as", "operator-1", "--key", str(file), "--mqtt", broker.url)
    assert said.code == 0
    again = gateway.answer("write", gateway.commands[0][1])
    assert again is not None
    assert again["code"] == "unauthenticated"
    assert again["message"].startswith("the key 'operator-1' has used sequence")


async def test_a_login_and_a_certificate_are_those_of_the_options(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    server = authority.sign("server")
    passwords, secret = tmp_path / "passwords", tmp_path / "secret"
    command = [program("mosquitto_passwd"), "-b", "-c", str(passwords), "ann", "hunter2"]
    assert await (await asyncio.create_subprocess_exec(*command, env=library_path())).wait() == 0
    secret.write_text("hunter2\n")
    lines = [f"certfile {server.certificate}", f"keyfile {server.private_key}", "allow_anonymous false"]
    async with mosquitto(tmp_path, "user root", f"password_file {passwords}", *lines) as broker:
        tls = ["--mqtt", f"mqtts://127.0.0.1:{broker.port}", "--ca", str(authority.files.certificate)]
        login = ["--username", "ann", "--password-file", str(secret)]
        stranger = await plantgate("write", "a.b=1", *tls)
        assert stranger.code == 1
        assert "the broker refused the connection: Not authorized (135)" in stranger.err
        known = await plantgate("write", "a.b=1", *tls, *login, "--gateway", "gone")
        assert "nobody listens at agent/gone/command/write" in known.err


async def test_what_the_broker_s_rules_forbid_is_told(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.write_text("topic read agent/#\ntopic write agent/gw/command/ack\n")
    async with mosquitto(tmp_path, "user root", f"acl_file {rules}") as broker:
        said = await plantgate("write", "a.b=1", "--mqtt", broker.url, "--gateway", "gw")
        assert said.code == 1
        assert said.err == (
            f"{broker.url}: the broker does not pass on what is sent to agent/gw/command/write: not authorized (135); "
            "nothing was carried out\n"
        )
