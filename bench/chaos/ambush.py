"""A worker is paused exactly while it holds a turn, until another has taken the turn over and ended it."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from bench.chaos.signalling import send
from cli.stack.servers import DATABASE, SUPERUSER
from cli.stack.stack import Stack

PREPARE_SECONDS = 5.0
HOLD_SECONDS = 12.0
SETTLE_SECONDS = 0.1
LOOK_SECONDS = 0.05
HELD = (
    "SELECT tenant_id, id, epoch, turn, lease_owner FROM session.user_sessions "
    "WHERE lease_until > clock_timestamp() + interval '1 second' ORDER BY lease_until DESC"
)
TURN = "SELECT epoch, turn FROM session.user_sessions WHERE tenant_id = $1 AND id = $2"


@dataclass(frozen=True, slots=True)
class Held:
    """A turn that a process has claimed and not yet ended."""

    tenant: UUID
    session: UUID
    epoch: int
    turn: int
    pid: int


async def ledger(stack: Stack) -> asyncpg.Connection:
    """The database of the run, without row-level security."""
    return await asyncpg.connect(
        host="127.0.0.1",
        port=stack.ports["postgres"],
        user=SUPERUSER,
        password=stack.secrets["postgres"],
        database=DATABASE,
        timeout=5,
        command_timeout=5,
    )


async def ambush(stack: Stack, prey: Collection[int], paused: Callable[[int], None]) -> bool:
    """Pause one of `prey` (process ids) amid a turn and wake it when another has ended the turn: it is a zombie then.

    `paused` is told of the process at once. Whether another ended the turn: not when no process was met in
    PREPARE_SECONDS, when nobody took over in HOLD_SECONDS, when the database was away.
    """
    with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        connection = await ledger(stack)
        try:
            return await _hunt(connection, prey, paused)
        finally:
            connection.terminate()
    return False


async def _hunt(connection: asyncpg.Connection, prey: Collection[int], paused: Callable[[int], None]) -> bool:
    deadline = time.monotonic() + PREPARE_SECONDS
    while time.monotonic() < deadline:
        for held in await _held(connection, prey):
            send(held.pid, signal.SIGSTOP)
            try:
                if await _still(connection, held):
                    paused(held.pid)
                    return await _ended_by_another(connection, held)
            finally:
                send(held.pid, signal.SIGCONT)
    return False


async def _held(connection: asyncpg.Connection, prey: Collection[int]) -> list[Held]:
    rows = await connection.fetch(HELD)
    found = [
        Held(row["tenant_id"], row["id"], row["epoch"], row["turn"], int(row["lease_owner"].rpartition("-")[2]))
        for row in rows
    ]
    return [held for held in found[:1] if held.pid in prey]


async def _still(connection: asyncpg.Connection, held: Held) -> bool:
    """Whether the pause came before the end of the turn: a commit under way is given a moment to arrive."""
    await asyncio.sleep(SETTLE_SECONDS)
    row = await connection.fetchrow(TURN, held.tenant, held.session)
    return row is not None and (row["epoch"], row["turn"]) == (held.epoch, held.turn)


async def _ended_by_another(connection: asyncpg.Connection, held: Held) -> bool:
    """Within HOLD_SECONDS: the other may be hit as well."""
    deadline = time.monotonic() + HOLD_SECONDS
    while time.monotonic() < deadline:
        row = await connection.fetchrow(TURN, held.tenant, held.session)
        if row is not None and row["turn"] > held.turn:
            return bool(row["epoch"] > held.epoch)
        await asyncio.sleep(LOOK_SECONDS)
    return False
