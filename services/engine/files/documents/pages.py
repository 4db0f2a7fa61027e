"""Pages of a PDF from HTML: headings, paragraphs, lists, tables, pictures of the drive. Markdown becomes HTML first.

Styles, scripts and addresses of other places are left out: a page shows what it says and loads nothing.
"""

import io
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

from services.engine.files.documents.fonts import FAMILY, register
from services.engine.files.documents.images import opened_image
from services.engine.program.values import ProgramError

MOST_BLOCKS = 20_000
MOST_CELLS = 50_000
MARGIN = 56.7
HEADINGS = {"h1": 22, "h2": 17, "h3": 14, "h4": 12, "h5": 11, "h6": 11}
INLINE = {"b": "b", "strong": "b", "i": "i", "em": "i", "u": "u", "s": "strike", "del": "strike", "sub": "sub",
          "sup": "super"}  # fmt: skip
LEFT_OUT = frozenset({"script", "style", "head", "title", "iframe", "object", "embed", "form", "svg", "noscript"})
BLOCKS = frozenset({*HEADINGS, "p", "ul", "ol", "table", "hr", "pre", "blockquote", "div", "section", "article",
                    "header", "footer", "main", "body", "html", "img", "figure", "center", "pagebreak"})  # fmt: skip
SIZES = {"a4": (595.28, 841.89), "letter": (612.0, 792.0)}
LINKS = ("https://", "http://", "mailto:", "tel:")


def html_of_markdown(text: str) -> str:
    """HTML of Markdown with tables; HTML in it is shown as text."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - heavy

    return str(MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).render(text))


def picture_names(text: str) -> list[str]:
    """Sources of the pictures in a page, as they are written."""
    from bs4 import BeautifulSoup  # noqa: PLC0415 - heavy

    return list(
        dict.fromkeys(str(item["src"]) for item in BeautifulSoup(text, "html.parser").find_all("img", src=True))
    )


def pdf_of_html(text: str, title: str = "", pictures: dict[str, bytes] | None = None, size: str = "a4") -> bytes:
    """A PDF. pictures: by their sources as written. ProgramError for pages without end."""
    from bs4 import BeautifulSoup  # noqa: PLC0415 - heavy
    from reportlab.platypus import SimpleDocTemplate  # noqa: PLC0415
    from reportlab.platypus.doctemplate import LayoutError  # noqa: PLC0415

    width, height = SIZES.get(size.lower(), SIZES["a4"])
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=(width, height),
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=title,
        author="",
        invariant=1,
    )
    layout = Layout(width - 2 * MARGIN - 12, pictures or {})
    flow = list(layout.blocks(BeautifulSoup(text, "html.parser")))
    try:
        document.build(flow or [layout.paragraph("", "p")])
    except LayoutError:
        message = "something in the document is larger than a page"
        raise ProgramError(message) from None
    return out.getvalue()


class Layout:
    """From elements to what reportlab flows over pages."""

    def __init__(self, width: float, pictures: dict[str, bytes]) -> None:
        self._width = width
        self._pictures = pictures
        self._made = 0
        self._styles = styles()

    def blocks(self, element: Any) -> Iterator[Any]:  # noqa: ANN401 - bs4's Tag and reportlab's Flowable
        """What is in an element, one below the other; loose text is a paragraph."""
        from bs4 import Tag  # noqa: PLC0415 - heavy

        loose: list[str] = []
        for child in element.children:
            if isinstance(child, Tag) and (child.name in BLOCKS or child.find(list(BLOCKS)) is not None):
                yield from self._loose(loose)
                yield from self._block(child)
            else:
                loose.append(inline(child))
        yield from self._loose(loose)

    def _loose(self, texts: list[str]) -> Iterator[Any]:
        text = "".join(texts).strip()
        texts.clear()
        if text:
            yield self.paragraph(text, "p")

    def paragraph(self, text: str, style: str, **more: Any) -> Any:  # noqa: ANN401
        """Text with marks of reportlab in it. ProgramError when there are too many."""
        from reportlab.platypus import Paragraph  # noqa: PLC0415 - heavy

        self._made += 1
        if self._made > MOST_BLOCKS + MOST_CELLS:
            message = "the document is too long"
            raise ProgramError(message)
        return Paragraph(text, self._styles[style], **more)

    def _block(self, tag: Any) -> Iterator[Any]:  # noqa: ANN401
        from reportlab.platypus import HRFlowable, PageBreak, Preformatted  # noqa: PLC0415 - heavy

        name = tag.name
        if name in LEFT_OUT:
            return
        if name in HEADINGS or (name == "p" and tag.find("img") is None):
            yield self.paragraph(inside(tag), name)
        elif name in {"ul", "ol"}:
            yield self._list(tag, ordered=name == "ol")
        elif name == "table":
            yield from self._table(tag)
        elif name == "hr":
            yield HRFlowable(width="100%", color="#999999", spaceBefore=6, spaceAfter=6)
        elif name == "pre":
            yield Preformatted(tag.get_text(), self._styles["pre"])
        elif name == "img":
            yield self._picture(tag)
        elif name == "pagebreak":
            yield PageBreak()
        elif name == "blockquote":
            yield self.paragraph(inside(tag), "blockquote")
        else:
            yield from self.blocks(tag)

    def _list(self, tag: Any, *, ordered: bool) -> Any:  # noqa: ANN401
        from reportlab.platypus import ListFlowable, ListItem  # noqa: PLC0415 - heavy

        items = [ListItem(list(self.blocks(item))) for item in tag.find_all("li", recursive=False)]
        kind = {"bulletType": "1"} if ordered else {"bulletType": "bullet", "start": "•"}
        return ListFlowable(items, leftIndent=18, bulletFontName=f"{FAMILY}-Regular", bulletFontSize=10, **kind)

    def _table(self, tag: Any) -> Iterator[Any]:  # noqa: ANN401
        from reportlab.platypus import Spacer, Table  # noqa: PLC0415 - heavy

        rows = [row.find_all(["td", "th"], recursive=False) for row in tag.find_all("tr")]
        rows = [row for row in rows if row]
        if not rows:
            return
        width = max(len(row) for row in rows)
        heads = sum(all(cell.name == "th" for cell in row) for row in rows[:1])
        cells = [
            [self._cell(cell) for cell in row] + [self.paragraph("", "td") for _ in range(width - len(row))]
            for row in rows
        ]
        table = Table(cells, colWidths=widths(rows, width, self._width), repeatRows=heads, splitInRow=1, hAlign="LEFT")
        table.setStyle(table_style(heads))
        yield table
        yield Spacer(1, 8)

    def _cell(self, cell: Any) -> Any:  # noqa: ANN401
        style = cell.get("style", "").replace(" ", "")
        align = str(cell.get("align") or style.partition("text-align:")[2].partition(";")[0]).lower()
        kind = cell.name if align not in {"right", "center"} else f"{cell.name}-{align}"
        return self.paragraph(inside(cell), kind)

    def _picture(self, tag: Any) -> Any:  # noqa: ANN401
        """A picture of the drive, never wider than the page; its words when it is not there."""
        from reportlab.platypus import Image  # noqa: PLC0415 - heavy

        content = self._pictures.get(str(tag.get("src", "")))
        if content is None:
            return self.paragraph(escape(str(tag.get("alt", ""))), "p")
        image = opened_image(content).convert("RGB")
        plain = io.BytesIO()
        image.save(plain, "PNG")
        wanted = str(tag.get("width", "")).removesuffix("px")
        natural = float(wanted) if wanted.replace(".", "", 1).isdigit() else image.width * 0.75
        width = max(8.0, min(natural, self._width))
        height = width * image.height / image.width
        if height > 640:
            width, height = width * 640 / height, 640.0
        return Image(io.BytesIO(plain.getvalue()), width=width, height=height, hAlign="LEFT")


def inside(tag: Any) -> str:  # noqa: ANN401 - bs4's Tag
    """What is in an element, as marks of reportlab."""
    return "".join(inline(child) for child in tag.children).strip()


def inline(node: Any) -> str:  # noqa: ANN401 - bs4's Tag or text
    """Text in a line with the marks reportlab knows."""
    from bs4 import Comment, Tag  # noqa: PLC0415 - heavy

    if not isinstance(node, Tag):
        return "" if isinstance(node, Comment) else escape(printable(str(node)))
    if node.name in LEFT_OUT:
        return ""
    if node.name == "br":
        return "<br/>"
    text = "".join(inline(child) for child in node.children)
    if node.name == "a" and str(node.get("href", "")).startswith(LINKS):
        target = escape(str(node["href"]), {'"': "&quot;"})
        return f'<a href="{target}" color="#1a4fa0">{text}</a>'
    mark = INLINE.get(node.name)
    return f"<{mark}>{text}</{mark}>" if mark else text


def printable(text: str) -> str:
    """Without characters that no page has."""
    return "".join(sign for sign in text if sign in "\n\t" or ord(sign) >= 32)


def widths(rows: list[list[Any]], columns: int, whole: float) -> list[float]:
    """As wide as the longest text in each column asks for, within the page."""
    wanted = [max(4, *(min(len(row[at].get_text()), 40) for row in rows if at < len(row)), 4) for at in range(columns)]
    return [whole * size / sum(wanted) for size in wanted]


def table_style(heads: int) -> Any:  # noqa: ANN401 - reportlab's TableStyle
    """Thin lines, a shaded head."""
    from reportlab.platypus import TableStyle  # noqa: PLC0415 - heavy

    commands: list[Any] = [
        ("GRID", (0, 0), (-1, -1), 0.5, "#bbbbbb"),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 4),
        ("RIGHTPADDING", (0, 0), (-1, -1), 4),
    ]
    if heads:
        commands.append(("BACKGROUND", (0, 0), (-1, heads - 1), "#eeeeee"))
    return TableStyle(commands)


def styles() -> dict[str, Any]:
    """A style of text for each kind of block."""
    from reportlab.lib.styles import ParagraphStyle  # noqa: PLC0415 - heavy

    family = register()
    plain, bold = f"{family}-Regular", f"{family}-Bold"
    found: dict[str, Any] = {
        name: ParagraphStyle(name, fontName=bold, fontSize=size, leading=size * 1.3, spaceBefore=size / 2, spaceAfter=6)
        for name, size in HEADINGS.items()
    }
    found["p"] = ParagraphStyle("p", fontName=plain, fontSize=10.5, leading=15, spaceAfter=6)
    found["blockquote"] = ParagraphStyle("quote", parent=found["p"], leftIndent=16, textColor="#555555")
    found["pre"] = ParagraphStyle("pre", fontName=plain, fontSize=9, leading=12, backColor="#f4f4f4", spaceAfter=6)
    for name, font in (("td", plain), ("th", bold)):
        found[name] = ParagraphStyle(name, fontName=font, fontSize=9.5, leading=13)
        found[f"{name}-right"] = ParagraphStyle(f"{name}-right", parent=found[name], alignment=2)
        found[f"{name}-center"] = ParagraphStyle(f"{name}-center", parent=found[name], alignment=1)
    return found
