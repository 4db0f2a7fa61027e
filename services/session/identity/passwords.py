"""Passwords: what is a good one, and Argon2id in a few threads that cannot be flooded."""

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.common.errors import InvalidArgument, ResourceExhausted

T = TypeVar("T")

MINIMUM_LENGTH = 12
MINIMUM_DISTINCT = 5
MAXIMUM_LENGTH = 1024
BUSY_RETRY_SECONDS = 1.0


def normalized(password: str) -> bytes:
    """The bytes that are hashed: the same whatever keyboard composed the letters."""
    return unicodedata.normalize("NFKC", password).encode()


def check_strength(field: str, password: str, email: str) -> None:
    """Refuse a password that is short, monotonous or the person's own address. Raises InvalidArgument."""
    if not MINIMUM_LENGTH <= len(password) <= MAXIMUM_LENGTH:
        raise InvalidArgument.field(field, f"{MINIMUM_LENGTH} to {MAXIMUM_LENGTH} characters")
    if len(set(password)) < MINIMUM_DISTINCT:
        raise InvalidArgument.field(field, f"at least {MINIMUM_DISTINCT} different characters")
    if password.casefold() in {email.casefold(), email.partition("@")[0].casefold()}:
        raise InvalidArgument.field(field, "something other than the e-mail address")


def one_time_password() -> str:
    """144 random bits, 24 characters."""
    return secrets.token_urlsafe(18)


class Passwords:
    """Hashes and verifies off the event loop; more than `waiting` callers at once are turned away."""

    def __init__(self, *, memory_kib: int, iterations: int, workers: int = 2, waiting: int = 64) -> None:
        self._hasher = PasswordHasher(time_cost=iterations, memory_cost=memory_kib, parallelism=1)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="argon2")
        self._room = workers + waiting
        self._inside = 0
        self._decoy = self._hasher.hash(secrets.token_bytes(16))

    async def hash(self, password: str) -> str:
        """An encoded Argon2id hash. Raises ResourceExhausted when too many are waiting."""
        return await self._run(self._hash, normalized(password))

    async def verify(self, stored: str, password: str) -> bool:
        """Whether it matches; with nothing stored it takes as long and answers False."""
        matches = await self._run(self._verify, stored or self._decoy, normalized(password))
        return matches and bool(stored)

    def outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def close(self) -> None:
        """Let the threads go; nothing is waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _hash(self, password: bytes) -> str:
        return self._hasher.hash(password)

    def _verify(self, stored: str, password: bytes) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., T], *arguments: object) -> T:
        if self._inside >= self._room:
            raise ResourceExhausted(
                "too many sign-ins are waiting", reason="OVERLOADED", retry_after=BUSY_RETRY_SECONDS
            )
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
        finally:
            self._inside -= 1
