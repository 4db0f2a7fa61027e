"""From one kind of document to another."""

import json
from xml.sax.saxutils import escape

from services.engine.files.documents import csvs, images, pages, pdfs, sheets, words
from services.engine.files.documents.rows import Table, objects_of
from services.engine.files.documents.texts import bounded, decoded
from services.engine.program.values import ProgramError, Value

TABLES = frozenset({"csv", "tsv", "xlsx", "json"})
PLAIN = frozenset({"txt", "md", "html", "htm", "csv", "tsv", "json", "xml", "log", "bas", "yaml", "yml"})
PAGES = frozenset({"md", "html", "htm", "txt", "docx"})


def read_text(content: bytes, ending: str) -> str:
    """The text in a document of that ending. ProgramError for what holds none."""
    if ending == "pdf":
        return pdfs.text_of_pdf(content)
    if ending == "docx":
        return bounded(words.text_of_docx(content))
    if ending == "xlsx":
        columns, cells = sheets.read_xlsx(content)
        return bounded(csvs.written((columns, cells), ",").decode())
    return bounded(decoded(content))


def read_rows(content: bytes, ending: str, sheet: str = "") -> list[Value]:
    """The rows of a document: objects by the first row, what is in a JSON list. ProgramError."""
    if ending == "json":
        found = json_of(content)
        return found if isinstance(found, list) else [found]
    table = table_in(content, ending, sheet)
    return list(objects_of(*table)) if table[0] else list(table[1])


def table_in(content: bytes, ending: str, sheet: str = "") -> Table:
    """The table of a CSV or XLSX file; other text is tried as CSV."""
    if ending == "xlsx":
        return sheets.read_xlsx(content, sheet)
    if ending in {"pdf", "docx", "zip", "xls", *images.FORMATS}:
        message = f".{ending} holds no table: expected .csv, .tsv, .xlsx or .json"
        raise ProgramError(message)
    return csvs.read_csv(content)


def write_rows(data: Value, ending: str) -> bytes:
    """Rows as a document. ProgramError."""
    if ending == "xlsx":
        return sheets.write_xlsx(data)
    if ending == "json":
        return json.dumps(data, ensure_ascii=False, indent=2).encode()
    return csvs.write_csv(data, "\t" if ending == "tsv" else ",")


def append_rows(there: bytes, data: Value, ending: str) -> bytes:
    """Rows behind those of a document. ProgramError."""
    if ending == "xlsx":
        return sheets.append_xlsx(there, data)
    if ending == "json":
        known = json_of(there)
        more = data if isinstance(data, list) else [data]
        return write_rows([*(known if isinstance(known, list) else [known]), *more], "json")
    return csvs.append_csv(there, data)


def json_of(content: bytes) -> Value:
    """What a JSON file says. ProgramError."""
    try:
        return json.loads(decoded(content))
    except (ValueError, RecursionError):
        message = "this is no JSON"
        raise ProgramError(message) from None


def convert(content: bytes, source: str, target: str) -> bytes:
    """A document of one ending as one of another. ProgramError for pairs that make no sense."""
    if source == target:
        return content
    if source in TABLES and target in TABLES:
        return write_rows(read_rows(content, source), target)
    if source in images.FORMATS and target in images.FORMATS:
        return images.convert_image(content, target)
    if source in images.FORMATS and target == "pdf":
        return images.pdf_of_image(content)
    if target in {"html", "htm"} and source in PAGES:
        return html_in(content, source).encode()
    if target == "pdf" and source in PAGES:
        return pages.pdf_of_html(html_in(content, source))
    if target == "txt":
        return read_text(content, source).encode()
    message = f"CONVERT cannot make .{target} of .{source}"
    raise ProgramError(message)


def html_in(content: bytes, ending: str) -> str:
    """A page of a document."""
    if ending == "docx":
        return words.html_of_docx(content)
    text = decoded(content)
    if ending == "md":
        return pages.html_of_markdown(text)
    if ending == "txt":
        return "".join(f"<p>{escape(part)}</p>" for part in text.split("\n\n"))
    return text


def pdf_from_template(template: bytes, ending: str, data: Value, title: str, pictures: dict[str, bytes]) -> bytes:
    """A PDF of a template with data in it. ProgramError."""
    return pages.pdf_of_html(filled_page(template, ending, data), title, pictures)


def pictures_of(template: bytes, ending: str, data: Value) -> list[str]:
    """Sources of the pictures that a filled template shows."""
    return pages.picture_names(filled_page(template, ending, data))


def filled_page(template: bytes, ending: str, data: Value) -> str:
    """HTML of a template, .html, .md, .txt or .docx, with data in it."""
    from services.engine.files.documents.templates import fill, markdown_escape  # noqa: PLC0415 - see convert

    if ending == "md":
        return pages.html_of_markdown(fill(decoded(template), data, markdown_escape))
    if ending not in PAGES:
        message = f"a template of a PDF is .html, .md, .txt or .docx, not .{ending}"
        raise ProgramError(message)
    return fill(html_in(template, ending), data)
