"""The engine's turns in this process over a real ledger: workers that end at a boundary as if they had been killed."""

import asyncio
import contextlib
import dataclasses
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import asyncpg
from parley.engine.v1 import bot_pb2, bot_service_pb2, bot_service_pb2_grpc
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import session_pb2 as pb
from parley.session.v1 import session_service_pb2 as service_pb
from parley.session.v1 import session_service_pb2_grpc as service_grpc

from services.common import context
from services.common.bus.connection import Bus
from services.common.security.principal import Principal, service_principal
from services.common.service import Chassis
from services.engine.effects import Effects, Setting
from services.engine.keywords.models.port import Models
from services.engine.keywords.world import World
from services.engine.machine import machine as m
from services.engine.mail.port import Mail, Mailer
from services.engine.program.values import Value
from services.engine.turn import Tools, TurnRunner, lease_of
from services.engine.web.port import Request, Web
from services.engine.worker import Worker, originator
from tests.integration.llm.running import Caller
from tests.waiting import until

BOT = "teller"
PERSONAL = frozenset({"user_id", "session_id", "from", "username", "user", "session"})
WRITES = frozenset({"SEND MAIL", "POST"})


class Killed(BaseException):
    """The process is gone: nothing that would tidy up may catch this."""


@dataclass
class Crashes:
    """Every boundary of a conversation's turns, in words; a worker dies the first time it comes to one of `at`.

    everywhere: at each boundary, once.
    """

    at: frozenset[str] = frozenset()
    everywhere: bool = False
    passed: list[str] = field(default_factory=list)
    died: set[str] = field(default_factory=set)

    def boundary(self, label: str) -> None:
        """Killed, where that is wanted."""
        self.passed.append(label)
        if label not in self.died and (self.everywhere or label in self.at):
            self.died.add(label)
            raise Killed(label)


@dataclass
class Watched:
    """A ledger whose calls are boundaries."""

    stub: Any
    crashes: Crashes
    last: ledger_pb.CommitTurnRequest | None = None
    recorded: set[str] = field(default_factory=set)

    async def CheckpointTurn(self, request: ledger_pb.CheckpointTurnRequest) -> Any:
        keys = [entry.key for entry in request.journal]
        label = f"turn {request.turn} checkpoint {keys or [item.ordinal for item in request.replies]}"
        self.crashes.boundary(f"before {label}")
        answer = await self.stub.CheckpointTurn(request)
        self.recorded.update(f"{request.turn}/{key}" for key in keys)
        self.crashes.boundary(f"after {label}")
        return answer

    async def CommitTurn(self, request: ledger_pb.CommitTurnRequest) -> Any:
        self.crashes.boundary(f"before turn {request.turn} commit")
        answer = await self.stub.CommitTurn(request)
        self.last = request
        self.crashes.boundary(f"after turn {request.turn} commit")
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stub, name)


class Recorder:
    """Mail, web and models of the outside: a new receipt for a new key, the old one for a key that is known."""

    def __init__(self) -> None:
        self.receipts: dict[str, int] = {}

    def receipt(self, world: World) -> int:
        return self.receipts.setdefault(world.key, len(self.receipts) + 1)

    async def send(self, world: World, mail: Mail) -> str:
        return f"mail {self.receipt(world)}: {mail.body}"

    async def ask(self, world: World, request: Request) -> Value:
        return {"status": 200, "statusText": "OK", "headers": {}, "data": {"id": self.receipt(world)}}

    async def complete(self, world: World, prompt: str, options: Mapping[str, Value]) -> str:
        return f"model: {prompt}"


@dataclass
class Performed:
    """An effect that was begun, and whether the journal of its turn had it already."""

    turn: int
    key: str
    keyword: str
    arguments: Mapping[str, Value]
    recorded: bool

    @property
    def once(self) -> tuple[int, str, str, str]:
        """The same for a repetition."""
        return (self.turn, self.key, self.keyword, json.dumps(self.arguments, sort_keys=True))


class Noted(Effects):
    """Effects whose beginnings and ends are boundaries."""

    def __init__(self, ports: Mapping[Any, Any], ledger: Watched, crashes: Crashes) -> None:
        super().__init__(ports)
        self._ledger = ledger
        self._crashes = crashes
        self.noted: list[Performed] = []

    async def perform(self, setting: Setting, wanted: m.PerformEffect) -> m.EffectResult | m.EffectError:
        turn = setting.turn.turn
        self._crashes.boundary(f"before turn {turn} effect {wanted.key}")
        recorded = f"{turn}/{wanted.key}" in self._ledger.recorded
        self.noted.append(Performed(turn, wanted.key, wanted.keyword, wanted.arguments, recorded))
        result = await super().perform(setting, wanted)
        self._crashes.boundary(f"after turn {turn} effect {wanted.key}")
        return result


@dataclass(frozen=True)
class Told:
    """What became of a conversation."""

    lines: list[tuple[str, list[str]]]
    variables: dict[str, Value]
    kept: dict[str, Value]
    writes: set[tuple[int, str, str, str]]
    receipts: int


@dataclass(repr=False)
class TurnsWorld:
    """What the tests stand on."""

    engine: Chassis
    caller: Caller
    superuser: asyncpg.Pool
    tools: Tools

    @property
    def bots(self) -> Any:
        return bot_service_pb2_grpc.BotServiceStub(self.caller.mesh.channel("engine"))

    @property
    def sessions(self) -> Any:
        return service_grpc.SessionServiceStub(self.caller.mesh.channel("session"))

    async def sql(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """As the superuser: row-level security does not apply."""
        rows: list[asyncpg.Record] = await self.superuser.fetch(statement, *arguments)
        return rows

    async def published(
        self, source: str, tenant: str = "", others: Mapping[str, str] | None = None, *, migrate: bool = False
    ) -> str:
        """The tenant with a bot of this script, and other scripts by their names."""
        new = not tenant
        tenant = tenant or str(uuid.uuid4())
        scripts = {"start": source, **(others or {})}
        with self.caller.acting(tenant):
            if new:
                request = bot_service_pb2.CreateBotRequest(bot_id=BOT, bot=bot_pb2.Bot(), request_id=str(uuid.uuid4()))
                await self.bots.CreateBot(request)
            await self.bots.PublishBot(
                bot_service_pb2.PublishBotRequest(
                    bot=f"bots/{BOT}",
                    scripts=[bot_pb2.Script(path=f"{name}.bas", text=text) for name, text in scripts.items()],
                    migrate=migrate,
                )
            )
        return tenant

    async def told(self, source: str, answers: Sequence[str], crashes: Crashes, others: Mapping[str, str]) -> Told:
        """A whole conversation with workers that die where `crashes` says."""
        talk = Talk(self, await self.published(source, others=others), crashes)
        await talk.open()
        await talk.settle()
        for answer in answers:
            if talk.over:
                break
            await talk.say(answer)
            await talk.settle()
        return await talk.told()


class Talk:
    """One conversation, its worker and whoever comes after it."""

    def __init__(self, world: TurnsWorld, tenant: str, crashes: Crashes | None = None) -> None:
        self.world = world
        self.who = Principal(tenant, f"visitors/{uuid.uuid4()}", frozenset({"visitor"}))
        self.crashes = crashes or Crashes()
        base = world.tools
        self.ledger = Watched(base.ledger, self.crashes)
        self.recorder = Recorder()
        ports = {**base.effects._ports, Mailer: self.recorder, Web: self.recorder, Models: self.recorder}
        self.effects = Noted(ports, self.ledger, self.crashes)
        self.tools = dataclasses.replace(base, ledger=self.ledger, effects=self.effects)  # type: ignore[arg-type]
        self.session = ""
        self.claims = 0

    @contextlib.contextmanager
    def acting(self) -> Iterator[None]:
        with context.acting_for(self.who):
            yield

    async def open(self) -> None:
        with self.acting():
            request = service_pb.CreateSessionRequest(session=pb.Session(bot=f"bots/{BOT}"))
            self.session = (await self.world.sessions.CreateSession(request)).name

    async def say(self, text: str) -> None:
        with self.acting():
            await self.world.sessions.PostMessage(service_pb.PostMessageRequest(session=self.session, text=text))

    async def heard(self) -> list[pb.Message]:
        """Every line so far."""
        with self.acting():
            request = service_pb.ListMessagesRequest(parent=self.session, page_size=500)
            return list((await self.world.sessions.ListMessages(request)).messages)

    async def said(self) -> list[str]:
        """Texts of the bot and the system."""
        return [line.text for line in await self.heard() if line.role != pb.Message.ROLE_USER]

    @property
    def over(self) -> bool:
        """The last commit left no program."""
        return self.ledger.last is not None and not self.ledger.last.bot_version

    async def settle(self) -> None:
        """Turn after turn, one worker after another, until the conversation waits for a message."""
        while True:
            turn = await self._claim()
            if turn is not None:
                await self._run(turn)
            elif self.ledger.last is None or self.ledger.last.waiting.kind != pb.Waiting.KIND_TIMER:
                return
            else:
                await until(self._ready)

    async def _ready(self) -> bool:
        rows = await self.world.sql(
            "SELECT 1 FROM session.session_wakeups WHERE session_id = $1 AND wake_at <= clock_timestamp()",
            uuid.UUID(self.session.removeprefix("sessions/")),
        )
        return bool(rows)

    async def _claim(self) -> ledger_pb.Turn | None:
        self.claims += 1
        key = ledger_pb.SessionKey(tenant=self.who.tenant_id, session=self.session)
        request = ledger_pb.ClaimTurnsRequest(
            worker=f"worker-{self.claims}", sessions=[key], limit=1, lease=lease_of(self.tools.settings)
        )
        with context.acting_for(service_principal("engine")):
            found = list((await self.ledger.stub.ClaimTurns(request)).turns)
        try:
            if found:
                self.crashes.boundary(f"after turn {found[0].turn} claim")
        except Killed:
            await self.lapse()
            return await self._claim()
        return found[0] if found else None

    async def _run(self, turn: ledger_pb.Turn) -> None:
        try:
            with context.acting_for(originator(turn), seconds=30.0):
                await TurnRunner(self.tools, turn).run()
        except Killed:
            await self.lapse()

    async def lapse(self) -> None:
        """The lease of whoever died runs out now."""
        await self.world.sql(
            "UPDATE session.user_sessions SET lease_until = clock_timestamp() - interval '1 second' "
            "WHERE id = $1 AND lease_until IS NOT NULL",
            uuid.UUID(self.session.removeprefix("sessions/")),
        )

    async def state(self) -> dict[str, Any]:
        """The state as the ledger has it."""
        rows = await self.world.sql(
            "SELECT state FROM session.user_sessions WHERE id = $1", uuid.UUID(self.session.removeprefix("sessions/"))
        )
        found: dict[str, Any] = json.loads(rows[0]["state"] or b"{}")
        return found

    async def told(self) -> Told:
        lines = [
            (line.text, [item.text for item in line.suggestions])
            for line in await self.heard()
            if line.role != pb.Message.ROLE_USER
        ]
        rows = await self.world.sql(
            "SELECT key, value FROM session.variables WHERE tenant_id = $1", uuid.UUID(self.who.tenant_id)
        )
        writes = [item for item in self.effects.noted if item.keyword in WRITES]
        again = [item for item in writes if item.recorded]
        assert not again, f"performed although the journal has it: {again}"
        variables = (await self.state()).get("g", {})
        return Told(
            lines=lines,
            variables={name: value for name, value in variables.items() if name not in PERSONAL},
            kept={row["key"]: row["value"] for row in rows},
            writes={item.once for item in writes},
            receipts=len(self.recorder.receipts),
        )


class Replica:
    """A whole worker with a connection to NATS of its own: another process, but for the process."""

    def __init__(self, world: TurnsWorld, tools: Tools) -> None:
        address = world.engine.settings.nats_url
        assert address is not None
        bus = Bus(address.get_secret_value(), "engine", world.engine.metrics)
        self._bus = bus
        self.worker = Worker(dataclasses.replace(tools, bus=bus), world.engine.metrics)
        self.running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._bus.open()
        await self.worker.listen()
        self.running = asyncio.create_task(self.worker.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def kill(self) -> None:
        """It neither commits nor gives back what it holds."""
        tasks = [task for task in (self.running, *self.worker._tasks) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._bus.close()


async def together(*pending: Any) -> list[Any]:
    """Some conversations at once."""
    return list(await asyncio.gather(*pending))
