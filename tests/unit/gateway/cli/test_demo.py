"""The demo's configuration and words; the demo itself runs in tests/integration/test_demo_command.py."""

import argparse
from pathlib import Path

import pytest
import yaml

from gateway.cli import demo, demo_config
from gateway.cli.demo_programs import Demo, Ports, configure
from gateway.settings.load import load

TEXT = """
# a comment with devices: {boiler: {url: tcp://127.0.0.1:5020}}
gateway: {id: x, control: on}   # stays on
devices:
  boiler:
    url: tcp://127.0.0.1:5020   # the PLC
    tags: {a: {address: input:0}, url: {address: input:2}}
  turbine: {driver: opcua, url: "opc.tcp://127.0.0.1:4840/", scan: 500ms}
"""


def test_only_the_named_texts_are_replaced() -> None:
    rewritten = demo_config.rewrite(
        TEXT, {("devices", "boiler", "url"): "tcp://h:1", ("devices", "turbine", "url"): "opc.tcp://h:2/"}
    )
    assert rewritten == TEXT.replace("url: tcp://127.0.0.1:5020   #", 'url: "tcp://h:1"   #').replace(
        '"opc.tcp://127.0.0.1:4840/"', '"opc.tcp://h:2/"'
    )


@pytest.mark.parametrize("path", [("mqtt", "url"), ("devices", "boiler"), ("devices", "boiler", "url", "port")])
def test_a_text_that_is_not_there_is_a_key_error(path: tuple[str, ...]) -> None:
    with pytest.raises(KeyError, match=r"^'" + ".".join(path)):
        demo_config.rewrite(TEXT, {path: "x"})


def test_the_demos_configuration_at_other_ports_is_in_order(tmp_path: Path) -> None:
    text = demo_config.find().read_text()
    file = tmp_path / "demo.yaml"
    file.write_text(configure(text, Ports(mqtt=1, modbus=2, opcua=3, http=4)))
    settings = load(file).settings
    assert settings.mqtt.url == "embedded://127.0.0.1:1"
    assert settings.http.listen == "127.0.0.1:4"
    assert settings.devices["boiler"].driver_settings.address[-2:] == ("127.0.0.1", 2)
    assert settings.devices["turbine"].driver_settings.address == "opc.tcp://127.0.0.1:3/"
    assert settings.gateway.control == "on"
    before, after = yaml.safe_load(text), yaml.safe_load(file.read_text())
    assert before["safety"] == after["safety"]


def test_the_words_name_the_real_ports_and_the_plants_socket(tmp_path: Path) -> None:
    words = "\n".join(demo.introduction(Demo(tmp_path, Ports(1884, 2, 3, 4)), "bin/plantgate"))
    for part in (
        "tcp://127.0.0.1:2 ",
        "opc.tcp://127.0.0.1:3/",
        "http://127.0.0.1:4/metrics",
        "bin/plantgate watch --mqtt mqtt://127.0.0.1:1884\n",
        "mosquitto_sub -h 127.0.0.1 -p 1884 -v -t 'agent/boiler-house/#'",
        f"{tmp_path}/plant",
    ):
        assert part in words


def test_at_the_usual_port_watch_needs_no_address(tmp_path: Path) -> None:
    assert "  plantgate watch" in demo.introduction(Demo(tmp_path, Ports(1883, 2, 3, 4)), "plantgate")


@pytest.mark.parametrize("arguments", [["--mqtt-port", "70000"], ["--http-port", "-1"], ["--duration", "30"]])
def test_a_wrong_option_is_refused_with_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    demo.add(parser.add_subparsers())
    with pytest.raises(SystemExit) as ended:
        parser.parse_args(["demo", *arguments])
    assert ended.value.code == 2
    assert arguments[1] in capsys.readouterr().err
