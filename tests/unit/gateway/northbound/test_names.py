"""Topics: the contract's, below the configured root."""

from gateway.northbound.names import Names


def test_the_topics_are_those_of_the_contract() -> None:
    names = Names("agent", "boiler-house")
    assert names.status.text == "agent/boiler-house/status"
    assert names.device("boiler").text == "agent/boiler-house/device/boiler"
    assert names.tag("boiler", "steam_temperature").text == "agent/boiler-house/tag/boiler/steam_temperature"
    assert names.batch("boiler").text == "agent/boiler-house/batch/boiler"
    assert names.constraint("max_steam_temperature").text == "agent/boiler-house/constraint/max_steam_temperature"
    assert names.event("device").text == "agent/boiler-house/event/device"


def test_a_topic_knows_its_kind_below_any_root() -> None:
    topic = Names("site/a", "gw").tag("d", "t")
    assert topic.text == "site/a/gw/tag/d/t"
    assert topic.kind == "tag"
    assert topic.head == b"\x00\x14site/a/gw/tag/d/t".replace(b"\x00\x14", bytes((0, len("site/a/gw/tag/d/t"))))
