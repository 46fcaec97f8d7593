"""The memory driver where the contract suite has no word for it."""

from drivers.memory import DRIVER, MemoryDevice, MemoryPoint, plant
from drivers.values import Value


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
