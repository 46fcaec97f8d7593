"""The options of every command that talks over MQTT: which broker, and who we are to it."""

import argparse
from pathlib import Path

from drivers.values import Secret
from gateway.errors import SettingsError
from gateway.northbound.settings import MqttSettings, TlsSettings

_DEFAULT = MqttSettings()


def add_broker_options(command: argparse.ArgumentParser) -> None:
    """Add them. No option takes a password: other users of the machine could read it there."""
    command.add_argument(
        "--mqtt", default=_DEFAULT.url, metavar="URL", help="the broker, %(default)s; mqtts:// for TLS"
    )
    command.add_argument("--gateway", metavar="ID", help="the gateway; the only one with a status where absent")
    command.add_argument("--root", default=_DEFAULT.root, help="first level of the topics, %(default)s")
    command.add_argument("--username", metavar="NAME", help="the user at the broker")
    command.add_argument("--password-file", type=Path, metavar="FILE", help="holds the user's password, as one line")
    command.add_argument("--ca", type=Path, metavar="FILE", help="who signed the broker's certificate (PEM)")
    command.add_argument("--certificate", type=Path, metavar="FILE", help="ours, for a broker that asks for one (PEM)")
    command.add_argument("--private-key", type=Path, metavar="FILE", help="of that certificate (PEM)")


def broker_settings(arguments: argparse.Namespace) -> MqttSettings:
    """Return what the options say. Raises SettingsError."""
    password = _password(arguments.password_file)
    try:
        return MqttSettings(
            url=arguments.mqtt,
            username=arguments.username,
            password=password,
            root=arguments.root,
            tls=TlsSettings(arguments.ca, arguments.certificate, arguments.private_key),
        )
    except ValueError as problem:
        raise SettingsError(f"--mqtt and the options beside it: {problem}") from problem


def _password(file: Path | None) -> Secret | None:
    if file is None:
        return None
    try:
        return Secret(file.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r"))
    except (OSError, ValueError) as problem:
        raise SettingsError(
            f"--password-file: {file} cannot be read: {getattr(problem, 'strerror', problem)}"
        ) from None
