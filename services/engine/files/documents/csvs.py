"""CSV: the mark between cells is found out, and no cell is a formula for the program that opens it.

A cell that begins with = + - @ or a tab, and is no number, is written with an apostrophe before it; reading takes one
off again. So what a script wrote it reads, and what a stranger typed is never run by a spreadsheet.
"""

import csv
import io
import re

from services.engine.files.documents.rows import MOST_ROWS, Table, bounded, cell_text, combined, names_of, table_of
from services.engine.files.documents.texts import decoded
from services.engine.program.values import ProgramError, Value

MARKS = ",;\t|"
SAMPLE = 20
LONGEST_CELL = 1_000_000
NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d+)*|\.\d+)(?:[eE][+-]?\d+)?%?")
DANGEROUS = re.compile(r"'*[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]")
GUARDED = re.compile(r"'+[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]")


def read_csv(content: bytes) -> Table:
    """Columns by the first row, and the cells as text. ProgramError."""
    text = decoded(content)
    return parse_csv(text, mark_of(text))


def parse_csv(text: str, mark: str = "") -> Table:
    """Columns and cells of a text. ProgramError for what is no CSV."""
    csv.field_size_limit(LONGEST_CELL)
    cells: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark or mark_of(text), strict=False):
            if row:
                cells.append([unguarded(cell) for cell in row])
            if len(cells) > MOST_ROWS + 1:
                break
    except csv.Error as error:
        message = f"this is no CSV: {error}"
        raise ProgramError(message) from None
    if not cells:
        return [], []
    return bounded(names_of(list(cells[0])), [list(row) for row in cells[1:]])


def mark_of(text: str) -> str:
    """The mark with which the first rows have most cells, as many in each; a comma when none has."""
    return max(MARKS, key=lambda mark: (regularity(text, mark), -MARKS.index(mark)))


def regularity(text: str, mark: str) -> int:
    """Cells of the shortest of the first rows, 0 when they are split into one."""
    widths: list[int] = []
    try:
        for row in csv.reader(io.StringIO(text[:100_000], newline=""), delimiter=mark):
            if row:
                widths.append(len(row))
            if len(widths) == SAMPLE:
                break
    except csv.Error:
        return 0
    narrowest = min(widths, default=1)
    same = sum(width == widths[0] for width in widths)
    return narrowest * 1000 + same if narrowest > 1 else 0


def write_csv(data: Value, mark: str = ",") -> bytes:
    """Rows as UTF-8. ProgramError for what are no rows."""
    return written(table_of(data), mark)


def append_csv(there: bytes, data: Value) -> bytes:
    """The rows behind those that are there, under their columns; new columns come behind the old ones."""
    text = decoded(there)
    mark = mark_of(text)
    return written(combined(parse_csv(text, mark), table_of(data)), mark)


def written(table: Table, mark: str) -> bytes:
    """A table as UTF-8."""
    columns, cells = table
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=mark, lineterminator="\r\n")
    for row in [columns, *cells] if columns else cells:
        writer.writerow([guarded(cell_text(cell)) for cell in row])
    return out.getvalue().encode("utf-8", errors="replace")


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if DANGEROUS.match(cell) and not NUMBER.fullmatch(cell) else cell


def unguarded(cell: str) -> str:
    """What was guarded."""
    return cell[1:] if GUARDED.match(cell) and not NUMBER.fullmatch(cell[1:]) else cell
