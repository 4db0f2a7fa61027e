"""The machine: one node after another, until the program must ask, sleep, have something done, or is over."""

import datetime
import json
from collections.abc import Callable, Mapping
from copy import copy

from services.engine.hearing import kinds
from services.engine.machine import wording
from services.engine.machine.core import OVERSIGHTS, BudgetError
from services.engine.machine.expressions import compiled
from services.engine.machine.loaded import Loaded
from services.engine.machine.migrating import TEMPORARY
from services.engine.machine.nodes import Nodes
from services.engine.machine.outcomes import (
    AskUser,
    Budgets,
    Clock,
    EffectError,
    EffectResult,
    Ended,
    Failed,
    Input,
    Outcome,
    Paused,
    PerformEffect,
    Resume,
    Say,
    Sleep,
    Step,
    TimerFired,
    TraceEvent,
)
from services.engine.machine.state import Frame, MachineState
from services.engine.program.program import Node, Program
from services.engine.program.values import ProgramError, Value, text_of, weight

__all__ = [
    "AskUser",
    "Budgets",
    "EffectError",
    "EffectResult",
    "Ended",
    "Failed",
    "Input",
    "Machine",
    "Outcome",
    "Paused",
    "PerformEffect",
    "Resume",
    "Say",
    "Sleep",
    "Step",
    "TimerFired",
    "TraceEvent",
]
ATTEMPTS = 3
LOCALE = "hear-locale"
"""Where the language of a person is kept while an answer is converted."""
LARGEST_STATE = 4 * 1_048_576


class Machine:
    """Runs the programs of one bot version. Stateless: all state is in the MachineState it is given."""

    def __init__(
        self,
        programs: Mapping[str, Program],
        budgets: Budgets | None = None,
        clock: Clock = lambda: datetime.datetime.now(datetime.UTC),
        on_trace: Callable[[TraceEvent], None] | None = None,
        *,
        pretends: bool = False,
    ) -> None:
        self._programs = {name: Loaded(program) for name, program in programs.items()}
        self.budgets = budgets or Budgets()
        self.clock = clock
        self.on_trace = on_trace
        self.pretends = pretends

    @property
    def programs(self) -> dict[str, Program]:
        """The programs of the version, by name."""
        return {name: loaded.program for name, loaded in self._programs.items()}

    def traced(self, on_trace: Callable[[TraceEvent], None]) -> "Machine":
        """The same machine with every step told."""
        made = copy(self)
        made.on_trace = on_trace
        return made

    def start(self, program: str, variables: Mapping[str, Value] | None = None) -> MachineState:
        """The state before the first node. KeyError when there is no such program."""
        entry = self._programs[program].program.entry
        return MachineState(frames=[Frame(program, entry)], globals=dict(variables or {}))

    def loaded(self, name: str) -> Loaded:
        """A program. ProgramError when the version does not have it."""
        found = self._programs.get(name)
        if found is None:
            message = f"there is no script {name} in this version"
            raise ProgramError(message)
        return found

    def run(self, state: MachineState, resume: Resume = None) -> Step:
        """Go on from where the state stands. Running a state that waits, with None, gives the same wait again."""
        run = Run(self, state)
        step = run.go(resume)
        while isinstance(step, Paused):
            step = run.go_on()
        return step


class Run(Nodes):
    """One call of Machine.run."""

    # stops and resumption

    def go(self, resume: Resume, seconds: float = 0.0) -> Step | Paused:
        """Apply what was waited for, then run. seconds: Paused after so much time, 0 for never."""
        return self._ran(seconds, lambda: self._resume(resume) or self._loop())

    def go_on(self, seconds: float = 0.0) -> Step | Paused:
        """After Paused."""
        return self._ran(seconds, self._loop)

    def _ran(self, seconds: float, running: Callable[[], Outcome | Paused]) -> Step | Paused:
        self._begin_slice(seconds)
        try:
            found = running()
            if isinstance(found, Paused):
                self._end_slice()
                return found
            outcome = self._bounded(found)
        except ProgramError as error:
            outcome = self._fail(str(error), self._line())
        except OVERSIGHTS as error:
            outcome = self._fail(f"{type(error).__name__}: {error}", self._line())
        self._end_slice()
        if isinstance(outcome, AskUser | Ended | Failed) and self.outputs:
            self.outputs[-1].suggestions += self.state.suggestions
            self.state.suggestions = []
        if self.state.over:
            self.state.globals = {}
        return Step(self.outputs, outcome)

    def _bounded(self, outcome: Outcome) -> Outcome:
        """What is written down has a size."""
        self._tidy()
        held = [self.state.globals, *(frame.locals for frame in self.state.frames), self.state.pending]
        if self.state.frames and sum(map(weight, held)) > LARGEST_STATE:
            raise BudgetError("the variables of the script are too large to be kept")
        return outcome

    def _tidy(self) -> None:
        """Temporaries that nothing can ask for any more are not written down."""
        for frame in self.state.frames:
            own = self.state.globals if frame.locals is None else frame.locals
            kept = [name for name in own if name[0] == "$"]
            if kept:
                loaded = self.machine.loaded(frame.program)
                places = [frame.node, *(place for place, _ in frame.handlers), *frame.failed]
                needed = frozenset().union(*map(loaded.needed, places), TEMPORARY.findall(json.dumps(frame.into)))
                for name in kept:
                    if name not in needed:
                        del own[name]

    def _resume(self, resume: Resume) -> Outcome | None:
        if self.state.over:
            return Ended()
        if isinstance(resume, Input):
            self.locale = resume.locale
        waiting = self.state.waiting
        if waiting == "message" and isinstance(resume, EffectError):
            self.state.waiting, self.state.attempts = "", 0
            return self._caught(ProgramError(resume.message))
        if waiting == "message":
            return self._answered(resume) if isinstance(resume, Input) else AskUser()
        if waiting == "timer":
            return self._woken(resume)
        if waiting == "effect":
            return self._effected(resume)
        return None

    def _woken(self, resume: Resume) -> Outcome | None:
        until = self.state.until or 0.0
        if not isinstance(resume, TimerFired) and until > self.machine.clock().timestamp():
            return Sleep(until)
        self.state.waiting, self.state.until = "", None
        self._advance(self._node())
        return None

    def _effected(self, resume: Resume) -> Outcome | None:
        node = self._node()
        if isinstance(resume, EffectResult):
            self.state.waiting = ""
            self.state.settings |= resume.settings
            for said in resume.says:
                self._say(said.text, said.attachments)
            for scope, key, kept in resume.variables:
                self.state.keep(scope, key, kept)
            if node["op"] == "ask" and resume.value is None:
                self.locale = text_of(self.state.settings.get(LOCALE))
                return self._again(node)
            self.state.attempts = 0
            return self._stored(node, resume.value)
        if isinstance(resume, EffectError):
            self.state.waiting, self.state.attempts = "", 0
            return self._caught(ProgramError(resume.message))
        return self._conversion(node) if node["op"] == "ask" else self._effect_request(node)

    def _answered(self, resume: Input) -> Outcome | None:
        node = self._node()
        try:
            value = self._understood(node, resume)
        except ProgramError as error:
            return self._caught(error)
        if value is None:
            return self._again(node)
        if kinds.canonical(node["type"]) in kinds.CONVERTED:
            return self._converted(node, value)
        self.state.waiting, self.state.attempts = "", 0
        if node["type"] == "CHOICE":
            self.state.suggestions = []  # no message was there to offer them with, and now they are answered
        return self._stored(node, value)

    def _again(self, node: Node) -> Outcome | None:
        """What was said does not fit: asked for again, the third time it is an error."""
        self.state.attempts += 1
        if self.state.attempts >= ATTEMPTS:
            self.state.waiting, self.state.attempts = "", 0
            return self._caught(ProgramError(f"no answer of type {node['type']} after {ATTEMPTS} attempts"))
        self.state.waiting = "message"
        self._say(self._expected(node))
        return AskUser()

    def _converted(self, node: Node, value: Value) -> Outcome:
        """What was sent is turned into what the script gets: the variable holds it meanwhile."""
        self._assign(node["into"], value)
        self.state.settings[LOCALE] = self.locale
        self.state.waiting = "effect"
        self.state.visits += 1
        return self._conversion(node)

    def _conversion(self, node: Node) -> PerformEffect:
        frame = self.state.frames[-1]
        sent = compiled(node["into"])(self.scope)
        key = f"{frame.program}/{frame.node}/{self.state.visits}"
        return PerformEffect(kinds.CONVERTED[kinds.canonical(node["type"])], {"sent": sent}, key)

    def _understood(self, node: Node, resume: Input) -> Value:
        said = resume.action or resume.text
        if node["type"] == "CHOICE":
            return kinds.choose(self._options(node), said)
        return kinds.heard(node["type"], said, list(resume.attachments), self.machine.clock())

    def _expected(self, node: Node) -> str:
        kind = kinds.canonical(node["type"])
        options = ", ".join(self._options(node)) if kind == "CHOICE" else ""
        self._offer(node)
        return wording.say("retry", self.locale, expected=wording.say(kind, self.locale, options=options))
