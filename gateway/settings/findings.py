"""What is found in a configuration: problems, which refuse it, and notes, which do not."""

from pathlib import Path as FilePath
from typing import NamedTuple

from gateway.settings.tree import Mark, Path

REVEALING = 4
"""A resolved text shorter than this is no secret, and blotting it out would spoil messages."""


class Finding(NamedTuple):
    """One line: where, which key, and what about it."""

    mark: Mark
    path: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.mark), self.path, self.message) if part)


class Findings:
    """Everything found in one run, put into the order of the files in which it stands."""

    def __init__(self, folder: FilePath) -> None:
        self.folder = folder
        """From here relative files are meant: the folder of the configuration."""
        self._problems: set[Finding] = set()
        self._notes: set[Finding] = set()
        self._files: dict[str, int] = {}
        self._concealed: dict[str, str] = {}

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What has to be put right before this configuration can run."""
        return self._sorted(self._problems)

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What the configuration asks for and does not get, and what looks unwise."""
        return self._sorted(self._notes)

    def problem(self, mark: Mark, path: Path, message: str) -> None:
        """Refuse the configuration for this."""
        self._problems.add(self._finding(mark, path, message))

    def note(self, mark: Mark, path: Path, message: str) -> None:
        """Mention this."""
        self._notes.add(self._finding(mark, path, f"note: {message}"))

    def reading(self, file: str) -> None:
        """Remember the order in which files are read: findings are told in it."""
        self._files.setdefault(file, len(self._files))

    def conceal(self, resolved: str, written: str) -> None:
        """Show `written` wherever a message would show the resolved text of a reference."""
        if len(resolved) >= REVEALING:
            self._concealed[resolved] = written

    def _finding(self, mark: Mark, path: Path, message: str) -> Finding:
        for resolved in sorted(self._concealed, key=len, reverse=True):
            message = message.replace(resolved, self._concealed[resolved])
        return Finding(mark, " ".join(dotted(path).split()), " ".join(message.split()))

    def _sorted(self, found: set[Finding]) -> tuple[Finding, ...]:
        last = len(self._files)
        return tuple(sorted(found, key=lambda each: (self._files.get(each.mark.file, last), each)))


def dotted(path: Path) -> str:
    """Return the path as messages show it: `devices.boiler.tags.level.range[2]`."""
    return ".".join(path).replace(".[", "[")
