"""Variables: a row a key, so writers of different keys never meet."""

import json
import uuid
from collections.abc import Sequence
from typing import Any

from google.protobuf import json_format
from parley.session.v1 import variable_service_pb2 as pb
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db.engine import Database
from services.common.errors import Aborted
from services.session.domain.storable import storable, storable_json

LIST = """SELECT key, value, revision, updated_at FROM session.variables
WHERE tenant_id = :tenant AND scope = :scope AND owner = :owner AND key > :after {keys} ORDER BY key LIMIT :limit"""
UPSERT = text("""INSERT INTO session.variables AS v (tenant_id, scope, owner, key, value)
VALUES (:tenant, :scope, :owner, :key, CAST(:value AS jsonb))
ON CONFLICT (tenant_id, scope, owner, key)
DO UPDATE SET value = excluded.value, revision = v.revision + 1, updated_at = now()
RETURNING key, value, revision, updated_at""")
REPLACE = text("""UPDATE session.variables
SET value = CAST(:value AS jsonb), revision = revision + 1, updated_at = now()
WHERE tenant_id = :tenant AND scope = :scope AND owner = :owner AND key = :key AND revision = :expected
RETURNING key, value, revision, updated_at""")
DELETE = text("""DELETE FROM session.variables v WHERE tenant_id = :tenant AND scope = :scope AND owner = :owner
AND key = :key AND (:expected = 0 OR v.revision = :expected) RETURNING key""")
CURRENT = text("""SELECT revision FROM session.variables
WHERE tenant_id = :tenant AND scope = :scope AND owner = :owner AND key = :key""")


class Variables:
    """Variables of one scope and owner at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list(
        self, tenant: str, scope: str, owner: str, keys: Sequence[str], after: str, limit: int
    ) -> Sequence[pb.Variable]:
        """By key, after a key."""
        statement = text(LIST.format(keys="AND key = ANY(:keys)" if keys else ""))
        values: dict[str, object] = {
            "tenant": uuid.UUID(tenant),
            "scope": scope,
            "owner": owner,
            "after": after,
            "limit": limit,
        }
        if keys:
            values["keys"] = list(keys)
        async with self._database.unit_of_work(tenant) as connection:
            rows = (await connection.execute(statement, values)).all()
        return [variable_message(row) for row in rows]

    async def merge(self, tenant: str, scope: str, owner: str, changes: Sequence[pb.Variable]) -> Sequence[pb.Variable]:
        """Set and remove keys in one transaction. Aborted when a named revision is not the current one."""
        async with self._database.unit_of_work(tenant) as connection:
            made = []
            for change in sorted(changes, key=lambda item: item.key):
                values = {
                    "tenant": uuid.UUID(tenant),
                    "scope": scope,
                    "owner": owner,
                    "key": storable(change.key),
                    "expected": change.revision,
                }
                made.append(await self._write(connection, change, values))
        return [item for item in made if item is not None]

    async def _write(
        self, connection: AsyncConnection, change: pb.Variable, values: dict[str, object]
    ) -> pb.Variable | None:
        if change.value.WhichOneof("kind") in {None, "null_value"}:
            gone = (await connection.execute(DELETE, values)).first()
            if gone is None and change.revision:
                await self._refuse(connection, change, values)
            return None
        encoded = {**values, "value": storable_json(json_format.MessageToJson(change.value, indent=None))}
        row = (await connection.execute(REPLACE if change.revision else UPSERT, encoded)).first()
        if row is None:
            await self._refuse(connection, change, values)
        return variable_message(row) if row else None

    async def _refuse(self, connection: AsyncConnection, change: pb.Variable, values: dict[str, object]) -> None:
        current = (await connection.execute(CURRENT, values)).scalar_one_or_none() or 0
        raise Aborted(
            f"{change.key} is at revision {current}, not {change.revision}: read it again",
            reason="CONFLICT",
            metadata={"key": change.key, "revision": str(current)},
        )


def variable_message(row: Row[Any]) -> pb.Variable:
    """A row as its message."""
    variable = pb.Variable(key=row.key, revision=row.revision)
    json_format.Parse(json.dumps(row.value), variable.value)  # SQLAlchemy has decoded it: a str is a JSON string
    variable.update_time.FromDatetime(row.updated_at)
    return variable
