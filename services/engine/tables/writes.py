"""Changes of tables as JSON, so that a transaction can wait in the conversation until its COMMIT.

{"op": "save",   "table", "rows": [object]}           by id or key: made or changed; gives the rows
{"op": "insert", "table", "rows": [object]}           ProgramError when one is there; gives the rows
{"op": "update", "table", "where", "set": object}     gives how many
{"op": "delete", "table", "where"}                    gives how many
{"op": "merge",  "table", "rows", "key": field, "columns": [field]}   gives {inserted, updated, unchanged, total}
"""

from collections.abc import Sequence

from services.engine.program.values import ProgramError, Value, text_of
from services.engine.tables.filters import Filter
from services.engine.tables.lists import rows_of

Write = dict[str, Value]
MOST_ROWS = 10_000
MOST_WRITES = 1_000


def objects(value: Value, what: str) -> list[Value]:
    """The rows to write. ProgramError for what is no object or too many."""
    rows = value if isinstance(value, list) else [value]
    if len(rows) > MOST_ROWS:
        message = f"{what}: at most {MOST_ROWS} rows at once, got {len(rows)}"
        raise ProgramError(message)
    for row in rows:
        if not isinstance(row, dict):
            message = f"{what}: expected an object, or a list of objects, got {text_of(row)[:60]!r}"
            raise ProgramError(message)
    return rows


def save(table: str, rows: Value) -> Write:
    """Make or change rows."""
    return {"op": "save", "table": table, "rows": objects(rows, f"SAVE {table}")}


def insert(table: str, rows: Value) -> Write:
    """Make rows."""
    return {"op": "insert", "table": table, "rows": objects(rows, f"INSERT {table}")}


def update(table: str, where: Filter, fields: Value) -> Write:
    """Change rows."""
    if not isinstance(fields, dict) or not fields:
        message = f"UPDATE {table}: expected fields to change, got {text_of(fields)[:60]!r}"
        raise ProgramError(message)
    return {"op": "update", "table": table, "where": where, "set": fields}


def delete(table: str, where: Filter) -> Write:
    """Remove rows."""
    return {"op": "delete", "table": table, "where": where}


def merge(table: str, data: Value, key: str, columns: Sequence[str] = ()) -> Write:
    """Make or change rows by what they have in a field."""
    return {
        "op": "merge",
        "table": table,
        "rows": objects(rows_of(data, f"MERGE {table}"), f"MERGE {table}"),
        "key": key,
        "columns": list(columns),
    }
