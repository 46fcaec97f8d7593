"""What `plantgate watch` draws."""

import json
from datetime import UTC, datetime
from io import StringIO

import pytest
from rich.console import Console

from gateway.cli.watch_screen import age, screen
from gateway.cli.watch_state import WatchState

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC).timestamp()


def state(tags: int = 2, state_: str = "online") -> WatchState:
    known = WatchState("agent", "boiler-house")
    names = [f"t{number:02}" for number in range(tags)]
    messages: dict[str, object] = {
        "status": {"state": state_, "expires": "2026-01-02T12:01:30.000Z", "reasons": ["device b: refused"]},
        "device/a": {"state": "connected", "tags": {name: {"unit": "bar"} for name in names}},
        "device/b": {"state": "disconnected", "reason": "refused"},
        "constraint/calm": {"verdict": "ok", "level": "high", "value": 1.0, "min": 0, "max": 2},
        "constraint/hot": {"verdict": "violated", "level": "critical", "value": 590, "max": 580, "reason": "above_max"},
        "constraint/blind": {"verdict": "unknown", "level": "high", "value": None, "max": 9, "reason": "stale"},
        **{f"tag/a/{name}": {"value": 1.5, "quality": "good", "time": "2026-01-02T11:59:55.000Z"} for name in names},
    }
    for topic, payload in messages.items():
        known.take(f"agent/boiler-house/{topic}", json.dumps(payload).encode())
    return known


def drawn(known: WatchState, *, wall: float = NOON, height: int = 40, trouble: str = "", width: int = 100) -> list[str]:
    console = Console(file=StringIO(), width=width, height=height)
    console.print(screen(known, wall, height, trouble))
    assert isinstance(console.file, StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_status_devices_and_reasons_stand_on_top() -> None:
    lines = drawn(state())
    assert lines[0] == "boiler-house online   a: connected   b: disconnected (refused)"
    assert lines[1] == "  device b: refused"


def test_the_gravest_verdict_stands_first() -> None:
    assert [line.split() for line in drawn(state())[3:6]] == [
        ["hot", "violated", "(above_max)", "critical", "590", "max", "580"],
        ["blind", "unknown", "(stale)", "high", "-", "max", "9"],
        ["calm", "ok", "high", "1", "min", "0,", "max", "2"],
    ]


def test_a_tag_is_drawn_with_value_unit_quality_and_age() -> None:
    lines = drawn(state())
    assert lines[-2].split() == ["a", "t00", "1.5", "bar", "good", "5.0", "s"]
    assert lines[-1].split() == ["t01", "1.5", "bar", "good", "5.0", "s"]


@pytest.mark.parametrize(("word", "wall"), [("offline", NOON), ("online", NOON + 600)])
def test_values_that_outlived_their_gateway_are_not_called_good(word: str, wall: float) -> None:
    lines = drawn(state(state_=word), wall=wall)
    assert not any("good" in line for line in lines)
    assert "no longer" in lines[-1]


def test_trouble_is_told_in_a_line_of_its_own() -> None:
    assert "mqtt://x: connection refused" in drawn(state(), trouble="mqtt://x: connection refused")


@pytest.mark.parametrize("height", [1, 5, 10, 24, 60])
@pytest.mark.parametrize("width", [40, 100])
def test_the_screen_is_never_taller_than_the_window_that_holds_its_head(height: int, width: int) -> None:
    lines = drawn(state(tags=50), height=height, width=width)
    head = 2 + 4 + 1 + 1
    assert len(lines) <= max(height, head)
    if height < 50:
        assert lines[-1].startswith(" and ")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0 s"),
        (float("nan"), "0 s"),
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (61, "61 s"),
        (600, "10 min"),
        (9000, "2 h"),
    ],
)
def test_an_age_is_told_in_the_unit_that_suits_it(seconds: float, text: str) -> None:
    assert age(seconds) == text


def test_a_value_with_a_text_is_drawn_as_the_text_and_the_value() -> None:
    known = state(tags=1)
    known.take("agent/boiler-house/tag/a/t00", b'{"value": 2, "text": "tripped\\u001b", "quality": "good"}')
    assert drawn(known)[-1].split()[:4] == ["a", "t00", "tripped\N{REPLACEMENT CHARACTER}", "(2)"]
