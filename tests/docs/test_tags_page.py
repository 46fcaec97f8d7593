"""docs/tags.md is a page that can be trusted: its example is a configuration in order, and it names every key."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from gateway.endpoints.settings import Deadman, WatchCounter
from gateway.settings.load import load
from gateway.settings.model import Settings
from gateway.tags.computed.evaluator import ARITHMETIC, COMPARISONS, FUNCTIONS
from gateway.tags.computed.point import FORMS, ComputedPoint
from gateway.tags.computed.redundant import Vote
from gateway.tags.tag import TagSettings

PAGE = (Path(__file__).parents[2] / "docs" / "tags.md").read_text()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "example.yaml"
    file.write_text(example)
    return load(file).settings


def test_its_example_shows_every_form_of_a_computed_tag(settings: Settings) -> None:
    assert {tag.point.form for tag in settings.devices["house"].tags} == set(FORMS)


@pytest.mark.parametrize("part", [TagSettings, ComputedPoint, Vote, Deadman, WatchCounter])
def test_its_example_shows_every_key(part: type) -> None:
    example = PAGE.split("```")[1]
    assert [each.name for each in fields(part) if not re.search(rf"\b{each.name}: ", example)] == []


@pytest.mark.parametrize("part", [TagSettings, ComputedPoint, Vote, Deadman, WatchCounter])
def test_it_explains_every_key(part: type) -> None:
    text = PAGE.split("```")[2]
    assert [each.name for each in fields(part) if not re.search(rf"[`{{ ]{each.name}\b", text)] == []


def test_it_names_every_operator_and_function_of_an_expression() -> None:
    (arithmetic,) = re.findall(r"^\| arithmetic \| `([^`]*)`", PAGE, re.MULTILINE)
    (comparisons,) = re.findall(r"^\| comparisons \| `([^`]*)`", PAGE, re.MULTILINE)
    (functions,) = re.findall(r"^\| functions \| `([^`]*)`", PAGE, re.MULTILINE)
    assert set(arithmetic.split()) == set(ARITHMETIC.values())
    assert set(comparisons.split()) == set(COMPARISONS.values())
    assert set(re.findall(r"(\w+)\(", functions)) == set(FUNCTIONS)
