"""How the pages are served: a strict policy, nothing from elsewhere; the embedded chat; the page of the API."""

import pytest
from playwright.async_api import expect

from tests.browser import measuring
from tests.browser.people import People

pytestmark = pytest.mark.browser
PAGES = ("/", "/chat/hello", "/embed-example", "/docs")
NOWHERE = ("/chat/UPPER", "/chat/a%22%3E%3Cscript%3E", "/static/config.py", "/static/..%2fserver.py")


async def test_pages_load_nothing_from_elsewhere_and_complain_of_nothing(people: People) -> None:
    ana = await people.visitor()
    for path in PAGES:
        await ana.open(path)
        await ana.page.wait_for_load_state("load")
        if path != "/docs":
            await ana.online()
    assert len(ana.requests) > 4 * len(PAGES)
    assert {address.split("/")[2] for address in ana.requests} == {ana.url.split("/")[2]}
    assert ana.complaints() == []


async def test_policy_is_strict(people: People) -> None:
    ana = await people.visitor()
    for path in PAGES:
        answer = await ana.context.request.get(ana.url + path)
        policy = {part.split()[0]: part.split()[1:] for part in answer.headers["content-security-policy"].split(";")}
        assert policy["default-src"] == ["'none'"]
        assert policy["script-src"] == policy["style-src"] == policy["img-src"] == ["'self'"]
        assert set(policy["connect-src"]) == {"'self'", ana.url}
        assert policy["base-uri"] == policy["form-action"] == ["'none'"]
        assert policy["require-trusted-types-for"] == ["'script'"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        again = await ana.context.request.get(ana.url + path, headers={"if-none-match": answer.headers["etag"]})
        assert again.status == 304


async def test_policy_stops_what_gets_into_the_page(people: People) -> None:
    ana = await people.at("echo")
    ana.forgive("Content Security Policy|Trusted(HTML|Script)|violates|Refused")
    stopped = await ana.run(
        """const script = document.createElement('script');
           try { script.textContent = 'window.hurt = 1'; document.body.append(script); } catch { }
           let html = 'taken';
           try { root.innerHTML = '<b>x</b>'; } catch { html = 'refused'; }
           const image = await new Promise((resolve) => {
             const made = new Image();
             made.onerror = () => resolve('refused');
             made.onload = () => resolve('loaded');
             made.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACw=';
           });
           const fetched = await fetch('https://elsewhere.example/').then(() => 'sent', () => 'refused');
           return [window.hurt ?? 0, html, image, fetched]"""
    )
    assert stopped == [0, "refused", "refused", "refused"]
    ana.requests[:] = [address for address in ana.requests if "elsewhere.example" not in address]


async def test_embedded_chat_works_and_keeps_to_itself(people: People) -> None:
    ana = await people.visitor()
    await ana.open("/embed-example")
    await ana.online()
    await ana.introduce()
    assert await ana.page.evaluate("document.documentElement.lang") == "en"
    assert await ana.page.evaluate("getComputedStyle(document.querySelector('h1')).fontWeight") == "700"
    box = await ana.page.locator("parley-chat").bounding_box()
    assert box is not None
    assert 300 < box["height"] < 500
    await ana.run("document.head.querySelector('link[rel=stylesheet]').remove()")
    assert await ana.run("return getComputedStyle(root.querySelector('.send')).borderRadius") == "14px"
    await ana.run("window.kept = chat; chat.remove()")
    await expect(ana.input).to_have_count(0)
    await ana.run("document.body.append(window.kept)")
    await ana.online()
    await expect(ana.said).to_have_count(1)


async def test_unknown_places_are_refused(people: People) -> None:
    ana = await people.visitor()
    for path in NOWHERE:
        answer = await ana.context.request.get(ana.url + path)
        assert answer.status in {400, 404}, path


async def test_page_of_the_api_is_found_through_and_read(people: People) -> None:
    ana = await people.visitor()
    await ana.open("/docs")
    operations = ana.page.locator("details.operation")
    await expect(operations.filter(has_text="/v1/sessions/{session}:createTicket")).to_be_visible()
    whole = await operations.count()
    assert whole > 40
    await ana.page.get_by_label("Find a method").fill("createdownload")
    await expect(operations.filter(visible=True)).to_have_count(1)
    await expect(ana.page.locator("h2").filter(visible=True)).to_have_count(1)
    shown = operations.filter(visible=True)
    await shown.locator("summary").press("Enter")
    await expect(shown).to_contain_text("download_url")
    await ana.page.get_by_label("Find a method").fill("nothing like this")
    await expect(operations.filter(visible=True)).to_have_count(0)
    await ana.page.get_by_label("Find a method").fill("")
    await expect(operations.filter(visible=True)).to_have_count(whole)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_other_pages_can_be_read(people: People, scheme: str) -> None:
    ana = await people.visitor(color_scheme=scheme)
    for path in ("/docs", "/embed-example"):
        await ana.open(path)
        await expect(ana.page.locator("h1")).to_be_visible()
        if path == "/docs":
            await ana.page.locator("details.operation summary").first.click()
        found = await measuring.contrasts(ana)
        assert {words: ratio for words, ratio in found.items() if ratio < 4.5} == {}
