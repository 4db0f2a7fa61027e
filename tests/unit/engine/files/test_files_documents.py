import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfReader, PdfWriter

from services.engine.files.documents import converting, drawing, images, pages, pdfs, templates, words
from services.engine.program.values import ProgramError, Value
from tests.unit.engine.files.hostile import archive

pytestmark = pytest.mark.unit
DATA = {"customer": {"name": "Иван <b>"}, "rows": [{"n": "Tea", "p": 1.5}, {"n": "Кофе | *x*", "p": 2}], "none": []}


def drawn(side: int = 40) -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", (side, side), (255, 0, 0, 128)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("Hi {{customer.name}}!", "Hi Иван &lt;b&gt;!"),
        ("{{ CUSTOMER.Name }}", "Иван &lt;b&gt;"),
        ("{{nothing}}-{{customer.nothing}}", "-"),
        ("{{#rows}}{{@index}}={{n}};{{/rows}}", "1=Tea;2=Кофе | *x*;"),
        ("{{#each rows}}{{p}} {{/each}}", "1.5 2 "),
        ("{{#none}}x{{/none}}{{^none}}empty{{/none}}", "empty"),
        ("{{#if customer}}{{name}}{{/if}}", "Иван &lt;b&gt;"),
        ("{{#rows}}{{customer.name}}{{/rows}}", "Иван &lt;b&gt;" * 2),
        ("{ {{p}} }", "{  }"),
    ],
)
def test_templates(template: str, filled: str) -> None:
    assert templates.fill(template, DATA) == filled


@pytest.mark.parametrize("template", ["{{#rows}}", "{{/rows}}", "{{#rows}}{{/none}}", "{{#a}}" * 20])
def test_templates_that_do_not_close_are_told(template: str) -> None:
    with pytest.raises(ProgramError):
        templates.fill(template, DATA)


def test_a_template_does_not_grow_without_end() -> None:
    many = {"a": [list(range(1000))] * 1000}
    with pytest.raises(ProgramError, match="characters"):
        templates.fill("{{#a}}{{#.}}{{.}} and so on and so on{{/.}}{{/a}}", many)


@given(st.text(max_size=60))
def test_what_is_filled_in_is_text_and_never_a_page(text: str) -> None:
    filled = converting.filled_page(b"a {{x}} b", "md", {"x": text})
    assert "<script" not in converting.filled_page(b"<p>{{x}}</p>", "html", {"x": text}).lower()
    assert filled.count("<") == 2, "one paragraph and nothing else"


def test_a_pdf_says_what_the_template_said_in_all_alphabets() -> None:
    template = (
        "# Счёт {{number}}\n\n| N | P |\n|---|--:|\n{{#rows}}| {{n}} | {{p}} |\n{{/rows}}\n\nção ñ ü Ελληνικά € ₽"
    )
    made = converting.pdf_from_template(template.encode(), "md", {**DATA, "number": 7}, "Invoice", {})
    text = pdfs.text_of_pdf(made)
    for word in ("Счёт 7", "Кофе | *x*", "ção ñ ü Ελληνικά € ₽"):
        assert word in text
    assert PdfReader(io.BytesIO(made)).metadata.title == "Invoice"
    fonts = {str(font["/BaseFont"]) for font in fonts_of(made)}
    assert all("NotoSans" in font for font in fonts if font != "/Helvetica"), fonts


def fonts_of(content: bytes) -> list[dict[str, object]]:
    page = PdfReader(io.BytesIO(content)).pages[0]
    return [font.get_object() for font in page["/Resources"]["/Font"].values()]


def test_a_long_table_goes_over_pages_with_its_head() -> None:
    rows = [{"n": f"row {number}", "p": number} for number in range(200)]
    template = (
        "<table><tr><th>Name</th><th>Price</th></tr>{{#rows}}<tr><td>{{n}}</td><td>{{p}}</td></tr>{{/rows}}</table>"
    )
    made = converting.pdf_from_template(template.encode(), "html", {"rows": rows}, "", {})
    reader = PdfReader(io.BytesIO(made))
    assert len(reader.pages) > 3
    assert all("Name" in page.extract_text() for page in reader.pages)


@pytest.mark.parametrize(
    "page",
    [
        "<script>alert(1)</script><style>p{}</style><p>ok</p>",
        "<img src='http://169.254.169.254/'><p>ok</p>",
        "<img src='file:///etc/passwd'><p>ok</p>",
        "<a href='javascript:alert(1)'>ok</a>",
        "<p><font color='&'>ok<br><b><i>x</b></i></p>",
        "<div><div><p>ok</p></div></div><table></table><ul></ul>",
        "<table><tr><td>" + "very long " * 3000 + "</td></tr></table>ok",
        "ok <para><onDraw name='x'/></para>",
    ],
)
def test_pages_load_and_run_nothing(page: str) -> None:
    try:
        text = pdfs.text_of_pdf(pages.pdf_of_html(page))
    except ProgramError:
        return
    assert "ok" in text
    assert "alert" not in text


def test_pictures_of_the_drive_are_in_the_pdf() -> None:
    made = pages.pdf_of_html("<img src='logo.png' width=30>", "", {"logo.png": drawn()})
    assert len(PdfReader(io.BytesIO(made)).pages[0].images) == 1
    assert pages.picture_names("<img src=a.png><p><img src='b.png'><img src=a.png>") == ["a.png", "b.png"]


def test_merged_pdfs_have_all_pages_in_order() -> None:
    one, two = (pages.pdf_of_html(f"<p>{word}</p>") for word in ("first", "second"))
    merged = pdfs.merge_pdfs([one, two, one])
    assert [page.extract_text().strip() for page in PdfReader(io.BytesIO(merged)).pages] == ["first", "second", "first"]


def test_locked_and_damaged_pdfs_are_told() -> None:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    for content, why in ((out.getvalue(), "password"), (b"%PDF-1.7\njunk", "damaged"), (b"junk", "no PDF")):
        with pytest.raises(ProgramError, match=why):
            pdfs.text_of_pdf(content)


def test_qr_codes_are_read_back() -> None:
    assert images.read_codes(images.qr_code("https://example.com/заказ")) == [
        {"text": "https://example.com/заказ", "format": "QR Code"}
    ]
    assert images.read_codes(drawn()) == []


@pytest.mark.parametrize(("data", "side"), [("", 300), ("x" * 2001, 300), ("ж" * 2000, 300), ("x", 10), ("x", 99_999)])
def test_qr_codes_have_bounds(data: str, side: int) -> None:
    with pytest.raises(ProgramError):
        images.qr_code(data, side)


@pytest.mark.parametrize("ending", ["png", "jpg", "gif", "bmp", "webp", "tiff"])
def test_pictures_become_other_kinds(ending: str) -> None:
    made = converting.convert(drawn(), "png", ending)
    assert Image.open(io.BytesIO(made)).size == (40, 40)


def test_a_picture_of_too_many_pixels_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MOST_PIXELS", 1000)
    with pytest.raises(ProgramError, match="too large"):
        images.opened_image(drawn())


@pytest.mark.parametrize("content", [b"", b"junk", drawn()[:60], b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_what_is_no_picture_is_told(content: bytes) -> None:
    with pytest.raises(ProgramError, match="no picture"):
        images.opened_image(content)


@pytest.mark.parametrize("kind", ["bar", "line", "pie", "BAR", "donut"])
@pytest.mark.parametrize(
    "data",
    [
        {"a": 1, "b": 2},
        [1, 2, 3],
        [{"month": "Jan", "sales": "5", "cost": 2}, {"month": "Feb", "sales": 7, "cost": 1}],
        {"labels": ["x", "y"], "values": [1, 2]},
    ],
)
def test_charts(kind: str, data: Value) -> None:
    image = Image.open(io.BytesIO(drawing.chart(kind, data, "Продажи")))
    assert image.size == drawing.CHART
    assert len(image.convert("RGB").getcolors(100_000)) > 3


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("spiral", [1]), ("bar", []), ("bar", "x"), ("bar", ["x"]), ("pie", [0, 0]), ("pie", [-1, 2]),
        ("bar", {"labels": ["a"], "values": [1, 2]}), ("bar", list(range(500))),
    ],
)  # fmt: skip
def test_charts_of_nothing_are_told(kind: str, data: Value) -> None:
    with pytest.raises(ProgramError):
        drawing.chart(kind, data)


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_the_scale_of_a_chart_holds_all(one: float, two: float) -> None:
    low, high, step = drawing.scale(min(0.0, one, two), max(0.0, one, two))
    assert low <= min(0.0, one, two)
    assert high >= max(0.0, one, two)
    assert 1 <= round((high - low) / step) <= 12


def test_cards() -> None:
    for picture in (b"", drawn()):
        assert Image.open(io.BytesIO(drawing.card(picture, "Привет, мир", "dark"))).size == drawing.CARD
    with pytest.raises(ProgramError, match="too long"):
        drawing.card(b"", "word " * 5000)


def test_docx() -> None:
    body = (
        '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
        '<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Счёт {{number}}</w:t></w:r></w:p>'
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>b</w:t></w:r></w:p></w:tc>"
        "</w:tr></w:tbl></w:body></w:document>"
    )
    made = archive(("word/document.xml", body.encode()))
    assert words.text_of_docx(made) == "Счёт {{number}}\na\tb"
    assert "Счёт 7" in pdfs.text_of_pdf(converting.pdf_from_template(made, "docx", {"number": 7}, "", {}))
    for content in (archive(("x", b"")), archive(("word/document.xml", b"<!DOCTYPE a []><a/>")), b"junk"):
        with pytest.raises(ProgramError):
            words.text_of_docx(content)


@pytest.mark.parametrize(("source", "target"), [("mp3", "pdf"), ("csv", "png"), ("pdf", "docx"), ("zip", "csv")])
def test_what_cannot_be_converted_is_told(source: str, target: str) -> None:
    with pytest.raises(ProgramError, match="CONVERT cannot"):
        converting.convert(b"x", source, target)


@pytest.mark.parametrize(("source", "target"), [("md", "pdf"), ("md", "html"), ("txt", "pdf"), ("html", "txt")])
def test_texts_become_pages(source: str, target: str) -> None:
    made = converting.convert(b"# Hello\n\n**you** & <me>", source, target)
    assert b"Hello" in (made if target != "pdf" else pdfs.text_of_pdf(made).encode())
