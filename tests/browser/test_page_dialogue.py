"""The hello bot, by typing and by pressing; what is shown of it, and where answers come from."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.people import People

pytestmark = pytest.mark.browser


async def test_page_greets_and_talks_by_typing_and_by_suggestions(people: People) -> None:
    ana = await people.at("hello")
    await ana.hear("Hello! I am Parley.", 0)
    await ana.introduce()
    await expect(ana.suggestions).to_have_text(["A small order", "Guess a number", "Just questions"])
    await ana.choose("A small order")
    await ana.hear("What would you like?")
    await ana.choose("Cake")
    await ana.hear("How many?")
    await expect(ana.suggestions).to_have_count(0)
    await ana.say("three")
    await ana.hear("I expected a whole number")
    await ana.say("2")
    await ana.hear("e-mail address")
    await ana.say("ana@example.com")
    await ana.hear("2 x Cake comes to $8.50", -2)
    await expect(ana.heard.nth(-2).locator("strong")).to_have_text("$8.50")
    said = ["Ana", "A small order", "Cake", "three", "2", "ana@example.com"]
    await expect(ana.said.locator(".text")).to_have_text(said)


async def test_free_question_is_answered_with_a_citation(people: People) -> None:
    ana = await people.at("hello")
    await ana.ask_freely()
    await ana.choose("How do I return something?")
    await ana.hear(re.compile("within 30 days"))
    sources = ana.heard.last.get_by_test_id("sources")
    await expect(sources.locator("blockquote").first).to_be_hidden()
    await sources.locator("summary").click()
    await expect(sources.locator("blockquote").first).to_contain_text("30 days")
    await expect(sources.locator("blockquote").first).to_contain_text("Corner Shop")
    await expect(sources.locator("blockquote").first).to_be_in_viewport(ratio=0.99)
