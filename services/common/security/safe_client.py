"""The HTTP client for addresses that users wrote: it cannot be made to talk to our own network.

A name is resolved once a connection, every address it has must be of the public internet, and the connection goes to
exactly those addresses; TLS still checks the name. The parser that checks an address is the one that is connected by.
"""

import asyncio
import dataclasses
import io
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from services.common.errors import (
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    ParleyError,
    ResourceExhausted,
    Unavailable,
)
from services.common.security import safe_addresses
from services.common.security.decoding import decoder

Lookup = Callable[[str, int], Sequence[str]]
Allow = Callable[[str], bool]
LONGEST_URL = 2048
LOOKUP_THREADS = 16
CHECK_SECONDS = 3.0
MOST_REDIRECTS = 5
PIECE_BYTES = 16 * 1024
LARGE_BYTES = 512 * 1024
LOCALHOST = "localhost"
# Services that take commands from whatever is sent to them.
CLOSED_PORTS = frozenset(
    {0, 7, 9, 19, 22, 23, 25, 53, 110, 111, 135, 139, 143, 389, 445, 465, 587, 636, 993, 995, 3389}
)
REDIRECTS = frozenset({301, 302, 303, 307, 308})
OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"})
KEPT_ELSEWHERE = frozenset({"accept", "accept-language", "content-type", "user-agent"})
NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.IGNORECASE)
AUTHORITY = re.compile(r"[/?#]")
ODD = re.compile(r"[\x00-\x20\x7f\\]")


class AddressRefused(OSError):
    """A connection that must not be made."""


class UnsafeAddress(FailedPrecondition):
    """An address that may not be asked. `expected`: what would have been one that may."""

    def __init__(self, expected: str) -> None:
        super().__init__(f"the address is refused: expected {expected}")
        self.expected = expected


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said. `headers`: names in small letters; `body`: as it came, at most as many bytes as were
    asked for; `truncated`: there were more.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    truncated: bool
    url: str


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    """A request. `seconds` for all of it, names and redirects included; `body_bytes` of the answer are read.

    decode: a compressed answer is taken apart, the bound is for what it becomes; allow: whether a host may be asked,
    for every redirect too.
    """

    method: str
    url: str
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    body: bytes | None = None
    seconds: float = 15.0
    body_bytes: int = 64 * 1024
    redirects: int = 0
    truncate: bool = True
    decode: bool = False
    allow: Allow | None = None


def look_up(host: str, port: int) -> Sequence[str]:
    """Addresses of a name, by the system; blocks. OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class SafeClient:
    """Requests to addresses of users. `loopback`: this machine may be asked too, as the local stack needs it; `plain`:
    http:// will do.
    """

    def __init__(
        self, *, loopback: bool = False, plain: bool = False, lookup: Lookup = look_up, connections: int = 128
    ) -> None:
        self._loopback = loopback
        self._plain = plain
        self._lookup = lookup
        self._connections = connections
        self._threads = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="names")
        self._session: aiohttp.ClientSession | None = None

    async def check(self, url: str, field: str) -> None:
        """InvalidArgument, naming the field, for an address that could never be asked. Names may not exist yet."""
        try:
            target = self.target(url)
            async with asyncio.timeout(CHECK_SECONDS):
                await self.addresses(str(target.host), target.port or 0)
        except UnsafeAddress as error:
            raise InvalidArgument.field(field, error.expected) from None
        except (OSError, UnicodeError):  # TimeoutError is one: a name may come to exist later
            return

    def target(self, url: str) -> URL:
        """The parsed address. UnsafeAddress."""
        target = parsed(url)
        host = target.host or ""
        address = safe_addresses.literal(host)
        local = host == LOCALHOST or (address is not None and address.is_loopback)
        allowed = local and self._loopback
        if target.scheme != "https" and not ((allowed or self._plain) and target.scheme == "http"):
            raise UnsafeAddress("an address that begins with https://")
        if (local and not allowed) or (address is not None and not local and safe_addresses.closed_because(address)):
            raise UnsafeAddress(f"an address of the public internet, {host} is none")
        if target.port in CLOSED_PORTS:
            raise UnsafeAddress(f"another port, {target.port} is for other purposes")
        return target

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Where a name leads. OSError when it does not, UnsafeAddress when one of its addresses is not public."""
        if safe_addresses.literal(host) is not None:
            return [host]
        found = await asyncio.get_running_loop().run_in_executor(self._threads, self._lookup, host, port)
        if not found:
            raise OSError("no address")
        for text in found:
            if not self._may(host, text):
                raise UnsafeAddress(f"an address of the public internet, {host} leads elsewhere")
        return found

    def _may(self, host: str, text: str) -> bool:
        address = safe_addresses.literal(text)
        if address is None:
            return False
        if host == LOCALHOST:
            return self._loopback and address.is_loopback
        return not safe_addresses.closed_because(address)

    def _socket(self, info: Any) -> socket.socket:  # noqa: ANN401 - aiohttp's tuple
        """The last gate: whatever led here, a socket to a closed address is not made."""
        family, kind, protocol, _, place = info
        address = safe_addresses.literal(str(place[0]))
        local = address is not None and self._loopback and address.is_loopback
        if address is None or (not local and safe_addresses.closed_because(address)):
            raise AddressRefused("refused")
        return socket.socket(family, kind, protocol)

    async def ask(self, question: Question) -> Answer:
        """One request and its redirects.

        UnsafeAddress (a FailedPrecondition) for an address that may not be asked, Unavailable when the other side does
        not answer, DeadlineExceeded, ResourceExhausted (TOO_LARGE) for a body that is too large unless it may be
        truncated, InvalidArgument for a header that is not the caller's to set.
        """
        if not OURS.isdisjoint(name.lower() for name in question.headers):
            raise InvalidArgument.field("headers", f"none of {', '.join(sorted(OURS))}")
        try:
            async with asyncio.timeout(question.seconds):
                return await self._follow(question)
        except ParleyError:
            raise
        except TimeoutError:
            raise DeadlineExceeded(f"no answer within {question.seconds:g} seconds") from None
        except (aiohttp.ClientError, OSError, ValueError, UnicodeError) as error:
            raise Unavailable(failure(error)) from None

    async def _follow(self, question: Question) -> Answer:
        target = permitted(self.target(question.url), question.allow)
        for _ in range(min(question.redirects, MOST_REDIRECTS) + 1):
            answer, location = await self._hop(target, question)
            if not location or not question.redirects:
                return answer
            following = permitted(self.target(str(target.join(URL(location)))), question.allow)
            if is_local(following) and not is_local(target):
                raise UnsafeAddress("an address of the public internet, it redirects elsewhere")
            question = redirected(question, target, following, answer.status)
            target = following
        raise UnsafeAddress(f"at most {min(question.redirects, MOST_REDIRECTS)} redirects")

    async def _hop(self, target: URL, question: Question) -> tuple[Answer, str]:
        encoding = "gzip" if question.decode else "identity"
        headers = {"User-Agent": "Parley", "Accept-Encoding": encoding, **question.headers}
        async with self._client().request(
            question.method, target, headers=headers, data=payload(question.body), allow_redirects=False
        ) as response:
            location = response.headers.get("Location", "") if response.status in REDIRECTS else ""
            body, truncated = await read(response, question.body_bytes, decode=question.decode)
            if truncated:
                response.close()
                if not question.truncate:
                    raise ResourceExhausted(f"an answer of at most {question.body_bytes} bytes", reason="TOO_LARGE")
            told = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status, told, body, truncated, str(target)), location

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=Resolver(self),
                use_dns_cache=False,
                limit=self._connections,
                socket_factory=self._socket,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session

    async def close(self) -> None:
        """Close all connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._session is not None:
            await self._session.close()


class Resolver(AbstractResolver):
    """Gives aiohttp only addresses that were checked."""

    def __init__(self, client: SafeClient) -> None:
        self._client = client

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Where to connect. OSError, UnsafeAddress."""
        found = await self._client.addresses(host, port)
        return [
            ResolveResult(
                hostname=host,
                host=text,
                port=port,
                family=socket.AF_INET6 if ":" in text else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for text in found
        ]

    async def close(self) -> None:
        """Nothing is held."""


def parsed(url: str) -> URL:
    """An address in its parts. UnsafeAddress for one that can be read in two ways, or names a user."""
    expected = UnsafeAddress("an address such as https://example.com/path")
    if not url or len(url) > LONGEST_URL or ODD.search(url):
        raise expected
    try:
        target = URL(url)
        host, _ = target.host or "", target.port
    except (ValueError, UnicodeError):
        raise expected from None
    if not host or not target.absolute:
        raise expected
    if target.raw_user is not None or "@" in AUTHORITY.split(url.partition("//")[2], maxsplit=1)[0]:
        raise UnsafeAddress("an address without a user name or password")
    if safe_addresses.literal(host) is None and NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        raise UnsafeAddress("a name, or an address written in the usual way")
    return target.with_fragment(None)


def permitted(target: URL, allow: Allow | None) -> URL:
    """The address, when its host may be asked. UnsafeAddress."""
    if allow is not None and not allow((target.host or "").lower().rstrip(".")):
        raise UnsafeAddress("a host of the list of those that may be asked")
    return target


def is_local(target: URL) -> bool:
    """Whether an address is written as this machine."""
    address = safe_addresses.literal(target.host or "")
    return target.host == LOCALHOST or (address is not None and address.is_loopback)


def redirected(question: Question, target: URL, following: URL, status: int) -> Question:
    """The request after a redirect: what was meant for one site is not told to another."""
    headers = dict(question.headers)
    if following.origin() != target.origin():
        headers = {name: value for name, value in headers.items() if name.lower() in KEPT_ELSEWHERE}
    method, body = question.method, question.body
    if (status == 303 and method != "HEAD") or (status in {301, 302} and method == "POST"):
        method, body = "GET", None
        headers = {name: value for name, value in headers.items() if name.lower() != "content-type"}
    return dataclasses.replace(question, method=method, body=body, headers=headers)


def payload(body: bytes | None) -> bytes | io.BytesIO | None:
    """A large body goes in pieces, so that the event loop is not held up."""
    return io.BytesIO(body) if body is not None and len(body) > LARGE_BYTES else body


async def read(response: aiohttp.ClientResponse, most: int, *, decode: bool) -> tuple[bytes, bool]:
    """At most so many bytes of a body, and whether there were more. ValueError for what cannot be taken apart."""
    body, came = bytearray(), 0
    decoding = decoder(response.headers.get("Content-Encoding", "")) if decode else None
    async for piece in response.content.iter_chunked(PIECE_BYTES):
        body += decoding.feed(piece, most + 1 - len(body)) if decoding else piece
        came += len(piece)
        if len(body) > most or came > most + PIECE_BYTES:  # much that becomes nothing is too much as well
            return bytes(body[:most]), True
    return bytes(body), False


def failure(error: Exception) -> str:
    """Our own words for why there was no answer: nothing of the other side's, no address."""
    if isinstance(error, aiohttp.ClientConnectorDNSError | socket.gaierror):
        return "the name could not be resolved"
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ClientConnectorCertificateError):
        return "no secure connection: the certificate or the protocol was refused"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "the connection could not be made"
    if isinstance(error, aiohttp.ClientPayloadError | aiohttp.ServerDisconnectedError | ConnectionError):
        return "the connection broke before the answer was complete"
    return "the answer could not be understood"
