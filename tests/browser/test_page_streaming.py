"""Answers that grow, and how they are stopped."""

import pytest
from playwright.async_api import expect

from tests.browser.people import People
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser
LONG = " ".join(["🙂 It **grows**,", *(f"word{number}" for number in range(40)), "done."])
ENDLESS = " ".join(f"word{number}" for number in range(2000))


async def test_answer_grows_before_it_is_complete(people: People, stage: Stage) -> None:
    stage.answer(LONG, chunk_latency=0.02)
    ana = await people.at("slow")
    await ana.hear("Ask me.")
    await ana.run(
        """window.seen = [];
           new MutationObserver(() => {
             const draft = root.querySelector('[data-testid=draft] .text');
             if (draft) window.seen.push(draft.textContent);
           }).observe(root, { subtree: true, childList: true, characterData: true });"""
    )
    await ana.say("Go on")
    await ana.hear("done.")
    await expect(ana.part("draft")).to_have_count(0)
    whole = await ana.heard.last.locator(".text").inner_text()
    grown = list(dict.fromkeys(await ana.run("return window.seen")))
    assert len(grown) > 5
    assert all(whole.startswith(text.rstrip().removesuffix("**grows**,").rstrip()) for text in grown)
    assert grown[0] != whole
    assert len(whole) == len(LONG) - len("****")


@pytest.mark.parametrize("way", ["key", "button"])
async def test_answer_is_stopped(people: People, stage: Stage, way: str) -> None:
    stage.answer(ENDLESS, chunk_latency=0.02)
    ana = await people.at("slow")
    await ana.hear("Ask me.")
    await ana.say("Go on")
    await expect(ana.part("draft")).to_contain_text("word5")
    await expect(ana.part("send")).to_have_accessible_name("Stop the answer")
    if way == "key":
        await ana.input.press("Escape")
    else:
        await ana.part("send").click()
    await ana.hear("word5")
    await expect(ana.part("draft")).to_have_count(0)
    await expect(ana.part("send")).to_have_accessible_name("Send")
    assert "word1999" not in await ana.heard.last.inner_text()


async def test_joining_in_the_middle_shows_no_torn_text(people: People, stage: Stage) -> None:
    """Who reloads while an answer grows sees that somebody writes, then the whole."""
    stage.answer(LONG, chunk_latency=0.03)
    ana = await people.at("slow")
    await ana.hear("Ask me.")
    await ana.say("Go on")
    await expect(ana.part("draft")).to_contain_text("word9")
    await ana.page.reload()
    await ana.online()
    await ana.hear("done.")
    await expect(ana.heard).to_have_count(2)
    await expect(ana.heard.last).to_contain_text("It grows")
