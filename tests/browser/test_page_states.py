"""What the page shows when something is over, too long, too large, away or blocked; and that everybody can read it."""

import re
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser import measuring
from tests.browser.people import PHONE, People, Visitor
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser
BROKEN = r"WebSocket connection|ERR_INTERNET_DISCONNECTED|503|ERR_CONNECTION|ERR_EMPTY_RESPONSE"
SMALL_PHONE = {"width": 360, "height": 740}
TEXT_FILE = {"mimeType": "text/plain", "buffer": b"x"}
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])
END = """
const { change } = await import("/static/keeping.js");
const { session, tokens } = await change("parley::echo");
const headers = { "content-type": "application/json", authorization: `Bearer ${tokens.access_token}` };
return (await fetch(`/v1/${session}:end`, { method: "POST", headers, body: "{}" })).status;
"""


async def ended(people: People, **options: Any) -> Visitor:
    """Somebody whose conversation was ended."""
    ana = await people.at("echo", **options)
    await ana.say("before")
    await ana.hear("before")
    assert await ana.run(END) == 200
    await expect(ana.page.get_by_text("This conversation is over.")).to_be_visible()
    return ana


async def test_conversation_that_is_over_is_said_once_and_leads_to_a_new_one(people: People) -> None:
    ana = await ended(people)
    ana.forgive(BROKEN)
    await expect(ana.input).to_be_hidden()
    assert (await measuring.focused(ana))[0] == "again"
    await ana.run("chat.connection.drop()")
    await expect(ana.state).to_have_text("Reconnecting…")
    await ana.online()
    await ana.page.reload()
    await expect(ana.part("message-system")).to_have_count(1)
    await expect(ana.part("message-system")).to_contain_text("This conversation is over.")
    await ana.run("chat.connection.drop()")
    await expect(ana.state).to_have_text("Reconnecting…")
    await ana.online()
    await expect(ana.part("message-system")).to_have_count(1)
    await ana.part("again").press("Enter")
    await expect(ana.part("message-system")).to_have_count(0)
    await expect(ana.input).to_be_focused()
    await ana.say("and on")
    await ana.hear("and on")


async def test_long_text_is_not_cut_and_not_sent(people: People) -> None:
    ana = await people.at("echo")
    await ana.input.fill("x" * 32_001)
    await expect(ana.part("notice")).to_have_text("This message is too long to be sent; please shorten it.")
    assert len(await ana.input.input_value()) == 32_001
    await expect(ana.input).to_have_attribute("aria-invalid", "true")
    await expect(ana.part("send")).to_be_disabled()
    await ana.input.press("Enter")
    await expect(ana.said).to_have_count(0)
    await ana.input.fill("short")
    await expect(ana.part("notice")).to_be_empty()
    await ana.input.press("Enter")
    await ana.hear("short")


async def test_message_that_no_frame_holds_does_not_break_the_connection(people: People) -> None:
    """As JSON it has six bytes a character, more than a frame of the bridge may have."""
    ana = await people.at("echo")
    await ana.say("\x01" * 31_000)
    await expect(ana.said.last).to_contain_text("Not sent")
    await expect(ana.part("notice")).to_contain_text("too long")
    await ana.say("after")
    await ana.hear("after")
    await ana.page.reload()
    await ana.hear("after")
    await expect(ana.said).to_have_count(1)


async def test_half_a_character_is_sent_as_a_sign_of_its_loss(people: People) -> None:
    ana = await people.at("echo")
    await ana.run("chat.input.value = 'a\\ud83d b'; chat.submit()")
    await ana.hear("a\N{REPLACEMENT CHARACTER} b")
    await expect(ana.said.last).not_to_contain_text("Waiting")


async def test_every_file_that_cannot_be_sent_is_named(people: People) -> None:
    ana = await people.at("echo")
    large = "const made = new File(['x'], 'film.mp4'); Object.defineProperty(made, 'size', { value: 2 ** 30 });"
    await ana.run(f"{large} chat.files.add([made, new File([], 'nothing.txt'), new File(['x'], 'good.txt')])")
    await expect(ana.part("notice")).to_contain_text("“film.mp4” is too large: a file may have 100 MB.")
    await expect(ana.part("notice")).to_contain_text("“nothing.txt” is empty.")
    await expect(ana.part("files").get_by_role("listitem")).to_have_count(1)


async def test_focus_is_not_lost_with_what_had_it(people: People) -> None:
    ana = await people.at("echo")
    await ana.part("picker").set_input_files([{"name": "a.txt", **TEXT_FILE}, {"name": "b.txt", **TEXT_FILE}])
    await expect(ana.part("send")).to_be_enabled()
    await ana.page.get_by_role("button", name="Remove: a.txt").press("Enter")
    await expect(ana.input).to_be_focused()
    ana.forgive(BROKEN + "|ERR_FAILED")
    await ana.context.route("**/parley-files/**", lambda route: route.abort())
    await ana.part("picker").set_input_files({"name": "c.txt", **TEXT_FILE})
    await ana.page.get_by_role("button", name="Try again: c.txt").press("Enter")
    assert await ana.run("return root.activeElement !== null")


async def test_wide_things_have_names_in_the_language_of_the_page(people: People) -> None:
    ana = await people.at("echo", locale="pt-BR")
    await ana.say("```\ncode\n```\n\n|a|b|\n|-|-|\n|c|d|\n\nend")
    await ana.hear("end")
    await expect(ana.heard.get_by_role("group", name="Código")).to_be_visible()
    await ana.part("language").select_option("en")
    await expect(ana.heard.get_by_role("group", name="Table")).to_be_visible()
    await measuring.accessible(ana)


async def test_blocked_sockets_are_named(people: People) -> None:
    ana = await people.visitor()
    await ana.context.add_init_script(
        "window.WebSocket = class { constructor() { setTimeout(() => this.onclose?.(), 5); } close() {} };"
        "WebSocket.OPEN = 1;"
    )
    await ana.open("/chat/echo")
    await expect(ana.part("notice")).to_contain_text("may be blocking WebSockets")
    await ana.say("kept")
    await expect(ana.said.last).to_contain_text("Waiting to be sent")


async def test_edge_that_is_stopped_and_started_again(people: People, stage: Stage) -> None:
    ana = await people.at("echo")
    ana.forgive(BROKEN)
    stage.process("envoy").kill()
    await expect(ana.state).to_have_text("Reconnecting…")
    await ana.say("meanwhile")
    await ana.online()
    await ana.hear("meanwhile")
    await expect(ana.heard).to_have_count(1)


async def test_ledger_that_is_shorter_than_what_was_shown_is_shown_anew(people: People) -> None:
    ana = await people.at("echo")
    await ana.say("one")
    await ana.hear("one")
    await ana.run("chat.connection.seen = 999; chat.connection.drop()")
    await expect(ana.state).to_have_text("Reconnecting…")
    await ana.online()
    await expect(ana.heard.locator(".text")).to_have_text(["one"])
    await ana.say("two")
    await ana.hear("two")
    await expect(ana.part("notice")).to_be_empty()


async def test_words_run_in_their_own_direction(people: People) -> None:
    ana = await people.at("echo")
    await ana.say("مرحبا بالعالم، هذه جملة.\n\n- سطر\n- آخر\n\n`code`\n\nAn English line.")
    await ana.hear("An English line.")
    directions = "return [...root.querySelectorAll('.bot .text > *')].map((node) => getComputedStyle(node).direction)"
    assert await ana.run(directions) == ["rtl", "rtl", "ltr", "ltr"]
    assert await ana.run("return getComputedStyle(root.querySelector('.user .text')).direction") == "rtl"
    await ana.input.fill("שלום")
    assert await ana.run("return getComputedStyle(chat.input).direction") == "rtl"
    assert await measuring.sticking_out(ana) == []


async def test_signs_are_seen_where_colours_are_forced(people: People) -> None:
    ana = await people.at("echo", forced_colors="active")
    seen = (
        "chat.wait(true); return ['.state i', '.typing i'].map((name) => {"
        " const node = root.querySelector(name), behind = getComputedStyle(root.querySelector('.bubble'));"
        " return getComputedStyle(node).backgroundColor !== behind.backgroundColor; })"
    )
    assert await ana.run(seen) == [True, True]
    assert await ana.run("return getComputedStyle(root.querySelector('.send')).borderStyle") == "solid"


@pytest.mark.parametrize("language", ["en-US", "pt-BR", "es-ES", "ru-RU"])
async def test_state_fits_a_small_phone_in_every_language(people: People, language: str) -> None:
    ana = await people.at("echo", viewport=SMALL_PHONE, locale=language)
    for state in ("connecting", "offline", "online", "refused"):
        await ana.run("chat.showState(given[0])", state)
        assert await ana.run("return chat.state.lastChild.scrollWidth <= chat.state.lastChild.clientWidth"), state
        assert await measuring.sticking_out(ana) == []


async def test_three_hundred_messages_are_shown_at_once_and_at_their_end(people: People) -> None:
    ana = await people.at("echo", viewport=PHONE)
    await ana.run(
        "for (let seq = 1001; seq <= 1300; seq += 1) chat.take({ type: 'message', seq, id: `m${seq}`, turn: seq,"
        " role: seq % 2 ? 'user' : 'bot', text: `Message ${seq}`, create_time: new Date(seq * 6e4).toISOString() })"
    )
    await expect(ana.heard).to_have_count(150)
    await expect(ana.heard.last).to_be_in_viewport()
    await expect(ana.part("latest")).to_be_hidden()
    await measuring.accessible(ana)


async def test_bot_is_called_by_its_name(people: People) -> None:
    ana = await people.at("hello")
    await expect(ana.page.get_by_role("heading", name="Parley")).to_be_visible()
    await expect(ana.page.get_by_role("region", name="Parley")).to_be_visible()
    await expect(ana.page).to_have_title("Parley")
    await ana.hear("Parley: Hello!", line=0)
    await ana.come("echo")
    await expect(ana.page.get_by_role("heading", name="Echo")).to_be_visible()
    await expect(ana.page).to_have_title("Echo")


@SCHEMES
async def test_everybody_can_use_the_page_in_its_main_states(people: People, scheme: str) -> None:
    options: dict[str, Any] = {"color_scheme": scheme, "viewport": SMALL_PHONE, "reduced_motion": "reduce"}
    fresh = await people.at("hello", **options)
    await fresh.hear("What is your name?")
    await measuring.accessible(fresh)
    await measuring.accessible(await ended(people, **options))
    away = await people.at("echo", **options)
    away.forgive(BROKEN)
    await away.context.set_offline(True)
    await away.say("kept")
    await expect(away.said.last).to_contain_text("Waiting to be sent")
    await measuring.accessible(away)
    refused = await people.at("echo", **options)
    await refused.run("chat.showState('refused')")
    await measuring.accessible(refused)


@SCHEMES
async def test_everybody_can_use_the_other_pages(people: People, scheme: str) -> None:
    ana = await people.visitor(color_scheme=scheme, viewport=SMALL_PHONE)
    await ana.open("/docs")
    operations = ana.page.locator("details.operation")
    await operations.filter(has_text=re.compile("Makes a bot")).locator("summary").click()
    await measuring.accessible(ana)
    widths = (
        "return [...document.querySelectorAll('details[open] th code')].map((node) => node.getClientRects().length)"
    )
    assert set(await ana.run(widths)) == {1}, "no name is broken into pieces"
    for _ in range(5):
        await ana.page.keyboard.press("Tab")
        assert (await measuring.focused(ana))[1]
    await ana.open("/embed-example")
    await ana.online()
    await measuring.accessible(ana)
