"""The memory driver where the contract suite has no word for it."""

import pytest

from drivers.base import Surroundings
from drivers.memory import DRIVER, Frame, MemoryConnection, MemoryDevice, MemoryPoint, plant
from drivers.memory.writing import MemoryWriter
from drivers.values import Sample, Seconds, Value
from drivers.writing import NotSent, Unanswered
from tests.permits import Permit


async def test_a_value_that_equals_the_last_one_and_is_of_another_type_is_a_change() -> None:
    device = MemoryDevice("memory://types")
    connection = DRIVER.connect(device)
    await connection.open()
    reader = connection.reader(device, [MemoryPoint("a", start=1)])
    (block,) = (await reader.prepare()).polled
    await reader.read(block)
    told: list[Value] = []
    for value in (1, True, True, 1.0):
        plant(device.url).set("a", value)
        told += [sample.value for _, sample in await reader.read(block)]
    assert [type(value) for value in told] == [bool, float]
    await connection.close()


async def writer_of(url: str, *points: MemoryPoint) -> MemoryWriter:
    device = MemoryDevice(url)
    connection = MemoryConnection(device)
    await connection.open()
    writer = MemoryWriter("boiler", connection, device, dict(enumerate(points)), Surroundings(patience=Seconds(0.05)))
    await writer.prepare()
    return writer


async def test_a_plant_notes_the_writes_that_reach_it_and_tells_its_subscribers() -> None:
    writer = await writer_of("memory://noted", MemoryPoint("a", start=1.0))
    await writer.write(0, "a_tag", writer.encode(0, 2), Permit())
    assert list(plant("memory://noted").frames) == [Frame(1, "a", 2.0)]
    assert await writer.read_back([0]) == [(0, Sample(2.0))]


async def test_a_mute_unit_does_what_it_never_says() -> None:
    writer = await writer_of("memory://mute", MemoryPoint("a", start=1))
    plant("memory://mute").mute = {1}
    with pytest.raises(Unanswered):
        await writer.write(0, "a_tag", 2, Permit())
    assert await writer.read_back([0]) == [(0, Sample(2))]


async def test_a_plant_may_make_something_else_of_a_write() -> None:
    writer = await writer_of("memory://clamps", MemoryPoint("a", start=1))
    plant("memory://clamps").takes = lambda _, value: min(value, 50)  # type: ignore[type-var]  # it is a number
    await writer.write(0, "a_tag", 80, Permit())
    assert await writer.read_back([0]) == [(0, Sample(50))]


async def test_a_wire_that_is_cut_under_a_write_leaves_it_open() -> None:
    far = plant("memory://cut")
    writer = await writer_of("memory://cut", MemoryPoint("a", start=1))
    far.asked = lambda _, what: far.cut() if what == "write" else None
    with pytest.raises(Unanswered) as raised:
        await writer.write(0, "a_tag", 2, Permit())
    assert raised.value.kind == "disconnected"
    with pytest.raises(NotSent):
        await writer.write(0, "a_tag", 3, Permit())
    assert len(far.frames) == 1


async def test_an_answer_that_takes_too_long_leaves_a_write_open() -> None:
    writer = await writer_of("memory://late", MemoryPoint("a", start=1))
    plant("memory://late").latency = 5.0
    with pytest.raises(Unanswered):
        await writer.write(0, "a_tag", 2, Permit())


@pytest.mark.parametrize(
    ("start", "value"),
    [(True, 1), (1, True), ("a", 1), (1.0, "1"), (1.0, float("nan")), (1.0, 10**400), (1, 2**63), (None, 1)],
)
async def test_a_cell_keeps_its_type(start: bool | float | str | None, value: Value) -> None:  # noqa: FBT001  (a value)
    writer = await writer_of("memory://types-of-writes", MemoryPoint(f"a{start!r}", start=start))
    with pytest.raises(ValueError, match=r"^a"):
        writer.encode(0, value)
