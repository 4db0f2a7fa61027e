"""Idle WebSockets: what one costs in memory, over all processes."""

import asyncio

from bench.speed import turns
from bench.speed.figures import Figure
from bench.speed.memory import resident_mib
from bench.speed.talkers import Talker, connect
from bench.speed.workbench import Workbench

PEOPLE, EACH = 25, 40


async def figures(bench: Workbench, _: float) -> list[Figure]:
    """A thousand sockets, each listening to a session, beside the few that were there to warm up."""
    await bench.publish(turns.NAME, turns.SCRIPT)
    seats = []
    for _ in range(PEOPLE):
        token = await bench.visitor(turns.NAME)
        seats.append((token, await bench.session(turns.NAME, token)))
    warm = await everybody(bench, seats, 2)
    before = resident_mib(bench.stack)
    sockets = await everybody(bench, seats, EACH)
    after = resident_mib(bench.stack)
    for item in (*warm, *sockets):
        item.close()
    each = max(0.001, (after - before) / len(sockets))
    return [
        Figure("connections", "memory of an idle WebSocket", each * 1024, "KiB"),
        Figure("connections", "idle WebSockets in a GiB", 1024 / each, "connections"),
    ]


async def everybody(bench: Workbench, seats: list[tuple[str, str]], each: int) -> list[Talker]:
    """Sockets of all seats, `each` a session."""

    async def one(token: str, session: str) -> Talker:
        return await connect(await bench.ticket(session, token), lambda _, __: None)

    found: list[Talker] = []
    for token, session in seats:
        found += await asyncio.gather(*(one(token, session) for _ in range(each)))
    return found
