"""Whatever the library encodes is decoded to the same; whatever else comes is read or refused, and never hung on."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import asyncua
from asyncua.ua.ua_binary import struct_to_binary
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.opcua.binary import BadEncoding
from drivers.opcua.data_value import read_data_value
from drivers.opcua.frames import BadFrame, FrameCutter
from drivers.opcua.node_id import NodeAddress, format_node_id, parse_node_id
from drivers.opcua.notification import (
    DATA_CHANGE,
    read_change_count,
    read_changes,
    read_publication,
    read_results,
    read_status_change,
)
from drivers.opcua.quality import judge_status
from drivers.opcua.structures import BUILT_IN, Field, Form, Structure, Structures
from drivers.opcua.variant import Spoiled
from drivers.values import Quality, Sample, bad

ua: Any = asyncua.ua  # its types refuse the plain values that it documents

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST, LAST = datetime(1601, 1, 1), datetime(9999, 12, 31, 23, 59, 58)  # noqa: DTZ001  (hypothesis wants them naive)

TIMES = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
SCALARS = {
    "Boolean": st.booleans(),
    "SByte": st.integers(-(2**7), 2**7 - 1),
    "Byte": st.integers(0, 2**8 - 1),
    "Int16": st.integers(-(2**15), 2**15 - 1),
    "UInt16": st.integers(0, 2**16 - 1),
    "Int32": st.integers(-(2**31), 2**31 - 1),
    "UInt32": st.integers(0, 2**32 - 1),
    "Int64": st.integers(-(2**63), 2**63 - 1),
    "UInt64": st.integers(0, 2**64 - 1),
    "Float": st.floats(width=32, allow_nan=False),
    "Double": st.floats(allow_nan=False),
    "String": st.text(),
    "ByteString": st.binary(),
    "DateTime": TIMES,
}


@st.composite
def values(draw: st.DrawFn) -> tuple[Any, Any]:
    """Return a variant of the library, and what it has to become."""
    name = draw(st.sampled_from(sorted(SCALARS)))
    kind = ua.VariantType[name]
    if draw(st.booleans()):
        value = draw(SCALARS[name])
        return ua.Variant(value, kind), value
    elements = draw(st.lists(SCALARS[name], max_size=5))
    return ua.Variant(elements, kind, is_array=True), tuple(elements)


@st.composite
def data_values(draw: st.DrawFn) -> tuple[Any, Sample]:
    """Return a data value of the library, and the sample that it has to become."""
    variant, value = draw(values())
    status = draw(st.sampled_from([0, 0, 0x40900000, 0x80050000, 0x00000480]))
    time = draw(st.none() | TIMES)
    data_value = ua.DataValue(variant, ua.StatusCode(status), SourceTimestamp=time)
    if draw(st.booleans()):
        data_value.ServerTimestamp = draw(TIMES)
    quality, reason = judge_status(status)
    source_time = None if time is None else (time - EPOCH).total_seconds()
    sample = bad(reason, source_time) if quality is Quality.BAD else Sample(value, quality, reason, source_time)
    return data_value, sample


def same(found: Sample, wanted: Sample) -> bool:
    times = found.source_time, wanted.source_time
    close = times == (None, None) or (None not in times and abs(times[0] - times[1]) < 1e-4)  # type: ignore[operator]  # not None
    return found._replace(source_time=None) == wanted._replace(source_time=None) and close


@given(data_values())
def test_what_the_library_encodes_is_decoded_to_the_same(case: tuple[Any, Sample]) -> None:
    data_value, wanted = case
    data = struct_to_binary(data_value)
    found, end = read_data_value(data, 0)
    assert same(found, wanted)
    assert type(found.value) is type(wanted.value)
    assert end == len(data)


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), data_values()), max_size=6), st.integers(1, 4))
def test_a_notification_is_the_same_in_whatever_slices_it_is_read(
    items: list[tuple[int, tuple[Any, Sample]]], size: int
) -> None:
    response = ua.PublishResponse()
    response.Parameters.SubscriptionId = 7
    response.Parameters.AvailableSequenceNumbers = [1, 2, 3]
    response.Parameters.NotificationMessage.SequenceNumber = 42
    response.Parameters.NotificationMessage.NotificationData = [
        ua.DataChangeNotification(
            MonitoredItems=[ua.MonitoredItemNotification(handle, value) for handle, (value, _) in items]
        ),
        ua.StatusChangeNotification(Status=ua.StatusCode(0x80340000)),
    ]
    data = struct_to_binary(response)
    publication = read_publication(data)
    assert (publication.subscription, publication.sequence) == (7, 42)
    changes, status = publication.parts
    assert changes.kind == DATA_CHANGE
    assert read_status_change(data, status) == 0x80340000
    left, at = read_change_count(data, changes)
    assert left == len(items)
    found = []
    while left > 0:
        piece, at = read_changes(data, at, min(size, left))
        found += piece
        left -= len(piece)
    assert [handle for handle, _ in found] == [handle for handle, _ in items]
    assert all(same(sample, wanted) for (_, sample), (_, (_, wanted)) in zip(found, items, strict=True))


@settings(max_examples=40)
@given(st.lists(data_values(), max_size=6))
def test_a_read_is_answered_in_the_order_of_its_nodes(cases: list[tuple[Any, Sample]]) -> None:
    response = ua.ReadResponse(Results=[value for value, _ in cases])
    results = read_results(struct_to_binary(response))
    assert all(same(result.sample, wanted) for result, (_, wanted) in zip(results, cases, strict=True))
    assert [result.variant_type for result in results] == [value.Value.VariantType.value for value, _ in cases]


TYPES = st.integers(1, 32).map(lambda number: NodeAddress(0, number)) | st.just(NodeAddress(2, 1))
FIELDS = st.builds(Field, st.text(max_size=3), TYPES, st.sampled_from([-1, 1, 2]), st.booleans())
STRUCTURES = st.builds(Structure, st.lists(FIELDS, max_size=5).map(tuple), st.sampled_from(Form))


@given(STRUCTURES, st.binary(max_size=200))
def test_a_structure_of_any_kind_is_a_mapping_or_spoiled(structure: Structure, body: bytes) -> None:
    encoding = NodeAddress(2, 5001)
    value = Structures({encoding: structure}, {**BUILT_IN, NodeAddress(2, 1): structure}).decode(encoding, body, 0)
    assert isinstance(value, dict | Spoiled)


@given(st.binary(max_size=200), st.sampled_from([b"", b"\x01\x00\x3c\x03" + bytes(24)]))
def test_bytes_of_any_kind_are_read_or_refused(data: bytes, header: bytes) -> None:
    with suppress(BadEncoding):
        read_results(header + data)
    with suppress(BadEncoding):
        for part in read_publication(header + data).parts:
            count, at = read_change_count(header + data, part)
            read_changes(header + data, at, count)
    with suppress(BadEncoding):
        read_changes(data, 0, 3)


@given(st.binary(min_size=30, max_size=300), st.integers(0, 299), st.integers(0, 255))
def test_a_flipped_byte_is_read_or_refused(noise: bytes, place: int, byte: int) -> None:
    response = ua.PublishResponse()
    response.Parameters.NotificationMessage.NotificationData = [
        ua.DataChangeNotification(
            MonitoredItems=[
                ua.MonitoredItemNotification(1, ua.DataValue(ua.Variant([1.0, 2.0], ua.VariantType.Double))),
                ua.MonitoredItemNotification(2, ua.DataValue(ua.Variant(noise, ua.VariantType.ByteString))),
            ]
        )
    ]
    data = bytearray(struct_to_binary(response))
    data[place % len(data)] = byte
    with suppress(BadEncoding):
        for part in read_publication(bytes(data)).parts:
            count, at = read_change_count(bytes(data), part)
            read_changes(bytes(data), at, count)


IDENTIFIERS = st.one_of(st.integers(0, 2**32 - 1), st.text(min_size=1), st.uuids(), st.binary(min_size=1))


@given(st.one_of(st.integers(0, 65535), st.text(min_size=1)), IDENTIFIERS)
def test_a_node_id_is_read_as_it_was_written(namespace: str | int, identifier: Any) -> None:
    address = NodeAddress(namespace, identifier)
    assert parse_node_id(format_node_id(address)) == address


@given(st.text() | st.builds("{}={}".format, st.sampled_from("isgb"), st.text()))
def test_text_of_any_kind_is_a_node_id_or_refused_in_one_line(text: str) -> None:
    complaint = ""
    try:
        address = parse_node_id(text)
        assert parse_node_id(format_node_id(address)) == address
    except ValueError as error:
        complaint = str(error)
    assert not complaint or complaint.startswith("node: ")
    assert len(complaint.splitlines()) <= 1


@given(st.lists(st.integers(8, 300), max_size=8), st.lists(st.integers(1, 100), min_size=1, max_size=20))
def test_a_stream_may_be_cut_anywhere(sizes: list[int], cuts: list[int]) -> None:
    stream = b"".join(b"MSGF" + size.to_bytes(4, "little") + bytes(size - 8) for size in sizes) + b"MSGF" + bytes(4)
    cutter, refused = FrameCutter(), False
    while stream:
        for cut in cuts:
            try:
                cutter.feed(stream[:cut])
            except BadFrame:
                refused = True
            assert not refused or len(stream) <= cut
            stream = stream[cut:]
            if not stream:
                break
    assert refused
