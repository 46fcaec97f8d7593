"""The OPC UA rows of the fault matrix that are about nodes and values, O5 to O7, O9 and O10."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import pairwise
from time import time
from typing import Any, NamedTuple

import pytest
import pytest_asyncio

from tests.integration.node_servers import NodeOpcUa
from tests.integration.opcua_server import OpcUaServer, ServerSpec, Value
from tests.scenarios.deadlines import SEEN
from tests.scenarios.matrix_site import MARGIN, NOTICED, MatrixSite, matrix_site
from tests.scenarios.opcua_rows import LIE, Row, configured, fresh, holding, started
from tests.scenarios.small_plant import LIMIT

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

NAMES = ("reading", "second")
MANY = tuple(f"N{number}" for number in range(200))
"""As the server names them."""
ROUNDS = 40
"""In each of which all of them change, as fast as the server can."""
HOUR = 3600.0
DOUBTS: dict[str, tuple[Value, str, set[str]]] = {
    "uncertain": (Value(1.0, status=0x40000000), "uncertain", {"uncertain"}),
    "bad": (Value(1.0, status=0x808C0000), "bad", {"sensor_failure"}),
    "null": (Value(None, "Null"), "bad", {"null", "no_value"}),
    "old": (Value(1.0, source_time=0.0), "uncertain", {"source_time"}),
    "future": (Value(1.0, source_time=time() + HOUR), "uncertain", {"future"}),
    "other-type": (Value(1, "Int16"), "bad", {"wrong_type", "type_mismatch"}),
    "array": (Value([1.0, 2.0]), "bad", {"wrong_type", "type_mismatch", "array"}),
}
"""By the name of the node: what it suddenly says, and what becomes of that."""


class Rows(NamedTuple):
    """A row for each server, by the name of the device."""

    site: MatrixSite
    rows: dict[str, Row]


def limits(names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return a limit on each tag of the device `doubtful`."""
    return [
        {"name": name, "kind": "threshold", "tag": f"doubtful.{name}", "max": LIMIT, "level": "high"} for name in names
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rows(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rows]:
    folder = tmp_path_factory.mktemp("opcua-values")
    tags = {"missing": NAMES, "shifted": NAMES, "picky": MANY[:50], "doubtful": tuple(DOUBTS), "flooded": MANY}
    held = {device: {name: fresh() for name in names} for device, names in tags.items()}
    of_asyncua = tags.keys() - {"shifted"}
    specs = {device: ServerSpec({name: Value(each) for name, each in held[device].items()}) for device in of_asyncua}
    specs["picky"].enforced_limit = 10
    devices: dict[str, dict[str, Any]] = {}
    async with AsyncExitStack() as stack:
        servers = await started(stack, folder, specs, {"shifted": holding(held["shifted"])})
        for device, names in tags.items():
            devices[device] = configured(servers[device].url, names)
        for tag in devices["flooded"]["tags"].values():
            tag["sampling"] = "0s"
        safety = {"period": "100ms", "constraints": limits(tuple(DOUBTS))}
        site = await stack.enter_async_context(matrix_site(folder, devices, safety=safety))
        yield Rows(site, {device: Row(site, device, servers[device], held[device]) for device in tags})


async def test_o5_a_node_that_is_gone_after_a_restart_is_bad_and_costs_the_others_nothing(rows: Rows) -> None:
    row = rows.rows["missing"]
    assert isinstance(row.server, OpcUaServer)
    await row.begins()
    row.server.kill()
    gone = row.server.spec.nodes.pop("second")
    await row.is_lost(SEEN)
    await asyncio.to_thread(row.server.start)
    client = rows.site.client
    await client.shows("tag/missing/second", MARGIN * NOTICED, value=None, quality="bad", reason="node_unknown")
    await client.shows("tag/missing/reading", MARGIN * NOTICED, quality="good")
    await row.changes("reading")
    await client.shows("tag/missing/reading", SEEN, value=row.holds["reading"], quality="good")
    metrics = await rows.site.daemon.metrics()
    assert metrics.value("plantgate_tags", device="missing", quality="bad") == 1
    row.server.kill()
    row.server.spec.nodes["second"] = gone
    await asyncio.to_thread(row.server.start)
    row.holds["reading"] = row.server.spec.nodes["reading"].value
    await row.is_back()


async def test_o6_a_node_is_found_by_its_namespace_though_another_took_its_index(rows: Rows) -> None:
    row = rows.rows["shifted"]
    assert isinstance(row.server, NodeOpcUa)
    await row.begins()
    row.server.kill()
    values = {name: fresh() for name in row.holds}
    row.holds.update(values)
    row.said.update(values.values())
    impostors = {name: {"type": "Double", "value": LIE} for name in NAMES}
    nodes = {name: {"type": "Double", "value": value} for name, value in values.items()}
    row.server.becomes(before={"urn:impostor": impostors}, nodes=nodes)
    await row.is_lost(SEEN)
    await row.server.start()
    await row.is_back()


async def test_o7_a_server_that_takes_few_operations_of_one_call_is_asked_in_portions(rows: Rows) -> None:
    row = rows.rows["picky"]
    assert isinstance(row.server, OpcUaServer)
    await row.begins()
    await row.is_back()
    sizes = [size for service, size in row.server.do("calls") if service == "create_monitored_items"]
    assert sum(size for size in sizes if size <= 10) >= len(row.holds)
    row.server.spec.enforced_limit = 7  # and fewer still, the next time
    row.server.kill()
    await row.is_lost(SEEN)
    await asyncio.to_thread(row.server.start)
    await row.is_back()
    metrics = await rows.site.daemon.metrics()
    assert metrics.value("plantgate_tags", device="picky", quality="good") == len(row.holds)


async def test_o9_what_deserves_doubt_is_doubted_and_judged_unknown_until_it_is_over(rows: Rows) -> None:
    row, client = rows.rows["doubtful"], rows.site.client
    assert isinstance(row.server, OpcUaServer)
    await row.begins()
    for name in DOUBTS:
        await client.shows(f"constraint/{name}", SEEN, verdict="ok")
    for name, (value, _, _) in DOUBTS.items():
        row.server.do("force", name=name, value=value)
    for name, (value, quality, reasons) in DOUBTS.items():
        await client.shows(f"tag/doubtful/{name}", SEEN, quality=quality)
        assert client.newest[f"tag/doubtful/{name}"]["reason"] in reasons
        await client.shows(f"constraint/{name}", SEEN, verdict="unknown")
        row.said |= {value.value} if quality == "uncertain" else set()
    metrics = await rows.site.daemon.metrics()
    for quality in ("uncertain", "bad"):
        count = sum(quality == each for _, each, _ in DOUBTS.values())
        assert metrics.value("plantgate_tags", device="doubtful", quality=quality) == count
    for name in DOUBTS:
        row.holds[name] = number = fresh()
        row.said.add(number)
        row.server.do("force", name=name, value=Value(number))
    await row.is_back()
    for name in DOUBTS:
        await client.shows(f"constraint/{name}", SEEN, verdict="ok")


async def test_o10_a_flood_ends_with_the_newest_of_every_tag_and_holds_nothing_up(rows: Rows) -> None:
    row, client = rows.rows["flooded"], rows.site.client
    server = row.server
    assert isinstance(server, OpcUaServer)
    await row.begins()

    def flood() -> None:
        for turn in range(1, ROUNDS + 1):
            server.do("write_many", count=len(MANY), start=float(turn * 10_000))

    flooding = asyncio.create_task(asyncio.to_thread(flood))
    while not flooding.done():
        assert (await rows.site.daemon.get("/healthz"))[0] == 200
        await asyncio.sleep(0.1)
    await flooding
    row.said |= {float(turn * 10_000 + number) for turn in range(1, ROUNDS + 1) for number in range(len(MANY))}
    row.holds = {name: float(ROUNDS * 10_000 + number) for number, name in enumerate(MANY)}
    await row.is_back()
    for name in MANY:
        values = [seen.payload["value"] for seen in client.of(f"tag/flooded/{name}") if seen.payload["value"]]
        assert all(before < after for before, after in pairwise(values)), f"{name}: {values}"
    assert (await rows.site.daemon.metrics()).value("plantgate_outbox_dropped_total") == 0
