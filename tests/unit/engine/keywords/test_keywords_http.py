"""Keywords of the web: every form, what they ask and give, and that none of them reaches inside."""

import socket
from collections.abc import Sequence
from typing import Any

import pytest

from services.engine.effects import Effects, Setting
from services.engine.files.port import Documents
from services.engine.keywords.registry import registry
from services.engine.keywords.world import World
from services.engine.machine import machine as m
from services.engine.machine.state import MachineState
from services.engine.program.values import ProgramError, Value
from services.engine.web.port import Web
from tests.doubles.web_site import WebSite
from tests.unit.engine.scripts import codes, machine_of, play
from tests.unit.engine.web.conftest import Inline, Make, make, site, world_of

pytestmark = pytest.mark.unit
__all__ = ["make", "site"]
URL = "https://a.test/x"
HTTP = [keyword for keyword in registry().by_name.values() if keyword.group == "http"]
ASKING = [keyword for keyword in HTTP if keyword.perform is not None]
FORMS: list[tuple[str, str, dict[str, Value]]] = [
    ("GET url", "GET", {"url": URL}),
    ('x = GET "https://a.test/" + "x"', "GET", {"url": URL}),
    ("x = GET(url)", "GET", {"url": URL}),
    ("TALK GET url", "GET", {"url": URL}),
    ('x = GET url WITH city = "L", page = 2', "GET", {"url": URL, "query": {"city": "L", "page": 2}}),
    ("x = GET url WITH city, data", "GET", {"url": URL, "query": {"city": "Lisbon", "data": {"k": 1}}}),
    ("x = GET url WITH data", "GET", {"url": URL, "query": {"k": 1}}),
    ("POST url, data", "POST", {"url": URL, "data": {"k": 1}}),
    ("post url", "POST", {"url": URL}),
    ('r = POST url, {"a": city}', "POST", {"url": URL, "data": {"a": "Lisbon"}}),
    ("r = POST(url, data)", "POST", {"url": URL, "data": {"k": 1}}),
    ("r = POST url WITH a = 1, b AS city", "POST", {"url": URL, "data": {"a": 1, "b": "Lisbon"}}),
    ("POST url WITH data", "POST", {"url": URL, "data": {"k": 1}}),
    ("POST url, city, data", "POST", {"url": URL, "data": {"city": "Lisbon", "data": {"k": 1}}}),
    ('POST url, "a", 2', "POST", {"url": URL, "data": ["a", 2]}),
    ("PUT url, data", "PUT", {"url": URL, "data": {"k": 1}}),
    ("r = PATCH url WITH a = 1", "PATCH", {"url": URL, "data": {"a": 1}}),
    ("DELETE HTTP url", "DELETE HTTP", {"url": URL}),
    ("GRAPHQL url, city", "GRAPHQL", {"url": URL, "query": "Lisbon"}),
    ("r = GRAPHQL url, city, data", "GRAPHQL", {"url": URL, "query": "Lisbon", "variables": {"k": 1}}),
    ("r = GRAPHQL url, city WITH id = 1", "GRAPHQL", {"url": URL, "query": "Lisbon", "variables": {"id": 1}}),
    ("r = GRAPHQL url, city WITH data", "GRAPHQL", {"url": URL, "query": "Lisbon", "variables": {"k": 1}}),
    ('r = SOAP url, "Op", data', "SOAP", {"wsdl": URL, "operation": "Op", "parameters": [{"k": 1}]}),
    ('r = SOAP url, "Op", 1, 2', "SOAP", {"wsdl": URL, "operation": "Op", "parameters": [1, 2]}),
    ('r = SOAP url, "Op" WITH a = 1', "SOAP", {"wsdl": URL, "operation": "Op", "parameters": {"a": 1}}),
    ("r = RSS url", "RSS", {"url": URL}),
    ("r = RSS url, 5", "RSS", {"url": URL, "most": 5}),
    ('r = SCRAPE url, ".a"', "SCRAPE", {"url": URL, "selector": ".a"}),
    ('r = SCRAPE url, ".a", "href"', "SCRAPE", {"url": URL, "selector": ".a", "attribute": "href"}),
    ('r = SCRAPE ALL url, ".a"', "SCRAPE_ALL", {"url": URL, "selector": ".a"}),
    ('r = SCRAPE_ALL url, ".a"', "SCRAPE_ALL", {"url": URL, "selector": ".a"}),
    ("r = SCRAPE TABLE url", "SCRAPE_TABLE", {"url": URL}),
    ('r = SCRAPE_TABLE url, "#t"', "SCRAPE_TABLE", {"url": URL, "selector": "#t"}),
    ("r = SCRAPE LINKS url", "SCRAPE_LINKS", {"url": URL}),
    ("r = SCRAPE_IMAGES(url)", "SCRAPE_IMAGES", {"url": URL}),
    ("w = WEATHER city", "WEATHER", {"place": "Lisbon"}),
    ("f = FORECAST city, 3", "FORECAST", {"place": "Lisbon", "days": 3}),
]


@pytest.mark.parametrize(("source", "keyword", "arguments"), FORMS)
def test_every_form_asks_for_what_it_says(source: str, keyword: str, arguments: dict[str, Value]) -> None:
    played = play(source, variables={"url": URL, "city": "Lisbon", "data": {"k": 1}})
    assert [(item.keyword, item.arguments) for item in played.effects] == [(keyword, arguments)]


@pytest.mark.parametrize("keyword", HTTP, ids=lambda item: item.name)
def test_every_example_is_a_script(keyword: Any) -> None:
    assert codes(keyword.example) == []
    assert keyword.permission == "web.ask" or keyword.apply is not None


def test_a_computed_name_of_a_value_is_read_from_memory() -> None:
    played = play('k = "name"\nx = GET "session." + k')
    assert [(item.keyword, item.arguments) for item in played.effects] == [("GET", {"url": "session.name"})]


@pytest.mark.parametrize(
    ("source", "left"),
    [
        ('SET HEADER "X-A", 5', {"X-A": "5"}),
        ('SET HEADER "X-A" = "b"', {"X-A": "b"}),
        ('set header "X-A" AS "b"', {"X-A": "b"}),
        ('SET HEADER "X-A", 1\nSET HEADER "x-a", 2', {"x-a": "2"}),
        ('SET HEADER "X-A", 1\nSET HEADER "X-B", 2\nSET HEADER "X-A", NULL', {"X-B": "2"}),
        ('SET HEADERS #{"X-A": 1, "X-B": "c"}', {"X-A": "1", "X-B": "c"}),
        ('SET HEADER "X-A", 1\nCLEAR HEADERS', None),
    ],
)
def test_headers_stay_in_the_conversation(source: str, left: Value) -> None:
    machine = machine_of(source)
    state = machine.start("script", {})
    assert isinstance(machine.run(state, None).outcome, m.Ended)
    assert MachineState.from_bytes(state.to_bytes()).settings.get("headers") == left


@pytest.mark.parametrize("name", ["A B", "", "X\\r\\nY"])
def test_headers_that_are_none_are_refused_where_they_are_set(name: str) -> None:
    assert play(f'SET HEADER "{name}", "x"').error
    assert play('SET HEADER "X", "a\\r\\nb"').error


async def performed(web: Any, name: str, world: World | None = None, **arguments: Value) -> Value:
    """What a keyword gives."""
    keyword = registry().get(name)
    assert keyword is not None
    assert keyword.perform is not None
    given = world or world_of()
    return await keyword.perform(
        world_of(config=given.config, settings=given.settings, ports={Web: web, Documents: Inline()}), arguments
    )


async def test_get_gives_data_and_post_a_response(site: WebSite, make: Make) -> None:
    web = make()
    site.pages["/data"] = ("application/json", '{"name": "Ann", "status": "active"}')
    assert await performed(web, "GET", url=site.url("/data")) == {"name": "Ann", "status": "active"}
    echo = await performed(web, "GET", url=site.url("/echo"), query={"q": "a b"})
    assert echo["query"] == {"q": "a b"}
    for name, method in (("POST", "POST"), ("PUT", "PUT"), ("PATCH", "PATCH"), ("DELETE HTTP", "DELETE")):
        response = await performed(web, name, url=site.url("/echo"), data={"a": 1})
        assert (response["status"], response["data"]["method"], response["data"]["body"]) == (200, method, '{"a":1}')
    with pytest.raises(ProgramError, match="names and values"):
        await performed(web, "GET", url=site.url("/echo"), query="x")
    with pytest.raises(ProgramError, match="needs an address"):
        await performed(web, "GET", url=" ")


async def test_a_conversation_from_header_to_answer(site: WebSite, make: Make) -> None:
    """Through the machine and the effects, as a worker does it."""
    source = f"""SET HEADER "Authorization", "Bearer t"
r = POST "{site.url("/say?status=201")}", #{{name: "Ann", tags: ["a", "b"]}}
TALK r.status + " " + r.name + " " + r.tags[1]
bad = GET "{site.url("/nowhere")}"
IF IS_ERROR(bad) THEN TALK "failed with " + bad.status + ": " + bad.error
TRY
  x = GET "https://10.0.0.1/"
CATCH e
  TALK "refused"
END TRY"""
    said = []
    machine, effects = machine_of(source), Effects({Web: make()})
    state = machine.start("script", {})
    step = machine.run(state, None)
    while isinstance(step.outcome, m.PerformEffect):
        said += [item.text for item in step.outputs]
        step = machine.run(state, await effects.perform(setting(state), step.outcome))
    said += [item.text for item in step.outputs]
    assert said == ["201 Ann b", "failed with 404: there is nothing here", "refused"]
    assert [hit.headers.get("authorization") for hit in site.asked] == ["Bearer t", "Bearer t"]
    assert len(site.asked[0].headers["idempotency-key"]) == 36


def setting(state: MachineState) -> Setting:
    """A turn of nobody's."""
    from parley.session.v1 import ledger_service_pb2 as ledger_pb

    return Setting(turn=ledger_pb.Turn(bot="bots/b"), state=state)


async def test_the_keywords_of_pages(site: WebSite, make: Make) -> None:
    html = "<h1>Tea</h1><a href='/x'>X</a><img src='a.png'><table><tr><th>N</th></tr><tr><td>1</td></tr></table>"
    site.pages["/p"] = ("text/html", html)
    web, url = make(), site.url("/p")
    assert await performed(web, "SCRAPE", url=url, selector="h1") == "Tea"
    assert await performed(web, "SCRAPE", url=url, selector="a", attribute="href") == site.url("/x")
    assert await performed(web, "SCRAPE_ALL", url=url, selector="h1") == ["Tea"]
    assert await performed(web, "SCRAPE_TABLE", url=url) == [{"N": "1"}]
    assert (await performed(web, "SCRAPE_LINKS", url=url))[0]["href"] == "/x"
    assert (await performed(web, "SCRAPE_IMAGES", url=url))[0]["src"] == "a.png"
    site.pages["/f"] = ("text/xml", "<rss><channel><item><title>x</title></item></channel></rss>")
    assert (await performed(web, "RSS", url=site.url("/f")))[0]["title"] == "x"
    with pytest.raises(ProgramError, match="a number of entries"):
        await performed(web, "RSS", url=site.url("/f"), most="many")
    site.pages["/g"] = ("application/json", '{"data": {"a": 1}}')
    assert (await performed(web, "GRAPHQL", url=site.url("/g"), query="{ a }"))["data"] == {"a": 1}


INSIDE = [
    "http://127.0.0.1/", "http://10.0.0.1/", "https://169.254.169.254/latest/", "http://[::1]/", "http://2130706433/",
    "http://[::ffff:10.0.0.1]/", "https://inside.test/", "file:///etc/passwd",
]  # fmt: skip


def inside(host: str, port: int) -> Sequence[str]:
    if host == "inside.test":
        return ["10.0.0.1"]
    raise socket.gaierror


@pytest.mark.parametrize("url", INSIDE)
@pytest.mark.parametrize("keyword", ASKING, ids=lambda item: item.name)
async def test_no_keyword_reaches_inside(make: Make, keyword: Any, url: str) -> None:
    web = make(lookup=inside, loopback=False)
    arguments = {
        "url": url,
        "path": url,
        "wsdl": url,
        "operation": "Op",
        "query": "{ a }",
        "selector": "h1",
        "place": "x",
    }
    if keyword.name == "GET":
        del arguments["query"]
    world = world_of(config={"weather-url": url.rstrip("/")})
    with pytest.raises(ProgramError, match="the address is refused"):
        await performed(web, keyword.name, world, **arguments)


@pytest.mark.parametrize("keyword", ASKING, ids=lambda item: item.name)
async def test_no_keyword_is_led_inside(site: WebSite, make: Make, keyword: Any) -> None:
    url = f"{site.url('/redirect')}?to=http://10.0.0.1/&x="
    arguments = {
        "url": url,
        "path": url,
        "wsdl": url,
        "operation": "Op",
        "query": "{ a }",
        "selector": "h1",
        "place": "x",
    }
    if keyword.name == "GET":
        del arguments["query"]
    with pytest.raises(ProgramError, match="the address is refused"):
        await performed(make(), keyword.name, world_of(config={"weather-url": url}), **arguments)
    assert {hit.path for hit in site.asked} == {"/redirect"}


async def test_without_the_web_it_is_said() -> None:
    with pytest.raises(ProgramError, match="not available on this installation"):
        await performed(None, "GET", url=URL)


@pytest.mark.parametrize("source", ['OPEN "https://a.test" AS #h', 'CLICK "#buy"', 'WAIT UNTIL ".x"', 'PRESS "Enter"'])
def test_a_browser_is_not_there(source: str) -> None:
    assert play(source).error.startswith("not available on this installation")
    assert play(f'ON ERROR RESUME NEXT\n{source}\nTALK "on"').said == ["on"]
