"""A conversation on this machine: the real compiler and machine, memory in this process, everything else made up."""

import datetime
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from cli.authoring.package import Playable
from services.engine.keywords.keyword import Effect
from services.engine.keywords.memory.variables import Variables
from services.engine.keywords.registry import registry
from services.engine.keywords.world import Performed, World
from services.engine.machine import machine as m
from services.engine.machine.outcomes import Say, TraceEvent
from services.engine.machine.state import MachineState
from services.engine.program.parameters import parameters
from services.engine.program.values import ProgramError, Value, owned

MEMORY = "memory"
Pretend = Callable[[m.PerformEffect], m.EffectResult | m.EffectError]


@dataclass(slots=True)
class Acted:
    """A keyword that was asked for, and what it was told."""

    wanted: m.PerformEffect
    result: m.EffectResult | m.EffectError

    @property
    def writes(self) -> bool:
        """Whether it would change something outside."""
        keyword = registry().get(self.wanted.keyword)
        return keyword is None or keyword.effect is Effect.WRITE or bool(keyword.needs)


@dataclass(slots=True)
class Waited:
    """A wait that was skipped, in seconds."""

    seconds: float


Happening = Say | Acted | Waited | m.AskUser | m.Ended | m.Failed


class LocalVariables:
    """Memory of bot, person, session and channel, as long as the process lives."""

    def __init__(self, known: Mapping[str, Mapping[str, Value]] | None = None) -> None:
        self.kept = {(scope, key): value for scope, values in (known or {}).items() for key, value in values.items()}

    async def read(self, world: World, scope: str, key: str) -> Value:
        """A value; None when there is none."""
        return self.kept.get((scope, key))

    async def all(self, world: World, scope: str) -> dict[str, Value]:
        """All values of a scope."""
        return {key: value for (known, key), value in self.kept.items() if known == scope}


@dataclass(slots=True)
class Circumstances:
    """clock: where time begins; None is now. variables: before the first line; memory: by scope and key."""

    clock: datetime.datetime | None = None
    locale: str = "en"
    variables: Mapping[str, Value] = field(default_factory=dict)
    memory: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)
    on_trace: Callable[[TraceEvent], None] | None = None


class Stage:
    """One conversation with a script of a package."""

    def __init__(self, playable: Playable, script: str, pretend: Pretend, around: Circumstances) -> None:
        self._around = around
        self._passed = datetime.timedelta()
        self._pretend = pretend
        self._config = playable.config
        self.memory = LocalVariables(around.memory)
        self.machine = m.Machine(playable.programs, clock=self.now, on_trace=around.on_trace, pretends=True)
        self.state: MachineState = self.machine.start(script, parameters(playable.config) | dict(around.variables))

    def now(self) -> datetime.datetime:
        """The time of the conversation: waits pass at once."""
        return (self._around.clock or datetime.datetime.now(datetime.UTC)) + self._passed

    def go(self, said: str | None = None) -> Iterator[Happening]:
        """What happens up to the next question or the end; `said` answers the last question."""
        happened = list(self._steps(said))
        spoken = [item for item in happened if isinstance(item, Say)]
        if spoken and self.state.suggestions:
            spoken[-1].suggestions += self.state.suggestions
            self.state.suggestions = []
        return iter(happened)

    def _steps(self, said: str | None) -> Iterator[Happening]:
        resume: m.Resume = None if said is None else m.Input(said, locale=self._around.locale)
        while True:
            step = self.machine.run(self.state, resume)
            yield from step.outputs
            outcome = step.outcome
            if isinstance(outcome, m.PerformEffect):
                acted = Acted(outcome, self._performed(outcome))
                if not self._remembers(outcome):
                    yield acted
                resume = acted.result
            elif isinstance(outcome, m.Sleep):
                seconds = max(0.0, outcome.until - self.now().timestamp())
                self._passed += datetime.timedelta(seconds=seconds)
                yield Waited(seconds)
                resume = m.TimerFired()
            else:
                self._commit()
                yield outcome
                return

    def _commit(self) -> None:
        self.memory.kept |= {(str(scope), str(key)): value for scope, key, value in self.state.pending}
        self.state.pending = []

    def _remembers(self, wanted: m.PerformEffect) -> bool:
        keyword = registry().get(wanted.keyword)
        return keyword is not None and keyword.group == MEMORY and keyword.perform is not None

    def _performed(self, wanted: m.PerformEffect) -> m.EffectResult | m.EffectError:
        keyword = registry().get(wanted.keyword)
        if keyword is None or keyword.perform is None or not self._remembers(wanted):
            return self._pretend(wanted)
        world = World(
            tenant="",
            bot="bots/here",
            session="sessions/here",
            user="people/here",
            key=wanted.key,
            locale=self._around.locale,
            config=self._config,
            settings=self.state.settings,
            pending=tuple((str(scope), str(key), value) for scope, key, value in self.state.pending),
            clock=self.now,
            ports={Variables: self.memory},
            keyword=wanted.keyword,
        )
        return at_once(keyword.perform(world, wanted.arguments))


def at_once(performing: object) -> m.EffectResult | m.EffectError:
    """The result of a coroutine that waits for nothing. ProgramError becomes the script's error."""
    try:
        performing.send(None)  # type: ignore[attr-defined]
    except StopIteration as done:
        found = done.value
        value = found.value if isinstance(found, Performed) else found
        return m.EffectResult(owned(value))
    except ProgramError as error:
        return m.EffectError(str(error))
    performing.close()  # type: ignore[attr-defined]
    return m.EffectError("this keyword waits for something that is not here")
