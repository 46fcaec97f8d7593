"""TLS towards a real broker: who is trusted, who is not, and what is said about it."""

import asyncio
from pathlib import Path

import pytest

from drivers.values import Seconds
from gateway.errors import SettingsError
from gateway.northbound.reader import LinkDown, subscribed
from gateway.northbound.settings import MqttSettings, TlsSettings
from tests.integration.mqtt_broker import fake_broker
from tests.integration.mqtt_certificates import Authority
from tests.integration.mqtt_gateway import Gateway, until, watching
from tests.servers import Mosquitto, mosquitto

pytestmark = pytest.mark.real


def tls_lines(authority: Authority, *more: str, address: str = "127.0.0.1") -> list[str]:
    server = authority.sign("server", address)
    files = [f"certfile {server.certificate}", f"keyfile {server.private_key}"]
    return ["user root", *files, *more]


def settings_for(broker: Mosquitto, tls: TlsSettings, root: str = "agent") -> MqttSettings:
    url = f"mqtts://127.0.0.1:{broker.port}"
    return MqttSettings(url=url, tls=tls, root=root, reconnect_max=Seconds(1))


async def test_a_gateway_with_a_client_certificate_publishes_over_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    ours = authority.sign("gateway")
    tls = TlsSettings(authority.files.certificate, ours.certificate, ours.private_key)
    lines = tls_lines(authority, f"cafile {authority.files.certificate}", "require_certificate true")
    async with mosquitto(tmp_path, *lines, "max_inflight_messages 1000") as broker:
        settings = settings_for(broker, tls)
        async with watching(settings) as watcher, Gateway(settings, tags=2000) as gateway:
            gateway.take(*range(2000))
            await gateway.connected()
            await until(lambda: watcher.state() == "online")
            assert watcher.value("t1999") == 1999
        await until(lambda: watcher.state() == "offline")


async def test_a_broker_signed_by_a_stranger_is_refused_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    authority, stranger = Authority(tmp_path, "authority"), Authority(tmp_path, "stranger")
    async with mosquitto(tmp_path, *tls_lines(authority)) as broker:
        settings = settings_for(broker, TlsSettings(stranger.files.certificate))
        async with Gateway(settings):
            await until(lambda: bool(caplog.records))
        with pytest.raises(LinkDown, match=r"certificate is not trusted: .*; check mqtt\.tls\.ca"):
            async with subscribed(settings, ["#"]):
                pass
    [record] = caplog.records
    why = record.__dict__["why"]
    assert "the broker's certificate is not trusted" in why
    assert "\n" not in why


async def test_a_certificate_for_another_address_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    async with mosquitto(tmp_path, *tls_lines(authority, address="192.0.2.1")) as broker:
        with pytest.raises(LinkDown, match=r"not valid for '127\.0\.0\.1'"):
            async with subscribed(settings_for(broker, TlsSettings(authority.files.certificate)), ["#"]):
                pass


async def test_a_client_without_a_certificate_is_told_what_the_broker_says(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    lines = tls_lines(authority, f"cafile {authority.files.certificate}", "require_certificate true")
    async with mosquitto(tmp_path, *lines) as broker:
        with pytest.raises(LinkDown, match=r"TLS failed: .*CERTIFICATE_REQUIRED.*mqtt\.tls"):
            async with subscribed(settings_for(broker, TlsSettings(authority.files.certificate)), ["#"]):
                pass


async def test_a_broker_without_tls_is_told_apart(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    async with mosquitto(tmp_path) as broker:
        with pytest.raises(LinkDown, match=r"check that the broker speaks TLS|reset|closed"):
            async with subscribed(settings_for(broker, TlsSettings(authority.files.certificate)), ["#"]):
                pass


async def test_a_stop_does_not_wait_for_a_handshake_that_hangs() -> None:
    async with fake_broker() as broker:
        settings = MqttSettings(url=f"mqtts://127.0.0.1:{broker.port}")
        async with Gateway(settings):
            await until(lambda: broker.connections == 1)
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 1.0


async def test_a_file_that_cannot_be_read_is_named_at_the_start(tmp_path: Path) -> None:
    settings = MqttSettings(url="mqtts://127.0.0.1", tls=TlsSettings(ca=tmp_path / "absent.pem"))
    with pytest.raises(SettingsError, match=r"mqtt\.tls\.ca: cannot read .*absent\.pem: No such file"):
        Gateway(settings)
