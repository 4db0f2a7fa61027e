"""The loop: one node after another, until the program must ask, sleep, have something done, or is over."""

import datetime
import time
from collections.abc import Callable, Mapping
from typing import Any

from services.engine.keywords.registry import registry
from services.engine.machine import validation, wording
from services.engine.machine.expressions import Scope, compiled
from services.engine.machine.loaded import Loaded
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
from services.engine.program.values import (
    ProgramError,
    Value,
    is_response,
    number_of,
    owned,
    put,
    text_of,
    truthy,
    weight,
)

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
    "PerformEffect",
    "Resume",
    "Say",
    "Sleep",
    "Step",
    "TimerFired",
    "TraceEvent",
]
ATTEMPTS = 3
LONGEST_WAIT = 300.0
DEEPEST = 200
LARGEST_STATE = 4 * 1_048_576
OVERSIGHTS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)


class BudgetError(ProgramError):
    """A budget is used up: no script may catch this."""


class Machine:
    """Runs the programs of one bot version. Stateless: all state is in the MachineState it is given."""

    def __init__(
        self,
        programs: Mapping[str, Program],
        budgets: Budgets | None = None,
        clock: Clock = lambda: datetime.datetime.now(datetime.UTC),
        on_trace: Callable[[TraceEvent], None] | None = None,
    ) -> None:
        self._programs = {name: Loaded(program) for name, program in programs.items()}
        self.budgets = budgets or Budgets()
        self.clock = clock
        self.on_trace = on_trace

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
        return Run(self, state).go(resume)


class Run:
    """One call of Machine.run."""

    def __init__(self, machine: Machine, state: MachineState) -> None:
        self.machine = machine
        self.state = state
        self.outputs: list[Say] = []
        self.scope = Scope(state.globals, machine.clock)
        self.locale = ""
        self._nodes = 0
        self._characters = 0
        self._deadline = time.thread_time() + machine.budgets.seconds  # a machine that stands still computes nothing
        self._code: dict[str, Any] = {}
        self._problem = ""

    # stops and resumption

    def go(self, resume: Resume) -> Step:
        """Apply what was waited for, then run."""
        try:
            outcome = self._resume(resume)
            outcome = self._bounded(outcome or self._loop())
        except ProgramError as error:
            outcome = self._fail(str(error), self._line())
        except OVERSIGHTS as error:
            outcome = self._fail(f"{type(error).__name__}: {error}", self._line())
        if isinstance(outcome, AskUser | Ended | Failed) and self.outputs:
            self.outputs[-1].suggestions += self.state.suggestions
            self.state.suggestions = []
        if self.state.over:
            self.state.globals = {}
        return Step(self.outputs, outcome)

    def _bounded(self, outcome: Outcome) -> Outcome:
        """What is written down has a size."""
        held = [self.state.globals, *(frame.locals for frame in self.state.frames), self.state.pending]
        if self.state.frames and sum(map(weight, held)) > LARGEST_STATE:
            raise BudgetError("the variables of the script are too large to be kept")
        return outcome

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
            return self._stored(node, resume.value)
        if isinstance(resume, EffectError):
            self.state.waiting = ""
            return self._caught(ProgramError(resume.message))
        return self._effect_request(node)

    def _answered(self, resume: Input) -> Outcome | None:
        node = self._node()
        try:
            value = self._understood(node, resume)
        except ProgramError as error:
            return self._caught(error)
        if value is None:
            self.state.attempts += 1
            if self.state.attempts >= ATTEMPTS:
                self.state.waiting, self.state.attempts = "", 0
                return self._caught(ProgramError(f"no answer of type {node['type']} after {ATTEMPTS} attempts"))
            self._say(self._expected(node))
            return AskUser()
        self.state.waiting, self.state.attempts = "", 0
        return self._stored(node, value)

    def _stored(self, node: Node, value: Value) -> Outcome | None:
        """What was waited for goes where the node says."""
        try:
            self._assign(node["into"], value)
        except ProgramError as error:
            return self._caught(error)
        self._advance(node)
        return None

    def _understood(self, node: Node, resume: Input) -> Value:
        said = resume.action or resume.text
        if node["type"] == "CHOICE":
            return validation.choose(self._options(node), said)
        return validation.heard(node["type"], said, list(resume.attachments), self.machine.clock())

    def _options(self, node: Node) -> list[str]:
        choices = self._evaluate("choices")
        if isinstance(choices, list) and len(choices) == 1 and isinstance(choices[0], list):
            choices = choices[0]
        return [text_of(item) for item in choices] if isinstance(choices, list) else [text_of(choices)]

    def _expected(self, node: Node) -> str:
        kind = validation.canonical(node["type"])
        kind = "FILE" if kind in validation.FILES else kind
        options = ", ".join(self._options(node)) if kind == "CHOICE" else ""
        self._offer(node)
        return wording.say("retry", self.locale, expected=wording.say(kind, self.locale, options=options))

    # the loop

    def _node(self) -> Node:
        """The node that runs next; its closures and the variables it sees are made ready."""
        frame = self.state.frames[-1]
        ready = self.machine.loaded(frame.program).nodes.get(frame.node)
        if ready is None:
            message = f"the script {frame.program} has no node {frame.node}"
            raise ProgramError(message)
        self.scope.locals = frame.locals
        self._code = ready[1]
        return ready[0]

    def _loop(self) -> Outcome:
        traced = self.machine.on_trace is not None
        while self.state.frames:
            outcome = self._traced() if traced else self._execute(self._node())
            if outcome is not None:
                return outcome
        return Ended()

    def _execute(self, node: Node) -> Outcome | None:
        try:
            self._spend()
            return HANDLERS[node["op"]](self, node)
        except ProgramError as error:
            return self._caught(error)
        except OVERSIGHTS as error:
            return self._caught(ProgramError(f"{node['op']}: {error}"))

    def _spend(self) -> None:
        self._nodes += 1
        if self._nodes > self.machine.budgets.nodes:
            raise BudgetError(f"the script ran {self.machine.budgets.nodes} steps without stopping: an endless loop?")
        if self._nodes % 64 == 0 and time.thread_time() > self._deadline:
            raise BudgetError(f"the script computed for {self.machine.budgets.seconds} seconds without stopping")

    def _traced(self) -> Outcome | None:
        """A node with its event."""
        node, frame, began = self._node(), self.state.frames[-1], time.perf_counter()
        place, said = frame.node, len(self.outputs)
        self._problem = ""
        outcome = self._execute(node)
        target = node.get("target") or node.get("into")
        output = None
        if isinstance(target, list) and target[0] == "var" and outcome is None:
            output = self.scope.read(target[1])
        texts = [item.text for item in self.outputs[said:]]
        event = TraceEvent(
            program=frame.program,
            node=place,
            op=node["op"],
            line=node["line"],
            input=outcome.arguments if isinstance(outcome, PerformEffect) else None,
            output=texts or output,
            milliseconds=(time.perf_counter() - began) * 1000,
            error=self._problem,
        )
        if self.machine.on_trace is not None:
            self.machine.on_trace(event)
        return outcome

    def _evaluate(self, name: str) -> Value:
        return self._code[name](self.scope)

    def _advance(self, node: Node, slot: str = "next") -> None:
        self.state.frames[-1].node = node[slot]

    def _assign(self, target: list[Any], value: Value) -> None:
        """Store a copy, except of what already stands there."""
        if target[0] == "var":
            name = target[1]
            if value is not self.scope.read(name) or not isinstance(value, list | dict):
                self.scope.write(name, owned(value))
            return
        container = compiled(target[1])(self.scope)
        key = compiled(target[2])(self.scope)
        if container is None:
            container = {} if isinstance(key, str) else []
            self._assign(target[1], container)
            container = compiled(target[1])(self.scope)
        put(container, key, value)

    # errors

    def _caught(self, error: ProgramError) -> Outcome | None:
        """To the handler nearest by, or the program is over."""
        line = self._line()
        self._problem = str(error)
        if isinstance(error, BudgetError):
            return self._fail(str(error), line)
        self.state.globals |= {
            "error": True,
            "error_message": str(error),
            "err": line or 1,
            "err_description": str(error),
        }
        while self.state.frames:
            frame = self.state.frames[-1]
            node = self._node()
            place = node.get("catch") or (frame.handlers.pop() if frame.handlers else None)
            if place is not None:
                frame.node = place[0]
                self.scope.write(place[1], str(error))
                return None
            if self.state.resume_next:
                self._step_over(node)
                return None
            self.state.frames.pop()
        return self._fail(str(error), line)

    def _step_over(self, node: Node) -> None:
        """ON ERROR RESUME NEXT: past the node that failed, out of a loop or branch that cannot be decided."""
        slot = next((name for name in ("done", "else", "next") if name in node), None)
        if slot is not None:
            self._advance(node, slot)
            return
        self.state.frames.pop()
        if self.state.frames:
            self._advance(self._node())

    def _line(self) -> int:
        try:
            return int(self._node()["line"]) if self.state.frames else 0
        except ProgramError:
            return 0

    def _fail(self, message: str, line: int = 0) -> Failed:
        self.state.frames.clear()
        self.state.waiting = ""
        return Failed(message, line)

    # nodes

    def _run_say(self, node: Node) -> None:
        self._say(text_of(self._evaluate("text")))
        self._advance(node)

    def _say(self, text: str, attachments: list[dict[str, str]] | None = None) -> None:
        self._characters += len(text)
        budgets = self.machine.budgets
        if len(self.outputs) >= budgets.messages or self._characters > budgets.characters:
            raise BudgetError(f"a turn may say {budgets.messages} messages of {budgets.characters} characters together")
        self.outputs.append(Say(text, attachments=attachments or []))

    def _run_ask(self, node: Node) -> Outcome:
        self.state.waiting = "message"
        self._offer(node)
        return AskUser()

    def _offer(self, node: Node) -> None:
        if node["type"] == "CHOICE":
            self.state.suggestions += [{"text": option, "value": option} for option in self._options(node)]

    def _run_set(self, node: Node) -> None:
        self._assign(node["target"], self._evaluate("value"))
        self._advance(node)

    def _run_branch(self, node: Node) -> None:
        for index, case in enumerate(node["cases"]):
            if truthy(self._evaluate(f"when{index}")):
                self.state.frames[-1].node = case["to"]
                return
        self._advance(node, "else")

    def _run_foreach(self, node: Node) -> None:
        items = self._evaluate("items")
        source = items if isinstance(items, list) else listed(items)
        position = int(number_of(self.scope.read(node["cursor"])))
        if position >= len(source):
            self._advance(node, "done")
            return
        self.scope.write(node["cursor"], position + 1)
        self.scope.write(node["item"], owned(source[position]))
        self._advance(node)

    def _run_jump(self, node: Node) -> None:
        self._advance(node)

    def _run_call(self, node: Node) -> None:
        frame = self.state.frames[-1]
        subroutine = self.machine.loaded(frame.program).program.subroutines[node["sub"]]
        if len(self.state.frames) >= DEEPEST:
            raise BudgetError(f"calls are {DEEPEST} deep: a SUB that calls itself without end?")
        values = [owned(self._evaluate(f"argument {index}")) for index in range(len(node["arguments"]))]
        padded = values + [None] * (len(subroutine.parameters) - len(values))
        own = dict(zip(subroutine.parameters, padded, strict=False))
        self.state.frames.append(Frame(frame.program, subroutine.entry, own, node["into"]))

    def _run_return(self, node: Node) -> Outcome | None:
        value = self._evaluate("value")
        finished = self.state.frames.pop()
        if not self.state.frames:
            return Ended(value)
        caller = self._node()
        if finished.into is not None:
            self._assign(finished.into, value)
        self._advance(caller)
        return None

    def _run_wait(self, node: Node) -> Outcome:
        seconds = min(max(0.0, float(number_of(self._evaluate("seconds")))), LONGEST_WAIT)
        self.state.waiting = "timer"
        self.state.until = self.machine.clock().timestamp() + seconds
        return Sleep(self.state.until)

    def _run_on_error(self, node: Node) -> None:
        frame = self.state.frames[-1]
        self.state.resume_next = node["mode"] == "resume"
        if node["mode"] == "goto":
            frame.handlers[:] = [(node["to"], "error_message")]
        elif node["mode"] == "off":
            frame.handlers.clear()
        self._advance(node)

    def _run_fail(self, node: Node) -> None:
        raise ProgramError(text_of(self._evaluate("message")))

    def _run_end(self, node: Node) -> Outcome:
        self.state.frames.clear()
        return Ended()

    def _run_effect(self, node: Node) -> Outcome | None:
        keyword = registry().get(node["keyword"])
        if keyword is None or keyword.needs:
            message = f"not available on this installation: {node['keyword']}"
            raise ProgramError(message)
        self.state.visits += 1
        self.state.waiting = "effect"
        return self._effect_request(node)

    def _effect_request(self, node: Node) -> PerformEffect:
        frame = self.state.frames[-1]
        return PerformEffect(
            node["keyword"], self._arguments(node), f"{frame.program}/{frame.node}/{self.state.visits}"
        )

    def _arguments(self, node: Node) -> dict[str, Value]:
        return {name: owned(self._evaluate(f"argument {name}")) for name in node["arguments"]}

    def _run_apply(self, node: Node) -> Outcome | None:
        keyword = registry().get(node["keyword"])
        if keyword is None or keyword.apply is None:
            message = f"not available on this installation: {node['keyword']}"
            raise ProgramError(message)
        return self._stored(node, keyword.apply(self.state, self._arguments(node)))

    def _run_run(self, node: Node) -> None:
        """Another script of the package, with the variables of this one; values for it are arg1, arg2, ..."""
        name = text_of(self._evaluate("value")).replace("\\", "/").rpartition("/")[2].removesuffix(".bas").lower()
        entry = self.machine.loaded(name).program.entry
        if len(self.state.frames) >= DEEPEST:
            raise BudgetError(f"calls are {DEEPEST} deep: a script that calls itself without end?")
        values = [owned(self._evaluate(f"argument {index}")) for index in range(len(node["arguments"]))]
        given = values[0] if len(values) == 1 and isinstance(values[0], dict) else {}
        self.state.globals |= {key.lower(): value for key, value in given.items()}
        self.state.globals |= {f"arg{index}": value for index, value in enumerate(values, 1)}
        self.state.frames.append(Frame(name, entry, {}, node["into"]))


def listed(value: Value) -> list[Value]:
    """What FOR EACH goes through when it is no list: keys of an object, the data of an answer, a single value."""
    if is_response(value):
        return value["data"] if isinstance(value["data"], list) else listed(value["data"])
    if isinstance(value, dict):
        return list(value)
    return [] if value is None or value == "" else [value]


Handler = Callable[[Run, Node], Outcome | None]
HANDLERS: dict[str, Handler] = {
    name.removeprefix("_run_"): handler for name, handler in vars(Run).items() if name.startswith("_run_")
}
