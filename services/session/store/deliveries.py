"""Replies of channels that nobody has confirmed yet: the outbox rows on hold."""

import datetime
import uuid
from collections.abc import Sequence

from parley.session.v1 import ledger_service_pb2 as pb
from sqlalchemy import text

from services.common.db.engine import Database
from services.common.errors import InvalidArgument

LIST = """SELECT id, payload, created_at FROM session.outbox
WHERE hold AND created_at <= clock_timestamp() - $1::interval AND (created_at, id) > ($2, $3)
ORDER BY created_at, id LIMIT $4"""
CONFIRM = text("DELETE FROM session.outbox WHERE tenant_id = :tenant AND hold AND id = ANY(:ids)")
BEGINNING = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
DEFAULT_PAGE, LARGEST_PAGE = 100, 500


class Deliveries:
    """Listed across tenants for the channels service, confirmed per tenant."""

    def __init__(self, database: Database, relay: Database) -> None:
        self._database = database
        self._relay = relay

    async def list(self, request: pb.ListDeliveriesRequest) -> pb.ListDeliveriesResponse:
        """Oldest first, after the position in the page token."""
        limit = min(request.page_size or DEFAULT_PAGE, LARGEST_PAGE)
        created, last = position_of(request.page_token)
        age = request.minimum_age.ToTimedelta()
        rows = await self._relay.call(LIST, age, created, last, limit + 1)
        response = pb.ListDeliveriesResponse(
            deliveries=[pb.Delivery.FromString(row["payload"]) for row in rows[:limit]]
        )
        if len(rows) > limit:
            end = rows[limit - 1]
            response.next_page_token = f"{end['created_at'].isoformat()}_{end['id']}"
        return response

    async def confirm(self, tenant: uuid.UUID, ids: Sequence[uuid.UUID]) -> None:
        """Forget them. Those already forgotten do no harm."""
        async with self._database.unit_of_work(str(tenant)) as connection:
            await connection.execute(CONFIRM, {"tenant": tenant, "ids": list(ids)})


def position_of(token: str) -> tuple[datetime.datetime, uuid.UUID]:
    """Where a page begins. The token needs no signature: only services of the mesh see it."""
    if not token:
        return BEGINNING, uuid.UUID(int=0)
    created, _, last = token.partition("_")
    try:
        return datetime.datetime.fromisoformat(created), uuid.UUID(last)
    except ValueError:
        raise InvalidArgument.field("page_token", "a token of the page before", token) from None
