"""Turns whose worker dies at a boundary: words, variables and effects are those of a conversation without crashes."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from services.engine import turn as turns
from services.engine.machine import hot
from tests.integration.engine_turns.world import Crashes, TurnsWorld, together
from tests.unit.engine.test_engine_crashes import SIMPLE, nested

pytestmark = pytest.mark.integration
STATEMENTS = st.one_of(
    SIMPLE,
    st.just('a = LEN(SEND MAIL "ann@example.com", "s", "b ${a} ${b}")'),
    st.just('r = POST "https://example.com/orders", #{a: a}\nTALK "order ${r.id}"'),
    st.just('SET USER MEMORY "k", b'),
    st.just('c = LEN(GET USER MEMORY("k"))'),
    st.just('y = CALL "other.bas", a'),
    st.just("FOR h = 1 TO 60\na = (a + h) MOD 97\nNEXT"),
).map(lambda text: text.replace("WAIT 1", "WAIT 0.02"))
SCRIPTS = st.lists(st.recursive(STATEMENTS, nested, max_leaves=5), min_size=2, max_size=6).map("\n".join)
FRAME = """ON ERROR RESUME NEXT
a = 1
b = 2
c = 3
list = [1]
box = #{{count: 0}}
{body}
TALK "middle ${{a}} ${{b}} ${{c}} ${{list}} ${{box}}"
HEAR last
TALK "end ${{a}} ${{b}} ${{c}} ${{list}} ${{box}} ${{last}}"
HEAR nothing
FUNCTION twice(n)
  held = n + 1
  RETURN held + n
END FUNCTION
SUB show(n)
  FOR i = 1 TO 2
    TALK "show ${{n}} ${{i}}"
    HEAR z
  NEXT
END SUB
"""
OTHERS = {"other": 'TALK "other ${arg1}"\nm = SEND MAIL "bob@example.com", "s", "o ${arg1}"\nTALK m\nHEAR y\nRETURN y'}
ANSWERS = ["5", "one", "x", "7", "2", "many words", "3", "4"]
SAMPLE = """FOR i = 1 TO 2
TALK "before ${i}"
m = SEND MAIL "ann@example.com", "s", "number ${i}"
TALK m
r = POST "https://example.com/orders", #{i: i}
TALK "order ${r.id}"
HEAR word
TALK "heard ${word}"
m = SEND MAIL "ann@example.com", "s", "then ${word}"
HEAR next
TALK "heard ${next} after ${m}"
y = CALL "other.bas", i
ADD SUGGESTION "x" AS "X"
SET BOT MEMORY "k", i
WAIT 0.02
x = LLM "p" & word
CALL show(x)
NEXT"""


async def same_everywhere(world: TurnsWorld, source: str, *, singly: bool) -> None:
    """Without a crash, with one at every boundary of one conversation, and, singly, with one crash each."""
    straight = Crashes()
    wanted = await world.told(source, ANSWERS, straight, OTHERS)
    assert len(wanted.writes) == len({item[:2] for item in wanted.writes}) == wanted.receipts
    everywhere = Crashes(everywhere=True)
    assert await world.told(source, ANSWERS, everywhere, OTHERS) == wanted
    assert set(straight.passed) <= everywhere.died
    if singly:
        each = [Crashes(frozenset({label})) for label in dict.fromkeys(straight.passed)]
        for found in await together(*(world.told(source, ANSWERS, crashes, OTHERS) for crashes in each)):
            assert found == wanted


@pytest.fixture(autouse=True)
def soon_hot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops are written as functions from their second round on."""
    monkeypatch.setattr(hot, "HOT", 2)


async def test_a_crash_at_each_boundary_changes_nothing(world: TurnsWorld) -> None:
    await same_everywhere(world, FRAME.format(body=SAMPLE), singly=True)


QUIET = settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@QUIET
@given(body=SCRIPTS)
async def test_crashes_of_generated_programs_change_nothing(world: TurnsWorld, body: str) -> None:
    await same_everywhere(world, FRAME.format(body=body), singly=False)


async def test_without_the_journal_effects_are_done_again(world: TurnsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The safeguard off: the checks above see it."""
    monkeypatch.setattr(turns.TurnRunner, "_recorded", lambda *_: None)
    with pytest.raises(AssertionError, match="the journal has it"):
        await same_everywhere(world, FRAME.format(body=SAMPLE), singly=False)
