"""Objects in an S3 bucket, through the minio client, whose blocking calls run in threads of their own."""

import asyncio
import hashlib
import io
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.commonconfig import CopySource
from minio.deleteobjects import DeleteObject
from minio.error import MinioException, S3Error

from services.common.errors import Unavailable
from services.common.telemetry.logs import logger
from services.drive.config import DriveSettings
from services.drive.metrics import DriveMetrics
from services.drive.objects.port import NoObject
from services.drive.objects.threads import Threads

log = logger(__name__)
P = ParamSpec("P")
R = TypeVar("R")
RETRIES = 2
BACKOFF = 0.1
RETRIED = (500, 502, 503, 504)
RETRY_SECONDS = 1.0
HASH_BYTES = 1024 * 1024
ABSENT = frozenset({"NoSuchKey", "NoSuchObject", "NoSuchVersion"})
MADE = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})
DRIVER_ERRORS = (MinioException, urllib3.exceptions.HTTPError, OSError, TimeoutError)


class S3Objects:
    """An ObjectStore."""

    def __init__(self, settings: DriveSettings, metrics: DriveMetrics) -> None:
        self._bucket = settings.s3_bucket
        self._client = client_of(settings, pool_of(settings, settings.s3_threads))
        self._threads = Threads(settings.s3_threads, settings.s3_seconds, "s3")
        self._metrics = metrics
        self._checking: asyncio.Task[None] | None = None

    async def put(self, key: str, content: bytes) -> None:
        """Store bytes. Unavailable."""
        await self._run("put", self._client.put_object, self._bucket, key, io.BytesIO(content), len(content))

    async def size(self, key: str) -> int:
        """Bytes of an object. NoObject, Unavailable."""
        found = await self._run("stat", self._client.stat_object, self._bucket, key)
        return int(found.size or 0)

    async def read(self, key: str, offset: int, length: int) -> bytes:
        """A range. NoObject, Unavailable."""
        return await self._run("read", self._range, key, offset, length)

    async def copy(self, source: str, target: str) -> None:
        """Copy within the bucket. NoObject, Unavailable."""
        await self._run("copy", self._client.copy_object, self._bucket, target, CopySource(self._bucket, source))

    async def digest(self, key: str) -> tuple[int, str]:
        """Size and SHA-256. NoObject, Unavailable."""
        return await self._run("digest", self._hash, key)

    async def remove(self, keys: list[str]) -> list[str]:
        """Remove objects; the keys that are gone now. Unavailable."""
        return await self._run("remove", self._remove, keys)

    async def check(self) -> None:
        """Make the bucket unless it is there. Unavailable. Many who ask at once ask once."""
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._run("check", self._make_bucket))
            self._checking.add_done_callback(seen)
        await asyncio.shield(self._checking)

    async def close(self) -> None:
        """Let the threads end."""
        await self._threads.close()

    async def _run(self, operation: str, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """In a thread, measured; errors in the words of the tree."""
        started = time.perf_counter()
        try:
            return await self._threads.run(work, *args, **kwargs)
        except DRIVER_ERRORS as error:
            raise translated(operation, error) from None
        finally:
            self._metrics.store_duration.labels(operation).observe(time.perf_counter() - started)

    def _range(self, key: str, offset: int, length: int) -> bytes:
        answer = self._client.get_object(self._bucket, key, offset=offset, length=length)
        try:
            data: bytes = answer.read()
        finally:
            give_back(answer)
        if len(data) != length:
            message = "the store sent another number of bytes than it was asked for"
            raise OSError(message)
        return data

    def _hash(self, key: str) -> tuple[int, str]:
        answer = self._client.get_object(self._bucket, key)
        size, digest = 0, hashlib.sha256()
        try:
            for part in answer.stream(HASH_BYTES):
                size += len(part)
                digest.update(part)
        finally:
            give_back(answer)
        return size, digest.hexdigest()

    def _remove(self, keys: list[str]) -> list[str]:
        failed = set()
        for error in self._client.remove_objects(self._bucket, [DeleteObject(key) for key in keys]):
            log.warning("object stays", code=error.code)
            failed.add(error.name)
        return [key for key in keys if key not in failed]

    def _make_bucket(self) -> None:
        if self._client.bucket_exists(self._bucket):
            return
        try:
            self._client.make_bucket(self._bucket)
        except S3Error as error:
            if error.code not in MADE:
                raise


class S3Signer:
    """An AddressSigner: signs for the host that people use, because the edge passes Host on. No request is made."""

    def __init__(self, settings: DriveSettings) -> None:
        self._bucket = settings.s3_bucket
        url = settings.s3_public_url or f"{'https' if settings.s3_secure else 'http'}://{settings.s3_endpoint}"
        parts = urlsplit(url)
        self._client = Minio(
            parts.netloc,
            settings.s3_access_key.get_secret_value(),
            settings.s3_secret_key.get_secret_value(),
            secure=parts.scheme == "https",
            region=settings.s3_region,
        )

    def upload(self, key: str, seconds: int) -> str:
        """Where the bytes are PUT."""
        return str(self._client.presigned_put_object(self._bucket, key, timedelta(seconds=seconds)))

    def download(self, key: str, seconds: int, content_type: str, disposition: str) -> str:
        """Where the bytes are read."""
        headers = {"response-content-type": content_type, "response-content-disposition": disposition}
        return str(
            self._client.presigned_get_object(
                self._bucket, key, timedelta(seconds=seconds), response_headers=dict(headers)
            )
        )


def pool_of(settings: DriveSettings, size: int) -> urllib3.PoolManager:
    """Connections with timeouts and few retries; what is retried can be done twice."""
    return urllib3.PoolManager(
        maxsize=size,
        timeout=urllib3.Timeout(connect=settings.s3_connect_seconds, read=settings.s3_read_seconds),
        retries=urllib3.Retry(total=RETRIES, backoff_factor=BACKOFF, status_forcelist=RETRIED),
    )


def client_of(settings: DriveSettings, pool: urllib3.PoolManager) -> Minio:
    """A client that never asks for the region."""
    return Minio(
        settings.s3_endpoint,
        settings.s3_access_key.get_secret_value(),
        settings.s3_secret_key.get_secret_value(),
        secure=settings.s3_secure,
        region=settings.s3_region,
        http_client=pool,
    )


def give_back(answer: Any) -> None:  # noqa: ANN401 - urllib3's response
    """An answer read to its end gives its connection back; another one's is closed."""
    answer.close()
    answer.release_conn()


def seen(task: "asyncio.Task[None]") -> None:
    """The error of a check nobody waits for any more is not reported."""
    if not task.cancelled():
        task.exception()


def translated(operation: str, error: BaseException) -> Exception:
    """NoObject, or the tree's word; the driver's text names addresses and stays in the log as a code."""
    code = str(error.code) if isinstance(error, S3Error) else ""
    if code in ABSENT:
        return NoObject()
    log.warning("file store failed", operation=operation, error=type(error).__name__, code=code)
    return Unavailable("the file store is away; try again", retry_after=RETRY_SECONDS)
