"""SYNCHRONIZE: pages of an address merged into a table."""

import asyncio
from dataclasses import replace

from services.engine.keywords.data.change import REPORT_SETTING, counted
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import Performed, World
from services.engine.program.values import ProgramError, Value, look_up, number_of, text_of
from services.engine.tables import writes
from services.engine.tables.lists import rows_of
from services.engine.tables.port import Tables
from services.engine.web.port import Request, Web

ROWS_A_PAGE = 100
MOST_PAGES = 500
SECONDS = 300.0


async def synchronize(world: World, arguments: Arguments) -> Value:
    """How many rows were made, changed and left. A repetition after a crash merges the same rows again."""
    table, key = text_of(arguments["table"]).strip(), text_of(arguments["key"]).strip()
    report: Value = world.setting(REPORT_SETTING)
    totals = dict.fromkeys(("inserted", "updated", "unchanged", "total"), 0)
    try:
        async with asyncio.timeout(SECONDS):
            for number in range(1, MOST_PAGES + 1):
                rows = await page(world, arguments, number)
                if rows:
                    once = replace(world, key=f"{world.key}/{number}")
                    found = (await world.port(Tables).write(once, [writes.merge(table, rows, key)]))[0]
                    report = counted(report, table, found)
                    totals = {name: totals[name] + found[name] for name in totals}
                if len(rows) < ROWS_A_PAGE:
                    return Performed(totals, {REPORT_SETTING: report})
    except TimeoutError:
        message = f"SYNCHRONIZE {table}: it took longer than {SECONDS:g} seconds; {totals['total']} rows were merged"
        raise ProgramError(message) from None
    message = f"SYNCHRONIZE {table}: more than {MOST_PAGES} pages; {totals['total']} rows were merged"
    raise ProgramError(message)


async def page(world: World, arguments: Arguments, number: int) -> list[Value]:
    """The rows of one page. ProgramError when it cannot be had."""
    url = text_of(arguments["endpoint"])
    query = {text_of(arguments["page"]): number, text_of(arguments["limit"]): ROWS_A_PAGE}
    answer = await world.port(Web).ask(world, Request(method="GET", url=url, query=query))
    status = int(number_of(look_up(answer, "status")))
    if not 200 <= status < 300:
        message = f"SYNCHRONIZE: the address answered {status} for page {number}"
        raise ProgramError(message)
    return rows_of(look_up(answer, "data"), "SYNCHRONIZE")


SYNCHRONIZE = Keyword(
    name="SYNCHRONIZE",
    group="data",
    summary="Merges all pages of an address into a table by a key; gives how many rows were made and changed.",
    forms=("SYNCHRONIZE <endpoint> , <table:name> , <key> , <page> , <limit>",),
    effect=Effect.WRITE,
    permission="tables.write",
    slow=True,
    example='SYNCHRONIZE "https://example.com/products", "products", "id", "page", "limit"\nTALK REPORT',
    documentation="""Asks for pages of 100 rows, from page 1 on, with the two parameters that are named, until one has
fewer. 500 pages and five minutes at most.""",
    perform=synchronize,
)
