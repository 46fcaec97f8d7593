"""The highest sequence that each key has used: a signed command counts once, for ever. Pure."""

from gateway.storage.port import Change, Loaded, Table


class Sequences:
    """The marks of all keys; they only rise."""

    def __init__(self, loaded: Loaded) -> None:
        """Loaded: `Table.SEQUENCES`."""
        self._highest: dict[str, int] = {}
        self.is_damaged = loaded.damaged
        """That marks may be missing or wrong, so that no sequence can be told from one that was used."""
        for key, value in loaded.values.items():
            mark = value.get("sequence")
            if isinstance(mark, int) and not isinstance(mark, bool):
                self._highest[key] = mark
            else:
                self.is_damaged = True

    def take(self, key: str, sequence: int) -> bool:
        """Use a sequence up; return False, and change nothing, where it is not above all before it.

        The mark rises at once, in memory, so that of two that come together one is refused.
        """
        if self.is_damaged or not sequence > self._highest.get(key, -1):
            return False
        self._highest[key] = sequence
        return True

    def changes(self, key: str) -> tuple[Change, ...]:
        """Return what keeps a key's mark, as it is now.

        To be asked for in the step that commits: commands do not reach the disk in the order in which they came, and
        an older mark written last would let a sequence count twice after a restart.
        """
        return (Change(Table.SEQUENCES, key, {"sequence": self._highest[key]}),)
