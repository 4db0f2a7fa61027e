"""Keywords of knowledge, models, other bots and memory over the mesh, and tools through the edge."""

import uuid
from collections.abc import AsyncIterator

import pytest

from tests.mesh.mesh_talk import Talk
from tests.mesh.mesh_world import Mesh
from tests.waiting import until

pytestmark = pytest.mark.mesh
BOOK = """PARAM who AS STRING DESCRIPTION "Whose table"
PARAM room AS STRING ENUM ["Garden", "Hall"] DEFAULT "Hall" DESCRIPTION "Where"
DESCRIPTION "Books a table."
RETURN "booked for ${who} in ${room}"
"""
START = """ADD SUGGESTION TOOL "book" AS "Book"
SET BOT MEMORY "price", 20
TALK "ready"
HEAR again
BOT SHARE MEMORY "price" WITH "OTHER"
TALK "shared"
found = THINK KB "How long may I return an article?"
TALK "documents: ${found.total}"
TALK "known: ${KB DOCUMENTS COUNT}"
TALK "models: ${LEN(LIST MODELS()) > 0} ${GET CURRENT MODEL()}"
TRY
  x = SUMMARIZE "A long text."
CATCH problem
  TALK problem
END TRY
REMEMBER "size", 42, "30 days"
TALK "other: ${DELEGATE "hello" TO BOT "OTHER"}"
HEAR more
facts = USER FACTS()
TALK "size ${facts.size}, ${RECALL "size"}"
PUBLISH EVENT "nothing"
TALK "end"
"""


@pytest.fixture
async def bots(mesh: Mesh) -> AsyncIterator[tuple[str, str]]:
    """Two bots, gone afterwards."""
    names = (f"w{uuid.uuid4().hex[:10]}", f"w{uuid.uuid4().hex[:10]}")
    for name in names:
        await mesh.ok("POST", f"/v1/bots?bot_id={name}", {}, mesh.owner)
    yield names
    for name in names:
        await mesh.ok("DELETE", f"/v1/bots/{name}", token=mesh.owner)


async def said(talk: Talk, text: str) -> list[str]:
    """What the bot says to a message."""
    return [message["text"] for message in await talk.say(text)]


async def publish(mesh: Mesh, bot: str, **scripts: str) -> None:
    files = [{"path": f"{name}.bas", "text": text} for name, text in scripts.items()]
    await mesh.ok("POST", f"/v1/bots/{bot}/versions", {"scripts": files}, mesh.owner)


async def test_what_scripts_ask_of_the_other_services(mesh: Mesh, bots: tuple[str, str]) -> None:
    bot, other = bots
    await publish(mesh, bot, start=START.replace("OTHER", other), book=BOOK)
    await publish(mesh, other, start='TALK "I am the other"')
    talk = await Talk.begin(mesh, bot)
    first = await said(talk, "go")
    assert first[:3] == ["shared", "documents: 0", "known: 0"]
    assert first[3].startswith("models: true ")
    assert first[4] == ("not available on this installation: SUMMARIZE needs a language model, none is configured")
    assert first[5].startswith("other: ")
    assert await said(talk, "more") == ["size 42, 42", "end"]

    async def shared() -> bool:
        found = await mesh.ok("GET", f"/v1/bots/{other}/variables?keys=price", token=mesh.owner)
        return bool([item["value"] for item in found.get("variables", [])] == [20])

    await until(shared)
    assert await said(talk, "/book") == ["Whose table"]
    assert await said(talk, "Ana") == ["booked for Ana in Hall"]


async def test_tools_are_listed_in_both_forms(mesh: Mesh, bots: tuple[str, str]) -> None:
    bot, _ = bots
    assert (await mesh.ok("GET", f"/v1/bots/{bot}/tools", token=mesh.owner)).get("tools", []) == []
    await publish(mesh, bot, start='TALK "hi"', book=BOOK, other='DESCRIPTION "Another."\nTALK 1')
    page = await mesh.ok("GET", f"/v1/bots/{bot}/tools?page_size=1", token=mesh.owner)
    (book,) = page["tools"]
    assert (book["name"], book["script"], book["description"]) == ("book", "book", "Books a table.")
    assert book["openai"]["function"]["parameters"] == book["mcp"]["inputSchema"]
    assert book["mcp"]["inputSchema"]["required"] == ["who"]
    assert book["mcp"]["inputSchema"]["properties"]["room"]["enum"] == ["Garden", "Hall"]
    path = f"/v1/bots/{bot}/tools?page_size=1&page_token={page['next_page_token']}"
    following = await mesh.ok("GET", path, token=mesh.owner)
    assert [item["name"] for item in following["tools"]] == ["other"]
    assert not following.get("next_page_token")
    version = await mesh.ok("GET", f"/v1/bots/{bot}/versions/1/tools", token=mesh.owner)
    assert [item["name"] for item in version["tools"]] == ["book", "other"]
    assert (await mesh.call("GET", f"/v1/bots/{bot}/tools", token=await mesh.visitor())).status == 403
