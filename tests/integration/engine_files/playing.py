"""Scripts played against the real drive, with processes that really work on documents."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from services.engine.effects import journaled, replayed, result
from services.engine.files.port import Documents, Files
from services.engine.files.working import Workshop
from services.engine.keywords.registry import registry
from services.engine.machine import machine as m
from services.engine.machine.outcomes import Say
from services.engine.program.values import ProgramError, Value
from tests.integration.engine_files.conftest import Bot
from tests.unit.engine.scripts import machine_of, reborn


@dataclass
class Heard:
    """What came of a script."""

    says: list[Say] = field(default_factory=list)
    outcome: m.Outcome | None = None

    @property
    def texts(self) -> list[str]:
        return [item.text for item in self.says]

    @property
    def error(self) -> str:
        assert isinstance(self.outcome, m.Failed), self.outcome
        return self.outcome.message


@dataclass
class Player:
    """Plays scripts; each effect is done `times` times, as after crashes before the journal."""

    bot: Bot
    workshop: Workshop
    times: int = 1
    ports: dict[object, object] = field(default_factory=dict)

    async def play(
        self, source: str, answers: Sequence[m.Input] = (), variables: dict[str, Value] | None = None
    ) -> Heard:
        machine = machine_of(source)
        state, heard, left = machine.start("script", variables), Heard(), list(answers)
        resume: m.Resume = None
        while True:
            state = reborn(state)
            step = machine.run(state, resume)
            heard.says += step.outputs
            heard.outcome = step.outcome
            if isinstance(step.outcome, m.PerformEffect):
                resume = await self._perform(step.outcome)
            elif isinstance(step.outcome, m.AskUser) and left:
                resume = left.pop(0)
            else:
                return heard

    async def _perform(self, wanted: m.PerformEffect) -> m.EffectResult | m.EffectError:
        keyword = registry().get(wanted.keyword)
        assert keyword is not None
        assert keyword.perform is not None
        ports = {Files: self.bot.files, Documents: self.workshop, **self.ports}
        world = replace(self.bot.next(), ports=ports, keyword=keyword.name)
        try:
            for _ in range(self.times):
                found = replayed(journaled(result(await keyword.perform(world, wanted.arguments))))
        except ProgramError as error:
            return m.EffectError(str(error))
        return found
