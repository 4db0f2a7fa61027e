"""DOCX: its paragraphs, headings and tables; not its looks."""

import io
import re
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from services.engine.files.documents.archives import check_zip
from services.engine.program.values import ProgramError

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
HEADING = re.compile(r"(?:heading|title|überschrift|título|заголовок)\s*(\d?)", re.IGNORECASE)
LARGEST = 20 * 1024 * 1024


def text_of_docx(content: bytes) -> str:
    """A line for each paragraph, cells of a table with tabs between. ProgramError."""
    lines = []
    for block in body(content):
        if block.tag == f"{W}tbl":
            lines += ["\t".join(text_in(cell) for cell in row.iter(f"{W}tc")) for row in block.iter(f"{W}tr")]
        else:
            lines.append(text_in(block))
    return "\n".join(lines).strip()


def html_of_docx(content: bytes) -> str:
    """Paragraphs, headings and tables as HTML. ProgramError."""
    return "\n".join(html_of(block) for block in body(content))


def body(content: bytes) -> Iterator[ElementTree.Element]:
    """Paragraphs and tables, in order. ProgramError."""
    from defusedxml.ElementTree import fromstring  # noqa: PLC0415 - seldom needed

    check_zip(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            raw = archive.read("word/document.xml")
        if len(raw) > LARGEST:
            raise damaged()
        root = fromstring(raw, forbid_dtd=True)
    except (KeyError, ElementTree.ParseError, zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise damaged() from None
    for block in root.find(f"{W}body") or ():
        if block.tag in {f"{W}p", f"{W}tbl"}:
            yield block


def html_of(block: ElementTree.Element) -> str:
    """A paragraph or a table."""
    if block.tag == f"{W}tbl":
        rows = (
            "".join(f"<td>{escape(text_in(cell))}</td>" for cell in row.iter(f"{W}tc")) for row in block.iter(f"{W}tr")
        )
        return f"<table>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"
    style = block.find(f"{W}pPr/{W}pStyle")
    found = HEADING.match(style.get(f"{W}val", "")) if style is not None else None
    tag = f"h{found[1] or 1}" if found else "p"
    return f"<{tag}>{escape(text_in(block))}</{tag}>"


def text_in(element: ElementTree.Element) -> str:
    """All text below an element."""
    marks = {f"{W}tab": "\t", f"{W}br": "\n"}
    return "".join(marks.get(item.tag, item.text or "" if item.tag == f"{W}t" else "") for item in element.iter())


def damaged() -> ProgramError:
    """No Word document."""
    return ProgramError("this is no DOCX document, or a damaged one")
