"""trace: what a conversation's scripts did, step by step."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import click

from cli.commands.options import data_option, running_state
from cli.failure import Failure

LONGEST_SHOWN = 160
SECONDS = 10


def short(value: object) -> str:
    """A value on a line."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def told(step: dict[str, Any]) -> str:
    """A step on a line: place, what it did, what went in and came out."""
    parts = [f"{step.get('script', '')}:{step.get('line', 0)}".ljust(14), str(step.get("operation", "")).ljust(8)]
    parts += [str(step["keyword"])] if step.get("keyword") else []
    parts += [short(step["input"])] if step.get("input") else []
    parts += [f"-> {short(step['output'])}"] if "output" in step else []
    parts += [click.style(f"! {step['error']}", fg="red")] if step.get("error") else []
    took = f"{step.get('milliseconds', 0):.1f} ms"
    return f"  {' '.join(parts)}  {click.style(took, dim=True)}"


def show(trace: dict[str, Any], *, machine: bool) -> None:
    """A turn."""
    if machine:
        click.echo(json.dumps(trace, ensure_ascii=False))
        return
    click.echo(click.style(f"turn {trace.get('turn', 0)}  {trace['bot_version']}  {trace['create_time']}", bold=True))
    for step in trace.get("steps", ()):
        click.echo(told(step))
    if trace.get("dropped_steps"):
        click.echo(f"  ... and {trace['dropped_steps']} steps that were too many")


async def fetched(session: str, data: Path, state: dict[str, Any]) -> list[dict[str, Any]]:
    """All turns of a conversation that were traced. Failure."""
    import grpc.aio  # noqa: PLC0415 - a tool of the mesh
    from google.protobuf import json_format  # noqa: PLC0415
    from parley.engine.v1 import trace_service_pb2 as pb  # noqa: PLC0415
    from parley.engine.v1 import trace_service_pb2_grpc  # noqa: PLC0415

    from cli.commands.deploying import tenant_of  # noqa: PLC0415
    from cli.stack.layout import Layout  # noqa: PLC0415
    from services.common.security.principal import Principal  # noqa: PLC0415
    from services.common.security.tokens import MeshSigner  # noqa: PLC0415

    ports = {str(item["name"]): int(item["port"]) for item in state["components"]}
    layout = Layout(data.resolve())
    tenant = await tenant_of(layout, ports)
    owner = Principal(tenant_id=tenant, subject="services/deployer", roles=frozenset({"owner"}))
    signed = (("authorization", f"Bearer {MeshSigner('deployer', layout.keys / 'deployer.pem').token(owner)}"),)
    found: list[dict[str, Any]] = []
    async with grpc.aio.insecure_channel(f"127.0.0.1:{ports['engine']}") as channel:
        stub = trace_service_pb2_grpc.TraceServiceStub(channel)
        request = pb.ListTracesRequest(parent=f"sessions/{session.removeprefix('sessions/')}")
        try:
            while True:
                page = await stub.ListTraces(request, timeout=SECONDS, metadata=signed)
                found += [json_format.MessageToDict(item, preserving_proto_field_name=True) for item in page.traces]
                request.page_token = page.next_page_token
                if not page.next_page_token:
                    return found
        except grpc.aio.AioRpcError as error:
            raise Failure(f"the engine refused: {error.details()}", "look at ./parley status") from None


@click.command()
@click.argument("session")
@click.option("--json", "machine", is_flag=True, help="One JSON object a turn, one a line.")
@data_option
def trace(session: str, *, machine: bool, data: Path) -> None:
    """Show what the scripts of a conversation did, step by step. The bot's config.csv needs `trace,on`.

    Example:  ./parley trace sessions/5f0c3c1e-0000-4000-8000-000000000000
    """
    found = asyncio.run(fetched(session, data, running_state(data)))
    for item in found:
        show(item, machine=machine)
    if not found:
        click.echo(
            "nothing was traced: is `trace,on` in the bot's config.csv, and has somebody talked since?", err=True
        )
        sys.exit(1)


COMMANDS = (trace,)
