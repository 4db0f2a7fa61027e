"""chat keeps its visitor although an answer is lost."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cli.commands.talking import Refused, Talk

pytestmark = pytest.mark.unit
Refresh = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def talking(refresh: Refresh) -> AsyncIterator[Talk]:
    """A conversation with an edge that renews in this way."""

    async def sign_in(request: web.Request) -> web.Response:
        return web.json_response({"access_token": "a", "refresh_token": "somebody else"})

    application = web.Application()
    application.router.add_post("/v1/tokens:refresh", refresh)
    application.router.add_post("/v1/visitors:signIn", sign_in)
    async with TestServer(application) as server, aiohttp.ClientSession() as client:
        yield Talk(client, str(server.make_url("")).rstrip("/"), "hello")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "chat-visitor.json"
    path.write_text(json.dumps({"refresh_token": "old"}))
    return path


def token_in(path: Path) -> str:
    return str(json.loads(path.read_text())["refresh_token"])


@pytest.mark.parametrize("bytes_sent", [0, 5])
async def test_a_lost_answer_is_asked_for_again(kept: Path, bytes_sent: int) -> None:
    asked: list[str] = []

    async def refresh(request: web.Request) -> web.StreamResponse:
        asked.append((await request.json())["refresh_token"])
        if len(asked) > 1:
            return web.json_response({"access_token": "a", "refresh_token": "new"})
        answer = web.StreamResponse(headers={"content-length": "100"})
        if bytes_sent:
            await answer.prepare(request)
            await answer.write(b"{" * bytes_sent)
        assert request.transport is not None
        request.transport.close()
        return answer

    async with talking(refresh) as talk:
        await talk._tokens(kept)
    assert asked == ["old", "old"]
    assert token_in(kept) == "new"


@pytest.mark.parametrize("status", [400, 401])
async def test_a_sign_in_that_is_over_is_begun_anew(kept: Path, status: int) -> None:
    async def refresh(request: web.Request) -> web.StreamResponse:
        return web.json_response({"message": "used before"}, status=status)

    async with talking(refresh) as talk:
        await talk._tokens(kept)
    assert token_in(kept) == "somebody else"


@pytest.mark.parametrize("status", [429, 503])
async def test_a_service_that_is_away_costs_nobody_the_visitor(kept: Path, status: int) -> None:
    async def refresh(request: web.Request) -> web.StreamResponse:
        return web.json_response({"message": "away"}, status=status)

    async with talking(refresh) as talk:
        with pytest.raises(Refused, match="away"):
            await talk._tokens(kept)
    assert token_in(kept) == "old"
