import pytest

from services.engine.keywords.memory.variables import recall
from services.engine.keywords.world import World
from services.engine.machine import machine as m
from services.engine.program.values import ProgramError
from tests.unit.engine.scripts import play

pytestmark = pytest.mark.unit

TABLE = [
    ("x = 1\nx++\nx++\nx--\nTALK x", ["2"]),
    ("TALK 5--3", ["8"]),
    ('x = NULL\nTALK x ?? "none"\nx = 0\nTALK x ?? "none"', ["none", "0"]),
    ("DIM a, b AS ARRAY\nPUSH b, 1\nTALK UBOUND(b)", ["1"]),
    ("IF TRUE THEN ' don't\nTALK 1 ' it's\nEND IF", ["1"]),
    ("x = 5 REM five\nTALK x", ["5"]),
    ("TALK f(2)\nFUNCTION f(n AS INTEGER) AS INTEGER\nRETURN n * 2\nEND FUNCTION", ["4"]),
    ('text = "\none ""x""\n  two\n"\nTALK text\nTALK 2', ['one ""x""\n  two', "2"]),
    ('TRY\nTHROW "bad"\nCATCH e\nTALK e.message\nEND TRY', ["bad"]),
    (
        'ON ERROR GOTO w\nTALK 1\nTHROW "a"\nTALK 2\nTHROW "b"\nTALK 3\nEND\nw:\nTALK ERROR MESSAGE\nRESUME NEXT',
        ["1", "a", "2", "b", "3"],
    ),
    ("LET x = 1\nTALK x", ["1"]),
    ("SET x = 2\nTALK x", ["2"]),
    ("DIM x AS INTEGER\nx = 3\nTALK x", ["3"]),
    ("x = 1\nx += 2\nx -= 1\nTALK x", ["2"]),
    ("Name = 1\nTALK NAME", ["1"]),
    ('name$ = "a"\nTALK name$', ["a"]),
    ('o = {}\no.a = 1\no["b"] = 2\nTALK o.a + o.B', ["3"]),
    ("a = []\na[UBOUND(a)] = 5\na[0] = 6\nTALK a", ["6"]),
    ("a = [\n 1,\n 2\n]\nTALK a", ["1, 2"]),
    ('x = "a" +\n "b"\nTALK x', ["ab"]),
    ("IF 1 THEN\nTALK 1\nELSEIF 2 THEN\nTALK 2\nELSE\nTALK 3\nEND IF", ["1"]),
    ("IF 0 THEN\nTALK 1\nELSE IF 2 THEN\nTALK 2\nEND IF", ["2"]),
    ("if 0 then\ntalk 1\nelse\ntalk 3\nend if", ["3"]),
    ("IF 0 THEN TALK 1 ELSE TALK 2", ["2"]),
    ("FOR i = 1 TO 3\nTALK i\nNEXT i", ["1", "2", "3"]),
    ("FOR i = 3 TO 1 STEP -1\nTALK i\nNEXT", ["3", "2", "1"]),
    ("FOR i = 1 TO 0\nTALK i\nNEXT", []),
    ("FOR EACH x IN [1, 2] DO\nTALK x\nEND FOR", ["1", "2"]),
    ("FOR EACH x IN NULL\nTALK x\nNEXT x", []),
    ("FOR EACH k IN {a: 1}\nTALK k\nNEXT", ["a"]),
    ("FOR EACH x IN [1, 2, 3]\nIF x = 2 THEN CONTINUE\nTALK x\nNEXT", ["1", "3"]),
    ("FOR i = 1 TO 9\nIF i = 2 THEN EXIT FOR\nTALK i\nNEXT", ["1"]),
    ("WHILE i < 2\ni = i + 1\nTALK i\nWEND", ["1", "2"]),
    ("WHILE TRUE\nBREAK\nEND WHILE\nTALK 1", ["1"]),
    ("DO WHILE i < 1\ni = i + 1\nTALK i\nLOOP", ["1"]),
    ("DO UNTIL i = 1\ni = i + 1\nTALK i\nLOOP", ["1"]),
    ("DO\ni = i + 1\nTALK i\nLOOP WHILE i < 2", ["1", "2"]),
    ("DO\ni = i + 1\nTALK i\nLOOP UNTIL i = 2", ["1", "2"]),
    ("DO\ni = i + 1\nIF i > 2 THEN EXIT DO\nLOOP\nTALK i", ["3"]),
    ("SELECT CASE 2\nCASE 1\nTALK 1\nCASE 2, 3\nTALK 2\nCASE ELSE\nTALK 9\nEND SELECT", ["2"]),
    ("SELECT 7\nCASE 1 TO 5\nTALK 1\nCASE IS > 6\nTALK 2\nEND SELECT", ["2"]),
    ('SWITCH "b"\nCASE "a", "b"\nTALK 1\nDEFAULT\nTALK 2\nEND SWITCH', ["1"]),
    ("SWITCH 5\nCASE 1:\nTALK 1\nDEFAULT:\nTALK 2\nEND SWITCH", ["2"]),
    ("SUB f(a, b)\nTALK a + b\nEND SUB\nCALL f(1, 2)\nf(3, 4)", ["3", "7"]),
    ("FUNCTION f(a)\nRETURN a * 2\nEND FUNCTION\nTALK f(f(2))", ["8"]),
    ("x = 1\nSUB f\nx = 2\nEND SUB\nCALL f\nTALK x", ["2"]),
    ("SUB f(x)\nx = 9\nEND SUB\nx = 1\nCALL f(x)\nTALK x", ["1"]),
    ("SUB f(n)\nIF n = 0 THEN EXIT SUB\nTALK n\nCALL f(n - 1)\nEND SUB\nCALL f(2)", ["2", "1"]),
    ("FUNCTION fib(n)\nIF n < 2 THEN RETURN n\nRETURN fib(n - 1) + fib(n - 2)\nEND FUNCTION\nTALK fib(9)", ["34"]),
    ("GOTO there\nTALK 1\nthere:\nTALK 2", ["2"]),
    ("i = 0\nagain:\ni = i + 1\nIF i < 3 THEN GOTO again\nTALK i", ["3"]),
    ("FOR i = 1 TO 3\nIF i = 2 THEN GOTO out\nNEXT\nout:\nTALK i", ["2"]),
    ("TALK 1\nEND\nTALK 2", ["1"]),
    ("TALK 1\nSTOP\nTALK 2", ["1"]),
    ("TALK 1\nRETURN 5\nTALK 2", ["1"]),
    (
        "ON ERROR RESUME NEXT\nx = 1 / 0\nTALK ERR\nTALK ERROR MESSAGE\nCLEAR ERROR\nTALK ERR",
        ["2", "division by zero", "0"],
    ),
    ("ON ERROR GOTO bad\nx = 1 / 0\nTALK 1\nEND\nbad:\nTALK ERROR MESSAGE", ["division by zero"]),
    ('TRY\nTHROW "no"\nTALK 1\nCATCH e\nTALK e\nEND TRY\nTALK 2', ["no", "2"]),
    ('TRY\nCALL f()\nCATCH\nTALK "caught"\nEND TRY\nSUB f()\nRAISE "deep"\nEND SUB', ["caught"]),
    ('TRY\nTRY\nTHROW "a"\nCATCH e\nTHROW "b"\nEND TRY\nCATCH e\nTALK e\nEND TRY', ["b"]),
    ('TRY\nASSERT 1 = 2, "unequal"\nCATCH e\nTALK e\nEND TRY', ["unequal"]),
    ("WITH o\n.a = 1\nb = 2\nEND WITH\nTALK o.a + o.b", ["3"]),
    ("WAIT 1\nTALK 1", ["1"]),
    ('PRINT "x"\nLOG "info", "y"\nTALK 1', ["1"]),
    ("REM a\n' b\n// c\n# d\nTALK 1 ' e\nTALK 'it' // f", ["1", "it"]),
    ("TALK 1; TALK 2", ["1", "2"]),
    ("BEGIN TALK\n  Hello ${1 + 1},\n    - it's here\nEND TALK", ["Hello 2,\n  - it's here"]),
    ("TALK Good morning, everyone!\nTALK Don't worry", ["Good morning, everyone!", "Don't worry"]),
    ("BEGIN SYSTEM PROMPT\nBe kind.\nEND SYSTEM PROMPT\nTALK 1", ["1"]),
    ('PARAM a AS STRING LIKE "x" DESCRIPTION "what"\nDESCRIPTION "tool"\nTALK 1', ["1"]),
    ('r = LLM "hi" WITH OPTIMIZE FOR "speed"\nTALK r', ["model: hi"]),
    ('r = LLM "hi"\n  WITH MAX_COST 1\nTALK r', ["model: hi"]),
]


@pytest.mark.parametrize(("source", "said"), TABLE)
def test_what_a_statement_does(source: str, said: list[str]) -> None:
    played = play(source)
    assert played.said == said
    assert isinstance(played.outcome, m.Ended), played.outcome


@pytest.mark.parametrize(
    ("source", "change"),
    [
        ('SET BOT MEMORY "k", 1', ["bot", "k", 1]),
        ('SET BOT MEMORY "k" AS 1', ["bot", "k", 1]),
        ('SET_BOT_MEMORY "k", 1', ["bot", "k", 1]),
        ('SET USER MEMORY "k", 1', ["user", "k", 1]),
        ('SET USER FACT "k", 1', ["user", "k", 1]),
        ('SET "session.k", 1', ["session", "k", 1]),
        ('SET SESSION "k", 1', ["session", "k", 1]),
        ('SET SESSION session_id, "k", 1', ["session", "k", 1]),
        ('SET "user.k", 1', ["user", "k", 1]),
    ],
)
def test_memory_is_written_with_the_commit(source: str, change: list[object]) -> None:
    assert play(f"{source}\nHEAR x").pending == [change]


@pytest.mark.parametrize("form", ['GET BOT MEMORY("k")', 'GET BOT MEMORY "k"', 'GET_BOT_MEMORY("k")', 'GET "bot.k"'])
def test_memory_is_read_by_an_effect(form: str) -> None:
    asked = play(f"x = {form}")
    assert [(item.keyword, item.arguments) for item in asked.effects] == [("GET BOT MEMORY", {"key": "k"})]


async def test_memory_written_in_this_turn_is_read_before_it_is_committed() -> None:
    played = play('SET BOT MEMORY "k", 5\nSET BOT MEMORY "k", 6')
    world = World(
        tenant="t", bot="bots/b", session="sessions/s", user="u", key="k", pending=tuple(map(tuple, played.pending))
    )
    assert await recall(world, "bot", "k") == 6
    with pytest.raises(ProgramError, match="not available"):
        await recall(world, "user", "k")


@pytest.mark.parametrize(
    ("source", "chips"),
    [
        ('ADD SUGGESTION "a" AS "A"', ["A"]),
        ('ADD SUGGESTION "A"', ["A"]),
        ('ADD SUGGESTION TOOL "t" AS "A"', ["A"]),
        ('ADD SUGGESTION TEXT "v" AS "A"', ["A"]),
        ('ADD_SUGGESTION "a" AS "A"', ["A"]),
        ('ADD SUGGESTION "b"\nCLEAR SUGGESTIONS\nADD SUGGESTION "A"', ["A"]),
    ],
)
def test_suggestions_come_with_the_last_words(source: str, chips: list[str]) -> None:
    assert play(f'{source}\nTALK "x"\nHEAR y').suggestions == [chips]


LATER = [
    'CLICK "#buy"',
    'POST TO INSTAGRAM img, "new"',
    'TRANSFER TO HUMAN "sales"',
    'CREATE TASK "a", "b"',
    'WAIT FOR EVENT "e" TIMEOUT 5',
    'USE WEBSITE "https://x" REFRESH "1d"',
]


@pytest.mark.parametrize("source", LATER)
def test_what_is_not_here_yet_parses_and_can_be_caught(source: str) -> None:
    assert play(source).error.startswith("not available on this installation: ")
    played = play(f'TRY\n{source}\nCATCH e\nTALK e\nEND TRY\nTALK "on"')
    assert played.said[-1] == "on"
    assert played.said[0].startswith("not available")


def test_knowledge_and_context_are_part_of_the_state() -> None:
    from services.engine.machine.machine import Machine
    from tests.unit.engine.scripts import built

    source = 'USE KB "shop.gbkb"\nUSE_KB "other"\nCLEAR KB "other"\n'
    source += 'SET CONTEXT "tone" AS "kind"\nSET CONTEXT "plain"\nHEAR x'
    machine = Machine({"script": built(source)})
    state = machine.start("script")
    machine.run(state)
    assert state.collections == ["shop"]
    assert state.context == {"tone": "kind", "plain": "plain"}
