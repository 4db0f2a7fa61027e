"""Trees as text: what is printed is read as the same tree again."""

from collections.abc import Iterable

from services.engine.basic import tree
from services.engine.basic.comparing import shape
from services.engine.basic.invoking import Invocations
from services.engine.basic.spelling import Unprintable, Verbatim, quoted

STEP = "  "
ONE = shape(tree.Literal(1, 1, 1))
EVENTS = {"insert": "INSERT OF", "update": "UPDATE OF", "delete": "DELETE OF", "custom": "EVENT", "form": "FORM SUBMIT"}
DELAYS = {"second": "SECONDS", "minute": "MINUTES", "hour": "HOURS", "day": "DAYS"}

__all__ = ["Printer", "Unprintable", "print_script"]


def print_script(script: tree.Script) -> str:
    """The text of a tree. Unprintable for what no text can say."""
    return Printer().script(script)


class Printer(Invocations):
    """One method a statement; each gives lines without indentation of their own."""

    def script(self, script: tree.Script) -> str:
        """A whole file."""
        lines = [line for item in script.statements for line in self.statement(item)]
        return "".join(f"{line}\n" for line in lines)

    def statement(self, item: tree.Statement) -> list[str]:
        """A statement as lines."""
        lines: list[str] = getattr(self, f"_{type(item).__name__.lower()}")(item)
        return lines

    def body(self, statements: Iterable[tree.Statement]) -> list[str]:
        """A block."""
        return [line if verbatim(line) else STEP + line for item in statements for line in self.statement(item)]

    # dialogue and variables

    def _say(self, item: tree.Say) -> list[str]:
        return [f"TALK {self.value(item.text)}"]

    def _ask(self, item: tree.Ask) -> list[str]:
        if item.into == tree.Name(item.into.line, item.into.column, "_") and item.kind == "ANY":
            return ["HEAR"]
        target = self.value(item.into)
        if item.kind == "ANY":
            return [f"HEAR {target}"]
        if item.kind.startswith("PROMPT:") and item.choices is not None:
            return [f"HEAR {target} AS {item.kind.removeprefix('PROMPT:')} {self.value(item.choices)}"]
        if item.choices is None:
            return [f"HEAR {target} AS {item.kind}"]
        return [f"HEAR {target} AS {self.value(item.choices)}"]

    def _assign(self, item: tree.Assign) -> list[str]:
        target = item.target
        written = target.name if isinstance(target, tree.Name) else self.value(target)
        return [f"{written} {item.operator}= {self.outer(item.value)}"]

    def _evaluate(self, item: tree.Evaluate) -> list[str]:
        value = item.value
        if isinstance(value, tree.Invoke):
            return self.invoked_statement(value)
        if isinstance(value, tree.Call):
            return [f"CALL {value.name}({self.listed(value.arguments)})"]
        return [self.outer(value)]

    def _with(self, item: tree.With) -> list[str]:
        return [f"WITH {self.value(item.target)}", *self.body(item.body), "END WITH"]

    def _wait(self, item: tree.Wait) -> list[str]:
        return [f"WAIT {self.value(item.seconds)}"]

    # order

    def _if(self, item: tree.If) -> list[str]:
        lines: list[str] = []
        for index, (condition, body) in enumerate(item.branches):
            lines.append(f"{'ELSEIF' if index else 'IF'} {self.value(condition)} THEN")
            lines += self.body(body)
        if item.otherwise:
            lines += ["ELSE", *self.body(item.otherwise)]
        return [*lines, "END IF"]

    def _select(self, item: tree.Select) -> list[str]:
        lines = [f"SELECT CASE {self.value(item.subject)}"]
        for tests, body in item.cases:
            lines += [f"{STEP}CASE {', '.join(map(self._test, tests))}"]
            lines += [line if verbatim(line) else STEP + line for line in self.body(body)]
        if item.otherwise:
            otherwise = [line if verbatim(line) else STEP + line for line in self.body(item.otherwise)]
            lines += [f"{STEP}CASE ELSE", *otherwise]
        return [*lines, "END SELECT"]

    def _test(self, test: tuple[str, tree.Expression, tree.Expression | None]) -> str:
        operator, low, high = test
        if operator == "TO" and high is not None:
            return f"{self.tight(low)} TO {self.tight(high)}"
        return self.tight(low) if operator == "=" else f"IS {operator} {self.tight(low)}"

    def _forrange(self, item: tree.ForRange) -> list[str]:
        step = "" if shape(item.step) == ONE else f" STEP {self.value(item.step)}"
        head = f"FOR {item.variable} = {self.value(item.first)} TO {self.value(item.last)}{step}"
        return [head, *self.body(item.body), "NEXT"]

    def _foreach(self, item: tree.ForEach) -> list[str]:
        return [f"FOR EACH {item.variable} IN {self.value(item.items)}", *self.body(item.body), "NEXT"]

    def _loop(self, item: tree.Loop) -> list[str]:
        before = f" WHILE {self.value(item.before)}" if item.before is not None else ""
        if item.kind == "WHILE":
            return [before.strip(), *self.body(item.body), "WEND"]
        after = f" WHILE {self.value(item.after)}" if item.after is not None else ""
        return [f"DO{before}", *self.body(item.body), f"LOOP{after}"]

    def _leave(self, item: tree.Leave) -> list[str]:
        if item.what == "continue":
            return [f"CONTINUE {item.loop}".rstrip()]
        return [f"EXIT {item.loop}" if item.loop else "BREAK"]

    def _label(self, item: tree.Label) -> list[str]:
        return [f"{item.name}:"]

    def _goto(self, item: tree.GoTo) -> list[str]:
        return [f"GOTO {item.name}"]

    def _stop(self, item: tree.Stop) -> list[str]:
        return ["END"]

    # subroutines and errors

    def _define(self, item: tree.Define) -> list[str]:
        return [f"SUB {item.name}({', '.join(item.parameters)})", *self.body(item.body), "END SUB"]

    def _return(self, item: tree.Return) -> list[str]:
        return [f"RETURN {self.outer(item.value)}" if item.value is not None else "RETURN"]

    def _try(self, item: tree.Try) -> list[str]:
        lines = ["TRY", *self.body(item.body), f"CATCH {item.variable}", *self.body(item.handler)]
        if item.always:
            lines += ["FINALLY", *self.body(item.always)]
        return [*lines, "END TRY"]

    def _throw(self, item: tree.Throw) -> list[str]:
        return [f"THROW {self.value(item.message)}"]

    def _onerror(self, item: tree.OnError) -> list[str]:
        return [
            {"resume": "ON ERROR RESUME NEXT", "off": "ON ERROR GOTO 0"}.get(item.mode, f"ON ERROR GOTO {item.label}")
        ]

    # what starts by itself

    def _include(self, item: tree.Include) -> list[str]:
        return [f"INCLUDE {quoted(item.path)}"]

    def _when(self, item: tree.When) -> list[str]:
        event = str(item.values["event"])
        head = f"ON {EVENTS.get(event, event.upper())}"
        if item.values["of"]:
            head += f" {quoted(str(item.values['of']))}"
        options = item.values.get("options")
        if isinstance(options, dict):
            head += "".join(f" {name.upper()} {quoted(str(value))}" for name, value in options.items())
        if item.calls:
            return [f"{head} CALL {item.calls}"]
        return [head, *self.body(item.body), "END ON"]

    def _delayed(self, item: tree.Delayed) -> list[str]:
        head = f"SCHEDULE IN {self.tight(item.amount)} {DELAYS[item.unit]} DO"
        return [head, *self.body(item.body), "END SCHEDULE"]

    # declarations

    def _declare(self, item: tree.Declare) -> list[str]:
        lines: list[str] = getattr(self, f"_declared_{item.kind}", self._undeclared)(item.values)
        return lines

    def _undeclared(self, values: dict[str, object]) -> list[str]:
        raise Unprintable(f"nothing says how {sorted(values)} is written")

    def _declared_system_prompt(self, values: dict[str, object]) -> list[str]:
        return [Verbatim(f"BEGIN SYSTEM PROMPT\n{values['text']}\nEND SYSTEM PROMPT")]

    def _declared_description(self, values: dict[str, object]) -> list[str]:
        return [f"DESCRIPTION {quoted(str(values['text']))}"]

    def _declared_parameter(self, values: dict[str, object]) -> list[str]:
        parts = [f"PARAM {values['name']} AS {values['type']}"]
        parts += [
            f"{name.upper()} {self.plain(values[name])}" for name in ("like", "enum", "default") if name in values
        ]
        parts += [] if values["required"] else ["OPTIONAL"]
        parts += [f"DESCRIPTION {self.plain(values['description'])}"] if "description" in values else []
        return [" ".join(parts)]

    def _declared_webhook(self, values: dict[str, object]) -> list[str]:
        options = {name: value for name, value in values.items() if name not in {"name", "line"}}
        words = [
            f" {name.upper()}" + ("" if value is True else f" {quoted(str(value))}") for name, value in options.items()
        ]
        return [f"WEBHOOK {quoted(str(values['name']))}{''.join(words)}"]

    def _declared_schedule(self, values: dict[str, object]) -> list[str]:
        return [f"SET SCHEDULE {quoted(str(values['when']))}"]

    def _declared_table(self, values: dict[str, object]) -> list[str]:
        head = f"TABLE {quoted(str(values['name']))}"
        head += f" ON {quoted(str(values['connection']))}" if values.get("connection") else ""
        head += self._rights(values)
        fields = values["fields"]
        rows = [STEP + self._field(item) for item in fields] if isinstance(fields, list) else []
        return [head, *rows, "END TABLE"]

    def _rights(self, values: dict[str, object]) -> str:
        words = ""
        for right in ("read", "write"):
            roles = values.get(f"{right}_by")
            if isinstance(roles, list):
                words += f" {right.upper()} BY {quoted(';'.join(roles))}"
        return words

    def _field(self, made: dict[str, object]) -> str:
        words = f"{made['name']} {made['type']}"
        if "length" in made:
            words += f"({made['length']}" + (f", {made['precision']})" if "precision" in made else ")")
        words += " KEY" if made.get("key") else ""
        words += " UNIQUE" if made.get("unique") else ""
        words += " REQUIRED" if made.get("required") else ""
        words += f" REFERENCES {quoted(str(made['references']))}" if "references" in made else ""
        words += f" DEFAULT {self.plain(made['default'])}" if "default" in made else ""
        return words + self._rights(made)


def verbatim(line: str) -> bool:
    """Whether a line stays where it is."""
    return isinstance(line, Verbatim)
