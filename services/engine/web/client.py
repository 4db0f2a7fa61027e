"""The web through the safe client: what is sent, how long it may take, how much may come."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from services.common.errors import DeadlineExceeded, ParleyError
from services.common.identifiers import derived_id
from services.common.security.safe_client import MOST_REDIRECTS, Answer, Question, SafeClient
from services.engine.program.values import ProgramError, Value, text_of
from services.engine.web import addresses, answers, bodies
from services.engine.web.limits import Limits
from services.engine.web.own import OwnClient
from services.engine.web.port import Page, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.engine.keywords.world import World

READING = frozenset({"GET", "HEAD"})
LARGE_BYTES = 64 * 1024
NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]{0,8192}")
MOST_HEADERS = 64
IDEMPOTENCY = "Idempotency-Key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Of the installation. allowed: hosts that everybody may ask, empty for all; allowed_by_tenant: narrower still."""

    allowed: tuple[str, ...] = ()
    allowed_by_tenant: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    own: str = ""
    read_seconds: float = 30.0
    write_seconds: float = 60.0


class SafeWeb:
    """The `Web` of this installation."""

    def __init__(self, client: SafeClient, limits: Limits, rules: Rules) -> None:
        self._client = client
        self._limits = limits
        self._rules = rules
        self._own = OwnClient(rules.own) if rules.own else None

    async def ask(self, world: World, request: Request) -> Value:
        """See `Web`."""
        page = await self.fetch(world, request)
        if len(page.body) > LARGE_BYTES:
            return await asyncio.to_thread(answers.response_of, page)
        return answers.response_of(page)

    async def fetch(self, world: World, request: Request) -> Page:
        """See `Web`."""
        url = addresses.with_query(addresses.absolute(request.url, world.config, self._rules.own), request.query)
        question = self._question(world, request, url)
        await self._limits.admit(world.tenant)
        try:
            answer = await self._asked(world, question)
        except ParleyError as error:
            # Somebody else's server is not one of ours that will be back: the script decides, the turn is not repeated.
            raise ProgramError(f"{request.method} failed: {error.message}") from None
        return Page(answer.status, answer.headers, answer.body, answer.url)

    async def _asked(self, world: World, question: Question) -> Answer:
        own = self._own is not None and question.url.startswith(f"{self._rules.own.rstrip('/')}/")
        client = self._own if own and self._own is not None else self._client
        try:
            async with asyncio.timeout(question.seconds), self._limits.place(world.tenant):
                return await client.ask(question)
        except TimeoutError:
            raise DeadlineExceeded(f"no answer within {question.seconds:g} seconds") from None

    def _question(self, world: World, request: Request, url: str) -> Question:
        headers = dict(request.headers) if request.bare else merged(session_headers(world), request.headers)
        key = str(derived_id("web", world.key))
        body, kind = bodies.encode(request.body, taken(headers, "content-type"), key)
        if kind and body is not None:
            headers["Content-Type"] = kind
        reading = request.method in READING
        limit = self._rules.read_seconds if reading else self._rules.write_seconds
        if not reading and not has(headers, IDEMPOTENCY):
            headers[IDEMPOTENCY] = key
        return Question(
            method=request.method,
            url=url,
            headers=headers,
            body=body,
            seconds=min(request.seconds or limit, limit),
            body_bytes=request.most,
            redirects=MOST_REDIRECTS,
            truncate=False,
            decode=True,
            allow=lambda host: self._may(world, host),
        )

    def _may(self, world: World, host: str) -> bool:
        lists = (
            self._rules.allowed,
            self._rules.allowed_by_tenant.get(world.tenant, ()),
            addresses.hosts_of(world.config.get(addresses.ALLOWED_KEY, "")),
        )
        return all(addresses.matches(host, patterns) for patterns in lists)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()
        if self._own is not None:
            await self._own.close()


def session_headers(world: World) -> dict[str, str]:
    """What SET HEADER left in the conversation. ProgramError for what cannot be sent."""
    left = world.settings.get("headers") or {}
    if len(left) > MOST_HEADERS:
        message = f"at most {MOST_HEADERS} headers, there are {len(left)}: CLEAR HEADERS takes them away"
        raise ProgramError(message)
    return {name: header_value(name, text_of(value)) for name, value in left.items()}


def header_value(name: str, value: str) -> str:
    """The value. ProgramError for a name or a value that is none."""
    if not NAME.fullmatch(name):
        message = f"{name[:40]!r} is no name of a header: letters, digits and - were expected"
        raise ProgramError(message)
    if not VALUE.fullmatch(value):
        message = f"the header {name} holds a line break or another sign that no header may hold"
        raise ProgramError(message)
    return value.strip()


def merged(left: Mapping[str, str], right: Mapping[str, str]) -> dict[str, str]:
    """Both; the right one wins, whatever the case of its names."""
    names = {name.lower() for name in right} | {"accept-encoding"}  # compression is between the client and the server
    return {name: value for name, value in left.items() if name.lower() not in names} | dict(right)


def has(headers: Mapping[str, str], wanted: str) -> bool:
    """Whether a header is there, whatever the case."""
    return any(name.lower() == wanted.lower() for name in headers)


def taken(headers: dict[str, str], wanted: str) -> str:
    """A header's value, taken out; empty when it is not there."""
    found = next((name for name in headers if name.lower() == wanted), None)
    return headers.pop(found) if found else ""
