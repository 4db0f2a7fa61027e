"""test and lint."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

from cli.checks import houses, keyword_pages, sizes
from cli.commands import rehearsing
from cli.commands.options import own_data_option
from cli.failure import Failure
from cli.stack.layout import ROOT

CATEGORIES = ("unit", "contract", "integration", "mesh", "browser", "chaos")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
MARIADB = ("mariadbd", "/usr/sbin/mariadbd")
SOURCES = ("services", "gateway", "cli", "protos", "bench", "tests")
LANGUAGES = {"node": "the Node client", "go": "the Go client", "java": "the Java client"}


def call(title: str, command: list[str]) -> bool:
    """Run one check and say how it went."""
    click.echo(f"== {title}", err=True)
    done = subprocess.run(command, cwd=ROOT, check=False)  # noqa: S603 - our own tools
    return done.returncode == 0


def tool(name: str) -> str:
    """A tool beside this python."""
    return str(Path(sys.executable).parent / name)


@click.command()
@own_data_option
def lint(*, data: Path | None) -> None:
    """Check everything that can be checked without running it.

    Example:  ./parley lint
    """
    present = [name for name in SOURCES if (ROOT / name).exists()]
    image = str(ROOT / "build" / "descriptors.binpb")
    typed = [name for name in ("services", "gateway", "cli", "bench") if (ROOT / name).exists()]
    results = {
        "ruff": call("ruff check", [tool("ruff"), "check", *present]),
        "format": call("ruff format", [tool("ruff"), "format", "--check", *present]),
        "mypy": call("mypy --strict", [tool("mypy"), *typed]),
        "buf lint": call("buf lint", [tool("buf"), "lint", image]),
        "buf breaking": call(
            "buf breaking", [tool("buf"), "breaking", image, "--against", str(ROOT / "protos" / "baseline.binpb")]
        ),
        "houses": report("imports between services", houses.problems(ROOT)),
        "sizes": report("sizes of functions and files", sizes.problems(ROOT)),
        "keywords": report("pages made from the registry of keywords", keyword_pages.problems(ROOT)),
    }
    failed = [name for name, good in results.items() if not good]
    if failed:
        raise Failure(f"lint: {', '.join(failed)}")
    click.echo("lint: all good", err=True)


def report(title: str, problems: list[str]) -> bool:
    """Print what a check found."""
    click.echo(f"== {title}", err=True)
    for line in problems:
        click.echo(f"  {line}", err=True)
    return not problems


def provided(programs: tuple[str, ...], package: str, why: str) -> str:
    """Where one of these programs is on this machine, installed from Debian's package where it can be; else empty."""
    found = next(filter(None, map(shutil.which, programs)), "")
    if found or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return found
    click.echo(f"installing {package} for {why}", err=True)
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", package]):
        subprocess.run(  # noqa: S603
            ["apt-get", *arguments],  # noqa: S607
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=900,
        )
    return next(filter(None, map(shutil.which, programs)), "")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[BOT]... | [CATEGORY] [PYTEST ARGUMENTS]...")
@own_data_option
def test(arguments: tuple[str, ...], *, data: Path | None) -> None:
    """Play the golden conversations of bots, or run the tests of Parley: all of them, or one category.

    A bot is a package, a folder of packages, a file of conversations, or the name of a package in bots/. Categories:
    unit, contract, integration, mesh, browser, chaos; what a machine lacks is skipped by name.

    Example:  ./parley test bots/hello.gbai    ./parley test unit -k ledger
    """
    bots = rehearsing.bots_of(arguments)
    if bots:
        rehearsing.rehearse(bots)
        return
    chosen = arguments[:1] if arguments and arguments[0] in CATEGORIES else ()
    arguments = arguments[len(chosen) :]
    if arguments and not arguments[0].startswith(("-", "tests")):
        raise click.UsageError(f"expected one of {', '.join(CATEGORIES)}, or arguments of pytest, got {arguments[0]!r}")
    wanted = list(chosen or CATEGORIES)
    skipped = []
    browser = provided(CHROMIUM, "chromium", "the browser tests") if "browser" in wanted else ""
    if "integration" in wanted and not arguments and not provided(MARIADB, "mariadb-server-core", "external databases"):
        skipped.append("tests of MariaDB: no mariadbd on this machine, and it could not be installed")
    if "browser" in wanted and not browser:
        wanted.remove("browser")
        skipped.append("browser tests: no Chromium on this machine, and it could not be installed")
    environment = {**os.environ, "PARLEY_CHROMIUM": browser}
    marks = " or ".join(wanted) or "none_of_them"
    folder = [f"--basetemp={data.resolve() / 'tests'}"] if data else []
    command = [sys.executable, "-m", "pytest", "-q", "-m", marks, *folder, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)  # noqa: S603 - our own tests
    for line in skipped:
        click.echo(f"skipped: {line}")
    if done.returncode:
        sys.exit(done.returncode)


COMMANDS = (test, lint)
