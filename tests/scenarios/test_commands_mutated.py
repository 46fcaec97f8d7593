"""Ten thousand damaged commands: each is answered with its reason, each is on record, and nothing is left behind.

All of them go through the gateway in memory, on virtual time, and some through a broker into a real one; all of these
too with PLANTGATE_SOAK.
"""

import asyncio
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from gateway.control.reply import CODES, Outcome, Reply
from gateway.northbound.inbox import AT_ONCE, read_topic
from tests.integration.plantgate_command import plantgate
from tests.scenarios.deadlines import BACK
from tests.scenarios.mutations import Mutated, mutated
from tests.scenarios.process_figures import CountedGateway
from tests.scenarios.written_plant import written_plant
from tests.unit.gateway.app.control_site import ControlSite
from tests.virtual_time import run_virtual

ALL = 10_000
BY_MQTT = ALL if os.environ.get("PLANTGATE_SOAK") else 400
SEED = 1
REFUSALS = {"bad_encoding", "bad_schema", "bad_value", "too_large", "unknown_tag", "unauthenticated", "duplicate"}
"""Codes that have to come up, or the mutations are none."""


async def play(site: ControlSite, message: Mutated) -> Reply:
    """Let a message in as the inbox does."""
    verb, principal = read_topic(message.below)
    now = site.clock.monotonic()
    return await site.control.reception.receive(verb, principal, message.payload, retained=False, received=now)


async def answers(site: ControlSite, messages: list[Mutated]) -> list[Reply]:
    """Return the replies, as many at once as the inbox begins."""
    replies: list[Reply] = []
    for begin in range(0, len(messages), AT_ONCE):
        replies += await asyncio.gather(*(play(site, each) for each in messages[begin : begin + AT_ONCE]))
    return replies


def test_ten_thousand_damaged_commands_are_each_answered_and_on_record() -> None:
    messages, site = list(mutated(SEED, ALL)), ControlSite()

    async def main() -> list[Reply]:
        async with site.running():
            before = tasks()
            replies = await answers(site, messages)
            await asyncio.sleep(3)
            assert tasks() == before
            return replies

    replies = run_virtual(main())
    for message, reply in zip(messages, replies, strict=True):
        assert is_an_answer(reply), f"{message} {reply}"
    codes = Counter(reply.code for reply in replies)
    assert codes.keys() >= REFUSALS, codes
    refused = [reply for reply in replies if reply.outcome is Outcome.REFUSED and not reply.repeated]
    single, counted = len(site.records("refusal")), Counter[str]()
    for each in site.records("refusals"):
        counted.update(each["counts"])
    at_the_frame = [each for each in site.records("outcome") if each["outcome"] == "refused"]
    assert single + counted.total() + len(at_the_frame) == len(refused)
    noted = sum(len(each.get("frames") or ()) for each in site.records("outcome"))
    assert len(site.frames()) == noted > 0
    assert not site.control.gate.latched()


def tasks() -> Counter[str]:
    """Return the tasks of the loop by the code that they run."""
    return Counter(getattr(task.get_coro(), "__qualname__", "?") for task in asyncio.all_tasks())


def is_an_answer(reply: Reply) -> bool:
    """Return whether it says all that a reply has to say."""
    if reply.code == "internal" or reply.code not in CODES | {""}:
        return False
    if reply.outcome in {Outcome.REFUSED, Outcome.FAILED}:  # failed: of two wishes one could be given up
        return bool(reply.code and reply.message)
    is_on_record = bool(reply.provenance_hash) or reply.repeated
    return reply.outcome is Outcome.APPLIED and (is_on_record or not reply.results)


@pytest.mark.real
@pytest.mark.timeout(60 + BY_MQTT / 50)
async def test_damaged_commands_are_each_answered_over_mqtt_and_leave_nothing_behind(tmp_path: Path) -> None:
    told = {"TASKS": str(tmp_path / "tasks")}
    async with written_plant(tmp_path, process=CountedGateway, environ=told) as plant:
        daemon, giver = plant.daemon, plant.commander
        assert isinstance(daemon, CountedGateway)
        before = await daemon.holdings()
        messages = [each for each in mutated(SEED, BY_MQTT) if "\0" not in each.below]
        for each in messages:
            await giver.send(each.below, each.payload)
        await giver.total(len(messages), BACK + BY_MQTT / 50)
        codes = Counter(reply["code"] for reply in giver.replies)
        assert "internal" not in codes, codes
        assert codes.keys() <= CODES | {""}
        assert (await giver.write("boiler.count", 9))["outcome"] == "applied"
        await daemon.until("nothing is left behind", lambda: holds_the_same(daemon, before), BACK)
        assert (await daemon.get("/healthz"))[0] == 200
        refused = sum(reply["outcome"] == "refused" and not reply.get("repeated") for reply in giver.replies)
        await daemon.stop()
        assert await recorded(daemon.state) == refused
        assert len(giver.replies) == len(messages) + 1


async def holds_the_same(daemon: CountedGateway, before: object) -> bool:
    return await daemon.holdings() == before


async def recorded(state: Path) -> int:
    """Return how many refusals are on record, one by one or as counts, in a log that is proved."""
    assert (await plantgate("audit", "verify", str(state))).code == 0
    said = await plantgate("audit", "show", str(state), "--json", "-n", "1000000")
    count = 0
    for record in map(json.loads, said.out.splitlines()):
        count += sum(record["counts"].values()) if record["kind"] == "refusals" else record["kind"] == "refusal"
        count += record["kind"] == "outcome" and record["outcome"] == "refused"
    return count
