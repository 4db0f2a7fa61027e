"""The web through the safe client: what is sent, how long it may take, how much may come."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from services.common.errors import DeadlineExceeded, ParleyError
from services.common.identifiers import derived_id
from services.common.security.safe_client import MOST_REDIRECTS, Answer, Question, SafeClient
from services.engine.program.values import ProgramError, Value
from services.engine.web import addresses, answers, bodies
from services.engine.web.headers import has, merged, session_headers, taken
from services.engine.web.limits import Limits
from services.engine.web.own import OwnClient
from services.engine.web.port import Page, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from services.engine.keywords.world import World

READING = frozenset({"GET", "HEAD"})
LARGE_BYTES = 64 * 1024
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
        headers = dict(request.headers) if request.bare else merged(session_headers(world.settings), request.headers)
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
