"""What every part of a run stands on: the node that is next, its values, its budget, and where errors go."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from services.engine.machine.expressions import Scope, compiled
from services.engine.machine.outcomes import Failed, Outcome, Say
from services.engine.machine.state import MachineState
from services.engine.program.program import Node
from services.engine.program.values import ProgramError, Value, owned, put, text_of

if TYPE_CHECKING:
    from services.engine.machine.machine import Machine

OVERSIGHTS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)


LOOK_SECONDS = 0.002
"""So long a run computes between two looks at its budget of time and its slice."""


NOBODY = "_"
"""The name under which a function that stands alone leaves its value, which nobody asks for."""


class Pause(Exception):
    """The slice of time is over: out of a hot loop."""


class BudgetError(ProgramError):
    """A budget is used up: no script may catch this."""


class Core:
    """One call of Machine.run, as far as all of it needs."""

    def __init__(self, machine: Machine, state: MachineState) -> None:
        self.machine = machine
        self.state = state
        self.outputs: list[Say] = []
        self.scope = Scope(state.globals, machine.clock)
        self.locale = ""
        self._nodes = 0
        self._characters = 0
        self._left = machine.budgets.seconds
        self._begin_slice(0.0)
        self._code: dict[str, Any] = {}
        self._problem = ""

    # nodes and values

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

    def _stored(self, node: Node, value: Value) -> Outcome | None:
        """What was waited for goes where the node says."""
        try:
            self._assign(node["into"], value)
        except ProgramError as error:
            return self._caught(error)
        self._advance(node)
        return None

    def _options(self, node: Node) -> list[str]:
        choices = self._evaluate("choices")
        if isinstance(choices, list) and len(choices) == 1 and isinstance(choices[0], list):
            choices = choices[0]
        return [text_of(item) for item in choices] if isinstance(choices, list) else [text_of(choices)]

    def _offer(self, node: Node) -> None:
        if node["type"] == "CHOICE":
            chips = [{"text": option, "value": option} for option in self._options(node)]
            self.state.suggestions += [chip for chip in chips if chip not in self.state.suggestions]

    def _say(self, text: str, attachments: list[dict[str, str]] | None = None) -> None:
        self._characters += len(text)
        budgets = self.machine.budgets
        if len(self.outputs) >= budgets.messages or self._characters > budgets.characters:
            raise BudgetError(f"a turn may say {budgets.messages} messages of {budgets.characters} characters together")
        self.outputs.append(Say(text, attachments=attachments or []))

    # budgets

    def _begin_slice(self, seconds: float) -> None:
        """Compute from here on; for so long, or, with 0, up to the next stop."""
        now = time.perf_counter()
        self._began = time.thread_time()  # a machine that stands still computes nothing
        self._pause_at = now + seconds if seconds else math.inf
        self._look_at = now + LOOK_SECONDS

    def _end_slice(self) -> None:
        """What was computed is paid for."""
        self._left -= time.thread_time() - self._began

    def _spend(self) -> None:
        self._nodes += 1
        if self._nodes > self.machine.budgets.nodes:
            raise BudgetError(f"the script ran {self.machine.budgets.nodes} steps without stopping: an endless loop?")

    def _due(self) -> bool:
        """Whether the slice is over. BudgetError when the time of the turn is."""
        now = time.perf_counter()
        if now < self._look_at:
            return False
        self._look_at = now + LOOK_SECONDS
        if time.thread_time() - self._began > self._left:
            raise BudgetError(f"the script computed for {self.machine.budgets.seconds} seconds without stopping")
        return now > self._pause_at

    def _pay(self, nodes: int) -> bool:
        """So many nodes at once; whether they took longer than a look is apart. Pause at the end of a slice."""
        self._nodes += nodes
        if self._nodes > self.machine.budgets.nodes:
            raise BudgetError(f"the script ran {self.machine.budgets.nodes} steps without stopping: an endless loop?")
        before = self._look_at
        if self._due():
            raise Pause
        return self._look_at != before

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
                if "catch" not in node:
                    frame.failed = [frame.node, *place]
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
