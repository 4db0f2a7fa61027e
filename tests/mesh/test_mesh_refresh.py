"""A refresh whose answer is lost on the way costs nobody the conversation."""

import asyncio
import json

import grpc
import pytest

from services.session.identity.credentials import parse_refresh_token
from tests.mesh.mesh_talk import Talk, subject_of
from tests.mesh.mesh_world import Answer, Mesh
from tests.waiting import until

pytestmark = pytest.mark.mesh


async def refresh(mesh: Mesh, token: str) -> Answer:
    return await mesh.call("POST", "/v1/tokens:refresh", {"refresh_token": token})


async def send_and_leave(mesh: Mesh, token: str) -> None:
    """Ask, and be gone when the first byte of the answer comes."""
    body = json.dumps({"refresh_token": token}).encode()
    head = (
        f"POST /v1/tokens:refresh HTTP/1.1\r\nhost: 127.0.0.1:{mesh.stack.edge}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", mesh.stack.edge)
    writer.write(head.encode() + body)
    assert await asyncio.wait_for(reader.readexactly(1), 20) == b"H"
    writer.transport.abort()


async def used(mesh: Mesh, token: str) -> bool:
    """Whether a refresh token was used."""
    known = parse_refresh_token(token)
    assert known is not None
    assert mesh.stack.postgres is not None
    query = f"SELECT count(used_at) FROM session.refresh_tokens WHERE digest = '\\x{known.digest.hex()}'"
    return str(await mesh.stack.postgres.value(query)) == "1"


async def test_a_lost_answer_does_not_end_the_conversation(mesh: Mesh) -> None:
    tokens = await mesh.ok("POST", "/v1/visitors:signIn", {"bot": "hello"})
    talk = await Talk.begin(mesh, token=tokens["access_token"])
    for _ in range(2):
        await send_and_leave(mesh, tokens["refresh_token"])
        assert await used(mesh, tokens["refresh_token"])
        answer = await refresh(mesh, tokens["refresh_token"])
        assert answer.status == 200, answer.raw
        tokens = answer.body
    assert subject_of(tokens["access_token"]) == subject_of(talk.token)
    talk.token = tokens["access_token"]
    assert "Ana" in " ".join(message["text"] for message in await talk.say("Ana"))


async def test_it_is_asked_for_again_after_the_service_was_killed(mesh: Mesh) -> None:
    tokens = await mesh.ok("POST", "/v1/visitors:signIn", {"bot": "hello"})
    await send_and_leave(mesh, tokens["refresh_token"])
    await mesh.back("session", mesh.kill("session"))

    async def answered() -> bool:
        return (await mesh.call("GET", "/v1/sessions", token=tokens["access_token"])).status == 200

    await until(answered)
    answer = await refresh(mesh, tokens["refresh_token"])
    assert answer.status == 200, answer.raw
    assert answer.body["subject"] == tokens["subject"]


async def test_two_tabs_at_once_both_go_on_and_a_stolen_token_is_noticed(mesh: Mesh) -> None:
    tokens = await mesh.ok("POST", "/v1/visitors:signIn", {"bot": "hello"})
    first, second = await asyncio.gather(*(refresh(mesh, tokens["refresh_token"]) for _ in range(2)))
    for tab in (first, second):
        assert (await mesh.call("GET", "/v1/sessions", token=tab.body["access_token"])).status == 200
    third = await mesh.ok("POST", "/v1/tokens:refresh", {"refresh_token": second.body["refresh_token"]})
    stolen = await refresh(mesh, tokens["refresh_token"])
    stolen.refused(401, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_REUSED")
    ended = await refresh(mesh, third["refresh_token"])
    ended.refused(401, grpc.StatusCode.UNAUTHENTICATED, "TOKEN_INVALID")
