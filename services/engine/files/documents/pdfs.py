"""PDF: the text in one, several made one."""

import io
from typing import Any

from services.engine.files.documents.texts import LARGEST_TEXT
from services.engine.program.values import ProgramError

MOST_PAGES = 2_000


def text_of_pdf(content: bytes) -> str:
    """The text of all pages, an empty line between two. ProgramError."""
    texts: list[str] = []
    length = 0
    for page in opened(content).pages:
        texts.append(page.extract_text().strip())
        length += len(texts[-1]) + 2
        if length > LARGEST_TEXT:
            message = f"the PDF has more text than a script can hold ({LARGEST_TEXT:,} characters)"
            raise ProgramError(message)
    return "\n\n".join(texts).strip()


def merge_pdfs(contents: list[bytes]) -> bytes:
    """One PDF with the pages of all, in order. ProgramError."""
    from pypdf import PdfWriter  # noqa: PLC0415 - heavy

    writer = PdfWriter()
    for content in contents:
        for page in opened(content).pages:
            writer.add_page(page)
        if len(writer.pages) > MOST_PAGES:
            raise too_long()
    if not len(writer.pages):
        message = "MERGE PDF needs at least one PDF"
        raise ProgramError(message)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def opened(content: bytes) -> Any:  # noqa: ANN401 - pypdf's PdfReader
    """A PDF that can be read. ProgramError."""
    from pypdf import PdfReader  # noqa: PLC0415 - heavy
    from pypdf.errors import PyPdfError  # noqa: PLC0415

    if not content.lstrip()[:5].startswith(b"%PDF"):
        message = "this is no PDF"
        raise ProgramError(message)
    try:
        reader = PdfReader(io.BytesIO(content))
        locked = reader.is_encrypted and not reader.decrypt("")
        pages = 0 if locked else len(reader.pages)
    except (PyPdfError, ValueError, KeyError, TypeError, RecursionError):
        message = "this PDF is damaged"
        raise ProgramError(message) from None
    if locked:
        message = "this PDF is protected with a password"
        raise ProgramError(message)
    if pages > MOST_PAGES:
        raise too_long()
    return reader


def too_long() -> ProgramError:
    """Beyond the limit."""
    return ProgramError(f"a PDF may have {MOST_PAGES:,} pages")
