"""`plantgate read` of computed tags, bits and texts, on devices in memory."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.memory import MemoryPlant, plant
from gateway.cli import read

CONFIG = """
gateway: {id: test}
devices:
  house:
    driver: computed
    tags:
      ratio: {expression: pump.flow / pump.power, unit: m3/kWh, scale: 10}
      mid: {median: [pump.a, pump.b, pump.c]}
      alarm: {expression: house.ratio > 30 and pump.fault, texts: {true: look, false: fine}}
      hourly: {average: pump.flow, window: 1h}
  pump:
    driver: memory
    url: memory://pump-of-read
    tags:
      flow: {address: f, start: 8.0}
      power: {address: p, start: 4.0}
      state: {address: s, start: 2, texts: {0: stopped, 2: running}}
      fault: {address: s, start: 2, bit: 1}
      a: {address: a, start: 1.0}
      b: {address: b, start: 3.0}
      c: {address: c, start: 2.0}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "plant.yaml"
    file.write_text(CONFIG)
    return file


@pytest.fixture
def pump() -> Iterator[MemoryPlant]:
    far = plant("memory://pump-of-read")
    yield far
    far.reachable = True
    far.cells.clear()


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    read.add(parser.add_subparsers())
    options = parser.parse_args(["read", *map(str, arguments)])
    return int(options.run(options))


def test_computed_tags_are_made_from_what_was_read_and_windows_are_left_out(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(config) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[:6] == [
        "house.ratio  20            m3/kWh  good",
        "house.mid    2                     good",
        "house.alarm  fine (false)          good",
        "pump.flow    8                     good",
        "pump.power   4                     good",
        "pump.state   running (2)           good",
    ]
    assert err == "not read, because a window of time begins when the gateway runs: house.hourly\n"


def test_one_computed_tag_reads_only_what_it_needs(
    config: Path, pump: MemoryPlant, capsys: pytest.CaptureFixture[str]
) -> None:
    pump.set("f", 16.0)
    pump.set("s", 3)
    assert run(config, "house.alarm", "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["tag"], told["value"], told["text"], told["quality"]) == ("house.alarm", True, "look", "good")


def test_a_window_that_is_asked_for_by_name_is_bad(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "house.hourly") == 1
    assert capsys.readouterr().out == "house.hourly  -    bad (coverage)\n"


def test_a_device_out_of_reach_spoils_what_is_made_from_it(
    config: Path, pump: MemoryPlant, capsys: pytest.CaptureFixture[str]
) -> None:
    pump.reachable = False
    assert run(config, "house.alarm") == 1
    out, err = capsys.readouterr()
    assert out == "house.alarm  -    bad (refused)\n"
    assert err == "pump: the memory plant is out of reach\n"
