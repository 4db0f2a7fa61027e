"""Documents as people see them."""

import uuid
from dataclasses import dataclass
from typing import Any

from parley.kb.v1 import kb_service_pb2 as pb
from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db.engine import Database
from services.common.errors import AlreadyExists, NotFound
from services.common.identifiers import uuid7

COLUMNS = """id, bot, collection, path, title, content_type, state, reason, chunk_count, digest, wanted, created_at,
updated_at"""


def statement(sql: str) -> TextClause:
    """A statement in which COLUMNS stands for the columns of a document."""
    return text(sql.replace("COLUMNS", COLUMNS))


READ = statement("""SELECT COLUMNS FROM kb.kb_documents
WHERE tenant_id = :tenant AND id = :id AND bot = :bot AND collection = :collection""")
LIST = statement("""SELECT COLUMNS FROM kb.kb_documents WHERE tenant_id = :tenant AND bot = :bot
AND (:collection = '-' OR collection = :collection) AND (path, id) > (:path, :id) ORDER BY path, id LIMIT :limit""")
# The same bytes again change nothing, unless they could not be taken in before.
UPSERT = statement("""INSERT INTO kb.kb_documents AS d
(tenant_id, id, bot, collection, path, title, content_type, state, digest, source)
VALUES (:tenant, :id, :bot, :collection, :path, '', :content_type, 'QUEUED', :digest, :source)
ON CONFLICT (tenant_id, bot, collection, path) DO UPDATE SET content_type = excluded.content_type, state = 'QUEUED',
reason = '', digest = excluded.digest, source = excluded.source, wanted = d.wanted + 1, lease = NULL, attempts = 0,
due = now(), updated_at = now()
WHERE d.digest <> excluded.digest OR d.content_type <> excluded.content_type OR d.state = 'FAILED'
RETURNING COLUMNS""")
SAME = statement("""SELECT COLUMNS FROM kb.kb_documents
WHERE tenant_id = :tenant AND bot = :bot AND collection = :collection AND path = :path""")
DELETE = text("""DELETE FROM kb.kb_documents WHERE tenant_id = :tenant AND id = :id AND bot = :bot
AND collection = :collection RETURNING revision""")
BUMP = text("""INSERT INTO kb.bots (tenant_id, bot, revision) VALUES (:tenant, :bot, 1)
ON CONFLICT (tenant_id, bot) DO UPDATE SET revision = kb.bots.revision + 1""")
CLAIM_REQUEST = text("""INSERT INTO kb.requests (tenant_id, subject, request_id, digest)
VALUES (:tenant, :subject, :request_id, :digest) ON CONFLICT DO NOTHING""")
EARLIER = text("""SELECT digest FROM kb.requests
WHERE tenant_id = :tenant AND subject = :subject AND request_id = :request_id""")


@dataclass(frozen=True, slots=True)
class Place:
    """Where documents are."""

    tenant: str
    bot: str
    collection: str

    def values(self) -> dict[str, object]:
        """For statements."""
        return {"tenant": uuid.UUID(self.tenant), "bot": self.bot, "collection": self.collection}


@dataclass(frozen=True, slots=True)
class Once:
    """A request_id, who chose it, and a digest of what was asked with it. An empty id is no id."""

    subject: str
    request_id: str
    digest: bytes


class Documents:
    """All in the tenant's own transactions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(
        self, place: Place, path: str, content_type: str, digest: str, source: bytes, once: Once
    ) -> pb.Document:
        """Queue a document or its new version. AlreadyExists when the request_id came with something else."""
        values = {**place.values(), "path": path, "content_type": content_type, "digest": digest, "source": source}
        async with self._database.unit_of_work(place.tenant) as connection:
            if not await self._first(connection, place, once):
                row = (await connection.execute(SAME, {**place.values(), "path": path})).first()
                if row is not None:
                    return document_message(row)
            row = (await connection.execute(UPSERT, {**values, "id": uuid7()})).first()
            if row is None:
                row = (await connection.execute(SAME, {**place.values(), "path": path})).one()
        return document_message(row)

    async def get(self, place: Place, identifier: uuid.UUID) -> pb.Document:
        """NotFound."""
        async with self._database.unit_of_work(place.tenant) as connection:
            row = (await connection.execute(READ, {**place.values(), "id": identifier})).first()
        if row is None:
            raise missing(identifier)
        return document_message(row)

    async def list(self, place: Place, after: tuple[str, uuid.UUID], limit: int) -> list[pb.Document]:
        """By path, after a position."""
        values = {**place.values(), "path": after[0], "id": after[1], "limit": limit}
        async with self._database.unit_of_work(place.tenant) as connection:
            rows = (await connection.execute(LIST, values)).all()
        return [document_message(row) for row in rows]

    async def delete(self, place: Place, identifier: uuid.UUID, once: Once) -> None:
        """NotFound, unless the same request removed it before."""
        async with self._database.unit_of_work(place.tenant) as connection:
            if not await self._first(connection, place, once):
                return
            row = (await connection.execute(DELETE, {**place.values(), "id": identifier})).first()
            if row is None:
                raise missing(identifier)
            await connection.execute(BUMP, place.values())

    async def _first(self, connection: AsyncConnection, place: Place, once: Once) -> bool:
        if not once.request_id:
            return True
        values = {
            "tenant": uuid.UUID(place.tenant),
            "subject": once.subject,
            "request_id": uuid.UUID(once.request_id),
        }
        if (await connection.execute(CLAIM_REQUEST, {**values, "digest": once.digest})).rowcount:
            return True
        if (await connection.execute(EARLIER, values)).scalar_one() != once.digest:
            raise AlreadyExists("this request_id came with another request", reason="REQUEST_ID_REUSED")
        return False


def missing(identifier: uuid.UUID) -> NotFound:
    """The same words whether it never was or is another tenant's."""
    return NotFound(f"there is no document {identifier} here", metadata={"document": str(identifier)})


def document_message(row: Row[Any]) -> pb.Document:
    """A row as its message."""
    made = pb.Document(
        name=f"bots/{row.bot}/collections/{row.collection}/documents/{row.id}",
        path=row.path,
        title=row.title,
        content_type=row.content_type,
        state=pb.Document.State.Value(f"STATE_{row.state}"),
        reason=row.reason,
        chunk_count=row.chunk_count,
        digest=row.digest,
        revision=row.wanted,
    )
    made.create_time.FromDatetime(row.created_at)
    made.update_time.FromDatetime(row.updated_at)
    return made
