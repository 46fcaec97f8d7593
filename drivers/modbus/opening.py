"""Opening a link: to a port of the network, with TLS or without, or to a serial port of this machine."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

from serial import Serial

from drivers.errors import LinkLost
from drivers.modbus.cause import refused
from drivers.modbus.link import Count, Link
from drivers.modbus.rtu_link import RtuLink
from drivers.modbus.serial_line import SerialLine, close_port, open_port
from drivers.modbus.settings import ModbusDevice
from drivers.modbus.tcp_link import TcpLink
from drivers.modbus.tls import tls_context
from drivers.modbus.url import NetworkAddress, SerialAddress

_GOODBYE = 0.5
"""Seconds in which the far side of TLS may answer that we go."""


async def open_link(device: ModbusDevice, on_lost: Callable[[str], None], count: Count, within: float) -> Link:
    """Return a link that is connected. Raises LinkLost with the cause."""
    address = device.address
    if address.is_rtu:
        link: Link = RtuLink(on_lost, count, address)
    else:
        link = TcpLink(on_lost, count, is_encrypted=device.is_encrypted)
    try:
        async with asyncio.timeout(within):
            if isinstance(address, SerialAddress):
                await _open_serial(link, address)
            else:
                await _connect(link, address, await _security(device, address))
    except TimeoutError:
        raise LinkLost("timeout", f"{address}: no connection within {within:g} s") from None
    except OSError as error:
        kind, cause = refused(error, encrypted=device.is_encrypted)
        raise LinkLost(kind, f"{address}: {cause}") from None
    return link


async def _security(device: ModbusDevice, address: NetworkAddress) -> dict[str, Any]:
    """Return what the loop has to know of TLS, which is nothing where there is none."""
    if not device.is_encrypted:
        return {}
    context = await asyncio.to_thread(tls_context, device.tls, str(address))
    name = device.tls.server_name or address.host
    return {"ssl": context, "server_hostname": name, "ssl_shutdown_timeout": _GOODBYE}


async def _connect(link: Link, address: NetworkAddress, security: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    for place, (family, *_, at) in enumerate(found, start=1):
        try:
            transport, _ = await loop.create_connection(
                lambda: link, str(at[0]), address.port, family=family, **security
            )
        except OSError:
            if place == len(found):
                raise
        else:
            wire = transport.get_extra_info("socket")
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return


async def _open_serial(link: Link, address: SerialAddress) -> None:
    loop = asyncio.get_running_loop()
    opening = loop.run_in_executor(None, open_port, address)
    try:
        port = await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_unwanted)  # the thread goes on, and must not keep the port
        raise
    SerialLine(loop, port, link)


def _close_unwanted(opening: "asyncio.Future[Serial]") -> None:
    with contextlib.suppress(LinkLost, asyncio.CancelledError):
        close_port(opening.result())
