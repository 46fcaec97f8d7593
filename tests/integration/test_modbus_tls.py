"""TLS towards a device: whom the gateway believes, whom it does not, and what it says then."""

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from pymodbus.server import ModbusTlsServer
from pymodbus.simulator import DataType as SimType
from pymodbus.simulator import SimData, SimDevice

from drivers.errors import DeviceFault, LinkLost
from drivers.modbus import DRIVER
from drivers.modbus.connection import ModbusConnection
from drivers.modbus.point import ModbusPoint
from drivers.modbus.settings import ModbusDevice
from drivers.modbus.tls_settings import ModbusTls
from drivers.values import Sample, Seconds
from tests.integration.fake_plc import close, fake_plc, good, in_pieces, silent
from tests.integration.modbus_tls import server_context, shifted, strict_port
from tests.integration.mqtt_certificates import Authority, Files

pytestmark = pytest.mark.real

IN_TIME = Seconds(10)


@pytest.fixture(autouse=True)
async def nothing_unforeseen(caplog: pytest.LogCaptureFixture) -> AsyncIterator[None]:
    """Neither the library's log nor the loop's handler of exceptions says a word."""
    unforeseen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unforeseen.append(context))
    with caplog.at_level(logging.WARNING):
        yield
    assert not unforeseen
    assert not caplog.records


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "plant")


@pytest.fixture(scope="module")
def plc_files(authority: Authority) -> Files:
    return authority.sign("plc")


@pytest.fixture(scope="module")
def gateway_files(authority: Authority) -> Files:
    return authority.sign("gateway")


def device(port: int, tls: ModbusTls) -> ModbusDevice:
    return ModbusDevice(f"tls://127.0.0.1:{port}", timeout=IN_TIME, tls=tls)


async def read_once(device: ModbusDevice, address: str = "holding:1") -> Sample:
    connection = ModbusConnection(device)
    await connection.open()
    try:
        reader = connection.reader(device, [ModbusPoint(address)])
        (block,) = (await reader.prepare()).polled
        return dict(await reader.read(block))[0]
    finally:
        await connection.close()


async def refusal(device: ModbusDevice) -> LinkLost:
    """Return what opening the connection, or else the first request, raises."""
    async with asyncio.timeout(IN_TIME):
        with pytest.raises(LinkLost) as caught:
            await read_once(device)
    assert "\n" not in str(caught.value)
    assert f"tls://127.0.0.1:{device.address.port}: " in str(caught.value)  # type: ignore[union-attr]  # no serial port
    return caught.value


async def test_a_device_whose_authority_is_named_is_read(authority: Authority, plc_files: Files) -> None:
    async with fake_plc(server_context(plc_files)) as plc:
        plc.words[1] = 42
        plc.always(in_pieces)
        assert await read_once(device(plc.port, ModbusTls(ca=authority.files.certificate))) == Sample(42)


async def test_a_device_that_wants_a_certificate_gets_the_gateway_s(
    authority: Authority, plc_files: Files, gateway_files: Files
) -> None:
    async with fake_plc(server_context(plc_files, clients=authority.files.certificate)) as plc:
        plc.words[1] = 42
        tls = ModbusTls(authority.files.certificate, *gateway_files)
        assert await read_once(device(plc.port, tls)) == Sample(42)


async def test_the_name_in_the_certificate_may_be_given_apart_from_the_host(
    authority: Authority, tmp_path: Path
) -> None:
    async with fake_plc(server_context(authority.sign("elsewhere", "127.0.0.9"))) as plc:
        tls = ModbusTls(authority.files.certificate, server_name="127.0.0.9")
        assert await read_once(device(plc.port, tls)) == Sample(0)


async def test_a_device_of_an_unknown_authority_is_not_trusted(plc_files: Files, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    async with fake_plc(server_context(plc_files)) as plc:
        lost = await refusal(device(plc.port, ModbusTls(other.files.certificate)))
        assert lost.kind == "not_trusted"
        assert "by no authority that tls.ca names" in str(lost)
        assert not plc.asked


async def test_a_certificate_that_vouches_for_itself_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path, "other")
    async with fake_plc(server_context(other.files)) as plc:
        lost = await refusal(device(plc.port, ModbusTls(authority.files.certificate)))
        assert lost.kind == "not_trusted"


async def test_a_certificate_for_another_host_is_not_trusted(authority: Authority) -> None:
    async with fake_plc(server_context(authority.sign("elsewhere-too", "127.0.0.9"))) as plc:
        lost = await refusal(device(plc.port, ModbusTls(authority.files.certificate)))
        assert lost.kind == "not_trusted"
        assert "is not made out to it" in str(lost)
        assert "see tls.server_name" in str(lost)


@pytest.mark.parametrize(("hours", "says"), [(-48, "has expired"), (48, "is not valid yet; is the clock right?")])
async def test_a_certificate_out_of_its_time_is_not_trusted(
    authority: Authority, tmp_path: Path, hours: int, says: str
) -> None:
    async with fake_plc(server_context(shifted(authority, tmp_path, hours))) as plc:
        lost = await refusal(device(plc.port, ModbusTls(authority.files.certificate)))
        assert lost.kind == "not_trusted"
        assert says in str(lost)


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_missing_certificate_of_the_gateway_is_told_as_such(
    authority: Authority, plc_files: Files, newest: ssl.TLSVersion
) -> None:
    with strict_port(server_context(plc_files, authority.files.certificate, newest)) as port:
        lost = await refusal(device(port, ModbusTls(authority.files.certificate)))
    assert lost.kind == "tls"
    assert "a certificate of the gateway" in str(lost)
    assert "tls.certificate" in str(lost)


async def test_a_certificate_of_the_gateway_that_the_device_does_not_know_is_told_as_such(
    authority: Authority, plc_files: Files, tmp_path: Path
) -> None:
    foreign = Authority(tmp_path, "foreign").sign("gateway")
    with strict_port(server_context(plc_files, authority.files.certificate)) as port:
        lost = await refusal(device(port, ModbusTls(authority.files.certificate, *foreign)))
    assert lost.kind == "tls"
    assert "does not know the authority of the gateway's certificate" in str(lost)


async def test_a_device_that_speaks_only_old_tls_is_refused(authority: Authority, plc_files: Files) -> None:
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context = server_context(plc_files, newest=ssl.TLSVersion.TLSv1_1)
    with strict_port(context) as port:
        lost = await refusal(device(port, ModbusTls(authority.files.certificate)))
    assert lost.kind == "tls"
    assert "no TLS 1.2 or later" in str(lost)


async def test_a_plain_device_is_not_taken_for_a_protected_one(authority: Authority) -> None:
    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\0\1\0\0\0\3\1\x83\1")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hello, "127.0.0.1", 0)
    async with server:
        lost = await refusal(device(server.sockets[0].getsockname()[1], ModbusTls(authority.files.certificate)))
        assert lost.kind == "tls"
        assert "no TLS is spoken there" in str(lost)


async def test_a_device_that_hangs_up_in_the_handshake_is_told_as_such(authority: Authority) -> None:
    async def go(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(go, "127.0.0.1", 0)
    async with server:
        lost = await refusal(device(server.sockets[0].getsockname()[1], ModbusTls(authority.files.certificate)))
        assert lost.kind == "tls"
        assert "broke off in the middle of TLS" in str(lost)


async def test_a_device_that_says_nothing_in_the_handshake_is_a_timeout(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        hangs = device(deaf.getsockname()[1], ModbusTls(authority.files.certificate))
        with pytest.raises(LinkLost, match="no connection within") as caught:
            await ModbusConnection(hangs, connect_within=Seconds(0.2)).open()
        assert caught.value.kind == "timeout"


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "No such file"), ("", "no valid PEM"), ("-----BEGIN CERTIFICATE-----\nx\n", "no valid PEM")],
)
async def test_an_authority_that_cannot_be_read_is_named(tmp_path: Path, content: str | None, says: str) -> None:
    ca = tmp_path / "ca.pem"
    if content is not None:
        ca.write_text(content)
    async with fake_plc() as plc:
        lost = await refusal(device(plc.port, ModbusTls(ca)))
        assert lost.kind == "certificate"
        assert f"tls.ca: cannot use {ca}: " in str(lost)
        assert says in str(lost)
        assert plc.connections == 0


async def test_a_key_that_belongs_to_another_certificate_is_named(
    authority: Authority, plc_files: Files, gateway_files: Files
) -> None:
    tls = ModbusTls(authority.files.certificate, gateway_files.certificate, plc_files.private_key)
    async with fake_plc() as plc:
        lost = await refusal(device(plc.port, tls))
        assert lost.kind == "certificate"
        assert "tls.certificate: cannot use" in str(lost)
        assert "do not match" in str(lost)


async def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(
    authority: Authority, gateway_files: Files, tmp_path: Path
) -> None:
    key = serialization.load_pem_private_key(gateway_files.private_key.read_bytes(), None)
    locked = tmp_path / "locked.key"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
    )
    async with fake_plc() as plc:
        lost = await refusal(
            device(plc.port, ModbusTls(authority.files.certificate, gateway_files.certificate, locked))
        )
        assert lost.kind == "certificate"
        assert "the private key is encrypted" in str(lost)


async def test_a_renewed_authority_counts_at_the_next_connection(
    authority: Authority, plc_files: Files, tmp_path: Path
) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(Authority(tmp_path, "old").files.certificate.read_bytes())
    async with fake_plc(server_context(plc_files)) as plc:
        assert (await refusal(device(plc.port, ModbusTls(ca)))).kind == "not_trusted"
        ca.write_bytes(authority.files.certificate.read_bytes())
        assert await read_once(device(plc.port, ModbusTls(ca))) == Sample(0)


async def test_a_protected_connection_that_breaks_ends_the_request_in_flight(
    authority: Authority, plc_files: Files
) -> None:
    async with fake_plc(server_context(plc_files)) as plc:
        plc.script(good, silent)
        protected = device(plc.port, ModbusTls(authority.files.certificate))
        connection = ModbusConnection(protected)
        await connection.open()
        reader = connection.reader(protected, [ModbusPoint("holding:1")])
        (block,) = (await reader.prepare()).polled
        await reader.read(block)
        reading = asyncio.create_task(reader.read(block))
        await plc.was_asked(2)
        plc.hang_up()
        async with asyncio.timeout(IN_TIME):
            with pytest.raises(LinkLost) as caught:
                await reading
            assert caught.value.kind == "disconnected"
            await connection.lost()
        await connection.close()


async def test_a_protected_connection_that_breaks_before_any_answer_may_want_a_certificate(
    authority: Authority, plc_files: Files
) -> None:
    async with fake_plc(server_context(plc_files)) as plc:
        plc.script(close)
        lost = await refusal(device(plc.port, ModbusTls(authority.files.certificate)))
        assert lost.kind == "tls"
        assert "it may want a certificate of the gateway" in str(lost)


async def test_a_far_side_that_does_not_answer_goodbye_is_left_all_the_same(
    authority: Authority, plc_files: Files
) -> None:
    async with fake_plc(server_context(plc_files)) as plc:
        plc.always(silent)
        protected = device(plc.port, ModbusTls(authority.files.certificate))
        connection = ModbusConnection(protected)
        await connection.open()
        for writer in plc._writers:
            writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads has it
        async with asyncio.timeout(IN_TIME):
            await connection.close()
        for writer in plc._writers:
            writer.transport.resume_reading()  # type: ignore[attr-defined]  # the same


async def test_the_server_of_pymodbus_is_read_over_tls(
    authority: Authority, plc_files: Files, gateway_files: Files
) -> None:
    plant = SimDevice(id=1, simdata=[SimData(0, values=list(range(100)), datatype=SimType.REGISTERS)])
    context = server_context(plc_files, clients=authority.files.certificate)
    server = ModbusTlsServer(plant, address=("127.0.0.1", 0), sslctx=context)
    await server.serve_forever(background=True)
    assert isinstance(server.transport, asyncio.Server)
    port = server.transport.sockets[0].getsockname()[1]
    tls = ModbusTls(authority.files.certificate, *gateway_files)
    protected = ModbusDevice(f"tls://127.0.0.1:{port}", tls=tls, timeout=IN_TIME)
    try:
        assert await read_once(protected, "holding:7") == Sample(7)
        with pytest.raises(DeviceFault, match="illegal data address"):
            await read_once(protected, "holding:5000")
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]  # the library's
        await asyncio.sleep(0)


def test_devices_share_a_connection_only_where_they_trust_the_same(plc_files: Files, gateway_files: Files) -> None:
    def endpoint(tls: ModbusTls) -> str:
        return DRIVER.endpoint(ModbusDevice("tls://PLC", tls=tls))

    ca, other = plc_files.certificate, gateway_files.certificate
    assert endpoint(ModbusTls(ca)) == endpoint(ModbusTls(ca))
    assert len({endpoint(ModbusTls(ca)), endpoint(ModbusTls(other)), endpoint(ModbusTls(ca, *gateway_files))}) == 3
    assert endpoint(ModbusTls(ca)) == f"tls://plc:802 (trusting {ca})"
