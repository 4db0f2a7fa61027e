"""Tree to nodes: statements, in source order."""

from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from services.engine.basic import tree
from services.engine.basic.analysis import Analyzer
from services.engine.basic.diagnostics import Diagnostic, ScriptError, closest
from services.engine.basic.encoding import Encoded, Encoder
from services.engine.basic.foreign import reads_like
from services.engine.basic.including import Library, definitions, included, names_of, stem
from services.engine.basic.lexer import Lexer, Token
from services.engine.basic.parser import Parser
from services.engine.program.program import Node, Program, Subroutine
from services.engine.schedule import when

PROSE_ERRORS = 3
STRANGE = frozenset({"BAS121", "BAS123", "BAS125"})
MOST_DIAGNOSTICS = 1000
LARGEST_SCRIPT = 1_048_576


@dataclass(slots=True)
class CompileResult:
    """The program, or None when a diagnostic is an error."""

    program: Program | None
    diagnostics: list[Diagnostic] = field(default_factory=list)


@dataclass(slots=True)
class LoopPlace:
    """Where CONTINUE and EXIT of a loop go; exits are patched when the loop ends."""

    kind: str
    again: str
    exits: list[Node] = field(default_factory=list)
    continues: list[Node] = field(default_factory=list)


class Compiler(Encoder):
    """One method a statement."""

    def __init__(self, functions: frozenset[str], assigned: frozenset[str], name: str) -> None:
        super().__init__(functions, assigned)
        self.name = name
        self.subroutines: dict[str, Subroutine] = {}
        self.labels: dict[str, str] = {}
        self.tool: dict[str, Any] = {}
        self.declarations: list[dict[str, Any]] = []
        self.system_prompt = ""
        self._loops: list[LoopPlace] = []
        self._gotos: list[tuple[Node, str, str, int]] = []
        self._bodies: list[tree.Define] = []

    def compile(self, script: tree.Script) -> str:
        """The main flow, then the subroutines; the id of the first node."""
        entry = self.upcoming()
        definitions = [item for item in script.statements if isinstance(item, tree.Define)]
        self.block(tuple(item for item in script.statements if not isinstance(item, tree.Define)))
        self.emit("end", 0, value=["lit", None])
        self._open = []
        for item in definitions:
            self._add_subroutine(item)
        while self._bodies:
            self._add_subroutine(self._bodies.pop(0))
        self._resolve_labels()
        return entry

    def _add_subroutine(self, item: tree.Define) -> None:
        self._open, self._loops = [], []
        self.subroutines[item.name] = Subroutine(item.parameters, self.upcoming())
        self.block(item.body)
        own = item.name.lower()
        value: Encoded = ["var", own] if sets(item.body, own) else ["lit", None]
        self.emit("return", item.line, value=value)
        self._open = []

    def _resolve_labels(self) -> None:
        for node, slot, label, line in self._gotos:
            if label in self.labels:
                node[slot] = self.labels[label]
            else:
                near = closest(label, [name.upper() for name in self.labels])
                self.errors.append(ScriptError("BAS140", f"there is no label {label}", line, 1, near))

    def block(self, statements: tuple[tree.Statement, ...]) -> None:
        """Statements in order."""
        warned = False
        for item in statements:
            if not self._open and self.nodes and not isinstance(item, tree.Label) and not warned and self._entered:
                self.warnings.append(ScriptError("BAS150", "this line is never reached", item.line, 1))
                warned = True
            self.statement(item)

    @property
    def _entered(self) -> bool:
        return self.upcoming() not in {sub.entry for sub in self.subroutines.values()}

    def statement(self, item: tree.Statement) -> None:
        """One statement."""
        name = type(item).__name__.lower()
        getattr(self, f"_{name}")(item)

    def _say(self, item: tree.Say) -> None:
        self.emit("say", item.line, text=self.value(item.text))

    def _ask(self, item: tree.Ask) -> None:
        kind, choices = item.kind, item.choices
        if kind.startswith("PROMPT:") and choices is not None:
            self.emit("say", item.line, text=self.value(choices))
            kind, choices = kind.removeprefix("PROMPT:"), None
        encoded = self.value(choices) if choices is not None else None
        self.emit("ask", item.line, into=self.place(item.into), type=kind, choices=encoded)

    def _assign(self, item: tree.Assign) -> None:
        if isinstance(item.value, tree.Invoke) and isinstance(item.target, tree.Name) and not item.operator:
            self.invoke(item.value, ["var", item.target.name])
            return
        value = self.value(item.value)
        target = self.place(item.target)
        if item.operator:
            value = ["bin", item.operator, self.value(item.target), value]
        self.emit("set", item.line, target=target, value=value)

    def _evaluate(self, item: tree.Evaluate) -> None:
        if isinstance(item.value, tree.Invoke) and item.value.keyword == "SET SCHEDULE":
            self._scheduled(item.value)
            return
        if isinstance(item.value, tree.Invoke):
            self.invoke(item.value, ["var", "_"])
            return
        value = self.value(item.value, wanted=False)
        if value[0] not in {"lit", "var"}:
            self.emit("set", item.line, target=["var", "_"], value=value)

    def _with(self, item: tree.With) -> None:
        """The object is made when there is none; assignments of plain names are its fields."""
        made = tree.Call(item.line, 1, "NVL", (item.target, tree.Mapping(item.line, 1, ())))
        self._assign(tree.Assign(item.line, item.target, made))
        for line in item.body:
            if isinstance(line, tree.Assign):
                self._assign(tree.Assign(line.line, within(line.target, item.target), line.value, line.operator))
            else:
                self.statement(line)

    def _include(self, item: tree.Include) -> None:
        self.declarations.append({"kind": "include", "path": item.path, "line": item.line})

    def _when(self, item: tree.When) -> None:
        entry = item.calls
        if item.calls and item.calls not in self._functions:
            message = f"there is no SUB {item.calls}"
            self.errors.append(ScriptError("BAS145", message, item.line, 1, closest(item.calls, self._functions)))
        if item.body:
            entry = self._body(item.line, item.body)
        self.declarations.append({"kind": "event", **item.values, "entry": entry})

    def _scheduled(self, item: tree.Invoke) -> None:
        """A rule that is written down belongs to the version; one that is computed is set when it is reached."""
        given = dict(item.arguments)
        script = given.get("script", tree.Literal(item.line, item.column, self.name))
        rule = given["when"]
        if isinstance(rule, tree.Literal) and isinstance(script, tree.Literal):
            try:
                when.parse(str(rule.value))
            except ValueError as error:
                self.errors.append(ScriptError("BAS146", f"SET SCHEDULE: {error}", rule.line, rule.column))
            values = {"when": rule.value, "script": script.value, "entry": "", "line": item.line}
            self.declarations.append({"kind": "schedule", **values})
            return
        self.invoke(replace(item, arguments=(("when", rule), ("script", script))), ["var", "_"])

    def _delayed(self, item: tree.Delayed) -> None:
        arguments = {
            "amount": self.value(item.amount),
            "unit": ["lit", item.unit],
            "script": ["lit", self.name],
            "entry": ["lit", self._body(item.line, item.body)],
            "variables": ["map", *([name, ["var", name]] for name in sorted(set(tree.names_in(item.body))))],
        }
        self.emit("effect", item.line, keyword="SCHEDULE IN", arguments=arguments, into=["var", "_"])

    def _body(self, line: int, body: tuple[tree.Statement, ...]) -> str:
        """A block that runs by itself, as a subroutine without a name of its own."""
        name = f"$BLOCK{len(self._bodies) + len(self.subroutines) + 1}.{line}"
        self._bodies.append(tree.Define(line, name, (), body))
        return name

    def _wait(self, item: tree.Wait) -> None:
        self.emit("wait", item.line, seconds=self.value(item.seconds))

    def _throw(self, item: tree.Throw) -> None:
        self.emit("fail", item.line, message=self.value(item.message))

    def _stop(self, item: tree.Stop) -> None:
        self.emit("end", item.line, value=["lit", None])
        self._open = []

    def _return(self, item: tree.Return) -> None:
        value = self.value(item.value) if item.value is not None else ["lit", None]
        self.emit("return", item.line, value=value)
        self._open = []

    def _declare(self, item: tree.Declare) -> None:
        if item.kind == "system_prompt":
            self._prompt(item)
        elif item.kind == "description":
            self.tool["description"] = item.values["text"]
        elif item.kind == "parameter":
            self.tool.setdefault("parameters", []).append(item.values)
        else:
            self.declarations.append({"kind": item.kind, **item.values})

    def _prompt(self, item: tree.Declare) -> None:
        """What the model is told is also told again whenever the block is reached, with its ${...} filled in."""
        self.system_prompt = str(item.values["text"])
        block = Token("string", self.system_prompt, item.line, 1)
        text = self.value(Parser(Lexer("").run(), []).interpolated(block))
        self.emit("apply", item.line, keyword="SET SYSTEM PROMPT", arguments={"text": text}, into=["var", "_"])

    def invoke(self, item: tree.Invoke, into: Encoded) -> Encoded:
        """A keyword's node; a web site that is named is also declared, for whatever reads its pages."""
        given = dict(item.arguments)
        address = given.get("address")
        if item.keyword == "USE WEBSITE" and isinstance(address, tree.Literal):
            interval = given.get("interval")
            refresh = interval.value if isinstance(interval, tree.Literal) else ""
            self.declarations.append(
                {"kind": "website", "address": address.value, "refresh": refresh, "line": item.line}
            )
        return super().invoke(item, into)

    def _define(self, item: tree.Define) -> None:
        self.errors.append(
            ScriptError("BAS141", "a SUB or FUNCTION stands at the outer level of the script", item.line, 1)
        )

    def _label(self, item: tree.Label) -> None:
        if item.name in self.labels:
            self.errors.append(ScriptError("BAS142", f"the label {item.name} stands twice", item.line, 1))
        self.labels[item.name] = self.upcoming()
        self.emit("jump", item.line)

    def _goto(self, item: tree.GoTo) -> None:
        node = self.emit("jump", item.line)
        self._gotos.append((node, "next", item.name, item.line))
        self._open = []

    def _onerror(self, item: tree.OnError) -> None:
        node = self.emit("on_error", item.line, mode=item.mode)
        if item.mode == "goto":
            self._gotos.append((node, "to", item.label, item.line))

    def _try(self, item: tree.Try) -> None:
        """Who catches is written on each node, so that GOTO, EXIT and a crash cannot leave a handler behind."""
        first = len(self.nodes)
        self.emit("jump", item.line)
        self.block(item.body)
        guarded = list(self.nodes.values())[first:]
        after, self._open = self._open, []
        handler = self.upcoming()
        for node in guarded:
            node.setdefault("catch", [handler, item.variable])
        self.emit("jump", item.line)
        self.block(item.handler)
        self._open += after
        if item.always:
            self.block(item.always)

    # branches and loops

    def _if(self, item: tree.If) -> None:
        leaving: list[tuple[Node, str]] = []
        for condition, body in item.branches:
            test = self.value(condition)
            node = self.emit("branch", item.line, cases=[{"when": test, "to": ""}])
            self._open = [(node, "0")]
            self.block(body)
            leaving += self._open
            self._open = [(node, "else")]
        self.block(item.otherwise)
        self._open += leaving

    def _select(self, item: tree.Select) -> None:
        subject = self.hold(item.subject)
        leaving: list[tuple[Node, str]] = []
        place = LoopPlace("SELECT", "")
        self._loops.append(place)
        for tests, body in item.cases:
            condition = self._any_of(subject, tests)
            node = self.emit("branch", item.line, cases=[{"when": condition, "to": ""}])
            self._open = [(node, "0")]
            self.block(body)
            leaving += self._open
            self._open = [(node, "else")]
        self.block(item.otherwise)
        self._loops.pop()
        self._open += leaving + [(exit_, "next") for exit_ in place.exits]

    def _any_of(
        self, subject: Encoded, tests: tuple[tuple[str, tree.Expression, tree.Expression | None], ...]
    ) -> Encoded:
        found: Encoded = ["lit", False]
        for operator, low, high in tests:
            if operator == "TO" and high is not None:
                above = ["bin", ">=", subject, self.value(low)]
                test: Encoded = ["and", above, ["bin", "<=", subject, self.value(high)]]
            else:
                test = ["bin", operator, subject, self.value(low)]
            found = ["or", found, test]
        return found

    def _loop(self, item: tree.Loop) -> None:
        start = self.upcoming()
        self.emit("jump", item.line)
        place = LoopPlace(item.kind, start)
        self._loops.append(place)
        node = None
        if item.before is not None:
            node = self.emit("branch", item.line, cases=[{"when": self.value(item.before), "to": ""}])
            self._open = [(node, "0")]
        self.block(item.body)
        for waiting in place.continues:
            self._open.append((waiting, "next"))
        leaving: list[tuple[Node, str]] = [(node, "else")] if node is not None else []
        if item.after is not None:
            last = self.emit("branch", item.line, cases=[{"when": self.value(item.after), "to": start}])
            leaving.append((last, "else"))
            self._open = []
        self.arrive(start)
        self._loops.pop()
        self._open = leaving + [(exit_, "next") for exit_ in place.exits]

    def _forrange(self, item: tree.ForRange) -> None:
        last, step = self.hold(item.last), self.hold(item.step)
        variable: Encoded = ["var", item.variable]
        self.emit("set", item.line, target=variable, value=self.value(item.first))
        start = self.upcoming()
        place = LoopPlace("FOR", start)
        node = self.emit("branch", item.line, cases=[{"when": going(variable, last, step), "to": ""}])
        self._open = [(node, "0")]
        self._loops.append(place)
        self.block(item.body)
        self._loops.pop()
        self._open += [(waiting, "next") for waiting in place.continues]
        self.emit("set", item.line, target=variable, value=["bin", "+", variable, step])
        self.arrive(start)
        self._open = [(node, "else")] + [(exit_, "next") for exit_ in place.exits]

    def _foreach(self, item: tree.ForEach) -> None:
        items = self.hold(item.items)
        cursor = self._temporary()
        self.emit("set", item.line, target=cursor, value=["lit", 0])
        start = self.upcoming()
        node = self.emit("foreach", item.line, item=item.variable, items=items, cursor=cursor[1])
        place = LoopPlace("FOR", start)
        self._loops.append(place)
        self.block(item.body)
        self._loops.pop()
        self._open += [(waiting, "next") for waiting in place.continues]
        self.arrive(start)
        self._open = [(node, "done")] + [(exit_, "next") for exit_ in place.exits]

    def _leave(self, item: tree.Leave) -> None:
        wanted = item.loop or ("SELECT" if item.what == "exit" else "")
        matching = [place for place in self._loops if place.kind == item.loop]
        if not item.loop:
            loops = [place for place in self._loops if place.kind != "SELECT"]
            matching = loops or [place for place in self._loops if place.kind == wanted]
        if not matching:
            words = f"{'EXIT' if item.what == 'exit' else 'CONTINUE'} {item.loop}".strip()
            self.errors.append(ScriptError("BAS143", f"{words} stands in no such loop", item.line, 1))
            return
        node = self.emit("jump", item.line)
        self._open = []
        (matching[-1].exits if item.what == "exit" else matching[-1].continues).append(node)


def compile_basic(text: str, file: str, library: Library = lambda _: None) -> CompileResult:
    """Compile a script. All its errors come in one go; prose gets one. `library`: other scripts of the package."""
    if len(text.encode()) > LARGEST_SCRIPT:
        return CompileResult(None, [Diagnostic(file, 1, 1, "error", "BAS100", "a script is at most 1 MiB")])
    lexer = Lexer(text)
    parser = Parser(lexer.run(), lexer.lines)
    others: dict[str, list[Token]] = {stem(file): []}
    included(parser.tokens, library, others)
    own = parser.defined
    parser.defined |= names_of(others)
    script = parser.parse()
    script = tree.Script((*script.statements, *definitions(others, own)))
    errors = [*lexer.errors, *parser.errors]
    like = "prose" if is_prose(parser, errors) else errors and reads_like(text, len({item.line for item in errors}))
    if like:
        words = f"this reads like {like}, not like a script: put texts for the person after TALK"
        return CompileResult(None, [Diagnostic(file, 1, 1, "error", "BAS100", words)])
    functions = frozenset(item.name for item in script.statements if isinstance(item, tree.Define))
    name = PurePosixPath(file).stem.lower()
    compiler = Compiler(functions, parser.assigned, name)
    entry = compiler.compile(script)
    errors += compiler.errors
    found = [diagnostic(file, item, "error") for item in errors]
    found += [diagnostic(file, item, "warning") for item in compiler.warnings]
    found += [diagnostic(file, item, "warning") for item in Analyzer(script, parser.assigned).run()]
    found = sorted(found[:MOST_DIAGNOSTICS], key=lambda item: (item.line, item.column))
    if errors:
        return CompileResult(None, found)
    program = Program(
        name=name,
        origin="basic",
        entry=entry,
        nodes=compiler.nodes,
        subroutines=compiler.subroutines,
        system_prompt=compiler.system_prompt,
        tool=compiler.tool,
        declarations=compiler.declarations,
    )
    return CompileResult(program, found)


def is_prose(parser: Parser, errors: list[ScriptError]) -> bool:
    """Whether most lines are no statements at all."""
    strange = [item for item in errors if item.code in STRANGE]
    unlike = len({item.line for item in strange if not item.suggestion})
    alike = len({item.line for item in strange if item.suggestion})  # "Dear" is nearly YEAR
    lines = len(parser.lines_seen)
    if unlike + alike < PROSE_ERRORS:
        return False
    return unlike * 5 > lines * 3 or ((unlike + alike) * 5 > lines * 4 and unlike * 5 >= lines * 2)


def diagnostic(file: str, error: ScriptError, severity: str) -> Diagnostic:
    """An error with its file."""
    return Diagnostic(file, error.line, error.column, severity, error.code, error.message, error.suggestion)


def within(target: tree.Expression, of: tree.Expression) -> tree.Expression:
    """name and .name.other as fields of the object of WITH; other.name is what it says."""
    if isinstance(target, tree.Name):
        return tree.Member(target.line, 1, of, tree.Literal(target.line, 1, target.name.removeprefix(".")))
    if isinstance(target, tree.Member) and begins_with_point(target):
        return tree.Member(target.line, target.column, within(target.of, of), target.key, target.optional)
    return target


def begins_with_point(target: tree.Expression) -> bool:
    """Whether what it belongs to is a field of WITH."""
    while isinstance(target, tree.Member):
        target = target.of
    return isinstance(target, tree.Name) and target.name.startswith(".")


def sets(body: tuple[tree.Statement, ...], name: str) -> bool:
    """Whether a FUNCTION gives its value by being assigned to, as older dialects do."""
    return any(
        isinstance(item, tree.Assign) and isinstance(item.target, tree.Name) and item.target.name == name
        for item in body
    )


def going(variable: Encoded, last: Encoded, step: Encoded) -> Encoded:
    """Whether FOR goes on; which way it counts is known when STEP is a number."""
    up: Encoded = ["bin", "<=", variable, last]
    down: Encoded = ["bin", ">=", variable, last]
    if step[0] == "lit" and isinstance(step[1], int | float):
        return up if step[1] >= 0 else down
    return ["or", ["and", ["bin", ">=", step, ["lit", 0]], up], ["and", ["bin", "<", step, ["lit", 0]], down]]
