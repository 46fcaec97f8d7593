"""One endpoint: connect, serve the devices behind it, and on any loss back off and connect anew.

A session is the one owner of its connection, and it never gives up. What goes wrong in it stays in it.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from random import Random

from drivers.base import Block, Connection, Plan, Reader, Surroundings
from drivers.errors import DeviceFault, DriverError, LinkLost
from gateway.clock import Clock
from gateway.endpoints.backoff import FIRST, Backoff
from gateway.endpoints.counter_watch import CounterWatch
from gateway.endpoints.device import Device
from gateway.endpoints.intake import Intake
from gateway.endpoints.lane import Lane
from gateway.endpoints.neighbours import Neighbours
from gateway.endpoints.poller import Poller
from gateway.endpoints.prober import PRIORITIES
from gateway.endpoints.subscriber import Subscriber
from gateway.endpoints.write_half import Loan, WriteHalf, lent
from gateway.tags.image import Freshness, ProcessImage

_log = logging.getLogger("plantgate.endpoints")


class Session:
    """The life of one endpoint's connections."""

    def __init__(
        self,
        endpoint: str,
        devices: Sequence[Device],
        connect: Callable[[], Connection],
        image: ProcessImage,
        clock: Clock,
        rng: Random,
        around: Mapping[str, Surroundings] | None = None,
        delay: float = 0.0,
        write_halves: Mapping[str, WriteHalf] | None = None,
    ) -> None:
        """Endpoint: its address, for logs. Connect: makes a connection that is not open yet.

        Around: what each device's reader is lent, by the device's name. Delay: before the first attempt, seconds.
        Write_halves: what writes, by the device's name.
        """
        self.endpoint = endpoint
        self.devices = tuple(devices)
        self._connect = connect
        self._image = image
        self._clock = clock
        self._backoff = Backoff(min(device.settings.reconnect_max for device in devices), rng)
        self._around = around or {}
        self._delay = delay
        self._write_halves = write_halves or {}
        self._watches = {device.name: _watch_counter(device, image, clock) for device in devices}
        self._opened = 0
        self._stopping = False

    def stop(self) -> None:
        """Begin no further connection: a TaskGroup that fails in the moment it is cancelled swallows that."""
        self._stopping = True

    async def run(self) -> None:
        """Keep the endpoint connected; to end it, `stop` and then cancel."""
        await asyncio.sleep(self._delay)
        while not self._stopping:
            try:
                await self._live()
            except* DriverError as faults:
                self._down(_first(faults))
            except* Exception as crashes:  # noqa: BLE001  (a bug in one session must not take the others with it)
                error = _first(crashes)
                _log.error("session_crashed", extra={"endpoint": self.endpoint}, exc_info=error)
                self._down(DeviceFault("crash", f"{self.endpoint}: {type(error).__name__}: {error}"))
            await asyncio.sleep(self._backoff.pause())

    async def _live(self) -> None:
        connection = self._connect()
        try:
            await connection.open()
            self._count_connect()
            await self._serve(connection)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # Nobody cancelled the session: a driver let out a cancellation of its own, which must not end it.
            raise RuntimeError("the driver cancelled its connection") from None
        finally:
            await connection.close()

    async def _serve(self, connection: Connection) -> None:
        lane = Lane(self.endpoint)
        worker = asyncio.create_task(lane.run(), name=f"lane {self.endpoint}")
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch(connection), name=f"watch {self.endpoint}")
                for device in self.devices:
                    tasks.create_task(self._serve_device(device, connection, lane), name=f"device {device.name}")
        finally:
            lane.close()
            await worker

    async def _serve_device(self, device: Device, connection: Connection, lane: Lane) -> None:
        neighbours = Neighbours(device, self.devices)
        while True:
            try:
                await self._read_device(device, connection, lane, neighbours)
            except LinkLost:
                raise
            except DeviceFault as fault:
                if not neighbours:
                    raise
                self._miss(device, fault, neighbours)
                await asyncio.sleep(max(device.demotion.next_probe - self._clock.monotonic(), FIRST))
            else:
                return

    async def _read_device(self, device: Device, connection: Connection, lane: Lane, neighbours: Neighbours) -> None:
        around = self._around.get(device.name)
        reader = connection.reader(device.driver_settings, device.points, around)
        plan = await lane.request(PRIORITIES[device.demotion.standing], device.name, reader.prepare)
        device.data_types = tuple(reader.data_type(index) for index in range(len(device.points)))
        half = self._write_halves.get(device.name)
        if half is None:
            await self._follow(device, reader, plan, lane, neighbours)
            return
        loan = Loan(device, connection, reader, lane, around, bool(neighbours))
        async with lent(half, loan, self._clock):
            await self._follow(device, reader, plan, lane, neighbours)
            await asyncio.Event().wait()  # it reports by itself, and is written to until the connection ends

    async def _follow(self, device: Device, reader: Reader, plan: Plan, lane: Lane, neighbours: Neighbours) -> None:
        """Take in what is subscribed, and scan what is polled; return where nothing is."""
        by_block = self._regroup(device, plan)
        intake = Intake(device, self._image, self._clock, self._backoff.reset, self._watches[device.name])
        if not by_block:  # nothing is asked of it, so nothing else will show that it is there
            intake.take([])
        if plan.subscribed:
            subscriber = Subscriber(device, by_block, self._image, self._clock, intake)
            priority = PRIORITIES[device.demotion.standing]
            try:
                await lane.request(priority, device.name, lambda: reader.subscribe(subscriber))
            except DeviceFault:
                subscriber.end()  # some of its blocks may have begun to report
                raise
            if not plan.polled:
                device.demotion.answered()
        if plan.polled:
            polled = [(block, by_block[block]) for block in plan.polled]
            judged = _judged(self._around.get(device.name))
            await Poller(device, reader, polled, lane, self._image, self._clock, intake, neighbours, judged).run()

    def _regroup(self, device: Device, plan: Plan) -> dict[Block, Freshness]:
        blocks = [*plan.polled, *plan.subscribed]
        fresh = self._image.regroup(device.name, [[device.tags[index] for index in block.points] for block in blocks])
        return dict(zip(blocks, fresh, strict=True))

    def _miss(self, device: Device, fault: DeviceFault, neighbours: Neighbours) -> None:
        """Note that a device could not even be prepared; the others behind the endpoint go on."""
        device.counters.errors[fault.kind] += 1
        device.demotion.missed(self._clock.monotonic(), neighbours.longest_interval(device))
        self._image.fail(device.name, fault.kind)
        device.down(fault.kind, str(fault))

    async def _watch(self, connection: Connection) -> None:
        why = await connection.lost()
        raise LinkLost("disconnected", f"{self.endpoint}: {why}")

    def _count_connect(self) -> None:
        self._opened += 1
        for device in self.devices:
            device.demotion.renewed(self._clock.monotonic())
            device.counters.reconnects += self._opened > 1

    def _down(self, error: Exception) -> None:
        kind = error.kind if isinstance(error, DeviceFault) else "driver"
        for device in self.devices:
            device.counters.errors[kind] += 1
            device.down(kind, str(error))
            self._image.fail(device.name, kind)


def _watch_counter(device: Device, image: ProcessImage, clock: Clock) -> CounterWatch | None:
    watched = device.settings.watch_counter
    return None if watched is None else CounterWatch(device, watched.tag, watched.within, image, clock)


def _judged(around: Surroundings | None) -> list[int]:
    return [] if around is None else [index for index, care in enumerate(around.cares) if care.judged]


def _first(group: BaseExceptionGroup[Exception]) -> Exception:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, Exception)
    return error
