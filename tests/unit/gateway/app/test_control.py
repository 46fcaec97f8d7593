"""The way down as a whole: from a command to a frame, and to its outcome."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from drivers.errors import DeviceFault
from drivers.values import Quality
from gateway.control.command import Command
from gateway.control.refusal import Refused
from gateway.control.reply import CODES, Outcome, Reply
from gateway.safety.constraint import Setting
from gateway.storage.port import Change, Table
from tests.unit.gateway.app.control_site import HOT, ControlSite, configuration, play
from tests.virtual_time import run_virtual

BELOW = {"name": "low", "kind": "threshold", "tag": "boiler.setpoint", "max": 500, "level": "high"}


def test_a_permitted_write_is_one_frame_read_back_and_on_record() -> None:
    async def story(site: ControlSite) -> None:
        reply = await site.write("boiler.setpoint", 460, id="1", reason="warmer")
        assert (reply.outcome, reply.code) == (Outcome.APPLIED, "")
        assert reply.results["boiler.setpoint"].read_back == 460.0
        assert site.frames("setpoint") == [460.0]
        intent, outcome = (site.records(kind)[0] for kind in ("intent", "outcome"))
        assert (intent["command"], intent["principal"], intent["reason"]) == ("1", "ann", "warmer")
        assert intent["saw"]["boiler.steam"]["value"] == 400
        assert outcome["frames"][0]["raw"] == 460
        assert reply.provenance_hash == site.journal.disk.head.hash.hex()
        assert site.counters.control.frames["boiler"] == 1

    play(story)


def test_after_a_write_the_image_has_the_value_that_was_read_back() -> None:
    async def story(site: ControlSite) -> None:
        await site.write("boiler.setpoint", 460)
        tag = site.plant.image.find("boiler.setpoint")
        assert tag is not None
        assert site.plant.image.sample(tag, site.clock.monotonic()).value == 460.0

    play(story)


REFUSED: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "an unknown tag": ({"writes": {"boiler.nothing": 1}}, "unknown_tag"),
    "a tag that is only read": ({"writes": {"boiler.steam": 1}}, "not_writable"),
    "a value beyond the range": ({"writes": {"boiler.setpoint": 561}}, "out_of_range"),
    "a value below the range": ({"writes": {"boiler.setpoint": 99.9}}, "out_of_range"),
    "a bool for a number": ({"writes": {"boiler.setpoint": True}}, "bad_value"),
    "a text for a number": ({"writes": {"boiler.setpoint": "450"}}, "bad_value"),
    "a number for a bool": ({"writes": {"boiler.burner": 1}}, "bad_value"),
    "a number for a text": ({"writes": {"boiler.mode": 1}}, "bad_value"),
    "no number": ({"writes": {"boiler.setpoint": float("nan")}}, "bad_value"),
    "no end": ({"writes": {"boiler.setpoint": float("inf")}}, "bad_value"),
    "a fraction for a whole number": ({"writes": {"boiler.count": 7.5}}, "bad_value"),
    "one bad among good ones": ({"writes": {"boiler.count": 8, "boiler.setpoint": 600}}, "out_of_range"),
    "one that has expired": (
        {"writes": {"boiler.count": 8}, "expires_at": datetime(2025, 1, 1, tzinfo=UTC)},
        "expired",
    ),
}


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_what_is_refused_leaves_no_frame_and_one_record(case: str) -> None:
    fields, code = REFUSED[case]

    async def story(site: ControlSite) -> None:
        reply = await site.submit(verb="write", **fields)
        assert (reply.outcome, reply.code) == (Outcome.REFUSED, code)
        assert reply.code in CODES
        assert reply.message
        assert site.frames() == []
        (refusal,) = site.records("refusal")
        assert refusal["code"] == code
        assert not site.records("intent")

    play(story)


def test_who_stands_in_no_row_is_refused() -> None:
    async def story(site: ControlSite) -> None:
        assert (await site.write("boiler.count", 8, principal="eve")).code == "forbidden"
        assert (await site.write("turbine.load", 1.0)).code == "forbidden"
        assert (await site.write("boiler.count", 8)).outcome is Outcome.APPLIED

    play(story, configuration(authority={"ann": {"role": "operator", "may": ["write"], "tags": ["boiler.*"]}}))


def test_a_constraint_of_permission_asks_the_same_matrix() -> None:
    who = {"name": "who", "kind": "permission", "level": "critical"}

    async def story(site: ControlSite) -> None:
        assert (await site.write("boiler.count", 8)).outcome is Outcome.APPLIED

    play(story, configuration(constraints=[who]))


@pytest.mark.parametrize(("mode", "code"), [("off", "forbidden"), ("dry_run", "dry_run")])
def test_without_control_everything_is_judged_and_nothing_sent(mode: str, code: str) -> None:
    async def story(site: ControlSite) -> None:
        assert (await site.write("boiler.count", 8)).code == code
        if mode == "dry_run":
            assert (await site.write("boiler.setpoint", 600)).code == "out_of_range"
        assert site.frames() == []

    play(story, configuration(control=mode))


def test_a_device_can_be_kept_from_control_by_itself() -> None:
    async def story(site: ControlSite) -> None:
        assert (await site.write("boiler.count", 8)).code == "dry_run"
        assert (await site.write("turbine.load", 1.0)).outcome is Outcome.APPLIED
        assert site.frames() == []

    play(story, configuration(boiler={"control": "dry_run"}))


def test_a_proposal_beyond_a_limit_is_refused_and_trips_nothing() -> None:
    async def story(site: ControlSite) -> None:
        reply = await site.write("boiler.setpoint", 510)
        assert (reply.outcome, reply.code) == (Outcome.REFUSED, "violation")
        assert reply.violations[0].name == "low"
        assert reply.violations[0].limit == 500
        assert not site.control.gate.is_halted

    play(story, configuration(constraints=[{**BELOW, "level": "critical"}]))


def test_a_warning_is_told_and_stops_nothing() -> None:
    async def story(site: ControlSite) -> None:
        reply = await site.write("boiler.setpoint", 510)
        assert reply.outcome is Outcome.APPLIED
        assert [each.name for each in reply.violations] == ["low"]

    play(story, configuration(constraints=[{**BELOW, "level": "medium"}]))


def test_a_violated_limit_denies_a_write_in_its_scope_and_an_always_allowed_one_passes() -> None:
    async def story(site: ControlSite) -> None:
        site.far().set("steam", 600.0)
        await site.scan()
        assert (await site.write("boiler.setpoint", 460)).code == "halted"
        assert (await site.write("boiler.burner", value=True)).code == "halted"
        assert (await site.write("boiler.burner", value=False)).outcome is Outcome.APPLIED

    play(story)


DOUBTS = {
    "uncertain": lambda site: site.far().set("steam", 400.0, quality=Quality.UNCERTAIN, reason="uncertain"),
    "bad": lambda site: site.far().set("steam", None, quality=Quality.BAD, reason="sensor"),
    "no number": lambda site: site.far().set("steam", float("nan")),
    "a bool": lambda site: site.far().set("steam", value=True),
    "a text": lambda site: site.far().set("steam", "400"),
}


@pytest.mark.parametrize("case", DOUBTS, ids=str)
def test_a_doubt_about_a_live_value_denies_and_trips_nothing(case: str) -> None:
    async def story(site: ControlSite) -> None:
        DOUBTS[case](site)
        await site.scan(3)
        reply = await site.write("boiler.setpoint", 460)
        assert (reply.outcome, reply.code) == (Outcome.REFUSED, "stale_input")
        assert not site.control.gate.is_halted
        assert site.frames() == []

    play(story)


def test_a_device_that_is_gone_is_refused_in_one_line() -> None:
    async def story(site: ControlSite) -> None:
        site.far().cut()
        await site.scan()
        reply = await site.write("boiler.count", 8)
        assert (reply.outcome, reply.code) == (Outcome.REFUSED, "device_down")
        assert reply.message.startswith("boiler")

    play(story)


def test_a_silent_device_gets_one_frame_and_the_outcome_is_found_out_by_reading_later() -> None:
    async def story(site: ControlSite) -> None:
        far = site.far()
        far.asked = lambda _, what: far.silent.add(1) if what == "write" else None
        far.mute.add(1)
        reply = await site.write("boiler.count", 8, id="7")
        assert (reply.outcome, reply.code) == (Outcome.UNKNOWN, "timeout")
        assert site.frames("count") == [8]
        assert site.counters.control.unresolved == 1
        far.asked = lambda _, __: None
        far.silent.clear()
        far.mute.clear()
        await asyncio.sleep(20)
        assert site.counters.control.unresolved == 0
        again = await site.write("boiler.count", 8, id="7")
        assert again.repeated
        assert again.outcome in {Outcome.APPLIED, Outcome.MISMATCH}
        assert site.frames("count") == [8]
        assert ("command", "resolved") in [(kind, what) for kind, what, _ in site.told]

    play(story)


def test_a_lost_answer_is_resolved_by_reading_and_not_by_writing_again() -> None:
    async def story(site: ControlSite) -> None:
        site.far().mute.add(1)
        site.far().asked = lambda _, what: site.far().mute.discard(1) if what == "read" else None
        reply = await site.write("boiler.count", 8)
        assert reply.outcome is Outcome.APPLIED
        assert site.frames("count") == [8]

    play(story)


def test_a_device_that_says_no_has_failed_the_write() -> None:
    async def story(site: ControlSite) -> None:
        site.far().refusal = DeviceFault("exception_3", "illegal value")
        reply = await site.write("boiler.count", 8)
        assert (reply.outcome, reply.code) == (Outcome.FAILED, "device_error")
        assert site.frames("count") == [8]

    play(story)


def test_a_device_that_holds_another_value_is_a_mismatch() -> None:
    async def story(site: ControlSite) -> None:
        site.far().takes = lambda _, value: value if isinstance(value, bool) else 9
        reply = await site.write("boiler.count", 8)
        assert (reply.outcome, reply.code) == (Outcome.MISMATCH, "readback_mismatch")
        assert reply.results["boiler.count"].read_back == 9
        assert "9" in reply.message

    play(story)


def test_a_tag_that_cannot_be_read_back_is_unverified() -> None:
    async def story(site: ControlSite) -> None:
        assert (await site.write("boiler.count", 8)).outcome is Outcome.UNVERIFIED
        site.far().mute.add(1)
        assert (await site.write("boiler.count", 9)).outcome is Outcome.UNKNOWN

    play(story, configuration(tags={"count": {"readback": "none"}}))


def test_several_writes_go_in_their_order_and_each_has_its_result() -> None:
    async def story(site: ControlSite) -> None:
        reply = await site.submit(verb="write", writes={"boiler.count": 8, "turbine.load": 1.5, "boiler.mode": "hand"})
        assert reply.outcome is Outcome.APPLIED
        assert [each.address for each in site.far().frames] == ["count", "mode"]
        assert list(reply.results) == ["boiler.count", "turbine.load", "boiler.mode"]
        (outcome,) = site.records("outcome")
        assert [each["tag"] for each in outcome["frames"]] == ["count", "load", "mode"]

    play(story)


def test_the_first_that_is_not_applied_stops_the_rest() -> None:
    async def story(site: ControlSite) -> None:
        site.far().takes = lambda address, value: 9 if address == "count" else value
        reply = await site.submit(verb="write", writes={"boiler.mode": "a", "boiler.count": 8, "boiler.setpoint": 460})
        assert reply.outcome is Outcome.MISMATCH
        outcomes = [(each.outcome, each.code) for each in reply.results.values()]
        assert outcomes == [
            (Outcome.APPLIED, ""),
            (Outcome.MISMATCH, "readback_mismatch"),
            (Outcome.REFUSED, "cancelled"),
        ]
        assert site.frames("setpoint") == []

    play(story)


def test_a_trip_between_two_writes_of_one_command_stops_the_second() -> None:
    async def story(site: ControlSite) -> None:
        turbine = site.far("turbine")
        turbine.asked = lambda _, what: site.far().set("steam", 600.0) if what == "write" else None
        turbine.latency = 1.0  # the boiler is scanned before the first write has ended
        reply = await site.submit(verb="write", writes={"turbine.load": 1.5, "boiler.count": 8})
        assert reply.results["turbine.load"].outcome is Outcome.APPLIED
        assert reply.results["boiler.count"].code == "halted"
        assert (reply.outcome, reply.code) == (Outcome.FAILED, "halted")
        assert site.frames("count") == []

    play(story)


def test_the_same_id_again_is_answered_and_not_carried_out() -> None:
    async def story(site: ControlSite) -> None:
        replies = await asyncio.gather(*(site.write("boiler.count", 8, id="1") for _ in range(100)))
        assert {each.outcome for each in replies} == {Outcome.APPLIED}
        assert sum(each.repeated for each in replies) == 99
        assert site.frames("count") == [8]
        assert (await site.write("boiler.count", 9, id="1")).code == "duplicate"
        assert (await site.write("boiler.count", 9, id="1", principal="bob")).outcome is Outcome.APPLIED

    play(story)


def test_after_a_restart_the_same_id_is_answered_as_before() -> None:
    async def first(site: ControlSite) -> None:
        assert (await site.write("boiler.count", 8, id="1")).outcome is Outcome.APPLIED

    async def second(site: ControlSite) -> None:
        reply = await site.write("boiler.count", 8, id="1")
        assert (reply.outcome, reply.repeated) == (Outcome.APPLIED, True)
        assert site.frames("count") == [8]

    settings = configuration()
    before = play(first, settings)
    play(second, settings, before.journal.disk)


def test_whoever_stops_waiting_stops_nothing() -> None:
    async def story(site: ControlSite) -> None:
        site.far().latency = 0.05
        waiting = asyncio.create_task(site.write("boiler.count", 8, id="1"))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.sleep(1)
        assert site.frames("count") == [8]
        assert (await site.write("boiler.count", 8, id="1")).outcome is Outcome.APPLIED

    play(story)


def test_a_command_dies_where_its_device_is_busy_for_longer_than_it_lives() -> None:
    async def story(site: ControlSite) -> None:
        site.far().mute.add(1)
        site.far().asked = lambda _, what: site.far().silent.add(1) if what == "write" else None
        first = asyncio.create_task(site.write("boiler.count", 8))
        await asyncio.sleep(0.1)
        soon = datetime.fromtimestamp(site.clock.wall() + 0.5, UTC)
        assert (await site.write("boiler.count", 9, expires_at=soon)).code == "expired"
        await first
        assert site.frames("count") == [8]

    play(story)


def test_one_that_came_too_long_ago_is_expired() -> None:
    async def story(site: ControlSite) -> None:
        command = Command("write", writes={"boiler.count": 8})
        reply = await site.control.arbiter.submit(command, "ann", received=site.clock.monotonic() - 10.1)
        assert reply.code == "expired"

    play(story)


def test_while_the_clock_is_not_trusted_a_command_that_expires_is_refused() -> None:
    async def story(site: ControlSite) -> None:
        site.control.trusts_time._answer, site.control.trusts_time._asked = False, float("inf")
        late = datetime.fromtimestamp(site.clock.wall() + 100, UTC)
        assert (await site.write("boiler.count", 8, expires_at=late)).code == "time_untrusted"
        assert (await site.write("boiler.count", 8)).outcome is Outcome.APPLIED

    settings = configuration()
    play(story, replace(settings, time=replace(settings.time, require_sync=True)))


def test_without_a_journal_nothing_is_written() -> None:
    async def story(site: ControlSite) -> None:
        site.journal.fail("the disk is full")
        reply = await site.write("boiler.count", 8)
        assert (reply.outcome, reply.code) == (Outcome.REFUSED, "journal_unavailable")
        assert (await site.write("boiler.burner", value=False)).code == "journal_unavailable"
        assert site.frames() == []

    play(story)


def test_an_outcome_that_cannot_be_recorded_is_told_and_recorded_later() -> None:
    async def story(site: ControlSite) -> None:
        site.far().asked = lambda _, what: site.journal.fail("gone") if what == "write" else None
        reply = await site.write("boiler.count", 8)
        assert (reply.outcome, reply.provenance_hash) == (Outcome.APPLIED, "")
        site.far().asked = lambda _, __: None
        assert not site.records("outcome")
        site.journal.recover()
        await asyncio.sleep(3)
        assert len(site.records("outcome")) == 1

    play(story)


def test_a_disk_that_hangs_refuses_and_its_late_intent_is_followed_by_the_refusal() -> None:
    async def story(site: ControlSite) -> None:
        site.journal._latency = lambda: 30.0
        reply = await site.write("boiler.count", 8)
        assert reply.code == "journal_unavailable"
        await asyncio.sleep(200)
        site.journal._latency = lambda: 0.001
        await asyncio.sleep(40)
        kinds = [each["kind"] for each in site.records()]
        assert kinds.index("intent") < kinds.index("refusal")
        assert site.frames() == []

    play(story)


def test_a_stronger_writer_is_heard_until_it_relinquishes_and_then_the_weaker_value_is_written() -> None:
    rows = {
        "ann": {"role": "operator", "may": ["write", "relinquish"], "tags": ["*"]},
        "robot": {"role": "automatic", "may": ["write"], "tags": ["*"]},
    }

    async def story(site: ControlSite) -> None:
        assert (await site.write("boiler.setpoint", 400, principal="robot")).outcome is Outcome.APPLIED
        assert (await site.write("boiler.setpoint", 450)).outcome is Outcome.APPLIED
        assert (await site.write("boiler.setpoint", 420, principal="robot")).code == "outranked"
        reply = await site.submit(verb="relinquish", tags=("boiler.setpoint",))
        assert reply.outcome is Outcome.APPLIED
        await asyncio.sleep(1)
        assert site.frames("setpoint") == [400.0, 450.0, 400.0]
        assert (await site.write("boiler.setpoint", 420, principal="robot")).outcome is Outcome.APPLIED

    play(story, configuration(authority=rows))


def test_a_wish_that_ends_leaves_the_declared_value() -> None:
    async def story(site: ControlSite) -> None:
        assert (await site.write("boiler.setpoint", 460, hold=5.0)).outcome is Outcome.APPLIED
        assert (await site.write("boiler.setpoint", 470, principal="bob")).code == "outranked"
        await asyncio.sleep(6)
        assert site.frames("setpoint") == [460.0, 200.0]
        assert (await site.write("boiler.setpoint", 470, principal="bob")).outcome is Outcome.APPLIED

    play(story, configuration(tags={"setpoint": {"relinquish": 200}}))


def test_what_follows_a_wish_is_gated_like_any_write_and_a_refusal_of_it_is_told() -> None:
    async def story(site: ControlSite) -> None:
        await site.write("boiler.setpoint", 460, hold=5.0)
        site.far().set("steam", 600.0)
        await asyncio.sleep(6)
        assert site.frames("setpoint") == [460.0]
        (told,) = [details for kind, what, details in site.told if what == "succession_failed"]
        assert told["code"] == "halted"

    play(story, configuration(tags={"setpoint": {"relinquish": 200}}))


def test_relinquishing_what_is_not_held_says_so() -> None:
    async def story(site: ControlSite) -> None:
        reply = await site.submit(verb="relinquish", tags=("boiler.setpoint",))
        assert reply.outcome is Outcome.APPLIED
        assert reply.results["boiler.setpoint"].message == "nothing was held here"

    play(story)


def test_commands_that_wait_end_with_halted_at_a_trip() -> None:
    async def story(site: ControlSite) -> None:
        site.far("turbine").mute.add(1)
        site.far("turbine").asked = lambda _, what: site.far("turbine").silent.add(1) if what == "write" else None
        first = asyncio.create_task(site.write("turbine.load", 1.0))
        await asyncio.sleep(0.1)
        waiting = asyncio.create_task(site.write("turbine.load", 1.2))
        await asyncio.sleep(0.1)
        site.far().set("steam", 600.0)
        reply = await waiting
        assert reply.code == "halted"
        assert not first.done()
        assert (await first).outcome is Outcome.UNKNOWN

    play(story)


def test_a_late_evaluation_denies() -> None:
    async def story(site: ControlSite) -> None:
        site.stall(0.5)
        with pytest.raises(Refused, match="late") as refused:
            site.control.denials.check([], "ann")  # in the step in which a command would have left
        assert refused.value.code == "stale_input"

    play(story)


def test_damaged_trips_deny_everything() -> None:
    async def story(site: ControlSite) -> None:
        site.control.trips._table.is_damaged = True
        assert (await site.write("boiler.count", 8)).code == "halted"

    play(story)


def test_a_stop_refuses_what_waits_and_lets_the_running_command_end() -> None:
    async def main() -> None:
        site = ControlSite()
        async with site.running():
            site.far().latency = 0.05
            first = asyncio.create_task(site.write("boiler.count", 8))
            second = asyncio.create_task(site.write("boiler.count", 9))
            await asyncio.sleep(0.02)
        assert (await first).outcome is Outcome.APPLIED
        assert (await second).code == "restart"

    run_virtual(main())


def test_a_command_whose_process_died_is_unknown_and_found_out_by_reading() -> None:
    settings = configuration()

    async def main() -> None:
        site = ControlSite(settings)
        async with site.running():

            def kill(_: int, what: str) -> None:
                if what == "write":
                    site.journal.crash()

            site.far().asked = kill
            await site.write("boiler.count", 8, id="1")
            assert site.frames("count") == [8]
        site.far().asked = lambda _, __: None
        again = ControlSite(settings, site.journal.disk)
        async with again.running():
            assert again.left == ["1"]
            assert again.records("outcome")[0]["code"] == "restart"
            await asyncio.sleep(3)
            reply = await again.write("boiler.count", 8, id="1")
            assert (reply.outcome, reply.repeated) == (Outcome.APPLIED, True)
            assert again.frames("count") == [8]

    run_virtual(main())


def test_a_defect_in_a_handler_answers_unknown_and_the_next_command_is_served() -> None:
    async def story(site: ControlSite) -> None:
        async def break_down(_: object) -> Reply:
            raise ZeroDivisionError

        handlers = dict(site.control.arbiter._handlers)
        site.control.arbiter._handlers = {**handlers, "write": break_down}
        reply = await site.write("boiler.count", 8, id="1")
        assert (reply.outcome, reply.code) == (Outcome.UNKNOWN, "internal")
        site.control.arbiter._handlers = handlers
        assert (await site.write("boiler.count", 8)).outcome is Outcome.APPLIED

    play(story)


def test_every_command_is_counted_by_outcome_and_code() -> None:
    async def story(site: ControlSite) -> None:
        await site.write("boiler.count", 8)
        await site.write("boiler.nothing", 8)
        assert site.counters.control.decisions == {("applied", ""): 1, ("refused", "unknown_tag"): 1}

    play(story)


def test_what_is_limited_is_counted_by_its_limiter() -> None:
    calm = {"name": "calm", "kind": "rate_limit", "key": "boiler", "max": 1, "window": "60s", "level": "high"}

    async def story(site: ControlSite) -> None:
        assert (await site.write("boiler.count", 8)).outcome is Outcome.APPLIED
        assert (await site.write("boiler.count", 9)).code == "rate_limited"
        assert site.counters.control.rate_limited == {"calm": 1}

    play(story, configuration(constraints=[calm]))


def test_what_is_judged_is_what_the_device_will_hold() -> None:
    limit = {"name": "limit", "kind": "threshold", "tag": "boiler.count", "max": 500, "level": "high"}

    async def story(site: ControlSite) -> None:
        assert (await site.write("boiler.count", 499.9)).outcome is Outcome.APPLIED
        assert site.frames("count") == [1666]
        assert (await site.write("boiler.count", 500)).code == "violation"  # it would hold 500.1

    play(story, configuration(constraints=[limit], tags={"count": {"scale": 0.3}}))


def test_a_step_of_a_float_does_not_count_as_another_value() -> None:
    limit = {"name": "limit", "kind": "threshold", "tag": "boiler.setpoint", "max": 455.1, "level": "high"}

    async def story(site: ControlSite) -> None:
        assert (await site.write("boiler.setpoint", 455.1)).outcome is Outcome.APPLIED

    play(story, configuration(constraints=[limit]))


@pytest.mark.parametrize("value", ["off", 0], ids=["a text", "a number"])
def test_a_safe_value_that_its_device_cannot_take_is_told_before_it_is_needed(value: Setting) -> None:
    async def story(site: ControlSite) -> None:
        assert ("trip", "safe_state_impossible") in [(kind, what) for kind, what, _ in site.told]
        assert any("boiler.burner cannot take its value" in each for each in site.control.troubles())
        assert site.frames() == []

    play(story, configuration(constraints=[{**HOT, "on_trip": {"boiler.burner": value}}]))


def test_a_safe_value_that_its_device_can_take_is_no_trouble() -> None:
    async def story(site: ControlSite) -> None:
        assert site.control.troubles() == []

    play(story)


@pytest.mark.parametrize(("value", "frames"), [(9, 1), ("nine", 0)], ids=["applied", "refused"])
def test_the_sequence_of_a_signature_is_used_up_on_the_disk_before_a_frame_and_by_a_refusal(
    value: Setting, frames: int
) -> None:
    async def story(site: ControlSite) -> None:
        def on_disk() -> bool:
            return (Table.SEQUENCES, "ann") in site.journal.disk.state

        seen: list[bool] = []
        site.far().asked = lambda _, what: seen.append(on_disk()) if what == "write" else None
        command = Command("write", writes={"boiler.count": value})
        used = (Change(Table.SEQUENCES, "ann", {"sequence": 5}),)
        await site.control.arbiter.submit(command, "ann", changes=lambda: used)
        assert on_disk()
        assert seen == [True] * frames

    play(story)


def test_a_key_of_the_senders_choice_is_no_way_around_a_limit() -> None:
    calm = {"name": "calm", "kind": "rate_limit", "key": "boiler", "max": 2, "window": "60s", "level": "high"}

    async def story(site: ControlSite) -> None:
        replies = [await site.write("boiler.count", value, key="x") for value in range(3)]
        assert [each.code for each in replies] == ["", "", "rate_limited"]

    play(story, configuration(constraints=[calm]))


def test_the_way_to_safety_is_open_while_the_trips_on_record_are_damaged() -> None:
    async def story(site: ControlSite) -> None:
        site.control.trips._table.is_damaged = True
        assert (await site.write("boiler.burner", value=False)).outcome is Outcome.APPLIED

    play(story)


def test_the_way_to_safety_goes_before_all_that_wait_however_many_they_are() -> None:
    async def story(site: ControlSite) -> None:
        site.far().latency = 0.05
        others = [asyncio.create_task(site.write("boiler.count", 8, priority="critical")) for _ in range(120)]
        await asyncio.sleep(0.02)
        assert (await site.write("boiler.burner", value=False)).outcome is Outcome.APPLIED
        assert sum(each.done() for each in others) < 60
        assert {(await each).code for each in others} <= {"", "queue_full", "expired"}

    play(story)


def test_nobodys_time_keeps_an_operator_from_the_way_to_safety() -> None:
    async def story(site: ControlSite) -> None:
        assert (await site.write("boiler.burner", value=True, hold=600.0)).outcome is Outcome.APPLIED
        assert (await site.write("boiler.burner", value=True, principal="bob")).code == "outranked"
        assert (await site.write("boiler.burner", value=False, principal="bob")).outcome is Outcome.APPLIED

    play(story)


def test_with_damaged_ids_on_record_none_that_is_given_is_taken_for_new() -> None:
    async def story(site: ControlSite) -> None:
        assert (await site.write("boiler.count", 8, id="1")).outcome is Outcome.APPLIED
        site.control.book.forget("ann/1")
        del site.journal.disk.state[Table.COMMANDS, "ann/1"]
        site.journal.damage(Table.COMMANDS)
        assert (await site.write("boiler.count", 8, id="1")).code == "journal_unavailable"
        assert (await site.write("boiler.count", 9)).outcome is Outcome.APPLIED
        assert any("command ids" in trouble for trouble in site.control.troubles())

    play(story)


@pytest.mark.parametrize(
    "constraint",
    [
        {"kind": "timing", "tag": "boiler.burner", "min_on": "10s"},
        {"kind": "rate_of_change", "tag": "boiler.setpoint", "max_step": 60, "max_per_second": 1000},
    ],
    ids=["a rest", "a step"],
)
def test_what_looks_back_does_not_judge_by_a_sample_from_before_the_last_write(constraint: dict[str, Any]) -> None:
    tag, values = ("boiler.setpoint", (450.0, 500.0)) if "max_step" in constraint else ("boiler.burner", (True, False))

    async def story(site: ControlSite) -> None:
        await asyncio.sleep(11)
        assert (await site.write(tag, values[0])).outcome is Outcome.UNVERIFIED
        assert (await site.write(tag, values[1])).code == "stale_input"

    unseen = {"setpoint": {"readback": "none"}, "burner": {"readback": "none"}}
    play(story, configuration(constraints=[{"name": "back", "level": "high", **constraint}], tags=unseen))


def test_a_wish_that_its_device_refuses_holds_nothing() -> None:
    rows = {
        "ann": {"role": "operator", "may": ["write"], "tags": ["*"]},
        "robot": {"role": "automatic", "may": ["write"], "tags": ["*"]},
    }

    async def story(site: ControlSite) -> None:
        assert (await site.write("boiler.count", 7, principal="robot")).outcome is Outcome.APPLIED
        site.far().refusal = DeviceFault("exception_3", "illegal value")
        assert (await site.write("boiler.count", 8, hold=600.0)).outcome is Outcome.FAILED
        site.far().refusal = None
        assert (await site.write("boiler.count", 9, principal="robot")).outcome is Outcome.APPLIED

    play(story, configuration(authority=rows))


def test_relinquishing_a_tag_that_does_not_exist_says_so() -> None:
    async def story(site: ControlSite) -> None:
        reply = await site.submit(verb="relinquish", tags=("boiler.nothing",))
        assert (reply.outcome, reply.code) == (Outcome.REFUSED, "unknown_tag")

    play(story)
