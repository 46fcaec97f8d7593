"""How the gateway is: in one word, with every reason, and in one line."""

from dataclasses import replace
from typing import Literal

import pytest

from gateway.app.situation import judge_situation
from gateway.control.guard import ConstraintState
from gateway.endpoints.device import DeviceState
from gateway.safety.verdict import SafetyLevel, Verdict

WALL = 1_767_225_600.0
UP = DeviceState("boiler", connected=True, reason="", since=WALL)
DOWN = DeviceState("turbine", connected=False, reason="timeout", since=WALL)
FINE = ConstraintState("max_steam", SafetyLevel.CRITICAL, Verdict.OK, "", 451.2, None, 580.0, WALL)
TRIPPED = replace(FINE, name="overspeed", verdict=Verdict.VIOLATED, reason="above_max", latched=True)


def test_nothing_to_say_is_online() -> None:
    situation = judge_situation([UP], [FINE], broker_up=True)
    assert (situation.state, situation.reasons) == ("online", ())
    assert situation.line == "1 of 1 devices up; broker up; 0 violated and 0 unknown of 1 constraints"


def test_a_halted_gateway_says_so_first_and_names_what_tripped_first_out_first() -> None:
    states = [FINE, TRIPPED, replace(TRIPPED, name="low_drum", first_out=True)]
    situation = judge_situation([UP, DOWN], states, broker_up=True, halted=True)
    assert situation.state == "halted"
    assert situation.reasons == ("trip low_drum", "trip overspeed", "device turbine: timeout")
    assert situation.line.startswith("halted; trip low_drum; trip overspeed; 1 of 2 devices up; ")


@pytest.mark.parametrize(
    ("states", "journal", "further", "reason"),
    [
        ([TRIPPED], "", (), "trip overspeed"),
        ([replace(FINE, bypassed_until=WALL)], "", (), "bypass max_steam"),
        ([FINE], "disk_full", (), "journal: disk_full"),
        ([FINE], "", ("time_untrusted",), "time_untrusted"),
    ],
    ids=["a trip that halts only its scope", "a bypass", "a dead journal", "another reason"],
)
def test_each_of_these_alone_makes_it_degraded_and_stands_in_the_line(
    states: list[ConstraintState], journal: str, further: tuple[str, ...], reason: str
) -> None:
    situation = judge_situation([UP], states, broker_up=True, journal=journal, further=further)
    assert (situation.state, situation.reasons) == ("degraded", (reason,))
    assert reason in situation.line.split("; ")


@pytest.mark.parametrize(
    ("control", "shown"),
    [("off", "control is off"), ("dry_run", "control is dry_run: no frame is sent"), ("on", "")],
)
def test_the_line_says_whether_commands_do_anything_and_the_status_is_not_degraded_by_it(
    control: Literal["off", "dry_run", "on"], shown: str
) -> None:
    situation = judge_situation([UP], [], broker_up=False, control=control)
    assert situation.state == "online"
    assert [part for part in situation.line.split("; ") if part.startswith("control")] == ([shown] if shown else [])
    assert "broker down" in situation.line
