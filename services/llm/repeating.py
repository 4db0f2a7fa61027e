"""A completion that is asked again with its request_id is answered from what was kept, for a while."""

import hashlib

from google.protobuf.message import DecodeError
from parley.llm.v1 import llm_service_pb2 as pb

from services.common import context
from services.common.cache import Cache
from services.common.errors import AlreadyExists
from services.common.telemetry.metrics import Metrics

DIGEST_BYTES = 16
LARGEST_ANSWER = 262_144


class Repeats:
    """First answers in Valkey, by tenant, subject and request_id. While Valkey is away nothing is a repetition."""

    def __init__(self, cache: Cache, metrics: Metrics, seconds: int) -> None:
        self._cache = cache
        self._hits = metrics.llm_cache_hits.labels("request_id")
        self._seconds = seconds

    async def earlier(self, request: pb.CompleteRequest) -> pb.CompleteResponse | None:
        """The first answer, if this was answered. AlreadyExists when its id came with another request."""
        key = key_of(request)
        kept = await self._cache.get(key) if key else None
        if kept is None:
            return None
        if kept[:DIGEST_BYTES] != digest_of(request):
            raise AlreadyExists("this request_id came with another request", reason="REQUEST_ID_REUSED")
        try:
            answer = pb.CompleteResponse.FromString(kept[DIGEST_BYTES:])
        except DecodeError:
            return None
        self._hits.inc()
        return answer

    async def keep(self, request: pb.CompleteRequest, answer: pb.CompleteResponse) -> None:
        """For the window; an answer of more than LARGEST_ANSWER bytes is not kept."""
        key = key_of(request)
        if key and answer.ByteSize() <= LARGEST_ANSWER:
            await self._cache.set(key, digest_of(request) + answer.SerializeToString(), self._seconds)


def key_of(request: pb.CompleteRequest) -> str:
    """Empty without an id, and for a call that is made for nobody."""
    call = context.current_or_none()
    who = call.principal if call is not None else None
    if not request.request_id or who is None or not who.tenant_id:
        return ""
    whose = hashlib.blake2b(f"{who.subject}\x1f{request.request_id}".encode(), digest_size=16).hexdigest()
    return f"llm:once:{who.tenant_id}:{whose}"


def digest_of(request: pb.CompleteRequest) -> bytes:
    """Of all that was asked."""
    return hashlib.blake2b(request.SerializeToString(deterministic=True), digest_size=DIGEST_BYTES).digest()
