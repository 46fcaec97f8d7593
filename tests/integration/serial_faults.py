"""How the units of a serial bus can answer: late, damaged, in pieces, with noise around, or as if asked otherwise."""

import asyncio
from collections.abc import Callable

from tests.integration.serial_bus import Asked, Behaviour, SerialBus, frame, good


async def silent(bus: SerialBus, asked: Asked) -> None:
    """Answer nothing."""


async def late(bus: SerialBus, asked: Asked) -> None:
    """Answer when the test says so."""
    bus.held.append(bus.answer(asked))


async def twice(bus: SerialBus, asked: Asked) -> None:
    bus.send(bus.answer(asked) * 2)


async def in_pieces(bus: SerialBus, asked: Asked) -> None:
    """Answer byte by byte."""
    for byte in bus.answer(asked):
        bus.send(bytes([byte]))
        await asyncio.sleep(0.001)


async def echoing(bus: SerialBus, asked: Asked) -> None:
    """Send back the request before the answer, as an adapter does that hears itself."""
    bus.send(asked.raw)
    await good(bus, asked)


async def only_echo(bus: SerialBus, asked: Asked) -> None:
    bus.send(asked.raw)


async def truncated(bus: SerialBus, asked: Asked) -> None:
    """Begin an answer and never end it."""
    bus.send(bus.answer(asked)[:-1])


async def garbage(bus: SerialBus, asked: Asked) -> None:
    bus.send(b"\xff\xfe\x00NO MODBUS\x00")


async def damaged(bus: SerialBus, asked: Asked) -> None:
    """Answer with one bit turned over."""
    raw = bytearray(bus.answer(asked))
    raw[4] ^= 0x10
    bus.send(bytes(raw))


def around(before: bytes = b"", after: bytes = b"") -> Behaviour:
    """Answer rightly, with something else on the line at once before it and after."""

    async def answer(bus: SerialBus, asked: Asked) -> None:
        bus.send(before + bus.answer(asked) + after)

    return answer


def broken_by(noise: bytes) -> Behaviour:
    """Answer with noise in the middle of the frame."""

    async def answer(bus: SerialBus, asked: Asked) -> None:
        raw = bus.answer(asked)
        bus.send(raw[:5] + noise + raw[5:])

    return answer


def altered(
    unit: Callable[[int], int] = lambda unit: unit,
    function: Callable[[int], int] = lambda function: function,
    size: Callable[[int], int] = lambda size: size,
) -> Behaviour:
    """Answer another request than the one that was asked, with a checksum that is right."""

    async def answer(bus: SerialBus, asked: Asked) -> None:
        other = asked._replace(unit=unit(asked.unit), function=function(asked.function), size=size(asked.size))
        bus.send(bus.answer(other))

    return answer


def miscounted(by: int) -> Behaviour:
    """Announce another number of bytes than the answer has."""

    async def answer(bus: SerialBus, asked: Asked) -> None:
        values = bus.values(asked)
        bus.send(frame(asked.unit, asked.function, bytes([len(values) + by]) + values))

    return answer


def exception(code: int, function: Callable[[int], int] = lambda function: function | 0x80) -> Behaviour:
    async def answer(bus: SerialBus, asked: Asked) -> None:
        bus.send(frame(asked.unit, function(asked.function), bytes([code])))

    return answer
