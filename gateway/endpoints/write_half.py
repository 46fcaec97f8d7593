"""What writes to a device, as its session sees it, and how it gets the device's connections."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple, Protocol

from drivers.base import Connection, Reader, Surroundings
from drivers.errors import DeviceFault, LinkLost
from gateway.clock import Clock
from gateway.endpoints.device import Device
from gateway.endpoints.lane import Lane

LOOK = 0.1
"""Seconds between two looks whether a device has answered."""
RETRY = 2.0
"""Seconds at least between two attempts to make ready what writes."""

_log = logging.getLogger("plantgate.endpoints")


class WriteHalf(Protocol):
    """What writes to one device. It is lent each of its connections, and owns none."""

    async def opened(self, connection: Connection, reader: Reader, lane: Lane, around: Surroundings | None) -> None:
        """Make ready to write on a connection whose reader is prepared. Raises DeviceFault; it is tried again then."""

    def closed(self) -> None:
        """Have nothing to do with the connection any more; called at the end of each, whatever became of `opened`."""


class Loan(NamedTuple):
    """What a write half is lent."""

    device: Device
    connection: Connection
    reader: Reader
    lane: Lane
    around: Surroundings | None
    is_shared: bool
    """Whether other devices wait for the same wire."""


@asynccontextmanager
async def lent(half: WriteHalf, loan: Loan, clock: Clock) -> AsyncIterator[None]:
    """Lend a connection for as long as the context lasts, beside the reading, which goes on whatever comes of it."""
    task = asyncio.create_task(_make_ready(half, loan, clock), name=f"writing {loan.device.name}")
    try:
        yield
    finally:
        half.closed()
        task.cancel()
        await asyncio.wait([task])


async def _make_ready(half: WriteHalf, loan: Loan, clock: Clock) -> None:
    device, told = loan.device, ""
    waits = loan.is_shared  # a unit that is dead must not cost its neighbours whole timeouts
    while True:
        since = clock.monotonic()
        while waits and not (device.heard >= since or device.state.connected):  # noqa: ASYNC110  (heard in many places)
            await asyncio.sleep(LOOK)
        try:
            await half.opened(loan.connection, loan.reader, loan.lane, loan.around)
        except LinkLost:
            return
        except DeviceFault as fault:
            device.counters.errors[fault.kind] += 1
            if fault.kind != told:
                told = fault.kind
                _log.warning("not_ready_to_write", extra={"device": device.name, "reason": told, "why": str(fault)})
        except Exception:  # noqa: BLE001  (a bug in what writes must not end the reading)
            _log.exception("writer_crashed", extra={"device": device.name})
            return
        else:
            return
        waits = True
        await asyncio.sleep(RETRY)
