"""SEARCH, AUTOCOMPLETE, the words about products, and QUERY."""

from services.engine.keywords.data.targets import limit_of
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import Value, text_of
from services.engine.tables.filters import filter_of
from services.engine.tables.port import Tables

PRODUCTS_KEY = "products-table"


def products_table(world: World) -> str:
    """The table that has the products."""
    return world.config.get(PRODUCTS_KEY, "") or "products"


async def search(world: World, arguments: Arguments) -> Value:
    """Rows that are alike the words, best first."""
    table, words = text_of(arguments["table"]), text_of(arguments["words"])
    found = await world.port(Tables).search(world, table, words, limit_of(arguments.get("limit")) or 10)
    return list(found) or None


async def autocomplete(world: World, arguments: Arguments) -> Value:
    """Texts that begin so."""
    table, beginning = text_of(arguments["table"]), text_of(arguments["beginning"])
    limit = limit_of(arguments.get("limit")) or 10
    return list(await world.port(Tables).autocomplete(world, table, beginning, limit))


async def search_products(world: World, arguments: Arguments) -> Value:
    """Products that are alike the words."""
    return await search(world, {**arguments, "table": products_table(world)})


async def product(world: World, arguments: Arguments) -> Value:
    """One product by its id, or by its code."""
    tables, name, wanted = world.port(Tables), products_table(world), arguments["id"]
    found = await tables.find(world, name, filter_of({"id": wanted}), limit=1)
    definition = world.tables.get(name)
    if not found and (definition is None or definition.has("code")):
        found = await tables.find(world, name, filter_of({"code": wanted}), limit=1)
    return found[0] if found else None


async def products(world: World, arguments: Arguments) -> Value:
    """All products."""
    limit = limit_of(arguments.get("limit")) or 1000
    return list(await world.port(Tables).find(world, products_table(world), None, limit=limit))


async def query(world: World, arguments: Arguments) -> Value:
    """Rows of a SELECT over the bot's tables."""
    given = arguments["statement"]
    parts = given["parts"] if isinstance(given, dict) and set(given) == {"parts"} else [text_of(given)]
    return list(await world.port(Tables).query(world, parts)) or None


SEARCH = Keyword(
    name="SEARCH",
    group="data",
    summary="Finds rows whose texts are alike some words, also with mistakes in them.",
    forms=("SEARCH <table:name> , <words> [, <limit:number>]",),
    effect=Effect.READ,
    permission="tables.read",
    example='found = SEARCH "products", "runing shoes", 5',
    perform=search,
)
AUTOCOMPLETE = Keyword(
    name="AUTOCOMPLETE",
    group="data",
    summary="Texts in a table that begin as given.",
    forms=("AUTOCOMPLETE <table:name> , <beginning> [, <limit:number>]",),
    effect=Effect.READ,
    permission="tables.read",
    example='names = AUTOCOMPLETE("customers", "An", 5)',
    perform=autocomplete,
)
SEARCH_PRODUCTS = Keyword(
    name="SEARCH PRODUCTS",
    group="data",
    summary="Finds products by words; the table is products, or what `products-table` in the configuration says.",
    forms=("SEARCH PRODUCTS <words> [, <limit:number>]",),
    effect=Effect.READ,
    permission="tables.read",
    example='found = SEARCH PRODUCTS "red shoes", 5',
    perform=search_products,
)
PRODUCT = Keyword(
    name="PRODUCT",
    group="data",
    summary="One product by its id or code; NULL when there is none.",
    forms=("PRODUCT <id>",),
    effect=Effect.READ,
    permission="tables.read",
    example="item = PRODUCT 12",
    perform=product,
)
PRODUCTS = Keyword(
    name="PRODUCTS",
    group="data",
    summary="All products, 1,000 at most.",
    forms=("PRODUCTS [<limit:number>]",),
    effect=Effect.READ,
    permission="tables.read",
    example="all = PRODUCTS()",
    perform=products,
)
QUERY = Keyword(
    name="QUERY",
    group="data",
    summary="Gives the rows of a SELECT over the bot's tables.",
    forms=("QUERY <statement:filter>",),
    effect=Effect.READ,
    permission="tables.read",
    example="best = QUERY \"SELECT name, SUM(total) AS t FROM orders WHERE state = '${state}' GROUP BY name\"",
    documentation="""One SELECT, checked and run for five seconds and 1,000 rows at most over the rows of this bot.
Values that are inserted into it stay values.""",
    perform=query,
)
