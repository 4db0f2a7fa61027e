import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.engine.basic.compiler import compile_basic
from services.engine.basic.lexer import Lexer
from tests.unit.engine.scripts import built, codes, diagnosed

pytestmark = pytest.mark.unit

TABLE = [
    ('TALK "open', 1, 6, "BAS102"),
    ("TALK (1 + 2", 1, 12, "BAS110"),
    ("IF TRUE THEN\nTALK 1", 1, 1, "BAS122"),
    ("TALK 1\nWEND", 2, 1, "BAS120"),
    ("FOR i = 1 TO 3\nTALK i\nWEND", 1, 1, "BAS122"),
    ("END IF", 1, 1, "BAS120"),
    ("GOTO nowhere", 1, 1, "BAS140"),
    ("here:\nhere:", 2, 1, "BAS142"),
    ("EXIT FOR", 1, 1, "BAS143"),
    ("WHILE TRUE\nEXIT DO\nWEND", 2, 1, "BAS143"),
    ("CONTINUE", 1, 1, "BAS143"),
    ("x = LENN(1)", 1, 5, "BAS145"),
    ("BEGIN TALK\nhello", 1, 1, "BAS104"),
    ('TALK "${1 +}"', 1, 6, "BAS112"),
    ("5 = x", 1, 1, "BAS123"),
    ("IF TRUE THEN\nSUB f()\nEND SUB\nEND IF", 2, 1, "BAS141"),
]


@pytest.mark.parametrize(("source", "line", "column", "code"), TABLE)
def test_what_is_wrong_and_where(source: str, line: int, column: int, code: str) -> None:
    found = [(item.line, item.column, item.code) for item in diagnosed(source) if item.severity == "error"]
    assert (line, column, code) in found
    assert compile_basic(source, "x.bas").program is None


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ("TALKK 1", "TALK"),
        ('HEARR "x"', "HEAR"),
        ("x = LENN(1)", "LEN"),
        ("SUB hello()\nEND SUB\nhelo()", "HELLO"),
        ("GOTO strat\nstart:", "START"),
    ],
)
def test_what_was_probably_meant(source: str, meant: str) -> None:
    assert f"did you mean {meant}?" in [item.suggestion for item in diagnosed(source)]


def test_all_errors_come_in_one_pass() -> None:
    source = 'TALKK "a"\nx = 1\ny = (2\nTALK "fine"\nz = )\nGOTO nowhere\nTALK 5'
    assert len({item.line for item in diagnosed(source)}) >= 3


@pytest.mark.parametrize(
    "prose",
    [
        "You are a helpful assistant of a shop.\nPlease answer the questions.\nAlways be polite.\nNever invent prices.",
        "Olá, este arquivo explica o bot.\nEle responde perguntas.\nTambém fala de prazos.\nO resto está no manual.",
    ],
)
def test_prose_is_one_diagnostic(prose: str) -> None:
    assert codes(prose) == ["BAS100"]


def test_a_script_with_one_strange_line_is_no_prose() -> None:
    assert codes('TALK "a"\nthis is no statement\nTALK "b"') == ["BAS125"]


def test_a_line_that_is_never_reached_is_a_warning() -> None:
    result = compile_basic("END\nTALK 1\nTALK 2", "x.bas")
    assert [(item.severity, item.code, item.line) for item in result.diagnostics] == [("warning", "BAS150", 2)]
    assert result.program is not None


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "(" * 5000 + "1" + ")" * 5000,
        "IF 1 THEN\n" * 3000,
        "x = " + "1 + " * 5000 + "1",
        "x = " + "-" * 5000 + "1",
        "x = " + "NOT " * 5000 + "1",
        "x = " + "[" * 5000,
        "x = a" + ".b" * 5000,
        "x = " + "9" * 5000,
        "x = 1e999",
        "x = " + "2 ^ " * 5000 + "2",
        'x = "' + "${" * 3000,
        'TALK "a" ' * 3000,
    ],
)
def test_what_is_too_deep_or_too_large_is_said_so(source: str) -> None:
    result = compile_basic(source, "x.bas")
    assert result.program is not None or result.diagnostics


def test_a_script_has_an_end() -> None:
    assert codes("TALK 1\n" * 200_000) == ["BAS100"]


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200))
def test_no_text_breaks_the_lexer(text: str) -> None:
    tokens = Lexer(text).run()
    assert tokens[-1].kind == "end"
    assert all(token.line >= 1 and token.column >= 1 for token in tokens)


WORDS = st.sampled_from(
    """IF THEN ELSE ELSEIF END FOR EACH NEXT WHILE WEND DO LOOP UNTIL SELECT CASE SUB FUNCTION CALL RETURN TALK
    HEAR AS TRY CATCH WITH SET GET
    BOT MEMORY ADD SUGGESTION x y 1 2.5 "t" 'q' "${ x ( ) [ ] { } #{ , . ; : = + - * / ^ < > <> & ? ?. \n \n \n IN TO
    STEP ON ERROR GOTO RESUME LLM FIND
    BEGIN NOT AND OR MOD DIM LET EXIT BREAK CONTINUE TABLE FORMAT SORT BY PARAM DESCRIPTION THROW LEN NOW""".split(" ")
)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=40).map(" ".join))
def test_no_words_break_the_compiler(text: str) -> None:
    result = compile_basic(text, "x.bas")
    assert (result.program is None) == any(item.severity == "error" for item in result.diagnostics)


def test_the_same_text_is_the_same_program() -> None:
    source = "FOR i = 1 TO 3\nTALK i\nNEXT\nSUB f()\nHEAR x\nEND SUB"
    assert built(source).digest() == built(source).digest()
    assert built(source).digest() != built(source + "\nTALK 1").digest()


def test_comments_are_kept_with_their_places() -> None:
    lexer = Lexer("TALK 1 ' one\nREM two\n// three")
    lexer.run()
    assert [(item.text, item.line, item.column) for item in lexer.comments] == [
        ("' one", 1, 8),
        ("REM two", 2, 1),
        ("// three", 3, 1),
    ]


@pytest.mark.parametrize(
    "line", ['TALK LLM("x" WITH MAX_LATENCY 9 9)', 'TALK name + "x" + ) y', "TALK UCASE(name", 'TALK "a" b']
)
def test_a_broken_value_after_talk_is_no_text_without_quotes(line: str) -> None:
    assert [item.severity for item in diagnosed(line)] == ["error"]


@pytest.mark.parametrize(
    "line", ["TALK Hello (friend), how are you?", 'TALK Say "yes" to go on', "TALK 24/7 - we are open"]
)
def test_text_without_quotes_is_still_text(line: str) -> None:
    assert diagnosed(line) == []
