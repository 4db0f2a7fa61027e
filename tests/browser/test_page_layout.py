"""Long words, long messages, long names: nothing breaks out of its place."""

import pytest
from playwright.async_api import expect

from bench.speed.workbench import publish
from tests.browser import measuring
from tests.browser.people import DESKTOP, PHONE, People
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser
LONG_WORD = "Donaudampfschifffahrtsgesellschaft" * 9
LONG_TEXT = ("Many words make a long message, and it must stay readable. " * 34)[:2000].strip()
LONG_LINK = "https://example.com/" + "path/" * 60
WIDE = "| " + " | ".join(f"column{number}" for number in range(30)) + " |\n" + "|--" * 30 + "|\n"
LONG = (LONG_WORD, LONG_TEXT, LONG_LINK, f"`{LONG_WORD}`", f"```\n{LONG_WORD}\n```", WIDE)
CHOICES = f"""
ADD SUGGESTION "{LONG_WORD[:250]}"
ADD SUGGESTION "{LONG_TEXT[:250]}"
TALK "Choose"
"""


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_long_things_stay_in_their_place(people: People, size: dict[str, int]) -> None:
    ana = await people.at("echo", viewport=size)
    for number, text in enumerate(
        (LONG_WORD, LONG_TEXT, LONG_LINK, f"`{LONG_WORD}`", f"```\n{LONG_WORD}\n```", WIDE), 1
    ):
        await ana.say(text)
        await expect(ana.heard).to_have_count(number)
    assert await measuring.sticking_out(ana) == []
    assert await ana.said.nth(1).locator(".text").inner_text() == LONG_TEXT
    assert await ana.heard.nth(1).locator(".text").inner_text() == LONG_TEXT


async def test_long_suggestions_and_file_names_stay_in_their_place(people: People, stage: Stage) -> None:
    assert stage.stack is not None
    await publish(stage.stack, "choices", CHOICES)
    ana = await people.at("choices", viewport=PHONE)
    await expect(ana.suggestions).to_have_count(2)
    name = f"{LONG_WORD[:180]}.txt"
    await ana.part("picker").set_input_files({"name": name, "mimeType": "text/plain", "buffer": b"x" * 2048})
    await expect(ana.part("files")).to_contain_text("2 kB")
    assert await measuring.sticking_out(ana) == []
    await ana.part("send").click()
    await expect(ana.part("attachment")).to_have_count(1)
    assert await measuring.sticking_out(ana) == []


async def test_tall_draft_scrolls_inside_its_box(people: People) -> None:
    ana = await people.at("echo", viewport=PHONE)
    await ana.input.fill("line\n" * 60)
    box = await ana.input.bounding_box()
    assert box is not None
    assert box["height"] < 200
    assert await measuring.sticking_out(ana) == []


async def test_new_messages_do_not_pull_a_reader_away(people: People) -> None:
    ana = await people.at("echo", viewport=PHONE)
    await ana.say("word\n\n" * 60)
    await expect(ana.heard).to_have_count(1)
    await ana.run("root.querySelector('.log').scrollTop = 0")
    await expect(ana.part("latest")).to_be_visible()
    await ana.run("chat.take({ type: 'message', seq: 99, id: 'x', role: 'bot', turn: 'x', text: 'News' })")
    await ana.hear("News")
    assert await ana.run("return root.querySelector('.log').scrollTop") == 0
    await ana.part("latest").click()
    await expect(ana.part("latest")).to_be_hidden()
    await expect(ana.heard.last).to_be_in_viewport()


async def test_reader_of_the_end_stays_there_when_room_gets_less(people: People) -> None:
    ana = await people.at("echo", viewport=PHONE)
    await ana.say("word\n\n" * 40 + "end")
    await ana.hear("end")
    await ana.page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"] // 2})
    await expect(ana.heard.last.locator("p").last).to_be_in_viewport()
    await ana.part("picker").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"x"})
    await expect(ana.part("files")).to_contain_text("0.1 kB")
    await expect(ana.heard.last.locator("time")).to_be_in_viewport(ratio=0.99)
