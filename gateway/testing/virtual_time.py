"""An event loop on virtual time: sleeping costs nothing, and everything happens in the same order each run."""

import asyncio
import selectors
from collections.abc import Coroutine
from math import ceil
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Jumps to the next timer instead of waiting for it. Real sockets are not served in the meantime."""

    def __init__(self, grain: float = 0.0) -> None:
        """Grain: seconds of the steps in which time advances; what is due within one happens at its end. 0: none."""
        self._jumper = _Jumper(grain)
        super().__init__(self._jumper)

    def time(self) -> float:
        return self._jumper.now

    def stall(self, seconds: float) -> None:
        """Let time pass in which the loop does nothing, as a call that blocks would."""
        self._jumper.now += seconds


class VirtualClock:
    """The Clock of the running virtual loop; its wall clock starts in 2026."""

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    def wall(self) -> float:
        return 1_767_225_600.0 + self.monotonic()


class _Jumper(selectors.SelectSelector):
    def __init__(self, grain: float) -> None:
        super().__init__()
        self.now = 1000.0
        self._grain = grain

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None and len(self.get_map() or {}) <= 1:
            raise RuntimeError("every task waits, and no timer is set: this would hang")
        if timeout is not None and timeout > 0:
            self.now = self._end_of_step(self.now + timeout)
        return super().select(0)

    def _end_of_step(self, due: float) -> float:
        return due if not self._grain else ceil(due / self._grain) * self._grain


def run_virtual(main: Coroutine[Any, Any, T], grain: float = 0.0) -> T:
    """Run to the end on a fresh virtual loop; fail if it leaves a task behind."""

    async def guarded() -> T:
        result = await main
        await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks left running: {left}"
        return result

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(grain)) as runner:
        return runner.run(guarded())
