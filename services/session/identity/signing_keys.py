"""Signing keys at rest: sealed rows that every process reads, made anew by age or by hand."""

import datetime
import json
import secrets
from typing import Any

from joserfc.jwk import OKPKey
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.db.engine import Database
from services.session import token_store
from services.session.identity.keyring import KeyRing, SigningKey, new_private_key, public_jwk
from services.session.identity.sealing import Sealer

MARGIN = datetime.timedelta(minutes=5)


class SigningKeys:
    """Keeps a ring in step with the table.

    A new key is published `lead` before it signs, so that whoever caches the published set has it by then; the old one
    is published until the last token it signed has ended.
    """

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        ring: KeyRing,
        *,
        token_lifetime: datetime.timedelta,
        lead: datetime.timedelta,
        longest: datetime.timedelta,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._ring = ring
        self._token_lifetime = token_lifetime
        self._lead = lead
        self._longest = longest

    async def load(self) -> None:
        """Read the keys into the ring. Raises RuntimeError when the key-encryption key is another one."""
        async with self._database.unit_of_work(str(token_store.INSTALLATION)) as connection:
            self._ring.replace([self._opened(row) for row in await token_store.signing_keys(connection)])

    async def ensure(self) -> None:
        """Load, and make the first key or the next one when the newest has served its time."""
        await self.load()
        if self._due(_now()):
            await self.rotate(only_if_due=True)

    async def rotate(self, *, only_if_due: bool = False) -> str:
        """Make a new key and retire the old ones; the id of the newest."""
        async with self._database.unit_of_work(str(token_store.INSTALLATION)) as connection:
            key_id = await self.rotate_within(connection, only_if_due=only_if_due)
        await self.load()
        return key_id

    async def rotate_within(self, connection: AsyncConnection, *, only_if_due: bool = False) -> str:
        """The same inside a transaction of the installation; load afterwards."""
        await token_store.lock_rotation(connection)
        rows = await token_store.signing_keys(connection)
        now = _now()
        if rows and only_if_due and now - rows[0].activate_at < self._longest:
            return str(rows[0].key_id)
        return await self._insert(connection, now + self._lead if rows else now)

    async def _insert(self, connection: AsyncConnection, activate_at: datetime.datetime) -> str:
        key_id = secrets.token_hex(8)
        key = new_private_key(key_id)
        values = {
            "key_id": key_id,
            "public_jwk": json.dumps(public_jwk(key), sort_keys=True),
            "private_sealed": self._sealer.seal(json.dumps(key.as_dict(private=True)).encode(), _place(key_id)),
            "sealed_with": self._sealer.fingerprint,
            "activate_at": activate_at,
        }
        await token_store.insert_signing_key(connection, values, activate_at + self._token_lifetime + MARGIN)
        return key_id

    def _due(self, now: datetime.datetime) -> bool:
        age = self._ring.age(now)
        return age is None or age >= self._longest

    def _opened(self, row: Row[Any]) -> SigningKey:
        if row.sealed_with != self._sealer.fingerprint:
            message = "PARLEY_KEY_ENCRYPTION_KEY is not the one the signing keys in the database were sealed with"
            raise RuntimeError(message)
        private = OKPKey.import_key(json.loads(self._sealer.open(row.private_sealed, _place(row.key_id))))
        return SigningKey(row.key_id, json.loads(row.public_jwk), private, row.activate_at, row.retire_at)


def _place(key_id: str) -> str:
    return f"session.signing_keys|{key_id}"


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
