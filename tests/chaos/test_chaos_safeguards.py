"""The checker is worth something: each safeguard of the ledger is taken away once, and the same run fails."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from bench.chaos.run import Ordeal, run
from cli.stack.servers import DATABASE, SUPERUSER
from cli.stack.stack import Stack

pytestmark = pytest.mark.chaos

WORK = 6_000
WORKERS = frozenset({"engine", "engine-2"})
PREY = WORKERS | {"session", "envoy", "realtime", "nats"}
FENCE = "AND u.epoch = p_epoch AND u.lease_token = p_token"
RECOGNISED = "IF p_key <> '' THEN\n        INSERT INTO session.message_keys"


def ordeal(
    sabotage: Callable[[Stack], Awaitable[None]] | None = None,
    *,
    work: int = 50,
    prey: frozenset[str] = PREY,
    pauses: float = 0.3,
) -> Ordeal:
    """A short run. `work` WORK makes turns of some ten milliseconds, so that a pause of a worker meets one."""
    finish = 8 if sabotage else 30  # what a sabotaged run has lost never comes
    return Ordeal(5, 12, 18, finish=finish, work=work, prey=prey, pauses=pauses, sabotage=sabotage)


async def superuser(stack: Stack) -> asyncpg.Connection:
    return await asyncpg.connect(
        host="127.0.0.1",
        port=stack.ports["postgres"],
        user=SUPERUSER,
        password=stack.secrets["postgres"],
        database=DATABASE,
    )


async def change(stack: Stack, function: str, safeguard: str, nothing: str) -> None:
    """Replace a safeguard in the text of a function; it must be there."""
    connection = await superuser(stack)
    try:
        definition = await connection.fetchval(
            "SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
            "WHERE n.nspname = 'session' AND p.proname = $1",
            function,
        )
        assert safeguard in definition
        await connection.execute(definition.replace(safeguard, nothing))
    finally:
        await connection.close()


async def without_fencing(stack: Stack) -> None:
    """Any worker may write at any time. The derived ids would refuse its replies too, so that check goes as well."""
    for function in ("commit_turn", "checkpoint_turn"):
        await change(stack, function, FENCE, "")
    connection = await superuser(stack)
    try:
        await connection.execute("DROP INDEX session.idx_messages_id")
    finally:
        await connection.close()


async def without_deduplication(stack: Stack) -> None:
    """A repeated request is a new message."""
    await change(stack, "post_message", RECOGNISED, RECOGNISED.replace("p_key <> ''", "false"))


async def without_outbox(stack: Stack) -> None:
    """What is written is not told."""
    await change(stack, "append_outbox", "BEGIN", "BEGIN\n    RETURN;")


async def test_with_all_safeguards_nothing_is_broken() -> None:
    result = await run(ordeal(work=WORK))
    assert result["messages"] > 50
    assert sum(result["kills"].values()) >= 5
    assert [result[name] for name in ("lost", "duplicated", "misordered", "overlapped")] == [0, 0, 0, 0]


async def test_paused_workers_are_fenced() -> None:
    result = await run(ordeal(work=WORK, prey=WORKERS, pauses=0.9))
    assert [result[name] for name in ("lost", "duplicated", "misordered", "overlapped")] == [0, 0, 0, 0]


async def test_fencing_is_needed() -> None:
    result = await run(ordeal(without_fencing, work=WORK, prey=WORKERS, pauses=0.9))
    assert result["duplicated"] + result["misordered"] + result["overlapped"] > 0


async def test_deduplication_is_needed() -> None:
    result = await run(ordeal(without_deduplication))
    assert result["duplicated"] > 0


async def test_without_nats_for_a_while_nothing_is_lost() -> None:
    result = await run(ordeal(prey=frozenset({"nats"}), pauses=0))
    assert result["kills"]["nats"] >= 5
    assert [result[name] for name in ("lost", "duplicated", "misordered", "overlapped")] == [0, 0, 0, 0]


async def test_the_outbox_is_needed() -> None:
    result = await run(ordeal(without_outbox, prey=frozenset({"nats"}), pauses=0))
    assert result["lost"] > 0
