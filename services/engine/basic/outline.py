"""The names of a script with all places where they stand: what editors jump to, list and rename."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from services.engine.basic import tree
from services.engine.basic.analysis import walk
from services.engine.basic.comparing import parsed, shape
from services.engine.basic.cursor import assigned, defined
from services.engine.basic.lexer import Lexer, Token, matching_brace
from services.engine.basic.marking import MarkingParser
from services.engine.keywords.registry import registry

VARIABLE, SUB, LABEL, TABLE = "variable", "subroutine", "label", "table"
BINDING = frozenset({"EACH", "FOR", "CATCH", "NEXT", "DIM", "PARAM"})


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A name in the text; line and column count from 1, the column in characters."""

    line: int
    column: int
    text: str = ""

    def covers(self, line: int, column: int) -> bool:
        """Whether a place lies in it or right behind it."""
        return self.line == line and self.column <= column <= self.column + len(self.text)


@dataclass(frozen=True, slots=True)
class Definition:
    """Something with a name: where it begins and its last line."""

    kind: str
    name: str
    place: Place
    last_line: int
    detail: str = ""


@dataclass(slots=True)
class Outline:
    """Everything an editor asks of one text. names: places by (kind, name in lower case), in order."""

    text: str
    lines: list[str]
    tokens: list[Token]
    keywords: frozenset[int]
    names: dict[tuple[str, str], list[Place]] = field(default_factory=dict)
    definitions: list[Definition] = field(default_factory=list)

    def at(self, line: int, column: int) -> tuple[str, str] | None:
        """The name that stands at a place."""
        for key, places in self.names.items():
            if any(place.covers(line, column) for place in places):
                return key
        return None

    def defined(self, key: tuple[str, str]) -> Place | None:
        """Where a SUB, a label or a table is made, or a variable first gets a value."""
        made = next((item.place for item in self.definitions if (item.kind, item.name.lower()) == key), None)
        places = self.names.get(key)
        return made or (places[0] if places else None)

    def known(self, kind: str) -> list[str]:
        """Names of a kind."""
        return sorted(name for found, name in self.names if found == kind)


def outline(text: str) -> Outline:
    """The names of a text, as far as it can be understood."""
    lexer = Lexer(text)
    parser = MarkingParser(lexer.run(), lexer.lines)
    script = parser.parse()
    keywords = frozenset(position for position, kind in parser.marks if kind == "keyword")
    made = Outline(text, lexer.lines, parser.tokens, keywords)
    Names(made, script).fill()
    return made


class Names:
    """Finds the names of an outline."""

    def __init__(self, made: Outline, script: tree.Script) -> None:
        self._made = made
        self._script = script
        self._assigned = {name.lower() for name in assigned(made.tokens)} - {"each"}
        self._subs = {name.lower() for name in defined(made.tokens)}

    def fill(self) -> None:
        """All of them, each place once."""
        for made in walk(self._script):
            if isinstance(made, tree.ForEach | tree.ForRange | tree.Try):
                self._assigned.add(made.variable)
            elif isinstance(made, tree.Define):
                self._assigned |= set(made.parameters)
        fields = self._fields()
        for item in walk(self._script):
            if isinstance(item, tree.Name) and id(item) not in fields:
                self._add(VARIABLE, item.name, item.line, item.column)
        self._from_tokens()
        self._from_texts()
        for key, places in self._made.names.items():
            self._made.names[key] = sorted(set(places))
        self._made.definitions.sort(key=lambda item: item.place)

    def _fields(self) -> set[int]:
        """Names that are no variables: fields in WITH, columns in WHERE."""
        found: set[int] = set()
        for item in walk(self._script):
            if isinstance(item, tree.With):
                found |= {id(part.target) for part in item.body if isinstance(part, tree.Assign) and not part.operator}
            elif isinstance(item, tree.Where):
                compared = (part for part in walk(item.condition) if isinstance(part, tree.Binary))
                found |= {id(part.left) for part in compared}
        return found

    def _add(self, kind: str, name: str, line: int, column: int) -> None:
        """A place, when the name really stands there: in templates and SQL it may not."""
        if not 1 <= line <= len(self._made.lines):
            return
        source = self._made.lines[line - 1]
        written = source[column - 1 : column - 1 + len(name)]
        after = source[column - 1 + len(name) : column + len(name)]
        if written.lower() == name.lower() and not (after.isalnum() or after == "_"):
            key = (kind, name.lower())
            self._made.names.setdefault(key, []).append(Place(line, column, written))

    def _from_tokens(self) -> None:
        """What the tree has no places for: subroutines, labels, variables of loops."""
        start, opened = True, False
        for before, token in pairwise([Token("newline", "", 0, 0), *self._made.tokens]):
            name = token.text.rstrip("$%").lower()
            start = before.kind == "newline"
            if start:
                opened = token.upper in {"SUB", "FUNCTION"}
            if token.kind != "word":
                continue
            if name in self._subs and not opened and before.text not in {".", "?."}:
                self._add(SUB, name, token.line, token.column)
            if before.upper in {"SUB", "FUNCTION"} and opened:
                self._subroutine(token)
            elif opened and name in self._assigned:
                self._add(VARIABLE, name, token.line, token.column)
            elif before.upper == "GOTO":
                self._add(LABEL, name, token.line, token.column)
            elif before.upper in BINDING and name in self._assigned:
                self._add(VARIABLE, name, token.line, token.column)
        self._labels_and_tables()

    def _subroutine(self, token: Token) -> None:
        name = token.text.rstrip("$%")
        self._add(SUB, name, token.line, token.column)
        made = next(
            (item for item in self._script.statements if isinstance(item, tree.Define) and item.name == name.upper()),
            None,
        )
        parameters = ", ".join(made.parameters) if made else ""
        place = Place(token.line, token.column, name)
        self._made.definitions.append(Definition(SUB, name, place, self._end(token.line), f"{name}({parameters})"))

    def _end(self, line: int) -> int:
        """The line of END SUB after a line."""
        for token, after in pairwise(self._made.tokens):
            if token.line > line and token.upper == "END" and after.upper in {"SUB", "FUNCTION"}:
                return token.line
        return line

    def _labels_and_tables(self) -> None:
        for item in walk(self._script):
            if isinstance(item, tree.Label):
                line = self._made.lines[item.line - 1]
                column = len(line) - len(line.lstrip()) + 1
                self._add(LABEL, item.name, item.line, column)
                self._made.definitions.append(
                    Definition(LABEL, item.name, Place(item.line, column, item.name), item.line)
                )
            elif isinstance(item, tree.Declare) and item.kind == "table":
                self._table(item)

    def _table(self, item: tree.Declare) -> None:
        name = str(item.values["name"])
        column = max(0, self._made.lines[item.line - 1].find(name)) + 1
        fields = item.values["fields"]
        columns = ", ".join(str(part["name"]) for part in fields) if isinstance(fields, list) else ""
        self._made.definitions.append(Definition(TABLE, name, Place(item.line, column, name), item.line, columns))

    def _from_texts(self) -> None:
        """Names in ${...}, whose tree has the place of the whole text."""
        for number, line in enumerate(self._made.lines, 1):
            begin = line.find("${")
            while begin >= 0:
                end = matching_brace(line, begin + 2)
                if end < 0:
                    break
                self._inserted(line[begin + 2 : end], number, begin + 2)
                begin = line.find("${", end)

    def _inserted(self, text: str, line: int, offset: int) -> None:
        before = Token("newline", "", 0, 0)
        tokens = Lexer(text).run()
        for token, after in pairwise(tokens):
            name = token.text.rstrip("$%").lower()
            plain = token.kind == "word" and before.text not in {".", "?."} and after.text != ":"
            if plain and name in self._subs:
                self._add(SUB, name, line, offset + token.column)
            elif plain and name in self._assigned and after.text != "(":
                self._add(VARIABLE, name, line, offset + token.column)
            before = token
        for token in tokens:
            if token.kind == "string" and "${" in token.text:
                inner = text.find("${", token.column - 1)
                end = matching_brace(text, inner + 2) if inner >= 0 else -1
                if end > 0:
                    self._inserted(text[inner + 2 : end], line, offset + inner + 2)


class CannotRename(Exception):
    """Why a name stays."""


def renamed(text: str, line: int, column: int, name: str) -> tuple[list[Place], str]:
    """Places to change and the text with the new name. CannotRename when it would mean another thing afterwards."""
    made = outline(text)
    key = made.at(line, column)
    if key is None:
        raise CannotRename("no variable, SUB or label of this script stands here")
    if not name.isidentifier() or name.upper() in registry().names() | registry().vocabulary:
        raise CannotRename(f"{name} cannot be a name: letters, digits and _, and no word of the language")
    if any(name.lower() == known for _, known in made.names) or same_text(shape(parsed(text)[0]), name.lower()):
        raise CannotRename(f"{name} is in use in this script")
    places = made.names[key]
    changed = replaced(made.lines, places, name)
    before, after = shape(parsed(text)[0]), shape(parsed(changed)[0])
    if back(after, name.lower(), key[1]) != back(before, name.lower(), key[1]):
        raise CannotRename(f"{key[1]} also stands where it cannot be told from other words, for example in SQL")
    return places, changed


def replaced(lines: list[str], places: list[Place], name: str) -> str:
    """Lines with another name at these places."""
    made = list(lines)
    for place in sorted(places, reverse=True):
        line = made[place.line - 1]
        made[place.line - 1] = line[: place.column - 1] + name + line[place.column - 1 + len(place.text) :]
    return "\n".join(made)


def back(item: object, name: str, old: str) -> object:
    """A shape in which the new name is the old one again, whatever the case."""
    if isinstance(item, tuple):
        return tuple(back(part, name, old) for part in item)
    return old if isinstance(item, str) and item.lower() in {name, old} else item


def same_text(item: object, name: str) -> bool:
    """Whether a shape has this text anywhere."""
    return any(text.lower() == name for text in texts_of(item))


def texts_of(item: object) -> Iterator[str]:
    """All texts of a shape."""
    if isinstance(item, tuple):
        for part in item:
            yield from texts_of(part)
    elif isinstance(item, str):
        yield item
