"""The real session service in this process, over gRPC, with people and workers who use it."""

import asyncio
import base64
import contextlib
import datetime
import json
import secrets
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import asyncpg
import grpc
from google.protobuf import duration_pb2
from joserfc.jwk import OKPKey
from parley.engine.v1 import bot_pb2, bot_service_pb2, bot_service_pb2_grpc
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import ledger_service_pb2_grpc as ledger_grpc
from parley.session.v1 import session_pb2 as pb
from parley.session.v1 import session_service_pb2 as service_pb
from parley.session.v1 import session_service_pb2_grpc as service_grpc
from parley.session.v1 import variable_service_pb2_grpc as variable_grpc

from cli.stack.layout import Layout, unused_port
from cli.stack.servers import DATABASE, SUPERUSER
from services.common import context
from services.common.config import Settings
from services.common.db import migrate
from services.common.rpc.client import Mesh
from services.common.security.principal import Principal, service_principal
from services.common.security.tokens import MeshSigner
from services.common.service import Chassis
from services.session.config import SessionSettings
from services.session.server import SessionService
from tests.integration.llm.running import running
from tests.integration.session_identity.world import ADMIN_PASSWORD
from tests.servers import Nats, Postgres
from tests.waiting import until

BOT = "bots/hello"
LEASE = 30.0


class Bots(bot_service_pb2_grpc.BotServiceServicer):
    """The engine's directory: it knows one bot."""

    async def GetBot(self, request: bot_service_pb2.GetBotRequest, context_: Any) -> bot_pb2.Bot:
        if request.name != BOT:
            await context_.abort(grpc.StatusCode.NOT_FOUND, "no such bot")
        return bot_pb2.Bot(name=request.name, display_name="Front desk")


@contextlib.asynccontextmanager
async def bots_running() -> AsyncIterator[int]:
    """The port of a directory of bots."""
    server = grpc.aio.server()
    bot_service_pb2_grpc.add_BotServiceServicer_to_server(Bots(), server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield port
    await server.stop(0.1)


def mesh_keys(folder: Path, *names: str) -> None:
    """A key file a service, and the public halves in mesh.json."""
    public = []
    for name in names:
        key = OKPKey.generate_key("Ed25519", private=True)
        (folder / f"{name}.pem").write_bytes(key.as_pem(private=True))
        public.append({**key.as_dict(private=False), "kid": name, "use": "sig"})
    (folder / "mesh.json").write_text(json.dumps({"keys": public}))


@dataclass
class LedgerWorld:
    """The service, what it stands on, and stubs that call it from inside the mesh."""

    service: SessionService
    chassis: Chassis
    settings: SessionSettings
    folder: Path
    mesh: Mesh
    nats: Nats
    superuser: asyncpg.Pool
    plain: grpc.aio.Channel
    bots_port: int
    valkey_url: str

    def __post_init__(self) -> None:
        channel = self.mesh.channel("session")
        self.ledger: Any = ledger_grpc.LedgerServiceStub(channel)
        self.sessions: Any = service_grpc.SessionServiceStub(channel)
        self.variables: Any = variable_grpc.VariableServiceStub(channel)

    async def sql(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """As the superuser: row-level security does not apply."""
        rows: list[asyncpg.Record] = await self.superuser.fetch(statement, *arguments)
        return rows

    async def lapse(self, session: str) -> None:
        """The lease of a session runs out now."""
        await self.sql(
            "UPDATE session.user_sessions SET lease_until = clock_timestamp() - interval '1 second' "
            "WHERE id = $1 AND lease_until IS NOT NULL",
            uuid.UUID(session.removeprefix("sessions/")),
        )

    def token_of(self, who: Principal) -> str:
        """A person's own token, as the edge would pass it on."""
        assert self.service._identity is not None
        return self.service._identity.issue_for(who).text

    def person(self, tenant: str = "", *roles: str) -> "Person":
        """Somebody new."""
        who = Principal(tenant or str(uuid.uuid4()), f"visitors/{uuid.uuid4()}", frozenset(roles or ("visitor",)))
        return Person(self, who)

    async def nats_is_back(self) -> None:
        """Start NATS again and wait until the service has noticed."""
        await self.nats.start()
        await until(lambda: self.chassis.bus.connected)


@dataclass
class Person:
    """Somebody with a session."""

    world: LedgerWorld
    who: Principal
    session: str = ""

    @property
    def tenant(self) -> str:
        return self.who.tenant_id

    @property
    def key(self) -> ledger_pb.SessionKey:
        return ledger_pb.SessionKey(tenant=self.tenant, session=self.session)

    @contextlib.contextmanager
    def acting(self) -> Iterator[None]:
        with context.acting_for(self.who):
            yield

    async def open(self, request_id: str = "") -> pb.Session:
        with self.acting():
            made: pb.Session = await self.world.sessions.CreateSession(
                service_pb.CreateSessionRequest(session=pb.Session(bot=BOT), request_id=request_id)
            )
        self.session = made.name
        return made

    async def say(self, text: str, request_id: str = "", **more: Any) -> pb.Message:
        request = service_pb.PostMessageRequest(session=self.session, text=text, request_id=request_id, **more)
        with self.acting():
            made: pb.Message = await self.world.sessions.PostMessage(request)
        return made

    async def stands(self) -> pb.Session:
        with self.acting():
            found: pb.Session = await self.world.sessions.GetSession(service_pb.GetSessionRequest(name=self.session))
        return found

    async def ledger(self, after: int = 0) -> list[pb.Message]:
        """Every line after a number, page by page."""
        request = service_pb.ListMessagesRequest(parent=self.session, after_seq=after, page_size=500)
        lines: list[pb.Message] = []
        with self.acting():
            while True:
                page = await self.world.sessions.ListMessages(request)
                lines.extend(page.messages)
                if not page.next_page_token:
                    return lines
                request.page_token = page.next_page_token

    def listen(self, after: int = 0) -> "Listening":
        return Listening(self, after)


@dataclass
class Listening:
    """StreamEvents, noted down."""

    person: Person
    after: int
    events: list[pb.SessionEvent] = field(default_factory=list)
    _task: "asyncio.Task[None] | None" = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._note())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _note(self) -> None:
        request = service_pb.StreamEventsRequest(session=self.person.session, after_seq=self.after)
        with self.person.acting():
            async for event in self.person.world.sessions.StreamEvents(request):
                self.events.append(event)

    @property
    def numbers(self) -> list[int]:
        """The seq of every message, in the order they came."""
        return [event.message.seq for event in self.events if event.HasField("message")]

    @property
    def ended(self) -> bool:
        return any(event.HasField("ended") for event in self.events)


@dataclass
class Worker:
    """A worker of the engine."""

    world: LedgerWorld
    name: str = field(default_factory=lambda: f"worker-{uuid.uuid4().hex[:8]}")

    async def claim(self, *people: Person, lease: float = LEASE) -> list[ledger_pb.Turn]:
        request = ledger_pb.ClaimTurnsRequest(
            worker=self.name, sessions=[person.key for person in people], limit=16, lease=seconds(lease)
        )
        with context.acting_for(service_principal("engine")):
            return list((await self.world.ledger.ClaimTurns(request)).turns)

    async def claim_one(self, person: Person, lease: float = LEASE) -> ledger_pb.Turn:
        turns = await self.claim(person, lease=lease)
        assert len(turns) == 1, "the session was not to be had"
        return turns[0]

    async def checkpoint(self, turn: ledger_pb.Turn, *texts: str, **more: Any) -> int:
        request = ledger_pb.CheckpointTurnRequest(
            lease=turn.lease,
            turn=turn.turn,
            route=turn.route,
            replies=replies(turn.said, texts),
            lease_duration=seconds(LEASE),
            **more,
        )
        with context.acting_for(service_principal("engine")):
            return int((await self.world.ledger.CheckpointTurn(request)).last_seq)

    async def commit(self, turn: ledger_pb.Turn, *texts: str, said: int | None = None, **more: Any) -> Any:
        request = ledger_pb.CommitTurnRequest(
            lease=turn.lease,
            turn=turn.turn,
            route=turn.route,
            consumed_seq=turn.input.seq,
            replies=replies(turn.said if said is None else said, texts),
            **{"waiting": pb.Waiting(kind=pb.Waiting.KIND_MESSAGE), **more},
        )
        with context.acting_for(service_principal("engine")):
            return await self.world.ledger.CommitTurn(request)

    async def renew(self, turn: ledger_pb.Turn, duration: float = LEASE) -> datetime.datetime:
        request = ledger_pb.RenewLeaseRequest(lease=turn.lease, duration=seconds(duration))
        with context.acting_for(service_principal("engine")):
            renewed = await self.world.ledger.RenewLease(request)
        until: datetime.datetime = renewed.expire_time.ToDatetime(datetime.UTC)
        return until

    async def abandon(self, turn: ledger_pb.Turn, delay: float = 0.0) -> None:
        request = ledger_pb.AbandonTurnRequest(lease=turn.lease, delay=seconds(delay))
        with context.acting_for(service_principal("engine")):
            await self.world.ledger.AbandonTurn(request)

    async def serve(self, person: Person) -> None:
        """Turn after turn until nothing is ready."""
        while turns := await self.claim(person):
            await self.commit(turns[0], *echo(turns[0]))


def echo(turn: ledger_pb.Turn) -> list[str]:
    """What the bot of these tests says: nothing of its own accord."""
    return [f"echo {turn.input.text}"] if turn.HasField("input") else []


def replies(said: int, texts: tuple[str, ...]) -> list[ledger_pb.Reply]:
    """Replies that follow on what the turn has said."""
    return [ledger_pb.Reply(ordinal=said + place, text=text) for place, text in enumerate(texts)]


def seconds(count: float) -> duration_pb2.Duration:
    made = duration_pb2.Duration()
    made.FromTimedelta(datetime.timedelta(seconds=count))
    return made


async def fresh_database(postgres: Postgres, layout: Layout, name: str) -> dict[str, str]:
    """A database of its own, migrated; its address by role."""
    superuser = (
        f"postgresql://{SUPERUSER}:{layout.secrets()['postgres']}@127.0.0.1:{postgres.component.port}/{DATABASE}"
    )
    connection = await asyncpg.connect(superuser)
    try:
        await connection.execute(f"CREATE DATABASE {name} OWNER parley_owner")
    finally:
        await connection.close()
    addresses = {"owner": postgres.owner_dsn, "app": postgres.app_dsn, "relay": postgres.relay_dsn, "super": superuser}
    made = {role: f"{address.rpartition('/')[0]}/{name}" for role, address in addresses.items()}
    await migrate.run(made["owner"], ["session"], checking=False)
    return made


def settings_of(folder: Path, dsn: dict[str, str], nats: Nats, valkey_url: str, bots_port: int) -> SessionSettings:
    """Quick to sweep, cheap with passwords."""
    (folder / "admin").write_text(ADMIN_PASSWORD + "\n")
    operations_port = unused_port(set())
    return SessionSettings.model_validate(
        {
            "port": unused_port({operations_port}),
            "operations_port": operations_port,
            "postgres_dsn": dsn["app"],
            "postgres_relay_dsn": dsn["relay"],
            "nats_url": nats.url,
            "valkey_url": valkey_url,
            "mesh_key_file": folder / "session.pem",
            "mesh_jwks_file": folder / "mesh.json",
            "page_token_secret": secrets.token_hex(16),
            "token_jwks_url": f"http://127.0.0.1:{operations_port}/.well-known/jwks.json",
            "key_encryption_key": base64.b64encode(secrets.token_bytes(32)).decode(),
            "admin_password_file": folder / "admin",
            "argon2_memory_kib": 64,
            "argon2_iterations": 1,
            "signing_key_lead_seconds": 0,
            "engine_address": f"127.0.0.1:{bots_port}",
            "maximum_sessions_per_person": 5,
            "sweep_interval": 0.1,
            "sweep_grace": 0.2,
            "stop_seconds": 0.5,
        }
    )


@contextlib.asynccontextmanager
async def ledger_world(
    postgres: Postgres, nats: Nats, valkey_url: str, layout: Layout, name: str
) -> AsyncIterator[LedgerWorld]:
    """Everything, running; `name` is that of its database."""
    folder = layout.data / name
    folder.mkdir()
    mesh_keys(folder, "session", "engine", "realtime")
    dsn = await fresh_database(postgres, layout, name)
    async with bots_running() as bots_port, asyncpg.create_pool(dsn["super"], min_size=1, max_size=4) as superuser:
        settings = settings_of(folder, dsn, nats, valkey_url, bots_port)
        service = SessionService()
        async with running(service, settings) as chassis:
            await chassis.operations.start(settings.host, settings.operations_port)
            target = f"{settings.host}:{settings.port}"
            caller = Settings.model_validate({**settings.model_dump(), "session_address": target})
            mesh = Mesh(caller, MeshSigner("engine", folder / "engine.pem"))
            plain = grpc.aio.insecure_channel(target)
            yield LedgerWorld(service, chassis, settings, folder, mesh, nats, superuser, plain, bots_port, valkey_url)
            await mesh.close()
            await plain.close()
