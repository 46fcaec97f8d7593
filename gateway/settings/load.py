"""From a file to Settings, with everything that is wrong with it found in one run."""

import os
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import NamedTuple

from gateway.errors import SettingsError
from gateway.settings.advice import advise
from gateway.settings.constraints import Constraints
from gateway.settings.devices import Devices
from gateway.settings.files import Files
from gateway.settings.findings import Finding, Findings
from gateway.settings.include import Includes
from gateway.settings.known_tags import KnownTags
from gateway.settings.model import SafetySettings, Settings
from gateway.settings.register_map import RegisterMaps
from gateway.settings.sections import read_authority, read_breakers, read_plain, read_tasks, refuse_unknown
from gateway.settings.tree import Node


class Examination(NamedTuple):
    """What one run over a configuration gives."""

    settings: Settings | None
    """None where there are problems."""
    problems: tuple[Finding, ...]
    notes: tuple[Finding, ...]


class Loaded(NamedTuple):
    """A configuration in order, and what is to be said about it."""

    settings: Settings
    notes: tuple[str, ...]
    """One line each: `file:line:column: path: note: message`."""


def load(file: FilePath | str, environ: Mapping[str, str] | None = None) -> Loaded:
    """Return the configuration in the file. Raises SettingsError with every problem in it.

    `environ` is the environment in which references are looked up, the process's own by default.
    """
    settings, problems, notes = examine(file, environ)
    if settings is None:
        raise SettingsError(*map(str, problems))
    return Loaded(settings, tuple(map(str, notes)))


def examine(file: FilePath | str, environ: Mapping[str, str] | None = None) -> Examination:
    """Return the configuration, or what is wrong with it."""
    path = FilePath(file)
    findings = Findings(path.parent)
    files = Files(os.environ if environ is None else environ, findings)
    root = Includes(files, findings).read(path)
    settings = None if root is None else _read(root, RegisterMaps(files, findings), findings)
    return Examination(None if findings.problems else settings, findings.problems, findings.notes)


def _read(root: Node, maps: RegisterMaps, findings: Findings) -> Settings | None:
    refuse_unknown(root, findings)
    plain = read_plain(root, findings)
    sections = root.members
    tags = Devices(maps, findings).read(sections["devices"], ("devices",)) if "devices" in sections else KnownTags()
    constraints = Constraints(tags, findings)
    safety = constraints.read(sections["safety"], ("safety",)) if "safety" in sections else SafetySettings()
    authority = read_authority(sections["authority"], findings) if "authority" in sections else None
    named = sections["devices"].node.members if "devices" in sections else {}
    breakers = read_breakers(sections["breakers"], named, findings) if "breakers" in sections else {}
    tasks = read_tasks(sections["tasks"], tags, findings) if "tasks" in sections else ()
    if findings.problems or safety is None:
        return None
    settings = Settings(
        **plain, devices=tags.devices, safety=safety, authority=authority, breakers=breakers, tasks=tasks
    )
    advise(root, settings, constraints.declared, tags, findings)
    return settings
