import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivers import registry
from drivers.base import Connection, Driver
from drivers.values import Seconds
from gateway.control.authority import Grant
from gateway.endpoints.settings import DeviceSettings
from gateway.errors import SettingsError
from gateway.northbound.settings import MqttSettings
from gateway.safety.constraint import SafeWrite
from gateway.safety.kinds.rate_of_change import RateOfChange
from gateway.safety.kinds.threshold import Threshold
from gateway.safety.verdict import SafetyLevel
from gateway.settings.load import Loaded, examine, load
from gateway.settings.model import Device, DeviceTag, GatewaySection, SafetySettings, Task
from gateway.tags.tag import TagSettings

CONFIG = Path(__file__).parents[4] / "config"

Write = Callable[[str], Path]


@dataclass(frozen=True, slots=True)
class StubDevice:
    url: str
    scan: Seconds = Seconds(77)


@dataclass(frozen=True, slots=True)
class StubPoint:
    address: str


@dataclass(frozen=True, slots=True)
class GreedyPoint:
    deadband: float = 0.0


def install(monkeypatch: pytest.MonkeyPatch, name: str, point: type) -> None:
    module = ModuleType(f"{name}_driver")
    module.__dict__["DRIVER"] = Driver(
        device=StubDevice, point=point, endpoint=str, connect=_never, check_writable=lambda device, point: None
    )
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(registry.BUILT_IN, name, module.__name__)


def _never(_: object) -> Connection:
    raise AssertionError("nothing connects here")


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)
    install(monkeypatch, "stub", StubPoint)
    install(monkeypatch, "greedy", GreedyPoint)

    def write_file(text: str) -> Path:
        Path("plant.yaml").write_text(text)
        return Path("plant.yaml")

    return write_file


WHOLE = """
gateway: {id: plant-1}
devices:
  boiler:
    driver: stub
    url: stub://1
    scan: 500ms
    tags:
      steam: {address: a, unit: degC, range: [0, 700]}
      burner: {address: b, writable: true}
safety:
  period: 50ms
  constraints:
    - name: hot
      kind: threshold
      tag: boiler.steam
      max: 580
      hysteresis: 5
      level: critical
      on_delay: 1s
      max_age: 2s
      on_trip: {boiler.burner: {value: false, after: 2s}}
    - {name: fast, kind: rate_of_change, tag: boiler.steam, max_per_second: 5, level: high}
authority: {operator-1: {role: operator, may: [write, ack], tags: [boiler.*]}}
tasks: [{name: night, cron: 0 22 * * *, write: {boiler.burner: false}}]
"""


def test_a_whole_configuration_becomes_settings(write: Write) -> None:
    settings, notes = load(write(WHOLE))
    assert settings.gateway == GatewaySection("plant-1", "off")
    assert settings.mqtt == MqttSettings()
    assert settings.devices == {
        "boiler": Device(
            "boiler",
            "stub",
            DeviceSettings(scan=Seconds(0.5)),
            StubDevice("stub://1", Seconds(0.5)),
            (
                DeviceTag("steam", TagSettings(unit="degC", range=(0.0, 700.0)), StubPoint("a")),
                DeviceTag("burner", TagSettings(writable=True), StubPoint("b")),
            ),
        )
    }
    hot = Threshold(
        name="hot",
        level=SafetyLevel.CRITICAL,
        tag="boiler.steam",
        max=580.0,
        hysteresis=5.0,
        on_delay=Seconds(1),
        max_age=Seconds(2),
        on_trip={"boiler.burner": SafeWrite(value=False, after=Seconds(2))},
    )
    fast = RateOfChange(name="fast", level=SafetyLevel.HIGH, tag="boiler.steam", max_per_second=5.0)
    assert settings.safety == SafetySettings(Seconds(0.05), constraints=(hot, fast))
    assert settings.authority == {"operator-1": Grant("operator", ("write", "ack"), ("boiler.*",))}
    assert settings.tasks == (Task("night", "0 22 * * *", {"boiler.burner": False}),)
    assert notes == ("plant.yaml:25:1: tasks: note: this version runs no tasks",)


def test_the_driver_s_scan_is_the_gateway_s_also_where_nobody_sets_it(write: Write) -> None:
    settings, _ = load(write("gateway: {id: x}\ndevices: {d: {driver: stub, url: u, tags: {t: {address: a}}}}\n"))
    assert settings.devices["d"].driver_settings.scan == settings.devices["d"].gateway.scan == DeviceSettings().scan


def test_every_problem_is_raised_in_one_error(write: Write) -> None:
    with pytest.raises(SettingsError) as refused:
        load(write("gateway: {id: a b}\nmqtt: {publish: all}\nlogging: {level: x}\n"))
    assert [problem.split(":")[1] for problem in refused.value.problems] == ["1", "2", "3"]


def test_a_driver_that_wants_the_gateway_s_own_key_is_refused(write: Write) -> None:
    problems = examine(write("gateway: {id: x}\ndevices: {d: {driver: greedy, url: u, tags: {t: {}}}}\n")).problems
    message = "the key 'deadband' has more than one meaning in TagSettings and GreedyPoint"
    assert [str(problem) for problem in problems] == [f"plant.yaml:2:23: devices.d.driver: {message}"]


def test_a_driver_whose_library_is_missing_is_a_problem(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.BUILT_IN, "broken", "drivers.not_there")
    (problem,) = examine(write("gateway: {id: x}\ndevices: {d: {driver: broken, url: u}}\n")).problems
    assert str(problem).startswith("plant.yaml:2:23: devices.d.driver: driver 'broken' cannot be loaded: No module")


def test_a_file_that_is_not_there_is_one_line(write: Write) -> None:
    with pytest.raises(SettingsError, match=r"^nowhere/plant\.yaml: cannot be read: No such file or directory$"):
        load("nowhere/plant.yaml")


def test_a_file_too_large_is_not_read(write: Write) -> None:
    (problem,) = examine(write("# " + "x" * 5_000_000)).problems
    assert str(problem) == "plant.yaml: is larger than 4 MiB; split it with `include:`"


def test_a_byte_order_mark_and_windows_line_ends_are_no_problem(write: Write) -> None:
    file = write("")
    file.write_bytes(b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode())
    assert isinstance(load(file), Loaded)


def test_the_environment_is_what_the_caller_says(write: Write) -> None:
    file = write("gateway: {id: '${env:PLANT}'}\n")
    assert load(file, {"PLANT": "boiler-7"}).settings.gateway.id == "boiler-7"
    (problem,) = examine(file, {}).problems
    assert problem.message == "the environment variable PLANT is not set"


def test_a_configuration_without_devices_is_noted(write: Write) -> None:
    assert load(write("gateway: {id: x}\n")).notes == (
        "plant.yaml:1:1: note: there are no devices, so nothing is read",
    )


@pytest.mark.parametrize("file", sorted(CONFIG.glob("*.yaml")), ids=lambda file: file.name)
def test_what_is_shipped_is_in_order(file: Path) -> None:
    assert [str(problem) for problem in examine(file).problems] == []


@pytest.mark.parametrize("file", sorted((CONFIG / "devices").glob("*.yaml")), ids=lambda file: file.name)
def test_a_shipped_register_map_needs_a_url_and_nothing_else(write: Write, file: Path) -> None:
    text = f"gateway: {{id: x}}\ndevices: {{meter: {{use: devices/{file.stem}, url: 'tcp://127.0.0.1'}}}}\n"
    assert len(load(write(text)).settings.devices["meter"].tags) >= 10


KEYS = (
    "gateway id devices boiler driver stub url tags steam address range safety constraints name kind threshold tag "
    "boiler.steam max min level critical on_trip authority open tasks include use mqtt ${env:X} 580 -1 true on .nan"
)
WORDS = st.sampled_from(KEYS.split())
TREES = st.recursive(WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4))


def flow(tree: object) -> str:
    if isinstance(tree, dict):
        return "{" + ", ".join(f"'{key}': {flow(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(map(flow, tree)) + "]"
    return f"'{tree}'" if "$" in str(tree) else str(tree)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.dictionaries(WORDS, TREES, max_size=6))
def test_whatever_stands_in_the_file_is_settings_or_problems_in_one_line_each(write: Write, tree: object) -> None:
    settings, problems, notes = examine(write(flow(tree)), {})
    assert (settings is None) == bool(problems)
    assert not any("\n" in str(finding) for finding in (*problems, *notes))
    assert [each.mark for each in problems] == sorted(each.mark for each in problems)
