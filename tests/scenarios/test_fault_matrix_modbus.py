"""The Modbus rows of the fault matrix, M1 to M7, all in one gateway: what a fault costs, and that nothing is published
which the device did not say."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.integration.fake_plc import (
    Behaviour,
    altered,
    exception,
    garbage,
    half_a_header,
    in_pieces,
    miscounted,
    misnumbered,
    oversized,
    silent,
    truncated,
    twice,
    wrong_protocol,
)
from tests.scenarios.deadlines import BACK, LOST, SCAN, SLACK, START, TIMEOUT
from tests.scenarios.matrix_site import Stopwatch, matrix_site
from tests.scenarios.modbus_rows import Rows, busy_every_other_time
from tests.scenarios.small_plant import meter as configured
from tests.scenarios.truthful_meter import LIE, Meter, after, listening

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="module")]

BROKEN_STREAMS: dict[str, Behaviour] = {
    "garbage": garbage,
    "protocol-id": wrong_protocol,
    "oversized": oversized,
    "truncated": truncated,
    "half-a-header": half_a_header,
}
WRONG_REPLIES: dict[str, Behaviour] = {
    "transaction-ahead": misnumbered(lambda transaction: transaction + 1),
    "unit": altered(unit=lambda unit: unit + 1),
    "byte-count": miscounted(by=2),
    "function-unknown": altered(function=lambda _: 0x63),
}
TAKEN_FOR_GOOD_BY_LIBRARIES: dict[str, Behaviour] = {
    "transaction-0": misnumbered(lambda _: 0),
    "function-4-for-3": altered(function=lambda _: 4),
    "too-few": altered(size=lambda size: size - 1),
    "too-many": altered(size=lambda size: size + 1),
}
EXCEPTIONS = {f"exception-{code}": code for code in (1, 2, 3, 4, 5, 6, 11, 99)}
RIGHT_REPLIES: dict[str, Behaviour] = {"in-pieces": in_pieces, "twice": twice}
PATIENT = {"timeout": "8s", "max_age": "500ms"}
"""Keys of a device that may take longer to answer than its values are believed."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rows(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rows]:
    names = [
        *("refused", "half-open", "silent", "slow", "patient", "busy"),
        *BROKEN_STREAMS,
        *WRONG_REPLIES,
        *TAKEN_FOR_GOOD_BY_LIBRARIES,
        *EXCEPTIONS,
        *RIGHT_REPLIES,
    ]
    meters = {name: Meter(name) for name in names}
    devices = {name: configured(each.plc.url) for name, each in meters.items()}
    devices["patient"] |= PATIENT
    folder: Path = tmp_path_factory.mktemp("modbus-rows")
    async with listening(*meters.values()), matrix_site(folder, devices) as site:
        yield Rows(site, meters)


async def test_m1_a_device_that_refuses_is_bad_and_comes_back_with_what_it_says_then(rows: Rows) -> None:
    meter, watch = rows.meters["refused"], Stopwatch("refused")
    await rows.site.client.all_good(meter.name, 2, START)
    await meter.refuse()
    await rows.site.client.all_bad(meter.name, 2, LOST)
    watch.lap("bad")
    await rows.site.client.all_bad(meter.name, 2, LOST, "refused")
    await rows.site.shows_loss(meter.name, 2)
    meter.says_something_new()
    watch.restart()
    await meter.listen()
    await rows.shows_the_truth(meter, BACK)
    watch.lap("good")
    assert (await rows.site.daemon.metrics()).value("plantgate_device_reconnects_total", device=meter.name) >= 1
    rows.site.believed_only(meter.name, meter.said)


async def test_m2_a_half_open_connection_is_found_out_by_its_requests_and_made_anew(rows: Rows) -> None:
    meter, watch = rows.meters["half-open"], Stopwatch("half-open")
    await rows.site.client.all_good(meter.name, 2, START)
    watch.restart()
    meter.drop_packets()
    await rows.is_lost_and_found(meter, "timeout", watch)


async def test_m2_a_device_that_takes_requests_and_says_nothing_is_missed_in_time(rows: Rows) -> None:
    await rows.suffers("silent", silent, "timeout")


async def test_m3_an_answer_after_the_timeout_is_never_believed(rows: Rows) -> None:
    await rows.suffers("slow", after(1.5 * TIMEOUT), "timeout")


async def test_m3_a_value_is_stale_when_it_is_too_old_though_its_request_may_yet_be_answered(rows: Rows) -> None:
    meter, watch = rows.meters["patient"], Stopwatch("patient")
    await rows.site.client.all_good(meter.name, 2, START)
    watch.restart()
    meter.breaks(after(3.0))
    # Its answers are too old when they come, so what they bring is not worth a word.
    await rows.site.client.all_bad(meter.name, 2, SLACK * (0.5 + 0.1), "stale")
    watch.lap("bad (stale)")
    meter.says_something_new()
    meter.recovers()
    await rows.shows_the_truth(meter, 3.0 + BACK)
    rows.site.believed_only(meter.name, meter.said)


async def test_m4_a_stream_that_makes_no_sense_costs_the_connection_and_no_more(rows: Rows) -> None:
    await asyncio.gather(*(rows.suffers(name, how, "bad_reply") for name, how in BROKEN_STREAMS.items()))


async def test_m4_a_reply_to_somebody_else_or_of_no_sense_is_bad(rows: Rows) -> None:
    await asyncio.gather(*(rows.suffers(name, how, "bad_reply") for name, how in WRONG_REPLIES.items()))


async def test_m5_a_reply_that_libraries_take_for_good_is_held_against_its_request(rows: Rows) -> None:
    await asyncio.gather(*(rows.suffers(name, how, "bad_reply") for name, how in TAKEN_FOR_GOOD_BY_LIBRARIES.items()))


async def test_m6_each_exception_is_named_as_the_reason(rows: Rows) -> None:
    await asyncio.gather(
        *(rows.suffers(name, exception(code), f"exception_{code}") for name, code in EXCEPTIONS.items())
    )


async def test_m6_a_device_that_is_busy_for_once_is_asked_again_and_costs_nothing(rows: Rows) -> None:
    await rows.is_not_harmed("busy", busy_every_other_time())
    assert await rows.site.discards("busy", "busy") >= 1


async def test_m7_a_reply_that_comes_twice_or_byte_by_byte_is_taken_once_and_costs_nothing(rows: Rows) -> None:
    await asyncio.gather(*(rows.is_not_harmed(name, how) for name, how in RIGHT_REPLIES.items()))
    assert await rows.site.discards("twice", "stray") >= 1


async def test_no_row_cost_another_device_anything(rows: Rows) -> None:
    assert LIE not in [seen.payload["value"] for seen in rows.site.client.seen if seen.topic.startswith("tag/")]
    await asyncio.gather(*(rows.site.client.all_good(name, 2, BACK) for name in rows.meters))
    await rows.site.client.shows("status", BACK + SCAN, state="online")
    assert rows.site.daemon.exit_code is None
