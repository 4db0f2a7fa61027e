"""What a designer would measure in the page: contrast, overflow, sizes, names for screen readers."""

from pathlib import Path
from typing import Any

from tests.browser.people import Visitor

MEASURES = Path(__file__).parent / "measures"
CONTRAST = (MEASURES / "contrast.js").read_text()
OVERFLOW = (MEASURES / "overflow.js").read_text()
SMALL = (MEASURES / "small.js").read_text()
RULES = (MEASURES / "rules.js").read_text()
FOCUSED = (MEASURES / "focused.js").read_text()
WITH_NAMES = {"button", "combobox", "textbox", "link", "log", "region", "searchbox", "DisclosureTriangle"}


async def contrasts(visitor: Visitor) -> dict[str, float]:
    """The least ratio of each text that is shown."""
    found: dict[str, float] = {}
    for words, ratio in await visitor.run(CONTRAST):
        found[words] = min(ratio, found.get(words, 21.0))
    return found


async def sticking_out(visitor: Visitor) -> list[str]:
    """What is wider than its place."""
    return [str(item) for item in await visitor.run(OVERFLOW)]


async def too_small(visitor: Visitor) -> list[str]:
    """What is hard to hit: below 24 pixels."""
    return [str(item) for item in await visitor.run(SMALL)]


async def rules_broken(visitor: Visitor) -> list[str]:
    """Language, order of the keyboard, labels, live regions."""
    return [str(item) for item in await visitor.run(RULES)]


async def accessible(visitor: Visitor) -> None:
    """All of it holds for what is shown now."""
    assert await rules_broken(visitor) == []
    assert await nameless(visitor) == []
    assert {words: ratio for words, ratio in (await contrasts(visitor)).items() if ratio < 4.5} == {}
    assert await sticking_out(visitor) == []


async def nameless(visitor: Visitor) -> list[str]:
    """Roles of what a screen reader would announce without a name, as the browser computes them."""
    session = await visitor.context.new_cdp_session(visitor.page)
    tree: dict[str, Any] = await session.send("Accessibility.getFullAXTree")
    await session.detach()
    told = [node for node in tree["nodes"] if not node.get("ignored")]
    roles = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in told]
    assert any(role in WITH_NAMES for role, _ in roles)
    return [role for role, name in roles if role in WITH_NAMES and not name.strip()]


async def focused(visitor: Visitor) -> tuple[str, bool]:
    """What has the focus, and whether one sees it."""
    name, visible = await visitor.run(FOCUSED)
    return str(name), bool(visible)
