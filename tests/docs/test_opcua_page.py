"""docs/drivers/opcua.md is a page that can be trusted: its example is in order, and it names every key and profile."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from drivers.opcua.server_profile import PROFILES
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint
from gateway.settings.load import load

PAGE = (Path(__file__).parents[2] / "docs" / "drivers" / "opcua.md").read_text()


def test_its_example_is_a_configuration_in_order(tmp_path: Path) -> None:
    example, *_ = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "example.yaml"
    file.write_text(f"gateway: {{id: docs}}\nmqtt: {{url: mqtt://127.0.0.1:1883}}\n{example}")
    assert load(file).settings is not None


@pytest.mark.parametrize("part", [OpcUaDevice, OpcUaPoint])
def test_it_names_every_key(part: type) -> None:
    assert [each.name for each in fields(part) if f"`{each.name}`" not in PAGE] == []


def test_it_gives_the_figures_of_every_profile() -> None:
    for name, profile in PROFILES.items():
        (row,) = re.findall(rf"^\|[^\n]*`{re.escape(name)}`[^\n]*\|$", PAGE, re.MULTILINE)
        _, _, read, create, _, subscriptions, *_ = [cell.strip() for cell in row.split("|")]
        assert (int(read), int(create), int(subscriptions)) == (profile.read, profile.create, profile.subscriptions)
