"""Rows of files, and with them the keys of objects that are to be removed.

A key is entered in drive.garbage before its object is written, and taken out in the transaction that makes a file of
it. So at any moment an object belongs to a file or is in drive.garbage, whoever dies when.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import empty_pb2
from parley.drive.v1 import file_service_pb2 as pb
from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db.engine import Database
from services.common.db.requests import Asked, RequestLog
from services.common.errors import Aborted, FailedPrecondition, NotFound, ResourceExhausted
from services.common.identifiers import uuid7
from services.drive.config import DriveSettings
from services.drive.domain.keys import fresh_key, upload_key
from services.drive.domain.paths import LAST_CHARACTER
from services.drive.domain.viewing import Viewer, missing

COLUMNS = "id, owner, path, content_type, size, digest, state, object_key, created_at, updated_at"
FIRST = uuid.UUID(int=0)


def statement(sql: str) -> TextClause:
    """A statement in which COLUMNS stands for the columns of a file, SEEN for "the viewer sees it"."""
    return text(sql.replace("COLUMNS", COLUMNS).replace("SEEN", "(:only_owner = '' OR owner = :only_owner)"))


GET = statement("""SELECT COLUMNS, expires_at <= now() AS expired FROM drive.files
WHERE tenant_id = :tenant AND id = :id AND SEEN""")
LIST = statement("""SELECT COLUMNS FROM drive.files WHERE tenant_id = :tenant AND state = 'LIVE' AND SEEN
AND (:owner = '' OR owner = :owner)
AND path >= :prefix AND path < :behind AND (path, id) > (:path, :id) ORDER BY path, id LIMIT :limit""")
AT_PATH = text("SELECT id, size, state FROM drive.files WHERE tenant_id = :tenant AND owner = :owner AND path = :path")
PUT = statement("""INSERT INTO drive.files AS f
(tenant_id, id, owner, path, content_type, size, digest, state, object_key)
VALUES (:tenant, :id, :owner, :path, :content_type, :size, :digest, 'LIVE', :key)
ON CONFLICT (tenant_id, owner, path) DO UPDATE SET content_type = excluded.content_type, size = excluded.size,
digest = excluded.digest, state = 'LIVE', expires_at = NULL, object_key = excluded.object_key,
replaced_key = f.object_key, updated_at = now()
WHERE CAST(:replaces AS text) IS NULL OR f.digest = :replaces
RETURNING COLUMNS, replaced_key""")
MOVE = statement("""UPDATE drive.files SET path = :target, updated_at = now()
WHERE tenant_id = :tenant AND owner = :owner AND path = :path AND state = 'LIVE' RETURNING COLUMNS""")
MAKE_ROOM = text("""DELETE FROM drive.files WHERE tenant_id = :tenant AND owner = :owner AND path = :target
AND path <> :path RETURNING state, object_key""")
BEGIN = statement("""INSERT INTO drive.files
(tenant_id, id, owner, path, content_type, size, state, object_key, expires_at)
VALUES (:tenant, :id, :owner, :path, :content_type, :size, 'UPLOADING', :key, now() + make_interval(secs => :seconds))
RETURNING COLUMNS""")
BEGUN = text("""SELECT count(*) FROM drive.files
WHERE tenant_id = :tenant AND owner = :owner AND state = 'UPLOADING' AND expires_at > now()""")
COMPLETE = statement("""UPDATE drive.files SET state = 'LIVE', object_key = :key, digest = :digest, expires_at = NULL,
updated_at = now() WHERE tenant_id = :tenant AND id = :id AND state = 'UPLOADING' RETURNING COLUMNS""")
DELETE = statement("""DELETE FROM drive.files WHERE tenant_id = :tenant AND id = :id AND SEEN
RETURNING state, object_key""")
DISCARD = text("""INSERT INTO drive.garbage (tenant_id, object_key, due)
VALUES (:tenant, :key, now() + make_interval(secs => :seconds))""")
KEEP = text("DELETE FROM drive.garbage WHERE tenant_id = :tenant AND object_key = :key AND NOT taken")
USED = text("SELECT bytes FROM drive.usage WHERE tenant_id = :tenant")


@dataclass(frozen=True, slots=True)
class Stored:
    """A file, the key of its object, and whether it is an upload whose time is over."""

    file: pb.File
    key: str
    expired: bool = False

    @property
    def live(self) -> bool:
        """Whether its bytes are there."""
        return self.file.state == pb.File.STATE_LIVE


@dataclass(frozen=True, slots=True)
class Content:
    """What is stored at a path. size in bytes, digest: SHA-256 in hexadecimal, empty while nobody knows it.

    replaces: digest of what must be there, empty for nothing; None: whatever is there.
    """

    path: str
    content_type: str
    size: int = 0
    digest: str = ""
    replaces: str | None = None

    def values(self) -> dict[str, object]:
        """For statements."""
        return {"path": self.path, "content_type": self.content_type, "size": self.size, "digest": self.digest}


@dataclass(frozen=True, slots=True)
class Place:
    """A file's identifier and the key its object is to have."""

    id: uuid.UUID
    key: str


class Files:
    """All in the tenant's own transactions."""

    def __init__(self, database: Database, settings: DriveSettings, requests: RequestLog) -> None:
        self._database = database
        self._requests = requests
        self._settings = settings

    async def find(self, viewer: Viewer, identifier: uuid.UUID) -> Stored:
        """A file the viewer sees. NotFound."""
        async with self._database.unit_of_work(viewer.tenant) as connection:
            return await self._find(connection, viewer, identifier)

    async def list(
        self, viewer: Viewer, prefix: str, owner: str, after: tuple[str, uuid.UUID], limit: int
    ) -> list[pb.File]:
        """Live files by path, after a position; an empty owner: of all whom the viewer sees."""
        values = {**seen_by(viewer), "owner": owner, "prefix": prefix, "behind": prefix + LAST_CHARACTER}
        async with self._database.unit_of_work(viewer.tenant) as connection:
            rows = await connection.execute(LIST, {**values, "path": after[0], "id": after[1], "limit": limit})
            return [file_message(row) for row in rows]

    async def begin_put(self, viewer: Viewer, path: str, size: int, asked: Asked) -> Place | pb.File:
        """Where to write the object; the file when the same request stored it before. AlreadyExists, ResourceExhausted.

        Two who put a first file at a path at once are given different identifiers; end_put() keeps one of them, and
        the key, which is in the row, may then begin with the other.
        """
        async with self._database.unit_of_work(viewer.tenant) as connection:
            earlier = await self._requests.earlier(connection, asked, pb.File)
            if earlier is not None:
                return earlier
            there = (await connection.execute(AT_PATH, {**owned_by(viewer), "path": path})).one_or_none()
            replaced = there.size if there is not None and there.state == "LIVE" else 0
            await self._within_limit(connection, viewer, size - replaced)
            identifier = there.id if there is not None else uuid7()
            key = fresh_key(viewer.tenant, identifier)
            await self._discard(connection, viewer, key, self._settings.drive_write_seconds)
        return Place(identifier, key)

    async def earlier(self, viewer: Viewer, asked: Asked) -> pb.File | None:
        """What the same request made before. AlreadyExists."""
        async with self._database.unit_of_work(viewer.tenant) as connection:
            return await self._requests.earlier(connection, asked, pb.File)

    async def end_put(
        self, viewer: Viewer, place: Place, content: Content, asked: Asked, spent: Sequence[uuid.UUID] = ()
    ) -> pb.File:
        """The object is written: from now on it is the file at the path, and the spent files are gone.

        Aborted, AlreadyExists, ResourceExhausted.
        """
        async with self._database.unit_of_work(viewer.tenant) as connection:

            async def work() -> pb.File:
                await self._keep(connection, viewer, place.key)
                values = {**owned_by(viewer), **content.values(), "id": place.id, "key": place.key}
                row = (await connection.execute(PUT, {**values, "replaces": content.replaces})).one_or_none()
                if row is None or (content.replaces and not row.replaced_key):
                    raise Aborted(f"{content.path} was changed meanwhile; read it again")
                if row.replaced_key:
                    await self._discard(connection, viewer, row.replaced_key, self._settings.drive_grace_seconds)
                for identifier in spent:
                    await self._remove(connection, viewer, identifier)
                await self._within_limit(connection, viewer)
                return file_message(row)

            return await self._requests.once(connection, asked, pb.File, work)

    async def begin_upload(self, viewer: Viewer, identifier: uuid.UUID, content: Content, asked: Asked) -> pb.File:
        """A file whose bytes are to come; the same again for the same request. AlreadyExists, ResourceExhausted."""
        settings = self._settings
        key = upload_key(viewer.tenant, identifier)
        seconds = settings.drive_upload_seconds + settings.drive_completion_seconds
        async with self._database.unit_of_work(viewer.tenant) as connection:

            async def work() -> pb.File:
                await self._within_limit(connection, viewer, content.size)
                await self._few_begun(connection, viewer)
                values = {**owned_by(viewer), **content.values(), "id": identifier, "key": key, "seconds": seconds}
                row = (await connection.execute(BEGIN, values)).one()
                # Bytes may still be on their way when the address is void already, hence a second look.
                for wait in (settings.drive_write_seconds, settings.drive_again_seconds):
                    await self._discard(connection, viewer, key, seconds + wait)
                return file_message(row)

            return await self._requests.once(connection, asked, pb.File, work)

    async def begin_completion(self, viewer: Viewer, identifier: uuid.UUID, asked: Asked) -> Stored:
        """An upload; a live file when it was completed before. AlreadyExists, FailedPrecondition, NotFound."""
        async with self._database.unit_of_work(viewer.tenant) as connection:
            earlier = await self._requests.earlier(connection, asked, pb.File)
            if earlier is not None:
                return Stored(earlier, "")
            found = await self._find(connection, viewer, identifier)
            if found.live and await self._requests.claim(connection, asked, pb.File) is None:
                await self._requests.answer(connection, asked, found.file)
        if found.expired and not found.live:
            raise FailedPrecondition(
                f"{found.file.name}: the time for this upload is over; make another with CreateUpload",
                metadata={"name": found.file.name},
            )
        return found

    async def place_for(self, viewer: Viewer, identifier: uuid.UUID) -> Place:
        """A key for a new object of a file. Unless end_*() makes use of it, the object is removed."""
        place = Place(identifier, fresh_key(viewer.tenant, identifier))
        async with self._database.unit_of_work(viewer.tenant) as connection:
            await self._discard(connection, viewer, place.key, self._settings.drive_write_seconds)
        return place

    async def end_completion(self, viewer: Viewer, place: Place, digest: str, asked: Asked) -> pb.File:
        """The object is written: the file is live. Another that was quicker wins.

        Aborted, AlreadyExists, NotFound, ResourceExhausted.
        """
        values = {**owned_by(viewer), "id": place.id, "key": place.key, "digest": digest}
        async with self._database.unit_of_work(viewer.tenant) as connection:

            async def work() -> pb.File:
                row = (await connection.execute(COMPLETE, values)).one_or_none()
                if row is None:
                    return (await self._find(connection, viewer, place.id)).file
                await self._keep(connection, viewer, place.key)
                await self._discard(connection, viewer, upload_key(viewer.tenant, place.id), 0)
                await self._within_limit(connection, viewer)
                return file_message(row)

            return await self._requests.once(connection, asked, pb.File, work)

    async def delete(self, viewer: Viewer, identifier: uuid.UUID, asked: Asked) -> None:
        """Remove a file; nothing when the same request did so before. AlreadyExists, NotFound."""
        async with self._database.unit_of_work(viewer.tenant) as connection:

            async def work() -> empty_pb2.Empty:
                await self._remove(connection, viewer, identifier)
                return empty_pb2.Empty()

            await self._requests.once(connection, asked, empty_pb2.Empty, work)

    async def _remove(self, connection: AsyncConnection, viewer: Viewer, identifier: uuid.UUID) -> None:
        row = (await connection.execute(DELETE, {**seen_by(viewer), "id": identifier})).one_or_none()
        if row is None:
            raise missing(identifier)
        if row.state == "LIVE":
            await self._discard(connection, viewer, row.object_key, self._settings.drive_grace_seconds)

    async def move(self, viewer: Viewer, source: str, target: str, asked: Asked) -> pb.File:
        """Another path for a file of the viewer's; what was there is replaced. AlreadyExists, NotFound."""
        values = {**owned_by(viewer), "path": source, "target": target}
        async with self._database.unit_of_work(viewer.tenant) as connection:

            async def work() -> pb.File:
                gone = (await connection.execute(MAKE_ROOM, values)).one_or_none()
                row = (await connection.execute(MOVE, values)).one_or_none()
                if row is None:
                    raise NotFound(f"there is no file {source}", metadata={"path": source})
                if gone is not None and gone.state == "LIVE":
                    await self._discard(connection, viewer, gone.object_key, self._settings.drive_grace_seconds)
                return file_message(row)

            return await self._requests.once(connection, asked, pb.File, work)

    async def _find(self, connection: AsyncConnection, viewer: Viewer, identifier: uuid.UUID) -> Stored:
        row = (await connection.execute(GET, {**seen_by(viewer), "id": identifier})).one_or_none()
        if row is None:
            raise missing(identifier)
        return Stored(file_message(row), row.object_key, bool(row.expired))

    async def _discard(self, connection: AsyncConnection, viewer: Viewer, key: str, seconds: float) -> None:
        await connection.execute(DISCARD, {"tenant": uuid.UUID(viewer.tenant), "key": key, "seconds": float(seconds)})

    async def _keep(self, connection: AsyncConnection, viewer: Viewer, key: str) -> None:
        """The object of a key belongs to a file from now on. Aborted when the sweeper has it."""
        if not (await connection.execute(KEEP, {"tenant": uuid.UUID(viewer.tenant), "key": key})).rowcount:
            raise Aborted("storing the bytes took too long; try again")

    async def _within_limit(self, connection: AsyncConnection, viewer: Viewer, more: int = 0) -> None:
        limit = self._settings.drive_tenant_bytes
        used = (await connection.execute(USED, {"tenant": uuid.UUID(viewer.tenant)})).scalar_one_or_none() or 0
        if used + more > limit:
            raise ResourceExhausted(
                f"the files of this tenant may have {limit} bytes together; delete some first",
                metadata={"limit_bytes": str(limit)},
            )

    async def _few_begun(self, connection: AsyncConnection, viewer: Viewer) -> None:
        most = self._settings.drive_open_uploads
        if (await connection.execute(BEGUN, owned_by(viewer))).scalar_one() >= most:
            raise ResourceExhausted(
                f"{most} uploads are begun and not completed; complete them, or wait until they expire",
                metadata={"limit_uploads": str(most)},
            )


def seen_by(viewer: Viewer) -> dict[str, object]:
    """Parameters of SEEN."""
    return {"tenant": uuid.UUID(viewer.tenant), "only_owner": viewer.only_owner}


def owned_by(viewer: Viewer) -> dict[str, object]:
    """Parameters that name tenant and owner."""
    return {"tenant": uuid.UUID(viewer.tenant), "owner": viewer.subject}


def file_message(row: Row[Any]) -> pb.File:
    """A row as its message."""
    name = f"files/{row.id}"
    made = pb.File(
        name=name,
        path=row.path,
        content_type=row.content_type,
        size=row.size,
        digest=row.digest or "",
        state=pb.File.State.Value(f"STATE_{row.state}"),
        owner=row.owner,
        uri=name,
    )
    made.create_time.FromDatetime(row.created_at)
    made.update_time.FromDatetime(row.updated_at)
    return made
