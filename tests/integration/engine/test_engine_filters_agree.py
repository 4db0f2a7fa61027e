"""The same filter gives the same rows in memory and in PostgreSQL."""

import json
import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from services.common.db.engine import Database
from services.engine.tables.criteria import holds
from services.engine.tables.definition import TableDefinition, definition_of
from services.engine.tables.filter_sql import ROWS, condition
from services.engine.tables.filters import checked

pytestmark = pytest.mark.integration

ALPHABET = "ab%_*'\"\\ ,.-+eE0159éÄ€"
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-100, 100),
    st.integers(-(2**52), 2**52),
    st.decimals(-1000, 1000, places=2).map(float),
    st.text(ALPHABET, max_size=4),
    st.sampled_from(
        ["5", "5.0", "05", "1,5", " 7 ", "1e2", "true", "FALSE", "1_0", "2024-12-25", "Ana", "ana", "1e999"]
    ),
)
VALUES = st.one_of(
    SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(st.sampled_from(["a", "k"]), SCALARS, max_size=2)
)
FIELDS = st.sampled_from(["a", "b", "c"])
COMPARISONS = st.one_of(
    st.tuples(st.sampled_from(["=", "<>", "<", ">", "<=", ">=", "contains"]), FIELDS, VALUES).map(list),
    st.tuples(st.just("like"), FIELDS, SCALARS).map(list),
    st.tuples(st.just("in"), FIELDS, st.lists(SCALARS, max_size=3)).map(list),
    st.tuples(st.just("between"), FIELDS, st.lists(SCALARS, min_size=2, max_size=2)).map(list),
    st.tuples(st.just("is_null"), FIELDS).map(list),
    st.tuples(st.just("column"), st.sampled_from(["=", "<>", "<", ">=", "contains"]), FIELDS, FIELDS).map(list),
    st.tuples(st.just("="), st.just("id"), st.sampled_from(["1", 2, "03", 3])).map(list),
)
FILTERS = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda items: ["and", *items]),
        st.lists(inner, min_size=1, max_size=3).map(lambda items: ["or", *items]),
        inner.map(lambda item: ["not", item]),
    ),
    max_leaves=4,
)
ROWS_OF = st.lists(st.dictionaries(FIELDS, VALUES), min_size=1, max_size=6)
TENANT = str(uuid.UUID(int=7))
ADD = text("""INSERT INTO engine.table_rows (tenant_id, bot_id, table_name, id, data)
SELECT CAST(:tenant AS uuid), 'agreeing', 't', ordinality::text, value
FROM jsonb_array_elements(CAST(:rows AS jsonb)) WITH ORDINALITY""")
BOT = text("INSERT INTO engine.bots (tenant_id, id) VALUES (CAST(:tenant AS uuid), 'agreeing') ON CONFLICT DO NOTHING")
CLEAR = text("DELETE FROM engine.table_rows WHERE bot_id = 'agreeing'")


async def matching(database: Database, rows: list[dict[str, Any]], wanted: Any, table: TableDefinition) -> set[str]:
    async with database.unit_of_work(TENANT) as connection:
        await connection.execute(BOT, {"tenant": TENANT})
        await connection.execute(CLEAR)
        await connection.execute(ADD, {"tenant": TENANT, "rows": json.dumps(rows)})
        found = await connection.execute(select(ROWS.c.id).where(ROWS.c.bot_id == "agreeing", condition(wanted, table)))
        return set(found.scalars())


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS_OF, wanted=FILTERS)
@example(rows=[{"a": False}, {"a": ""}, {"a": None}, {}], wanted=["=", "a", ""])
@example(rows=[{"a": "x' OR '1'='1"}, {"a": "y"}], wanted=["=", "a", "x' OR '1'='1"])
@example(rows=[{"a": 5.0}, {"a": "5"}, {"a": "05"}], wanted=["not", ["=", "a", 5]])
async def test_memory_and_database_agree(
    engine_database: Database, rows: list[dict[str, Any]], wanted: list[Any]
) -> None:
    given_filter = checked(wanted)
    in_memory = {str(index) for index, row in enumerate(rows, 1) if holds(given_filter, {"id": str(index), **row})}
    assert await matching(engine_database, rows, given_filter, TableDefinition("t")) == in_memory


TYPED = definition_of(
    {
        "name": "t",
        "fields": [{"name": "a", "type": "string"}, {"name": "b", "type": "number"}, {"name": "c", "type": "date"}],
    }
)
TYPED_ROWS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "a": st.one_of(st.none(), st.text(ALPHABET, max_size=4), st.sampled_from(["5", "5.0", "Ana"])),
            "b": st.one_of(st.none(), st.integers(-10, 10), st.decimals(-10, 10, places=1).map(float)),
            "c": st.one_of(st.none(), st.dates().map(str)),
        },
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=TYPED_ROWS, wanted=FILTERS)
async def test_known_types_take_a_short_way_to_the_same_rows(
    engine_database: Database, rows: list[dict[str, Any]], wanted: list[Any]
) -> None:
    given_filter = checked(wanted)
    in_memory = {str(index) for index, row in enumerate(rows, 1) if holds(given_filter, {"id": str(index), **row})}
    assert await matching(engine_database, rows, given_filter, TYPED) == in_memory
