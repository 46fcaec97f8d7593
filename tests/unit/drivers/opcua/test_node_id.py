from uuid import UUID

import pytest

from drivers.opcua.node_id import NodeAddress, format_node_id, namespace_index, parse_node_id

GUID = UUID("09087e75-8e5e-499b-954f-f2a9603db28a")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("i=2258", NodeAddress(0, 2258)),
        ("ns=2;s=Turbine.Speed", NodeAddress(2, "Turbine.Speed")),
        ("ns=0;i=0", NodeAddress(0, 0)),
        ("ns=65535;i=4294967295", NodeAddress(65535, 4294967295)),
        ("nsu=urn:boiler-house;s=Turbine.Speed", NodeAddress("urn:boiler-house", "Turbine.Speed")),
        ("nsu=http://a.b/c;i=7", NodeAddress("http://a.b/c", 7)),
        ("nsu=a%3Bb%25c;s=x", NodeAddress("a;b%c", "x")),
        ('ns=3;s="DB 1"."a;b=c"', NodeAddress(3, '"DB 1"."a;b=c"')),
        ("ns=1;s= spaces stay ", NodeAddress(1, " spaces stay ")),
        (f"ns=1;g={GUID}", NodeAddress(1, GUID)),
        ("ns=1;b=AAH/", NodeAddress(1, b"\x00\x01\xff")),
    ],
)
def test_a_node_id_is_taken_apart(text: str, address: NodeAddress) -> None:
    assert parse_node_id(text) == address


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no identifier"),
        ("Turbine.Speed", "no identifier"),
        ("ns=2", "no identifier"),
        ("s=", "no identifier"),
        ("x=5", "no identifier"),
        ("ns=two;s=a", "namespace index 'two'"),
        ("ns=65536;s=a", "0 to 65535"),
        ("ns=-1;s=a", "0 to 65535"),
        ("ns=٣;s=a", "0 to 65535"),
        ("nsu=urn:x", "nsu=URI;s=Name"),
        ("nsu=;s=a", "nsu=URI;s=Name"),
        ("i=4294967296", "0 to 4294967295"),
        ("i=1_000", "0 to 4294967295"),
        ("i=-5", "0 to 4294967295"),
        ("g=123", "no GUID"),
        ("b=!!", "no Base64"),
        ("ns=1;nsu=urn:x;s=a", "no identifier"),
    ],
)
def test_what_is_no_node_id_is_refused_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as caught:
        parse_node_id(text)
    assert str(caught.value).startswith("node: ")
    assert "\n" not in str(caught.value)


def test_all_ways_to_write_a_node_id_become_one() -> None:
    assert format_node_id(parse_node_id("ns=0;i=0085")) == "i=85"
    assert format_node_id(parse_node_id("nsu=a%3bb;s=x")) == "nsu=a%3Bb;s=x"
    assert format_node_id(parse_node_id(f"ns=1;g={str(GUID).upper()}")) == f"ns=1;g={GUID}"


def test_a_namespace_is_looked_up_anew_among_those_of_now() -> None:
    address = parse_node_id("nsu=urn:plant;s=a")
    assert namespace_index(address, ["http://opcfoundation.org/UA/", "urn:plant"]) == 1
    assert namespace_index(address, ["http://opcfoundation.org/UA/", "urn:new", "urn:plant"]) == 2
    assert namespace_index(address, ["http://opcfoundation.org/UA/"]) is None


def test_an_index_stays_what_it_is() -> None:
    assert namespace_index(parse_node_id("ns=7;s=a"), []) == 7
