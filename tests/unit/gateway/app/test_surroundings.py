"""What the gateway lends to drivers, from a whole configuration."""

from pathlib import Path
from random import Random

import pytest

from drivers.base import Care
from gateway.app.plant import Plant, build_plant
from gateway.app.surroundings import judged_tags, surround
from gateway.clock import SystemClock
from gateway.counters import Counters
from gateway.settings.load import load
from gateway.settings.model import Settings

CONFIGURATION = """
gateway: {id: plant-1}
mqtt: {url: "mqtt://127.0.0.1:1883"}
devices:
  first:
    driver: memory
    url: memory://lent
    scan: 3s
    fingerprint: {model: 7}
    watch_counter: {tag: cycles, within: 6s}
    tags:
      level: {address: a, deadband: 0.5, scale: -0.1}
      model: {address: b}
      plain: {address: c}
      cycles: {address: e}
  second:
    driver: memory
    url: memory://lent
    unit: 2
    scan: 1500ms
    tags: {level: {address: d}}
  alone:
    driver: memory
    url: memory://elsewhere
    tags: {level: {address: a}}
safety:
  constraints:
    - {name: high, kind: threshold, tag: first.level, max: 3, level: high}
    - {name: fast, kind: rate_of_change, tag: second.level, max_per_second: 5, level: high}
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    file = tmp_path / "plant.yaml"
    file.write_text(CONFIGURATION)
    return load(file).settings


@pytest.fixture
def plant(settings: Settings) -> Plant:
    return build_plant(settings, SystemClock(), Random(1), Counters())


def test_what_a_decision_rests_on_is_judged_whether_or_not_this_version_evaluates_it(settings: Settings) -> None:
    assert judged_tags(settings) == {"first.level", "second.level", "first.model", "first.cycles"}


def test_deadbands_are_those_of_the_device_before_scaling(settings: Settings, plant: Plant) -> None:
    first, second, _ = plant.devices
    lent = surround(first, [first, second], judged_tags(settings))
    assert lent.cares == [Care(judged=True, deadband=5.0), Care(judged=True), Care(), Care(judged=True)]


def test_devices_that_share_an_endpoint_are_impatient_and_one_alone_is_not(plant: Plant) -> None:
    first, second, alone = plant.devices
    assert surround(first, [first, second], ()).patience == pytest.approx(0.5)
    assert surround(alone, [alone], ()).patience is None


def test_what_a_driver_counts_and_learns_stays_with_the_device(plant: Plant) -> None:
    first, *_ = plant.devices
    lent = surround(first, [first], ())
    lent.count("late")
    lent.count("late")
    lent.learned["holes"] = ["a"]
    assert first.counters.discarded == {"late": 2}
    assert surround(first, [first], ()).learned == {"holes": ["a"]}


def test_devices_do_not_begin_all_at_once(plant: Plant) -> None:
    assert [device.phase for device in plant.devices] == pytest.approx([0, 1 / 3, 2 / 3])
