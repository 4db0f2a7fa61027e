"""SELECT over lists in memory, in a DuckDB of its own that can reach nothing: no file, no network, no extension."""

import asyncio
import json
import math
import re
import threading
from collections.abc import Mapping
from typing import Any

from services.engine.program.values import ProgramError, Value, text_of
from services.engine.tables.lists import room, rows_of
from services.engine.tables.port import Reader, Row, Tables
from services.engine.tables.queries import literal_of

LONGEST_SQL = 16_384
MOST_ROWS = 10_000
SECONDS = 5.0
MEMORY = "128MB"
AT_ONCE = 2
REFUSED = re.compile(
    r"(read_|glob|sniff|parquet|sqlite|postgres|mysql|duckdb|pragma|getenv|current_setting|which_secret|query|json_execute"
    r"|from_substrait|iceberg|delta|shell|http|repeat$|l?pad$|rpad$|range$|generate_series$|unnest$)",
    re.IGNORECASE,
)


class ListQueries:
    """Runs queries on threads, a few at a time. `tables`: for statements that name no list."""

    def __init__(self, tables: Tables | None = None, seconds: float = SECONDS) -> None:
        self._tables = tables
        self._seconds = seconds
        self._places = asyncio.Semaphore(AT_ONCE)

    async def select(self, world: Reader, statement: str, variables: Mapping[str, Value]) -> list[Row]:
        """The rows of a SELECT over lists by name, whatever the case. ProgramError for what cannot be done."""
        named = {name.lower(): value for name, value in variables.items()}
        query = parsed(statement)
        wanted = sources(query)
        if self._tables is not None and wanted and not wanted & set(named):
            return await self._tables.query(world, [statement])
        tables = {name: rows_of(value, name) for name, value in named.items() if name in wanted}
        insert_values(query, {name: value for name, value in named.items() if name not in tables}, tables)
        sql = checked(query, set(tables))
        async with self._places:
            return await asyncio.to_thread(run, sql, tables, self._seconds)


def parsed(statement: str) -> Any:  # noqa: ANN401 - a node of sqlglot
    """One SELECT. ProgramError for anything else."""
    import sqlglot  # noqa: PLC0415 - heavy
    from sqlglot import exp  # noqa: PLC0415

    if len(statement) > LONGEST_SQL:
        message = f"SELECT: a statement may have {LONGEST_SQL} characters"
        raise ProgramError(message)
    try:
        found = [item for item in sqlglot.parse(statement, read="duckdb") if item is not None]
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        message = f"SELECT is not understood: {first_line(error)}"
        raise ProgramError(message) from None
    if len(found) != 1 or not isinstance(found[0], exp.Select | exp.SetOperation):
        message = "expected one SELECT"
        raise ProgramError(message)
    return found[0]


def sources(query: Any) -> set[str]:  # noqa: ANN401
    """Names after FROM and JOIN that the statement does not make itself."""
    from sqlglot import exp  # noqa: PLC0415

    own = {cte.alias.lower() for cte in query.find_all(exp.CTE)}
    return {node.name.lower() for node in query.find_all(exp.Table)} - own


def insert_values(query: Any, values: Mapping[str, Value], tables: Mapping[str, list[Value]]) -> None:  # noqa: ANN401
    """Put the values of variables where their names stand, unless a list has a column of that name."""
    from sqlglot import exp  # noqa: PLC0415

    columns = {key.lower() for rows in tables.values() for row in rows if isinstance(row, dict) for key in row}
    columns |= {item.alias.lower() for item in query.find_all(exp.Alias)}
    for node in list(query.find_all(exp.Column)):
        name = node.name.lower()
        if not node.table and name in values and name not in columns:
            node.replace(literal_of(values[name]))


def checked(query: Any, names: set[str]) -> str:  # noqa: ANN401
    """The statement as DuckDB writes it. ProgramError unless it only reads known lists."""
    from sqlglot import exp  # noqa: PLC0415

    inner = {cte.alias.lower() for cte in query.find_all(exp.CTE)}
    for node in query.walk():
        inspect(node, names | inner)
    return str(query.sql(dialect="duckdb", comments=False))


def inspect(node: Any, names: set[str]) -> None:  # noqa: ANN401 - a node of sqlglot
    """Refuse what is more than reading of lists."""
    from sqlglot import exp  # noqa: PLC0415

    if isinstance(node, exp.Table):
        plain = isinstance(node.this, exp.Identifier) and not node.args.get("db") and not node.args.get("catalog")
        if not plain or node.name.lower() not in names:
            known = ", ".join(sorted(names)) or "none"
            message = f"SELECT: there is no list {node.name[:60] or 'of that kind'}; there are {known}"
            raise ProgramError(message)
    refused = isinstance(node, exp.DDL | exp.DML | exp.Command | exp.Into | exp.Parameter | exp.Placeholder)
    refused = refused and not isinstance(node, exp.Select | exp.SetOperation | exp.Subquery)
    if isinstance(node, exp.With) and node.recursive:
        refused = True
    if isinstance(node, exp.Func):
        name = node.name if isinstance(node, exp.Anonymous) else node.sql_name()
        refused = refused or bool(REFUSED.match(name))
    if refused:
        message = f"SELECT: {type(node).__name__.upper()} cannot be used over lists"
        raise ProgramError(message)


def run(sql: str, tables: Mapping[str, list[Value]], seconds: float) -> list[Value]:
    """Rows as objects. ProgramError in DuckDB's words about the statement, or when it takes too long."""
    import duckdb  # noqa: PLC0415 - heavy

    connection = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": MEMORY, "temp_directory": ""})
    late = threading.Timer(seconds, connection.interrupt)
    try:
        for name, rows in tables.items():
            fill(connection, name, rows)
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        late.start()
        cursor = connection.execute(sql)
        names = [item[0] for item in cursor.description or ()]
        found = cursor.fetchmany(MOST_ROWS + 1)
    except duckdb.InterruptException:
        message = f"SELECT: it took longer than {seconds:g} seconds"
        raise ProgramError(message) from None
    except duckdb.Error as error:
        message = f"SELECT: {first_line(error)}"
        raise ProgramError(message) from None
    finally:
        late.cancel()
        connection.close()
    if len(found) > MOST_ROWS:
        message = f"SELECT: it gives more than {MOST_ROWS} rows; add LIMIT"
        raise ProgramError(message)
    return room([dict(zip(names, map(native, row), strict=False)) for row in found])


def fill(connection: Any, name: str, rows: list[Value]) -> None:  # noqa: ANN401 - a connection of DuckDB
    """A table of the rows. Names are quoted, values are parameters; types are what DuckDB finds in the column."""
    records = [row if isinstance(row, dict) else {"value": row} for row in rows]
    columns: dict[str, str] = {}
    for record in records:
        for key in record:
            columns.setdefault(key.lower(), key)
    names = columns or {"value": "value"}
    kinds = {low: kind_of([value_of(record, low, key) for record in records]) for low, key in names.items()}
    written = ", ".join(f"{quoted(low)} {kind}" for low, kind in kinds.items())
    connection.execute(f"CREATE TABLE {quoted(name)} ({written})")
    if records:
        values = [[encoded(value_of(record, low, key), kinds[low]) for record in records] for low, key in names.items()]
        places = ", ".join(f"unnest(?::{kind}[])" for kind in kinds.values())
        connection.execute(f"INSERT INTO {quoted(name)} SELECT {places}", values)


def value_of(record: dict[str, Value], low: str, key: str) -> Value:
    """What a row has in a column, whatever the case of its key."""
    if key in record:
        return record[key]
    return next((value for other, value in record.items() if other.lower() == low), None)


def quoted(name: str) -> str:
    """A name in quotes."""
    return '"' + name.replace('"', '""') + '"'


def kind_of(values: list[Value]) -> str:
    """The type of a column: of its values when they agree, else text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds == {int}:
        return "BIGINT"
    return "DOUBLE" if kinds and kinds <= {int, float} else "VARCHAR"


def encoded(value: Value, kind: str) -> Value:
    """A value as its column takes it; lists and objects as JSON text."""
    if value is None or kind != "VARCHAR":
        return value
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else text_of(value)


def native(value: Any) -> Value:  # noqa: ANN401 - what DuckDB gives
    """A value of JSON."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [native(item) for item in value]
    if isinstance(value, dict):
        return {str(key): native(item) for key, item in value.items()}
    if hasattr(value, "as_tuple"):
        number = float(value)
        return int(number) if number.is_integer() and abs(number) < 2**53 else number
    return str(value)


def first_line(error: BaseException) -> str:
    """The first line of what a library says, without the marks of a terminal."""
    return re.sub(r"\x1b\[[0-9;]*m", "", str(error)).split("\n")[0][:200]
