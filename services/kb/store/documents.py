"""Documents as people see them."""

import uuid
from dataclasses import dataclass
from typing import Any

from google.protobuf import empty_pb2
from parley.kb.v1 import kb_service_pb2 as pb
from sqlalchemy import Row, TextClause, text

from services.common.db.engine import Database
from services.common.db.requests import Asked, RequestLog
from services.common.errors import NotFound
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


@dataclass(frozen=True, slots=True)
class Place:
    """Where documents are."""

    tenant: str
    bot: str
    collection: str

    def values(self) -> dict[str, object]:
        """For statements."""
        return {"tenant": uuid.UUID(self.tenant), "bot": self.bot, "collection": self.collection}


class Documents:
    """All in the tenant's own transactions."""

    def __init__(self, database: Database, requests: RequestLog) -> None:
        self._database = database
        self._requests = requests

    async def put(
        self, place: Place, path: str, content_type: str, digest: str, source: bytes, asked: Asked
    ) -> pb.Document:
        """Queue a document or its new version. AlreadyExists when the request_id came with something else."""
        values = {**place.values(), "path": path, "content_type": content_type, "digest": digest, "source": source}
        async with self._database.unit_of_work(place.tenant) as connection:

            async def work() -> pb.Document:
                row = (await connection.execute(UPSERT, {**values, "id": uuid7()})).first()
                if row is None:
                    row = (await connection.execute(SAME, {**place.values(), "path": path})).one()
                return document_message(row)

            return await self._requests.once(connection, asked, pb.Document, work)

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

    async def delete(self, place: Place, identifier: uuid.UUID, asked: Asked) -> None:
        """NotFound, unless the same request removed it before."""
        async with self._database.unit_of_work(place.tenant) as connection:

            async def work() -> empty_pb2.Empty:
                row = (await connection.execute(DELETE, {**place.values(), "id": identifier})).first()
                if row is None:
                    raise missing(identifier)
                await connection.execute(BUMP, place.values())
                return empty_pb2.Empty()

            await self._requests.once(connection, asked, empty_pb2.Empty, work)


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
