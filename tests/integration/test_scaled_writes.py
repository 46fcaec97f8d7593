"""A value whose scale stands in another register of the device is not sent once that scale is another."""

import pytest

from drivers.values import Sample
from gateway.clock import SystemClock
from gateway.control.leave import Bounds, Leave
from gateway.control.refusal import Refused
from gateway.control.target import Target, Targets, encoded_anew
from gateway.control.world import PlantWorld
from gateway.endpoints.fair_queue import Priority
from gateway.safety.gate import Gate
from gateway.safety.operation import Operation
from tests.field import Field
from tests.integration.fake_plc import fake_plc

pytestmark = pytest.mark.real

DEVICE = """
  plc:
    driver: modbus
    url: {url}
    scan: 200ms
    tags:
      power: {{address: holding:0, type: int16, exponent: holding:1, writable: true}}
"""
TENTHS, HUNDREDTHS = 0xFFFF, 0xFFFE


def leave_for(field: Field, target: Target) -> Leave:
    gate, clock = Gate([], PlantWorld(field.image), field.clock.monotonic), field.clock
    generation = target.outlet.generation
    assert generation is not None
    bounds = Bounds(gate.epoch, generation, clock.monotonic() + 10)
    operation = Operation("ann", (target.write,))
    return Leave(
        gate, clock, operation, target.write, bounds, lambda: encoded_anew(target), lambda _: None, dict, lambda _: None
    )


async def test_what_was_encoded_with_another_exponent_is_not_sent_whoever_has_read_the_new_one() -> None:
    async with fake_plc() as plc:
        plc.words[0], plc.words[1] = 100, TENTHS
        field = Field(DEVICE.format(url=plc.url), SystemClock())
        async with field.running():
            outlet = await field.ready("plc")
            await field.until(lambda: field.sample("plc.power") == Sample(10.0))
            (target,) = Targets(field.image, {"plc": outlet}, "on").resolve({"plc.power": 23.4})
            assert target.raw == (234,)
            plc.words[1] = HUNDREDTHS
            await outlet.read_back(target.tag, Priority.WRITE)  # of the command before it
            with pytest.raises(Refused) as refused:
                await outlet.write(target.tag, target.raw, leave_for(field, target), Priority.WRITE)
            assert refused.value.code == "cancelled"
            assert not plc.writes
            (target,) = Targets(field.image, {"plc": outlet}, "on").resolve({"plc.power": 23.4})
            await outlet.write(target.tag, target.raw, leave_for(field, target), Priority.WRITE)
            outlet.release(target.tag)
            assert plc.words[0] == 2340
