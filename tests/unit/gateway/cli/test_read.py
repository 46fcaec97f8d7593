"""`plantgate read`, on devices in memory."""

import argparse
import json
from collections.abc import Iterator
from math import nan
from pathlib import Path

import pytest

from drivers.errors import DeviceFault
from drivers.memory import MemoryPlant, plant
from drivers.values import Quality
from gateway.cli import read
from gateway.errors import SettingsError

CONFIG = """
gateway: {id: test}
devices:
  boiler:
    driver: memory
    url: memory://boiler-of-read
    tags:
      temperature: {address: t, start: 450.5, unit: degC, range: [0, 700]}
      flame: {address: f, start: true}
      level: {address: l, start: 3, unit: mm, scale: 0.5, push: true}
  turbine:
    driver: memory
    url: memory://turbine-of-read
    tags:
      speed: {address: s, start: 3000.0, unit: rpm}
      state: {address: st, start: rolling}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "plant.yaml"
    file.write_text(CONFIG)
    return file


@pytest.fixture
def turbine() -> Iterator[MemoryPlant]:
    far = plant("memory://turbine-of-read")
    yield far
    far.reachable, far.fault = True, None
    far.cells.clear()


def run(*arguments: object) -> int:
    parser = argparse.ArgumentParser()
    read.add(parser.add_subparsers())
    options = parser.parse_args(["read", *map(str, arguments)])
    return int(options.run(options))


def test_every_tag_is_printed_with_its_unit_and_quality(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config) == 0
    assert capsys.readouterr().out.splitlines() == [
        "boiler.temperature  450.5    degC  good",
        "boiler.flame        true           good",
        "boiler.level        1.5      mm    good",
        "turbine.speed       3000     rpm   good",
        "turbine.state       rolling        good",
    ]


def test_named_tags_are_printed_in_the_order_of_their_names(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "turbine.speed", "boiler.flame", "turbine.speed") == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["turbine.speed", "boiler.flame"]


def test_a_device_out_of_reach_is_one_line_and_spoils_only_its_own_tags(
    config: Path, turbine: MemoryPlant, capsys: pytest.CaptureFixture[str]
) -> None:
    turbine.reachable = False
    assert run(config) == 1
    out, err = capsys.readouterr()
    assert err == "turbine: the memory plant is out of reach\n"
    assert out.splitlines()[0] == "boiler.temperature  450.5  degC  good"
    assert out.splitlines()[-2] == "turbine.speed       -      rpm   bad (refused)"


def test_a_device_that_refuses_is_one_line_with_its_reason(
    config: Path, turbine: MemoryPlant, capsys: pytest.CaptureFixture[str]
) -> None:
    turbine.fault = DeviceFault("exception_4", "it is on fire")
    assert run(config, "turbine.speed") == 1
    out, err = capsys.readouterr()
    assert err == "turbine: it is on fire\n"
    assert out == "turbine.speed  -  rpm  bad (exception_4)\n"


def test_json_tells_values_qualities_and_times(
    config: Path, turbine: MemoryPlant, capsys: pytest.CaptureFixture[str]
) -> None:
    turbine.set("s", nan)
    turbine.set("st", "\x1b[2J", Quality.UNCERTAIN, "last_usable")
    assert run(config, "boiler.temperature", "turbine.speed", "turbine.state", "--json") == 1
    shown = json.loads(capsys.readouterr().out)
    assert all(each.pop("time").endswith("Z") for each in shown)
    assert shown == [
        {"tag": "boiler.temperature", "value": 450.5, "unit": "degC", "quality": "good"},
        {"tag": "turbine.speed", "value": None, "unit": "rpm", "quality": "bad", "reason": "nan"},
        {"tag": "turbine.state", "value": "\x1b[2J", "unit": "", "quality": "uncertain", "reason": "last_usable"},
    ]


def test_an_uncertain_value_is_no_failure(
    config: Path, turbine: MemoryPlant, capsys: pytest.CaptureFixture[str]
) -> None:
    turbine.set("s", 3000.0, Quality.UNCERTAIN, "last_usable")
    assert run(config, "turbine.speed") == 0
    assert capsys.readouterr().out == "turbine.speed  3000  rpm  uncertain (last_usable)\n"


def test_a_misspelt_tag_is_told_what_was_probably_meant(config: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        run(config, "turbine.sped", "boiler.flame", "kettle.level")
    assert raised.value.problems[0] == "there is no tag 'turbine.sped'; did you mean 'turbine.speed'?"
    assert raised.value.problems[1].startswith("there is no tag 'kettle.level'")
