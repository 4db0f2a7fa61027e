"""What the service needs of a store of objects."""

from typing import Protocol


class NoObject(Exception):
    """There is no object under the key."""


class ObjectStore(Protocol):
    """Objects by key; one is never changed after it was written. All raise Unavailable while the store is away."""

    async def put(self, key: str, content: bytes) -> None:
        """Store bytes."""

    async def size(self, key: str) -> int:
        """Bytes of an object. NoObject."""

    async def read(self, key: str, offset: int, length: int) -> bytes:
        """`length` bytes from `offset` on, both within the object. NoObject."""

    async def copy(self, source: str, target: str) -> None:
        """Copy within the store. NoObject."""

    async def digest(self, key: str) -> tuple[int, str]:
        """Bytes of an object and their SHA-256 in hexadecimal. NoObject."""

    async def remove(self, keys: list[str]) -> list[str]:
        """Remove objects, at most 1000; the keys that are gone now, whether or not they were there."""

    async def check(self) -> None:
        """Nothing when the store answers and has the bucket, which is made when it is not there."""

    async def close(self) -> None:
        """Let the threads end."""


class AddressSigner(Protocol):
    """Makes addresses that work for a while, without asking the store."""

    def upload(self, key: str, seconds: int) -> str:
        """Where the bytes of an object are PUT."""

    def download(self, key: str, seconds: int, content_type: str, disposition: str) -> str:
        """Where the bytes of an object are read, with these headers."""
