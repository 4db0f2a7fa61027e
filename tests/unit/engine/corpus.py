"""Cases of tests/basic: small scripts with what happens when they run. tests/basic/README.md describes the format."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.engine.basic.compiler import compile_basic
from services.engine.machine import machine as m
from services.engine.machine.expressions import Scope, compiled
from services.engine.machine.state import MachineState
from services.engine.program.program import Program
from services.engine.program.values import Value
from tests.unit.engine.scripts import NOON

CORPUS = Path(__file__).parents[2] / "basic"
SCRIPT = re.compile(r"\+\+\+ (\S+)\.bas")
EFFECT = re.compile(r"! ([A-Z_][A-Z_ ]*?)(?: (\{.*?\}))?(?: -> (.*))?")
FACTS = ("keeps", "declares", "tool", "prompt", "context", "prints", "settings", "collections")
STEPS = 500


@dataclass(slots=True)
class Case:
    """A rule, scripts by name (the first one runs), variables given, what is expected line by line."""

    file: str
    line: int
    rule: str
    scripts: dict[str, str] = field(default_factory=dict)
    given: dict[str, Value] = field(default_factory=dict)
    expected: list[str] = field(default_factory=list)

    @property
    def identifier(self) -> str:
        """As the test is called."""
        return f"{self.file}:{self.line} {self.rule}"


@dataclass(slots=True)
class Happened:
    """Events in order, as the format writes them; what was left behind."""

    events: list[str] = field(default_factory=list)
    diagnostics: list[str] = field(default_factory=list)
    programs: dict[str, Program] = field(default_factory=dict)
    printed: list[str] = field(default_factory=list)
    state: MachineState | None = None


def cases(folder: Path = CORPUS) -> Iterator[Case]:
    """Every case of every file."""
    for path in sorted(folder.glob("*.txt")):
        yield from cases_of(path)


def cases_of(path: Path) -> Iterator[Case]:
    """Cases of one file. ValueError for a case without a script or without anything expected."""
    case: Case | None = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("=== "):
            if case is not None:
                yield finished(case)
            case, part, name = Case(path.stem, number, line[4:].strip()), "script", "script"
        elif case is None:
            continue
        elif line == "---":
            part = "expected"
        elif part == "expected":
            case.expected.append(line)
        elif line.startswith("@given "):
            case.given |= json.loads(line.removeprefix("@given "))
        elif match := SCRIPT.fullmatch(line):
            name = match[1]
        else:
            case.scripts[name] = case.scripts.get(name, "") + line + "\n"
    if case is not None:
        yield finished(case)


def finished(case: Case) -> Case:
    """A case whose empty last lines are gone and whose longer messages are one."""
    lines: list[str] = []
    for line in case.expected:
        if line.startswith("| ") or line == "|":
            lines[-1] += "\n" + line[2:]
        else:
            lines.append(line)
    while lines and not lines[-1].strip():
        lines.pop()
    case.expected = lines
    if not case.scripts:
        message = f"{case.identifier}: there is no script"
        raise ValueError(message)
    return case


# keywords and their arguments


@dataclass(frozen=True, slots=True)
class Form:
    """A statement in one of its forms, the keyword it is read as, its arguments where they are said."""

    rule: str
    source: str
    keyword: str
    arguments: dict[str, Value] | None


def forms(path: Path = CORPUS / "keywords.forms") -> Iterator[Form]:
    """Every line of the file that is no comment."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            rule, _, rest = line.partition(" | ")
            source, _, expected = rest.rpartition(" => ")
            keyword, brace, arguments = expected.partition(" {")
            yield Form(
                rule, source.replace(" ⏎ ", "\n"), keyword, json.loads(brace.strip() + arguments) if brace else None
            )


def wanted(source: str) -> list[tuple[str, dict[str, Value]]]:
    """Keywords of a script with what their arguments are, whether this installation has them or not."""
    program = compile_basic(source, "script.bas")
    assert program.program is not None, program.diagnostics
    scope, found = Scope({}, lambda: NOON), []
    for node in program.program.nodes.values():
        if node["op"] == "set" and node["target"][0] == "var":
            scope.write(node["target"][1], compiled(node["value"])(scope))
        if node["op"] in {"effect", "apply"}:
            arguments = {name: compiled(value)(scope) for name, value in node["arguments"].items()}
            found.append((node["keyword"], arguments))
    return found


# what happens


def happen(case: Case) -> Happened:
    """Compile and run a case; its answers and the results of its effects are in what is expected."""
    found = Happened()
    for name, source in case.scripts.items():
        result = compile_basic(source, f"{name}.bas")
        found.diagnostics += [f"* {item.severity} {item.code} {item.line}" for item in result.diagnostics]
        if result.program is not None:
            found.programs[name] = Program.from_json(json.loads(json.dumps(result.program.to_json())))
    if len(found.programs) == len(case.scripts):
        run(case, found)
    return found


def run(case: Case, found: Happened) -> None:
    """Run to the end, or to a question nobody answers, or to an effect that nobody expects."""
    machine = m.Machine(found.programs, m.Budgets(), clock=lambda: NOON)
    state = machine.start(next(iter(case.scripts)), {name.lower(): value for name, value in case.given.items()})
    answers = iter([line[2:] for line in case.expected if line.startswith("> ") or line == ">"])
    results = iter([EFFECT.fullmatch(line) for line in case.expected if line.startswith("! ")])
    resume: m.Resume = None
    for _ in range(STEPS):
        step = machine.run(state, resume)
        found.printed += state.printed
        found.state = state
        state = MachineState.from_bytes(state.to_bytes())
        for item in step.outputs:
            found.events.append(item.text)
            if item.suggestions:
                found.events.append("? " + " | ".join(map(chip, item.suggestions)))
        following = after(step.outcome, found, answers, results)
        if following is None:
            return
        resume = following
    found.events.append("* goes on and on")


def chip(suggestion: dict[str, str]) -> str:
    """Its text; its value where that differs."""
    text, value = suggestion["text"], suggestion.get("value", suggestion["text"])
    return text if text == value else f"{text} ({value})"


def after(outcome: m.Outcome, found: Happened, answers: Iterator[str], results: Iterator[Any]) -> m.Resume:
    """What the machine is told next; nothing when it is over."""
    if isinstance(outcome, m.AskUser):
        answer = next(answers, None)
        found.events.append("* waits" if answer is None else f"> {answer}".rstrip())
        return None if answer is None else spoken(answer)
    if isinstance(outcome, m.Sleep):
        found.events.append(f"~ {outcome.until - NOON.timestamp():g}")
        return m.TimerFired()
    if isinstance(outcome, m.PerformEffect):
        wanted = next(results, None)
        arguments = json.dumps(outcome.arguments, ensure_ascii=False)
        bare = wanted is not None and wanted[2] is None
        result = f" -> {wanted[3]}" if wanted is not None and wanted[3] else ""
        found.events.append(f"! {outcome.keyword}{'' if bare else ' ' + arguments}{result}")
        return given(wanted[3] if wanted is not None else None)
    if isinstance(outcome, m.Failed):
        found.events.append(f"* fails {outcome.line}: {outcome.message}")
    elif isinstance(outcome, m.Ended) and outcome.value is not None:
        found.events.append(f"= {json.dumps(outcome.value, ensure_ascii=False)}")
    return None


def spoken(answer: str) -> m.Input:
    """An answer; `@image/png https://...` is a file, `[pt] sim` an answer of somebody whose language is that."""
    locale = re.match(r"\[([a-z]{2})\] ?", answer)
    text = answer[locale.end() :] if locale else answer
    if text.startswith("@"):
        kind, _, uri = text[1:].partition(" ")
        file = {"name": uri.rpartition("/")[2], "uri": uri, "content_type": kind}
        return m.Input("", attachments=(file,))
    return m.Input(text, locale=locale[1] if locale else "")


def given(result: str | None) -> m.EffectResult | m.EffectError:
    """What an effect gives."""
    if result is None:
        return m.EffectResult(None)
    if result.startswith("error: "):
        return m.EffectError(result.removeprefix("error: "))
    return m.EffectResult(json.loads(result))


# what was expected


def normal(line: str) -> str:
    """A line of the transcript with its JSON as the runner writes it."""
    match = EFFECT.fullmatch(line) if line.startswith("! ") else None
    if match and match[2]:
        result = f" -> {match[3]}" if match[3] else ""
        return f"! {match[1]} {json.dumps(json.loads(match[2]), ensure_ascii=False)}{result}"
    if line.startswith("= "):
        return f"= {json.dumps(json.loads(line[2:]), ensure_ascii=False)}"
    if line.startswith('"') and line.endswith('"') and len(line) > 1:
        return str(json.loads(line))
    return line


def is_fact(line: str) -> bool:
    """Whether a line is about what is left behind, not about what happens."""
    return line.startswith("* ") and line[2:].split(" ", maxsplit=1)[0] in FACTS


def is_diagnostic(line: str) -> bool:
    """Whether a line is about what is said of the script."""
    return line.startswith(("* error ", "* warning "))


def holds(fact: str, found: Happened) -> bool:
    """Whether something was left behind. AssertionError says what was instead."""
    kind, _, rest = fact.removeprefix("* ").partition(" ")
    program, state = next(iter(found.programs.values())), found.state or MachineState()
    if kind == "declares":
        return any(within(json.loads(rest), item) for item in program.declarations)
    if kind == "tool":
        return within(json.loads(rest), program.tool)
    if kind == "prompt":
        return program.system_prompt == rest.replace("\\n", "\n")
    if kind == "prints":
        return rest in found.printed
    if kind == "collections":
        return state.collections == json.loads(rest)
    name, _, value = rest.partition(" = ")
    if kind == "context":
        return state.context.get(name) == value
    if kind == "settings":
        return name in state.settings and within(json.loads(value), state.settings[name])
    scope, _, key = name.partition(".")
    return [scope, key, json.loads(value)] in [list(item) for item in state.pending]


def left_behind(found: Happened) -> dict[str, object]:
    """For whoever reads why a fact does not hold."""
    program, state = next(iter(found.programs.values())), found.state or MachineState()
    return {
        "declares": program.declarations,
        "tool": program.tool,
        "prompt": program.system_prompt,
        "keeps": state.pending,
        "context": state.context,
        "settings": state.settings,
        "prints": found.printed,
        "collections": state.collections,
    }


def within(part: object, whole: object) -> bool:
    """Whether all of a part is in the whole: keys of objects may be more."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and within(value, whole[key]) for key, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) == len(whole) and all(map(within, part, whole))
    return part == whole
