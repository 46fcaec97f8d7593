"""`use: devices/eastron-sdm630`: the keys of a device that a register map brings, read once a run."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path as FilePath

from gateway.settings.files import Files
from gateway.settings.findings import Findings
from gateway.settings.merge import overlay
from gateway.settings.suggestion import suggest
from gateway.settings.tree import Node, Path

SHIPPED = (
    FilePath(sys.prefix) / "share" / "plantgate" / "config",
    FilePath(__file__).resolve().parent.parent.parent / "config",
)
"""Where the maps of plantgate's own are: installed, or in its repository."""
FOLDER = FilePath("devices")
"""Of the shipped ones; what people leave out most."""


class RegisterMaps:
    """Finds and reads register maps: beside the configuration first, then those that are shipped."""

    def __init__(self, files: Files, findings: Findings) -> None:
        self._files = files
        self._findings = findings
        self._read: dict[FilePath, Node | None] = {}

    def apply(self, device: Node, path: Path) -> Node | None:
        """Return the device with its map's keys below its own; None, with a problem, without that map."""
        use = device.members.get("use")
        if use is None:
            return device
        name = use.node.value
        if not isinstance(name, str) or not name:
            self._findings.problem(use.mark, (*path, "use"), "needs the name of a register map")
            return None
        places = [FilePath(use.mark.file).parent, self._findings.folder, *SHIPPED]
        found = next((file for file in _candidates(places, name) if file.is_file()), None)
        if found is None:
            advice = (
                suggest(name, _available(places, name)) or f"; looked in {', '.join(map(str, dict.fromkeys(places)))}"
            )
            self._findings.problem(use.node.mark, (*path, "use"), f"there is no register map {name!r}{advice}")
            return None
        base = self._map(found, use.node, path)
        return None if base is None else overlay(device, base)

    def _map(self, file: FilePath, use: Node, path: Path) -> Node | None:
        if file not in self._read:
            base = self._files.read(file, use.mark, path)
            if base is not None and "use" in base.members:
                self._findings.problem(base.members["use"].mark, (*path, "use"), "a register map cannot use another")
                base = None
            self._read[file] = base
        return self._read[file]


def _candidates(places: Iterable[FilePath], name: str) -> Iterator[FilePath]:
    for place in places:
        yield place / name
        yield place / f"{name}.yaml"


def _available(places: Iterable[FilePath], name: str) -> set[str]:
    folders = dict.fromkeys((FilePath(name).parent, FOLDER))
    return {
        str(folder / file.stem) for place in places for folder in folders for file in (place / folder).glob("*.yaml")
    }
