"""The JSON Schema (draft 2020-12) of the whole configuration, for editors; the same bytes every time."""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from pydantic import TypeAdapter

from drivers import registry
from gateway.safety.kinds import KINDS
from gateway.settings.compose import Checker, adapter, checker
from gateway.settings.computed import COMPUTED, computed_device_keys, computed_tag_keys
from gateway.settings.constraints import constraint_keys, section_keys
from gateway.settings.devices import device_keys, tag_keys
from gateway.settings.model import NAME
from gateway.settings.sections import PLAIN, authority_checker, breakers_checker, tasks_checker

Schema: TypeAlias = dict[str, Any]

_NAMED = {"pattern": f"^{NAME.pattern}$"}
_HEAD = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "plantgate configuration",
    "description": "What `plantgate check` accepts, as far as a schema can say it.",
}


def write_schema() -> str:
    """Return the schema as the text of a file."""
    return json.dumps(build_schema(), indent=2) + "\n"


def build_schema() -> Schema:
    """Return the schema, with every built-in driver and every kind of constraint."""
    loaded = {name: registry.load(name) for name in sorted(registry.BUILT_IN)}
    drivers = {name: checker(device_keys(driver)) for name, driver in loaded.items()}
    tags = {name: checker(tag_keys(driver)) for name, driver in loaded.items()}
    drivers[COMPUTED], tags[COMPUTED] = checker(computed_device_keys()), checker(computed_tag_keys())
    kinds = {name: checker(constraint_keys(kind)) for name, kind in KINDS.items()}  # type: ignore[arg-type]  # hashable
    sections = {name: adapter(part) for name, part in PLAIN.items()}
    sections |= {"authority": authority_checker(), "breakers": breakers_checker(), "tasks": tasks_checker()}
    sections |= {"safety": checker(section_keys())}
    references, definitions = _generate({"driver": drivers, "tag": tags, "kind": kinds, "section": sections})
    properties = {name: references["section", name] for name in sections}
    for name in drivers:
        device = definitions[_definition(references["driver", name])]
        device["properties"]["tags"] = _map_of(references["tag", name])
    definitions["Device"] = _device({name: references["driver", name] for name in drivers})
    definitions["Constraint"] = _chosen("kind", {name: references["kind", name] for name in kinds})
    safety = definitions[_definition(properties["safety"])]
    safety["properties"]["constraints"] = {"type": "array", "items": {"$ref": "#/$defs/Constraint"}}
    properties["devices"] = _map_of({"$ref": "#/$defs/Device"})
    properties["include"] = {"type": ["string", "array"], "items": {"type": "string"}}
    whole = {"type": "object", "properties": properties, "additionalProperties": False}
    return _HEAD | whole | {"$defs": dict(sorted(definitions.items()))}


def _generate(groups: Mapping[str, Mapping[str, Checker]]) -> tuple[dict[tuple[str, str], Schema], dict[str, Schema]]:
    inputs = [
        ((group, name), "validation", each) for group, checkers in groups.items() for name, each in checkers.items()
    ]
    generated, shared = TypeAdapter.json_schemas(inputs)  # type: ignore[arg-type]  # the keys may be anything hashable
    schemas = {key: _tidy(schema) for (key, _), schema in generated.items()}
    return schemas, {name: _tidy(schema) for name, schema in shared["$defs"].items()}


def _definition(reference: Schema) -> str:
    return str(reference["$ref"]).rpartition("/")[2]


def _device(drivers: Mapping[str, Schema]) -> Schema:
    # A register map may bring any key, so beside `use` little can be said.
    mapped = {"type": "object", "properties": {"use": {"type": "string"}, "driver": {"enum": list(drivers)}}}
    return {"if": {"required": ["use"]}, "then": mapped, "else": _chosen("driver", drivers)}


def _chosen(key: str, branches: Mapping[str, Schema]) -> Schema:
    """Return a group of keys whose other keys depend on one of them."""
    return {
        "type": "object",
        "required": [key],
        "properties": {key: {"enum": list(branches)}},
        "allOf": [
            {"if": {"properties": {key: {"const": name}}, "required": [key]}, "then": branch}
            for name, branch in branches.items()
        ],
    }


def _map_of(schema: Schema) -> Schema:
    return {"type": "object", "propertyNames": _NAMED, "additionalProperties": schema}


def _tidy(schema: Any) -> Any:  # noqa: ANN401  (any part of a schema)
    """Leave out what pydantic adds and an editor would show for nothing."""
    if isinstance(schema, list):
        return [_tidy(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    alternatives = schema.get("anyOf", ())
    if len(alternatives) == 2 and alternatives[1] == {"type": "null"} and "type" in alternatives[0]:
        first = alternatives[0]["type"]
        types = [*first, "null"] if isinstance(first, list) else [first, "null"]
        schema = alternatives[0] | {"type": types} | {key: each for key, each in schema.items() if key != "anyOf"}
    return {
        key: _tidy(each)
        for key, each in schema.items()
        if not (key == "title" and isinstance(each, str)) and not (key == "default" and each is None)
    }
