"""What scripts send and get back: methods, bodies, headers, own addresses, and the time and room that all of it has."""

import asyncio
import json
from typing import Any

import pytest

from services.common.identifiers import derived_id
from services.engine.program.values import ProgramError
from services.engine.web.answers import plain_data
from services.engine.web.port import Request
from tests.doubles.web_site import WebSite
from tests.unit.engine.web.conftest import Make, world_of

pytestmark = pytest.mark.unit
MODIFYING = ["POST", "PUT", "PATCH", "DELETE"]


async def told(web: Any, site: WebSite, world: Any = None, method: str = "POST", **what: Any) -> dict[str, Any]:
    """What the site says came."""
    response = await web.ask(world or world_of(), Request(method=method, url=site.url("/echo"), **what))
    assert response["status"] == 200
    data: dict[str, Any] = response["data"]
    return data


@pytest.mark.parametrize("method", ["GET", *MODIFYING])
async def test_each_method_is_really_sent(site: WebSite, make: Make, method: str) -> None:
    body = None if method == "GET" else {"a": [1, None, True]}
    came = await told(make(), site, method=method, body=body)
    assert (came["method"], came["body"]) == (method, "" if body is None else '{"a":[1,null,true]}')
    assert came["headers"].get("content-type") == (None if body is None else "application/json")


async def test_a_side_effect_carries_the_key_of_its_effect_and_reading_does_not(site: WebSite, make: Make) -> None:
    web = make()
    keys = [(await told(web, site, method=method, body={}))["headers"]["idempotency-key"] for method in MODIFYING]
    assert set(keys) == {str(derived_id("web", "turn-7/node-3"))}
    assert "idempotency-key" not in (await told(web, site, method="GET"))["headers"]
    other = await told(web, site, world_of(key="turn-7/node-4"), body={})
    assert other["headers"]["idempotency-key"] != keys[0]
    own = await told(web, site, world_of(settings={"headers": {"idempotency-key": "mine"}}), body={})
    assert own["headers"]["idempotency-key"] == "mine"


async def test_headers_of_the_conversation_are_sent(site: WebSite, make: Make) -> None:
    world = world_of(settings={"headers": {"Authorization": "Bearer x", "X-Number": 7, "accept-encoding": "br"}})
    came = await told(make(), site, world, method="GET", headers={"AUTHORIZATION": "Bearer y"})
    assert (came["headers"]["authorization"], came["headers"]["x-number"]) == ("Bearer y", "7")
    assert came["headers"]["accept-encoding"] == "gzip"
    bare = await told(make(), site, world, method="GET", bare=True)
    assert "x-number" not in bare["headers"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("X-A", "b\r\nX-C: d"), ("X A", "b"), ("", "b"), ("X-A\r\nX-B", "c"), ("Host", "evil"), ("Content-Length", "1"),
     ("X-A", "\x00"), ("Transfer-Encoding", "chunked")],
)  # fmt: skip
async def test_no_header_gets_out_of_its_line(site: WebSite, make: Make, name: str, value: str) -> None:
    with pytest.raises(ProgramError):
        await told(make(), site, world_of(settings={"headers": {name: value}}))
    with pytest.raises(ProgramError):
        await told(make(), site, world_of(settings={"headers": {f"X-{n}": "1" for n in range(65)}}))
    assert site.asked == []


@pytest.mark.parametrize(
    ("body", "kind", "sent", "sent_as"),
    [
        ("hello", "", "hello", "text/plain; charset=utf-8"),
        ('{"a": 1}', "", '{"a": 1}', "application/json"),
        ("{not json", "", "{not json", "text/plain; charset=utf-8"),
        ([1, 2], "", "[1,2]", "application/json"),
        (5, "", "5", "application/json"),
        ("<a/>", "text/xml", "<a/>", "text/xml"),
        ({"a": "ü &", "b": [1, 2]}, "application/x-www-form-urlencoded", "a=%C3%BC+%26&b=1&b=2", None),
        ("a=1&b=2", "application/x-www-form-urlencoded", "a=1&b=2", None),
        ({"a": 1}, "application/vnd.api+json", '{"a":1}', None),
        (b"\x01raw", "application/octet-stream", "\x01raw", None),
    ],
)
async def test_the_content_type_decides_the_form_of_a_body(
    site: WebSite, make: Make, body: Any, kind: str, sent: str, sent_as: str | None
) -> None:
    world = world_of(settings={"headers": {"content-type": kind} if kind else {}})
    came = await told(make(), site, world, body=body)
    assert (came["body"], came["headers"]["content-type"]) == (sent, sent_as or kind)


async def test_forms_of_parts_carry_files_and_are_the_same_when_repeated(site: WebSite, make: Make) -> None:
    world = world_of(settings={"headers": {"Content-Type": "multipart/form-data"}})
    file = {"filename": 'a".txt\r\nX: y', "content": "hello", "type": "text/plain"}
    body = {"name": "Ann", "file": file, "b": {"filename": "b.bin", "base64": "AAE="}}
    came, again = [await told(make(), site, world, body=body) for _ in range(2)]
    boundary = came["headers"]["content-type"].partition("boundary=")[2]
    parts = came["body"].split(f"--{boundary}")
    assert parts[1] == '\r\nContent-Disposition: form-data; name="name"\r\n\r\nAnn\r\n'
    head = 'form-data; name="file"; filename="a%22.txt%0D%0AX: y"\r\nContent-Type: text/plain'
    assert parts[2] == f"\r\nContent-Disposition: {head}\r\n\r\nhello\r\n"
    assert "application/octet-stream\r\n\r\n\x00\x01\r\n" in parts[3]
    assert (parts[4:], again["body"]) == (["--\r\n"], came["body"])


@pytest.mark.parametrize(
    ("kind", "body"),
    [("multipart/form-data", "text"), ("application/x-www-form-urlencoded", [1]), ("", "\ud800"), ("", {"a": "\ud800"}),
     ("multipart/form-data", {"f": {"filename": "x", "base64": "!"}})],
)  # fmt: skip
async def test_what_cannot_be_sent_is_said(site: WebSite, make: Make, kind: str, body: Any) -> None:
    with pytest.raises(ProgramError):
        await told(make(), site, world_of(settings={"headers": {"Content-Type": kind} if kind else {}}), body=body)
    assert site.asked == []


async def test_a_response_is_an_object_whatever_its_status(site: WebSite, make: Make) -> None:
    url = site.url("/say?status=422")
    response = await make().ask(world_of(), Request(method="POST", url=url, body={"problem": "age"}))
    assert set(response) == {"status", "statusText", "headers", "data"}
    assert (response["status"], response["statusText"]) == (422, "Unprocessable Entity")
    assert response["data"] == {"problem": "age"}
    assert response["headers"]["content-type"] == "application/json"
    limited = await make().ask(world_of(), Request(method="POST", url=site.url("/limited"), body={}))
    assert (limited["status"], limited["headers"]["retry-after"]) == (429, "7")


@pytest.mark.parametrize(
    ("kind", "text", "data"),
    [
        ("application/json", '{"a": 1.5}', {"a": 1.5}),
        ("text/html", '[{"a": 1}]', [{"a": 1}]),
        ("text/plain", "7", "7"),
        ("application/json", "7", 7),
        ("application/problem+json", '"x"', "x"),
        ("application/json", "{broken", "{broken"),
        ("application/json", '{"a": NaN}', '{"a": NaN}'),
        ("text/html", "<p>x", "<p>x"),
        ("", "plain", "plain"),
        ("image/png", "PNG", None),
        ("application/pdf", "%PDF", None),
        ("text/plain; charset=nonsense", "x", "x"),
        ("text/plain; charset=base64", "eA==", "eA=="),
    ],
)
async def test_data_is_json_or_text_or_nothing(site: WebSite, make: Make, kind: str, text: str, data: Any) -> None:
    site.pages["/x"] = (kind, text)
    response = await make().ask(world_of(), Request(method="GET", url=site.url("/x")))
    assert response["data"] == data


async def test_get_gives_the_data_and_the_whole_response_when_it_failed(site: WebSite, make: Make) -> None:
    web = make()

    async def get(path: str) -> Any:
        return plain_data(await web.ask(world_of(), Request(method="GET", url=site.url(path))))

    assert await get("/say?text=[1]") == [1]
    assert (await get("/nowhere"))["status"] == 404
    assert await get("/say?status=204") is None
    with pytest.raises(ProgramError, match="DOWNLOAD"):
        await get("/say?type=image/png&text=PNG")


async def test_packed_answers_are_unpacked(site: WebSite, make: Make) -> None:
    response = await make().ask(world_of(), Request(method="GET", url=site.url("/gzip")))
    assert response["data"] == {"packed": True}


@pytest.mark.parametrize("path", ["/huge", "/bomb"])
async def test_what_is_too_large_is_not_read_to_its_end(site: WebSite, make: Make, path: str) -> None:
    with pytest.raises(ProgramError, match="at most 4194304 bytes"):
        await make().ask(world_of(), Request(method="GET", url=site.url(path)))
    assert site.sent_bytes < 64 * 1024 * 1024


@pytest.mark.parametrize("text", ["[" * 70 + "]" * 70, '"' + "x" * 1_100_000 + '"', json.dumps([0] * 1_100_000)])
async def test_data_that_no_script_can_hold(site: WebSite, make: Make, text: str) -> None:
    site.pages["/x"] = ("application/json", text)
    with pytest.raises(ProgramError, match="a million characters"):
        await make().ask(world_of(), Request(method="GET", url=site.url("/x")))


async def test_brackets_without_end_are_text(site: WebSite, make: Make) -> None:
    site.pages["/x"] = ("application/json", "[" * 100_000)
    response = await make().ask(world_of(), Request(method="GET", url=site.url("/x")))
    assert response["data"] == "[" * 100_000


@pytest.mark.parametrize("method", ["GET", *MODIFYING])
async def test_a_time_limit_ends_it(site: WebSite, make: Make, method: str) -> None:
    limits = {"read_seconds": 0.2, "write_seconds": 0.3}
    seconds = limits["read_seconds" if method == "GET" else "write_seconds"]
    with pytest.raises(ProgramError, match=rf"{method} failed: no answer within {seconds} seconds"):
        await make(**limits).ask(world_of(), Request(method=method, url=site.url("/slow")))


async def test_no_answer_at_all_is_an_error_that_can_be_caught(site: WebSite, make: Make) -> None:
    web = make()
    with pytest.raises(ProgramError, match="broke before the answer was complete"):
        await web.ask(world_of(), Request(method="POST", url=site.url("/cut"), body={}))
    await site.stop()
    with pytest.raises(ProgramError, match="could not be made") as caught:
        await web.ask(world_of(), Request(method="GET", url=site.url("/echo")))
    assert str(site.port) not in str(caught.value)


async def test_the_query_is_put_behind_the_address(site: WebSite, make: Make) -> None:
    request = Request(
        method="GET", url=site.url("/echo?a=1#end"), query={"city": "São Paulo & co", "n": [1, 2], "none": None}
    )
    response = await make().ask(world_of(), request)
    assert response["data"]["query"] == {"a": "1", "city": "São Paulo & co", "n": "1"}
    spaced = await make().ask(world_of(), Request(method="GET", url=f" {site.url('/echo?q=New York')} "))
    assert spaced["data"]["query"] == {"q": "New York"}


async def test_a_relative_address_is_on_the_host_of_the_bot_or_the_installation(site: WebSite, make: Make) -> None:
    other = WebSite()
    await other.start()
    web = make(own=other.url(""), loopback=True)
    request = Request(method="GET", url="/api/customers?x=1")
    assert (await web.ask(world_of(), request))["status"] == 404
    assert (await web.ask(world_of(config={"host": site.url("/v2/")}), request))["status"] == 404
    assert [hit.path for hit in (*other.asked, *site.asked)] == ["/api/customers", "/v2/api/customers"]
    with pytest.raises(ProgramError, match=r"no `host` in config\.csv"):
        await make().ask(world_of(), request)
    await other.stop()


async def test_a_tenant_has_so_many_requests_a_minute(site: WebSite, make: Make) -> None:
    web = make(per_minute=2)
    for _ in range(2):
        await told(web, site)
    with pytest.raises(ProgramError, match="more than 2 requests within a minute"):
        await told(web, site)
    await told(web, site, world_of(tenant="t2"))


async def test_a_tenant_has_so_many_places_and_the_others_theirs(site: WebSite, make: Make) -> None:
    web = make(at_once=1, read_seconds=0.5)
    stalled = asyncio.create_task(web.fetch(world_of(), Request(method="GET", url=site.url("/slow"))))
    waiting = asyncio.create_task(web.fetch(world_of(), Request(method="GET", url=site.url("/echo"))))
    await told(web, site, world_of(tenant="t2"), method="GET")
    results = await asyncio.gather(stalled, waiting, return_exceptions=True)
    assert all(isinstance(result, ProgramError) for result in results)
    assert [hit.path for hit in site.asked].count("/echo") == 1
    await told(web, site, method="GET")
