"""What is probably not meant: names nobody sets, answers of unknown types, calls with too many values."""

import dataclasses
from collections.abc import Iterator

from services.engine.basic import tree
from services.engine.basic.answers import TYPES
from services.engine.basic.diagnostics import ScriptError, closest
from services.engine.basic.encoding import PREDEFINED
from services.engine.keywords.registry import registry

NEAR = 0.8


def walk(item: object) -> Iterator[tree.Expression | tree.Statement]:
    """All expressions and statements in a tree, in order."""
    if isinstance(item, tuple | list):
        for part in item:
            yield from walk(part)
    elif isinstance(item, tree.Expression | tree.Statement | tree.Script):
        if not isinstance(item, tree.Script):
            yield item
        for field in dataclasses.fields(item):
            yield from walk(getattr(item, field.name))


class Analyzer:
    """Looks once through a tree; everything found is a warning."""

    def __init__(self, script: tree.Script, assigned: frozenset[str]) -> None:
        self._script = script
        self._assigned = {name.lower() for name in assigned} | PREDEFINED
        self._subroutines = {item.name: item for item in script.statements if isinstance(item, tree.Define)}
        self.warnings: list[ScriptError] = []
        self._columns: list[tree.Name] = []

    def run(self) -> list[ScriptError]:
        """All warnings, in order."""
        read: list[tree.Name] = []
        for item in walk(self._script):
            if isinstance(item, tree.Name):
                read.append(item)
            self._looked_at(item)
        self._unset(read)
        self._no_columns()
        return self.warnings

    def _looked_at(self, item: tree.Expression | tree.Statement) -> None:
        if isinstance(item, tree.Define):
            self._assigned |= set(item.parameters)
        elif isinstance(item, tree.Ask):
            self._type(item)
            self._sets(item.into)
        elif isinstance(item, tree.Assign):
            self._sets(item.target)
        elif isinstance(item, tree.ForEach | tree.ForRange | tree.Try):
            self._assigned.add(item.variable)
        elif isinstance(item, tree.Declare) and item.kind == "parameter":
            self._assigned.add(str(item.values["name"]).lower())
        elif isinstance(item, tree.Call):
            self._call(item)
        elif isinstance(item, tree.Invoke) and item.keyword == "UPDATE":
            for _, given in item.arguments:
                written_out = given if isinstance(given, tree.Mapping) else ()
                self._columns += [part for part in walk(written_out) if isinstance(part, tree.Name)]

    def _sets(self, target: tree.Expression) -> None:
        while isinstance(target, tree.Member):
            target = target.of
        if isinstance(target, tree.Name):
            self._assigned.add(target.name.lower())

    def _type(self, item: tree.Ask) -> None:
        kind = item.kind.removeprefix("PROMPT:")
        near = "" if kind in TYPES else closest(kind, TYPES, NEAR)
        if near:
            self.warnings.append(ScriptError("BAS152", f"{kind} is no type of answer: any will do", item.line, 1, near))

    def _call(self, item: tree.Call) -> None:
        known = self._subroutines.get(item.name)
        if known is not None:
            if len(item.arguments) > len(known.parameters):
                message = f"{item.name} has {len(known.parameters)} parameters, not {len(item.arguments)}"
                self.warnings.append(ScriptError("BAS147", message, item.line, item.column))
            return
        keyword = registry().functions.get(item.name)
        if keyword is None or any(slot == "values" for slot in keyword.slots().values()):
            return
        most = max(len(list(form.slots())) for form in keyword.patterns)
        if len(item.arguments) > most:
            message = f"{item.name} takes {most} values, not {len(item.arguments)}"
            self.warnings.append(ScriptError("BAS146", message, item.line, item.column, f"write {keyword.forms[0]}"))

    def _no_columns(self) -> None:
        """UPDATE t SET total = total + 1 reads a variable: a name that nothing sets was meant as the column."""
        for item in self._columns:
            if item.name.lower() not in self._assigned:
                message = f"nothing sets {item.name}: to the right of = stands a variable, not the column"
                hint = "FIND the row first and use its field"
                self.warnings.append(ScriptError("BAS161", message, item.line, item.column, hint))

    def _unset(self, read: list[tree.Name]) -> None:
        """A name that is never set, while one that is set is spelled almost like it."""
        told: set[str] = set()
        for item in read:
            name = item.name.lower()
            if name in self._assigned or name in told or len(name) < 4:
                continue
            others = [known.upper() for known in self._assigned if len(known) > 3 and not related(known, name)]
            near = closest(name, others, NEAR)
            if near:
                told.add(name)
                message = f"nothing sets {item.name}"
                self.warnings.append(ScriptError("BAS151", message, item.line, item.column, near.lower()))


def related(first: str, second: str) -> bool:
    """One is the other with an ending: customer and customers are two things."""
    return first.startswith(second) or second.startswith(first)
