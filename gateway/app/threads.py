"""Threads for what can only be waited for: name services, connections, files. The process never waits for them."""

import errno
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore, Thread
from typing import ParamSpec, TypeVar

MOST = 64
"""Calls at once; a name service that hangs for half a minute collects some for each device."""

P = ParamSpec("P")
T = TypeVar("T")


class PassingThreads(ThreadPoolExecutor):
    """One daemon thread a call: a pool's few threads would all hang in a dead name service, and the stop with them."""

    def __init__(self, most: int = MOST) -> None:
        """Most: how many calls may be under way; one more raises OSError, EAGAIN."""
        super().__init__(1)
        self._free = BoundedSemaphore(most)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Run the call in a thread of its own."""
        if not self._free.acquire(blocking=False):
            raise _refusal()
        future: Future[T] = Future()

        def run() -> None:
            try:
                if future.set_running_or_notify_cancel():
                    _settle(future, lambda: fn(*args, **kwargs))
            finally:
                self._free.release()

        try:
            Thread(target=run, name="call", daemon=True).start()
        except RuntimeError as error:  # the system grants no more threads
            self._free.release()
            raise _refusal() from error
        return future


def _refusal() -> OSError:
    return OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def _settle(future: "Future[T]", call: Callable[[], T]) -> None:
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001  (whatever it is, it belongs to the one who asked)
        future.set_exception(error)
    else:
        future.set_result(result)
