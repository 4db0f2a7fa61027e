"""Which words of a script reach which slot of a keyword of files."""

import pytest

from services.engine.keywords.registry import registry
from services.engine.machine import machine as m
from services.engine.program.values import Value
from tests.unit.engine.scripts import play

pytestmark = pytest.mark.unit
A, B = '"a.txt"', '"b.txt"'
FORMS: list[tuple[str, str, dict[str, Value]]] = [
    (f"x = READ {A}", "READ", {"file": "a.txt"}),
    (f"x = READ {A} AS TABLE", "READ", {"file": "a.txt", "kind": "TABLE"}),
    (f"x = read {A} as lines", "READ", {"file": "a.txt", "kind": "lines"}),
    (f'x = READ {A}, "Sheet" AS TABLE', "READ", {"file": "a.txt", "sheet": "Sheet", "kind": "TABLE"}),
    (f'x = READ("{"a.txt"}")', "READ", {"file": "a.txt"}),
    (f"WRITE {A}, 5", "WRITE", {"file": "a.txt", "content": 5}),
    (f"WRITE({A}, 5)", "WRITE", {"file": "a.txt", "content": 5}),
    (f"WRITE 5 TO {A}", "WRITE", {"file": "a.txt", "content": 5}),
    (f"c = 5\nWRITE c TO {A} APPEND", "WRITE", {"file": "a.txt", "content": 5, "mode": "APPEND"}),
    (f"WRITE [1] TO {A} AS LINES APPEND", "WRITE",
     {"file": "a.txt", "content": [1], "kind": "LINES", "mode": "APPEND"}),
    (f"WRITE [[1]] TO {A} AS TABLE", "WRITE", {"file": "a.txt", "content": [[1]], "kind": "TABLE"}),
    (f"COPY {A}, {B}", "COPY", {"source": "a.txt", "target": "b.txt"}),
    (f"COPY {A} TO {B}", "COPY", {"source": "a.txt", "target": "b.txt"}),
    (f"MOVE {A}, {B}", "MOVE", {"source": "a.txt", "target": "b.txt"}),
    (f"MOVE {A} TO {B}", "MOVE", {"source": "a.txt", "target": "b.txt"}),
    (f"DELETE FILE {A}", "DELETE FILE", {"file": "a.txt"}),
    (f"DELETE_FILE {A}", "DELETE FILE", {"file": "a.txt"}),
    ('x = LIST "r"', "LIST", {"folder": "r"}),
    ('x = LIST("r")', "LIST", {"folder": "r"}),
    ('x = DIR "r"', "LIST", {"folder": "r"}),
    ('x = LIST "r" FILTER "*.pdf"', "LIST", {"folder": "r", "pattern": "*.pdf"}),
    ('x = LIST "r" FILTER "*.pdf" RECURSIVE', "LIST RECURSIVE", {"folder": "r", "pattern": "*.pdf"}),
    ('x = LIST "r" RECURSIVE', "LIST RECURSIVE", {"folder": "r"}),
    ('x = LIST "r" RECURSIVE FILTER "*.pdf"', "LIST RECURSIVE", {"folder": "r", "pattern": "*.pdf"}),
    ('COMPRESS ["a"], "z.zip"', "COMPRESS", {"files": ["a"], "archive": "z.zip"}),
    ('COMPRESS ["a"] TO "z.zip"', "COMPRESS", {"files": ["a"], "archive": "z.zip"}),
    ('x = EXTRACT "z.zip", "d"', "EXTRACT", {"archive": "z.zip", "folder": "d"}),
    ('EXTRACT "z.zip" TO "d"', "EXTRACT", {"archive": "z.zip", "folder": "d"}),
    ('GENERATE PDF "t.md", {a: 1}, "o.pdf"', "GENERATE PDF", {"template": "t.md", "data": {"a": 1}, "out": "o.pdf"}),
    ('x = GENERATE PDF "o.pdf" WITH TEMPLATE "t.md" DATA {a: 1}', "GENERATE PDF",
     {"template": "t.md", "data": {"a": 1}, "out": "o.pdf"}),
    ('d = {a: 1}\nx = GENERATE_PDF("t.md", d, "o.pdf")', "GENERATE PDF",
     {"template": "t.md", "data": {"a": 1}, "out": "o.pdf"}),
    ('MERGE PDF ["a", "b"], "o.pdf"', "MERGE PDF", {"files": ["a", "b"], "out": "o.pdf"}),
    ('MERGE_PDF ["a", "b"] TO "o.pdf"', "MERGE PDF", {"files": ["a", "b"], "out": "o.pdf"}),
    ('CONVERT "a.md" TO "a.pdf"', "CONVERT", {"source": "a.md", "target": "a.pdf"}),
    ('CONVERT "a.md" TO pdf', "CONVERT", {"source": "a.md", "target": "pdf"}),
    ('CONVERT "a.md", "a.pdf"', "CONVERT", {"source": "a.md", "target": "a.pdf"}),
    ('x = QR CODE "d"', "QR CODE", {"data": "d"}),
    ('x = QRCODE "d", 200, "o.png"', "QR CODE", {"data": "d", "size": 200, "out": "o.png"}),
    ('x = SCAN BARCODE "p.png"', "SCAN BARCODE", {"image": "p.png"}),
    ('x = GENERATE SECURE LINK "a.pdf" EXPIRES 7 DAYS', "GENERATE SECURE LINK",
     {"file": "a.pdf", "amount": 7, "unit": "DAYS"}),
    ('x = GENERATE SECURE LINK "a.pdf"', "GENERATE SECURE LINK", {"file": "a.pdf"}),
    ('x = PARSE_CSV "a,b"', "PARSE_CSV", {"text": "a,b"}),
    ('CARD "i.png", "hi" TO v', "CARD", {"image": "i.png", "text": "hi"}),
    ('CARD "i.png", "hi", "dark", 3 TO v', "CARD", {"image": "i.png", "text": "hi", "style": "dark", "count": 3}),
    ('x = CHART "bar", [1, 2]', "CHART", {"kind": "bar", "data": [1, 2]}),
    ('x = CHART bar, [1, 2], "T"', "CHART", {"kind": "bar", "data": [1, 2], "title": "T"}),
    ('SEND FILE "a.pdf"', "SEND FILE", {"file": "a.pdf"}),
    ('SEND FILE "a.pdf", "hi"', "SEND FILE", {"file": "a.pdf", "caption": "hi"}),
    ('SEND FILE TO "ann", "a.pdf", "hi"', "SEND FILE TO", {"to": "ann", "file": "a.pdf", "caption": "hi"}),
    ('PLAY "a.mp4"', "PLAY", {"file": "a.mp4"}),
    ('PLAY "a.mp4" WITH OPTIONS "autoplay"', "PLAY", {"file": "a.mp4", "options": "autoplay"}),
    ('x = DOWNLOAD "https://e.com/a.csv", "in/a.csv"', "DOWNLOAD",
     {"source": "https://e.com/a.csv", "target": "in/a.csv"}),
    ('DOWNLOAD "a.pdf" TO "ann" AS "b.pdf"', "DOWNLOAD", {"source": "a.pdf", "target": "ann", "how": "b.pdf"}),
    ('x = DOWNLOAD "a.pdf" AS LINK', "DOWNLOAD", {"source": "a.pdf", "how": "LINK"}),
    ('DOWNLOAD "a.pdf" AS "b.pdf" AS LINK', "DOWNLOAD", {"source": "a.pdf", "how": "b.pdf", "also": "LINK"}),
    ('x = UPLOAD "files/1", "photos"', "UPLOAD", {"source": "files/1", "target": "photos"}),
    ('UPLOAD "files/1" TO "photos" AS "a.png"', "UPLOAD", {"source": "files/1", "target": "photos", "name": "a.png"}),
]  # fmt: skip


@pytest.mark.parametrize(("source", "keyword", "arguments"), FORMS)
def test_forms(source: str, keyword: str, arguments: dict[str, Value]) -> None:
    played = play(source)
    assert [(wanted.keyword, wanted.arguments) for wanted in played.effects] == [(keyword, arguments)]


@pytest.mark.parametrize("source", ['CARD "", "hi" TO v', 'CHART "bar", [1] TO v', 'v = CHART "bar", [1]'])
def test_the_result_goes_where_the_script_says(source: str) -> None:
    played = play(f"{source}\nTALK v", performer=lambda _: m.EffectResult({"formatted": "cards/1.png"}))
    assert played.said == ["cards/1.png"]


def test_a_result_may_go_into_a_field() -> None:
    played = play(
        'o = {}\nCARD "", "hi" TO o.card\nTALK o.card', performer=lambda _: m.EffectResult({"formatted": "1.png"})
    )
    assert played.said == ["1.png"]


def test_names_of_keywords_stay_names_of_variables() -> None:
    assert play('list = [1, 2]\ncopy = "c"\nchart = 5\nTALK UBOUND(list) + copy + chart').said == ["2c5"]


def test_all_of_them_can_be_performed() -> None:
    mine = [item for item in registry().by_name.values() if item.group == "files"]
    assert len(mine) >= 21
    assert all(item.perform is not None and item.permission for item in mine)
