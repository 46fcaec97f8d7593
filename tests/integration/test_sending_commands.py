"""`plantgate write`, `relinquish`, `ack`, `reset`, `bypass` and `shelve` as processes, at a real broker."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from time import time

import pytest

from gateway.control.command import Verb, read_command
from tests.integration.answering_gateway import AnsweringGateway, Fields, answering, apply, say_nothing
from tests.integration.plantgate_command import plantgate, started
from tests.servers import Mosquitto, free_port, library_path, mosquitto, program

pytestmark = pytest.mark.real


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with mosquitto(tmp_path) as running:
        yield running


@pytest.fixture
async def gateway(broker: Mosquitto) -> AsyncIterator[AnsweringGateway]:
    async with answering(broker) as answerer:
        yield answerer


async def test_a_write_goes_to_the_only_gateway_and_its_reply_is_told(
    broker: Mosquitto, gateway: AnsweringGateway
) -> None:
    said = await plantgate("write", "boiler.setpoint=450", "boiler.burner=true", "--mqtt", broker.url)
    assert said == (
        0,
        "applied\n  boiler.setpoint: 450, read back 450: applied\n  boiler.burner: true, read back true: applied\n",
        "",
    )
    [(topic, fields)] = gateway.commands
    assert topic == "write"
    assert list(fields["writes"].items()) == [("boiler.setpoint", 450), ("boiler.burner", True)]
    assert fields["actor"].count("@") == 1
    assert fields.keys() == {"id", "actor", "reason", "writes", "priority"}


async def test_every_option_arrives(broker: Mosquitto, gateway: AnsweringGateway) -> None:
    began = time()
    said = await plantgate(
        *("write", 'boiler.mode="450"', "--mqtt", broker.url, "--gateway", "gw", "--as", "ann", "--actor", "me"),
        *("--reason", "start", "--id", "a-1", "--expires", "5s", "--hold", "30m", "--priority", "high"),
        *("--lock", "boiler=7", "--json"),
    )
    assert (said.code, said.err) == (0, "")
    assert json.loads(said.out) == apply("", {"id": "a-1", "writes": {"boiler.mode": "450"}})
    [(topic, fields)] = gateway.commands
    expires = datetime.fromisoformat(fields.pop("expires_at"))
    assert began + 4.9 <= expires.timestamp() <= time() + 5.1
    assert expires.tzinfo == UTC
    assert (topic, fields) == (
        "write/ann",
        {
            "id": "a-1", "actor": "me", "reason": "start", "writes": {"boiler.mode": "450"}, "hold": "30m",
            "priority": "high", "locks": {"boiler": 7},
        },
    )  # fmt: skip


OTHERS: list[tuple[list[str], str, Fields]] = [
    (["relinquish", "boiler.setpoint", "boiler.mode"], "relinquish", {"tags": ["boiler.setpoint", "boiler.mode"]}),
    (["ack", "hot", "--reason", "seen"], "ack", {"name": "hot", "reason": "seen"}),
    (["ack", "--reason", "seen"], "ack", {"reason": "seen"}),
    (["reset", "--reason", "cold again"], "reset", {"reason": "cold again"}),
    (["reset", "hot", "--reason", "cold again"], "reset", {"name": "hot", "reason": "cold again"}),
    (["bypass", "hot", "--for", "30m", "--reason", "work"], "bypass", {"name": "hot", "for": "30m", "reason": "work"}),
    (["shelve", "hot", "--for", "1h", "--reason", "known"], "shelve", {"name": "hot", "for": "1h", "reason": "known"}),
]


@pytest.mark.parametrize(("arguments", "verb", "fields"), OTHERS, ids=[" ".join(each[0][:2]) for each in OTHERS])
async def test_each_verb_has_its_fields(
    broker: Mosquitto, gateway: AnsweringGateway, arguments: list[str], verb: Verb, fields: Fields
) -> None:
    assert await plantgate(*arguments, "--mqtt", broker.url) == (0, "applied\n", "")
    [(topic, given)] = gateway.commands
    assert topic == verb
    read_command(verb, gateway.payloads[0])
    assert {key: value for key, value in given.items() if key not in {"id", "actor"} and value} == fields


@pytest.mark.parametrize(
    ("outcome", "code"), [("refused", 1), ("failed", 1), ("mismatch", 3), ("unknown", 3), ("unverified", 3)]
)
async def test_the_exit_code_is_that_of_the_outcome(
    broker: Mosquitto, gateway: AnsweringGateway, outcome: str, code: int
) -> None:
    gateway.answer = lambda topic, fields: {**apply(topic, fields), "outcome": outcome, "message": "so it is"}
    said = await plantgate("write", "a.b=1", "--mqtt", broker.url)
    assert (said.code, said.err) == (code, "")
    assert said.out.startswith(f"{outcome}: so it is\n")


async def test_what_else_comes_on_the_topic_is_no_reply(broker: Mosquitto, gateway: AnsweringGateway) -> None:
    command = [program("mosquitto_pub"), "-p", str(broker.port), "-r", "-t", "agent/gw/reply/a-1", "-m", "[1, 2"]
    assert await (await asyncio.create_subprocess_exec(*command, env=library_path())).wait() == 0
    assert (await plantgate("write", "a.b=1", "--id", "a-1", "--mqtt", broker.url)).code == 0


async def test_no_reply_is_a_doubt_and_says_how_to_find_out(broker: Mosquitto, gateway: AnsweringGateway) -> None:
    gateway.answer = say_nothing
    said = await plantgate("write", "a.b=1", "--id", "a-1", "--timeout", "500ms", "--mqtt", broker.url)
    assert said == (
        3,
        "",
        (
            "no reply from gw within 0.5 s: the command may have been carried out; look at the plant, "
            "or send it again with --id a-1: it counts once\n"
        ),
    )
    assert len(gateway.commands) == 1


async def test_a_broker_that_ends_meanwhile_is_a_doubt(broker: Mosquitto, gateway: AnsweringGateway) -> None:
    gateway.answer = say_nothing
    async with started("write", "a.b=1", "--expires", "5s", "--mqtt", broker.url) as process:
        async with asyncio.timeout(30):
            await gateway.came.wait()
            await broker.kill()
            _, err = await process.communicate()
    assert process.returncode == 3
    assert err.decode().startswith(f"{broker.url}: ")
    assert err.decode().endswith(": the command may have been carried out; look at the plant\n")


async def test_ctrl_c_while_waiting_says_that_it_may_have_been_carried_out(
    broker: Mosquitto, gateway: AnsweringGateway
) -> None:
    gateway.answer = say_nothing
    async with started("write", "a.b=1", "--mqtt", broker.url) as process:
        async with asyncio.timeout(30):
            await gateway.came.wait()
            process.send_signal(signal.SIGINT)
            _, err = await process.communicate()
    assert process.returncode == 3
    assert err.decode().startswith("interrupted: the command may have been carried out; look at the plant")


async def test_where_nobody_lives_nothing_is_sent(broker: Mosquitto) -> None:
    nobody = await plantgate("write", "a.b=1", "--mqtt", broker.url)
    assert nobody == (1, "", f"{broker.url}: no gateway lives here (none has told its status); nothing was sent\n")
    async with answering(broker) as gateway:
        await gateway.tell(state="offline")
        away = await plantgate("write", "a.b=1", "--mqtt", broker.url)
        assert away == (1, "", f"{broker.url}: no gateway lives here (gw is offline); nothing was sent\n")
        named = await plantgate("write", "a.b=1", "--mqtt", broker.url, "--gateway", "gw")
        assert named == (1, "", "gw is offline; nothing was sent\n")
        await gateway.tell(expires="2026-01-01T00:00:01.000Z")
        assert "(gw is expired)" in (await plantgate("write", "a.b=1", "--mqtt", broker.url)).err
        assert gateway.commands == []


async def test_of_several_that_live_one_has_to_be_named(broker: Mosquitto, gateway: AnsweringGateway) -> None:
    async with answering(broker, "gw2") as other:
        said = await plantgate("write", "a.b=1", "--mqtt", broker.url)
        assert said == (2, "", "several gateways live here; name one with --gateway: gw, gw2\n")
        assert (await plantgate("write", "a.b=1", "--mqtt", broker.url, "--gateway", "gw2")).code == 0
        assert (gateway.commands, len(other.commands)) == ([], 1)
        await other.tell(state="offline")
        assert (await plantgate("write", "a.b=1", "--mqtt", broker.url)).code == 0


async def test_a_gateway_that_listens_to_nothing_is_told(broker: Mosquitto) -> None:
    said = await plantgate("write", "a.b=1", "--mqtt", broker.url, "--gateway", "gone")
    assert said == (1, "", f"{broker.url}: nobody listens at agent/gone/command/write; nothing was carried out\n")


async def test_no_broker_is_one_clear_line() -> None:
    url = f"mqtt://127.0.0.1:{free_port()}"
    said = await plantgate("write", "a.b=1", "--mqtt", url)
    assert said == (1, "", f"{url}: connection refused; is the broker running?; nothing was sent\n")
