"""The chat in a page of another origin: another port, another name of the machine; and where it is not allowed."""

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.people import People, Visitor
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser
NAMES = pytest.mark.parametrize("name", [0, 1], ids=["number", "localhost"])
BROKEN = r"WebSocket connection|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_FAILED|503"


async def shopper(people: People, stage: Stage, bot: str, name: int = 1, attributes: str = "") -> Visitor:
    """Somebody in a page of elsewhere that has the chat in it."""
    made = await people.visitor()
    await made.go(stage.elsewhere.page(stage.elsewhere.origins[name], stage.url, bot, attributes))
    await made.online()
    return made


@NAMES
async def test_conversation_in_a_page_of_another_origin(people: People, stage: Stage, name: int) -> None:
    ana = await shopper(people, stage, "hello", name)
    await ana.introduce()
    await expect(ana.suggestions).to_have_count(3)
    await ana.page.reload()
    await ana.hear("Nice to meet you, Ana")
    await expect(ana.said).to_have_count(1)
    await ana.choose("Just questions")
    await ana.hear("ask me anything")


@NAMES
async def test_file_from_a_page_of_another_origin(people: People, stage: Stage, name: int) -> None:
    ana = await shopper(people, stage, "echo", name)
    await ana.part("picker").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"words"})
    await expect(ana.part("send")).to_be_enabled()
    await ana.say("Here it is")
    await ana.hear("Here it is")
    address = ana.page.url
    async with ana.page.expect_download() as waiting:
        await ana.part("attachment").get_by_role("button", name="a.txt").click()
    download = await waiting.value
    assert download.suggested_filename == "a.txt"
    assert Path(await download.path()).read_bytes() == b"words"  # noqa: ASYNC240 - five bytes
    assert ana.page.url == address


async def test_embedded_chat_comes_back_after_its_socket_was_cut(people: People, stage: Stage) -> None:
    ana = await shopper(people, stage, "echo")
    ana.forgive(BROKEN)
    await ana.say("before")
    await ana.hear("before")
    stage.process("realtime").kill()
    await expect(ana.state).to_have_text("Reconnecting…")
    await ana.say("meanwhile")
    await ana.online()
    await ana.hear("meanwhile")
    await expect(ana.heard.locator(".text")).to_have_text(["before", "meanwhile"])


async def test_pages_of_two_origins_load_the_same_script(people: People, stage: Stage) -> None:
    """What one origin was answered must not be in the way of the other, nor of the edge's own page."""
    ana = await shopper(people, stage, "echo", 0)
    await ana.go(stage.elsewhere.page(stage.elsewhere.origins[1], stage.url, "echo"))
    await ana.online()
    await ana.come("echo")


async def test_page_around_and_chat_keep_to_themselves(people: People, stage: Stage) -> None:
    ana = await shopper(people, stage, "echo")
    assert (
        await ana.run("return Object.getOwnPropertyNames(window).filter((name) => !window.before.includes(name))") == []
    )
    assert await ana.run("return [document.documentElement.lang, document.title]") == ["fr", "A shop"]
    assert await ana.run("return getComputedStyle(root.querySelector('.send')).borderRadius") == "14px"
    await expect(ana.part("send")).to_be_visible()
    box = await ana.input.bounding_box()
    assert box is not None
    assert box["width"] > 200


async def test_attributes_say_how_it_is_called_and_looks(people: People, stage: Stage) -> None:
    ana = await shopper(people, stage, "echo", attributes="name='Front desk' language='es' theme='dark'")
    await expect(ana.page.get_by_role("region", name="Front desk")).to_be_visible()
    await expect(ana.input).to_have_attribute("placeholder", "Escribe un mensaje")
    assert await ana.run("return getComputedStyle(chat).colorScheme") == "dark"
    other = await shopper(people, stage, "echo", attributes=f"server='{stage.url}/'")
    await other.say("a slash at the end")
    await other.hear("a slash at the end")


@NAMES
async def test_page_that_is_not_allowed_is_told_so_and_nothing_else(people: People, stage: Stage, name: int) -> None:
    ana = await people.visitor()
    ana.forgive("CORS policy|ERR_FAILED|WebSocket connection")
    origin = stage.stranger.origins[name]
    answered: list[str] = []
    ana.context.on("requestfinished", lambda request: answered.append(request.url))
    await ana.go(stage.stranger.page(origin, stage.url, "hello"))
    await expect(ana.part("notice")).to_have_text(f"This chat does not accept visitors from {origin}.")
    await expect(ana.state).to_have_text("Not available")
    await expect(ana.input).not_to_be_editable()
    await expect(ana.page.get_by_role("log").get_by_test_id(re.compile("message-"))).to_have_count(0)
    assert [address for address in answered if "/v1/" in address] == []
    refused = await ana.page.evaluate(
        """(edge) => new Promise((resolve) => {
             const socket = new WebSocket(`${edge.replace("http", "ws")}/v1/ws?ticket=x`);
             socket.onopen = () => resolve("open");
             socket.onerror = () => resolve("refused");
           })""",
        stage.url,
    )
    assert refused == "refused"


async def test_own_page_under_the_other_name_of_the_machine_sends_files(people: People, stage: Stage) -> None:
    """Files go to the address the store was told, which is another origin for who came by name."""
    ana = await people.visitor()
    await ana.go(f"{stage.url.replace('127.0.0.1', 'localhost')}/chat/echo")
    await ana.online()
    await ana.part("picker").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"words"})
    await expect(ana.part("send")).to_be_enabled()
