"""`${env:NAME}`, `${file:PATH}` and `${credential:NAME}` in texts. What they give is never shown."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath

from gateway.settings.findings import Findings
from gateway.settings.scalar import UNPRINTABLE
from gateway.settings.suggestion import suggest
from gateway.settings.tree import Given, Node, Path, children

OF_FOLDER = "plantgate_"
"""As `LoadCredential=plantgate:FOLDER` in the unit names the files of the folder."""
CREDENTIALS = "CREDENTIALS_DIRECTORY"
LARGEST = 64 * 1024
"""Bytes of a file that a reference may bring."""

_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")


class _Unresolved(Exception):
    """Why a reference gives nothing, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """Where references lead: the environment, and the folder from which relative files are meant."""

    environ: Mapping[str, str]
    folder: FilePath

    def resolve(self, root: Node, path: Path, findings: Findings) -> None:
        """Put the texts into a tree, in place; a reference that leads nowhere is a problem."""
        waiting = [(root, path)]
        done: set[int] = set()
        while waiting:
            node, path = waiting.pop()
            if id(node) in done:
                continue
            done.add(id(node))
            if isinstance(node.value, str) and "${" in node.value:
                self._replace(node, node.value, path, findings)
            waiting.extend(children(node, path))

    def _replace(self, node: Node, written: str, path: Path, findings: Findings) -> None:
        def put(found: re.Match[str]) -> str:
            if found[0] == "$${":
                return "${"
            resolved = self._look_up(found)
            if UNPRINTABLE.search(resolved):
                raise _Unresolved(f"{found[0]} gives an unprintable character; nothing here can hold one")
            findings.conceal(resolved, found[0])
            return resolved

        try:
            value = Given(_REFERENCE.sub(put, written))
        except _Unresolved as reason:
            findings.problem(node.mark, path, str(reason))
            node.broken = True
            return
        value.text = written
        findings.conceal(value, written)
        node.value = value

    def _look_up(self, found: re.Match[str]) -> str:
        kind, colon, name = found[1].partition(":")
        if not found[2]:
            raise _Unresolved(f"{found[0]} is not closed with }}; write $${{ for a plain ${{")
        if not colon or not name:
            raise _Unresolved(f"{found[0]} names no source; write ${{env:{kind or 'NAME'}}}, or $${{ for a plain ${{")
        if kind == "env":
            return self._variable(name)
        if kind == "file":
            return _content(self.folder / name, found[0])
        if kind == "credential":
            return self._credential(name, found[0])
        advice = suggest(kind, ("env", "file", "credential"))
        raise _Unresolved(f"{found[0]} leads nowhere: unknown source {kind!r}{advice}")

    def _variable(self, name: str) -> str:
        if name not in self.environ:
            raise _Unresolved(f"the environment variable {name} is not set")
        return self.environ[name]

    def _credential(self, name: str, written: str) -> str:
        folder = self.environ.get(CREDENTIALS)
        if not folder:
            raise _Unresolved(
                f"{written} needs the systemd service and a file /etc/plantgate/credentials/{name}; "
                "elsewhere use ${env:NAME} or ${file:/path}"
            )
        if "/" in name or name in {".", ".."}:
            raise _Unresolved(f"{written}: a credential has a plain name, without /")
        path = FilePath(folder) / name
        # systemd puts the unit's own word before the names of a whole folder of credentials.
        whole = path.with_name(f"{OF_FOLDER}{name}")
        return _content(whole if whole.exists() else path, written)


def _content(path: FilePath, written: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise _Unresolved(f"{written}: {path} is larger than {LARGEST // 1024} KiB")
        return content.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise _Unresolved(f"{written}: {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise _Unresolved(f"{written}: {path} is not UTF-8 text") from error
