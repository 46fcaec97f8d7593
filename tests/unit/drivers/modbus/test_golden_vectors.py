"""Registers that were worked out by hand, read the way the gateway reads them, and encoded back."""

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from drivers.modbus.codec import REGISTERS, encode_number, encode_text
from drivers.modbus.point import ModbusPoint
from drivers.modbus.reader import ModbusReader
from drivers.modbus.request import ReadRequest
from drivers.modbus.settings import ModbusDevice
from drivers.values import DataType, Quality, Sample, Value

GOLDEN = Path(__file__).parents[3] / "golden" / "modbus"
DEVICE = ModbusDevice("tcp://127.0.0.1")


def rows(name: str) -> list[tuple[str, ...]]:
    lines = [line for line in (GOLDEN / name).read_text().splitlines() if not line.startswith("#")]
    return [tuple(row) for row in csv.reader(lines[1:])]


def number(data_type: DataType, text: str) -> float:
    return float(text) if data_type.value.startswith("float") else int(text)


def alike(one: Value, other: Value) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        both_nan = math.isnan(one) and math.isnan(other)
        return both_nan or (one == other and math.copysign(1, one) == math.copysign(1, other))
    return type(one) is type(other) and one == other


async def read(points: Sequence[ModbusPoint], raw: bytes) -> list[Sample]:
    async def answer(request: ReadRequest, seconds: float) -> bytes:
        assert len(raw) == request.size
        return raw

    reader = ModbusReader(DEVICE, points, answer)
    (block,) = (await reader.prepare()).polled
    changes = dict(await reader.read(block))
    return [changes[index] for index in range(len(points))]


@pytest.mark.parametrize("table", ["holding", "input"])
@pytest.mark.parametrize("row", rows("numbers.csv"), ids="-".join)
async def test_a_number_is_decoded_from_its_registers(table: str, row: tuple[str, str, Any, str]) -> None:
    kind, order, registers, value = row
    data_type = DataType(kind)
    point = ModbusPoint(f"{table}:0", data_type, order)  # type: ignore[arg-type]  # a str of the file
    (sample,) = await read([point], bytes.fromhex(registers))
    assert alike(sample.value, number(data_type, value))
    assert sample.quality is Quality.GOOD


@pytest.mark.parametrize("row", rows("numbers.csv"), ids="-".join)
def test_a_number_is_encoded_into_its_registers(row: tuple[str, str, Any, str]) -> None:
    kind, order, registers, value = row
    data_type = DataType(kind)
    encoded = encode_number(number(data_type, value), data_type, order)  # type: ignore[arg-type]  # a str of the file
    assert encoded == bytes.fromhex(registers)


async def test_all_numbers_are_decoded_out_of_one_block() -> None:
    points, values, raw, offset = [], [], b"", 0
    for kind, order, registers, value in rows("numbers.csv"):
        data_type = DataType(kind)
        if offset + REGISTERS[data_type] > 120:
            break
        points.append(ModbusPoint(f"holding:{offset}", data_type, order))  # type: ignore[arg-type]  # a str of the file
        values.append(number(data_type, value))
        raw += bytes.fromhex(registers)
        offset += REGISTERS[data_type]
    samples = await read(points, raw)
    assert len(points) > 40
    assert all(alike(sample.value, value) for sample, value in zip(samples, values, strict=True))


@pytest.mark.parametrize("row", rows("texts.csv"), ids="-".join)
async def test_a_text_is_decoded_from_its_registers(row: tuple[str, Any, Any, str, str]) -> None:
    kind, encoding, order, registers, value = row
    raw = bytes.fromhex(registers)
    point = ModbusPoint("holding:0", DataType(kind), order, len(raw) // 2, encoding)
    (sample,) = await read([point], raw)
    if value == "!":
        assert sample == Sample(None, Quality.BAD, "bad_text")
    else:
        assert sample == Sample(bytes.fromhex(value) if kind == "bytes" else value)


@pytest.mark.parametrize(
    "row", [row for row in rows("texts.csv") if "20" not in row[3] and row[4] != "!"], ids="-".join
)
def test_a_text_is_encoded_into_its_registers(row: tuple[str, Any, Any, str, str]) -> None:
    kind, encoding, order, registers, value = row
    raw = bytes.fromhex(registers)
    text = bytes.fromhex(value) if kind == "bytes" else value
    assert encode_text(text, len(raw) // 2, order, encoding) == raw


@pytest.mark.parametrize("row", rows("exponents.csv"), ids="-".join)
async def test_a_value_is_scaled_by_its_exponent(row: tuple[str, Any, Any, str]) -> None:
    kind, registers, exponent, value = row
    raw = bytes.fromhex(registers)
    sentinel = 0xFFFF if kind == "uint16" else ()
    point = ModbusPoint("holding:0", DataType(kind), not_implemented=sentinel, exponent=f"holding:{len(raw) // 2}")
    (sample,) = await read([point], raw + bytes.fromhex(exponent))
    assert sample == (Sample(None, Quality.BAD, "not_implemented") if value == "-" else Sample(float(value)))


@pytest.mark.parametrize("row", rows("bits.csv"), ids="-".join)
async def test_a_bit_is_found_at_its_place(row: tuple[str, str, Any, str, str]) -> None:
    table, place, order, raw, value = row
    if table in ("holding", "input"):
        samples = await read([ModbusPoint(f"{table}:0.{place}", order=order)], bytes.fromhex(raw))
    else:
        last = 8 * len(bytes.fromhex(raw)) - 1
        points = [ModbusPoint(f"{table}:{bit}") for bit in (int(place), 0, last)]
        samples = await read(points, bytes.fromhex(raw))
    assert samples[0] == Sample(value == "1")
