"""Feeds, pages, GraphQL and weather: what is made of them, and what is refused."""

from typing import Any

import pytest

from services.engine.files.working import Workshop
from services.engine.program.values import ProgramError, text_of
from services.engine.web import feeds, scraping, weather
from services.engine.web.graphql import graphql
from tests.doubles.web_site import WebSite
from tests.unit.engine.web.conftest import Inline, Make, world_of

pytestmark = pytest.mark.unit
RSS = """<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
<title>News</title><item><title>One &amp; only</title><link>https://a.test/1</link>
<description>&lt;p&gt;Much &lt;b&gt;news&lt;/b&gt;&lt;/p&gt;</description>
<pubDate>Sat, 14 Mar 2026 12:00:00 +0100</pubDate><guid>g1</guid><dc:creator>Ann</dc:creator><category>a</category>
</item>
<item><title>Two</title><link>https://a.test/2</link><pubDate>some day</pubDate></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><entry><title>One</title><id>i1</id>
<link rel="self" href="https://a.test/self"/><link href="https://a.test/1"/><summary>Short</summary>
<updated>2026-03-14T12:00:00Z</updated><author><name>Ann</name></author><category term="a"/></entry></feed>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel/><item><title>One</title><link>https://a.test/1</link>
<dc:date>2026-03-14</dc:date></item></rdf:RDF>"""
LAUGHS = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<rss><channel><item><title>&b;</title></item></channel></rss>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<rss><channel><item><title>&x;</title></item></channel></rss>"""
PAGE = """<html><head><title>Shop</title><script>var x = "<h1>no</h1>"</script></head><body><h1>Tea &amp; more</h1>
<p class="price" data-id="7">€ 5</p><p class="price">€ 6</p><a href="/buy?x=1">Buy <b>now</b></a><a name="x">none</a>
<a href="https://b.test/">B</a><img src="tea.png" alt="Tea"><img alt="none">
<table id="t"><tr><th>Name</th><th>Price</th><th></th></tr><tr><td>Tea</td><td>5</td><td>x</td></tr><tr></tr>
<tr><td>Milk</td><td>1</td></tr></table><table id="plain"><tr><td>a</td><td>b</td></tr></table></body></html>"""


@pytest.fixture
def fetched(site: WebSite) -> Any:
    """Puts a text on the site, gives its address."""

    def put(text: str, kind: str = "text/html; charset=utf-8") -> str:
        site.pages["/it"] = (kind, text)
        return site.url("/it")

    return put


async def test_feeds_of_each_kind(make: Make, fetched: Any) -> None:
    one, two = await feeds.feed(make(), Inline(), world_of(), fetched(RSS, "application/rss+xml"), 10)
    assert one == {
        "title": "One & only", "link": "https://a.test/1", "description": "Much news", "author": "Ann", "guid": "g1",
        "published": "2026-03-14T12:00:00+01:00", "pubDate": "Sat, 14 Mar 2026 12:00:00 +0100", "categories": ["a"],
    }  # fmt: skip
    assert (two["title"], two["published"]) == ("Two", "some day")
    assert len(await feeds.feed(make(), Inline(), world_of(), fetched(RSS), 1)) == 1
    atom = (await feeds.feed(make(), Inline(), world_of(), fetched(ATOM), 10))[0]
    assert [atom[name] for name in ("title", "link", "description", "published", "author", "guid", "categories")] == [
        "One", "https://a.test/1", "Short", "2026-03-14T12:00:00Z", "Ann", "i1", ["a"],
    ]  # fmt: skip
    assert (await feeds.feed(make(), Inline(), world_of(), fetched(RDF), 10))[0]["published"] == "2026-03-14"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LAUGHS, "how bombs are built"),
        (OUTSIDE, "how bombs are built"),
        ("<html></html>", "a feed"),
        ("no xml", "XML was expected"),
        ("", "XML was expected"),
        ('<?xml version="1.0" encoding="nonsense"?><rss/>', "XML was expected"),
        ("<a>" * 100_000, "XML was expected"),
    ],
)
async def test_what_is_no_feed_is_refused(make: Make, fetched: Any, text: str, said: str) -> None:
    with pytest.raises(ProgramError, match=said):
        await feeds.feed(make(), Inline(), world_of(), fetched(text), 10)


async def test_very_deep_xml_is_read_without_harm(make: Make, fetched: Any) -> None:
    deep = f"<rss>{'<a>' * 50_000}{'</a>' * 50_000}<item><title>x</title></item></rss>"
    assert (await feeds.feed(make(), Inline(), world_of(), fetched(deep), 10))[0]["title"] == "x"
    for most in (0, 501):
        with pytest.raises(ProgramError, match="1 to 500"):
            await feeds.feed(make(), Inline(), world_of(), fetched(RSS), most)


async def test_parts_of_a_page(make: Make, fetched: Any, site: WebSite) -> None:
    url, web = fetched(PAGE), make()

    async def found(what: str, selector: str = "", attribute: str = "") -> Any:
        wanted = scraping.Wanted(what, selector, attribute)
        return await scraping.scrape(web, Inline(), world_of(), url, wanted)

    assert await found("first", "h1") == "Tea & more"
    assert await found("first", "h2") is None
    assert await found("first", ".price", "data-id") == "7"
    assert await found("first", "a", "href") == site.url("/buy?x=1")
    assert await found("every", ".price") == ["€ 5", "€ 6"]
    assert await found("first", "script") is None
    assert await found("links") == [
        {"text": "Buy now", "url": site.url("/buy?x=1"), "href": "/buy?x=1"},
        {"text": "B", "url": "https://b.test/", "href": "https://b.test/"},
    ]
    assert await found("images", "body") == [{"url": site.url("/tea.png"), "src": "tea.png", "alt": "Tea"}]
    assert await found("table") == [
        {"Name": "Tea", "Price": "5", "column3": "x"}, {"Name": "Milk", "Price": "1"},
    ]  # fmt: skip
    assert await found("table", "#plain") == [{"column1": "a", "column2": "b"}]
    assert await found("table", "#none") == []


@pytest.mark.parametrize(
    "selector", ["h1[", ":nonsense", "", "a" * 300, ":has(:has(a))", "::before", "((", "a:has(" * 9]
)
async def test_what_is_no_selector_is_said(make: Make, fetched: Any, selector: str) -> None:
    with pytest.raises(ProgramError, match="CSS selector"):
        await scraping.scrape(make(), Inline(), world_of(), fetched(PAGE), scraping.Wanted("first", selector))


async def test_pages_that_are_none(make: Make, fetched: Any, site: WebSite) -> None:
    for url, said in (
        (fetched("PNG", "image/png"), "a page was expected"),
        (site.url("/nowhere"), "answered 404"),
        (site.url("/huge"), "at most 2097152 bytes"),
    ):
        with pytest.raises(ProgramError, match=said):
            await scraping.scrape(make(), Inline(), world_of(), url, scraping.Wanted("first", "h1"))
    deep = fetched("<div>" * 5_000 + "<h1>x</h1>")
    assert await scraping.scrape(make(), Inline(), world_of(), deep, scraping.Wanted("first", "h1")) == "x"


async def test_a_hostile_page_ends_with_its_process(make: Make, fetched: Any) -> None:
    workshop = Workshop(seconds=1.0)
    wanted = scraping.Wanted("first", "h1")
    assert await scraping.scrape(make(), Inline(), world_of(), fetched(PAGE), wanted) == "Tea & more"
    with pytest.raises(ProgramError, match="took longer than 1 seconds"):
        await scraping.scrape(make(), workshop, world_of(), fetched("<div>" * 300_000), wanted)
    feed = await feeds.feed(make(), workshop, world_of(), fetched(RSS), 1)
    assert feed[0]["title"] == "One & only"
    await workshop.close()


def test_tags_without_end_take_no_time_of_their_own() -> None:
    assert scraping.found_in(b"<h1>x</h1>" + b"<a " * 600_000, "text/html", "https://a.test/", "first", "h1", "") == "x"


async def test_graphql_gives_what_was_asked_for(make: Make, site: WebSite, fetched: Any) -> None:
    url = fetched('{"data": {"user": {"name": "Ann"}}}', "application/json")
    response = await graphql(make(), world_of(), url, "{ user { name } }", {"id": 1})
    assert (response["status"], response["data"]) == (200, {"user": {"name": "Ann"}})
    assert site.asked[-1].body == b'{"query":"{ user { name } }","variables":{"id":1}}'
    assert site.asked[-1].headers["content-type"] == "application/json"
    url = fetched('{"data": null, "errors": [{"message": "no"}]}', "application/json")
    assert (await graphql(make(), world_of(), url, "{ x }"))["data"] == {"errors": [{"message": "no"}]}
    for query, variables in (("", None), ("{ x }", [1])):
        with pytest.raises(ProgramError):
            await graphql(make(), world_of(), url, query, variables)


async def test_weather_without_a_key(make: Make, site: WebSite) -> None:
    place = '{"results": [{"name": "Lisbon", "latitude": 38.7, "longitude": -9.1}]}'
    now = '"temperature_2m": 21, "apparent_temperature": 20.5, "relative_humidity_2m": 60, "wind_speed_10m": 3'
    days = '"time": ["2026-03-14"], "temperature_2m_min": [9], "temperature_2m_max": [19.5], "weather_code": [3]'
    site.pages["/v1/search"] = ("application/json", place)
    said = f'{{"current": {{{now}, "weather_code": 61}}, "daily": {{{days}}}}}'
    site.pages["/v1/forecast"] = ("application/json", said)
    world = world_of(config={"weather-url": site.url("")}, locale="pt-BR", settings={"headers": {"Authorization": "x"}})
    found = await weather.weather(make(), world, "Lisboa")
    assert text_of(found) == "Lisbon: 21 °C, rain"
    assert (found["temperature"], found["humidity"], found["wind_speed"]) == (21, 60, 3)
    assert [text_of(day) for day in await weather.forecast(make(), world, "Lisboa", 1)] == [
        "2026-03-14: 9 to 19.5 °C, overcast"
    ]
    assert site.asked[0].query == {"name": "Lisboa", "count": "1", "language": "pt"}
    assert all("authorization" not in hit.headers for hit in site.asked)
    site.pages["/v1/search"] = ("application/json", "{}")
    with pytest.raises(ProgramError, match="does not know 'Atlantis'"):
        await weather.weather(make(), world, "Atlantis")
    with pytest.raises(ProgramError, match="1 to 16 days"):
        await weather.forecast(make(), world, "Lisboa", 17)


async def test_weather_with_a_key(make: Make, site: WebSite) -> None:
    now = '{"name": "Lisbon", "main": {"temp": 21.5, "humidity": 60}, "weather": [{"description": "rain"}]}'
    hour = (
        '{{"dt_txt": "{} 12:00:00", "main": {{"temp_min": {}, "temp_max": {}}}, "weather": [{{"description": "fog"}}]}}'
    )
    hours = ", ".join(
        (hour.format("2026-03-14", 5, 9), hour.format("2026-03-14", 7, 12), hour.format("2026-03-15", 1, 2))
    )
    site.pages["/data/2.5/weather"] = ("application/json", now)
    site.pages["/data/2.5/forecast"] = ("application/json", f'{{"list": [{hours}]}}')
    world = world_of(config={"weather-url": site.url(""), "weather-api-key": "secret"}, locale="en")
    assert text_of(await weather.weather(make(), world, "Lisbon")) == "Lisbon: 21.5 °C, rain"
    assert [text_of(day) for day in await weather.forecast(make(), world, "Lisbon", 2)] == [
        "2026-03-14: 5 to 12 °C, fog", "2026-03-15: 1 to 2 °C, fog",
    ]  # fmt: skip
    assert site.asked[0].query["appid"] == "secret"
    del site.pages["/data/2.5/weather"]
    with pytest.raises(ProgramError) as caught:
        await weather.weather(make(), world, "Lisbon")
    assert "secret" not in str(caught.value)
