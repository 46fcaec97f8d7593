"""The two notations of an address, and what is wrong with a wrong one."""

import pytest

from drivers.modbus.register import RegisterAddress, RegisterRange, Table, parse_address, parse_range


@pytest.mark.parametrize(
    ("text", "table", "offset", "bit"),
    [
        ("coil:0", Table.COIL, 0, None),
        ("discrete:7", Table.DISCRETE, 7, None),
        ("input:0", Table.INPUT, 0, None),
        ("holding:65535", Table.HOLDING, 65535, None),
        ("holding:10.0", Table.HOLDING, 10, 0),
        ("input:10.15", Table.INPUT, 10, 15),
        ("00001", Table.COIL, 0, None),
        ("09999", Table.COIL, 9998, None),
        ("000011", Table.COIL, 10, None),
        ("10001", Table.DISCRETE, 0, None),
        ("30001", Table.INPUT, 0, None),
        ("40001", Table.HOLDING, 0, None),
        ("40011", Table.HOLDING, 10, None),
        ("49999", Table.HOLDING, 9998, None),
        ("40011.10", Table.HOLDING, 10, 10),
        ("400001", Table.HOLDING, 0, None),
        ("465536", Table.HOLDING, 65535, None),
        ("365536", Table.INPUT, 65535, None),
        (10001, Table.DISCRETE, 0, None),
        (40011, Table.HOLDING, 10, None),
        (400011, Table.HOLDING, 10, None),
        (465536, Table.HOLDING, 65535, None),
    ],
)
def test_an_address_is_read_in_both_notations(text: str | int, table: Table, offset: int, bit: int | None) -> None:
    assert parse_address(text) == RegisterAddress(table, offset, bit)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("holding", "no Modbus address"),
        ("holding:", "no Modbus address"),
        ("holding:-1", "no Modbus address"),
        ("holding: 1", "no Modbus address"),
        ("holding:1.2.3", "no Modbus address"),
        ("holding:1\n", "no Modbus address"),
        ("holding:٣", "no Modbus address"),
        ("", "no Modbus address"),
        ("20001", "no Modbus address"),
        ("4001", "no Modbus address"),
        ("4000001", "no Modbus address"),
        ("register:1", "there are coil, discrete, input, holding"),
        ("holding:65536", "goes from 0 to 65535"),
        ("40000", "goes from 1 to 65536"),
        ("465537", "goes from 1 to 65536"),
        ("holding:1.16", "bits 0 to 15"),
        ("coil:1.0", "a coil is a bit already"),
        ("10001.3", "a discrete is a bit already"),
        (0, "ambiguous"),
        (9, "ambiguous"),
        (9999, "ambiguous"),
        (-40001, "ambiguous"),
        (True, "ambiguous"),
        (20001, "no Modbus address"),
        (4000001, "no Modbus address"),
    ],
)
def test_a_wrong_address_says_what_would_be_right(text: str | int, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        parse_address(text)
    assert "\n" not in str(caught.value)


def test_a_range_includes_both_its_ends() -> None:
    assert parse_range("holding:100-110") == RegisterRange(Table.HOLDING, 100, 111)
    assert parse_range("coil:5") == RegisterRange(Table.COIL, 5, 6)


@pytest.mark.parametrize("text", ["holding:5-4", "holding", "holding:0-65536", "pump:1-2", "holding:1-", "40001-40002"])
def test_a_wrong_range_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"holding|pump|40001"):
        parse_range(text)


def test_addresses_and_ranges_are_named_as_they_are_written() -> None:
    assert str(parse_address("40011.3")) == "holding:10.3"
    assert str(parse_range("input:0-119")) == "input:0..119"
    assert str(parse_range("input:4")) == "input:4"
