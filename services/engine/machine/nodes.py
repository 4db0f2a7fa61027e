"""The loop, and what each kind of node does."""

import time
from collections.abc import Callable

from services.engine.keywords.registry import registry
from services.engine.machine.core import NOBODY, OVERSIGHTS, BudgetError, Core, Pause
from services.engine.machine.hot import Again, Hot, listed, turns
from services.engine.machine.outcomes import AskUser, Ended, Outcome, Paused, PerformEffect, Sleep, TraceEvent
from services.engine.machine.state import Frame
from services.engine.program.program import Node, Program
from services.engine.program.values import ProgramError, Value, number_of, owned, text_of, truthy
from services.engine.tools.schema import checked, tool_of

ALONE = ["var", NOBODY]
LONGEST_WAIT = 300.0
DEEPEST = 200


class Nodes(Core):
    """One method a kind of node."""

    # the loop

    def _loop(self) -> Outcome | Paused:
        traced = self.machine.on_trace is not None
        while self.state.frames:
            outcome = self._traced() if traced else self._next()
            if outcome is not None:
                return outcome
            if self._due():
                return Paused()
        return Ended()

    def _next(self) -> Outcome | Paused | None:
        frame = self.state.frames[-1]
        heads = self.machine.loaded(frame.program).heads
        if frame.node in heads.heads:
            hot = heads.entered(frame.node)
            if hot is not None:
                return self._spin(hot, frame)
        return self._execute(self._node())

    def _spin(self, hot: Hot, frame: Frame) -> Outcome | Paused | None:
        """A hot loop, up to where it is left; an error stands at the node where it arose."""
        variables = self.state.globals
        own = variables if frame.locals is None else frame.locals
        try:
            self._spend()
            frame.node = hot.run(variables, own, self.machine.clock, turns(self._pay, 2), self._say)
        except Pause as pause:
            frame.node = hot.node_at(pause.__traceback__) or frame.node
            return Paused()
        except Again as again:
            frame.node = hot.node_at(again.__traceback__) or frame.node
        except ProgramError as error:
            frame.node = hot.node_at(error.__traceback__) or frame.node
            return self._caught(error)
        except OVERSIGHTS as error:
            frame.node = hot.node_at(error.__traceback__) or frame.node
            return self._caught(ProgramError(f"{self._node()['op']}: {error}"))
        return None

    def _execute(self, node: Node) -> Outcome | None:
        try:
            self._spend()
            return HANDLERS[node["op"]](self, node)
        except ProgramError as error:
            return self._caught(error)
        except OVERSIGHTS as error:
            return self._caught(ProgramError(f"{node['op']}: {error}"))

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

    # nodes

    def _run_say(self, node: Node) -> None:
        self._say(text_of(self._evaluate("text")))
        self._advance(node)

    def _run_ask(self, node: Node) -> Outcome:
        self.state.waiting = "message"
        self._offer(node)
        return AskUser()

    def _run_set(self, node: Node) -> None:
        value = self._evaluate("value")
        if node["target"] != ALONE:
            self._assign(node["target"], value)
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
        return self._back(self._evaluate("value"))

    def _back(self, value: Value) -> Outcome | None:
        """Out of the innermost frame, to whoever called it."""
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
        if node["mode"] == "continue":
            self._resume_after(frame, node)
            return
        self.state.resume_next = node["mode"] == "resume"
        if node["mode"] == "goto":
            frame.handlers[:] = [(node["to"], "error_message")]
        elif node["mode"] == "off":
            frame.handlers.clear()
        self._advance(node)

    def _resume_after(self, frame: Frame, node: Node) -> None:
        """RESUME NEXT in a handler: past the node that failed, the handler armed again."""
        if not frame.failed:
            raise ProgramError("RESUME NEXT stands in no handler of an error")
        failed, target, variable = frame.failed
        frame.failed = []
        frame.handlers[:] = [(target, variable)]
        frame.node = failed
        self._step_over(self._node())

    def _run_fail(self, node: Node) -> None:
        raise ProgramError(text_of(self._evaluate("message")))

    def _run_end(self, node: Node) -> Outcome | None:
        """The end of the script, whichever of its subroutines it is in; a script that called it goes on."""
        value = self._evaluate("value")
        while self.state.frames and not self.state.frames[-1].script:
            self.state.frames.pop()
        return self._back(value) if self.state.frames else Ended(value)

    def _run_effect(self, node: Node) -> Outcome | None:
        keyword = registry().get(node["keyword"])
        if (keyword is None or keyword.needs) and not self.machine.pretends:
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
        program = self.machine.loaded(name).program
        if len(self.state.frames) >= DEEPEST:
            raise BudgetError(f"calls are {DEEPEST} deep: a script that calls itself without end?")
        values = [owned(self._evaluate(f"argument {index}")) for index in range(len(node["arguments"]))]
        given = values[0] if len(values) == 1 and isinstance(values[0], dict) else {}
        self.state.globals |= {key.lower(): value for key, value in given.items()} | self._parameters(program, given)
        self.state.globals |= {f"arg{index}": value for index, value in enumerate(values, 1)}
        self.state.frames.append(Frame(name, program.entry, {}, node["into"], script=True))

    def _parameters(self, program: Program, given: dict[str, Value]) -> dict[str, Value]:
        """What PARAM says of a script that is called with an object: its fields in their types. ProgramError."""
        tool = tool_of(program)
        if tool is None or not given:
            return {}
        names = {item.variable for item in tool.parameters}
        return checked(tool, {key: value for key, value in given.items() if key.lower() in names}, self.state.globals)


Handler = Callable[[Nodes, Node], Outcome | None]
HANDLERS: dict[str, Handler] = {
    name.removeprefix("_run_"): handler for name, handler in vars(Nodes).items() if name.startswith("_run_")
}
