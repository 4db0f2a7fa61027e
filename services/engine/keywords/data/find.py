"""FIND: rows of a table, a sheet in the drive or a list."""

from services.engine.keywords.data.targets import found_rows, order_and_limit
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import Value
from services.engine.tables.filters import both, filter_of


async def find(world: World, arguments: Arguments) -> Value:
    """The rows, NULL when there are none."""
    where = both(filter_of(arguments.get("filter")), filter_of(arguments.get("where")))
    order, limit = order_and_limit(arguments.get("order"), arguments.get("limit"))
    return await found_rows(world, arguments["table"], where, order=order, limit=limit) or None


async def find_one(world: World, arguments: Arguments) -> Value:
    """The first row, NULL when there is none."""
    where = both(filter_of(arguments.get("filter")), filter_of(arguments.get("where")))
    order, _ = order_and_limit(arguments.get("order"), None)
    found = await found_rows(world, arguments["table"], where, order=order, limit=1)
    return found[0] if found else None


CLAUSES = "[WHERE <where:where>] [ORDER BY <order:order>] [LIMIT <limit:number>]"
FIND = Keyword(
    name="FIND",
    group="data",
    summary="Gives the rows of a table, of a CSV or XLSX file in the drive, or of a list that fit a filter.",
    forms=(f"FIND <table:name> [, <filter:filter>] [, <limit:number>] {CLAUSES}", f"FIND <table:name> {CLAUSES}"),
    effect=Effect.READ,
    permission="tables.read",
    example='customer = FIND "customers", "name=${name}"\nIF customer THEN\n  TALK customer.mail\nEND IF',
    documentation="""One row that fits acts as an object (`customer.mail`), several as a list, none as NULL. Ten rows
are given at most, or as many as `LIMIT` says, 1,000 at most (configuration: `table-find-rows`, `table-most-rows`).

A filter is a text such as `name = 'Ann' AND age > 30`, `status=open, city=Rio`, or a condition after `WHERE`; it knows
`= <> < > <= >= LIKE IN BETWEEN CONTAINS IS NULL`, `NOT`, brackets. Values that are inserted into it stay values,
whatever is in them. An object means that all its fields are equal. A name with a point, `erp.orders`, is a table of the
connection `erp` (`conn-{bot}-erp-...` in the configuration).""",
    perform=find,
)
FIND_ALL = Keyword(
    name="FIND ALL",
    group="data",
    summary="Gives the rows that fit, as FIND does.",
    forms=(f"FIND ALL <table:name> {CLAUSES}", "FIND ALL <table:name> , <filter:filter> [, <limit:number>]"),
    effect=Effect.READ,
    permission="tables.read",
    example="late = FIND ALL invoices WHERE days > 30 ORDER BY days DESC LIMIT 20",
    perform=find,
)
FIND_ONE = Keyword(
    name="FIND_ONE",
    group="data",
    summary="Gives the first row that fits as an object; NULL when there is none.",
    forms=(f"FIND_ONE <table:name> [, <filter:filter>] {CLAUSES}", f"FIND_ONE <table:name> {CLAUSES}"),
    aliases=("FIND ONE",),
    effect=Effect.READ,
    permission="tables.read",
    example='order = FIND_ONE "orders", "number=${number}"',
    perform=find_one,
)
