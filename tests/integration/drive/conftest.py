"""drive over gRPC, with real PostgreSQL and a real S3 store."""

import contextlib
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from parley.drive.v1 import file_service_pb2 as pb
from parley.drive.v1 import file_service_pb2_grpc

from cli.stack import servers
from cli.stack.layout import PORT_NAMES, Layout, unused_port
from services.common import context
from services.common.db import migrate
from services.common.errors import Unavailable
from services.common.security.principal import Principal
from services.common.service import Chassis
from services.drive.config import DriveSettings
from services.drive.objects.s3 import S3Objects
from services.drive.server import DriveService
from services.drive.sweeping import Sweeper
from tests.integration.llm.running import Caller, Keys, running
from tests.servers import Postgres, RunningServer
from tests.waiting import until

NEVER = 1_000_000


@dataclass
class DriveWorld:
    """The service, its caller and what it stands on. Its own sweeper sleeps: tests sweep when they want."""

    service: DriveService
    chassis: Chassis
    settings: DriveSettings
    caller: Caller
    stub: Any
    keys: Keys
    postgres: Postgres
    store: RunningServer
    http: httpx.AsyncClient
    tenant: str = field(default_factory=lambda: str(uuid.uuid4()))

    @contextlib.contextmanager
    def acting(self, name: str = "ann", role: str = "admin", tenant: str = "") -> Iterator[None]:
        who = Principal(tenant or self.tenant, f"users/{name}", frozenset({role}))
        with context.acting_for(who, seconds=30):
            yield

    @property
    def objects(self) -> S3Objects:
        assert isinstance(self.service.objects, S3Objects)
        return self.service.objects

    @property
    def sweeper(self) -> Sweeper:
        assert self.service.sweeper is not None
        return self.service.sweeper

    async def put(self, path: str, content: bytes, **more: Any) -> pb.File:
        made: pb.File = await self.stub.PutFile(pb.PutFileRequest(path=path, content=content, **more))
        return made

    async def begin(self, file_name: str, size: int, **more: Any) -> pb.CreateUploadResponse:
        request = pb.CreateUploadRequest(file_name=file_name, size=size, **more)
        made: pb.CreateUploadResponse = await self.stub.CreateUpload(request)
        return made

    async def complete(self, file: pb.File, **more: Any) -> pb.File:
        made: pb.File = await self.stub.CompleteUpload(pb.CompleteUploadRequest(name=file.name, **more))
        return made

    async def upload(self, file_name: str, content: bytes, **more: Any) -> pb.File:
        begun = await self.begin(file_name, len(content), **more)
        (await self.http.put(begun.upload_url, content=content)).raise_for_status()
        return await self.complete(begun.file)

    async def get(self, file: pb.File) -> pb.File:
        made: pb.File = await self.stub.GetFile(pb.GetFileRequest(name=file.name))
        return made

    async def events(self, file: pb.File, **more: Any) -> list[pb.ReadFileEvent]:
        return [event async for event in self.stub.ReadFile(pb.ReadFileRequest(name=file.name, **more))]

    async def read(self, file: pb.File, **more: Any) -> bytes:
        events = await self.events(file, **more)
        assert events[-1].WhichOneof("event") == "completed", events[-1]
        return b"".join(event.data for event in events)

    async def delete(self, file: pb.File, **more: Any) -> None:
        await self.stub.DeleteFile(pb.DeleteFileRequest(name=file.name, **more))

    async def paths(self, prefix: str = "") -> list[str]:
        return [item.path for item in (await self.stub.ListFiles(pb.ListFilesRequest(prefix=prefix))).files]

    async def bring_back(self) -> None:
        """Start a killed store. It answers at once, and takes bytes later, when its parts have found each other."""
        await self.store.start()

        async def writable() -> bool:
            try:
                await self.objects.put(f"probe/{uuid.uuid4()}", b"x")
            except Unavailable:
                return False
            return True

        await until(writable)

    def stored_keys(self) -> set[str]:
        """Keys of the tenant's objects that the store has."""
        found = self.objects._client.list_objects(self.settings.s3_bucket, f"{self.tenant}/", recursive=True)
        return {item.object_name for item in found}

    async def key_of(self, file: pb.File) -> str:
        row = await self.rows("SELECT object_key FROM drive.files WHERE id = $1", uuid.UUID(file.name[6:]))
        return str(row[0][0])

    async def rows(self, statement: str, *arguments: object) -> list[Any]:
        return await self.chassis.relay_database.call(statement, *arguments)

    async def make_due(self) -> None:
        """Time passes for what is to be removed from this tenant, and for its uploads."""
        tenant = uuid.UUID(self.tenant)
        await self.rows("UPDATE drive.garbage SET due = now() - interval '1 s' WHERE tenant_id = $1", tenant)
        await self.rows(
            "UPDATE drive.files SET expires_at = now() WHERE tenant_id = $1 AND state = 'UPLOADING'", tenant
        )


@contextlib.asynccontextmanager
async def another(drive: DriveWorld, **more: Any) -> AsyncIterator[DriveWorld]:
    """A second process of the service on the same rows and objects, with other settings."""
    ports = {"port": unused_port(set()), "operations_port": unused_port(set())}
    settings = DriveSettings.model_validate({**drive.settings.model_dump(), **ports, **more})
    service = DriveService()
    async with running(service, settings) as chassis:
        caller = Caller(drive.keys, drive=settings.port)
        stub = file_service_pb2_grpc.FileServiceStub(caller.mesh.channel("drive"))
        yield replace(drive, service=service, chassis=chassis, settings=settings, caller=caller, stub=stub)
        await caller.mesh.close()


def drive_settings(keys: Keys, layout: Layout, postgres: Postgres, s3_port: int, **more: Any) -> DriveSettings:
    secrets = layout.secrets()
    values = {
        "postgres_dsn": postgres.app_dsn,
        "postgres_relay_dsn": postgres.relay_dsn,
        "s3_endpoint": f"127.0.0.1:{s3_port}",
        "s3_access_key": secrets["s3_access"],
        "s3_secret_key": secrets["s3_secret"],
        "s3_bucket": "drive-tests",
        "s3_connect_seconds": 0.5,
        "s3_read_seconds": 3.0,
        "drive_sweep_seconds": NEVER,
        **more,
    }
    return keys.settings(DriveSettings, "drive", **values)


@contextlib.asynccontextmanager
async def running_store(layout: Layout) -> AsyncIterator[RunningServer]:
    ports: dict[str, int] = {}
    for name in PORT_NAMES:
        if name.startswith("s3"):
            ports[name] = unused_port(set(ports.values()))
    server = RunningServer(servers.object_store(layout, layout.secrets(), ports))
    await server.start()
    yield server
    server.kill()


@contextlib.asynccontextmanager
async def running_drive(
    postgres: Postgres, store: RunningServer, layout: Layout, folder: Path
) -> AsyncIterator[DriveWorld]:
    await migrate.run(postgres.owner_dsn, ["drive"], checking=False)
    keys = Keys(folder)
    settings = drive_settings(keys, layout, postgres, store.component.port)
    service = DriveService()
    async with running(service, settings) as chassis, httpx.AsyncClient(timeout=20) as http:
        assert service.objects is not None
        await service.objects.check()
        caller = Caller(keys, drive=settings.port)
        stub = file_service_pb2_grpc.FileServiceStub(caller.mesh.channel("drive"))
        yield DriveWorld(service, chassis, settings, caller, stub, keys, postgres, store, http)
        await caller.mesh.close()


@pytest.fixture(scope="session")
async def store(layout: Layout) -> AsyncIterator[RunningServer]:
    async with running_store(layout) as server:
        yield server


@pytest.fixture(scope="session")
async def drive_running(
    postgres: Postgres, store: RunningServer, layout: Layout, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[DriveWorld]:
    async with running_drive(postgres, store, layout, tmp_path_factory.mktemp("drive")) as world:
        yield world


@pytest.fixture
def drive(drive_running: DriveWorld) -> DriveWorld:
    drive_running.tenant = str(uuid.uuid4())
    return drive_running
