"""A constraint on live values, from the plant to the one who watches."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.scenarios.boiler_house import BoilerHouse
from tests.scenarios.deadlines import BACK, LOST, SEEN
from tests.scenarios.mqtt_client import retained
from tests.scenarios.running import Site, running

pytestmark = pytest.mark.real

LIMIT, BACK_AT = 580.0, 575.0
NAME = "max_steam_temperature"
TOPIC = f"constraint/{NAME}"
TRIPPED = {"trip", "safe_state"}
"""Logged as errors: it trips, and this gateway may write nothing."""
SENSOR = "boiler.steam_temperature"
OVERFIRED = 30.0
"""Seconds that the plant may take over the limit or back: 2 are to be expected."""


async def test_steam_over_its_limit_is_violated_for_everyone_who_looks_until_it_is_back(
    plant: BoilerHouse, tmp_path: Path
) -> None:
    async with running(plant, tmp_path) as site, swinging(plant):
        site.daemon.may_log |= TRIPPED
        assert await state(site, "ok") == 1
        await plant.boiler.ask(set={"boiler.overfire": True})
        await site.client.shows(TOPIC, OVERFIRED, verdict="violated", level="critical")
        assert site.client.newest[TOPIC]["value"] > LIMIT
        kept = await retained(site.broker.port, {TOPIC}, SEEN)
        assert kept[TOPIC]["verdict"] == "violated"
        assert kept[TOPIC]["max"] == LIMIT
        assert await state(site, "violated") == 1
        assert await state(site, "ok") == 0
        assert await violations(site) == 1
        await plant.boiler.ask(set={"boiler.overfire": False})
        await site.client.shows(TOPIC, OVERFIRED, verdict="ok")
        assert site.client.newest[TOPIC]["value"] <= BACK_AT
        assert await state(site, "ok") == 1
        assert await violations(site) == 1


async def test_a_violation_is_seen_within_a_scan_and_ends_only_past_the_hysteresis(
    plant: BoilerHouse, tmp_path: Path
) -> None:
    async with running(plant, tmp_path) as site:
        site.daemon.may_log |= TRIPPED
        await shift(site, to=LIMIT + 5)
        await site.client.shows(TOPIC, SEEN, verdict="violated")
        await shift(site, to=LIMIT - 2.5)
        await site.client.until(
            "a verdict on a value between the limit and the hysteresis",
            lambda: BACK_AT < (site.client.newest[TOPIC]["value"] or 0.0) < LIMIT,
            SEEN + BACK,
        )
        assert site.client.is_so(TOPIC, verdict="violated")
        assert await state(site, "violated") == 1
        await shift(site, to=BACK_AT - 5)
        await site.client.shows(TOPIC, SEEN, verdict="ok")
        assert await violations(site) == 1


async def test_a_sensor_that_fails_makes_the_verdict_unknown_and_is_no_violation(
    plant: BoilerHouse, tmp_path: Path
) -> None:
    async with running(plant, tmp_path) as site:
        for fault, reason in (("nan", "nan"), ("bad", "exception_4")):
            await plant.boiler.ask(fault={SENSOR: fault})
            await site.client.shows(TOPIC, SEEN, verdict="unknown", reason=reason, value=None)
            await site.client.shows("tag/boiler/steam_temperature", SEEN, quality="bad", reason=reason)
            assert await state(site, "unknown") == 1
            await plant.boiler.ask(clear=[SENSOR])
            await site.client.shows(TOPIC, SEEN, verdict="ok", reason="")
        plant.boiler.kill()
        await site.client.shows(TOPIC, LOST, verdict="unknown")
        assert site.client.newest[TOPIC]["reason"] in {"disconnected", "refused"}
        assert await violations(site) == 0


@asynccontextmanager
async def swinging(plant: BoilerHouse) -> AsyncIterator[None]:
    """Leave no boiler behind that has still to come to rest."""
    try:
        yield
    finally:
        plant.boiler.kill()


async def shift(site: Site, to: float) -> None:
    """Let the sensor show about this value, whatever the steam is."""
    await site.plant.boiler.ask(clear=[SENSOR])
    signals = (await site.plant.boiler.ask(query="all"))["signals"]
    await site.plant.boiler.ask(fault={SENSOR: {"offset": to - signals[SENSOR]}})


async def state(site: Site, verdict: str) -> float:
    metrics = await site.daemon.metrics()
    return metrics.value("plantgate_safety_constraint_state", constraint=NAME, level="critical", state=verdict)


async def violations(site: Site) -> float:
    metrics = await site.daemon.metrics()
    return metrics.value("plantgate_safety_violations_total", constraint=NAME)
