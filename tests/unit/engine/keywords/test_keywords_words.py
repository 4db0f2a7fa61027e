"""Dialog, memory, knowledge, agents and leads: what each keyword does."""

import dataclasses
import datetime

import pytest

from services.engine.keywords.agents.company import ANSWERING, helper_for
from services.engine.keywords.dialog.format import STANDARD, instructions, offered, switched
from services.engine.keywords.memory.facts import seconds_of
from services.engine.program.values import ProgramError, Value
from tests.unit.engine.keywords.words_stage import Stage, left_by, refused
from tests.unit.engine.scripts import NOON, built, play

pytestmark = pytest.mark.unit


@pytest.fixture
def stage() -> Stage:
    return Stage()


# memory


def test_what_is_remembered_for_days_is_gone_after_them(stage: Stage) -> None:
    assert stage.say('REMEMBER "Size", 42, "30 days"\nTALK RECALL "size"') == ["42"]
    stage.now += datetime.timedelta(days=31)
    assert stage.say('x = RECALL "size"\nIF x IS NULL THEN TALK "gone"') == ["gone"]
    assert stage.memory.values[("user", "remember:size")] is None


def test_what_is_remembered_for_ever_stays(stage: Stage) -> None:
    stage.say('REMEMBER "size", 42, "forever"\nREMEMBER "tea" AS "green"')
    stage.now += datetime.timedelta(days=9999)
    assert stage.say('TALK RECALL "size"\nTALK RECALL("tea")') == ["42", "green"]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("30 days", 2_592_000),
        (2, 172_800),
        ("1 week", 604_800),
        ("12 hours", 43_200),
        ("10 dias", 864_000),
        ("1 mês", 2_592_000),
        ("2 años", 63_072_000),
        ("3 дня", 259_200),
        ("5 min", 300),
        ("forever", None),
    ],
)
def test_how_long(said: Value, seconds: float | None) -> None:
    assert seconds_of(said) == seconds


@pytest.mark.parametrize("said", ["soon", "", "-3 days", "3 parsecs", "9" * 30 + " days"])
def test_what_is_no_duration(said: str) -> None:
    with pytest.raises(ProgramError):
        seconds_of(said)


def test_facts_of_a_person_are_listed_and_forgotten(stage: Stage) -> None:
    stage.memory.values = {("user", "city"): "Lisbon", ("bot", "price"): 3}
    assert stage.say('REMEMBER "size", 42\nf = USER FACTS()\nTALK TOJSON(f)') == ['{"city": "Lisbon", "size": 42}']
    assert stage.say("TALK CLEAR USER MEMORY") == ["2"]
    assert stage.say("TALK TOJSON(USER FACTS())") == ["{}"]
    assert stage.memory.values[("bot", "price")] == 3


# knowledge


def test_thinking_gives_passages_a_summary_and_how_sure(stage: Stage) -> None:
    stage.collections = ("handbook",)
    stage.library.passages = [{"text": "two years", "score": 0.91}, {"text": "none", "score": 0.4}]
    said = stage.say('r = THINK KB "guarantee"\nTALK r.summary\nTALK r.confidence\nTALK r.results.length')
    assert said == ["answer", "0.91", "2"]
    assert stage.library.asked == [("guarantee", ["handbook"], 5)]


def test_where_nothing_is_found_no_model_is_asked(stage: Stage) -> None:
    assert stage.say('r = THINK KB "guarantee"\nTALK r.confidence\nTALK "[${r.summary}]"') == ["0", "[]"]
    assert stage.oracle.asked == []


DAY = 86_400
NOW = NOON.timestamp()
SHELF = [
    {"collection": "a", "state": "live", "chunks": 3, "created": NOW - 10 * DAY, "changed": NOW - DAY},
    {"collection": "a", "state": "failed", "chunks": 0, "created": NOW - DAY, "changed": NOW - DAY},
    {"collection": "b", "state": "queued", "chunks": 1, "created": NOW - 40 * DAY, "changed": NOW - 9 * DAY},
]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("KB DOCUMENTS COUNT", "3"),
        ('KB DOCUMENTS COUNT "a"', "2"),
        ("KB DOCUMENTS ADDED SINCE 7", "1"),
        ("KB DOCUMENTS ADDED SINCE 30", "2"),
        ("TOJSON(KB LIST COLLECTIONS)", '["a", "b"]'),
    ],
)
def test_how_much_is_known(stage: Stage, expression: str, said: str) -> None:
    stage.library.kept = list(SHELF)
    assert stage.say(f"x = {expression}\nTALK x") == [said]


def test_statistics_of_all_and_of_one(stage: Stage) -> None:
    stage.library.kept = list(SHELF)
    source = 's = KB STATISTICS\nTALK "${s.documents} ${s.live} ${s.failed} ${s.waiting} ${s.chunks}"'
    assert stage.say(source) == ["3 1 1 1 4"]
    assert stage.say('s = KB COLLECTION STATS "b.gbkb"\nTALK "${s.name} ${s.documents}"') == ["b 1"]


@pytest.mark.parametrize("form", ['USE KB "Handbook.gbkb"', "USE KB handbook", 'ADD_KB "handbook"', "SET_KB handbook"])
def test_a_collection_is_used_by_its_name(form: str) -> None:
    assert left_by(form).collections == ["handbook"]


@pytest.mark.parametrize(("form", "kept"), [("CLEAR KB", []), ("CLEAR KB ALL", []), ('CLEAR KB "a"', ["b"])])
def test_collections_are_cleared(form: str, kept: list[str]) -> None:
    assert left_by(f'USE KB "a"\nUSE KB "b"\n{form}').collections == kept


def test_a_web_site_is_declared_kept_and_said_to_be_missing() -> None:
    source = 'ON ERROR RESUME NEXT\nUSE WEBSITE "https://example.com" REFRESH "1w"\nTALK ERROR MESSAGE'
    assert built(source).declarations == [
        {"kind": "website", "address": "https://example.com", "refresh": "1w", "line": 2}
    ]
    assert play(source).said == ["not available on this installation: USE WEBSITE, pages of web sites are not read yet"]
    assert left_by(source).settings["websites"] == {"https://example.com": {"interval": "1w"}}


# agents


def test_another_bot_is_asked(stage: Stage) -> None:
    assert stage.say('a = DELEGATE "price?" TO BOT "Billing" TIMEOUT 30\nTALK a') == ["billing on price? in 30"]
    assert stage.say('TALK DELEGATE("price?", "billing")') == ["billing on price? in 45"]


def test_all_bots_are_asked_and_one_that_is_not_there_says_so(stage: Stage) -> None:
    stage.settings = {"bots": {"stock": {}, "away": {}}}
    said = stage.say('r = BROADCAST "who?" TO BOTS\nTALK r[0].answer\nTALK r[1].error')
    assert said == ["stock on who? in 45", "there is no bot away here, or nothing of it was published"]
    assert "ADD BOT first" in refused('r = BROADCAST "who?" TO BOTS')


def test_steps_branches_and_conditions(stage: Stage) -> None:
    source = """
ORCHESTRATE WORKFLOW "orders"
STEP 1: BOT "stock" "count"
STEP 2: PARALLEL
  BRANCH A: BOT "legal" "check"
  BRANCH B: TALK "between"
END PARALLEL
STEP 3: BOT "never" "x" IF 1 = 2
STEP 4: TALK "end"
"""
    played = play(source, performer=stage.perform)
    assert played.said == ["between", "end"]
    assert [item.arguments["bot"] for item in played.effects] == ["stock", "legal", "never"]


def test_memory_is_shared_and_taken(stage: Stage) -> None:
    stage.memory.values = {("bot", "price"): 20}
    stage.say('BOT SHARE MEMORY "price" WITH "sales"')
    assert stage.company.shared == [("sales", "price", 20)]
    assert stage.say('TALK BOT SYNC MEMORY FROM "sales"') == ["2"]
    assert stage.memory.values[("bot", "price")] == 3
    assert "keeps nothing called x" in refused('BOT SHARE MEMORY "x" WITH "sales"')


@pytest.mark.parametrize(
    ("source", "text", "helper"),
    [
        ('ADD BOT "billing" WITH TRIGGER "refund, invoice"', "my Invoice is wrong", "billing"),
        ('ADD BOT "billing" TRIGGER ON "refund"', "hello", ""),
        ('ADD BOT "a" TRIGGER "tea"\nADD BOT "b" TRIGGER "tea"\nSET BOT PRIORITY "b", 5', "tea!", "b"),
        ('TRANSFER CONVERSATION TO "billing"', "hello", "billing"),
        ("DELEGATE TO BOT billing", "hello", "billing"),
        ('ADD BOT "billing" TRIGGER "tea"\nDELEGATE TO "billing"\nREMOVE BOT "billing"', "tea", ""),
    ],
)
def test_who_answers_a_free_question(source: str, text: str, helper: str) -> None:
    assert helper_for(left_by(source).settings, text) == helper


def test_a_bot_with_a_schedule_is_not_taken_silently() -> None:
    assert "SET SCHEDULE" in refused('ADD BOT "a" SCHEDULE "daily"')
    assert ANSWERING not in left_by('ADD BOT "a"').settings


def test_an_event_is_told_with_its_fields(stage: Stage) -> None:
    assert stage.say('TALK PUBLISH EVENT("order", #{id: 7})') == ["2"]
    stage.say('PUBLISH EVENT "done"')
    assert stage.herald.told == [("order", {"event": "order", "id": 7}), ("done", {"event": "done"})]


# leads


def test_leads_are_scored_kept_and_changed(stage: Stage) -> None:
    assert stage.say('TALK SCORE LEAD(#{email: "a@example.com", title: "CEO", budget: 5000})') == ["55"]
    assert stage.say('TALK SCORE LEAD(#{source: "web", size: 3}, #{source: #{web: 5}, size: 10})') == ["15"]
    assert stage.say('TALK UPDATE LEAD SCORE("Ana", 30, "asked")\nTALK GET LEAD SCORE("ana")') == ["30", "30"]
    assert stage.say('TALK UPDATE LEAD SCORE("ana", 90)') == ["100"]
    assert stage.memory.values[("bot", "lead_reason:ana")] == "asked"


# dialog


def test_switches_are_offered_turned_and_told_to_the_model() -> None:
    settings_ = left_by('ADD SWITCHER "tables" AS "Tables"\nADD SWITCHER "Rhyme." AS "Poet"').settings
    assert offered(settings_)[0] == {"text": "Tables", "value": "/switch tables"}
    assert instructions(settings_) == []
    assert switched(settings_, "/switch tables") == {
        "id": "tables",
        "prompt": STANDARD["tables"],
        "label": "Tables",
        "on": True,
    }
    assert instructions(settings_) == [STANDARD["tables"]]
    assert offered(settings_)[0]["text"] == "✓ Tables"
    assert switched(settings_, "/switch none") is None
    assert switched(settings_, "tables") is None


@pytest.mark.parametrize("name", sorted(STANDARD))
def test_the_standard_switches(name: str) -> None:
    assert left_by(f'ADD SWITCHER "{name}" AS "x"').settings["switchers"][0]["prompt"] == STANDARD[name]
    assert len(STANDARD) == 8


@pytest.mark.parametrize("form", ["CLEAR SWITCHERS", 'CLEAR SWITCHER "tables"'])
def test_switches_are_taken_away(form: str) -> None:
    assert offered(left_by(f'ADD SWITCHER "tables"\n{form}').settings) == []


def test_how_answers_look() -> None:
    source = 'SET ANSWER MODE "document"\nSET MAX LINES 5\nSET PAGE MODE "compact"'
    told = instructions(left_by(source).settings)
    assert told[0].startswith("Answer only from the documents")
    assert told[1:] == ["Answer in at most 5 lines.", "The page shows answers in the mode compact."]
    assert refused('SET ANSWER MODE "sql"') == "not available on this installation: SET ANSWER MODE sql"
    assert "expected one of" in refused('SET ANSWER MODE "x"')


def test_suggestions_say_what_they_stand_for() -> None:
    source = (
        'ADD SUGGESTION TEXT "order 2" AS "The usual"\nADD SUGGESTION "ctx" AS "Hours?"\n'
        'ADD SUGGESTION TOOL ".gbdialog/Book-Table.bas" AS "Book"\nADD SUGGESTION "Hours?"'
    )
    state = left_by(source)
    assert state.suggestions == [
        {"text": "The usual", "value": "order 2"},
        {"text": "Hours?", "value": "Hours?"},
        {"text": "Book", "value": "/book-table"},
    ]
    assert state.settings["offered-tools"] == ["book-table"]


def test_tools_of_a_conversation() -> None:
    source = (
        'USE TOOL ".gbdialog/A.bas"\nADD_TOOL "b"\nADD TOOL c\nUSE TOOL "d", "a"\nREMOVE TOOL "b"\nx = LIST TOOLS()'
    )
    state = left_by(source)
    assert state.settings["tools"] == ["a", "c", "d"]
    assert left_by('USE TOOL "a"\nCLEAR TOOLS').settings == {}


def test_who_the_person_is_said_to_be() -> None:
    assert play('SET USER "Ana", "ana@example.com", "7"\nTALK "${username} ${user.email} ${user_id}"').said == [
        "Ana ana@example.com 7"
    ]


def test_the_system_prompt_is_filled_in_when_it_is_reached() -> None:
    source = 'who = "Ana"\nBEGIN SYSTEM PROMPT\nYou talk to ${who}.\nEND SYSTEM PROMPT'
    assert left_by(source).settings["system-prompt"] == "You talk to Ana."
    assert dataclasses.replace(built(source)).system_prompt == "You talk to ${who}."


def test_lines_of_operation_go_to_the_log() -> None:
    state = left_by('RECORD METRIC "orders", 2\nAUDIT LOG "refund", 17')
    assert state.printed == ["METRIC orders 2", "AUDIT refund 17"]
    assert "expected a number" in refused('RECORD METRIC "orders", "many"')


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ('SET CONTEXT "a" AS STR_REPEAT("x", 40000)', "SET CONTEXT: 64 texts"),
        ('FOR i = 1 TO 70\nSET CONTEXT "c${i}" AS "x"\nNEXT', "SET CONTEXT: 64 texts"),
        ('SET SYSTEM PROMPT STR_REPEAT("x", 70000)', "a system prompt may have"),
        ('FOR i = 1 TO 70\nUSE KB "c${i}"\nNEXT', "a conversation may use 64 collections"),
        ('FOR i = 1 TO 200\nUSE TOOL "c${i}"\nNEXT', "a conversation may have 128 tools"),
        ('FOR i = 1 TO 40\nADD BOT "c${i}"\nNEXT', "a conversation may have 32 bots"),
        ('ADD BOT "a" WITH TRIGGER STR_REPEAT("x", 300)', "ADD BOT: expected at most 100 words"),
        ('FOR i = 1 TO 40\nADD SWITCHER "c${i}"\nNEXT', "ADD SWITCHER: expected"),
    ],
)
def test_what_a_conversation_keeps_is_bounded(source: str, problem: str) -> None:
    assert refused(source).startswith(problem)
