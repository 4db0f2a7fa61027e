"""What every mutation of identity goes through: who calls, once per request_id, denials on record."""

import contextlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from google.protobuf.message import Message
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common import context
from services.common.db.engine import Database
from services.common.db.requests import RequestLog
from services.common.errors import PermissionDenied
from services.common.security.principal import Principal
from services.session import audit

M = TypeVar("M", bound=Message)


def caller() -> Principal:
    """The person who calls. PermissionDenied for a service that acts for nobody."""
    principal = context.principal()
    if not principal.tenant_id:
        raise PermissionDenied("this is done for somebody, and the calling service did not say for whom")
    return principal


class Mutations:
    """Runs mutations."""

    def __init__(self, database: Database, requests: RequestLog) -> None:
        self._database = database
        self._requests = requests

    async def run(
        self,
        request: Message,
        answer: type[M],
        work: Callable[[AsyncConnection, Principal], Awaitable[M]],
        *,
        action: str,
        secrets: tuple[str, ...] = (),
    ) -> M:
        """Do the work in a transaction of the caller's tenant, or repeat the answer it was given before."""
        principal = caller()
        asked = await self._requests.asked(request)
        async with self.denials(principal, action), self._database.unit_of_work(principal.tenant_id) as connection:
            return await self._requests.once(
                connection, asked, answer, lambda: work(connection, principal), secrets=secrets
            )

    @contextlib.asynccontextmanager
    async def denials(self, principal: Principal, action: str) -> AsyncIterator[None]:
        """What is denied goes on record, although its transaction is rolled back."""
        try:
            yield
        except PermissionDenied as error:
            entry = audit.Entry(principal.subject, action, outcome="denied", detail={"why": error.message})
            await audit.record(self._database, uuid.UUID(principal.tenant_id), entry)
            raise
