"""Where scripts cannot be made to lead us: closed addresses, however they are written, resolved or redirected to."""

import socket
from collections.abc import Sequence
from typing import Any

import pytest

from services.engine.program.values import ProgramError
from services.engine.web.port import Request
from tests.doubles.web_site import WebSite
from tests.unit.engine.web.conftest import Make, world_of

pytestmark = pytest.mark.unit
PUBLIC = "93.184.215.14"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
INSIDE = [
    "http://127.0.0.1/", "https://localhost/", "http://10.0.0.1/", "http://192.168.1.1:8080/", "http://172.16.0.1/",
    "http://169.254.169.254/latest/meta-data/", "http://100.100.100.200/", "http://0.0.0.0/", "http://[::1]/",
    "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[fd00:ec2::254]/", "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/",
    "http://127.0.0.1./", "http://①②⑦.0.0.1/", "http://me@10.0.0.1/", "http://example.com@127.0.0.1/",
    "http://inside.test/", "http://mixed.test/", "ftp://93.184.215.14/", "file:///etc/passwd", "gopher://x/",
    "http://93.184.215.14:25/", "http://93.184.215.14:6379\\@127.0.0.1/",
]  # fmt: skip


def names(host: str, port: int) -> Sequence[str]:
    known = {"inside.test": ["10.1.2.3"], "mixed.test": [PUBLIC, "127.0.0.1"], "localhost": ["127.0.0.1"]}
    if host not in known:
        raise socket.gaierror
    return known[host]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("url", INSIDE)
async def test_no_verb_reaches_inside(make: Make, method: str, url: str) -> None:
    web = make(lookup=names, loopback=False)
    with pytest.raises(ProgramError, match=f"{method} failed: the address is refused"):
        await web.ask(world_of(), Request(method=method, url=url, body=None if method == "GET" else {}))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_reaches_inside(site: WebSite, make: Make, method: str, status: int) -> None:
    web = make(lookup=names)
    for inside in (
        "http://10.0.0.1/",
        "http://inside.test/",
        "http://[::ffff:a00:1]/",
        "http://0x0a000001/",
        "file:///",
    ):
        request = Request(method=method, url=site.url(f"/redirect?status={status}"), query={"to": inside})
        with pytest.raises(ProgramError, match="the address is refused"):
            await web.ask(world_of(), request)
    assert {hit.path for hit in site.asked} == {"/redirect"}


async def test_a_good_redirect_is_followed_without_what_was_meant_for_the_first(site: WebSite, make: Make) -> None:
    other = WebSite()
    await other.start()
    world = world_of(settings={"headers": {"Authorization": "Bearer secret", "Accept": "text/x"}})
    for at in (site, other):
        request = Request(method="GET", url=site.url("/redirect"), query={"to": at.url("/echo")})
        headers = (await make().ask(world, request))["data"]["headers"]
        assert (headers.get("authorization"), headers["accept"]) == ("Bearer secret" if at is site else None, "text/x")
    await other.stop()


async def test_a_name_that_moves_between_two_requests_is_looked_at_again(make: Make) -> None:
    answers: list[Any] = [OSError("no answer"), ["127.0.0.1"], ["10.0.0.1"]]

    def moving(host: str, port: int) -> Sequence[str]:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return list(answer)

    web = make(lookup=moving, loopback=False)
    for expected in ("could not be", "the address is refused", "the address is refused"):
        with pytest.raises(ProgramError, match=expected):
            await web.ask(world_of(), Request(method="GET", url="http://moving.test/"))
    assert answers == []


async def test_only_hosts_of_the_lists_are_asked(site: WebSite, make: Make) -> None:
    ok = Request(method="GET", url=site.url("/echo"))
    lists: list[tuple[dict[str, Any], str]] = [
        ({"allowed": ("*.example.com",)}, ""),
        ({"allowed_by_tenant": {"t1": ("example.com",)}}, ""),
        ({"allowed": ("127.0.0.1",)}, "example.com; api.example.com"),
    ]
    for rules, key in lists:
        with pytest.raises(ProgramError, match="a host of the list"):
            await make(**rules).ask(world_of(config={"web-allowed-hosts": key}), ok)
    assert site.asked == []
    allowed = make(allowed=("127.0.0.1", "x.test"), allowed_by_tenant={"t1": ("127.0.0.1",), "t2": ("no.test",)})
    assert (await allowed.ask(world_of(config={"web-allowed-hosts": "a.test 127.0.0.1"}), ok))["status"] == 200
    with pytest.raises(ProgramError, match="a host of the list"):
        await allowed.ask(world_of(tenant="t2"), ok)


async def test_a_redirect_cannot_leave_the_list(site: WebSite, make: Make) -> None:
    web = make(allowed=("127.0.0.1",))
    for to in (site.url("/echo", "localhost"), f"http://{PUBLIC}/"):
        with pytest.raises(ProgramError, match="a host of the list"):
            await web.ask(world_of(), Request(method="GET", url=site.url("/redirect"), query={"to": to}))


async def test_the_own_server_does_not_open_the_network_beside_it(site: WebSite, make: Make) -> None:
    own = WebSite()
    await own.start()
    web = make(own=own.url(""), loopback=False)
    assert (await web.ask(world_of(), Request(method="GET", url="/echo")))["status"] == 200
    for url in (site.url("/echo"), own.url("/echo", "localhost")):
        with pytest.raises(ProgramError, match="the address is refused"):
            await web.ask(world_of(), Request(method="GET", url=url))
    request = Request(method="GET", url="/redirect", query={"to": site.url("/echo")})
    with pytest.raises(ProgramError, match="an address of this installation"):
        await web.ask(world_of(), request)
    assert site.asked == []
    await own.stop()
