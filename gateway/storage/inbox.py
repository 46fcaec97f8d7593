"""Requests on their way from the event loop to the journal's thread: bounded, the urgent ones first."""

from collections import deque
from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")


class Inbox(Generic[T]):
    """Two queues with `most` places each; whoever finds none is told so at once, and nothing is dropped."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._urgent: deque[T] = deque()
        self._ordinary: deque[T] = deque()
        self._changed = Condition()
        self._closed = False

    def put(self, item: T, *, urgent: bool) -> bool:
        """Queue an item; False where there is no place, or nobody will take it."""
        with self._changed:
            queue = self._urgent if urgent else self._ordinary
            if self._closed or len(queue) >= self._most:
                return False
            queue.append(item)
            self._changed.notify()
            return True

    def take(self, most: int, timeout: float) -> list[T] | None:
        """Return what waits, at most so many; none after the timeout; None once closed and empty. Blocks."""
        with self._changed:
            if not (self._urgent or self._ordinary or self._closed):
                self._changed.wait(timeout)
            if self._closed and not (self._urgent or self._ordinary):
                return None
            taken: list[T] = []
            for queue in (self._urgent, self._ordinary):
                while queue and len(taken) < most:
                    taken.append(queue.popleft())
            return taken

    def close(self) -> None:
        """Take no more; what waits is still taken out."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def __len__(self) -> int:
        return len(self._urgent) + len(self._ordinary)
