"""The read half of the blueprint: one request at a time, every answer checked, no retry and no reconnect."""

import asyncio
from collections.abc import Sequence

from drivers._blueprint.settings import BlueprintDevice, BlueprintPoint
from drivers.base import Block, Change, Plan, Reader, Surroundings
from drivers.errors import DeviceFault, LinkLost
from drivers.values import DataType, Sample, Seconds, bad


class BlueprintConnection:
    """One TCP connection; every device at its address shares it."""

    def __init__(self, device: BlueprintDevice) -> None:
        self.device = device
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._waiting: asyncio.Future[str] | None = None
        self._lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def open(self) -> None:
        where = f"{self.device.host}:{self.device.port}"
        try:
            async with asyncio.timeout(self.device.timeout):
                reader, self._writer = await asyncio.open_connection(self.device.host, self.device.port)
        except TimeoutError as error:
            raise LinkLost("timeout", f"connect to {where}: no answer in {self.device.timeout:g} s") from error
        except OSError as error:
            raise LinkLost("refused", f"connect to {where}: {error.strerror or error}") from error
        self._listening = asyncio.create_task(self._listen(reader), name=f"blueprint {where}")

    async def close(self) -> None:
        self._give_up("closed")
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])

    async def lost(self) -> str:
        return await asyncio.shield(self._lost)

    def reader(
        self,
        device: BlueprintDevice,
        points: Sequence[BlueprintPoint],
        around: Surroundings | None = None,  # noqa: ARG002  (this protocol leaves nothing to learn)
    ) -> Reader:
        return BlueprintReader(self, device, points)

    async def ask(self, line: str, within: Seconds) -> str:
        """Send a line and return the answer. Raises LinkLost: a stream with a hole in it cannot be trusted."""
        if self._writer is None or self._lost.done():
            why = self._lost.result() if self._lost.done() else "not open"
            raise LinkLost("disconnected", f"{self.device.url}: {why}")
        self._waiting = asyncio.get_running_loop().create_future()
        self._writer.write(f"{line}\n".encode())
        try:
            async with asyncio.timeout(within):
                return await self._waiting
        except TimeoutError:
            # Without transaction ids a late answer could be taken for the next one: the link ends here.
            self._give_up(f"no answer in {within:g} s")
            raise LinkLost("timeout", f"{self.device.url}: no answer in {within:g} s") from None
        finally:
            self._waiting = None

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Take every line as it comes, so that one nobody asked for is never taken for an answer."""
        try:
            while (line := await reader.readline()).endswith(b"\n"):
                if self._waiting is None or self._waiting.done():
                    self._give_up("it sent a line that nobody asked for")
                    return
                self._waiting.set_result(line.decode("ascii", "replace").strip())
            self._give_up("the device closed the connection")
        except ValueError:
            self._give_up("it sent a line without end")
        except OSError as error:
            self._give_up(str(error))

    def _give_up(self, why: str) -> None:
        if not self._lost.done():
            self._lost.set_result(why)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(LinkLost("disconnected", f"{self.device.url}: {why}"))
        if self._writer is not None:
            self._writer.close()


class BlueprintReader:
    """Reads the items of one device in groups of at most `max_items`."""

    def __init__(
        self, connection: BlueprintConnection, device: BlueprintDevice, points: Sequence[BlueprintPoint]
    ) -> None:
        self._connection = connection
        self._device = device
        self._points = points
        self._last: dict[int, str] = {}

    async def prepare(self) -> Plan:
        size = self._device.max_items
        places = range(len(self._points))
        groups = [tuple(places[start : start + size]) for start in range(0, len(places), size)]
        return Plan([Block(group, f"items {group[0]}..{group[-1]}") for group in groups])

    def data_type(self, point: int) -> DataType | None:  # noqa: ARG002  (every item of this protocol is alike)
        return DataType.FLOAT64

    async def read(self, block: Block) -> Sequence[Change]:
        line = "READ " + " ".join(self._points[place].item for place in block.points)
        answer = await self._connection.ask(line, self._device.timeout)
        status, *words = answer.split(" ")
        if status != "OK" or len(words) != len(block.points):
            raise DeviceFault(
                "bad_reply", f"{self._device.url}: {len(block.points)} items asked for, got {answer[:80]!r}"
            )
        changed = [(place, word) for place, word in zip(block.points, words, strict=True) if self._is_new(place, word)]
        self._last.update(changed)
        return [(place, _decode(word)) for place, word in changed]

    async def probe(self, within: Seconds) -> None:
        await self._connection.ask(f"READ {self._points[0].item}" if self._points else "READ", within)

    async def subscribe(self, listener: object) -> None:
        """Nothing reports by itself in this protocol, and the plan says so."""

    def forget(self, points: Sequence[int]) -> None:
        for place in points:
            self._last.pop(place, None)

    def _is_new(self, place: int, word: str) -> bool:
        return self._last.get(place) != word


def _decode(word: str) -> Sample:
    if word == "?":
        return bad("unknown_item")
    try:
        return Sample(float(word))
    except ValueError:
        return bad("bad_value")
