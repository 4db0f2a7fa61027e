"""`python -m gateway.envoy`: writes Envoy's configuration."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway.envoy import bootstrap
from gateway.envoy.contract import ContractError
from gateway.envoy.settings import EdgeSettings, SettingsError, from_file, from_mapping

EXAMPLE = """example:
  python -m gateway.envoy --descriptors build/descriptors.binpb --out envoy.yaml --port 8080 \\
    --admin-socket run/envoy.sock --service session=127.0.0.1:7001 ... --operations session=127.0.0.1:8001 ... \\
    --realtime 127.0.0.1:7010 --web 127.0.0.1:7011 --s3 127.0.0.1:7012
  python -m gateway.envoy --settings edge.yaml --out envoy.yaml"""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 written, 2 the settings or the contracts are wrong."""
    given = _parser().parse_args(arguments)
    try:
        bootstrap.write(_settings(given))
    except (SettingsError, ContractError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _settings(given: argparse.Namespace) -> EdgeSettings:
    values = {name: value for name, value in vars(given).items() if value not in (None, [])}
    settings_file = values.pop("settings", None)
    for name in ("services", "operations"):
        if name in values:
            values[name] = _rooms(values[name])
    return from_file(settings_file, **values) if settings_file else from_mapping(values)


def _rooms(pairs: Sequence[str]) -> dict[str, list[str]]:
    rooms: dict[str, list[str]] = {}
    for pair in pairs:
        room, separator, address = pair.partition("=")
        if not separator:
            raise SettingsError(f"{pair!r}: expected room=host:port")
        rooms.setdefault(room, []).append(address)
    return rooms


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m gateway.envoy",
        description=__doc__,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--settings", type=Path, metavar="FILE", help="YAML file with any of these, and with limits, tls, metrics")
    add("--descriptors", type=Path, metavar="FILE", help="descriptor set that protos/build.py made")
    add("--out", type=Path, metavar="FILE", help=".json or .yaml")
    add("--port", type=int)
    add("--host", help="127.0.0.1 unless given")
    add("--admin-socket", type=Path, metavar="PATH", help="Unix socket of Envoy's admin interface")
    add("--service", dest="services", action="append", metavar="ROOM=HOST:PORT", help="gRPC listener, repeatable")
    add("--operations", action="append", metavar="ROOM=HOST:PORT", help="HTTP listener of session and channels")
    add("--realtime", metavar="HOST:PORT", help="WebSocket bridge")
    add("--web", metavar="HOST:PORT", help="pages; takes every path nothing else takes")
    add("--s3", metavar="HOST:PORT", help="object store")
    add("--s3-bucket", metavar="NAME", help="parley-files unless given")
    add("--allowed-origin", dest="allowed_origins", action="append", metavar="ORIGIN", help="for CORS, repeatable")
    add("--metrics", metavar="HOST:PORT", help="serve /metrics there")
    add("--access-log", metavar="PATH", help="/dev/stdout unless given; empty for none")
    return parser


if __name__ == "__main__":
    sys.exit(main())
