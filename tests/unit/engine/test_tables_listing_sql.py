"""SELECT over lists."""

import time
from typing import Any

import pytest

from services.engine.keywords.world import World
from services.engine.program.values import ProgramError
from services.engine.tables.listing_sql import ListQueries, run

pytestmark = pytest.mark.unit
WORLD = World(tenant="t", bot="bots/b", session="s", user="u", key="k")
SALES = [
    {"Month": "jan", "amount": 5, "more": {"a": 1}},
    {"month": "feb", "amount": 7.5, "extra": True},
    {"month": "jan'; DROP TABLE sales; --", "amount": None},
]


async def select(statement: str, **given: Any) -> list[Any]:
    return await ListQueries().select(WORLD, statement, {"Sales": SALES, **given})


async def test_select_over_a_list() -> None:
    found = await select("SELECT month, SUM(amount) AS total FROM sales GROUP BY month ORDER BY total DESC NULLS LAST")
    assert found[:2] == [{"month": "feb", "total": 7.5}, {"month": "jan", "total": 5.0}]
    assert found[2]["month"] == "jan'; DROP TABLE sales; --"


async def test_lists_are_joined_counted_and_may_be_empty() -> None:
    assert await select("SELECT COUNT(*) AS n FROM SALES s JOIN others o ON s.month = o.m", others=[{"m": "feb"}]) == [
        {"n": 1}
    ]
    assert await select("SELECT * FROM nothing", nothing=None) == []
    assert await select("SELECT value FROM plain WHERE value > 1", plain=[1, 2]) == [{"value": 2}]
    assert await select("WITH x AS (SELECT amount FROM sales) SELECT max(amount) AS m FROM x") == [{"m": 7.5}]


async def test_values_come_back_as_json() -> None:
    found = await select(
        "SELECT more, extra, 1.5::DECIMAL(4,2) AS d, DATE '2026-01-02' AS day, [1, 2] AS l FROM sales LIMIT 1"
    )
    assert found == [{"more": '{"a": 1}', "extra": None, "d": 1.5, "day": "2026-01-02", "l": [1, 2]}]


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE sales",
        "SELECT 1; SELECT 2",
        "INSERT INTO sales VALUES (1)",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        'SELECT * FROM "/etc/passwd"',
        "SELECT content FROM read_text('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM pg_catalog.pg_class",
        "SELECT current_setting('memory_limit') FROM sales",
        "SELECT getenv('HOME') FROM sales",
        "COPY sales TO '/tmp/x.csv'",
        "ATTACH '/tmp/x.db' AS x",
        "INSTALL httpfs",
        "LOAD httpfs",
        "PRAGMA database_list",
        "SET memory_limit='10GB'",
        "SELECT * FROM other",
        "SELECT * FROM query('SELECT 1')",
        "SELECT repeat('x', 1000000000) FROM sales",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r",
        "SELECT ? FROM sales",
        "SELECT * INTO copied FROM sales",
        "EXPLAIN SELECT * FROM sales",
        "CREATE TABLE x AS SELECT * FROM sales",
        "SELECT (" * 2000,
        "nonsense",
        "",
    ],
)
async def test_nothing_but_a_select_over_lists(statement: str) -> None:
    with pytest.raises(ProgramError):
        await select(statement)


async def test_what_does_not_end_is_ended() -> None:
    many = [{"n": index} for index in range(3000)]
    started = time.monotonic()
    with pytest.raises(ProgramError, match="longer than"):
        await ListQueries(seconds=0.3).select(
            WORLD, "SELECT count(*) AS n FROM m a, m b, m c WHERE (a.n * b.n) % 7 = (c.n * a.n) % 11", {"m": many}
        )
    assert time.monotonic() - started < 10


async def test_a_result_has_an_end() -> None:
    many = [{"n": index} for index in range(200)]
    with pytest.raises(ProgramError, match="more than 10000 rows"):
        await ListQueries().select(WORLD, "SELECT a.n FROM m a, m b", {"m": many})


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT content FROM read_text('/etc/passwd')",
        "COPY (SELECT 1) TO '/tmp/never.csv'",
        "ATTACH '/tmp/never.db' AS x",
        "SET enable_external_access = true",
        "SET memory_limit = '10GB'",
        "INSTALL httpfs",
    ],
)
def test_what_would_pass_the_check_still_reaches_nothing(statement: str) -> None:
    with pytest.raises(ProgramError):
        run(statement, {}, 2.0)


async def test_variables_with_simple_values_stand_for_their_values() -> None:
    rows = [{"name": "Ann", "city": "Rio"}, {"name": "x' OR '1'='1", "city": "Rome"}]
    found = await select("SELECT city FROM people WHERE name = wanted", people=rows, wanted="x' OR '1'='1")
    assert found == [{"city": "Rome"}]
    assert await select("SELECT city FROM people LIMIT many", people=rows, many=1) == [{"city": "Rio"}]
    assert await select("SELECT name FROM people WHERE city = 'Rio'", people=rows, city="Rome") == [{"name": "Ann"}]
