"""By keyboard, by screen reader, by people who see little or dislike movement."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser import measuring
from tests.browser.people import DESKTOP, PHONE, People, Visitor
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser
ZOOMED = {"width": DESKTOP["width"] // 2, "height": DESKTOP["height"] // 2}
NARROW = {"width": 320, "height": 568}


async def rich_talk(people: People, **options: Any) -> Visitor:
    """Somebody before whom nearly everything the page can show is shown."""
    ana = await people.at("hello", **options)
    await ana.ask_freely()
    await ana.say("When are you open?")
    await expect(ana.part("sources")).to_be_visible()
    await ana.part("sources").locator("summary").click()
    await ana.run("chat.note('Something went wrong'); chat.busy = false; chat.wait(true);")
    await ana.run(
        "chat.take({ type: 'message', seq: 998, id: 'y', role: 'system', turn: 'y', text: 'The system speaks' });"
        "chat.take({ type: 'message', seq: 999, id: 'x', role: 'bot', turn: 'x', create_time: '2020-01-01T00:00:00Z',"
        " text: 'A [link](https://example.com), `code` and\\n\\n> a quote\\n\\n|a|\\n|-|\\n|b|',"
        " suggestions: [{ text: 'A suggestion', value: 'x' }] });"
        "chat.showPending({ id: 'z', text: 'Not sent yet',"
        " attachments: [{ name: 'a.pdf', uri: 'files/x', size: 2048, content_type: 'application/pdf' }] });"
    )
    return ana


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_texts_stand_out_and_targets_can_be_hit(people: People, scheme: str) -> None:
    ana = await rich_talk(people, color_scheme=scheme, reduced_motion="reduce")
    found = await measuring.contrasts(ana)
    assert len(found) > 20
    assert {"Connected", "Today", "a quote", "The system speaks", "A suggestion", "Something went wrong"} <= set(found)
    assert {words: ratio for words, ratio in found.items() if ratio < 4.5} == {}
    assert await measuring.too_small(ana) == []
    assert await measuring.nameless(ana) == []


async def test_theme_is_chosen_and_kept(people: People) -> None:
    ana = await people.at("echo", color_scheme="light")
    ground = "return [getComputedStyle(chat).backgroundColor, getComputedStyle(document.body).backgroundColor]"
    light = await ana.run(ground)
    await ana.part("theme").click()
    dark = await ana.run(ground)
    assert all(one != other for one, other in zip(light, dark, strict=True))
    await ana.page.reload()
    await ana.online()
    assert await ana.run(ground) == dark
    await ana.part("theme").click()
    assert await ana.run(ground) == light


async def test_screen_reader_hears_whole_messages_and_the_state(people: People, stage: Stage) -> None:
    stage.answer("word " * 40 + "end", chunk_latency=0.05)
    ana = await people.at("slow")
    log = ana.page.get_by_role("log", name="Conversation")
    await expect(log).to_have_attribute("aria-live", "polite")
    await expect(ana.page.get_by_role("status")).to_have_text("Connected")
    await ana.say("Go on")
    draft = ana.part("draft")
    await expect(draft).to_have_attribute("aria-live", "off")
    await expect(draft).to_have_attribute("aria-busy", "true")
    await ana.hear("end")
    line = log.get_by_test_id("message-bot").last
    assert await line.get_attribute("aria-live") is None
    await expect(line).to_contain_text("Slow: ")
    await expect(ana.said.last).to_contain_text("You: ")
    await expect(ana.part("notice")).to_have_role("alert")
    await expect(ana.page.get_by_role("region", name="Slow")).to_be_visible()
    assert await ana.page.evaluate("document.documentElement.lang") == "en"


async def test_keyboard_alone_is_enough(people: People) -> None:
    ana = await people.at("hello")
    await ana.hear("What is your name?")
    assert (await measuring.focused(ana))[0] == "input"
    await ana.page.keyboard.type("Ana")
    await ana.page.keyboard.press("Enter")
    await expect(ana.suggestions).to_have_count(3)
    assert (await measuring.focused(ana))[0] == "input"
    await ana.part("language").focus()
    passed = [await measuring.focused(ana)]
    while passed[-1][0] != "input":
        await ana.page.keyboard.press("Tab")
        passed.append(await measuring.focused(ana))
        assert len(passed) < 30
    assert all(visible for _, visible in passed)
    names = [name for name, _ in passed if name != "copy"]
    suggestions = ["A small order", "Guess a number", "Just questions"]
    assert names == ["language", "theme", "fresh", "log", *suggestions, "attach", "input"]
    for _ in range(2):
        await ana.page.keyboard.press("Shift+Tab")
    assert (await measuring.focused(ana))[0] == "Just questions"
    await ana.page.keyboard.press("Enter")
    await ana.hear("ask me anything")
    assert (await measuring.focused(ana))[0] == "input"


async def test_enter_sends_and_shift_enter_begins_a_line(people: People) -> None:
    ana = await people.at("echo")
    low = await ana.run("return root.querySelector('textarea').clientHeight")
    await ana.input.press("Enter")
    await ana.page.keyboard.type("   ")
    await ana.page.keyboard.press("Enter")
    await expect(ana.said).to_have_count(0)
    await ana.page.keyboard.type("one")
    await ana.page.keyboard.press("Shift+Enter")
    await ana.page.keyboard.type("two")
    await expect(ana.input).to_have_value("   one\ntwo")
    assert await ana.run("return root.querySelector('textarea').clientHeight") > low
    await ana.page.keyboard.press("Enter")
    await ana.hear("two")
    assert await ana.said.last.locator(".text").inner_text() == "one\ntwo"
    await expect(ana.input).to_have_value("")
    assert await ana.run("return root.querySelector('textarea').clientHeight") == low


async def test_sources_and_wide_code_are_reached_by_keyboard(people: People) -> None:
    ana = await people.at("echo")
    await ana.say("```\n" + "wide " * 200 + "\n```")
    code = ana.heard.last.locator("pre")
    await code.focus()
    await ana.page.keyboard.press("ArrowRight")
    await expect(code).not_to_have_js_property("scrollLeft", 0)


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
async def test_nothing_moves_for_those_who_ask(people: People, motion: str, *, moves: bool) -> None:
    ana = await people.at("echo", reduced_motion=motion)
    moving = await ana.run("chat.wait(true); return [chat.typing.checkVisibility(), root.getAnimations().length > 0]")
    assert moving == [True, moves]


@pytest.mark.parametrize("size", [ZOOMED, NARROW, PHONE], ids=["zoomed", "narrow", "phone"])
async def test_everything_fits(people: People, size: dict[str, int]) -> None:
    ana = await rich_talk(people, viewport=size, device_scale_factor=2, reduced_motion="reduce")
    assert await measuring.sticking_out(ana) == []
    box = await ana.input.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= size["height"]
    assert await ana.run("return root.querySelector('.log').clientHeight") > size["height"] * 0.35
    for path in ("/docs", "/embed-example"):
        await ana.open(path)
        await expect(ana.page.locator("h1")).to_be_visible()
        assert await measuring.sticking_out(ana) == []
