"""Who may call a webhook: whoever has its key, or signed with it, or anybody when the bot says so."""

import base64
import datetime
import hmac
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import ledger_service_pb2_grpc as ledger_grpc
from sqlalchemy import text

from services.common import context
from services.common.db.engine import Database
from services.common.errors import NotFound, Unauthenticated
from services.common.security import webhook_signatures as signatures
from services.common.security.principal import service_principal
from services.common.security.sealing import Vault
from services.engine.schedule.rows import unseal

KEY_HEADER, KEY_QUERY = "x-webhook-key", "key"
REMEMBER_SECONDS = 60.0
MOST_TENANTS = 10_000
FIND = text("""SELECT script, entry, bot_version, keyless, chosen, secret,
    CASE WHEN former_until > now() THEN former_secret END AS former
FROM engine.webhooks WHERE tenant_id = :tenant AND bot_id = :bot AND name = :name AND declared""")


@dataclass(frozen=True, slots=True)
class OpenWebhook:
    """A webhook with its secrets open, the newest first. `tenant`: a UUID; `bot`: without "bots/"."""

    tenant: str
    bot: str
    name: str
    script: str
    entry: str
    version: str
    keyless: bool
    secrets: Sequence[bytes] = field(repr=False)


def shown(secret: bytes, *, chosen: bool) -> str:
    """A key as people copy it: the author's own words, or "whsec_" and base64, which also signs."""
    return secret.decode() if chosen else signatures.shown(secret)


class Tenants:
    """Tenants by their short names, remembered for a minute."""

    def __init__(self, ledger: "ledger_grpc.LedgerServiceAsyncStub") -> None:
        self._ledger = ledger
        self._known: dict[str, tuple[float, str]] = {}

    async def find(self, slug: str) -> str:
        """The tenant, "default" when empty. NotFound."""
        known = self._known.get(slug)
        if known is None or known[0] < time.monotonic():
            with context.acting_for(service_principal("engine"), seconds=5.0):
                found = await self._ledger.FindTenant(ledger_pb.FindTenantRequest(slug=slug))
            if len(self._known) >= MOST_TENANTS:
                self._known.clear()
            known = self._known[slug] = (time.monotonic() + REMEMBER_SECONDS, found.tenant)
        if not known[1]:
            raise missing()
        return known[1]


class Webhooks:
    """Webhooks as callers meet them."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def find(self, tenant: str, bot: str, name: str) -> OpenWebhook:
        """A webhook of the live version. NotFound in the same words whatever is not there."""
        values = {"tenant": uuid.UUID(tenant), "bot": bot, "name": name.lower()}
        async with self._database.unit_of_work(tenant) as connection:
            row = (await connection.execute(FIND, values)).one_or_none()
        if row is None:
            raise missing()
        sealed = [bytes(item) for item in (row.secret, row.former) if item is not None]
        opened = tuple(unseal(self._vault, item, tenant, bot, name.lower()) for item in sealed)
        return OpenWebhook(tenant, bot, name.lower(), row.script, row.entry, row.bot_version, row.keyless, opened)


def admit(
    webhook: OpenWebhook, headers: Mapping[str, str], query: Mapping[str, str], body: bytes, tolerance: int
) -> str:  # fmt: skip
    """The caller's name for this delivery, empty when it has none. Unauthenticated, InvalidArgument.

    `headers`: names in small letters. A signature is looked at first: who signs does not mean to be believed without.
    """
    if signatures.SIGNATURE in headers:
        return signatures.verify(webhook.secrets, headers, body, time.time(), tolerance).id
    given = headers.get(KEY_HEADER) or query.get(KEY_QUERY, "")
    if given and not opens(webhook.secrets, given):
        raise Unauthenticated("the key does not open this webhook", reason="SIGNATURE_INVALID")
    if not given and not webhook.keyless:
        raise Unauthenticated(
            f"expected the key of the webhook in {KEY_HEADER} or ?{KEY_QUERY}=, or a signature with it",
            reason="SIGNATURE_INVALID",
        )
    delivery = headers.get(signatures.ID) or headers.get("idempotency-key", "")
    if delivery:
        signatures.check_id(delivery)
    return delivery


def opens(secrets: Sequence[bytes], given: str) -> bool:
    """Whether it is one of the keys, in any of the ways they are written. All are compared, in constant time."""
    raw, found = given.encode(errors="replace"), False
    for secret in secrets:
        for written in (secret, signatures.shown(secret).encode(), base64.b64encode(secret)):
            found |= hmac.compare_digest(raw, written)
    return found


def missing() -> NotFound:
    """No such webhook, or not of this tenant."""
    return NotFound("no webhook answers here")


def plain_headers(headers: Mapping[str, str]) -> dict[str, Any]:
    """What a script is told: not what opens doors."""
    hidden = {KEY_HEADER, "authorization", "cookie", "proxy-authorization", "x-api-key", signatures.SIGNATURE}
    return {name: text for name, text in headers.items() if name not in hidden}


def expiry(seconds: float) -> datetime.datetime:
    """So many seconds from now."""
    return datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
