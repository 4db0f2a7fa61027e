"""Accounts in Valkey for a quarter of an hour; whoever changes one forgets it after the commit."""

import uuid

from parley.session.v1 import identity_pb2 as pb

from services.common.cache import Cache

SECONDS = 15 * 60


class UserCache:
    """`user:{tenant}:{id}`. What is kept here is only ever shown, never decided upon."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    async def read(self, tenant: str, user: uuid.UUID) -> pb.User | None:
        """An account, None when it is not there."""
        found = await self._cache.get(_key(tenant, user))
        return None if found is None else pb.User.FromString(found)

    async def keep(self, tenant: str, user: uuid.UUID, message: pb.User) -> None:
        """Keep an account."""
        await self._cache.set(_key(tenant, user), message.SerializeToString(), SECONDS)

    async def forget(self, tenant: str, user: uuid.UUID) -> None:
        """It was changed."""
        await self._cache.delete(_key(tenant, user))


def _key(tenant: str, user: uuid.UUID) -> str:
    return f"user:{tenant}:{user}"
