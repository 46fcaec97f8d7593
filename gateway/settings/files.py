"""Reading configuration files from the disk: one tree a file, with its references put in."""

from collections.abc import Mapping
from pathlib import Path as FilePath

from gateway.settings.findings import Findings
from gateway.settings.references import Resolver
from gateway.settings.tree import Mark, Node, Path
from gateway.settings.yaml_source import parse

LARGEST = 4 * 1024 * 1024
"""Bytes of one file; thirty thousand tags fit in."""


class Files:
    """Reads files for one run; paths are shown in messages as they were given."""

    def __init__(self, environ: Mapping[str, str], findings: Findings) -> None:
        self._environ = environ
        self._findings = findings

    def read(self, file: FilePath, asked: Mark | None = None, path: Path = ()) -> Node | None:
        """Return the file's keys; None, with problems, where there is nothing to go on with.

        `asked` is where the configuration names the file, and `path` where its keys will stand.
        """
        self._findings.reading(str(file))
        text = self._text(file, asked, path)
        root = None if text is None else parse(text, str(file), self._findings)
        if root is None:
            return None
        if not isinstance(root.value, dict):
            self._findings.problem(root.mark, (), "the file has to hold keys, as in `gateway: {id: NAME}`")
            return None
        Resolver(self._environ, file.parent).resolve(root, path, self._findings)
        return root

    def _text(self, file: FilePath, asked: Mark | None, path: Path) -> str | None:
        whole = Mark(str(file))
        try:
            with file.open("rb") as opened:
                content = opened.read(LARGEST + 1)
        except OSError as error:
            message = f"cannot be read: {error.strerror}"
            self._findings.problem(asked or whole, path, f"{file} {message}" if asked else message)
            return None
        if len(content) > LARGEST:
            self._findings.problem(whole, (), f"is larger than {LARGEST // 1024 // 1024} MiB; split it with `include:`")
            return None
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self._findings.problem(_place(whole, content, error.start), (), _NOT_UTF8)
            return None


_NOT_UTF8 = "this character is not UTF-8; save the file with the encoding UTF-8"


def _place(whole: Mark, content: bytes, position: int) -> Mark:
    before = content[:position]
    column = len(before[before.rfind(b"\n") + 1 :].decode(errors="replace")) + 1
    return Mark(whole.file, before.count(b"\n") + 1, column)
