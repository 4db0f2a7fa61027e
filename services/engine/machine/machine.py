"""The loop: one node after another, until the program must ask, sleep, have something done, or is over."""

import datetime
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.engine.keywords import registry
from services.engine.machine import validation, wording
from services.engine.machine.expressions import Evaluate, Scope, compiled
from services.engine.machine.state import Frame, MachineState
from services.engine.machine.values import ProgramError, Value, number_of, text_of, truthy
from services.engine.program.program import Node, Program

Clock = Callable[[], datetime.datetime]
ATTEMPTS = 3
LONGEST_WAIT = 300.0
DEEPEST = 200
LARGEST_STATE = 1_048_576


@dataclass(frozen=True, slots=True)
class Budgets:
    """What one turn may use: nodes, seconds of computing, messages, characters of output."""

    nodes: int = 1_000_000
    seconds: float = 5.0
    messages: int = 200
    characters: int = 262_144


@dataclass(slots=True)
class Say:
    """A message to the person."""

    text: str
    suggestions: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Input:
    """What a person said. attachments: [{name, uri, content_type}]."""

    text: str
    action: str = ""
    attachments: tuple[dict[str, str], ...] = ()
    locale: str = ""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The time waited for has come."""


@dataclass(frozen=True, slots=True)
class EffectResult:
    """What an effect gave."""

    value: Value


@dataclass(frozen=True, slots=True)
class EffectError:
    """Why an effect failed, in words for the script."""

    message: str


@dataclass(frozen=True, slots=True)
class AskUser:
    """Waits for a message."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """Waits for a time, seconds since the epoch."""

    until: float


@dataclass(frozen=True, slots=True)
class PerformEffect:
    """Something to be done outside. key: the same after a crash; effect: pure, idempotent or side_effect."""

    kind: str
    arguments: dict[str, Value]
    key: str
    effect: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The program is over."""

    value: Value = None


@dataclass(frozen=True, slots=True)
class Failed:
    """The program ended with an error nobody caught."""

    message: str
    line: int


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """A node that was executed."""

    program: str
    node: str
    op: str
    line: int


Resume = Input | TimerFired | EffectResult | EffectError | None
Outcome = AskUser | Sleep | PerformEffect | Ended | Failed


@dataclass(slots=True)
class Step:
    """What happened up to the next stop."""

    outputs: list[Say]
    outcome: Outcome


class Loaded:
    """A program with its expressions compiled."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.nodes = program.nodes
        self.code: dict[str, dict[str, Evaluate]] = {name: closures(node) for name, node in program.nodes.items()}


def closures(node: Node) -> dict[str, Evaluate]:
    """The compiled expressions of a node, by field."""
    made = {
        name: compiled(node[name])
        for name in ("text", "value", "items", "seconds", "message", "choices")
        if isinstance(node.get(name), list)
    }
    for index, case in enumerate(node.get("cases", ())):
        made[f"when{index}"] = compiled(case["when"])
    arguments = node.get("arguments")
    if isinstance(arguments, dict):
        made |= {f"argument {name}": compiled(value) for name, value in arguments.items()}
    elif isinstance(arguments, list):
        made |= {f"argument {index}": compiled(value) for index, value in enumerate(arguments)}
    return made


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
        self._deadline = time.monotonic() + machine.budgets.seconds

    # stops and resumption

    def go(self, resume: Resume) -> Step:
        """Apply what was waited for, then run."""
        try:
            outcome = self._resume(resume)
            outcome = outcome or self._loop()
        except ProgramError as error:
            outcome = self._fail(str(error))
        if isinstance(outcome, AskUser | Ended | Failed) and self.outputs:
            self.outputs[-1].suggestions += self.state.suggestions
            self.state.suggestions = []
        return Step(self.outputs, outcome)

    def _resume(self, resume: Resume) -> Outcome | None:
        if self.state.over:
            return Ended()
        if isinstance(resume, Input):
            self.locale = resume.locale
        waiting = self.state.waiting
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
            self._assign(node["into"], resume.value)
            self._advance(node)
            return None
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
        self._assign(node["into"], value)
        self._advance(node)
        return None

    def _understood(self, node: Node, resume: Input) -> Value:
        said = resume.action or resume.text
        if node["type"] == "CHOICE":
            return validation.choose(self._options(node), said)
        return validation.heard(node["type"], said, list(resume.attachments))

    def _options(self, node: Node) -> list[str]:
        choices = self._evaluate(node, "choices")
        if isinstance(choices, list) and len(choices) == 1 and isinstance(choices[0], list):
            choices = choices[0]
        return [text_of(item) for item in choices] if isinstance(choices, list) else [text_of(choices)]

    def _expected(self, node: Node) -> str:
        kind = validation.ALIASES.get(node["type"], node["type"])
        kind = "FILE" if kind in validation.FILES else kind
        options = ", ".join(self._options(node)) if kind == "CHOICE" else ""
        self._offer(node)
        return wording.say("retry", self.locale, expected=wording.say(kind, self.locale, options=options))

    # the loop

    def _node(self) -> Node:
        frame = self.state.frames[-1]
        loaded = self.machine.loaded(frame.program)
        node = loaded.nodes.get(frame.node)
        if node is None:
            message = f"the script {frame.program} has no node {frame.node}"
            raise ProgramError(message)
        self.scope.locals = frame.locals
        return node

    def _loop(self) -> Outcome:
        while self.state.frames:
            try:
                node = self._node()
                self._spend(node)
                outcome: Outcome | None = getattr(self, f"_run_{node['op']}")(node)
            except ProgramError as error:
                outcome = self._caught(error)
            if outcome is not None:
                return outcome
        return Ended()

    def _spend(self, node: Node) -> None:
        self._nodes += 1
        if self._nodes > self.machine.budgets.nodes:
            raise BudgetError(f"the script ran {self.machine.budgets.nodes} steps without stopping: an endless loop?")
        if self._nodes % 1024 == 0 and time.monotonic() > self._deadline:
            raise BudgetError(f"the script computed for {self.machine.budgets.seconds} seconds without stopping")
        if self.machine.on_trace is not None:
            frame = self.state.frames[-1]
            self.machine.on_trace(TraceEvent(frame.program, frame.node, node["op"], node["line"]))

    def _evaluate(self, node: Node, name: str) -> Value:
        frame = self.state.frames[-1]
        return self.machine.loaded(frame.program).code[frame.node][name](self.scope)

    def _advance(self, node: Node, slot: str = "next") -> None:
        self.state.frames[-1].node = node[slot]

    def _assign(self, target: list[Any], value: Value) -> None:
        if target[0] == "var":
            self.scope.write(target[1], value)
            return
        container = compiled(target[1])(self.scope)
        key = compiled(target[2])(self.scope)
        if container is None:
            container = {} if isinstance(key, str) else []
            self._assign(target[1], container)
        put(container, key, value)

    # errors

    def _caught(self, error: ProgramError) -> Outcome | None:
        line = self._line()
        if isinstance(error, BudgetError):
            return self._fail(str(error), line)
        self.state.globals |= {"error": True, "error_message": str(error), "err": 1, "err_description": str(error)}
        while self.state.frames:
            frame = self.state.frames[-1]
            if frame.handlers:
                node, variable = frame.handlers.pop()
                frame.node = node
                self.scope.locals = frame.locals
                self.scope.write(variable, str(error))
                return None
            if self.state.resume_next:
                node_ = self._node()
                slot = "next" if "next" in node_ else "else"
                self._advance(node_, slot)
                return None
            self.state.frames.pop()
        return Failed(str(error), line)

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
        self._say(text_of(self._evaluate(node, "text")))
        self._advance(node)

    def _say(self, text: str) -> None:
        self._characters += len(text)
        budgets = self.machine.budgets
        if len(self.outputs) >= budgets.messages or self._characters > budgets.characters:
            raise BudgetError(f"a turn may say {budgets.messages} messages of {budgets.characters} characters together")
        self.outputs.append(Say(text))

    def _run_ask(self, node: Node) -> Outcome:
        self.state.waiting = "message"
        self._offer(node)
        return AskUser()

    def _offer(self, node: Node) -> None:
        if node["type"] == "CHOICE":
            self.state.suggestions += [{"text": option, "value": option} for option in self._options(node)]

    def _run_set(self, node: Node) -> None:
        self._assign(node["target"], self._evaluate(node, "value"))
        self._advance(node)

    def _run_branch(self, node: Node) -> None:
        for index, case in enumerate(node["cases"]):
            if truthy(self._evaluate(node, f"when{index}")):
                self.state.frames[-1].node = case["to"]
                return
        self._advance(node, "else")

    def _run_foreach(self, node: Node) -> None:
        items = self._evaluate(node, "items")
        source = list(items) if isinstance(items, list | dict) else ([] if items is None or items == "" else [items])
        position = int(number_of(self.scope.read(node["cursor"])))
        if position >= len(source):
            self._advance(node, "done")
            return
        self.scope.write(node["cursor"], position + 1)
        self.scope.write(node["item"], source[position])
        self._advance(node)

    def _run_jump(self, node: Node) -> None:
        self._advance(node)

    def _run_call(self, node: Node) -> None:
        frame = self.state.frames[-1]
        subroutine = self.machine.loaded(frame.program).program.subroutines[node["sub"]]
        if len(self.state.frames) >= DEEPEST:
            raise BudgetError(f"calls are {DEEPEST} deep: a SUB that calls itself without end?")
        values = [self._evaluate(node, f"argument {index}") for index in range(len(node["arguments"]))]
        padded = values + [None] * (len(subroutine.parameters) - len(values))
        own = dict(zip(subroutine.parameters, padded, strict=False))
        self.state.frames.append(Frame(frame.program, subroutine.entry, own, node["into"]))

    def _run_return(self, node: Node) -> Outcome | None:
        value = self._evaluate(node, "value")
        finished = self.state.frames.pop()
        if not self.state.frames:
            return Ended(value)
        caller = self._node()
        if finished.into is not None:
            self._assign(finished.into, value)
        self._advance(caller)
        return None

    def _run_wait(self, node: Node) -> Outcome:
        seconds = min(max(0.0, float(number_of(self._evaluate(node, "seconds")))), LONGEST_WAIT)
        self.state.waiting = "timer"
        self.state.until = self.machine.clock().timestamp() + seconds
        return Sleep(self.state.until)

    def _run_try(self, node: Node) -> None:
        self.state.frames[-1].handlers.append((node["to"], node["into"]))
        self._advance(node)

    def _run_untry(self, node: Node) -> None:
        self.state.frames[-1].handlers.pop()
        self._advance(node)

    def _run_on_error(self, node: Node) -> None:
        frame = self.state.frames[-1]
        self.state.resume_next = node["mode"] == "resume"
        if node["mode"] == "goto":
            frame.handlers.append((node["to"], "error_message"))
        elif node["mode"] == "off":
            frame.handlers.clear()
        self._advance(node)

    def _run_fail(self, node: Node) -> None:
        raise ProgramError(text_of(self._evaluate(node, "message")))

    def _run_end(self, node: Node) -> Outcome:
        self.state.frames.clear()
        return Ended()

    def _run_effect(self, node: Node) -> Outcome | None:
        if node["kind"] == "unavailable":
            keyword = text_of(self._evaluate(node, "argument keyword"))
            message = f"not available on this installation: {keyword}"
            raise ProgramError(message)
        if node["kind"] == "get_variable":
            known, value = self._pending_variable(node)
            if known:
                self._assign(node["into"], value)
                self._advance(node)
                return None
        self.state.visits += 1
        self.state.waiting = "effect"
        return self._effect_request(node)

    def _effect_request(self, node: Node) -> PerformEffect:
        arguments = {name: self._evaluate(node, f"argument {name}") for name in node["arguments"]}
        kind = node["kind"]
        frame = self.state.frames[-1]
        key = f"{frame.program}/{frame.node}/{self.state.visits}"
        return PerformEffect(kind, arguments, key, registry.effect_of(kind))

    def _pending_variable(self, node: Node) -> tuple[bool, Value]:
        scope, key = (text_of(self._evaluate(node, f"argument {name}")) for name in ("scope", "key"))
        for change in reversed(self.state.pending):
            if change[0] == scope and change[1] == key:
                return True, change[2]
        return False, None

    def _run_emit(self, node: Node) -> None:
        values = {name: self._evaluate(node, f"argument {name}") for name in node["arguments"]}
        EMITTED[node["kind"]](self.state, values)
        self._advance(node)


class BudgetError(ProgramError):
    """A budget is used up: no script may catch this."""


def put(container: Value, key: Value, value: Value) -> None:
    """container[key] = value; one past the end of a list appends."""
    if isinstance(container, dict):
        name = text_of(key)
        existing = next((known for known in container if known.lower() == name.lower()), name)
        container[name if name in container else existing] = value
        return
    if isinstance(container, list):
        index = int(number_of(key, "an index"))
        if index == len(container):
            container.append(value)
        elif 0 <= index < len(container):
            container[index] = value
        else:
            message = f"the list has {len(container)} items; there is no place {index}"
            raise ProgramError(message)
        return
    message = "a field can be set on an object, an element in a list"
    raise ProgramError(message)


def suggestion(state: MachineState, values: dict[str, Value]) -> None:
    """A choice that comes with the next stop."""
    text = text_of(values["text"])
    state.suggestions.append({"text": text, "value": text_of(values["value"]) or text})


def set_variable(state: MachineState, values: dict[str, Value]) -> None:
    """Written with the commit of the turn."""
    state.pending.append([text_of(values["scope"]), text_of(values["key"]), values["value"]])


def use_kb(state: MachineState, values: dict[str, Value]) -> None:
    """Free answers rest on this collection too."""
    name = text_of(values["name"]).removesuffix(".gbkb").lower()
    if name not in state.collections:
        state.collections.append(name)


def clear_kb(state: MachineState, values: dict[str, Value]) -> None:
    """Forget one collection, or all."""
    name = text_of(values.get("name", "all")).lower()
    state.collections = [] if name == "all" else [item for item in state.collections if item != name]


def clear_error(state: MachineState, _: dict[str, Value]) -> None:
    """No error stands."""
    state.globals |= {"error": False, "error_message": "", "err": 0, "err_description": ""}


EMITTED: dict[str, Callable[[MachineState, dict[str, Value]], None]] = {
    "suggestion": suggestion,
    "clear_suggestions": lambda state, _: state.suggestions.clear(),
    "variable": set_variable,
    "use_kb": use_kb,
    "clear_kb": clear_kb,
    "clear_error": clear_error,
    "context": lambda state, values: state.context.__setitem__(text_of(values["name"]), text_of(values["value"])),
    "log": lambda _state, _values: None,
}
