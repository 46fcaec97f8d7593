"""The folder that one gateway owns: where it lies, and the lock that keeps a second gateway out."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from gateway.errors import ServiceError

LOCK = "lock"


def state_dir(environ: Mapping[str, str], argument: str | Path | None, gateway_id: str) -> Path:
    """Return systemd's `$STATE_DIRECTORY`, else `--state-dir`, else `~/.local/state/plantgate/{id}`.

    systemd joins several directories with colons; the first is ours.
    """
    given = environ.get("STATE_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given)
    if argument:
        return Path(argument)
    return Path(environ.get("HOME") or Path.home()) / ".local" / "state" / "plantgate" / gateway_id


@contextmanager
def claim(folder: Path) -> Iterator[Path]:
    """Own the folder, made where it is missing, as long as the context lasts.

    The kernel drops the lock when the process ends, however it ends. Raises ServiceError: another gateway owns
    it, or it cannot be used.
    """
    path = folder / LOCK
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Read-only after it was made: a file open for writing would keep a file system from being remounted.
        file = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ServiceError(f"{folder}: cannot keep the gateway's state here: {error.strerror}") from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ServiceError(
                f"{folder}: another gateway owns this directory ({_holder(path)}); stop it, or give this one"
                " a directory of its own with --state-dir"
            ) from None
        with suppress(OSError):  # a full disk: the lock holds all the same, it just names nobody
            path.write_text(f"{os.getpid()}\n", encoding="ascii")
        yield folder
    finally:
        os.close(file)


def _holder(path: Path) -> str:
    with suppress(OSError):
        pid = path.read_text(encoding="ascii", errors="replace").strip()
        if pid.isdigit():
            return f"process {pid}"
    return "its process is not named"
