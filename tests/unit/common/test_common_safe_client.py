"""The client for addresses of users: what it refuses, and that nothing talks it into our own network."""

import asyncio
import gzip
import ipaddress
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from services.common.errors import (
    DeadlineExceeded,
    FailedPrecondition,
    InvalidArgument,
    ResourceExhausted,
    Unavailable,
)
from services.common.security import safe_addresses
from services.common.security.safe_client import AddressRefused, Question, SafeClient, redirected

pytestmark = pytest.mark.unit
PUBLIC = "93.184.215.14"
CLOSED = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255",
    "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255",
    "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:93.184.215.14", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1",
    "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1",
    "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
]  # fmt: skip
OPEN = [
    "1.1.1.1", "8.8.8.8", PUBLIC, "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255",
    "223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "2001:4860:4860::8888",
]  # fmt: skip
NETWORKS = [network for network, _ in safe_addresses.CLOSED]


def names(**known: Sequence[str]) -> Any:
    def look_up(host: str, port: int) -> Sequence[str]:
        if host.replace(".", "_") not in known:
            raise socket.gaierror
        return known[host.replace(".", "_")]

    return look_up


def bracketed(address: str) -> str:
    return f"[{address.replace('%', '%25')}]" if ":" in address else address


@pytest.mark.parametrize("address", CLOSED)
async def test_closed_addresses_are_refused_however_they_are_reached(address: str) -> None:
    for client in (
        SafeClient(lookup=names(evil_test=[address])),
        SafeClient(lookup=names(evil_test=[PUBLIC, address])),
    ):
        for url in (f"https://{bracketed(address)}/", "https://evil.test/"):
            with pytest.raises(InvalidArgument) as caught:
                await client.check(url, "webhook.uri")
            assert caught.value.metadata == {"field": "webhook.uri"}
            with pytest.raises(FailedPrecondition):
                await client.ask(Question("GET", url))
        with pytest.raises(AddressRefused):
            client._socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, 443)))
        await client.close()


@pytest.mark.parametrize("address", OPEN)
async def test_open_addresses_are_not_refused(address: str) -> None:
    client = SafeClient(lookup=names(good_test=[address]))
    await client.check(f"https://{bracketed(address)}/path?x=1", "uri")
    await client.check("https://good.test:8443/", "uri")
    assert await client.addresses("good.test", 443) == [address]
    await client.close()


@given(st.sampled_from(NETWORKS).flatmap(
    lambda network: st.integers(int(network.network_address), int(network.broadcast_address)).map(
        type(network.network_address))))  # fmt: skip
def test_no_address_of_a_closed_network_is_open(address: Any) -> None:
    assert safe_addresses.closed_because(address)


@given(st.ip_addresses(v=4))
def test_what_is_not_global_is_closed(address: ipaddress.IPv4Address) -> None:
    assert safe_addresses.closed_because(address) or address.is_global


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_gets_in_inside_an_ipv6_one(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for wrapped in (number, 0xFFFF << 32 | number, 0x64FF9B << 96 | number, 0x2002 << 112 | number << 80):
        assert safe_addresses.closed_because(ipaddress.IPv6Address(wrapped))


@given(st.ip_addresses(v=4).filter(safe_addresses.closed_because), st.sampled_from(["{}", "0x{:x}", "{}.", "0{:o}"]))
def test_no_other_spelling_of_a_closed_address_gets_in(address: ipaddress.IPv4Address, spelling: str) -> None:
    with pytest.raises(FailedPrecondition):
        SafeClient(loopback=True, lookup=names()).target(f"https://{spelling.format(int(address))}/")


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "https://", "https:///path", "//example.com", "http://example.com/", "ftp://example.com/",
        "file:///etc/passwd", "gopher://example.com/", "javascript:alert(1)", "https://me@example.com/",
        "https://me:pw@example.com/", "https://@example.com/", "https://example.com@127.0.0.1/",
        "https://example.com\\@127.0.0.1/", "https://exa mple.com/", "https://example.com/\r\nX: y",
        "https://example.com:0/", "https://example.com:22/", "https://example.com:25/", "https://example.com:99999/",
        "https://127.1/", "https://0x7f.1/", "https://0177.0.0.1/", "https://2130706433/", "https://127.0.0.1./",
        "https://localhost/", "http://localhost/", "http://127.0.0.1/", "https://[::1]/", "https://[::ffff:7f00:1]/",
        "https://①②⑦.0.0.1/", "https://[::1", "https://" + "a" * 2100, "http://[fe80::1%25lo]/",
    ],
)  # fmt: skip
async def test_what_no_user_may_write(url: str) -> None:
    client = SafeClient(lookup=names(example_com=[PUBLIC]))
    with pytest.raises(InvalidArgument, match=r"^uri: expected "):
        await client.check(url, "uri")
    await client.close()


async def test_a_name_that_does_not_exist_yet_may_be_written() -> None:
    client = SafeClient(lookup=names())
    await client.check("https://later.test/", "uri")
    with pytest.raises(Unavailable, match="could not be resolved"):
        await client.ask(Question("GET", "https://later.test/"))
    await client.close()


async def test_only_the_machine_itself_may_be_asked_by_http() -> None:
    client = SafeClient(loopback=True, lookup=names(localhost=["127.0.0.1"], mine_test=["127.0.0.1"]))
    for url in ("http://127.0.0.1:8080/", "https://127.0.0.1/", "http://localhost:8080/", "http://[::1]:8080/"):
        await client.check(url, "uri")
    for url in ("http://10.0.0.1/", "https://10.0.0.1/", "https://mine.test/", "http://mine.test/", "http://1.1.1.1/"):
        with pytest.raises(InvalidArgument):
            await client.check(url, "uri")
    await client.close()


class Site:
    """A server on this machine that a test drives."""

    def __init__(self) -> None:
        self.hits: list[web.Request] = []
        self.port = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.hits.append(request)
        what = request.match_info["what"]
        if what == "redirect":
            raise web.HTTPFound(request.query["to"])
        if what == "loop":
            raise web.HTTPTemporaryRedirect("/loop")
        if what == "large":
            return web.Response(body=b"x" * 200_000)
        if what == "packed":
            return web.Response(body=gzip.compress(b"x" * 200_000), headers={"Content-Encoding": "gzip"})
        if what == "padded":
            body = gzip.compress(b"x") + bytes(1_000_000)
            return web.Response(body=body, headers={"Content-Encoding": "gzip"})
        if what == "slow":
            await asyncio.sleep(3600)
        return web.Response(text=f"{request.method} {await request.text()}")

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}/{path}"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    application = web.Application()
    application.router.add_route("*", "/{what}", made.answer)
    runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


@pytest.fixture
async def client() -> AsyncIterator[SafeClient]:
    made = SafeClient(loopback=True, lookup=names(localhost=["127.0.0.1"]))
    yield made
    await made.close()


async def test_an_answer_is_read_to_its_bound(site: Site, client: SafeClient) -> None:
    answer = await client.ask(Question("POST", site.url("x"), body=b"hello"))
    assert (answer.status, answer.body, answer.truncated) == (200, b"POST hello", False)
    answer = await client.ask(Question("GET", site.url("large"), body_bytes=1000))
    assert (len(answer.body), answer.truncated) == (1000, True)
    with pytest.raises(ResourceExhausted) as caught:
        await client.ask(Question("GET", site.url("large"), body_bytes=1000, truncate=False))
    assert caught.value.reason == "TOO_LARGE"


async def test_a_compressed_answer_is_taken_apart_within_the_bound(site: Site, client: SafeClient) -> None:
    url = site.url("packed")
    asis = await client.ask(Question("GET", url))
    assert (len(asis.body) < 1000, site.hits[-1].headers["Accept-Encoding"]) == (True, "identity")
    whole = await client.ask(Question("GET", url, body_bytes=200_000, decode=True))
    assert (whole.body, whole.truncated) == (b"x" * 200_000, False)
    assert site.hits[-1].headers["Accept-Encoding"] == "gzip"
    cut = await client.ask(Question("GET", url, body_bytes=199_999, decode=True))
    assert (len(cut.body), cut.truncated) == (199_999, True)
    padded = await client.ask(Question("GET", site.url("padded"), body_bytes=1000, decode=True))
    assert (padded.body, padded.truncated) == (b"x", True)


async def test_only_hosts_that_are_allowed_are_asked(site: Site, client: SafeClient) -> None:
    def allow(host: str) -> bool:
        return host == "127.0.0.1"

    to = site.url("end", "localhost")
    for url in (to, f"{site.url('redirect')}?to={to}"):
        with pytest.raises(FailedPrecondition, match="a host of the list"):
            await client.ask(Question("GET", url, redirects=5, allow=allow))
    assert (await client.ask(Question("GET", site.url("end"), allow=allow))).status == 200
    assert [hit.path for hit in site.hits] == ["/redirect", "/end"]


async def test_http_is_for_installations_that_say_so_and_opens_nothing_else() -> None:
    client = SafeClient(plain=True, lookup=names(inside_test=["10.0.0.1"], good_test=[PUBLIC]))
    await client.check("http://good.test/", "uri")
    for url in ("http://127.0.0.1/", "http://inside.test/", "http://10.0.0.1/", "ftp://good.test/"):
        with pytest.raises(InvalidArgument):
            await client.check(url, "uri")
    await client.close()


async def test_the_deadline_is_for_all_of_it(site: Site, client: SafeClient) -> None:
    with pytest.raises(DeadlineExceeded):
        await client.ask(Question("GET", site.url("slow"), seconds=0.1))


async def test_redirects_are_followed_only_when_asked_to(site: Site, client: SafeClient) -> None:
    url = site.url("redirect") + "?to=/end"
    assert (await client.ask(Question("POST", url, body=b"x"))).status == 302
    answer = await client.ask(Question("POST", url, body=b"x", redirects=1))
    assert (answer.body, answer.url) == (b"GET ", site.url("end"))
    with pytest.raises(FailedPrecondition, match="5 redirects"):
        await client.ask(Question("GET", site.url("loop"), redirects=100))
    assert len([hit for hit in site.hits if hit.path == "/loop"]) == 6


@pytest.mark.parametrize(
    "to",
    ["http://10.0.0.1/", "https://169.254.169.254/", "http://example.com/", "file:///etc/passwd", "https://0x7f.1/"],
)
async def test_each_hop_is_checked(site: Site, client: SafeClient, to: str) -> None:
    with pytest.raises(FailedPrecondition):
        await client.ask(Question("GET", site.url("redirect") + f"?to={to}", redirects=5))


async def test_the_internet_cannot_lead_to_this_machine(
    site: Site, client: SafeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hop(target: URL, question: Question) -> Any:
        assert target.host == "good.test"
        return object(), site.url("end")

    monkeypatch.setattr(client, "_hop", hop)
    with pytest.raises(FailedPrecondition, match="redirects elsewhere"):
        await client.ask(Question("GET", "https://good.test/", redirects=5))
    assert site.hits == []


async def test_a_name_that_moves_after_the_check_is_refused(site: Site) -> None:
    answers = [[PUBLIC], ["127.0.0.1"]]
    client = SafeClient(lookup=lambda host, port: answers.pop(0))
    await client.check(f"https://moving.test:{site.port}/", "uri")
    with pytest.raises(FailedPrecondition):
        await client.ask(Question("GET", f"https://moving.test:{site.port}/"))
    assert (answers, site.hits) == ([], [])
    await client.close()


async def test_the_connection_goes_to_the_address_that_was_checked(site: Site) -> None:
    looked_up: list[str] = []

    def look_up(host: str, port: int) -> Sequence[str]:
        looked_up.append(host)
        return ["127.0.0.1"] if len(looked_up) == 1 else ["127.0.0.2"]

    client = SafeClient(loopback=True, lookup=look_up)
    answer = await client.ask(Question("GET", site.url("x", "localhost")))
    assert (answer.status, looked_up) == (200, ["localhost"])
    assert site.hits[0].host == f"localhost:{site.port}"
    await client.close()


async def test_headers_of_the_wire_are_not_the_callers(site: Site, client: SafeClient) -> None:
    for name in ("Host", "content-length", "Transfer-Encoding"):
        with pytest.raises(InvalidArgument):
            await client.ask(Question("GET", site.url("x"), headers={name: "1"}))
    with pytest.raises(Unavailable):
        await client.ask(Question("GET", site.url("x"), headers={"X-A": "b\r\nX-C: d"}))
    assert site.hits == []


def test_secrets_stay_with_the_site_they_were_meant_for() -> None:
    question = Question("POST", "https://a.test/", headers={"Authorization": "x", "Accept": "y"}, body=b"b")
    here, there = URL("https://a.test/2"), URL("https://b.test/")
    assert redirected(question, URL(question.url), here, 307).headers == question.headers
    moved = redirected(question, URL(question.url), there, 307)
    assert (moved.headers, moved.method, moved.body) == ({"Accept": "y"}, "POST", b"b")
    assert redirected(question, URL(question.url), there, 303).method == "GET"


async def test_what_went_wrong_names_no_address(client: SafeClient) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(Unavailable) as caught:
            await client.ask(Question("GET", f"http://127.0.0.1:{port}/"))
    assert caught.value.message == "the connection could not be made"
