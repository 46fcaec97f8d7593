"""The whole site over HTTP: promtool finds nothing to say, and a scrape never holds up the event loop."""

import asyncio
import json
import statistics
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from drivers.values import Quality
from gateway.clock import SystemClock
from gateway.counters import Counters, DeviceCounters
from gateway.observability.http import HttpServer
from gateway.observability.settings import HttpSettings
from gateway.observability.site import build_pages
from gateway.safety.verdict import SafetyLevel, Verdict
from tests.servers import library_path, program

pytestmark = pytest.mark.real


@dataclass(frozen=True, slots=True)
class Shown:
    name: str = "max_steam_temperature"
    level: SafetyLevel = SafetyLevel.CRITICAL
    verdict: Verdict = Verdict.OK
    value: float | None = 451.2
    min: float | None = None
    max: float | None = 580.0
    safe_state: str = "confirmed"
    bypassed_until: float | None = None


@dataclass
class Site:
    counters: Counters = field(default_factory=lambda: Counters(devices={"boiler": DeviceCounters()}))
    constraints: list[Shown] = field(default_factory=lambda: [Shown()])
    faults: dict[str, str] = field(default_factory=dict)
    further: dict[str, bool] = field(default_factory=dict)

    def serve(self) -> HttpServer:
        tags = {name: {Quality.GOOD: 7} for name in self.counters.devices}
        pages = build_pages(
            "0.1.0",
            0.1,
            self.counters,
            SystemClock(),
            lambda: tags,
            lambda: self.constraints,
            lambda: self.faults,
            breakers=lambda: {"boiler": "open"},
            further=lambda: self.further,
        )
        return HttpServer(HttpSettings(listen="127.0.0.1:0"), pages)


@pytest.fixture
def site() -> Iterator[tuple[Site, Callable[[str], tuple[int, str]]]]:
    site = Site()
    with site.serve() as server:
        yield site, lambda path: get(server, path)


def get(server: HttpServer, path: str) -> tuple[int, str]:
    host, port = server.address
    try:
        with urllib.request.urlopen(f"http://{host}:{port}{path}", timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_promtool_finds_nothing_to_say_about_the_metrics(site: tuple[Site, Callable[[str], tuple[int, str]]]) -> None:
    gateway, ask = site
    gateway.counters.devices["boiler"].errors["timeout"] += 1
    gateway.counters.devices["boiler"].scans.observe(0.02)
    gateway.counters.control.decisions["refused", "violation"] += 1
    gateway.counters.control.rate_limited["boiler"] += 1
    gateway.counters.control.trip_reaction.observe(0.02)
    status, text = ask("/metrics")
    assert status == 200
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"], input=text, env=library_path(), capture_output=True, text=True,
        timeout=30, check=False,
    )  # fmt: skip
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_promtool_would_have_something_to_say_about_a_bad_name() -> None:
    bad = "# TYPE plantgate_dropped counter\nplantgate_dropped 1\n"
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"], input=bad, env=library_path(), capture_output=True, text=True,
        timeout=30, check=False,
    )  # fmt: skip
    assert checked.returncode != 0


def test_metrics_of_the_process_come_along(site: tuple[Site, Callable[[str], tuple[int, str]]]) -> None:
    _, text = site[1]("/metrics")
    assert "\nprocess_resident_memory_bytes " in text
    assert "\nprocess_cpu_seconds_total " in text


def test_alive_follows_the_safety_evaluation(site: tuple[Site, Callable[[str], tuple[int, str]]]) -> None:
    gateway, ask = site
    assert ask("/healthz") == (503, "late: no safety evaluation has run yet\n")
    gateway.counters.guard.last = time.monotonic() + 60  # an evaluation that will not be late while this test runs
    assert ask("/healthz") == (200, "ok\n")
    gateway.counters.guard.last = time.monotonic() - 1
    assert ask("/healthz")[0] == 503


def test_ready_names_what_is_missing(site: tuple[Site, Callable[[str], tuple[int, str]]]) -> None:
    gateway, ask = site
    gateway.counters.guard.last = time.monotonic()
    gateway.counters.mqtt.connected = True
    gateway.faults["device.boiler"] = "refused"
    status, text = ask("/readyz")
    assert status == 503
    down = {name: part for name, part in json.loads(text)["parts"].items() if not part["ready"]}
    assert down == {"device.boiler": {"ready": False, "reason": "refused"}}
    gateway.counters.devices["boiler"].connected = True
    gateway.faults.clear()
    assert ask("/readyz")[0] == 200
    gateway.further = {"journal": True, "inbox": False}
    status, text = ask("/readyz")
    assert status == 503
    assert json.loads(text)["parts"]["inbox"] == {"ready": False, "reason": "not subscribed to the command topics"}


async def test_a_scrape_of_a_large_plant_does_not_hold_up_the_loop() -> None:
    site = Site(
        Counters(devices={f"device_{number}": DeviceCounters(connected=True) for number in range(100)}),
        [Shown(f"constraint_{number}") for number in range(100)],
    )
    late: list[float] = []
    with site.serve() as server:
        scraping = threading.Thread(target=lambda: [get(server, "/metrics") for _ in range(10)])
        scraping.start()
        while scraping.is_alive():
            due = time.monotonic() + 0.002
            await asyncio.sleep(0.002)
            late.append(time.monotonic() - due)
        scraping.join()
    assert len(late) > 20
    assert statistics.median(late) < 0.05
