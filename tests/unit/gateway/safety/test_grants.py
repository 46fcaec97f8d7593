"""PERMISSION and RESOURCE: who may, and who holds."""

from gateway.safety.kinds.permission import Permission, PermissionRule
from gateway.safety.kinds.resource import Resource, ResourceRule
from gateway.safety.operation import Operation, Write
from gateway.safety.rule import NOTHING_LIVE, Objection
from gateway.safety.verdict import SafetyLevel
from tests.unit.gateway.safety.plant import NOW, FakePlant, operation

WANTED = operation("turbine.load", 1.0)


def test_the_matrix_is_asked_for_every_write() -> None:
    rule, plant = PermissionRule(Permission(name="who_may", level=SafetyLevel.CRITICAL)), FakePlant()
    assert rule.proposes is None
    assert rule.object(WANTED.writes[0], WANTED, plant, NOW) is None
    plant.granted = False
    assert rule.object(WANTED.writes[0], WANTED, plant, NOW) == Objection("forbidden", "not_granted")


class Matrix(FakePlant):
    def may_write(self, principal: str, tag: str) -> bool:
        return (principal, tag) == ("operator-1", "turbine.load")


def test_it_is_asked_about_the_one_who_writes_and_what_they_write() -> None:
    rule = PermissionRule(Permission(name="who_may", level=SafetyLevel.CRITICAL))
    stranger = Operation("stranger", WANTED.writes)
    other = operation("turbine.speed", 1.0)
    asked = [rule.object(each.writes[0], each, Matrix(), NOW) is None for each in (WANTED, stranger, other)]
    assert asked == [True, False, False]


def test_a_lock_is_held_only_with_its_current_token() -> None:
    rule, plant = ResourceRule(Resource(name="owns", level=SafetyLevel.HIGH, lock="turbine")), FakePlant()
    plant.tokens["turbine"] = 7
    for locks, permitted in (({"turbine": 7}, True), ({"turbine": 6}, False), ({"boiler": 7}, False), ({}, False)):
        held = Operation("me", (Write("turbine.load", 1.0),), locks=locks)
        assert (rule.object(held.writes[0], held, plant, NOW) is None) is permitted
    assert rule.object(WANTED.writes[0], WANTED, plant, NOW) == Objection("lock_lost", "not_held")
    assert rule.proposes is None


def test_they_watch_nothing() -> None:
    plant = FakePlant()
    assert PermissionRule(Permission(name="x", level=SafetyLevel.HIGH)).live(plant, NOW) is NOTHING_LIVE
