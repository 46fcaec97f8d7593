"""What goes over the wire for one write, and what the answers to it say."""

import pytest
from asyncua import ua
from asyncua.ua.status_codes import StatusCodes
from asyncua.ua.ua_binary import struct_to_binary

from drivers.errors import DeviceFault
from drivers.opcua.binary import BadEncoding
from drivers.opcua.encoding import Encoded, Target, check_writable, encode, fits
from drivers.opcua.settings import OpcUaDevice, OpcUaPoint
from drivers.opcua.write_answer import REFUSALS, Verdict, judge, read_status
from drivers.opcua.writing import _check, _request
from drivers.values import DataType
from drivers.writing import Unanswered


def answer(*statuses: int, service: int = 0) -> bytes:
    response = ua.WriteResponse()
    response.ResponseHeader.ServiceResult = ua.StatusCode(ua.UInt32(service))
    response.Results = [ua.StatusCode(ua.UInt32(status)) for status in statuses]
    return struct_to_binary(response)


def fault(status: int) -> bytes:
    response = ua.ServiceFault()
    response.ResponseHeader.ServiceResult = ua.StatusCode(ua.UInt32(status))
    return struct_to_binary(response)


NODE = ua.NodeId("a", 2)  # type: ignore[arg-type]  # plain values do


def test_nothing_but_the_value_is_sent_neither_a_status_nor_a_time() -> None:
    raw = struct_to_binary(_request(NODE, Encoded(11, 1.0)))
    # A String node id of namespace 2, attribute 13, no index range; a DataValue of value alone; a Double.
    assert raw.endswith(bytes.fromhex("03 0200 01000000 61 0d000000 ffffffff 01 0b 000000000000f03f"))


def test_an_array_of_one_element_is_an_array_on_the_wire() -> None:
    raw = struct_to_binary(_request(NODE, encode(Target(4, is_array=True), (5,))))
    assert raw.endswith(bytes.fromhex("01 84 01000000 0500"))


@pytest.mark.parametrize("status", [0x00000000, 0x00000400, 0x80740000, 0x002E0000])
def test_the_status_of_the_node_is_read(status: int) -> None:
    assert read_status(answer(status)) == status


def test_a_service_that_failed_is_the_status_of_the_write() -> None:
    assert read_status(fault(0x80100000)) == 0x80100000
    assert read_status(answer(service=0x80020000)) == 0x80020000


@pytest.mark.parametrize(
    "data",
    [b"", b"\x01", answer(), answer(0, 0), answer(0)[:-5], struct_to_binary(ua.ReadResponse())],
    ids=["nothing", "one byte", "no status", "two statuses", "cut off", "another service"],
)
def test_an_answer_that_makes_no_sense_settles_nothing(data: bytes) -> None:
    with pytest.raises(BadEncoding):
        read_status(data)
    with pytest.raises(Unanswered, match="the answer makes no sense"):
        _check("writing a", data)


@pytest.mark.parametrize(
    ("data", "kind", "raised"),
    [
        (fault(0x80100000), "too_many_operations", DeviceFault),
        (fault(0x80250000), "session_lost", DeviceFault),
        (fault(0x800A0000), "timeout", Unanswered),
        (fault(0x80020000), "internal_error", Unanswered),
        (fault(0), "bad", Unanswered),
        (answer(0x80FF0000), "bad", Unanswered),
    ],
    ids=["too many", "no session", "timeout", "internal", "no status", "unknown status"],
)
def test_a_fault_of_the_service_is_a_refusal_only_where_it_speaks_of_the_request(
    data: bytes, kind: str, raised: type[DeviceFault]
) -> None:
    with pytest.raises(DeviceFault) as found:
        _check("writing a", data)
    assert type(found.value) is raised
    assert found.value.kind == kind


def test_every_refusal_is_a_status_code_of_the_standard() -> None:
    assert {name for name in REFUSALS if not hasattr(StatusCodes, name)} == set()


def test_bits_of_information_make_nothing_less_good() -> None:
    assert judge(0x00000480, "Good") is Verdict.DONE
    assert judge(0x00960000, "GoodLocalOverride") is Verdict.UNKNOWN


@pytest.mark.parametrize(
    "raw",
    [
        Encoded(11, 1), Encoded(11, value=True), Encoded(10, 1.0), Encoded(11, (1.0,)), Encoded(11, float("nan")),
        (11, 1.0), 1.0,
    ],
)  # fmt: skip
def test_only_what_encoding_gives_fits_a_node(raw: object) -> None:
    assert fits(Target(11), Encoded(11, 1.0))
    assert not fits(Target(11), raw)


def test_a_structure_cannot_be_written_and_the_configuration_is_told_so() -> None:
    device = OpcUaDevice("opc.tcp://plc")
    check_writable(device, OpcUaPoint("s=a", type=DataType.FLOAT64))
    with pytest.raises(ValueError, match="s=a: a structure cannot be written; leave writable out"):
        check_writable(device, OpcUaPoint("s=a", type=DataType.STRUCTURE))
