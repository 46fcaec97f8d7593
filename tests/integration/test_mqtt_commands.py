"""Commands over a real broker: each is taken once and answered once, and nothing that comes in is unbounded."""

import asyncio
import time
from pathlib import Path

import pytest

from drivers.values import Seconds
from gateway.control.json_strict import MAX_BYTES
from gateway.control.reply import Outcome, Reply
from gateway.northbound.command_link import BEHIND, RECEIVE_MAXIMUM
from gateway.northbound.inbox import AT_ONCE, MOST_WAITING
from gateway.northbound.settings import MqttSettings, TlsSettings
from tests.integration.command_inbox import COMMAND, Desk, send
from tests.integration.mqtt_broker import fake_broker, strait
from tests.integration.mqtt_certificates import Authority
from tests.integration.mqtt_flood import publish
from tests.integration.mqtt_gateway import until, watching
from tests.servers import Mosquitto, library_path, mosquitto, program

pytestmark = pytest.mark.real


def soon(url: str, **more: object) -> MqttSettings:
    """Settings whose pauses between attempts last one second."""
    return MqttSettings(url=url, reconnect_max=Seconds(1), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("below", "verb", "principal"),
    [
        ("write", "write", None),
        ("write/operator-1", "write", "operator-1"),
        ("write/", "write", ""),
        ("no_such_verb", "no_such_verb", None),
        ("write/a/operator-1", "write/a", "operator-1"),
        (f"write/{'x' * 300}", "", None),
    ],
    ids=["no principal", "principal", "empty principal", "unknown verb", "more levels", "endless"],
)
@pytest.mark.parametrize("qos", [0, 1, 2])
async def test_a_command_arrives_as_it_was_sent_and_is_answered_once(
    tmp_path: Path, below: str, verb: str, principal: str | None, qos: int
) -> None:
    async with mosquitto(tmp_path) as broker, Desk(soon(broker.url)) as desk:
        await desk.listening()
        began = time.monotonic()
        await send(broker.port, COMMAND + below, '{"id":"1"}', qos=qos)
        await desk.answered(1)
        [arrived] = desk.arrived
        assert (arrived.verb, arrived.principal, arrived.payload) == (verb, principal, b'{"id":"1"}')
        assert not arrived.retained
        assert began <= arrived.received <= time.monotonic()
        assert desk.counters.received == {"taken": 1}


async def test_the_topic_above_the_verbs_is_no_verb_and_is_answered_too(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, Desk(soon(broker.url, root="site/a")) as desk:
        await desk.listening()
        await send(broker.port, "site/a/gw/command", "x")
        await desk.answered(1)
        assert (desk.arrived[0].verb, desk.arrived[0].principal) == ("", None)


async def test_a_command_that_is_sent_while_the_gateway_is_away_is_lost(tmp_path: Path) -> None:
    async with mosquitto(tmp_path, "persistence true", f"persistence_location {tmp_path}/") as broker:
        async with Desk(soon(broker.url)) as desk:
            await desk.listening()
        await send(broker.port, f"{COMMAND}write", "late")
        async with Desk(soon(broker.url)) as desk:
            await desk.listening()
            await send(broker.port, f"{COMMAND}write", "live")
            await desk.answered(1)
            assert desk.arrived[0].payload == b"live"


async def test_a_retained_command_is_told_apart_and_its_topic_is_cleared(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        await send(broker.port, f"{COMMAND}write/me", "old", retain=True)
        async with Desk(soon(broker.url)) as desk:
            await desk.answered(1)
            await send(broker.port, f"{COMMAND}reset", "new", retain=True)
            await desk.answered(2)
            told = [(arrived.verb, arrived.payload, arrived.retained) for arrived in desk.arrived]
            assert told == [("write", b"old", True), ("reset", b"new", True)]
            await until(lambda: desk.counters.received["ignored"] == 2)  # the clearing, as it comes back
        async with Desk(soon(broker.url)) as desk:
            await desk.listening()
            await send(broker.port, f"{COMMAND}write", "live")
            await desk.answered(1)
            assert not desk.arrived[0].retained


async def test_an_empty_message_is_a_command_unless_it_clears_a_topic(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, Desk(soon(broker.url)) as desk:
        await desk.listening()
        await send(broker.port, f"{COMMAND}write", retain=True)
        await send(broker.port, f"{COMMAND}write")
        await desk.answered(1)
        assert desk.arrived[0].payload == b""
        assert desk.counters.received == {"ignored": 1, "taken": 1}


async def test_a_message_of_any_length_is_cut_and_answered_and_costs_no_connection(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, Desk(soon(broker.url)) as desk:
        await desk.listening()
        for size in (MAX_BYTES, MAX_BYTES + 1, 3_000_000):
            await send(broker.port, f"{COMMAND}write", "x" * size)
        await desk.answered(3)
        assert [len(arrived.payload) for arrived in desk.arrived] == [MAX_BYTES, MAX_BYTES + 1, MAX_BYTES + 1]
        assert len(desk.inbox._row) == 0
        await send(broker.port, f"{COMMAND}write", "after")
        await desk.answered(4)


async def test_commands_at_qos_1_wait_at_the_broker_and_are_all_answered_in_the_end(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, Desk(soon(broker.url)) as desk:
        await desk.listening()
        desk.open.clear()
        await send(broker.port, f"{COMMAND}write", *map(str, range(1000)))
        await until(lambda: len(desk.inbox._row) >= RECEIVE_MAXIMUM and len(desk.arrived) == AT_ONCE)
        await asyncio.sleep(0.2)
        assert RECEIVE_MAXIMUM <= len(desk.inbox._row) <= MOST_WAITING + RECEIVE_MAXIMUM
        assert len(desk.arrived) == AT_ONCE
        desk.open.set()
        await desk.answered(1000)
        assert [arrived.payload for arrived in desk.arrived] == [str(place).encode() for place in range(1000)]
        assert desk.at_once == AT_ONCE
        assert desk.counters.received == {"taken": 1000}


async def test_commands_at_qos_0_are_dropped_and_counted_where_the_row_is_full_and_those_at_qos_1_still_come_in(
    tmp_path: Path,
) -> None:
    async with mosquitto(tmp_path) as broker, Desk(soon(broker.url)) as desk:
        await desk.listening()
        desk.open.clear()
        await send(broker.port, f"{COMMAND}write", *map(str, range(800)), qos=0)
        received = desk.counters.received
        await until(lambda: received["taken"] + received["overflow"] == 800 and len(desk.arrived) == AT_ONCE)
        taken = received["taken"]
        assert MOST_WAITING <= taken <= MOST_WAITING + AT_ONCE
        assert len(desk.inbox._row) == taken - AT_ONCE
        await send(broker.port, f"{COMMAND}write", *["more"] * 100, qos=0)
        await until(lambda: received["taken"] + received["overflow"] == 900)
        assert len(desk.inbox._row) == MOST_WAITING
        await send(broker.port, f"{COMMAND}write", "sure")
        await until(lambda: len(desk.inbox._row) == MOST_WAITING + 1)
        taken = received["taken"]
        desk.open.set()
        await desk.answered(taken)
        assert desk.arrived[-1].payload == b"sure"


async def test_a_broker_that_cares_for_no_receive_maximum_is_not_read_while_the_row_is_full() -> None:
    async with fake_broker() as broker, Desk(soon(f"mqtt://127.0.0.1:{broker.port}")) as desk:
        await desk.listening()
        desk.open.clear()
        broker.send(b"".join(publish(number, qos=1) for number in range(1000)))
        await until(lambda: len(desk.inbox._row) == MOST_WAITING + RECEIVE_MAXIMUM)
        await asyncio.sleep(0.2)
        assert len(desk.inbox._row) == MOST_WAITING + RECEIVE_MAXIMUM
        desk.open.set()
        await desk.answered(1000)


async def test_a_connection_on_which_there_was_always_more_for_a_second_is_renewed_once_all_is_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with fake_broker() as broker, Desk(soon(f"mqtt://127.0.0.1:{broker.port}")) as desk:
        await desk.listening()
        few = b"".join(publish(number, qos=0) for number in range(2000))
        loop = asyncio.get_running_loop()
        until_then, sent = loop.time() + 2 * BEHIND, 0
        while loop.time() < until_then:  # as fast as it is read
            broker.send(few)
            sent += 2000
            await until(lambda goal=sent - 2000: desk.counters.received.total() > goal)  # type: ignore[misc]
        await until(lambda: broker.connections == 2)
        await desk.listening()
        assert desk.counters.received.total() == sent
    [record] = [record for record in caplog.records if record.levelname == "WARNING"]
    assert record.message == "commands_flooded"


async def test_a_row_that_stays_full_does_not_cost_the_connection(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, Desk(soon(broker.url, keepalive=Seconds(1))) as desk:
        await desk.listening()
        link = desk.inbox._link
        desk.open.clear()
        await send(broker.port, f"{COMMAND}write", *map(str, range(500)))
        await until(lambda: len(desk.inbox._row) >= RECEIVE_MAXIMUM)
        await asyncio.sleep(4)  # the broker gives a silent client 1.5 s
        desk.open.set()
        await desk.answered(500)
        assert desk.inbox._link is link


async def test_a_broker_that_was_killed_is_listened_to_again(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path)
    async with Desk(soon(broker.url)) as desk:
        await asyncio.sleep(0.1)
        assert not desk.inbox.up
        await broker.start()
        await desk.listening()
        await broker.kill()
        await until(lambda: not desk.inbox.up)
        await broker.start()
        await desk.listening()
        await send(broker.port, f"{COMMAND}write", "x")
        await desk.answered(1)
    await broker.stop()


async def test_a_half_open_connection_is_given_up_and_renewed(tmp_path: Path) -> None:
    async with (
        mosquitto(tmp_path) as broker,
        strait(broker.port) as way,
        Desk(soon(f"mqtt://127.0.0.1:{way.port}", keepalive=Seconds(1))) as desk,
    ):
        await desk.listening()
        way.freeze()
        await until(lambda: not desk.inbox.up, 20.0)
        way.thaw()
        await desk.listening()
        await send(broker.port, f"{COMMAND}write", "x")
        await desk.answered(1)


async def test_what_was_taken_is_answered_before_a_stop(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        desk = Desk(soon(broker.url))
        async with desk:
            await desk.listening()
            desk.open.clear()
            await send(broker.port, f"{COMMAND}write", *map(str, range(100)), qos=0)
            await until(lambda: desk.counters.received["taken"] == 100)
            desk.inbox.close()
            await send(broker.port, f"{COMMAND}write", "after")
            assert not desk.replies
            desk.open.set()
        assert len(desk.replies) == len(desk.arrived) == 100


async def test_a_cancelled_inbox_leaves_nothing_behind(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        desk = Desk(soon(broker.url))
        running = asyncio.create_task(desk.inbox.run())
        await desk.listening()
        desk.open.clear()
        await send(broker.port, f"{COMMAND}write", *map(str, range(50)))
        await until(lambda: len(desk.arrived) == AT_ONCE)
        running.cancel()
        await asyncio.wait((running,))
        assert running.cancelled()
        assert not desk.inbox.up


async def test_a_defect_behind_the_inbox_is_answered_and_does_not_stop_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Desk):
        async def _deal_with(self, place: str) -> Reply:
            if place == "1":
                raise ValueError("a defect")
            return await super()._deal_with(place)

    async with mosquitto(tmp_path) as broker, Broken(soon(broker.url)) as desk:
        await desk.listening()
        await send(broker.port, f"{COMMAND}write", "a", "b")
        await desk.answered(2)
        assert [(reply.id, reply.outcome, reply.code) for reply in desk.replies] == [
            ("_", Outcome.UNKNOWN, "internal"),
            ("2", Outcome.APPLIED, ""),
        ]
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["command_failed"]


async def test_commands_come_in_over_tls_with_a_login(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    server, ours = authority.sign("server", "127.0.0.1"), authority.sign("gateway")
    passwords = tmp_path / "passwords"
    passwords.touch(mode=0o600)
    command = (program("mosquitto_passwd"), "-b", str(passwords), "gateway", "right")
    await (await asyncio.create_subprocess_exec(*command)).wait()
    lines = (
        *("user root", f"certfile {server.certificate}", f"keyfile {server.private_key}", "allow_anonymous false"),
        *(f"cafile {authority.files.certificate}", "require_certificate true", f"password_file {passwords}"),
    )
    async with mosquitto(tmp_path, *lines) as broker:
        tls = TlsSettings(authority.files.certificate, ours.certificate, ours.private_key)
        url = f"mqtts://127.0.0.1:{broker.port}"
        async with Desk(soon(url, tls=tls, username="gateway", password="right")) as desk:
            await desk.listening()
            payload = "x" * 10_000
            files = [*("--cafile", str(authority.files.certificate)), *("--cert", str(ours.certificate))]
            sender = (
                *(program("mosquitto_pub"), "-p", str(broker.port), "-h", "127.0.0.1", *files),
                *("--key", str(ours.private_key), "-u", "gateway", "-P", "right"),
                *("-t", f"{COMMAND}write", "-m", payload, "--repeat", "100"),
            )
            await (await asyncio.create_subprocess_exec(*sender, env=library_path())).wait()
            await desk.answered(100)
            assert {arrived.payload for arrived in desk.arrived} == {payload.encode()}


async def test_a_wrong_password_is_told_once_in_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with (
        mosquitto(tmp_path, "allow_anonymous false") as broker,
        Desk(soon(broker.url, username="gateway", password="wrong")) as desk,
    ):
        await asyncio.sleep(1.5)  # two attempts
        assert not desk.inbox.up
    [record] = [record for record in caplog.records if record.message == "commands_not_heard"]
    assert "check mqtt.username and mqtt.password" in record.__dict__["why"]
    assert "wrong" not in caplog.text


async def test_a_broker_that_refuses_the_subscription_is_told_once_and_asked_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with fake_broker() as broker:
        broker.subscribed = 135
        async with Desk(soon(f"mqtt://127.0.0.1:{broker.port}")) as desk:
            await until(lambda: broker.connections == 2)
            assert not desk.inbox.up
            broker.subscribed = 1
            await desk.listening()
    [record] = [record for record in caplog.records if record.message == "commands_not_heard"]
    assert "refuses to subscribe to agent/gw/command/# (reason 135)" in record.__dict__["why"]


async def test_a_broker_that_answers_nothing_or_nonsense_is_asked_again(caplog: pytest.LogCaptureFixture) -> None:
    async with fake_broker() as broker:
        broker.answers[5] = b"\xff\xff\xff\xff\xff\xff"
        async with Desk(soon(f"mqtt://127.0.0.1:{broker.port}")) as desk:
            await until(lambda: broker.connections == 2)
            broker.answers.clear()
            await until(lambda: broker.connections == 3)
            broker.drop()
            broker.answers[5] = b"\x20\x03\x00\x00\x00"
            await desk.listening()
    whys = [record.__dict__["why"] for record in caplog.records if record.message == "commands_not_heard"]
    # A machine that is busy for seconds may find its silence out by the clock first.
    assert [why.partition(": ")[2] for why in whys if "no answer" not in why] == [
        "the broker sent what is no MQTT: a packet without a length",
        "the broker closed the connection",
    ]


async def test_a_stop_in_the_middle_of_connecting_is_prompt() -> None:
    async with fake_broker() as broker:
        broker.answers.clear()
        async with Desk(soon(f"mqtt://127.0.0.1:{broker.port}")):
            await until(lambda: broker.versions == [5])
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 1.0


async def test_no_other_client_sees_a_trace_of_the_inbox_but_the_clearing(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, watching(soon(broker.url), "#") as watcher:
        async with Desk(soon(broker.url)) as desk:
            await desk.listening()
            await send(broker.port, f"{COMMAND}write", "1")
            await desk.answered(1)
        await until(lambda: len(watcher.seen) == 1)
        assert watcher.seen == [(f"{COMMAND}write", 1)]
