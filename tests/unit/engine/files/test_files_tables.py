import io
import json

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.engine.files.documents import converting, csvs, sheets
from services.engine.files.documents.texts import decoded
from services.engine.program.values import ProgramError

pytestmark = pytest.mark.unit
CELL = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
# Excel itself has no control characters, and takes \r\n for one end of a line.
SHEET_CELL = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=12)
NAMES = st.lists(st.sampled_from(["name", "price", "=sum", "-x", "город", "a b"]), min_size=1, max_size=4, unique=True)
FORMULAS = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0", "'=1", "''=1", "\uff1d1", "-a"]


@st.composite
def tables(draw: st.DrawFn, cell: st.SearchStrategy[str]) -> list[dict[str, str]]:
    names = draw(NAMES)
    return draw(st.lists(st.fixed_dictionaries(dict.fromkeys(names, cell)), min_size=1, max_size=5))


@given(tables(CELL), st.sampled_from([",", ";", "\t"]))
def test_csv_reads_what_it_wrote(rows: list[dict[str, str]], mark: str) -> None:
    text = csvs.write_csv(rows, mark).decode()
    columns, cells = csvs.parse_csv(text, mark)
    assert [dict(zip(columns, row, strict=True)) for row in cells] == rows


@given(tables(CELL))
def test_nothing_a_script_writes_is_a_formula(rows: list[dict[str, str]]) -> None:
    for row in __import__("csv").reader(io.StringIO(csvs.write_csv(rows).decode(), newline="")):
        for cell in row:
            assert not cell.startswith(("=", "@", "\t", "\r")), cell
            assert not cell.startswith(("+", "-")) or csvs.NUMBER.fullmatch(cell), cell


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas_stay_text_and_come_back(formula: str) -> None:
    written = csvs.write_csv([{"a": formula, "b": "x"}])
    assert f"'{formula}" in written.decode()
    assert converting.read_rows(written, "csv") == [{"a": formula, "b": "x"}]
    book = sheets.write_xlsx([{"a": formula.strip()}])
    assert openpyxl.load_workbook(io.BytesIO(book)).active["A2"].data_type == "s"


@pytest.mark.parametrize("number", ["-5", "+5", "-1.5", "-1,5", "-1e3", "-5%", ".5"])
def test_numbers_are_left_alone(number: str) -> None:
    assert csvs.guarded(number) == number


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_mark_is_found_out(mark: str) -> None:
    text = f"name{mark}price\nTea, green{'' if mark != ',' else ' x'}{mark}1.50\n".replace("Tea, green", '"Tea, green"')
    assert csvs.mark_of(text) == mark
    assert csvs.parse_csv(text)[0] == ["name", "price"]


def test_columns_have_names_of_their_own() -> None:
    assert csvs.parse_csv("a,,a,a_2\n1,2,3,4\n")[0] == ["a", "column2", "a_2", "a_2_2"]


def test_rows_may_be_short_or_long() -> None:
    assert converting.read_rows(b"a,b\n1\n1,2,3\n\n", "csv") == [{"a": "1", "b": ""}, {"a": "1", "b": "2"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_with_a_mark(encoding: str) -> None:
    assert decoded("имя;цена\nчай;5\n".encode(encoding)) == "имя;цена\nчай;5\n"


def test_old_encodings_are_guessed() -> None:
    text = "Привет, это обычный русский текст, в котором достаточно слов для догадки о кодировке.\n" * 4
    assert decoded(text.encode("cp1251")) == text


def test_bytes_are_no_text() -> None:
    with pytest.raises(ProgramError, match="no text"):
        decoded(b"\x89PNG\x00\x00\xff\xfe\x80")


@settings(max_examples=25, deadline=None)
@given(tables(SHEET_CELL))
def test_xlsx_reads_what_it_wrote(rows: list[dict[str, str]]) -> None:
    rows = [{key: value.strip() or "-" for key, value in row.items()} for row in rows]
    assert converting.read_rows(sheets.write_xlsx(rows), "xlsx") == rows


def test_xlsx_keeps_numbers_and_dates() -> None:
    book = openpyxl.Workbook()
    for row in (["n", "when", "ok"], [1.5, __import__("datetime").datetime(2026, 3, 14), True]):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    assert converting.read_rows(out.getvalue(), "xlsx") == [{"n": 1.5, "when": "2026-03-14", "ok": True}]


@pytest.mark.parametrize("ending", ["csv", "tsv", "xlsx", "json"])
def test_rows_are_appended_under_their_columns(ending: str) -> None:
    there = converting.write_rows([{"a": "x", "b": "y"}], ending)
    made = converting.append_rows(there, {"b": "z", "c": "new"}, ending)
    found = converting.read_rows(made, ending)
    assert found[0]["a"] == "x"
    assert (found[1]["b"], found[1]["c"]) == ("z", "new")
    assert not found[1].get("a")


@pytest.mark.parametrize("ending", ["csv", "xlsx", "json"])
def test_every_table_becomes_every_other(ending: str) -> None:
    rows = [{"a": "x", "b": "y"}]
    for source in ("csv", "tsv", "xlsx", "json"):
        assert (
            converting.read_rows(converting.convert(converting.write_rows(rows, source), source, ending), ending)
            == rows
        )


@pytest.mark.parametrize(("content", "ending"), [(b"PK\x03\x04junk", "xlsx"), (b"junk", "xlsx"), (b"{", "json")])
def test_damaged_tables_are_told(content: bytes, ending: str) -> None:
    with pytest.raises(ProgramError):
        converting.read_rows(content, ending)


@pytest.mark.parametrize("data", ["text", 5, None])
def test_what_are_no_rows_is_told(data: object) -> None:
    with pytest.raises(ProgramError, match="expected rows"):
        csvs.write_csv(data)


def test_a_table_has_an_end() -> None:
    with pytest.raises(ProgramError, match="100,000"):
        csvs.read_csv(b"a\n" + b"1\n" * 100_001)


@given(st.binary(max_size=400))
def test_garbage_never_breaks_a_reader(content: bytes) -> None:
    for ending in ("csv", "xlsx", "json", "docx"):
        try:
            converting.read_rows(content, ending)
        except ProgramError:
            continue


def test_json_is_written_for_people() -> None:
    assert json.loads(converting.write_rows([{"город": "São Paulo"}], "json")) == [{"город": "São Paulo"}]
    assert "São" in converting.write_rows([{"город": "São Paulo"}], "json").decode()
