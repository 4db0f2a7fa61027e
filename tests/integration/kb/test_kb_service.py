"""Documents in, passages out, over real gRPC."""

import hashlib
import uuid

import pytest
from parley.kb.v1 import kb_service_pb2 as pb

from services.common import errors
from tests.integration.kb.conftest import KbWorld

pytestmark = pytest.mark.integration
SHOP = """# The Corner Shop

## Opening hours

The shop is open Monday to Friday from 9:00 to 18:00. On Sunday it is closed.

## Returns

You may return an article within 30 days of delivery. Bring the receipt.

## Delivery

Delivery costs 4.90 euros. From 50 euros on it is free.
"""
VPN = "# Руководство по VPN\n\nЧтобы подключиться к VPN, установите клиент и введите адрес сервера. Ошибка 720: роутер."


async def test_a_document_becomes_live_and_answers(kb: KbWorld) -> None:
    queued = await kb.put("shop.md", SHOP)
    assert queued.state in {pb.Document.STATE_QUEUED, pb.Document.STATE_PARSING}
    live = await kb.settled(queued)
    assert (live.state, live.title, live.chunk_count, live.revision) == (
        pb.Document.STATE_LIVE,
        "The Corner Shop",
        3,
        1,
    )
    assert live.digest == hashlib.sha256(SHOP.encode()).hexdigest()
    found = await kb.search("How long do I have to return an article?")
    best = found.passages[0]
    assert "within 30 days" in best.text
    assert SHOP[best.start : best.end] == best.text
    assert (best.document, best.title, best.path, best.collection) == (live.name, live.title, "shop.md", "docs")
    assert best.similarity > 0.86
    assert 0 < best.score <= 1


@pytest.mark.parametrize(
    "question",
    ["¿Puedo devolver un artículo?", "Posso devolver um produto?", "opening hours"],
)
async def test_questions_in_other_languages_are_answered(kb: KbWorld, question: str) -> None:
    await kb.live("shop.md", SHOP)
    assert (await kb.search(question)).passages


@pytest.mark.parametrize(
    "question", ["Who painted the Mona Lisa?", "столица Франции", "¿Quién escribió Don Quijote?", "2+2", "🙂"]
)
async def test_what_the_documents_do_not_say_finds_nothing(kb: KbWorld, question: str) -> None:
    await kb.live("shop.md", SHOP)
    assert not (await kb.search(question)).passages


async def test_a_rare_word_is_found_by_its_letters(kb: KbWorld) -> None:
    await kb.live("shop.md", SHOP)
    await kb.live("vpn.md", VPN)
    assert (await kb.search("ошибка 720")).passages[0].path == "vpn.md"


async def test_tenants_bots_and_collections_are_apart(kb: KbWorld) -> None:
    mine = await kb.live("shop.md", SHOP)
    await kb.live("shop.md", SHOP.replace("30 days", "31 days"), collection="old")
    question = "How long do I have to return an article?"
    assert {item.collection for item in (await kb.search(question)).passages} == {"docs", "old"}
    assert {item.collection for item in (await kb.search(question, collections=["old"])).passages} == {"old"}
    assert not (await kb.search(question, bot="other")).passages
    kb.tenant = str(uuid.uuid4())
    assert not (await kb.search(question)).passages
    with pytest.raises(errors.NotFound):
        await kb.get(mine.name)
    with kb.caller.acting(kb.tenant), pytest.raises(errors.NotFound):
        await kb.stub.DeleteDocument(pb.DeleteDocumentRequest(name=mine.name))


async def test_a_new_version_replaces_the_old_as_a_whole(kb: KbWorld) -> None:
    first = await kb.live("shop.md", SHOP)
    before = await kb.search("How long do I have to return an article?")
    second = await kb.live("shop.md", SHOP.replace("30 days", "14 days"))
    after = await kb.search("How long do I have to return an article?")
    assert (second.name, second.revision) == (first.name, 2)
    assert int(after.revision) > int(before.revision)
    assert "14 days" in after.passages[0].text
    assert not any("30 days" in item.text for item in after.passages)


async def test_the_same_bytes_again_change_nothing(kb: KbWorld) -> None:
    first = await kb.live("shop.md", SHOP)
    again = await kb.put("shop.md", SHOP)
    assert (again.state, again.revision, again.update_time) == (pb.Document.STATE_LIVE, 1, first.update_time)


async def test_a_version_that_fails_leaves_the_old_one_live(kb: KbWorld) -> None:
    await kb.live("shop.md", SHOP)
    failed = await kb.settled(await kb.put("shop.md", b"\xff\xfe\xfa not text"))
    assert failed.state == pb.Document.STATE_FAILED
    assert "UTF-8" in failed.reason
    assert (await kb.search("How long do I have to return an article?")).passages


async def test_deleted_is_gone(kb: KbWorld) -> None:
    live = await kb.live("shop.md", SHOP)
    request = pb.DeleteDocumentRequest(name=live.name, request_id=str(uuid.uuid4()))
    with kb.caller.acting(kb.tenant):
        await kb.stub.DeleteDocument(request)
        await kb.stub.DeleteDocument(request)
        with pytest.raises(errors.NotFound):
            await kb.stub.DeleteDocument(pb.DeleteDocumentRequest(name=live.name))
    assert not (await kb.search("How long do I have to return an article?")).passages


async def test_a_request_id_is_one_request(kb: KbWorld) -> None:
    key = str(uuid.uuid4())
    first = await kb.put("a.md", "One.", request_id=key)
    again = await kb.put("a.md", "One.", request_id=key)
    assert first.name == again.name
    with pytest.raises(errors.AlreadyExists) as caught:
        await kb.put("a.md", "Two.", request_id=key)
    assert caught.value.reason == "REQUEST_ID_REUSED"


async def test_an_import_that_is_repeated_does_not_bring_a_document_back(kb: KbWorld) -> None:
    """It answers as it did, whatever became of the document since."""
    key = str(uuid.uuid4())
    first = await kb.put("a.md", "One.", request_id=key)
    with kb.caller.acting(kb.tenant):
        await kb.stub.DeleteDocument(pb.DeleteDocumentRequest(name=first.name))
        assert await kb.put("a.md", "One.", request_id=key) == first
        with pytest.raises(errors.NotFound):
            await kb.stub.GetDocument(pb.GetDocumentRequest(name=first.name))


async def test_lists_are_by_path_in_pages(kb: KbWorld) -> None:
    for path in ("b.md", "a.md", "c/d.md"):
        await kb.live(path, f"# {path}\n\nWords about {path}.")
    await kb.live("a.md", "Other words.", collection="other")
    seen: list[str] = []
    request = pb.ListDocumentsRequest(parent="bots/hello/collections/-", page_size=3)
    with kb.caller.acting(kb.tenant):
        while True:
            page = await kb.stub.ListDocuments(request)
            seen += [item.path for item in page.documents]
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
        assert seen == ["a.md", "a.md", "b.md", "c/d.md"]
        narrow = pb.ListDocumentsRequest(parent="bots/hello/collections/docs")
        assert len((await kb.stub.ListDocuments(narrow)).documents) == 3
        narrow.page_token = request.page_token
        with pytest.raises(errors.InvalidArgument) as caught:
            await kb.stub.ListDocuments(narrow)
    assert caught.value.reason == "PAGE_TOKEN_INVALID"


@pytest.mark.parametrize("path", ["/etc/passwd.md", "../x.md", "a//b.md", "a\n.md", "noextension", "x.pdf"])
async def test_bad_paths_and_types_are_refused(kb: KbWorld, path: str) -> None:
    with pytest.raises(errors.InvalidArgument):
        await kb.put(path, "Words.")


async def test_roles_decide(kb: KbWorld) -> None:
    request = pb.ImportDocumentRequest(parent="bots/hello/collections/docs", path="a.md", content=b"x")
    with kb.caller.acting(kb.tenant, "user"), pytest.raises(errors.PermissionDenied):
        await kb.stub.ImportDocument(request)
    with kb.caller.acting(kb.tenant, "user"):
        assert not (await kb.stub.Search(pb.SearchRequest(bot="bots/hello", query="x"))).passages


async def test_a_repeated_search_comes_from_the_cache_until_something_changes(kb: KbWorld) -> None:
    await kb.live("shop.md", SHOP)
    first = await kb.search("opening hours")
    index = kb.service._index
    assert index is not None
    search = index.search
    calls: list[str] = []

    async def counted(*arguments: object) -> object:
        calls.append("search")
        return await search(*arguments)  # type: ignore[arg-type]

    index.search = counted  # type: ignore[method-assign, assignment]
    try:
        assert await kb.search("opening   hours") == first
        assert calls == []
        await kb.live("vpn.md", VPN)
        await kb.search("opening hours")
        assert calls == ["search"]
    finally:
        index.search = search  # type: ignore[method-assign]
