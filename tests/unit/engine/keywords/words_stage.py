"""A stage for keywords: ports that remember what was asked of them."""

import asyncio
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.engine.keywords.agents.port import OtherBots
from services.engine.keywords.agents.publishing import Publisher
from services.engine.keywords.knowledge.port import Knowledge
from services.engine.keywords.memory.variables import Variables
from services.engine.keywords.models.port import Models
from services.engine.keywords.registry import registry
from services.engine.keywords.world import Performed, World
from services.engine.machine import machine as m
from services.engine.machine.state import MachineState
from services.engine.program.values import ProgramError, Value
from tests.unit.engine.scripts import NOON, built, play


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
