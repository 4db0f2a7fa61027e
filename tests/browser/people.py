"""People in a browser: what they do to the page, what they see, and what their browser complains of."""

import re
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, expect

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
PATIENCE = 40_000.0
OF_THE_PAGE = {"data", "blob"}


class Visitor:
    """Somebody with a browser of their own: `page` is the tab in use."""

    def __init__(self, url: str, context: BrowserContext) -> None:
        self.url = url
        self.context = context
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.places = {urlsplit(url).netloc}
        self._forgiven: list[str] = []
        self._page: Page | None = None
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("request", self._on_request)

    @property
    def page(self) -> Page:
        """The tab that was opened last."""
        assert self._page is not None
        return self._page

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(f"{message.type}: {message.text}")

    def _on_request(self, request: Request) -> None:
        self.requests.append(request.url)

    def forgive(self, pattern: str) -> None:
        """Complaints that the test itself causes."""
        self._forgiven.append(pattern)

    def complaints(self) -> list[str]:
        """Errors of the console, and requests that left this origin."""
        foreign = [
            address
            for address in self.requests
            if urlsplit(address).netloc not in self.places and urlsplit(address).scheme not in OF_THE_PAGE
        ]
        told = [text for text in self.errors if not any(re.search(pattern, text) for pattern in self._forgiven)]
        return told + [f"foreign request: {address}" for address in foreign]

    # going places

    async def open(self, path: str) -> None:
        """A new tab with the page at a path."""
        self._page = await self.context.new_page()
        self._page.set_default_timeout(PATIENCE)
        await self._page.goto(self.url + path)

    async def go(self, address: str) -> None:
        """A new tab with a page of another origin."""
        self.places.add(urlsplit(address).netloc)
        self._page = await self.context.new_page()
        self._page.set_default_timeout(PATIENCE)
        await self._page.goto(address)

    async def come(self, bot: str) -> None:
        """A new tab with the chat, connected."""
        await self.open(f"/chat/{bot}")
        await self.online()

    async def online(self) -> None:
        """The page says that it is connected."""
        await expect(self.state).to_have_class(re.compile(r"\bonline\b"))

    # parts of the page

    def part(self, name: str) -> Locator:
        """By data-testid."""
        return self.page.get_by_test_id(name)

    @property
    def state(self) -> Locator:
        return self.part("state")

    @property
    def input(self) -> Locator:
        return self.part("input")

    @property
    def said(self) -> Locator:
        """Lines of the person."""
        return self.part("message-user")

    @property
    def heard(self) -> Locator:
        """Lines of the bot."""
        return self.part("message-bot")

    @property
    def suggestions(self) -> Locator:
        return self.part("suggestions").get_by_role("button")

    # doing and seeing

    async def say(self, text: str) -> None:
        """Type and press Enter."""
        await self.input.fill(text)
        await self.input.press("Enter")

    async def choose(self, suggestion: str) -> None:
        """Press a suggestion."""
        await self.suggestions.get_by_text(suggestion, exact=True).click()

    async def hear(self, text: str | re.Pattern[str], line: int = -1) -> None:
        """Wait until a line of the bot, the last unless said otherwise, holds a text."""
        await expect(self.heard.nth(line)).to_contain_text(text)

    async def introduce(self, name: str = "Ana") -> None:
        """The first question of `hello`."""
        await self.hear("What is your name?")
        await self.say(name)
        await self.hear(f"Nice to meet you, {name}")

    async def ask_freely(self) -> None:
        """To the end of the script of `hello`: from there on, questions are answered from the documents."""
        await self.introduce()
        await self.choose("Just questions")
        await self.hear("ask me anything")

    async def run(self, script: str, *arguments: Any) -> Any:
        """JavaScript in the page: `chat` is the element, `root` its shadow root, `given` the arguments."""
        prelude = "const chat = document.querySelector('parley-chat'), root = chat && chat.shadowRoot;"
        return await self.page.evaluate(f"async (given) => {{ {prelude} {script} }}", list(arguments))


class People:
    """Makes visitors, each with storage of their own, and asks at the end what their browsers complained of."""

    def __init__(self, url: str, browser: Browser) -> None:
        self._url = url
        self._browser = browser
        self._visitors: list[Visitor] = []

    async def visitor(self, **options: Any) -> Visitor:
        """Options of a browser context: locale, viewport, color_scheme ..."""
        context = await self._browser.new_context(**({"viewport": DESKTOP, "locale": "en-US"} | options))
        made = Visitor(self._url, context)
        self._visitors.append(made)
        return made

    async def at(self, bot: str, **options: Any) -> Visitor:
        """A visitor who talks with a bot."""
        made = await self.visitor(**options)
        await made.come(bot)
        return made

    async def leave(self) -> None:
        """Close all browsers."""
        for visitor in self._visitors:
            await visitor.context.close()

    def complaints(self) -> list[str]:
        """Of all browsers."""
        return [text for visitor in self._visitors for text in visitor.complaints()]
