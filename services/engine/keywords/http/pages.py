"""RSS and SCRAPE: what pages for people say."""

from services.engine.files.port import Documents
from services.engine.keywords.keyword import Arguments, Effect, Keyword, Perform
from services.engine.keywords.world import World
from services.engine.program.values import Value, number_of, text_of
from services.engine.web.port import Web

DEFAULT_ENTRIES = 10


async def rss(world: World, arguments: Arguments) -> Value:
    """The newest entries of a feed."""
    from services.engine.web.feeds import feed  # noqa: PLC0415 - heavy

    most = int(number_of(arguments.get("most", DEFAULT_ENTRIES), "a number of entries"))
    return await feed(world.port(Web), world.port(Documents), world, text_of(arguments["url"]), most)


def scraper(what: str) -> Perform:
    """What a SCRAPE keyword does."""

    async def perform(world: World, arguments: Arguments) -> Value:
        from services.engine.web.scraping import Wanted, scrape  # noqa: PLC0415 - heavy

        wanted = Wanted(what, text_of(arguments.get("selector")), text_of(arguments.get("attribute")))
        return await scrape(world.port(Web), world.port(Documents), world, text_of(arguments["url"]), wanted)

    return perform


def scraping(name: str, rest: str, summary: str, example: str, what: str) -> Keyword:
    """One of the family, written with _ and with a blank."""
    return Keyword(
        name=name,
        group="http",
        summary=summary,
        forms=(f"{name} {rest}",),
        aliases=(name.replace("_", " "),) if "_" in name else (),
        effect=Effect.READ,
        example=example,
        documentation="The page may have 2 MiB. What scripts of the page would add is not there, nor is its head.",
        permission="web.ask",
        slow=True,
        perform=scraper(what),
    )


RSS = Keyword(
    name="RSS",
    group="http",
    summary="Gives the newest entries of a feed (RSS or Atom).",
    forms=("RSS <url> [, <most:number>]",),
    effect=Effect.READ,
    example='news = RSS "https://example.com/feed.xml", 5\nFOR EACH item IN news\n  TALK item.title\nNEXT',
    documentation="10 entries unless told otherwise: title, link, description, published, author, guid, categories.",
    permission="web.ask",
    slow=True,
    perform=rss,
)
SCRAPE = scraping(
    "SCRAPE",
    "<url>, <selector> [, <attribute>]",
    "Gives the text, or an attribute, of the first element that a CSS selector finds; NULL when there is none.",
    'price = SCRAPE "https://example.com/tea", ".price"',
    "first",
)
SCRAPE_ALL = scraping(
    "SCRAPE_ALL",
    "<url>, <selector> [, <attribute>]",
    "Gives the texts, or an attribute, of all elements that a CSS selector finds.",
    'names = SCRAPE_ALL "https://example.com/teas", "h2"',
    "every",
)
SCRAPE_TABLE = scraping(
    "SCRAPE_TABLE",
    "<url> [, <selector>]",
    "Gives the rows of a table as objects by the words of its head.",
    'rows = SCRAPE_TABLE "https://example.com/prices", "#prices"\nTALK rows[0].price',
    "table",
)
SCRAPE_LINKS = scraping(
    "SCRAPE_LINKS",
    "<url> [, <selector>]",
    "Gives all links of a page: text, url, href.",
    'links = SCRAPE_LINKS "https://example.com"\nTALK links[0].url',
    "links",
)
SCRAPE_IMAGES = scraping(
    "SCRAPE_IMAGES",
    "<url> [, <selector>]",
    "Gives all images of a page: url, src, alt.",
    'images = SCRAPE_IMAGES "https://example.com"\nTALK images[0].url',
    "images",
)
