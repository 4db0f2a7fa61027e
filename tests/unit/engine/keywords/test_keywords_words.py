"""Dialog, memory, knowledge, models, agents and leads: what each keyword does, with ports that remember what was asked."""

import asyncio
import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.engine.keywords.agents.company import ANSWERING, helper_for
from services.engine.keywords.agents.port import OtherBots
from services.engine.keywords.agents.publishing import Publisher
from services.engine.keywords.dialog.format import STANDARD, instructions, offered, switched
from services.engine.keywords.knowledge.port import Knowledge
from services.engine.keywords.memory.facts import seconds_of
from services.engine.keywords.memory.variables import Variables
from services.engine.keywords.models.calculating import calculated
from services.engine.keywords.models.choosing import model_of
from services.engine.keywords.models.port import Models
from services.engine.keywords.models.validating import validated
from services.engine.keywords.registry import registry
from services.engine.keywords.world import Performed, World
from services.engine.machine import machine as m
from services.engine.machine.state import MachineState
from services.engine.program.values import ProgramError, Value
from tests.unit.engine.scripts import NOON, built, play

pytestmark = pytest.mark.unit


@dataclass
class Memory:
    """Values of a person and a bot."""

    values: dict[tuple[str, str], Value] = field(default_factory=dict)

    async def read(self, _: World, scope: str, key: str) -> Value:
        return self.values.get((scope, key))

    async def all(self, _: World, scope: str) -> dict[str, Value]:
        return {key: value for (of, key), value in self.values.items() if of == scope}


@dataclass
class Library:
    """Documents and passages."""

    passages: list[dict[str, Value]] = field(default_factory=list)
    kept: list[dict[str, Value]] = field(default_factory=list)
    asked: list[tuple[str, list[str], int]] = field(default_factory=list)

    async def search(self, _: World, query: str, collections: Sequence[str], limit: int) -> list[dict[str, Value]]:
        self.asked.append((query, list(collections), limit))
        return self.passages

    async def documents(self, _: World, collection: str = "") -> list[dict[str, Value]]:
        return [item for item in self.kept if collection in {"", item["collection"]}]


@dataclass
class Oracle:
    """A model with an answer."""

    answer: str = "answer"
    asked: list[tuple[str, Any]] = field(default_factory=list)

    async def complete(self, _: World, prompt: str, options: Mapping[str, Value]) -> str:
        self.asked.append((prompt, dict(options)))
        return self.answer

    async def instruct(self, _: World, task: str, material: str) -> str:
        self.asked.append((task, material))
        return self.answer

    async def grounded(self, _: World, question: str, passages: Sequence[Mapping[str, Value]]) -> str:
        self.asked.append((question, list(passages)))
        return self.answer

    async def models(self, _: World) -> list[dict[str, Value]]:
        return [{"name": "a/b", "provider": "a", "default": True}]


@dataclass
class Company:
    """Other bots."""

    shared: list[tuple[str, str, Value]] = field(default_factory=list)

    async def ask(self, _: World, bot: str, message: str, seconds: float) -> str:
        if bot == "away":
            raise ProgramError("there is no bot away here, or nothing of it was published")
        return f"{bot} on {message} in {seconds:g}"

    async def share(self, _: World, bot: str, key: str, value: Value) -> None:
        self.shared.append((bot, key, value))

    async def memory(self, _: World, bot: str) -> dict[str, Value]:
        return {"of": bot, "price": 3}


@dataclass
class Herald:
    """Events."""

    told: list[tuple[str, Mapping[str, Value]]] = field(default_factory=list)

    async def publish(self, _: World, event: str, payload: Mapping[str, Value]) -> int:
        self.told.append((event, payload))
        return 2


@dataclass
class Stage:
    """Ports, and what keywords left behind."""

    memory: Memory = field(default_factory=Memory)
    library: Library = field(default_factory=Library)
    oracle: Oracle = field(default_factory=Oracle)
    company: Company = field(default_factory=Company)
    herald: Herald = field(default_factory=Herald)
    config: dict[str, str] = field(default_factory=dict)
    collections: tuple[str, ...] = ()
    settings: dict[str, Value] = field(default_factory=dict)
    now: datetime.datetime = NOON

    def world(self, keyword: str) -> World:
        """Where a keyword is performed."""
        return World(
            tenant="t",
            bot="bots/x",
            session="sessions/1",
            user="users/ana",
            key="k",
            config=self.config,
            collections=self.collections,
            settings=self.settings,
            clock=lambda: self.now,
            keyword=keyword,
            ports={
                Variables: self.memory,
                Knowledge: self.library,
                Models: self.oracle,
                OtherBots: self.company,
                Publisher: self.herald,
            },
        )

    def perform(self, wanted: m.PerformEffect) -> m.EffectResult | m.EffectError:
        """As the engine would; what is kept is there at once."""
        keyword = registry().get(wanted.keyword)
        assert keyword is not None
        assert keyword.perform is not None, wanted.keyword
        try:
            found = asyncio.run(keyword.perform(self.world(wanted.keyword), wanted.arguments))  # type: ignore[arg-type]
        except ProgramError as error:
            return m.EffectError(str(error))
        if not isinstance(found, Performed):
            return m.EffectResult(found)
        self.memory.values |= {(scope, key): value for scope, key, value in found.variables}
        return m.EffectResult(found.value, found.settings, found.says, found.variables)

    def say(self, source: str) -> list[str]:
        """What a script says."""
        played = play(source, performer=self.perform)
        assert isinstance(played.outcome, m.Ended), played.outcome
        return played.said


@pytest.fixture
def stage() -> Stage:
    return Stage()


def left_by(source: str) -> MachineState:
    """The state that a script of STATE keywords leaves."""
    machine = m.Machine({"script": built(source)}, clock=lambda: NOON)
    state = machine.start("script")
    step = machine.run(state)
    assert isinstance(step.outcome, m.Ended), step.outcome
    return state


def refused(source: str, stage_: Stage | None = None) -> str:
    """Why a script fails."""
    return play(source, performer=(stage_ or Stage()).perform).error


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
    [("30 days", 2_592_000), (2, 172_800), ("1 week", 604_800), ("12 hours", 43_200), ("10 dias", 864_000)]
    + [("1 mês", 2_592_000), ("2 años", 63_072_000), ("3 дня", 259_200), ("5 min", 300), ("forever", None)],
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


# models


def test_clauses_of_llm_reach_the_model(stage: Stage) -> None:
    stage.say('x = LLM "hi"\n  WITH OPTIMIZE FOR "speed"\n  WITH MAX_LATENCY 500')
    assert stage.oracle.asked == [("hi", {"optimize": "speed", "max_latency": 500})]


def test_a_clause_of_llm_that_means_nothing_is_an_error(stage: Stage) -> None:
    assert refused('x = LLM "hi" WITH OPTIMIZE FOR "fun"', stage) == (
        "LLM: OPTIMIZE FOR is speed, cost or quality, not 'fun'"
    )


@pytest.mark.parametrize(
    ("source", "answer", "said"),
    [
        ('x = CLASSIFY "my order is late", ["complaint", "praise"]', "Complaint.", "complaint"),
        ('x = CLASSIFY "late", "complaint, praise"', "praise", "praise"),
        ('x = SENTIMENT "great"', " Positive\n", "positive"),
        ('x = DECIDE "rain", ["walk", "bus"]', "I would take the bus.", "bus"),
        ('x = TRANSLATE "hi" TO "pt"', "olá", "olá"),
        ('x = REWRITE "hi"', "Hello.", "Hello."),
        ('x = SUMMARIZE "long", 5', "short", "short"),
        ('x = GENERATE CODE "a"', "```python\nprint(1)\n```", "print(1)"),
        ('x = POLISH MESSAGE "no"', "Sorry, no.", "Sorry, no."),
        ("r = AI SCORE LEAD #{a: 1}\nx = r.score", 'Here: {"score": 120, "grade": "A", "reason": "r"}', "100"),
        ('r = ANALYZE SENTIMENT session_id, "bad"\nx = r.overall', "negative", "negative"),
    ],
)
def test_what_a_model_makes_of_a_text(stage: Stage, source: str, answer: str, said: str) -> None:
    stage.oracle.answer = answer
    assert stage.say(f"{source}\nTALK x") == [said]


def test_a_category_that_is_none_is_an_error(stage: Stage) -> None:
    stage.oracle.answer = "both complaint and praise"
    assert "complaint, praise" in refused('x = CLASSIFY "t", ["complaint", "praise"]', stage)


@pytest.mark.parametrize("source", ['x = SUMMARIZE ""', 'x = CLASSIFY "a", "one"'])
def test_nothing_to_work_on_is_an_error(stage: Stage, source: str) -> None:
    assert refused(source, stage).startswith("expected ")
    assert stage.oracle.asked == []


CONFIG = {"llm-model": "usual", "model-fast": "small", "model-quality": "large"}


@pytest.mark.parametrize(
    ("used", "wanted", "optimize", "found"),
    [
        ("", "", "", "usual"),
        ("fast", "", "", "small"),
        ("code", "", "", "usual"),
        ("openai/x", "", "", "openai/x"),
        ("openai/x", "quality", "", "large"),
        ("openai/x", "", "speed", "small"),
        ("auto", "", "", "usual"),
    ],
)
def test_which_model_is_asked(used: str, wanted: str, optimize: str, found: str) -> None:
    assert model_of({"model": used}, CONFIG, wanted, optimize) == found


def test_models_of_a_conversation(stage: Stage) -> None:
    assert left_by('USE MODEL "fast"').settings == {"model": "fast"}
    assert left_by('USE MODEL "fast"\nSET MODEL ROUTING "auto"').settings == {"model-routing": "auto"}
    assert "fallback" in refused('SET MODEL ROUTING "fallback"')
    assert stage.say("TALK GET CURRENT MODEL()") == ["a/b"]


@pytest.mark.parametrize(
    ("formula", "variables", "result"),
    [
        ("1 + 2 * 3", None, 7),
        ("(1 + 2) ^ 2", None, 9),
        ("price * count", {"Price": 2.5, "count": 4}, 10),
        ("sqrt(16) + max(1, 2, 3)", None, 7),
        ("10 % 4", None, 2),
        ("-2 ^ 2", None, -4),
        ("=2/4", None, 0.5),
    ],
)
def test_formulas(formula: str, variables: Value, result: float) -> None:
    assert calculated(lambda: NOON, formula, variables) == result


@pytest.mark.parametrize(
    "formula",
    [
        "", "1 +", "1/0", "9^9^9^9", "(" * 600, "x", "__import__('os')", "().__class__", "[1 for x in y]", "'a' * 9",
        "lambda: 1", "abs()", "round(1, 2, 3)", "1 if 1 else 2", "sqrt(-1)", "(-8) ^ 0.5", "1" * 2000, "True", "max(1, key=2)",
    ],
)  # fmt: skip
def test_what_is_no_formula(formula: str) -> None:
    with pytest.raises(ProgramError):
        calculated(lambda: NOON, formula)


@settings(max_examples=200, deadline=None)
@given(formula=st.text("0123456789+-*/%^(). xabs", max_size=30))
def test_a_formula_gives_a_number_or_an_error_in_words(formula: str) -> None:
    try:
        assert isinstance(calculated(lambda: NOON, formula, {"x": 2}), int | float)
    except ProgramError as error:
        assert str(error).startswith(("CALCULATE", "the result is too large"))


@pytest.mark.parametrize(
    ("value", "rule", "kept"),
    [
        ("ana@example.com", "email", True),
        ("ana", "email", False),
        ("", "required", False),
        ("abc", "min:3|max:5", True),
        (7, "number|min:8", False),
        ("tea", "in:tea,coffee", True),
        ("a.pdf", "ends:.pdf", True),
        ("12345678", "length:8", True),
        ("2026-02-30", "date", False),
    ],
)
def test_rules(value: Value, rule: str, kept: bool) -> None:
    assert validated(lambda: NOON, value, rule) is kept


def test_a_rule_that_is_not_known_is_an_error() -> None:
    with pytest.raises(ProgramError, match="there is no rule 'sparkling'"):
        validated(lambda: NOON, "a", "sparkling")


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
