"""Safeguards of the ledger, each taken away for a while."""

import contextlib
from collections.abc import AsyncIterator

import asyncpg

from bench.chaos.ambush import ledger
from cli.stack.stack import Stack

FENCE = "AND u.epoch = p_epoch AND u.lease_token = p_token"
RECOGNISED = "IF p_key <> '' THEN\n        INSERT INTO session.message_keys"
DEFINITION = (
    "SELECT pg_get_functiondef(p.oid) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
    "WHERE n.nspname = 'session' AND p.proname = $1"
)
INDEX = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'session' AND indexname = 'idx_messages_id'"


@contextlib.asynccontextmanager
async def superuser(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    """A connection for a moment: between two uses the nemesis may have killed the database."""
    connection = await ledger(stack)
    try:
        yield connection
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def changed(stack: Stack, function: str, safeguard: str, nothing: str) -> AsyncIterator[None]:
    """Inside, a safeguard in the text of a function is replaced; it must be there."""
    async with superuser(stack) as connection:
        definition = await connection.fetchval(DEFINITION, function)
        assert safeguard in definition
        await connection.execute(definition.replace(safeguard, nothing))
    try:
        yield
    finally:
        async with superuser(stack) as connection:
            await connection.execute(definition)


@contextlib.asynccontextmanager
async def without_fencing(stack: Stack) -> AsyncIterator[None]:
    """Any worker may write at any time. The derived ids would refuse its replies too, so that check goes as well."""
    async with superuser(stack) as connection:
        index = await connection.fetchval(INDEX)
        await connection.execute("DROP INDEX session.idx_messages_id")
    async with changed(stack, "commit_turn", FENCE, ""), changed(stack, "checkpoint_turn", FENCE, ""):
        yield
    async with superuser(stack) as connection:
        await connection.execute("TRUNCATE session.user_sessions CASCADE")
        await connection.execute(index)


@contextlib.asynccontextmanager
async def without_deduplication(stack: Stack) -> AsyncIterator[None]:
    """A repeated request is a new message."""
    async with changed(stack, "post_message", RECOGNISED, RECOGNISED.replace("p_key <> ''", "false")):
        yield


@contextlib.asynccontextmanager
async def without_outbox(stack: Stack) -> AsyncIterator[None]:
    """What is written is not told."""
    async with changed(stack, "append_outbox", "BEGIN", "BEGIN\n    RETURN;"):
        yield
