"""The text of a filter, read by a small grammar of its own:

    either   = both { OR both }
    both     = one { (AND | ,) one }
    one      = NOT one | ( either ) | field [NOT] operator value | field IS [NOT] NULL
    value    = 'text' | number | TRUE | FALSE | NULL | words without quotes | an inserted value

Inserted values are tokens of their own: between quotes they are part of the text, anywhere else they are the value.
"""

import re
from dataclasses import dataclass
from typing import Any

from services.engine.program.values import ProgramError, Value, text_of

LONGEST_TEXT = 65_536
DEEPEST = 40
TOKEN = re.compile(r"\s*(?:(<=|>=|<>|!=|==|=|<|>)|([(),])|([^\s'\"(),=<>!]+|!)|$)")
WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,17})")
DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,15})\.[0-9]{1,15}")
SAME = {"==": "=", "!=": "<>"}
WORDS = frozenset({"like", "ilike", "in", "between", "contains", "is", "not"})
CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}
EXAMPLE = "write it like name = 'Ann' AND age > 30"


@dataclass(frozen=True, slots=True)
class Token:
    """kind: operator, mark, word, text (was in quotes), value (was inserted), end. at: column in the text, from 1."""

    kind: str
    value: Value
    at: int
    spaced: bool = False

    @property
    def low(self) -> str:
        """A word in lower case; empty for anything else."""
        return str(self.value).lower() if self.kind == "word" else ""


def parse_text(parts: list[Value]) -> list[Any] | None:
    """The filter in literal text and inserted values in turns. ProgramError that says where it is none."""
    tokens = Lexer(parts).tokens()
    return None if tokens[0].kind == "end" else Reader(tokens).whole()


class Lexer:
    """Turns text and values into tokens."""

    def __init__(self, parts: list[Value]) -> None:
        self._parts = [text_of(part) if index % 2 == 0 else part for index, part in enumerate(parts)]
        if sum(len(part) for part in self._parts[::2]) > LONGEST_TEXT:
            message = f"a filter may have {LONGEST_TEXT} characters"
            raise ProgramError(message)
        self._found: list[Token] = []
        self._base = 0

    def tokens(self) -> list[Token]:
        """All tokens, an end last."""
        part = position = 0
        while part < len(self._parts):
            if part % 2:
                before = self._parts[part - 1]
                spaced = not before or before[-1:].isspace()
                self._found.append(Token("value", self._parts[part], self._base + 1, spaced))
                part, position = part + 1, 0
                continue
            part, position = self._text(part, position)
        self._found.append(Token("end", "", self._base + 1))
        return self._found

    def _text(self, part: int, position: int) -> tuple[int, int]:
        """Tokens of a literal part; where reading goes on."""
        text: str = self._parts[part]
        while position < len(text):
            start = position + len(text[position:]) - len(text[position:].lstrip())
            if start < len(text) and text[start] in "'\"":
                part, position = self._quoted(part, start)
                text = self._parts[part]
                continue
            match = TOKEN.match(text, position)
            if match is None or match.end() == position:
                break
            self._keep(match, start, spaced=start > position or start == 0)
            position = match.end()
        self._base += len(text)
        return part + 1, 0

    def _keep(self, match: re.Match[str], start: int, *, spaced: bool) -> None:
        at = self._base + start + 1
        if match[1]:
            self._found.append(Token("operator", SAME.get(match[1], match[1]), at, spaced))
        elif match[2]:
            self._found.append(Token("mark", match[2], at, spaced))
        elif match[3]:
            self._found.append(Token("word", match[3], at, spaced))

    def _quoted(self, part: int, start: int) -> tuple[int, int]:
        """Text in quotes, which may reach over inserted values."""
        text: str = self._parts[part]
        mark, at, position = text[start], self._base + start + 1, start + 1
        content: list[str] = []
        while True:
            end = text.find(mark, position)
            if end >= 0:
                content.append(text[position:end])
                if text[end + 1 : end + 2] != mark:
                    self._found.append(Token("text", "".join(content), at, spaced=True))
                    return part, end + 1
                content.append(mark)
                position = end + 2
                continue
            content.append(text[position:])
            if part + 2 >= len(self._parts):
                message = f"the filter has a text that is not closed, at {at}: {EXAMPLE}"
                raise ProgramError(message)
            self._base += len(text)
            content.append(text_of(self._parts[part + 1]))
            part, position = part + 2, 0
            text = self._parts[part]


class Reader:
    """Reads tokens as a filter."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._position = 0
        self._depth = 0

    def whole(self) -> list[Any]:
        """All of it."""
        found = self._either()
        if self._token.kind != "end":
            raise self._wrong("AND, OR or the end")
        return found

    @property
    def _token(self) -> Token:
        return self._tokens[self._position]

    def _ahead(self, by: int = 1) -> Token:
        return self._tokens[min(self._position + by, len(self._tokens) - 1)]

    def _next(self) -> Token:
        token = self._token
        if token.kind != "end":
            self._position += 1
        return token

    def _is_mark(self, mark: str) -> bool:
        return self._token.kind == "mark" and self._token.value == mark

    def _wrong(self, expected: str) -> ProgramError:
        token = self._token
        found = "the end" if token.kind == "end" else repr(text_of(token.value)[:40])
        return ProgramError(
            f"the filter is not understood at {token.at}: expected {expected}, found {found}; {EXAMPLE}"
        )

    def _either(self) -> list[Any]:
        found = [self._both()]
        while self._token.low == "or":
            self._next()
            found.append(self._both())
        return found[0] if len(found) == 1 else ["or", *found]

    def _both(self) -> list[Any]:
        found = [self._one()]
        while self._token.low == "and" or self._is_mark(","):
            self._next()
            found.append(self._one())
        return found[0] if len(found) == 1 else ["and", *found]

    def _one(self) -> list[Any]:
        self._depth += 1
        if self._depth > DEEPEST:
            message = f"a filter may be {DEEPEST} deep"
            raise ProgramError(message)
        found = self._inner()
        self._depth -= 1
        return found

    def _inner(self) -> list[Any]:
        if self._token.low == "not":
            self._next()
            return ["not", self._one()]
        if self._is_mark("("):
            self._next()
            found = self._either()
            if not self._is_mark(")"):
                raise self._wrong(")")
            self._next()
            return found
        return self._comparison()

    def _comparison(self) -> list[Any]:
        token = self._token
        if token.kind not in {"word", "value", "text"}:
            raise self._wrong("a field")
        self._next()
        name = text_of(token.value).rpartition(".")[2]
        if self._token.kind == "operator":
            return [str(self._next().value), name, self._value()]
        return self._worded(name)

    def _worded(self, name: str) -> list[Any]:
        """Operators that are words."""
        negated = self._token.low == "not"
        if negated:
            self._next()
        word = self._token.low
        if word not in WORDS - {"not"}:
            raise self._wrong("= <> < > <= >= LIKE IN BETWEEN CONTAINS or IS NULL")
        self._next()
        if word == "is":
            if self._token.low == "not":
                negated = True
                self._next()
            made = self._null(name)
        elif word == "in":
            made = ["in", name, self._list()]
        elif word == "between":
            made = self._between(name)
        else:
            made = ["like" if word == "ilike" else word, name, self._value()]
        return ["not", made] if negated else made

    def _null(self, name: str) -> list[Any]:
        if self._token.low != "null":
            raise self._wrong("NULL")
        self._next()
        return ["is_null", name]

    def _between(self, name: str) -> list[Any]:
        low = self._value(ending=("and",))
        if self._token.low != "and":
            raise self._wrong("AND")
        self._next()
        return ["between", name, [low, self._value()]]

    def _list(self) -> list[Value]:
        if self._token.kind == "value":
            value = self._next().value
            return value if isinstance(value, list) else [value]
        if not self._is_mark("("):
            raise self._wrong("( and values")
        self._next()
        found: list[Value] = []
        while not self._is_mark(")"):
            value = self._value(listed=True)
            found.extend(value if isinstance(value, list) else [value])
            if self._is_mark(","):
                self._next()
            elif not self._is_mark(")"):
                raise self._wrong(", or )")
        self._next()
        return found

    def _value(self, *, ending: tuple[str, ...] = (), listed: bool = False) -> Value:
        """One value; words without quotes run on to AND, OR or a comma that another condition follows."""
        run = [self._next()] if self._token.kind in {"word", "text", "value"} else []
        if run and run[0].kind == "text":
            return run[0].value
        if not run:
            if self._token.kind == "end" or self._is_mark(","):
                return ""
            raise self._wrong("a value")
        while self._goes_on(ending, listed=listed):
            run.append(self._next())
        if len(run) == 1:
            return run[0].value if run[0].kind == "value" else meant(run[0])
        pieces = [(" " if index and token.spaced else "") + text_of(token.value) for index, token in enumerate(run)]
        return "".join(pieces)

    def _goes_on(self, ending: tuple[str, ...], *, listed: bool) -> bool:
        token = self._token
        if token.kind == "mark":
            return token.value == "," and not listed and not self._another(1) and self._ahead().kind != "end"
        if token.kind not in {"word", "value"} or token.low in ending:
            return False
        return not (token.low in {"and", "or"} and self._another(1))

    def _another(self, by: int) -> bool:
        """Whether a condition begins so many tokens ahead."""
        first, second = self._ahead(by), self._ahead(by + 1)
        if first.low == "not" or (first.kind == "mark" and first.value == "("):
            return True
        return second.kind == "operator" or (second.low in WORDS and first.kind in {"word", "value", "text"})


def meant(token: Token) -> Value:
    """What a word without quotes stands for."""
    text = str(token.value)
    if token.low in CONSTANTS:
        return CONSTANTS[token.low]
    if WHOLE.fullmatch(text):
        return int(text)
    return float(text) if DECIMAL.fullmatch(text) else text
