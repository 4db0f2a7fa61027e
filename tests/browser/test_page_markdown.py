"""What a bot says is shown as Markdown and is never run; what a person says is shown as typed."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.people import People, Visitor

pytestmark = pytest.mark.browser
MARKDOWN = """## Menu

Text with **bold**, *soft*, `code` and a [link](https://example.com/a?b=1), not snake_case_word.

- one
- two
  - nested

3. third
4. fourth

> quoted

```python
a < b && "<i>"
```

| Name | Price |
|---|---|
| Tea | 2.50 |

See https://example.com/x."""
HOSTILE = """<script>window.hurt = 1</script><img src=x onerror="window.hurt=2"><svg onload="window.hurt=3"></svg>

[one](javascript:window.hurt=4) [two](JaVaScRiPt:window.hurt=5) [three](data:text/html,<script>window.hurt=6</script>)
[four](vbscript:x) ![five](https://evil.example/pixel.png) ![six](javascript:window.hurt=7) <iframe src="https://evil.example">
<a href="javascript:window.hurt=8">seven</a> [eight](https://evil.example/"onmouseover="window.hurt=9)
**<b onclick="window.hurt=10">nine</b>** `<script>window.hurt=11</script>` <style>*{display:none}</style>

| <img src=x onerror=window.hurt=12> | b |
|---|---|
| [x](javascript:window.hurt=13) | <svg/onload=window.hurt=14> |

```<img src=x onerror=window.hurt=15>
</code></pre><script>window.hurt=16</script>
```
end of it"""
ELEMENTS = {
    "DIV", "P", "BR", "STRONG", "EM", "CODE", "PRE", "UL", "OL", "LI", "BLOCKQUOTE", "TABLE", "TR", "TH", "TD", "A",
    "DEL", "H3", "H4", "H5", "H6", "HR",
}  # fmt: skip
ENDLESS = [
    ">" * 30_000, "[" * 30_000, "[a](" * 8000, "**a " * 8000, "_a" * 15_000, "- " * 15_000, "`" * 29_999, "\\" * 30_000,
    "| " * 4000 + "\n|--|\n" + "| " * 4000, "".join(f"{' ' * depth}- x\n" for depth in range(200)), "~~a" * 10_000,
]  # fmt: skip
OF_ALL = {"class", "tabindex", "dir", "role", "aria-label", "data-spoken"}
OF_LINKS = {"href", "target", "rel"}


async def echoed(people: People, text: str, last: str) -> Visitor:
    """Somebody to whom a bot said a text; `last`: words at its end."""
    ana = await people.at("echo")
    await ana.say(text)
    await ana.hear(last)
    return ana


async def test_markdown_is_shown_as_what_it_means(people: People) -> None:
    ana = await echoed(people, MARKDOWN, "example.com/x")
    line = ana.heard.last
    await expect(line.locator("h4")).to_have_text("Menu")
    await expect(line.locator("strong")).to_have_text("bold")
    await expect(line.locator("em")).to_have_text("soft")
    await expect(line.locator("p code")).to_have_text("code")
    await expect(line.locator("ul > li > ul > li")).to_have_text("nested")
    await expect(line.locator("ol")).to_have_attribute("start", "3")
    await expect(line.locator("ol > li")).to_have_text(["third", "fourth"])
    await expect(line.locator("blockquote")).to_have_text("quoted")
    await expect(line.locator("pre code")).to_have_text('a < b && "<i>"')
    await expect(line.locator("th")).to_have_text(["Name", "Price"])
    link = line.locator("a").first
    await expect(link).to_have_attribute("href", "https://example.com/a?b=1")
    await expect(link).to_have_attribute("rel", re.compile("noopener noreferrer"))
    await expect(line.locator("a").last).to_have_attribute("href", "https://example.com/x")


async def test_words_of_the_person_are_shown_as_typed(people: People) -> None:
    ana = await echoed(people, MARKDOWN, "example.com/x")
    await expect(ana.said.last.locator("strong, a, li, pre")).to_have_count(0)
    shown = await ana.said.last.locator(".text").inner_text()
    assert shown.splitlines() == MARKDOWN.splitlines()


async def test_hostile_markdown_is_inert(people: People) -> None:
    ana = await echoed(people, HOSTILE, "end of it")
    for link in await ana.heard.last.locator("a").all():
        await expect(link).to_have_attribute("href", re.compile("^https://"))
    found = await ana.run(
        """const all = [...root.querySelectorAll('.line .text *')];
           return { names: all.map((node) => node.tagName), attributes: all.flatMap((node) => node.getAttributeNames()),
                    hurt: window.hurt ?? 0 }"""
    )
    assert set(found["names"]) <= ELEMENTS
    assert set(found["attributes"]) <= OF_LINKS | OF_ALL
    assert found["hurt"] == 0
    await expect(ana.heard.last).to_contain_text("<script>window.hurt = 1</script>")
    assert not [address for address in ana.requests if "evil" in address]


async def test_no_text_takes_long_to_show(people: People) -> None:
    ana = await people.visitor()
    await ana.open("/chat/echo")
    spent = await ana.run(
        """const { render } = await import('/static/markdown.js');
           return given[0].map((text) => {
             const begun = performance.now();
             document.createElement('div').append(render(text));
             return performance.now() - begun;
           })""",
        ENDLESS,
    )
    assert len(spent) == len(ENDLESS)
    assert max(spent) < 1000


async def test_streamed_pieces_never_break_the_markdown_of_the_whole(people: People) -> None:
    """Every beginning of a hostile text is as inert as the whole."""
    ana = await people.visitor()
    await ana.open("/chat/echo")
    names = await ana.run(
        """const { render } = await import('/static/markdown.js');
           const seen = new Set();
           for (let end = 1; end <= given[0].length; end += 1) {
             const holder = document.createElement('div');
             holder.append(render(given[0].slice(0, end)));
             for (const node of holder.querySelectorAll('*')) seen.add(node.tagName);
           }
           return [...seen, window.hurt ?? 0]""",
        HOSTILE,
    )
    assert names.pop() == 0
    assert set(names) <= ELEMENTS
