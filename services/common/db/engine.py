"""PostgreSQL behind one object: units of work for the many, one-statement calls for the hot few."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from services.common import context
from services.common.errors import (
    Aborted,
    AlreadyExists,
    DeadlineExceeded,
    Internal,
    InvalidArgument,
    ParleyError,
    Unavailable,
)
from services.common.telemetry.logs import logger

log = logger(__name__)
STATEMENT_SECONDS = 30.0
CONNECT_SECONDS = 5.0
CLOSE_SECONDS = 2.0
SET_TENANT = text("SELECT set_config('app.tenant_id', :tenant, true)")
CONFLICTS = frozenset({"40001", "40P01", "55P03"})
UNSTORABLE = frozenset({"22021", "22P05"})
AWAY = ("08", "57", "53")
BROKEN = ("closed", "closing", "released", "terminated", "connection")
DRIVER_ERRORS = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class Plain(asyncpg.Connection):  # type: ignore[misc]
    """Goes back to the pool as it is: call() leaves nothing behind that a round trip would have to clean up."""

    def get_reset_query(self) -> str:
        """Nothing."""
        return ""


class Database:
    """A pool of one role on one schema. `dsn` is postgresql://user:password@host:port/name."""

    def __init__(self, dsn: str, *, schema: str, pool_size: int, name: str) -> None:
        self._dsn = dsn
        self.schema = schema
        self._size = pool_size
        self._name = name
        self._pool: asyncpg.Pool | None = None
        self._engine: AsyncEngine | None = None

    async def open(self) -> None:
        """Connect. Unavailable while the server is away."""
        if self._pool is None:
            self._pool = await asyncpg.create_pool(
                self._dsn,
                min_size=0,
                max_size=self._size,
                connection_class=Plain,
                timeout=CONNECT_SECONDS,
                command_timeout=STATEMENT_SECONDS,
                server_settings={"application_name": self._name, "jit": "off"},
            )
        await self.ping()

    @property
    def size(self) -> int:
        """Connections of the fast pool now."""
        return self._pool.get_size() if self._pool is not None else 0

    async def call(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """One statement in a transaction of its own, for SQL functions that set the tenant themselves."""
        if self._pool is None:
            raise Unavailable("the database is away; try again")
        try:
            async with asyncio.timeout(patience()), self._pool.acquire() as connection:
                return await self._fetch(connection, statement, arguments)
        except DRIVER_ERRORS as error:
            raise translated(error) from None

    async def _fetch(self, connection: Any, statement: str, arguments: Any) -> list[asyncpg.Record]:  # noqa: ANN401
        try:
            rows: list[asyncpg.Record] = await connection.fetch(statement, *arguments)
        except DRIVER_ERRORS as error:
            if broken(error):  # the pool would only notice when the end of the connection has arrived
                connection.terminate()
            raise
        return rows

    @contextlib.asynccontextmanager
    async def leading(self, task: str) -> AsyncIterator[bool]:
        """Whether this process leads in a task now: one of all processes does, for the length of the block."""
        key = int.from_bytes(hashlib.blake2b(f"{self.schema}/{task}".encode(), digest_size=8).digest(), signed=True)
        if self._pool is None:
            raise Unavailable("the database is away; try again")
        try:
            async with self._pool.acquire(timeout=CONNECT_SECONDS) as connection:
                leads = bool(await connection.fetchval("SELECT pg_try_advisory_lock($1)", key))
                try:
                    yield leads
                finally:
                    if leads and not connection.is_closed():
                        await connection.execute("SELECT pg_advisory_unlock($1)", key)
        except DRIVER_ERRORS as error:
            raise translated(error) from None

    @contextlib.asynccontextmanager
    async def unit_of_work(self, tenant_id: str) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees one tenant's rows; commits when the block ends well."""
        try:
            async with self._sqlalchemy().begin() as connection:
                await connection.execute(SET_TENANT, {"tenant": tenant_id})
                yield connection
        except ParleyError:
            raise
        except DBAPIError as error:
            raise translated(root(error)) from None
        except DRIVER_ERRORS as error:
            raise translated(error) from None

    def _sqlalchemy(self) -> AsyncEngine:
        if self._engine is None:
            self._engine = create_async_engine(
                self._dsn.replace("postgresql://", "postgresql+asyncpg://", 1),
                pool_size=max(2, self._size // 2),
                max_overflow=self._size,
                pool_timeout=CONNECT_SECONDS,
                connect_args={
                    "timeout": CONNECT_SECONDS,
                    "command_timeout": STATEMENT_SECONDS,
                    "server_settings": {"application_name": self._name, "jit": "off"},
                },
            )
            event.listen(self._engine.sync_engine, "checkout", refuse_closed)
        return self._engine

    async def ping(self) -> None:
        """Unavailable when the server does not answer."""
        await self.call("SELECT 1")

    async def close(self) -> None:
        """Give the connections back."""
        if self._engine is not None:
            await self._engine.dispose()
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), CLOSE_SECONDS)
            except DRIVER_ERRORS:
                self._pool.terminate()
            self._pool = None


def refuse_closed(connection: Any, _: object, __: object) -> None:  # noqa: ANN401 - SQLAlchemy's adapter of asyncpg's
    """The pool makes another connection instead of one that broke while it lay there; asking costs no round trip."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def root(error: DBAPIError) -> BaseException:
    """asyncpg's own error inside SQLAlchemy's wrapping."""
    found: BaseException = error.orig or error
    while not isinstance(found, DRIVER_ERRORS) and found.__cause__:
        found = found.__cause__
    return found


def translated(error: BaseException) -> ParleyError:
    """The tree's word for a driver's error; the driver's text is logged and goes no further."""
    state = str(getattr(error, "sqlstate", "") or "")
    if isinstance(error, asyncpg.UniqueViolationError):
        return AlreadyExists("that identifier is taken")
    if state in CONFLICTS:
        return Aborted("two writers met; try again")
    if isinstance(error, TimeoutError | asyncpg.QueryCanceledError):
        return DeadlineExceeded("the database took too long; try again")
    if state in UNSTORABLE:
        return InvalidArgument("a text holds U+0000 or what is no UTF-8, which cannot be stored")
    if broken(error):
        log.warning("database away", error=type(error).__name__)
        return Unavailable("the database is away; try again")
    log.error("statement failed", error=type(error).__name__, sqlstate=state, detail=str(error)[:500])
    return Internal("internal error")


def broken(error: BaseException) -> bool:
    """Whether the connection is at fault, and not how it was used."""
    if isinstance(error, TimeoutError | asyncpg.QueryCanceledError):
        return False
    if isinstance(error, OSError | asyncpg.InternalClientError):
        return True
    if isinstance(error, asyncpg.InterfaceError):
        return any(word in str(error) for word in BROKEN)
    return str(getattr(error, "sqlstate", "") or "").startswith(AWAY)


def patience() -> float:
    """Seconds a statement may take: what the call it serves has left, at most STATEMENT_SECONDS."""
    call = context.current_or_none()
    left = call.remaining() if call is not None else None
    return STATEMENT_SECONDS if left is None else max(0.001, min(left, STATEMENT_SECONDS))
