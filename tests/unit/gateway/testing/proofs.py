"""Small configurations with a constraint each, and their proofs, for the tests of `proof-test`."""

from collections.abc import Mapping
from pathlib import Path

from gateway.settings.load import load
from gateway.settings.model import Settings
from gateway.testing.prover import Result, Status, prove

PLANT = """
gateway: {id: test, control: "off"}
authority:
  operator-1: {role: operator, may: [write, reset], tags: ["boiler.*"]}
  turbine-hand: {role: operator, may: [write, reset], tags: ["turbine.*"]}
devices:
  boiler:
    driver: modbus
    url: tcp://127.0.0.1:1
    unit: 1
    scan: 500ms
    fingerprint: {firmware: 12}
    tags:
      firmware: {address: "holding:90"}
      steam: {address: "input:0", type: float32, range: [0, 700]}
      level: {address: "input:4", type: int16, scale: 0.1, range: [-300, 300]}
      count: {address: "input:6", type: uint16}
      nox: {address: "input:8", type: float32, range: [0, 500]}
      pump: {address: "discrete:0"}
      alarm_bit: {address: "input:20", type: uint16, bit: 3}
      burner: {address: "coil:0", writable: true}
      setpoint: {address: "holding:10", type: float32, range: [100, 560], writable: true}
      steps: {address: "holding:12", type: uint16, range: [0, 100], writable: true}
  turbine:
    driver: opcua
    url: opc.tcp://127.0.0.1:1/
    scan: 200ms
    tags:
      speed: {node: "ns=2;s=a", range: [0, 4500]}
      speed_b: {node: "ns=2;s=b", range: [0, 4500]}
      speed_c: {node: "ns=2;s=c", range: [0, 4500]}
      mode: {node: "ns=2;s=d", type: string}
      valve: {node: "ns=2;s=e", writable: true}
  house:
    driver: computed
    scan: 500ms
    tags:
      difference: {expression: "boiler.steam - turbine.speed / 10", unit: degC}
      mean: {average: boiler.steam, window: 20s}
      middle: {median: [turbine.speed, turbine.speed_b, turbine.speed_c]}
      constant: {expression: "min(max(boiler.steam, 100), 200)"}
safety:
  constraints:
"""

LAYOUT: Mapping[str, str] = {
    "threshold": "{kind: threshold, tag: boiler.steam, min: 50, max: 580, hysteresis: 5, level: critical,"
    " on_delay: 2s, off_delay: 3s, on_trip: {boiler.burner: false}}",
    "rate_of_change": "{kind: rate_of_change, tag: boiler.steam, max_per_second: 20, level: critical, max_step: 60,"
    " limits_also: [boiler.setpoint], on_trip: {boiler.burner: false}}",
    "rate_limit": "{kind: rate_limit, key: boiler, max: 4, window: 10s, level: high}",
    "dependency": "{kind: dependency, when: {boiler.burner: true}, requires: {boiler.pump: {equals: true},"
    " boiler.level: {min: -100, max: 100}}, level: critical}",
    "permission": "{kind: permission, level: critical}",
    "resource": "{kind: resource, lock: burner, applies_to: [boiler.burner], level: high}",
    "timing": "{kind: timing, tag: boiler.burner, min_off: 30s, min_on: 10s, min_interval: 5s,"
    ' not_before: "22:00", not_after: "06:00", level: high}',
    "compliance": "{kind: compliance, tag: boiler.nox, min: 5, max: 150, window: 60s, level: critical}",
    "vote": "{kind: vote, tags: [turbine.speed, turbine.speed_b, turbine.speed_c], agree: 2, max: 3600,"
    " hysteresis: 10, level: critical, on_trip: {turbine.valve: true}}",
}
"""A constraint of every kind in which everything can be driven."""


def settings_of(folder: Path, *constraints: str, plant: str = PLANT) -> Settings:
    """Return a configuration with these constraints, named c0, c1 and so on unless they have a name."""
    file = folder / "plant.yaml"
    named = [each if "name:" in each else each.replace("{", f"{{name: c{place}, ", 1) for place, each in
             enumerate(constraints)]  # fmt: skip
    file.write_text(plant + "".join(f"    - {each}\n" for each in named))
    return load(file).settings


def proof_of(folder: Path, *constraints: str, plant: str = PLANT) -> list[Result]:
    return prove(settings_of(folder, *constraints, plant=plant))


def failed(results: list[Result]) -> list[str]:
    return [
        f"{each.title}: expected {each.expected}; seen {each.seen}" for each in results if each.status is Status.FAILED
    ]


def not_proved(results: list[Result]) -> dict[str, str]:
    return {each.title: each.seen for each in results if each.status is Status.NOT_PROVED}


def titles(results: list[Result]) -> list[str]:
    return [each.title for each in results]
