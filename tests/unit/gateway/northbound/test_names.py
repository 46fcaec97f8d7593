"""Topics: the contract's, below the configured root."""

from gateway.northbound.names import Names


def test_the_topics_are_those_of_the_contract() -> None:
    names = Names("agent", "boiler-house")
    assert names.status.text == "agent/boiler-house/status"
    assert names.device("boiler").text == "agent/boiler-house/device/boiler"
    assert names.tag("boiler", "steam_temperature").text == "agent/boiler-house/tag/boiler/steam_temperature"
    assert names.batch("boiler").text == "agent/boiler-house/batch/boiler"
    assert names.constraint("max_steam_temperature").text == "agent/boiler-house/constraint/max_steam_temperature"
    for kind in ("device", "violation", "trip", "reset", "bypass", "breaker", "lease", "config", "proposal", "audit"):
        assert names.event(kind).text == f"agent/boiler-house/event/{kind}"
    assert names.reply("0b9e").text == "agent/boiler-house/reply/0b9e"
    assert names.audit.text == "agent/boiler-house/audit"
    assert names.command == "agent/boiler-house/command"


def test_a_topic_knows_its_kind_below_any_root() -> None:
    topic = Names("site/a", "gw").tag("d", "t")
    assert topic.text == "site/a/gw/tag/d/t"
    assert topic.kind == "tag"
    assert topic.head == b"\x00\x14site/a/gw/tag/d/t".replace(b"\x00\x14", bytes((0, len("site/a/gw/tag/d/t"))))
