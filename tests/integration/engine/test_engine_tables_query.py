"""QUERY: SELECT over a bot's tables."""

from typing import Any

import pytest

from services.engine.program.values import ProgramError
from services.engine.tables import writes
from tests.integration.engine.tables_world import TablesWorld

pytestmark = pytest.mark.integration


async def query(shop: TablesWorld, *parts: Any) -> list[Any]:
    return await shop.tables.query(shop.person(), list(parts))


async def filled(shop: TablesWorld) -> None:
    people = [{"name": "Ann", "age": 30, "born": "1990-12-25", "vip": True}, {"name": "Bob", "age": 40}]
    await shop.write(writes.save("customers", people))
    await shop.write(writes.insert("orders", [{"customer": 1, "total": 5}, {"customer": 1, "total": 7.5}, {"x": "y"}]))


async def test_queries_see_fields_as_columns_of_their_types(shop: TablesWorld) -> None:
    await filled(shop)
    found = await query(
        shop,
        "SELECT c.Name, SUM(o.total) AS total, COUNT(*) AS n FROM Customers c JOIN orders o ON o.customer = c.id::int "
        "WHERE c.age BETWEEN 20 AND 39 AND c.vip GROUP BY c.name ORDER BY total DESC",
    )
    assert found == [{"name": "Ann", "total": 12.5, "n": 2}]
    assert await query(
        shop, "SELECT born, created_at > '2020-01-01' AS recent FROM customers WHERE born IS NOT NULL"
    ) == [{"born": "1990-12-25", "recent": True}]
    await shop.write(writes.save("customers", {"id": 2, "tags": ["x", "y"]}))
    assert await query(shop, "SELECT tags ->> 1 AS tag, tags FROM customers WHERE tags IS NOT NULL") == [
        {"tag": "y", "tags": ["x", "y"]}
    ]
    assert await query(shop, "WITH a AS (SELECT age FROM customers) SELECT max(age) AS m FROM a") == [{"m": 40}]
    assert await query(shop, "SELECT 1 AS one, 'a:tenant $1 %s' AS two") == [{"one": 1, "two": "a:tenant $1 %s"}]


async def test_inserted_values_are_literals(shop: TablesWorld) -> None:
    await filled(shop)
    assert await query(shop, "SELECT age FROM customers WHERE name = '", "Ann", "'") == [{"age": 30}]
    assert await query(shop, "SELECT age FROM customers WHERE name LIKE '%", "o", "%'") == [{"age": 40}]
    assert await query(shop, "SELECT name FROM customers WHERE age > ", 35, " LIMIT ", 1, "") == [{"name": "Bob"}]
    assert await query(shop, "SELECT name FROM customers WHERE age IN (", [30, 31], ")") == [{"name": "Ann"}]
    assert await query(shop, "SELECT ", "name", " FROM ", "customers", " ORDER BY age LIMIT 1") != []
    with pytest.raises(ProgramError, match="QUERY"):
        await query(shop, "SELECT name FROM customers ", "WHERE 1=1", "")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM customers",
        "UPDATE customers SET age = 1",
        "INSERT INTO customers VALUES (1)",
        "DROP TABLE customers",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE customers",
        "WITH x AS (DELETE FROM customers RETURNING *) SELECT * FROM x",
        "WITH x AS (INSERT INTO customers VALUES (1) RETURNING *) SELECT * FROM x",
        "SELECT * INTO copied FROM customers",
        "SELECT * FROM customers FOR UPDATE",
        "SELECT * FROM engine.table_rows",
        "SELECT * FROM engine.bots",
        "SELECT * FROM table_rows",
        "SELECT * FROM pg_catalog.pg_class",
        "SELECT * FROM pg_class",
        "SELECT * FROM pg_roles",
        "SELECT * FROM information_schema.tables",
        "SELECT pg_sleep(100)",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT set_config('app.tenant_id', '', true)",
        "SELECT current_setting('app.tenant_id')",
        "SELECT set_config('app.tenant_id', 'x', false) FROM customers",
        "SELECT * FROM set_config('a', 'b', true)",
        "SELECT query_to_xml('SELECT 1', true, true, '')",
        "SELECT dblink('x', 'y')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT current_user",
        "SELECT session_user FROM customers",
        "SELECT version()",
        "SELECT 'pg_class'::regclass",
        "SELECT CAST('pg_authid' AS regclass)",
        "SELECT * FROM generate_series(1, 100000000)",
        "SELECT repeat('x', 1000000000)",
        "SELECT * FROM customers, LATERAL (SELECT pg_sleep(1)) AS x",
        "SELECT * FROM (WITH pg_class AS (SELECT 1) SELECT * FROM pg_class) x, pg_class",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r",
        "SELECT $1",
        "SELECT * FROM customers TABLESAMPLE SYSTEM (1)",
        "COPY customers TO '/tmp/x'",
        "EXPLAIN SELECT 1",
        "SET app.tenant_id = 'x'",
        'SELECT "id" FROM "customers" WHERE (SELECT count(*) FROM "pg_user") > 0',
        "SELECT * FROM nowhere",
        "SELECT nothing FROM customers",
        "SELECT age + name FROM customers",
        "SELECT 1 / (age - 30) FROM customers",
        "nonsense",
        "",
        "SELECT (" * 3000,
    ],
)
async def test_nothing_but_a_select_over_the_tables_of_the_bot(shop: TablesWorld, statement: str) -> None:
    await filled(shop)
    with pytest.raises(ProgramError):
        await query(shop, statement)
    assert await shop.tables.count(shop.person(), "customers") == 2


async def test_a_query_that_takes_too_long_is_ended(shop: TablesWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy import text

    from services.engine.tables import queries

    monkeypatch.setattr(queries, "LIMITS", text("SET LOCAL statement_timeout = 100"))
    await shop.write(writes.insert("notes", [{"n": n} for n in range(400)]))
    with pytest.raises(ProgramError, match="longer than"):
        await query(shop, "SELECT count(*) AS n FROM notes a, notes b, notes c, notes d WHERE a.n * b.n > c.n * d.n")


async def test_a_result_has_an_end(shop: TablesWorld) -> None:
    await shop.write(writes.insert("notes", [{"n": n} for n in range(50)]))
    with pytest.raises(ProgramError, match="more than 1000 rows"):
        await query(shop, "SELECT a.n FROM notes a, notes b")
