"""Files: from the person's disk through Envoy to the store, and back."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Response, Route, expect

from tests.browser.people import People, Visitor

pytestmark = pytest.mark.browser
BYTES = bytes(range(256)) * 40
NAME = "relatório 2026 (1).pdf"
UPLOADS = "**/parley-files/**"
TOO_LARGE = 100 * 1024 * 1024 + 1


def file(name: str, content: bytes = BYTES, kind: str = "application/pdf") -> Any:
    """What a person picks."""
    return {"name": name, "mimeType": kind, "buffer": content}


async def pick(visitor: Visitor, *files: Any) -> None:
    """Choose files in the dialog of the system."""
    async with visitor.page.expect_file_chooser() as waiting:
        await visitor.part("attach").click()
    await (await waiting.value).set_files(list(files))


async def saved(visitor: Visitor, name: str) -> tuple[str, bytes]:
    """Press an attachment; the name and the bytes of what was saved."""
    async with visitor.page.expect_download() as waiting:
        await visitor.part("attachment").get_by_role("button", name=name).click()
    download = await waiting.value
    path = Path(await download.path())
    return download.suggested_filename, await asyncio.to_thread(path.read_bytes)


async def test_file_goes_to_the_store_and_comes_back(people: People) -> None:
    ana = await people.at("echo")
    puts: list[Response] = []
    ana.context.on("response", lambda answer: puts.append(answer) if answer.request.method == "PUT" else None)
    await pick(ana, file(NAME))
    await expect(ana.part("files")).to_contain_text("10 kB")
    assert [(answer.status, "X-Amz-Signature" in answer.url) for answer in puts] == [(200, True)]
    assert puts[0].url.startswith(ana.url)
    await ana.say("Here it is")
    await ana.hear("Here it is")
    await expect(ana.part("files").get_by_role("listitem")).to_have_count(0)
    await expect(ana.said.last.get_by_test_id("attachment")).to_contain_text(NAME)
    assert await saved(ana, NAME) == (NAME, BYTES)
    await ana.page.reload()
    await ana.hear("Here it is")
    assert await saved(ana, NAME) == (NAME, BYTES)


async def test_page_that_was_uploaded_is_saved_and_never_opened(people: People) -> None:
    ana = await people.at("echo")
    page = b"<script>opener.hurt = 1</script>"
    await pick(ana, file("page.html", page, "text/html"), file("drawing.svg", page, "image/svg+xml"))
    await expect(ana.part("files").get_by_role("listitem")).to_have_count(2)
    await expect(ana.part("send")).to_be_enabled()
    await ana.part("send").click()
    await expect(ana.said.get_by_test_id("attachment")).to_have_count(2)
    address = ana.page.url
    assert await saved(ana, "page.html") == ("page.html", page)
    assert await saved(ana, "drawing.svg") == ("drawing.svg", page)
    assert ana.page.url == address
    assert len(ana.context.pages) == 1


async def test_message_waits_for_its_files(people: People) -> None:
    ana = await people.at("echo")
    gate = asyncio.Event()

    async def hold(route: Route) -> None:
        await gate.wait()
        await route.continue_()

    await ana.page.route(UPLOADS, hold)
    await ana.input.fill("With a file")
    await pick(ana, file("slow.pdf"), file("other.pdf"))
    await expect(ana.part("send")).to_be_disabled()
    await ana.input.press("Enter")
    await expect(ana.said).to_have_count(0)
    await ana.page.get_by_role("button", name="Remove: other.pdf").click()
    gate.set()
    await expect(ana.part("send")).to_be_enabled()
    await ana.input.press("Enter")
    await ana.hear("With a file")
    await expect(ana.part("attachment")).to_have_count(1)
    await expect(ana.part("attachment")).to_contain_text("slow.pdf")


async def test_file_that_cannot_be_sent_is_refused_with_words(people: People, tmp_path: Path) -> None:
    ana = await people.at("echo")
    large = tmp_path / "film.mkv"
    with large.open("wb") as sparse:
        sparse.truncate(TOO_LARGE)
    await pick(ana, large)
    await expect(ana.part("notice")).to_have_text("“film.mkv” is too large: a file may have 100 MB.")
    await pick(ana, file("nothing.txt", b""))
    await expect(ana.part("notice")).to_have_text("“nothing.txt” is empty.")
    await pick(ana, *(file(f"{number}.txt", b"x") for number in range(11)))
    await expect(ana.part("notice")).to_have_text("A message may have 10 files.")
    await expect(ana.part("files").get_by_role("listitem")).to_have_count(10)
    assert not [address for address in ana.requests if "film" in address]


async def test_upload_that_fails_says_so_and_can_be_tried_again(people: People) -> None:
    ana = await people.at("echo")
    ana.forgive("ERR_FAILED|503")
    await ana.page.route(UPLOADS, lambda route: route.abort())
    await pick(ana, file(NAME))
    notice = ana.part("notice")
    await expect(notice).to_have_text(f"“{NAME}” could not be uploaded.")
    await expect(ana.part("send")).to_be_disabled()
    again = ana.page.get_by_role("button", name=f"Try again: {NAME}")
    await ana.page.unroute(UPLOADS)
    await ana.page.route(UPLOADS, lambda route: route.fulfill(status=503))
    await again.click()
    await expect(notice).to_have_text(f"“{NAME}” could not be uploaded.")
    await ana.page.unroute(UPLOADS)
    await again.click()
    await expect(ana.part("files")).to_contain_text("10 kB")
    await expect(notice).to_be_empty()
    await ana.say("At last")
    await ana.hear("At last")
    assert await saved(ana, NAME) == (NAME, BYTES)


async def test_download_that_fails_says_so(people: People) -> None:
    ana = await people.at("echo")
    ana.forgive("404")
    await pick(ana, file(NAME))
    await expect(ana.part("send")).to_be_enabled()
    await ana.say("Look")
    await ana.hear("Look")
    await ana.page.route(re.compile(":createDownload"), lambda route: route.fulfill(status=404, body="{}"))
    await ana.part("attachment").get_by_role("button").click()
    await expect(ana.part("notice")).to_have_text(f"“{NAME}” could not be downloaded.")


async def test_file_is_pasted_and_dropped(people: People) -> None:
    ana = await people.at("echo")
    await ana.run(
        """const data = new DataTransfer();
           data.items.add(new File(['pasted'], 'pasted.txt', { type: 'text/plain' }));
           root.querySelector('textarea').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data }));
           const more = new DataTransfer();
           more.items.add(new File(['dropped'], 'dropped.txt', { type: 'text/plain' }));
           const drop = new DragEvent('drop', { dataTransfer: more, cancelable: true });
           root.querySelector('footer').dispatchEvent(drop);"""
    )
    await expect(ana.part("files").get_by_role("listitem")).to_have_count(2)
    await expect(ana.part("send")).to_be_enabled()
    await ana.part("send").click()
    assert await saved(ana, "dropped.txt") == ("dropped.txt", b"dropped")
