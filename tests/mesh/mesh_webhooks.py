"""Somebody's system that talks to a bot over a signed webhook."""

import datetime
import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from standardwebhooks.webhooks import Webhook

from tests.doubles.webhook_receiver import WebhookReceiver
from tests.mesh.mesh_world import Answer, Mesh


@dataclass
class Sender:
    """Posts signed messages to a channel."""

    mesh: Mesh
    path: str
    secret: str
    name: str = ""

    async def post(self, text: str, *, identifier: str = "", at: float = 0.0, **changes: Any) -> Answer:
        """A message signed by the `standardwebhooks` package; `at`: the time it claims."""
        body = json.dumps({"type": "message", "user": {"id": "ada"}, "message": {"text": text}} | changes)
        return await self.send(identifier or str(uuid.uuid4()), at or time.time(), body)

    async def send(self, identifier: str, at: float, body: str, signed: str = "") -> Answer:
        """Bytes as they are; `signed`: the bytes the signature is of, when they are others."""
        when = datetime.datetime.fromtimestamp(int(at), datetime.UTC)
        headers = {
            "webhook-id": identifier,
            "webhook-timestamp": str(int(at)),
            "webhook-signature": Webhook(self.secret).sign(identifier, when, signed or body),
        }
        return await self.mesh.call("POST", self.path, data=body.encode(), headers=headers)


@asynccontextmanager
async def channel_of(mesh: Mesh) -> AsyncIterator[tuple[Sender, WebhookReceiver]]:
    """A new channel of `hello`, and who takes its replies."""
    receiver = WebhookReceiver()
    await receiver.start()
    try:
        body = {"kind": "KIND_WEBHOOK", "bot": "bots/hello", "webhook": {"uri": receiver.url}}
        made = await mesh.ok("POST", f"/v1/channels?channel_id=hook-{uuid.uuid4().hex[:10]}", body, mesh.owner)
        receiver.secrets = [made["webhook"]["secret"]]
        yield Sender(mesh, made["inbound_path"], made["webhook"]["secret"], made["name"]), receiver
        await mesh.ok("DELETE", f"/v1/{made['name']}", token=mesh.owner)
    finally:
        await receiver.stop()
