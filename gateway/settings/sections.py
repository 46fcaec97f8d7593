"""The sections of the configuration, each read by itself, so that every mistake is told in one run."""

from collections.abc import Collection, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

from gateway.audit.settings import AuditSettings
from gateway.control.authority import Grant
from gateway.control.breaker_settings import BreakerSettings
from gateway.control.settings import CommandSettings
from gateway.northbound.settings import MqttSettings
from gateway.observability.settings import HttpSettings, LoggingSettings
from gateway.settings.compose import Checker, adapter, checker, translate
from gateway.settings.findings import Findings
from gateway.settings.known_tags import KnownTags, check_name, keyed
from gateway.settings.model import GatewaySection, Task, TimeSettings
from gateway.settings.suggestion import suggest
from gateway.settings.tree import Mark, Member, Node, item_key
from gateway.settings.validate import validate

PLAIN: Mapping[str, type] = MappingProxyType(
    {
        "gateway": GatewaySection,
        "mqtt": MqttSettings,
        "http": HttpSettings,
        "logging": LoggingSettings,
        "time": TimeSettings,
        "audit": AuditSettings,
        "commands": CommandSettings,
    }
)
"""Those that are one dataclass each."""
KNOWN = frozenset({*PLAIN, "devices", "safety", "authority", "breakers", "tasks", "include"})
LATER = frozenset({"approvals", "redundancy", "sagas", "outbox", "alarms", "limiters"})
"""Planned, and without a shape yet."""


def refuse_unknown(root: Node, findings: Findings) -> None:
    """Make every section that this version does not know a problem."""
    for name, member in root.members.items():
        if name in LATER:
            findings.problem(member.mark, (name,), "not supported by this version; remove it")
        elif name not in KNOWN:
            findings.problem(member.mark, (), f"unknown key {name!r}{suggest(name, KNOWN)}")


def read_plain(root: Node, findings: Findings) -> dict[str, Any]:
    """Return the plain sections that are there; None in the place of one that is not in order."""
    if "gateway" not in root.members:
        findings.problem(Mark(root.mark.file, 1, 1), (), "the key 'gateway' is missing; it needs `gateway: {id: NAME}`")
    return {
        name: validate(adapter(part), root.members[name], (name,), findings)
        for name, part in PLAIN.items()
        if name in root.members
    }


def read_authority(section: Member, findings: Findings) -> Any:  # noqa: ANN401  (`open`, or grants by principal)
    """Return who may do what."""
    for principal, member in section.node.members.items():
        check_name(principal, member.mark, ("authority", principal), findings)
    return validate(authority_checker(), section, ("authority",), findings)


def read_breakers(section: Member, devices: Collection[str], findings: Findings) -> Any:  # noqa: ANN401  (by device)
    """Return when writes to which device are held back. Devices: the names of all that are written down."""
    for device, member in section.node.members.items():
        if device not in devices:
            message = f"there is no device {device!r}{suggest(device, devices)}"
            findings.problem(member.mark, ("breakers", device), message)
    return validate(breakers_checker(), section, ("breakers",), findings)


def read_tasks(section: Member, tags: KnownTags, findings: Findings) -> tuple[Task, ...]:
    """Return the tasks, in the order of the file."""
    named: dict[str, Mark] = {}
    for place, item in enumerate(section.node.items):
        path = ("tasks", item_key(place))
        for mention in keyed(item, "write", path):
            tags.check_writable(mention, findings)
        name = item.members.get("name")
        if name is not None and isinstance(name.node.value, str):
            first = named.setdefault(name.node.value, name.node.mark)
            if first is not name.node.mark:
                findings.problem(name.node.mark, path, f"two tasks have this name; the first is at {first}")
    return validate(tasks_checker(), section, ("tasks",), findings) or ()


@cache
def authority_checker() -> Checker:
    """Return what checks the section `authority`."""
    return checker(translate(Literal["open"] | Mapping[str, Grant]))


@cache
def breakers_checker() -> Checker:
    """Return what checks the section `breakers`."""
    return checker(translate(Mapping[str, BreakerSettings]))


@cache
def tasks_checker() -> Checker:
    """Return what checks the section `tasks`."""
    return checker(translate(tuple[Task, ...]))
