"""The channels service and a real session service in this process, a receiver of webhooks, and the engine's hand."""

import asyncio
import base64
import contextlib
import io
import json
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from joserfc.jwk import OKPKey
from parley.channels.v1 import channel_service_pb2 as pb
from parley.channels.v1 import channel_service_pb2_grpc as channel_grpc
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import ledger_service_pb2_grpc as ledger_grpc
from parley.session.v1 import session_pb2, session_service_pb2
from parley.session.v1 import session_service_pb2_grpc as session_grpc

from services.channels.config import ChannelsSettings
from services.channels.server import ChannelsService
from services.common import context
from services.common.security import webhook_signatures as signatures
from services.common.security.principal import service_principal
from services.common.service import Chassis, assemble, connect, stop
from tests.doubles.webhook_receiver import Behaviour, WebhookReceiver
from tests.integration.llm.running import Caller, Keys
from tests.servers import Nats, Postgres
from tests.waiting import until

LEASE_SECONDS = 30
PENDING, DELIVERED, FAILED = pb.Delivery.STATE_PENDING, pb.Delivery.STATE_DELIVERED, pb.Delivery.STATE_FAILED


class MoreKeys(Keys):
    """Keys of every service that takes part here."""

    def __post_init__(self) -> None:
        super().__post_init__()
        known = json.loads((self.folder / "mesh.json").read_text())["keys"]
        for name in ("session", "channels"):
            key = OKPKey.generate_key("Ed25519", private=True)
            (self.folder / f"{name}.pem").write_bytes(key.as_pem(private=True))
            known.append({**key.as_dict(private=False), "kid": name, "use": "sig"})
        (self.folder / "mesh.json").write_text(json.dumps({"keys": known}))


@dataclass(frozen=True)
class Answered:
    """What the door said."""

    status: int
    body: Any
    headers: Mapping[str, str]
    raw: bytes = b""


@dataclass
class Running:
    """A channels service that can be ended in order or as if it had been killed."""

    service: ChannelsService
    chassis: Chassis

    async def stop(self) -> None:
        await stop(self.service, self.chassis)

    async def die(self) -> None:
        """Its loops end without giving anything back; then its connections are closed."""
        for name in ("database", "relay_database"):
            await getattr(self.chassis, name).close()
        await self.chassis.tasks.close()
        await self.stop()


async def run_channels(settings: ChannelsSettings) -> Running:
    service = ChannelsService()
    chassis = assemble(service.name, settings)
    await connect(chassis)
    await service.open(chassis)
    await chassis.server.start()
    await chassis.operations.start(settings.host, settings.operations_port)
    await chassis.server.set_ready(True)
    return Running(service, chassis)


@dataclass
class ChannelsWorld:
    """Everything, and one tenant at a time."""

    settings: ChannelsSettings
    running: Running
    session: Chassis
    caller: Caller
    http: aiohttp.ClientSession
    postgres: Postgres
    nats: Nats
    folder: Path
    receiver: WebhookReceiver = field(default_factory=WebhookReceiver)
    tenant: str = field(default_factory=lambda: str(uuid.uuid4()))
    turns: dict[str, int] = field(default_factory=dict)

    @property
    def stub(self) -> Any:
        return channel_grpc.ChannelServiceStub(self.caller.mesh.channel("channels"))

    @property
    def ledger(self) -> Any:
        return ledger_grpc.LedgerServiceStub(self.caller.mesh.channel("session"))

    async def call(self, method: str, request: Any, *, tenant: str = "", role: str = "admin") -> Any:
        with self.caller.acting(tenant or self.tenant, role):
            return await getattr(self.stub, method)(request)

    async def create(self, identifier: str = "shop", **more: Any) -> pb.Channel:
        """An enabled webhook channel; the receiver knows its secret."""
        uri = more.pop("uri", self.receiver.url)
        tenant = more.pop("tenant", "")
        values = {"kind": pb.Channel.KIND_WEBHOOK, "bot": "bots/hello", "enabled": True, **more}
        channel = pb.Channel(webhook=pb.Webhook(uri=uri), **values)
        request = pb.CreateChannelRequest(channel=channel, channel_id=identifier)
        made: pb.Channel = await self.call("CreateChannel", request, tenant=tenant)
        self.receiver.secrets.append(made.webhook.secret)
        return made

    async def post(self, channel: pb.Channel, body: Any, **more: Any) -> Answered:
        """A signed post; `more` overrides id, timestamp, secret, headers or path."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        identifier = more.get("id", f"msg_{uuid.uuid4().hex}")
        timestamp = more.get("timestamp", int(time.time()))
        secret = opened(more.get("secret", channel.webhook.secret))
        headers = {"Content-Type": "application/json", **signatures.headers(secret, identifier, timestamp, raw)}
        headers = {name: value for name, value in {**headers, **more.get("headers", {})}.items() if value is not None}
        return await self.knock(more.get("path", channel.inbound_path), raw, headers)

    async def knock(self, path: str, raw: bytes, headers: Mapping[str, str]) -> Answered:
        address = f"http://127.0.0.1:{self.settings.operations_port}{path}"
        async with self.http.post(address, data=io.BytesIO(raw), headers=headers) as response:
            text = await response.read()
            return Answered(response.status, json.loads(text), dict(response.headers), text)

    async def said(self, session: str) -> list[str]:
        """The ledger of a session, texts in order."""
        with self.caller.acting(self.tenant):
            stub = session_grpc.SessionServiceStub(self.caller.mesh.channel("session"))
            request = session_service_pb2.ListMessagesRequest(parent=session, page_size=200)
            answer: Any = await stub.ListMessages(request)
        return [message.text for message in answer.messages]

    async def open_session(self, channel: pb.Channel, user: str = "ada") -> str:
        """A session that somebody opened through the door."""
        answered = await self.post(channel, message("hello", user=user))
        assert answered.status == 202, answered.body
        return str(answered.body["session"])

    async def reply(self, session: str, *texts: str) -> None:
        """Be the engine: claim the turn of a session and commit what it says."""
        key = ledger_pb.SessionKey(tenant=self.tenant, session=session)
        claim = ledger_pb.ClaimTurnsRequest(worker="test", sessions=[key], limit=1)
        claim.lease.FromSeconds(LEASE_SECONDS)
        with context.acting_for(service_principal("engine")):
            claimed: Any = None

            async def found() -> bool:
                nonlocal claimed
                claimed = await self.ledger.ClaimTurns(claim)
                return bool(claimed.turns)

            await until(found)
            turn = claimed.turns[0]
            await self.ledger.CommitTurn(commit_of(turn, texts))

    async def converse(self, channel: pb.Channel, session: str, *texts: str, user: str = "ada") -> None:
        """A message from the person, then a turn that says something."""
        answered = await self.post(channel, message("go on", user=user))
        assert answered.body["session"] == session
        await self.reply(session, *texts)

    async def deliveries(self, channel: pb.Channel, **more: Any) -> list[pb.Delivery]:
        request = pb.ListDeliveriesRequest(parent=channel.name, **more)
        answer: pb.ListDeliveriesResponse = await self.call("ListDeliveries", request)
        return list(answer.deliveries)

    async def settled(
        self, channel: pb.Channel, count: int, state: pb.Delivery.State.ValueType = DELIVERED, seconds: float = 45.0
    ) -> None:
        """Wait until so many deliveries of a channel are in a state."""

        async def met() -> bool:
            return len(await self.deliveries(channel, state=state, page_size=200)) == count

        await until(met, seconds)

    async def unconfirmed(self) -> list[str]:
        """Ids of this tenant's replies that the ledger still holds."""
        with context.acting_for(service_principal("engine")):
            page = await self.ledger.ListDeliveries(ledger_pb.ListDeliveriesRequest(page_size=500))
        return [item.id for item in page.deliveries if item.tenant == self.tenant]

    async def restart(self) -> None:
        self.running = await run_channels(self.settings)


def opened(secret: str) -> bytes:
    """The bytes of "whsec_..."."""
    return base64.b64decode(secret.removeprefix("whsec_"))


def message(text: str, user: str = "ada", **more: Any) -> dict[str, Any]:
    """A body."""
    return {"type": "message", "user": {"id": user}, "message": {"text": text, **more}}


def commit_of(turn: ledger_pb.Turn, texts: tuple[str, ...]) -> ledger_pb.CommitTurnRequest:
    """The end of a turn that waits for the person again."""
    replies = [ledger_pb.Reply(ordinal=number, text=text) for number, text in enumerate(texts)]
    made = ledger_pb.CommitTurnRequest(
        lease=turn.lease, turn=turn.turn, route=turn.route, replies=replies, consumed_seq=turn.input.seq
    )
    made.waiting.kind = session_pb2.Waiting.KIND_MESSAGE
    return made


@contextlib.asynccontextmanager
async def receiving(world: ChannelsWorld) -> AsyncIterator[None]:
    """The world with a receiver that has forgotten everything, and a tenant of its own."""
    world.receiver = WebhookReceiver(behaviour=Behaviour())
    await world.receiver.start()
    world.tenant = str(uuid.uuid4())
    try:
        yield
    finally:
        await asyncio.wait_for(world.receiver.stop(), 10)
