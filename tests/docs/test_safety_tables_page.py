"""docs/safety-tables.md is what the tables of trips and alarms say, and explains each of their words."""

import subprocess
import sys
from enum import Enum
from pathlib import Path

import pytest

from gateway.safety.alarm import TRANSITIONS as ALARM
from gateway.safety.alarm import AlarmEvent, AlarmState
from gateway.safety.trip import TRANSITIONS as TRIP
from gateway.safety.trip import TripEvent, TripState

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "safety-tables.md").read_text()
TOOL = "tools/draw_safety_tables.py"


def test_it_is_what_the_tool_draws() -> None:
    drawn = subprocess.run([sys.executable, TOOL], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert drawn == PAGE, f"run: python {TOOL} > docs/safety-tables.md"


@pytest.mark.parametrize("table", [ALARM, TRIP], ids=["alarm", "trip"])
def test_every_transition_is_an_arrow(table: dict[tuple[Enum, Enum], Enum]) -> None:
    lines = PAGE.splitlines()
    for (state, event), following in table.items():
        [arrow] = [line for line in lines if line.startswith(f"    {state.value} --> {following.value}: ")]
        assert event.value in arrow.partition(": ")[2].split(", ")


@pytest.mark.parametrize("words", [AlarmState, AlarmEvent, TripState, TripEvent])
def test_every_word_is_explained(words: type[Enum]) -> None:
    assert [each.value for each in words if f"\n| {each.value} | " not in PAGE] == []
