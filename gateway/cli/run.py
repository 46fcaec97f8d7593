"""`plantgate run CONFIG`: the daemon."""

import argparse


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Register the command."""
    parser = commands.add_parser("run", help="run the gateway (what systemd starts)")
    parser.add_argument("config", metavar="CONFIG", help="the configuration file")
    parser.add_argument(
        "--state-dir",
        metavar="DIR",
        help="where trips, command ids and the audit log are kept (default: $STATE_DIRECTORY, which systemd sets, or"
        " ~/.local/state/plantgate/ID)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT; 0 after an ordered stop."""
    from gateway.app.service import run_service  # noqa: PLC0415  (the other commands need none of its libraries)

    return run_service(arguments.config, arguments.state_dir)
