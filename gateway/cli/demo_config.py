"""The demo's configuration at the demo's own addresses. Pure but for `find`."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from gateway.errors import ServiceError

NAME = "boiler-house.yaml"


def find() -> Path:
    """Return the configuration's file: of the checkout, or as it was installed. Raises ServiceError."""
    places = [
        Path(__file__).parents[2] / "config" / NAME,
        Path(sys.prefix) / "share" / "plantgate" / "config" / NAME,
    ]
    for place in places:
        if place.is_file():
            return place
    raise ServiceError(f"the demo's configuration is missing: neither {places[0]} nor {places[1]} is there")


def rewrite(text: str, values: Mapping[tuple[str, ...], str]) -> str:
    """Return YAML text with the texts at some paths replaced, and all else, comments too, as it was.

    Raises KeyError for a path that is not in the text.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    spots = sorted(((_follow(root, path), value) for path, value in values.items()), key=lambda spot: -spot[0][0])
    for (start, end), value in spots:
        text = f"{text[:start]}{json.dumps(value)}{text[end:]}"
    return text


def _follow(node: yaml.Node | None, path: tuple[str, ...]) -> tuple[int, int]:
    """Return where the text at a path begins and ends."""
    for step in path:
        members = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for key, value in members if key.value == step), None)
    if not isinstance(node, yaml.ScalarNode):
        raise KeyError(".".join(path))
    return node.start_mark.index, node.end_mark.index
