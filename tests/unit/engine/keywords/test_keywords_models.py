"""Models: what is asked of them, what becomes of their answers; formulas and rules without one."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.engine.keywords.models.calculating import calculated
from services.engine.keywords.models.choosing import model_of
from services.engine.keywords.models.validating import validated
from services.engine.program.values import ProgramError, Value
from tests.unit.engine.keywords.words_stage import Stage, left_by, refused
from tests.unit.engine.scripts import NOON

pytestmark = pytest.mark.unit


@pytest.fixture
def stage() -> Stage:
    return Stage()


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
        "lambda: 1", "abs()", "round(1, 2, 3)", "1 if 1 else 2", "sqrt(-1)", "(-8) ^ 0.5", "1" * 2000, "True",
        "max(1, key=2)",
    ],
)  # fmt: skip
def test_what_is_no_formula(formula: str) -> None:
    with pytest.raises(ProgramError):
        calculated(lambda: NOON, formula)


@settings(max_examples=200, deadline=None)
@given(formula=st.text("0123456789+-*/%^(). xabs", max_size=30))
def test_a_formula_gives_a_number_or_an_error_of_the_script(formula: str) -> None:
    with contextlib.suppress(ProgramError):
        assert isinstance(calculated(lambda: NOON, formula, {"x": 2}), int | float)


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
