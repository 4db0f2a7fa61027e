"""up, status, logs, down, reset."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import psutil
from rich.console import Console
from rich.table import Table

from cli.commands.options import data_option, running_state
from cli.commands.progress import Starting
from cli.deploy import deploy_all
from cli.failure import Failure
from cli.stack.layout import ROOT, Layout
from cli.stack.measuring import resident
from cli.stack.stack import Stack, checked_replicas

console = Console(highlight=False)
DETACH_SECONDS = 120.0
STOP_SECONDS = 30.0


@click.command()
@click.option("--detach", is_flag=True, help="Go on in the background.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535), help="Where people find it.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address the edge listens on.")
@data_option
@click.option("--replicas", multiple=True, metavar="SERVICE=N", help="Run N processes of a service; can be repeated.")
@click.option("--only", default="", hidden=True, help="Only these servers, comma-separated.")
def up(*, detach: bool, port: int, host: str, data: Path, replicas: tuple[str, ...], only: str) -> None:
    """Start everything and say where it is.

    Example:  ./parley up --detach --port 8090 --replicas engine=2
    """
    counts = dict(map(replica_count, replicas))
    checked_replicas(counts)
    if detach:
        start_detached(port, host, data, replicas)
        return
    names = tuple(filter(None, only.split(",")))
    view = Starting(console)
    stack = Stack(data, port=port, host=host, only=names, replicas=counts, progress=view.tell)
    asyncio.run(run_stack(stack, view))


def replica_count(text: str) -> tuple[str, int]:
    """SERVICE=N, parsed. BadParameter."""
    name, _, count = text.partition("=")
    if not count.isdigit():
        raise click.BadParameter(f"expected SERVICE=N, got {text!r}", param_hint="--replicas")
    return name, int(count)


async def run_stack(stack: Stack, view: Starting) -> None:
    """Start, tell, wait for a signal, stop."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, stopping.set)
    began = time.monotonic()
    starting = asyncio.create_task(begin(stack, view))
    waiting = asyncio.create_task(stopping.wait())
    try:
        with view:
            view.expect(stack.expected)
            await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            return
        starting.result()
        tell(stack, time.monotonic() - began)
        stack.mark_usable()  # last: `up --detach` shows what was told until now
        await waiting
        console.print("stopping")
    finally:
        await stack.stop()


async def begin(stack: Stack, view: Starting) -> None:
    """Everything up to the bots of this checkout."""
    await stack.start()
    if stack.serves:
        view.tell("bots", "starting")
        for name in await deploy_all(stack, ROOT / "bots"):
            console.print(f"  {name:<12} deployed")


def tell(stack: Stack, seconds: float) -> None:
    """Where to go."""
    console.print(f"\nReady after {seconds:.1f} s.")
    if not stack.serves:
        return
    console.print(f"  Talk to the bot:   [bold]{stack.public_url}/[/]")
    console.print(f"  API, readable:     {stack.public_url}/docs")
    if not stack.layout.password_shown.exists():
        console.print("  Administrator:     admin@parley.local")
        console.print(f"  One-time password: [bold]{stack.secrets['admin_password']}[/]  (shown this once)")
        stack.layout.password_shown.touch()
    console.print("Stop with Ctrl+C or ./parley down; nothing is lost.\n")


def start_detached(port: int, host: str, data: Path, replicas: tuple[str, ...]) -> None:
    """The same in a process of its own; returns when the stack can be used, or says why it cannot."""
    layout = Layout(data.resolve())
    if layout.read_state() is not None:
        raise Failure(f"a stack already runs in {data}", "stop it with ./parley down")
    layout.data.mkdir(parents=True, exist_ok=True)
    output = layout.data / "up.log"
    command = [sys.executable, "-m", "cli", "up", "--port", str(port), "--host", host, "--data", str(layout.data)]
    for item in replicas:
        command += ["--replicas", item]
    with output.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603 - this very command
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True, cwd=ROOT
        )
    with console.status("starting in the background"):
        usable = until_usable(layout, process, output)
    if usable:
        console.print(output.read_text(errors="replace").strip())
        return
    raise Failure(f"not ready after {DETACH_SECONDS:.0f} s", f"read {output} and ./parley logs")


def until_usable(layout: Layout, process: subprocess.Popen[bytes], output: Path) -> bool:
    """Whether the stack can be used before the time is over. Failure with its own words when it ended."""
    deadline = time.monotonic() + DETACH_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            words = output.read_text(errors="replace").strip().removeprefix("Error: ")
            raise Failure(words or "the stack ended at once")
        state = layout.read_state()
        if state and state.get("usable"):
            return True
        time.sleep(0.05)
    return False


def rows(state: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A component as `status` shows it."""
    for item in state["components"]:
        yield {
            "name": item["name"],
            "state": item["state"],
            "pid": item["pid"],
            "port": item["port"],
            "rss_mb": resident(item["pid"]),
        }


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One object: {healthy, services: [...]}.")
@data_option
def status(*, as_json: bool, data: Path) -> None:
    """Say how everything is; exit code 1 when something is not ready.

    Example:  ./parley status --json
    """
    state = Layout(data.resolve()).read_state()
    services = list(rows(state)) if state else []
    healthy = bool(services) and all(item["state"] == "ready" for item in services)
    if as_json:
        click.echo(json.dumps({"healthy": healthy, "services": services}))
    elif state is None:
        console.print(f"No stack runs in {data}. Start one: ./parley up")
    else:
        table = Table("name", "state", "pid", "port", "MiB", box=None)
        for item in services:
            table.add_row(*(str(item[key]) for key in ("name", "state", "pid", "port", "rss_mb")))
        console.print(table)
    sys.exit(0 if healthy else 1)


@click.command()
@click.argument("service", required=False)
@click.option("-f", "follow", is_flag=True, help="Go on as lines come.")
@click.option("-n", "lines", default=100, show_default=True, help="Lines to begin with.")
@data_option
def logs(*, service: str | None, follow: bool, lines: int, data: Path) -> None:
    """Show what a service wrote, or all of them.

    Example:  ./parley logs engine -f
    """
    folder = Layout(data.resolve()).logs
    files = sorted(folder.glob(f"{service or '*'}.log"))
    if not files:
        known = ", ".join(sorted(path.stem for path in folder.glob("*.log"))) or "none yet"
        raise Failure(f"there is no log of {service or 'anything'} in {folder}", f"known: {known}")
    arguments = ["tail", "-n", str(lines), *(["-F"] if follow else []), *map(str, files)]
    tail = shutil.which("tail")
    if tail is None:
        for path in files:
            click.echo("\n".join(path.read_text(errors="replace").splitlines()[-lines:]))
        return
    os.execv(tail, arguments)  # noqa: S606 - tail, with our own files


@click.command()
@data_option
def down(*, data: Path) -> None:
    """Stop everything. Nothing is lost.

    Example:  ./parley down
    """
    state = running_state(data)
    process = psutil.Process(state["pid"])
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except psutil.TimeoutExpired as error:
        raise Failure(f"the stack (process {state['pid']}) did not stop in {STOP_SECONDS:.0f} s") from error
    console.print("stopped")


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@data_option
def reset(*, yes: bool, data: Path) -> None:
    """Remove all data of the stack: conversations, files, keys. Asks first.

    Example:  ./parley reset --yes
    """
    layout = Layout(data.resolve())
    if layout.read_state() is not None:
        raise Failure("the stack is running", "stop it first: ./parley down")
    if not layout.data.exists():
        console.print(f"there is nothing in {data}")
        return
    if not (layout.data / "version").exists():
        raise Failure(f"{data} is not the folder of a stack", "name the right one with --data")
    if not yes:
        click.confirm(f"Remove everything in {data}?", abort=True)
    for folder in {layout.exposed(), layout.data}:
        shutil.rmtree(folder, ignore_errors=True)
    console.print("removed")


COMMANDS = (up, status, logs, down, reset)
