"""Free answers: switches, tools of the model and of the person, other bots; with a worker that dies at every write."""

import itertools
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from parley.llm.v1 import llm_service_pb2 as llm_pb
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import session_pb2 as pb

from services.common.errors import NotFound
from services.engine.agent.answering import Answer, Question
from services.engine.basic.compiler import compile_basic
from services.engine.computing import Computing
from services.engine.machine import machine as m
from services.engine.machine.state import MachineState
from services.engine.program.program import Program
from services.engine.store import Release
from services.engine.tools.asking import asking
from services.engine.turn import Tools, TurnRunner
from tests.unit.engine.test_engine_runs import Died, Ledger, nothing_settings

pytestmark = pytest.mark.unit
SESSION = f"sessions/{uuid.uuid4()}"
BOOK = """PARAM who AS STRING DESCRIPTION "Whose table"
PARAM people AS INTEGER DESCRIPTION "How many come"
DESCRIPTION "Books a table."
SET BOT MEMORY "last", who
POST "https://example.com/book", who
RETURN "booked for ${who}, ${people}"
"""


def compiled(name: str, text: str) -> Program:
    """A script under its name."""
    found = compile_basic(text, f"{name}.bas").program
    assert found is not None
    return found


def call(name: str = "book", **arguments: Any) -> Answer:
    """A model that wants a tool called."""
    return Answer("", [], 0, [llm_pb.ToolCall(id="c1", name=name, arguments=json.dumps(arguments))])


def told(question: Question) -> Answer:
    """A model that repeats what tools gave, or what it was asked."""
    results = [item.text for item in question.exchange if item.role == llm_pb.ChatMessage.ROLE_TOOL]
    return Answer("; ".join(results) or f"{question.bot}: {question.text}", [], 0)


@dataclass
class Conversation:
    """A bot, its ledger, its model."""

    scripts: dict[str, str]
    model: Callable[[Question], Answer] = told
    ledger: Ledger = field(default_factory=Ledger)
    config: dict[str, str] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    performed: list[str] = field(default_factory=list)
    suggestions: list[list[str]] = field(default_factory=list)

    async def answer(self, question: Question, _: Callable[[int, str], None]) -> Answer:
        self.questions.append(question)
        return self.model(question)

    async def live(self, _: str, bot: str) -> str:
        return f"{bot}/versions/1"

    async def current(self, _: str, bot: str) -> Release:
        if bot == "bots/gone":
            raise NotFound("no such bot")
        return Release({}, {"llm-model": "theirs"}, f"You are {bot}.")

    async def moved(self, _: str, __: str, version: str, state: MachineState) -> tuple[str, MachineState]:
        return version, state

    async def machine(self, _: str, __: str) -> tuple[m.Machine, Release]:
        programs = {name: compiled(name, text) for name, text in self.scripts.items()}
        return m.Machine({**programs, **asking(programs)}), Release(programs, self.config, "You help.")

    async def perform(self, _: object, wanted: m.PerformEffect) -> m.EffectResult:
        self.performed.append(f"{wanted.keyword} {wanted.key}")
        return m.EffectResult(None)

    def publish(self, _: str, __: bytes) -> None:
        """Nobody listens."""

    async def say(self, text: str, seq: int = 1) -> list[str]:
        """What a message gives, whatever becomes of the workers."""
        before = len(self.ledger.replies)
        tools = Tools(nothing_settings(), self.ledger, self, self, self, self, self, Computing())  # type: ignore[arg-type]
        for _ in itertools.count():
            turn = self.ledger.turn(None, seq)
            turn.bot, turn.channel, turn.turn = "bots/b", "channels/web", seq
            turn.input.CopyFrom(pb.Message(seq=seq, text=text))
            try:
                await TurnRunner(tools, turn).run()
                break
            except Died:
                continue
        self.ledger.journal.clear()
        return list(self.ledger.replies.values())[before:]

    def state(self) -> MachineState:
        """Where the conversation stands."""
        return MachineState.from_bytes(self.ledger.state)

    def committed(self) -> ledger_pb.CommitTurnRequest:
        """The last commit."""
        return self.ledger.commits[-1]


def once(first: Answer) -> Callable[[Question], Answer]:
    """A model that calls a tool until it was told what came of it."""
    return lambda question: told(question) if question.exchange else first


START = 'USE TOOL "book"\nTALK "hi"'


@pytest.mark.parametrize("dies_after", [1, 2, 3, 4, 10_000])
async def test_a_tool_of_the_model_acts_once_wherever_the_worker_dies(dies_after: int) -> None:
    talk = Conversation({"start": START, "book": BOOK}, once(call(who="Ana", people="4")), Ledger(dies_after))
    assert await talk.say("a table please") == ["hi", "booked for Ana, 4"]
    assert len(talk.performed) == 1
    assert [change.key for change in talk.committed().variables] == ["last"]
    assert talk.state().history == [["user", "a table please"], ["bot", "booked for Ana, 4"]]
    assert "calling" not in talk.state().settings


async def test_the_model_is_offered_the_tools_of_the_conversation_and_told_of_mistakes() -> None:
    talk = Conversation({"start": START, "book": BOOK}, once(call(who="Ana", people="many")))
    assert await talk.say("a table") == ["hi", "book: people: expected a whole number, got 'many'"]
    assert [tool.name for tool in talk.questions[0].tools] == ["book"]
    assert talk.performed == []


async def test_a_tool_that_was_not_offered_is_not_run() -> None:
    talk = Conversation({"start": 'TALK "hi"', "book": BOOK}, once(call(who="Ana", people=4)))
    assert await talk.say("a table") == ["hi", "there is no tool book"]
    assert talk.performed == []


async def test_a_model_that_calls_without_end_is_ended() -> None:
    talk = Conversation({"start": START, "book": BOOK}, lambda _: call("nothing"))
    said = await talk.say("a table")
    assert len(talk.questions) == 4
    assert said[1].startswith("Something went wrong")


async def test_a_tool_that_speaks_for_itself_is_the_answer() -> None:
    talk = Conversation({"start": START, "book": 'DESCRIPTION "x"\nTALK "done by me"'}, lambda _: call())
    assert await talk.say("book") == ["hi", "done by me"]
    assert len(talk.questions) == 1


async def test_a_tool_that_asks_goes_on_with_the_next_message() -> None:
    book = 'DESCRIPTION "x"\nTALK "When?"\nHEAR day AS DATE\nRETURN "on ${day}"'
    talk = Conversation({"start": START, "book": book}, lambda _: call())
    assert await talk.say("book") == ["hi", "When?"]
    talk.ledger.said = len(talk.ledger.replies)
    assert await talk.say("2026-12-25", 2) == ["on 2026-12-25"]
    assert "calling" not in talk.state().settings


async def test_a_person_starts_a_tool_and_is_asked_for_what_it_needs() -> None:
    talk = Conversation({"start": 'ADD SUGGESTION TOOL "book" AS "Book"\nTALK "hi"', "book": BOOK})
    assert await talk.say("/book") == ["hi", "Whose table"]
    assert await talk.say("Ana", 2) == ["How many come"]
    assert await talk.say("4", 3) == ["booked for Ana, 4"]


async def test_what_was_not_offered_is_not_started_by_its_name() -> None:
    talk = Conversation({"start": 'TALK "hi"', "book": BOOK})
    assert await talk.say("/book") == ["hi", "bots/b: /book"]


async def test_a_switch_is_turned_and_told_to_the_model() -> None:
    talk = Conversation({"start": 'ADD SWITCHER "list" AS "List"\nTALK "hi"'})
    assert await talk.say("/switch list") == ["hi", "List: on"]
    await talk.say("hours?", 2)
    assert talk.questions[0].system_prompt == "You help.\nAnswer as a list with bullets."
    assert [item.text for item in talk.committed().replies[0].suggestions] == ["✓ List"]


async def test_a_helper_answers_from_its_own_prompt_and_model() -> None:
    talk = Conversation({"start": 'ADD BOT "billing" WITH TRIGGER "refund"\nUSE KB "own"\nTALK "hi"'})
    assert await talk.say("a refund") == ["hi", "bots/billing: a refund"]
    asked = talk.questions[0]
    assert (asked.system_prompt, asked.model, asked.collections) == ("You are bots/billing.", "theirs", [])
    assert await talk.say("hello", 2) == ["bots/b: hello"]


async def test_a_helper_that_is_gone_leaves_the_answer_to_this_bot() -> None:
    talk = Conversation({"start": 'TRANSFER CONVERSATION TO "gone"\nTALK "hi"'})
    assert await talk.say("hello") == ["hi", "bots/b: hello"]


async def test_the_script_says_how_the_model_is_to_answer_and_which_one() -> None:
    source = 'who = "Ana"\nBEGIN SYSTEM PROMPT\nYou talk to ${who}.\nEND SYSTEM PROMPT\nUSE MODEL "fast"\nTALK "hi"'
    talk = Conversation({"start": source}, config={"model-fast": "small", "language": "pt"})
    await talk.say("hello")
    assert talk.questions[0].system_prompt == "You help.\nYou talk to Ana."
    assert (talk.questions[0].model, talk.questions[0].locale) == ("small", "pt")
