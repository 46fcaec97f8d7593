"""`include: FILE` or `[FILES]`: the keys of other files, as if they stood in this one."""

from pathlib import Path as FilePath

from gateway.settings.files import Files
from gateway.settings.findings import Findings
from gateway.settings.merge import Clash, join
from gateway.settings.tree import Mark, Node, Path

_PATH: Path = ("include",)


class Includes:
    """Reads a file with all that it includes, each file once."""

    def __init__(self, files: Files, findings: Findings) -> None:
        self._files = files
        self._findings = findings
        self._asked: dict[FilePath, Mark] = {}

    def read(self, file: FilePath) -> Node | None:
        """Return the keys of the file and of all it includes; None, with problems, if any cannot be read."""
        return self._read(file, None, ())

    def _read(self, file: FilePath, asked: Mark | None, chain: tuple[FilePath, ...]) -> Node | None:
        root = self._files.read(file, asked, _PATH if asked else ())
        if root is None:
            return None
        include = root.members.pop("include", None)
        complete = True
        for item in _named(include.node) if include else ():
            other = self._follow(item, file, (*chain, file))
            complete = complete and other is not None
            if other is not None:
                root = self._join(root, other)
        return root if complete else None

    def _follow(self, item: Node, file: FilePath, chain: tuple[FilePath, ...]) -> Node | None:
        if not isinstance(item.value, str) or not item.value:
            self._findings.problem(item.mark, _PATH, "needs the name of a file, or a list of names")
            return None
        target = file.parent / item.value
        real = target.resolve()
        if any(each.resolve() == real for each in chain):
            way = " -> ".join(str(each) for each in (*chain, target))
            self._findings.problem(item.mark, _PATH, f"the files include each other in a circle: {way}")
            return None
        if real in self._asked:
            self._findings.problem(item.mark, _PATH, f"{target} is included already, at {self._asked[real]}")
            return None
        self._asked[real] = item.mark
        return self._read(target, item.mark, chain)

    def _join(self, root: Node, other: Node) -> Node:
        clashes: list[Clash] = []
        joined = join(root, other, clashes)
        for clash in clashes:
            self._findings.problem(clash.second, clash.path, f"defined twice; the first is at {clash.first}")
        return joined


def _named(include: Node) -> list[Node]:
    return include.items or [include]
