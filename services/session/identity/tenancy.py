"""Which tenant a short name means, and working for another tenant inside one transaction."""

import contextlib
import re
import time
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db.engine import Database
from services.common.errors import PermissionDenied
from services.common.security.principal import Principal

DEFAULT_SLUG = "default"
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,38}")
REMEMBERED = 1024
REMEMBER_SECONDS = 60.0
FIND = "SELECT session.tenant_of_slug($1)"
SWITCH = text("SELECT set_config('app.tenant_id', :tenant, true)")


class TenantDirectory:
    """Short names to ids, remembered for a minute. `operator` is the tenant that runs the installation."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[str, tuple[float, uuid.UUID]] = OrderedDict()
        self.operator = uuid.UUID(int=0)

    async def find(self, slug: str) -> uuid.UUID | None:
        """The tenant of a short name, "default" when empty; None when there is none."""
        slug = slug or DEFAULT_SLUG
        if not SLUG.fullmatch(slug):
            return None
        known = self._known.get(slug)
        if known and known[0] > time.monotonic():
            return known[1]
        found: uuid.UUID | None = (await self._database.call(FIND, slug))[0][0]
        if found:
            self._remember(slug, found)
        return found

    def ensure_operator(self, principal: Principal) -> None:
        """Raise PermissionDenied for somebody of a tenant that only uses the installation."""
        if principal.tenant_id != str(self.operator):
            raise PermissionDenied("only the tenant that runs this installation may do that")

    def _remember(self, slug: str, tenant: uuid.UUID) -> None:
        self._known[slug] = (time.monotonic() + REMEMBER_SECONDS, tenant)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


@contextlib.asynccontextmanager
async def working_for(connection: AsyncConnection, tenant: uuid.UUID, caller: uuid.UUID) -> AsyncIterator[None]:
    """Row-level security of another tenant until the block ends; on an error the transaction is lost anyway."""
    await connection.execute(SWITCH, {"tenant": str(tenant)})
    yield
    await connection.execute(SWITCH, {"tenant": str(caller)})
