"""Computed devices in the daemon's parts: judged in the same step, moved on by their own task."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

from drivers.memory import MemoryPlant, plant
from drivers.values import DataType, Quality, Sample
from gateway.app.plant import Plant, build_plant
from gateway.app.surroundings import judged_tags
from gateway.control.guard import ConstraintState, Guard
from gateway.control.world import PlantWorld
from gateway.counters import Counters
from gateway.safety.gate import Gate
from gateway.safety.verdict import Verdict
from gateway.settings.computed import inputs_behind
from gateway.settings.load import load
from gateway.settings.model import Settings
from gateway.tags.image import Batch
from tests.virtual_time import VirtualClock, run_virtual

CONFIG = """
gateway: {id: test}
devices:
  house:
    driver: computed
    scan: 500ms
    tags:
      power: {expression: turbine.torque * turbine.speed, unit: kW}
      too_much: {expression: house.power > 100}
      speed: {median: [turbine.speed, turbine.speed_b, turbine.speed_c]}
      mean: {average: turbine.torque, window: 10s, min_coverage: 0.5}
      other: {expression: turbine.unused + 1}
  turbine:
    driver: memory
    url: memory://computed-in-app
    scan: 1s
    tags:
      torque: {address: t, start: 1.0}
      speed: {address: a, start: 50.0}
      speed_b: {address: b, start: 50.0}
      speed_c: {address: c, start: 50.0}
      unused: {address: u, start: 1.0}
safety:
  constraints:
    - {name: power, kind: threshold, tag: house.power, max: 100, level: high}
    - {name: mean, kind: threshold, tag: house.mean, max: 10, level: high}
"""


class Rig:
    """The field side and the guard of a small plant, on virtual time."""

    def __init__(self, settings: Settings) -> None:
        clock = VirtualClock()
        self.settings = settings
        self.counters = Counters()
        self.plant: Plant = build_plant(settings, clock, Random(1), self.counters)
        image = self.plant.image
        gate = Gate(settings.safety.constraints, PlantWorld(image), clock.monotonic)
        self.guard = Guard(gate, image, 0.1, clock, self.counters.guard, self.counters.loop_lag, lambda: None)
        self.verdicts: list[ConstraintState] = []
        self.guard.listen(self.verdicts.append)
        self.batches: list[tuple[Batch, dict[str, Verdict]]] = []
        image.listen(lambda batch: self.batches.append((batch, self.now())))
        self.far: MemoryPlant = plant("memory://computed-in-app")

    def now(self) -> dict[str, Verdict]:
        return {state.name: state.verdict for state in self.verdicts}

    def sample(self, path: str) -> Sample:
        tag = self.plant.image.find(path)
        assert tag is not None
        return self.plant.image.sample(tag, asyncio.get_running_loop().time())


def play(folder: Path, story: Callable[[Rig], Awaitable[None]]) -> None:
    file = folder / "plant.yaml"
    file.write_text(CONFIG)

    async def main() -> None:
        rig = Rig(load(file).settings)
        runs = [*(session.run() for session in rig.plant.sessions), rig.plant.computed.run(), rig.guard.run()]
        tasks = [asyncio.create_task(each) for each in runs]
        await story(rig)
        for session in rig.plant.sessions:
            session.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        rig.far.cells.clear()
        rig.far.reachable = True

    run_virtual(main())


def test_a_constraint_on_a_computed_tag_is_judged_before_anybody_else_sees_the_batch(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(3)
        assert rig.now()["power"] is Verdict.OK
        rig.batches.clear()
        rig.far.set("t", 3.0)
        await asyncio.sleep(1.1)
        field = [verdicts for batch, verdicts in rig.batches if batch.device == "turbine"]
        assert [verdicts["power"] for verdicts in field] == [Verdict.VIOLATED]
        first = next(batch for batch, _ in rig.batches if any(tag.name == "power" for tag, _ in batch.changes))
        assert [(tag.path, sample.value) for tag, sample in first.changes if tag.name == "power"] == [
            ("house.power", 150.0)
        ]

    play(tmp_path, story)


def test_the_device_is_connected_and_tells_its_types_and_counts_what_it_told(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(3)
        house = rig.plant.devices[0]
        assert (house.name, house.state.connected) == ("house", True)
        assert house.data_types == (
            DataType.FLOAT64,
            DataType.BOOL,
            DataType.FLOAT64,
            DataType.FLOAT64,
            DataType.FLOAT64,
        )
        assert rig.counters.devices["house"].updates >= 4
        assert rig.plant.image.count()["house"][Quality.GOOD] == 4
        assert [session.devices[0].name for session in rig.plant.sessions] == ["turbine"]

    play(tmp_path, story)


def test_windows_move_on_with_the_scan_of_their_device(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(3)
        assert rig.sample("house.mean").reason == "coverage"
        await asyncio.sleep(4)
        assert rig.sample("house.mean").quality is Quality.GOOD
        rig.far.set("t", 1.5)
        await asyncio.sleep(2)
        first = rig.sample("house.mean").value
        await asyncio.sleep(0.6)
        assert isinstance(first, float)
        assert first < rig.sample("house.mean").value < 1.5  # type: ignore[operator]  # a float, as before

    play(tmp_path, story)


def test_a_device_out_of_reach_makes_bad_what_is_made_from_it_and_says_why(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        await asyncio.sleep(8)
        rig.far.cut()
        await asyncio.sleep(1)
        assert rig.sample("house.power") == rig.sample("turbine.speed")
        assert rig.sample("house.power").quality is Quality.BAD
        assert rig.now()["power"] is Verdict.UNKNOWN
        assert rig.sample("house.mean").quality is Quality.GOOD
        assert rig.plant.devices[0].state.connected

    play(tmp_path, story)


def test_what_judged_computed_tags_are_made_from_counts_as_judged(tmp_path: Path) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text(CONFIG)
    settings = load(file).settings
    assert judged_tags(settings) >= {"house.power", "house.mean", "turbine.torque", "turbine.speed"}
    assert not judged_tags(settings) & {"turbine.unused", "turbine.speed_b"}
    assert inputs_behind(settings, {"house.too_much"}) == {"house.power", "turbine.torque", "turbine.speed"}
