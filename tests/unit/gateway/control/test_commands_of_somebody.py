"""From a payload to the arbiter: who it is, what they may, how often it counts; also across restarts."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from drivers.values import Secret
from gateway.control.accepted import Accepted
from gateway.control.arbiter import Arbiter
from gateway.control.authority import Authority, Grant
from gateway.control.book import Book
from gateway.control.command import Verb, read_command
from gateway.control.keys import SharedSecret
from gateway.control.principal import Principals
from gateway.control.reception import Reception
from gateway.control.refusal_log import RefusalLog
from gateway.control.reply import Outcome, Reply
from gateway.control.sequences import Sequences
from gateway.control.settings import CommandSettings, KeySettings
from gateway.control.signing import sign
from gateway.counters import ControlCounters
from gateway.storage.memory import MemoryJournal
from gateway.storage.port import Table
from tests.unit.gateway.control.journal import memory_journal
from tests.virtual_time import VirtualClock, run_virtual

SECRET = "0123456789abcdef0123456789abcdef"
KEYS = {name: KeySettings(hmac=Secret(f"{name}{SECRET}")) for name in ("ann", "optimizer")}
MATRIX = {
    "ann": Grant("operator", ("write", "reset"), ("boiler.*",)),
    "bob": Grant("operator", ("write",), ("boiler.*",)),
    "anonymous": Grant("default", ("write",), ("boiler.lamp",)),
}
CONSTRAINTS = {"hot": ("boiler.steam", "boiler.burner"), "fast": ("boiler.steam", "turbine.speed"), "calm": ()}


class Desk:
    """Everything between a message and the handler of its verb, on one disk."""

    def __init__(self, journal: MemoryJournal, sequences: Sequences, *, trust_topic: bool = False) -> None:
        self.carried_out: list[tuple[str, str]] = []
        self._journal = journal
        self._clock = VirtualClock()
        principals = Principals(
            *("gw", CommandSettings(keys=KEYS), sequences, self._clock),
            trusts_time=lambda: True,
            trust_topic=trust_topic,
        )
        ids = count()
        arbiter = Arbiter(
            *(Authority(MATRIX), Book(journal), RefusalLog(journal, self._clock)),
            {"write": self._carry_out, "reset": self._carry_out, "ack": self._carry_out},
            CONSTRAINTS.get, self._clock, ControlCounters(), lambda: f"made-{next(ids)}",
            max_age=10.0, trusts_time=lambda: True,
        )  # fmt: skip
        self._reception = Reception(arbiter, principals)

    async def _carry_out(self, accepted: Accepted) -> Reply:
        self.carried_out.append((accepted.principal, accepted.id))
        reply = Reply(accepted.id, Outcome.APPLIED)
        await self._journal.commit([{"kind": "outcome"}], (*accepted.changes(), *accepted.closing(reply)))
        return reply

    async def say(
        self, fields: dict[str, Any], topic: str | None = None, verb: str = "write", *, retained: bool = False
    ) -> str:
        """Return what a message is answered: its outcome, or the code of its refusal; `repeated` for one of before."""
        payload, now = json.dumps(fields).encode(), self._clock.monotonic()
        reply = await self._reception.receive(verb, topic, payload, retained=retained, received=now)
        assert reply.id == fields.get("id", reply.id)
        return "repeated" if reply.repeated else reply.code or reply.outcome.value

    def signed(self, fields: dict[str, Any], sequence: int, key: str = "ann", verb: Verb = "write") -> dict[str, Any]:
        command = read_command(verb, json.dumps(fields).encode())
        not_after = datetime.fromtimestamp(self._clock.wall() + 5, UTC).isoformat()
        signature = sign(command, "gw", key, sequence, not_after, SharedSecret(f"{key}{SECRET}".encode()))
        return {**fields, "signature": asdict(signature)}


async def opened(journal: MemoryJournal, *, trust_topic: bool = False) -> Desk:
    return Desk(journal, Sequences(await journal.load(Table.SEQUENCES)), trust_topic=trust_topic)


def with_a_desk(test: Callable[[Desk, MemoryJournal], Any], **keys: bool) -> None:
    async def main() -> None:
        journal = memory_journal()
        await test(await opened(journal, **keys), journal)

    run_virtual(main())


BURNER = {"id": "a-1", "writes": {"boiler.burner": True}}


def test_who_signs_may_what_their_row_says_and_anonymous_what_its_says() -> None:
    async def main(desk: Desk, _: MemoryJournal) -> None:
        assert await desk.say(BURNER) == "forbidden"
        assert await desk.say({"writes": {"boiler.lamp": True}}) == "applied"
        assert await desk.say(desk.signed(BURNER, 1)) == "applied"
        assert await desk.say(desk.signed({"writes": {"turbine.valve": True}}, 2)) == "forbidden"
        assert await desk.say(desk.signed({"writes": {"boiler.burner": True, "turbine.valve": True}}, 3)) == "forbidden"
        assert await desk.say(desk.signed(BURNER, 4, key="optimizer")) == "forbidden", "it stands in no row"
        assert [who for who, _ in desk.carried_out] == ["anonymous", "ann"]

    with_a_desk(main)


@pytest.mark.parametrize(
    ("name", "answer"),
    [("hot", "applied"), ("fast", "forbidden"), ("calm", "forbidden"), ("nothing", "unknown_name")],
)
def test_a_constraint_is_theirs_whose_tags_are_all_theirs(name: str, answer: str) -> None:
    async def main(desk: Desk, _: MemoryJournal) -> None:
        fields = {"name": name, "actor": "ann", "reason": "cold again"}
        assert await desk.say(desk.signed(fields, 1, verb="reset"), verb="reset") == answer

    with_a_desk(main)


def test_a_copy_is_answered_as_before_and_anything_else_under_its_sequence_is_a_forgery() -> None:
    async def main(desk: Desk, _: MemoryJournal) -> None:
        command = desk.signed(BURNER, 5)
        assert await desk.say(command) == "applied"
        assert await desk.say(command) == "repeated"
        assert await desk.say(desk.signed({**BURNER, "id": "a-2"}, 5)) == "unauthenticated"
        assert await desk.say(desk.signed({**BURNER, "id": "a-2"}, 4)) == "unauthenticated"
        assert await desk.say(desk.signed(BURNER, 6)) == "repeated", "the same id and body, signed anew"
        assert await desk.say(desk.signed({**BURNER, "reason": "other"}, 7)) == "duplicate"
        assert desk.carried_out == [("ann", "a-1")]

    with_a_desk(main)


def test_a_copy_of_a_command_without_an_id_is_a_forgery() -> None:
    async def main(desk: Desk, _: MemoryJournal) -> None:
        command = desk.signed({"writes": {"boiler.burner": True}}, 5)
        assert [await desk.say(command), await desk.say(command)] == ["applied", "unauthenticated"]

    with_a_desk(main)


@pytest.mark.parametrize("refused_first", [False, True], ids=["carried out", "refused"])
def test_no_copy_counts_after_a_restart(*, refused_first: bool) -> None:
    async def main(desk: Desk, journal: MemoryJournal) -> None:
        fields = {"writes": {"turbine.valve" if refused_first else "boiler.burner": True}}
        command = desk.signed(fields, 5)
        assert await desk.say(command) == ("forbidden" if refused_first else "applied")
        again = await opened(memory_journal(journal.crash()))
        assert await again.say(command) == "unauthenticated"
        assert await again.say(again.signed(BURNER, 6)) == "applied"

    with_a_desk(main)


def test_a_damaged_list_of_sequences_silences_signatures_and_nobody_else() -> None:
    async def main(desk: Desk, journal: MemoryJournal) -> None:
        assert await desk.say(desk.signed(BURNER, 5)) == "applied"
        journal.damage(Table.SEQUENCES)
        again = await opened(memory_journal(journal.crash()))
        assert await again.say(again.signed({**BURNER, "id": "a-2"}, 99)) == "unauthenticated"
        assert await again.say({"writes": {"boiler.lamp": True}}) == "applied"

    with_a_desk(main)


def test_a_topic_counts_only_where_it_is_trusted() -> None:
    async def main(desk: Desk, _: MemoryJournal) -> None:
        assert await desk.say(BURNER, topic="bob") == "forbidden"

    async def trusting(desk: Desk, _: MemoryJournal) -> None:
        assert await desk.say(BURNER, topic="bob") == "applied"
        assert await desk.say(BURNER, topic="ann") == "unauthenticated", "ann has a key"
        assert await desk.say(desk.signed(BURNER, 1), topic="bob") == "applied", "an id belongs to its principal"
        assert desk.carried_out == [("bob", "a-1"), ("ann", "a-1")]

    with_a_desk(main)
    with_a_desk(trusting, trust_topic=True)


def test_a_retained_message_is_no_command_and_uses_no_signature_up() -> None:
    async def main(desk: Desk, _: MemoryJournal) -> None:
        signed = desk.signed(BURNER, 1)
        assert await desk.say(signed, retained=True) == "retained"
        assert await desk.say({"writes": {"boiler.lamp": True}}, retained=True) == "retained"
        assert not desk.carried_out
        assert await desk.say(signed) == "applied"

    with_a_desk(main)
