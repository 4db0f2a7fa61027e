"""XLSX workbooks."""

import datetime
import io
import re
from typing import Any

from services.engine.files.documents.archives import check_zip
from services.engine.files.documents.rows import MOST_COLUMNS, MOST_ROWS, Table, bounded, names_of, table_of
from services.engine.program.values import ProgramError, Value, text_of

UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udfff]")
LONGEST_CELL = 32_767
LONGEST_TITLE = 31
WIDEST = 60


def read_xlsx(content: bytes, sheet: str = "") -> Table:
    """A sheet, the first unless one is named: columns by its first row. ProgramError."""
    book = opened(content, read_only=True, data_only=True)
    try:
        found = sheet_of(book, sheet)
        cells: list[list[Value]] = []
        for row in found.iter_rows(values_only=True, max_col=MOST_COLUMNS):
            plain = [plain_value(cell) for cell in row]
            if any(cell is not None for cell in plain):
                cells.append(plain)
            if len(cells) > MOST_ROWS + 1:
                break
    finally:
        book.close()
    if not cells:
        return [], []
    width = max(place for row in cells for place, cell in enumerate(row, 1) if cell is not None)
    head, *rest = [row[:width] for row in cells]
    return bounded(names_of(head), rest)


def write_xlsx(data: Value, title: str = "Data") -> bytes:
    """A workbook of one sheet. Text stays text, whatever it begins with. ProgramError."""
    from openpyxl import Workbook  # noqa: PLC0415 - heavy
    from openpyxl.styles import Font  # noqa: PLC0415

    columns, cells = table_of(data)
    book = Workbook()
    sheet = book.active
    sheet.title = re.sub(r"[\\/*?:\[\]]", " ", title)[:LONGEST_TITLE] or "Data"
    if columns:
        add_row(sheet, columns)
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        sheet.freeze_panes = "A2"
    for row in cells:
        add_row(sheet, row)
    fit(sheet, [columns, *cells[:100]])
    return saved(book)


def append_xlsx(there: bytes, data: Value, sheet: str = "") -> bytes:
    """The rows below those that are there, under the columns of the first row; new columns come behind."""
    columns, cells = table_of(data)
    book = opened(there)
    found = sheet_of(book, sheet)
    head = [text_of(plain_value(cell.value)) for cell in found[1]] if found.max_row else []
    head = head if any(head) else []
    places = []
    for column in columns:
        if column not in head:
            head.append(column)
            put(found, 1, len(head), column)
        places.append(head.index(column) + 1)
    for row in cells:
        at = found.max_row + 1
        for place, value in zip(places or range(1, len(row) + 1), row, strict=False):
            put(found, at, place, value)
    return saved(book)


def opened(content: bytes, **how: bool) -> Any:  # noqa: ANN401 - openpyxl's Workbook
    """A workbook. ProgramError when it is none."""
    from openpyxl import load_workbook  # noqa: PLC0415 - heavy

    check_zip(content)
    try:
        return load_workbook(io.BytesIO(content), keep_links=False, **how)
    except Exception as error:  # noqa: BLE001 - it raises whatever XML and ZIP raise
        message = f"this is no XLSX workbook, or a damaged one ({type(error).__name__})"
        raise ProgramError(message) from None


def sheet_of(book: Any, name: str) -> Any:  # noqa: ANN401
    """The sheet of that name, or the first. ProgramError."""
    if not name:
        return book.worksheets[0]
    for sheet in book.worksheets:
        if sheet.title.lower() == name.lower():
            return sheet
    message = f"there is no sheet {name!r}; there are {', '.join(sheet.title for sheet in book.worksheets)}"
    raise ProgramError(message)


def saved(book: Any) -> bytes:  # noqa: ANN401
    """The workbook as a file."""
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def add_row(sheet: Any, row: list[Value] | list[str]) -> None:  # noqa: ANN401
    """A row below the last."""
    at = sheet.max_row + 1 if sheet.max_row > 1 or sheet["A1"].value is not None else 1
    for place, value in enumerate(row, 1):
        put(sheet, at, place, value)


def put(sheet: Any, row: int, column: int, value: Value) -> None:  # noqa: ANN401
    """One cell: numbers and truth values as such, everything else as text, which is never a formula."""
    cell = sheet.cell(row=row, column=column)
    if isinstance(value, bool | int | float):
        cell.value = value
    elif value is not None:
        cell.value = UNWRITABLE.sub("", text_of(value))[:LONGEST_CELL]
        cell.data_type = "s"


def fit(sheet: Any, rows: list[list[Value]] | list[Any]) -> None:  # noqa: ANN401
    """Columns as wide as what is in them, within reason."""
    from openpyxl.utils import get_column_letter  # noqa: PLC0415 - heavy

    widths: dict[int, int] = {}
    for row in rows:
        for place, value in enumerate(row, 1):
            widths[place] = max(widths.get(place, 8), min(len(text_of(value)) + 2, WIDEST))
    for place, width in widths.items():
        sheet.column_dimensions[get_column_letter(place)].width = width


def plain_value(cell: Any) -> Value:  # noqa: ANN401 - what openpyxl found
    """A cell as scripts have it: dates as ISO text."""
    if isinstance(cell, datetime.datetime):
        return (
            cell.date().isoformat() if cell.time() == datetime.time() else cell.isoformat(sep=" ", timespec="seconds")
        )
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    if isinstance(cell, bool | int | float | str) or cell is None:
        return cell
    return str(cell)
