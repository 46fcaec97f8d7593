"""What persons do about constraints: reset, bypass, acknowledge and shelve, and every way in which it is refused."""

import asyncio
import json

import pytest

from drivers.values import Seconds
from gateway.control.authority import ANONYMOUS
from gateway.safety.alarm import AlarmState
from gateway.safety.verdict import Verdict
from gateway.storage.port import Table
from tests.unit.gateway.control.tripping import BURNER, SPEED, STEAM, Gateway, Site, play, run, running, speed, steam

HOUR = 3600.0


async def trip(gateway: Gateway) -> None:
    gateway.site.turn(STEAM, 600.0)
    await gateway.until(lambda: gateway.live().latch.is_latched)
    await asyncio.sleep(1)


async def tripped_and_over(gateway: Gateway) -> None:
    await trip(gateway)
    gateway.site.turn(STEAM, 400.0)
    await asyncio.sleep(1)


def alarm(gateway: Gateway, name: str = "steam") -> AlarmState:
    return gateway.live(name).alarm.state


# Who has to say what


@pytest.mark.parametrize("verb", ["reset", "bypass"])
@pytest.mark.parametrize(
    ("principal", "actor", "reason", "missing"),
    [(ANONYMOUS, "", "why", "actor"), (ANONYMOUS, "  ", "why", "actor"), (ANONYMOUS, "me", "", "reason"),
     ("operator-1", "", " ", "reason")],
    ids=["nobody", "blank", "no reason", "blank reason"],
)  # fmt: skip
def test_somebody_has_to_answer_for_it(verb: str, principal: str, actor: str, reason: str, missing: str) -> None:
    async def story(gateway: Gateway) -> None:
        await tripped_and_over(gateway)
        reply = await gateway.command(verb, principal, actor=actor, reason=reason, name="steam", seconds=60.0)
        assert (reply.outcome, reply.code) == ("refused", "bad_schema")
        assert reply.message.startswith(f"{missing}:")
        assert gateway.live().latch.is_latched
        assert reply.provenance_hash

    run(story, constraints=[steam(bypassable=True)])


def test_anonymous_with_a_name_may_answer_for_it() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await tripped_and_over(gateway)
            reply = await gateway.command("reset", ANONYMOUS, actor="me", name="steam")
            assert reply.outcome == "applied"
        (record,) = map(json.loads, site.records("reset"))
        assert (record["principal"], record["actor"], record["reason"]) == (ANONYMOUS, "me", "because")

    play(story)


@pytest.mark.parametrize("verb", ["reset", "bypass", "ack", "shelve"])
def test_a_name_that_nothing_has_is_unknown(verb: str) -> None:
    async def story(gateway: Gateway) -> None:
        reply = await gateway.command(verb, name="nosuch", seconds=60.0)
        assert (reply.outcome, reply.code) == ("refused", "unknown_name")

    run(story)


@pytest.mark.parametrize("verb", ["bypass", "shelve"])
def test_bypass_and_shelve_need_a_name_and_a_time(verb: str) -> None:
    async def story(gateway: Gateway) -> None:
        reply = await gateway.command(verb, seconds=60.0)
        assert (reply.code, reply.message.split(":")[0]) == ("bad_schema", "name")
        reply = await gateway.command(verb, name="steam")
        assert (reply.code, reply.message.split(":")[0]) == ("bad_schema", "for")

    run(story, constraints=[steam(bypassable=True)])


# Reset


def test_a_reset_clears_the_latch_writes_nothing_and_is_told() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await tripped_and_over(gateway)
            frames = site.frames()
            reply = await gateway.command("reset", name="steam")
            assert (reply.outcome, reply.code, reply.message) == ("applied", "", "reset: steam")
            assert not gateway.gate.is_halted
            assert not gateway.shown[-1].latched
            assert not gateway.shown[-1].first_out
            assert gateway.shown[-1].safe_state == ""
            assert gateway.told[-1][:2] == ("reset", "reset")
            await asyncio.sleep(5)
            assert site.frames() == frames
            chained = {each.hash.hex(): each for each in site.disk.chained}
            assert b'"kind":"reset"' in chained[reply.provenance_hash].body
        assert site.kept() == set()
        assert (Table.COMMANDS, reply.id) in site.disk.state

    play(story)


def test_while_the_cause_is_there_it_is_refused_with_value_and_limit() -> None:
    async def story(gateway: Gateway) -> None:
        await trip(gateway)
        reply = await gateway.command("reset", name="steam")
        assert (reply.outcome, reply.code) == ("refused", "cause_present")
        (found,) = reply.violations
        assert (found.name, found.reason, found.tag, found.value, found.limit) == (
            "steam", "above_max", STEAM, 600.0, 580.0,
        )  # fmt: skip
        assert gateway.live().latch.is_latched

    run(story)


def test_a_cause_that_is_gone_for_too_short_a_time_is_there_still() -> None:
    async def story(gateway: Gateway) -> None:
        await tripped_and_over(gateway)
        reply = await gateway.command("reset", name="steam")
        assert (reply.code, reply.violations[0].reason) == ("cause_present", "off_delay")
        await asyncio.sleep(10)
        assert (await gateway.command("reset", name="steam")).outcome == "applied"

    run(story, constraints=[steam(off_delay=Seconds(10))])


def test_a_cause_within_the_hysteresis_is_there_still() -> None:
    async def story(gateway: Gateway) -> None:
        await trip(gateway)
        gateway.site.turn(STEAM, 578.0)
        await asyncio.sleep(1)
        assert (await gateway.command("reset", name="steam")).code == "cause_present"

    run(story)


def test_a_cause_that_cannot_be_seen_is_there_still() -> None:
    async def story(gateway: Gateway) -> None:
        await tripped_and_over(gateway)
        gateway.site.plant("boiler").cut()
        await asyncio.sleep(1)
        reply = await gateway.command("reset", name="steam")
        assert (reply.code, reply.violations[0].reason) == ("cause_present", "refused")

    run(story)


def test_nothing_latched_is_nothing_to_reset() -> None:
    async def story(gateway: Gateway) -> None:
        reply = await gateway.command("reset")
        assert (reply.outcome, reply.message) == ("applied", "nothing was latched")
        reply = await gateway.command("reset", name="steam")
        assert (reply.outcome, reply.message) == ("applied", "steam: not latched")
        assert gateway.site.records("reset") == []

    run(story)


def test_without_a_name_all_are_reset_whose_cause_is_gone() -> None:
    async def story(gateway: Gateway) -> None:
        await trip(gateway)
        gateway.site.turn(SPEED, 4000.0)
        await gateway.until(lambda: gateway.live("speed").latch.is_latched)
        gateway.site.turn(STEAM, 400.0)
        await asyncio.sleep(1)
        reply = await gateway.command("reset")
        assert (reply.outcome, reply.code) == ("refused", "cause_present")
        assert reply.message.startswith("reset: steam; still latched")
        assert [found.name for found in reply.violations] == ["speed"]
        assert gateway.gate.latched() == ["speed"]
        gateway.site.turn(SPEED, 3000.0)
        await asyncio.sleep(1)
        assert (await gateway.command("reset")).outcome == "applied"
        assert gateway.gate.latched() == []

    run(story, constraints=[steam(), speed()])


def test_a_cause_that_comes_back_while_the_reset_is_recorded_keeps_the_latch_and_the_trip() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await tripped_and_over(gateway)
            site.journal_latency = lambda: 1.0
            resetting = asyncio.create_task(gateway.command("reset", name="steam"))
            await asyncio.sleep(0.2)
            site.turn(STEAM, 700.0)
            reply = await resetting
            assert (reply.outcome, reply.code) == ("refused", "cause_present")
            assert reply.violations[0].value == 700.0
            assert gateway.live().latch.is_latched
            assert reply.provenance_hash
        assert site.kept() == {"steam"}
        assert json.loads(site.disk.state[Table.COMMANDS, reply.id]) == {"outcome": "refused"}

    play(story)


def test_a_cause_that_comes_back_and_a_journal_that_goes_leave_the_trip_on_the_disk_in_the_end() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await tripped_and_over(gateway)
            site.journal_latency = lambda: 1.0
            resetting = asyncio.create_task(gateway.command("reset", name="steam"))
            await asyncio.sleep(0.2)
            site.turn(STEAM, 700.0)

            def fail(word: str) -> None:
                if word == "durable":
                    gateway.journal.fail_next("gone")

            site.point = fail
            assert (await resetting).code == "cause_present"
            site.point = lambda _: None
            gateway.journal.recover()
            await asyncio.sleep(10)
        assert site.kept() == {"steam"}

    play(story)


def test_a_journal_that_fails_refuses_the_reset() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            await tripped_and_over(gateway)
            gateway.journal.fail_next("disk full")
            reply = await gateway.command("reset", name="steam")
            assert (reply.outcome, reply.code) == ("refused", "journal_unavailable")
            assert gateway.live().latch.is_latched
            gateway.journal.recover()
            await asyncio.sleep(3)
            assert (await gateway.command("reset", name="steam")).outcome == "applied"
        assert site.kept() == set()

    play(story)


def test_two_resets_at_once_go_one_after_the_other() -> None:
    async def story(gateway: Gateway) -> None:
        await tripped_and_over(gateway)
        replies = await asyncio.gather(*(gateway.command("reset", name="steam") for _ in range(3)))
        assert sorted(reply.message for reply in replies) == [
            "reset: steam",
            "steam: not latched",
            "steam: not latched",
        ]

    run(story)


def test_a_reset_that_waited_for_too_long_is_expired() -> None:
    async def story(gateway: Gateway) -> None:
        await tripped_and_over(gateway)
        gateway.site.journal_latency = lambda: 30.0
        replies = await asyncio.gather(*(gateway.command("reset", name="steam") for _ in range(4)))
        assert sorted(reply.code for reply in replies) == ["expired", *["journal_unavailable"] * 3]
        assert gateway.live().latch.is_latched

    run(story)


# Bypass


def test_only_what_is_declared_so_can_be_bypassed() -> None:
    async def story(gateway: Gateway) -> None:
        reply = await gateway.command("bypass", name="steam", seconds=60.0)
        assert (reply.outcome, reply.code) == ("refused", "not_bypassable")

    run(story)


def test_a_bypass_for_too_long_is_refused() -> None:
    async def story(gateway: Gateway) -> None:
        reply = await gateway.command("bypass", name="steam", seconds=61.0)
        assert (reply.outcome, reply.code) == ("refused", "bad_value")
        assert "60 s at most" in reply.message

    run(story, constraints=[steam(bypassable=True, max_bypass=Seconds(60))])


# Acknowledge


def test_an_alarm_is_acknowledged_and_changes_no_interlock() -> None:
    async def story(gateway: Gateway) -> None:
        await trip(gateway)
        assert alarm(gateway) is AlarmState.UNACK_ACTIVE
        reply = await gateway.command("ack", ANONYMOUS, reason="", name="steam")
        assert (reply.outcome, reply.message) == ("applied", "acknowledged: steam")
        assert alarm(gateway) is AlarmState.ACK_ACTIVE
        assert gateway.shown[-1].alarm is AlarmState.ACK_ACTIVE
        assert gateway.live().latch.is_latched
        assert reply.provenance_hash
        assert len(gateway.site.records("acknowledgement")) == 1

    run(story)


def test_without_a_name_all_are_acknowledged_and_once_is_enough() -> None:
    async def story(gateway: Gateway) -> None:
        await trip(gateway)
        gateway.site.turn(SPEED, 4000.0)
        await gateway.until(lambda: gateway.live("speed").latch.is_latched)
        assert (await gateway.command("ack")).message == "acknowledged: steam, speed"
        assert (await gateway.command("ack")).message == "nothing to acknowledge"

    run(story, constraints=[steam(), speed()])


# Shelve


def test_a_shelved_alarm_is_hidden_for_a_time_and_denies_all_the_same() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            reply = await gateway.command("shelve", ANONYMOUS, reason="", name="steam", seconds=60.0)
            assert reply.outcome == "applied"
            await trip(gateway)
            assert alarm(gateway) is AlarmState.SHELVED
            assert gateway.gate.is_halted
            assert site.value(BURNER) is False
            await asyncio.sleep(60)
            assert alarm(gateway) is AlarmState.UNACK_ACTIVE
            assert gateway.shown[-1].alarm is AlarmState.UNACK_ACTIVE
        seconds = [json.loads(record).get("seconds") for record in site.records("shelve")]
        assert seconds == [60, None]
        assert site.kept(Table.SHELVES) == set()

    play(story)


def test_a_shelf_outlives_a_restart_for_what_is_left_of_it() -> None:
    async def story(site: Site) -> None:
        async with running(site) as gateway:
            assert (await gateway.command("shelve", name="steam", seconds=HOUR)).outcome == "applied"
        site.slept = HOUR - 30
        site.turn(STEAM, 600.0)
        async with running(site) as gateway:
            assert alarm(gateway) is AlarmState.SHELVED
            await asyncio.sleep(35)
            assert alarm(gateway) is AlarmState.UNACK_ACTIVE
        site.slept = 2 * HOUR
        async with running(site) as gateway:
            assert alarm(gateway) is not AlarmState.SHELVED

    play(story)


def test_an_alarm_is_shelved_for_a_day_at_most() -> None:
    async def story(gateway: Gateway) -> None:
        assert (await gateway.command("shelve", name="steam", seconds=24 * HOUR + 1)).code == "bad_value"
        assert (await gateway.command("shelve", name="steam", seconds=24 * HOUR)).outcome == "applied"

    run(story)


@pytest.mark.parametrize("verb", ["bypass", "ack", "shelve"])
def test_what_cannot_be_recorded_is_not_done(verb: str) -> None:
    async def story(gateway: Gateway) -> None:
        await trip(gateway)
        gateway.journal.fail("disk full")
        reply = await gateway.command(verb, name="steam", seconds=60.0)
        assert (reply.outcome, reply.code) == ("refused", "journal_unavailable")
        assert alarm(gateway) is AlarmState.UNACK_ACTIVE
        assert not gateway.live().is_bypassed(gateway.clock.monotonic())

    run(story, constraints=[steam(bypassable=True)])


# Alarms that a lost device explains


def test_an_alarm_whose_only_cause_is_a_lost_device_is_suppressed_and_denies() -> None:
    async def story(gateway: Gateway) -> None:
        assert alarm(gateway) is AlarmState.NORMAL
        gateway.site.plant("boiler").cut()
        await asyncio.sleep(1)
        assert gateway.live().judgement.verdict is Verdict.UNKNOWN
        assert {state.alarm for state in gateway.shown if state.reason in {"disconnected", "refused"}} == {
            AlarmState.SUPPRESSED
        }
        assert gateway.live().finding(gateway.clock.monotonic(), STEAM) is not None
        gateway.site.plant("boiler").reachable = True
        await gateway.until(lambda: alarm(gateway) is AlarmState.NORMAL)

    run(story)


def test_a_latched_trip_and_a_doubt_of_a_device_that_answers_are_causes_of_their_own() -> None:
    async def story(gateway: Gateway) -> None:
        gateway.site.turn(SPEED, "fast")
        await trip(gateway)
        gateway.site.plant("boiler").cut()
        await asyncio.sleep(2)
        assert alarm(gateway) is AlarmState.UNACK_ACTIVE
        assert alarm(gateway, "speed") is AlarmState.UNACK_ACTIVE

    run(story, constraints=[steam(), speed()])


def test_a_shelved_alarm_is_shelved_again_when_the_device_is_back() -> None:
    async def story(gateway: Gateway) -> None:
        gateway.site.plant("boiler").cut()
        await asyncio.sleep(1)
        await gateway.command("shelve", name="steam", seconds=HOUR)
        assert alarm(gateway) is AlarmState.SUPPRESSED
        gateway.site.plant("boiler").reachable = True
        await gateway.until(lambda: alarm(gateway) is AlarmState.SHELVED)

    run(story)
