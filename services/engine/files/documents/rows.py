"""Rows of tables, whatever a script gives as such."""

from services.engine.program.values import ProgramError, Value, text_of

MOST_ROWS = 100_000
MOST_COLUMNS = 500
Table = tuple[list[str], list[list[Value]]]
"""Names of the columns, empty for a table without a head, and the cells of each row."""


def table_of(data: Value) -> Table:
    """A list of objects, of lists or of single values, or one object. ProgramError for anything else."""
    if isinstance(data, dict):
        inner = data.get("data", data.get("rows", data.get("items")))
        return table_of(inner) if isinstance(inner, list) else table_of([data])
    if not isinstance(data, list):
        message = f"expected rows, such as what FIND gives, got {text_of(data)[:40]!r}"
        raise ProgramError(message)
    if any(isinstance(row, dict) for row in data):
        return of_objects([row if isinstance(row, dict) else {"value": row} for row in data])
    return bounded([], [row if isinstance(row, list) else [row] for row in data])


def of_objects(objects: list[dict[str, Value]]) -> Table:
    """Columns in the order in which they first appear."""
    columns = list(dict.fromkeys(key for row in objects for key in row))
    return bounded(columns, [[row.get(column) for column in columns] for row in objects])


def objects_of(columns: list[str], cells: list[list[Value]]) -> list[dict[str, Value]]:
    """Rows as objects; what is missing at the end of a row is empty text."""
    width = len(columns)
    return [dict(zip(columns, [*row, *[""] * (width - len(row))], strict=False)) for row in cells]


def bounded(columns: list[str], cells: list[list[Value]]) -> Table:
    """The same. ProgramError for more than a script can hold."""
    if len(cells) > MOST_ROWS or len(columns) > MOST_COLUMNS:
        message = f"a table has {MOST_ROWS:,} rows and {MOST_COLUMNS} columns at most"
        raise ProgramError(message)
    return columns, cells


def names_of(head: list[Value]) -> list[str]:
    """Names of columns from a first row: all different, none empty."""
    names: list[str] = []
    taken: set[str] = set()
    for place, cell in enumerate(head, 1):
        wanted = name = text_of(cell).strip() or f"column{place}"
        number = 1
        while name in taken:
            number += 1
            name = f"{wanted}_{number}"
        taken.add(name)
        names.append(name)
    return names


def combined(first: Table, second: Table) -> Table:
    """The rows of both, under all columns of both."""
    if not first[0] or not second[0]:
        return first[0] or second[0], [*first[1], *second[1]]
    return of_objects([*objects_of(*first), *objects_of(*second)])


def cell_text(value: Value) -> str:
    """As it stands in a cell."""
    return text_of(value)
