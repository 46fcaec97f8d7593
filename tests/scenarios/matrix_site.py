"""Where the fault matrix is gone through: a gateway, a broker, a client, and many devices that break one by one."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from tests.scenarios.gateway_process import GatewayProcess, gateway
from tests.scenarios.mqtt_client import MqttClient, mqtt_client
from tests.scenarios.small_plant import GATEWAY, configuration
from tests.servers import mosquitto

NOTICED = 5.0
"""Seconds within which a silent loss has to be known, and within which good data have to be back."""
MARGIN = 3.0
"""A busy machine may take so many times as long."""


class MatrixSite(NamedTuple):
    """What a row of the matrix needs."""

    daemon: GatewayProcess
    client: MqttClient

    async def counts(self, device: str, kind: str) -> float:
        """Return how many errors of a kind the metrics count for a device; 0 where there were none."""
        return (await self.daemon.metrics()).total("plantgate_device_errors_total", device=device, kind=kind)

    async def discards(self, device: str, kind: str) -> float:
        """Return how much of a kind the driver threw away without harm."""
        return (await self.daemon.metrics()).total("plantgate_device_discarded_total", device=device, kind=kind)

    async def shows_loss(self, device: str, tags: int) -> None:
        """See the loss of a device with so many tags in the metrics, at /readyz and in its birth message."""

        async def true() -> bool:
            metrics = await self.daemon.metrics()
            return (
                metrics.value("plantgate_device_connected", device=device) == 0
                and metrics.value("plantgate_tags", device=device, quality="bad") == tags
                and f"device.{device}" in await self.daemon.not_ready()
            )

        await self.daemon.until(f"the loss of {device} in the metrics", true, MARGIN * NOTICED)
        await self.client.shows(f"device/{device}", MARGIN * NOTICED, state="disconnected")

    def believed_only(self, device: str, said: Iterable[Any], since: float = 0.0) -> None:
        """Check that every value ever published of a device is one that it said."""
        true = [*said]
        of_it = [seen for seen in self.client.seen if seen.topic.startswith(f"tag/{device}/") and seen.at >= since]
        assert of_it, f"nothing was published of {device}"
        for seen in of_it:
            value, quality = seen.payload["value"], seen.payload["quality"]
            assert value is None if quality == "bad" else value in true, f"{seen.topic} {seen.payload}; said: {true}"


@asynccontextmanager
async def matrix_site(folder: Path, devices: dict[str, Any], **sections: Any) -> AsyncIterator[MatrixSite]:
    """Run a gateway with these devices; at the end it has to stop well, and to have logged no crash."""
    async with (
        mosquitto(folder) as broker,
        gateway(folder, {**configuration(broker.url, devices), **sections}) as daemon,
        mqtt_client(broker.port, GATEWAY) as client,
    ):
        yield MatrixSite(daemon, client)
        assert "session_crashed" not in daemon.log, daemon.log


class Stopwatch:
    """Tells how long a row took to be noticed and to be over; shown by `pytest -rP`."""

    def __init__(self, row: str) -> None:
        self._row = row
        self._since = monotonic()

    def restart(self) -> None:
        self._since = monotonic()

    def lap(self, what: str) -> None:
        """Print the seconds since the last lap."""
        now = monotonic()
        print(f"{self._row}: {what} after {now - self._since:.2f} s")  # noqa: T201  (for whoever measures)
        self._since = now
