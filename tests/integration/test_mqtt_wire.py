"""The wire on real sockets: nothing is lost, mixed up or read twice, however little the other end takes."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence

import pytest

from gateway.northbound.packets import Ack
from gateway.northbound.wire import Wire
from tests.integration.mqtt_gateway import until

pytestmark = pytest.mark.real

PUBACK = b"\x40\x02\x00\x07"
PINGRESP = b"\xd0\x00"


class Ends:
    """A wire and the broker's end of it."""

    def __init__(self) -> None:
        ours, self.theirs = socket.socketpair()
        for end in (ours, self.theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.theirs.settimeout(0)
        self.acks: list[Ack] = []
        self.wire = Wire(ours, self.take)

    def take(self, acks: Sequence[Ack]) -> None:
        self.acks += acks


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    made = Ends()
    yield made
    made.wire.close()
    made.theirs.close()


async def test_what_the_socket_will_not_take_leaves_later_in_the_same_order(ends: Ends) -> None:
    packets = [bytes((index,)) * 50_000 for index in range(40)]
    for packet in packets:
        assert ends.wire.send(packet) == len(packet)
    received, loop = bytearray(), asyncio.get_running_loop()
    while len(received) < 40 * 50_000:
        received += await loop.sock_recv(ends.theirs, 10_000)
    assert received == b"".join(packets)
    ends.wire.send(b"after")
    assert await loop.sock_recv(ends.theirs, 10) == b"after"


async def test_acknowledgements_go_one_way_and_the_rest_to_paho(ends: Ends) -> None:
    ends.theirs.send(PUBACK + PINGRESP + PUBACK + PUBACK[:3])
    assert [ends.wire.recv(1), ends.wire.recv(100)] == [b"\xd0", b"\x00"]
    assert ends.acks == [(7, 0), (7, 0)]
    for rest in (b"", PUBACK[3:]):
        ends.theirs.send(rest)
        with pytest.raises(BlockingIOError):
            ends.wire.recv(1)
    assert ends.acks == [(7, 0)] * 3


async def test_bytes_that_were_read_already_are_pending(ends: Ends) -> None:
    ends.theirs.send(PINGRESP)
    assert ends.wire.pending() == 0
    ends.wire.recv(1)
    assert ends.wire.pending() == 1


async def test_a_wire_that_is_broken_off_fails_like_a_lost_one(ends: Ends) -> None:
    ends.theirs.send(PINGRESP)
    ends.wire.break_off("because")
    with pytest.raises(ConnectionAbortedError, match="because"):
        ends.wire.recv(1)
    assert ends.wire.fault is None


async def test_sending_to_an_end_that_is_gone_does_not_raise_and_is_remembered(ends: Ends) -> None:
    ends.theirs.close()
    ends.wire.send(b"x")
    assert isinstance(ends.wire.fault, OSError)


async def test_an_end_that_goes_while_data_wait_does_not_spin(ends: Ends) -> None:
    ends.wire.send(bytes(1_000_000))
    ends.theirs.close()
    await until(lambda: ends.wire.fault is not None)
    ends.wire.send(b"x")
    assert not ends.wire._outbox
