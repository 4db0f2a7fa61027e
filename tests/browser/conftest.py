"""One stack and one Chromium for all tests of the page."""

import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.people import PATIENCE, People
from tests.browser.stage import Stage, staged


@pytest.fixture(scope="session")
async def stage() -> AsyncIterator[Stage]:
    async with staged() as made:
        yield made


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    path = os.environ.get("PARLEY_CHROMIUM", "")
    if not path:
        pytest.skip("no Chromium: run ./parley test browser")
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture
async def people(stage: Stage, chromium: Browser) -> AsyncIterator[People]:
    """People who come to the page; what went wrong in their browsers fails the test."""
    made = People(stage.url, chromium)
    yield made
    await made.leave()
    assert made.complaints() == []
