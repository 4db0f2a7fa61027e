"""Text to tokens. A newline ends a statement unless a bracket is open or an operator or comma asks for more."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from services.engine.basic.diagnostics import ScriptError
from services.engine.keywords.registry import registry

Kind = Literal["word", "number", "string", "operator", "newline", "block", "end"]
CURLED = re.compile("[“”„‘’\u00a0\ufeff]")
SMART = str.maketrans({"“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "\u00a0": " ", "\ufeff": " "})
KEPT = re.compile(r'"(?:[^"\\“”„]|\\.|[“„][^"“”„]*”)*"|[^"]|"')
"""A whole text in straight quotes, or one character."""
LONGEST_INSERTED = 10_000
"""Characters between ${ and }."""
MOST_UNCLOSED = 20
"""Of one line; what follows them is not looked at for }, so that garbage costs no more than its length."""
NUMBER = re.compile(r"(?:\d+(\.\d+)?|(?<![\w)\]])\.\d+)([eE][+-]?\d+)?")
WORD = re.compile(r"[^\W\d]\w*[$%]?")
MARKS = "+-*/\\^&=<>!()[]{},.:;?#%"
PAIRS = ("?.", "??", "++", "--", "+=", "-=", "*=", "/=", "&=", "<>", "!=", "==", "<=", ">=", "&&", "||", "#{")
OPERATORS = (*PAIRS, *MARKS)
STEPS = frozenset({"++", "--"})
BLOCK = re.compile(r"^\s*BEGIN\s+(TALK|SYSTEM\s+PROMPT|PROMPT|MAIL)\b(.*)$", re.IGNORECASE)
OPENS = re.compile(r"(?:^|[\s(,=+])\"\s*$")
COMMENT_LINE = re.compile(r"\s*(?:'|//|#|REM\b)", re.IGNORECASE)
LONGEST_TEXT = 500
REMARK = re.compile(r"REM(\s|$)", re.IGNORECASE)
LEADING = re.compile(r"^\s+(?:[+&]\s|AND\b|OR\b)", re.IGNORECASE)
LONGEST_TEXT_LINES = 30
LONGEST_LINE = 65_536
MOST_TOKENS = 400_000
MOST_ERRORS = 500
STATEMENT = re.compile(
    r"^\s*(?:(?:TALK|HEAR|IF|ELSE|ELSEIF|WHILE|WEND|RETURN|SUB|FUNCTION|FOR\s+EACH)\b(?!\s*[:=,.(\]})])"
    r"|END\s+(?:IF|FOR|WHILE|SUB|FUNCTION|SELECT|SWITCH|TRY|WITH|ON)\s*(?:'.*)?$)",
    re.IGNORECASE,
)
UNQUOTED = re.compile(r"^\s*(TALK|DESCRIPTION)\s+[^\W\d]", re.IGNORECASE)
APOSTROPHE_WORD = re.compile(r"[^\W\d]\w*(?:'[^\W\d]\w*)+")
CLOSING = re.compile(r"(?<![^\W_])'|'(?![^\W_])")
OPENERS, CLOSERS = frozenset({"(", "[", "{", "#{"}), frozenset({")", "]", "}"})
CONTINUES = frozenset({",", "+", "&", "-", "*", "/", "=", "&&", "||"})
OF_THE_LANGUAGE = frozenset(
    """
    TALK PRINT AS CASE RETURN IN TO AND OR NOT LIKE DESCRIPTION THROW RAISE WITH IF ELSEIF WHILE UNTIL
    """.split()
)
QUOTED = re.compile(r'^(\s*(?:PARAM\b.*\s)?DESCRIPTION\s+)"(.*[^"\\]"[^"].*)"\s*$', re.IGNORECASE)


@lru_cache(maxsize=1)
def before_quote() -> frozenset[str]:
    """Words after which an apostrophe begins a text, not a comment."""
    return OF_THE_LANGUAGE | registry().vocabulary


@lru_cache(maxsize=1)
def old_spellings() -> dict[str, str]:
    """SET_BOT_MEMORY and its like, as scripts of 2024 wrote keywords of several words."""
    names = {name.replace(" ", "_"): name for name in registry().names() if " " in name}
    return {old: new for old, new in names.items() if old not in registry().names()} | {
        "ADD_KB": "USE KB",
        "SET_KB": "USE KB",
    }


@dataclass(frozen=True, slots=True)
class Token:
    """A token with its place. `text` is as written; a string's is its content, a block's its body."""

    kind: Kind
    text: str
    line: int
    column: int
    spaced: bool = False

    @property
    def upper(self) -> str:
        """For comparison with keywords."""
        return self.text.upper() if self.kind == "word" else ""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its place, kept for whoever prints the script again."""

    text: str
    line: int
    column: int


class Lexer:
    """One pass over the lines of a script."""

    def __init__(self, source: str) -> None:
        lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self.lines = self._lines = joined([straightened(line) for line in lines])
        self.tokens: list[Token] = []
        self.comments: list[Comment] = []
        self.errors: list[ScriptError] = []
        self.blocks: list[tuple[int, int]] = []  # lines of BEGIN and END
        self._depth = 0
        self._says = False
        self._skipped = 0
        self._unclosed = 0

    def run(self) -> list[Token]:
        """All tokens, the last of kind "end". What cannot be read is in `errors`."""
        index = 0
        while index < len(self._lines):
            if (
                self._depth == 0
                and LEADING.match(self._lines[index])
                and self.tokens[-1:]
                and self.tokens[-1].kind == "newline"
            ):
                self.tokens.pop()
            if self._depth > 0 and STATEMENT.match(self._lines[index]):
                self._depth = 0  # a bracket that was forgotten: the statement begins here all the same
                self._newline()
            block = BLOCK.match(self._lines[index]) if self._depth == 0 else None
            if block:
                index = self._block(index, block)
                continue
            self._line(self._lines[index], index + 1)
            self._newline()
            index += 1 + self._skipped
            self._skipped = 0
            if self._is_too_much(index):
                break
        if self._depth > 0:
            self._depth = 0
            self._newline()
        last = self.tokens[-1].line if self.tokens else len(self._lines)
        self.tokens.append(Token("end", "", last, len(self._lines[last - 1]) + 1))
        self.tokens = [part for token in self.tokens for part in spelled(token)]
        return self.tokens

    def _is_too_much(self, line: int) -> bool:
        """Whether what follows is not worth reading."""
        if len(self.tokens) > MOST_TOKENS:
            message = f"a script has at most {MOST_TOKENS} words and marks; what follows is not read"
            self.errors.append(ScriptError("BAS109", message, line, 1, "divide it into several scripts"))
        return len(self.tokens) > MOST_TOKENS or len(self.errors) >= MOST_ERRORS

    def _newline(self) -> None:
        last = self.tokens[-1] if self.tokens else None
        if last is None or last.kind == "newline" or self._depth > 0:
            return
        if last.kind == "operator" and last.text in CONTINUES:
            return
        if last.upper in {"AND", "OR"} or (last.text == "_" and last.kind == "word" and last.spaced):
            if last.text == "_":
                self.tokens.pop()
            return
        self.tokens.append(Token("newline", "\n", last.line, len(self._lines[last.line - 1]) + 1))

    def _block(self, index: int, match: re.Match[str]) -> int:
        name = re.sub(r"\s+", " ", match[1].upper())
        words = name.replace(" ", r"\s+")
        closing = re.compile(rf"^\s*END\s+{words}\s*$", re.IGNORECASE)
        mail = name == "MAIL"
        body: list[str] = [match[2].strip()] if match[2].strip() and not mail else []
        start = index + 1
        index += 1
        while index < len(self._lines) and not closing.match(self._lines[index]):
            body.append(self._lines[index])
            index += 1
        if index >= len(self._lines):
            message = f"BEGIN {name} has no END {name}"
            self.errors.append(ScriptError("BAS104", message, start, 1, f"add END {name}"))
        self.blocks.append((start, min(index + 1, len(self._lines))))
        self.tokens.append(Token("word", f"BEGIN {name}", start, 1))
        if mail:
            self._line(" " * match.start(2) + match[2], start)
        self.tokens.append(Token("block", dedent(body), start, 1))
        self.tokens.append(Token("newline", "\n", start, 1))
        return index + 1

    def _line(self, text: str, line: int) -> None:
        if len(text) > LONGEST_LINE:
            message = f"a line is at most {LONGEST_LINE} characters long, this one has {len(text)}"
            self.errors.append(ScriptError("BAS109", message, line, 1, "put it on several lines"))
            return
        position, first, self._unclosed = 0, True, 0
        quoted = QUOTED.match(text) if self._depth == 0 else None
        if quoted:
            self._line(quoted[1], line)
            self.tokens.append(Token("string", quoted[2], line, quoted.start(2), spaced=True))
            return
        self._says = self._depth == 0 and UNQUOTED.match(text) is not None
        while position < len(text):
            if text[position].isspace():
                position += 1
                continue
            if self._comment(text, position, line, first=first):
                return
            position = self._token(text, position, line)
            first = False

    def _comment(self, text: str, position: int, line: int, *, first: bool) -> bool:
        mark = text[position]
        if mark not in "/'#rR":
            return False
        rest = text[position:]
        found = (
            rest.startswith("//")
            or (mark == "'" and not self._is_string(text, position, first=first))
            or (self._depth == 0 and (first or text[position - 1].isspace()) and REMARK.match(rest) is not None)
            or (first and self._depth == 0 and mark == "#" and not rest.startswith("#{"))
        )
        if found:
            self.comments.append(Comment(rest, line, position + 1))
        return found

    def _is_string(self, text: str, position: int, *, first: bool) -> bool:
        if first and self._depth == 0:
            return False
        if CLOSING.search(text, position + 1) is None:
            return False
        last = self.tokens[-1] if self.tokens else None
        if last is None or last.kind in {"number", "string"}:
            return False
        if last.kind == "word":
            return last.upper in before_quote() and not text.startswith(" ", position + 1)
        return last.text not in CLOSERS

    def _token(self, text: str, position: int, line: int) -> int:
        character = text[position]
        spaced = position > 0 and text[position - 1].isspace()
        if character in "\"'`":
            return self._string(text, position, line)
        for kind, pattern in (("number", NUMBER), ("word", APOSTROPHE_WORD if self._says else WORD), ("word", WORD)):
            match = pattern.match(text, position)
            if match:
                self.tokens.append(Token(kind, match[0], line, position + 1, spaced))  # type: ignore[arg-type]
                return match.end()
        for operator in OPERATORS:
            if text.startswith(operator, position) and not (operator in STEPS and text[position + 2 :].strip(" ;")):
                if operator in OPENERS:
                    self._depth += 1
                elif operator in CLOSERS:
                    self._depth = max(0, self._depth - 1)
                self.tokens.append(Token("operator", operator, line, position + 1, spaced))
                return position + len(operator)
        self.tokens.append(Token("operator", character, line, position + 1, spaced))
        return position + 1

    def _string(self, text: str, position: int, line: int) -> int:
        quote, start = text[position], position
        position += 1
        content: list[str] = []
        while position < len(text):
            character = text[position]
            if character == "\\" and position + 1 < len(text) and text[position + 1] in "nt\"'\\":
                content.append({"n": "\n", "t": "\t"}.get(text[position + 1], text[position + 1]))
                position += 2
            elif self._unclosed < MOST_UNCLOSED and text.startswith("${", position):
                end = matching_brace(text, position + 2)
                self._unclosed += end < 0
                content.append(text[position : end + 1] if end > 0 else "${")
                position = end + 1 if end > 0 else position + 2
            elif character == quote and text[position + 1 : position + 2] == quote:
                content.append(quote)
                position += 2
            elif character == quote:
                self.tokens.append(Token("string", "".join(content), line, start + 1, spaced=True))
                return position + 1
            else:
                content.append(character)
                position += 1
        more = self._following(line, quote) if quote in '"`' else []
        if more:
            self._skipped = len(more)
            text = "\n".join(["".join(content), *more])
            self.tokens.append(Token("string", text, line, start + 1, spaced=True))
            return position
        problem = ScriptError("BAS102", "this text has no closing quote", line, start + 1, f"add {quote} at its end")
        self.errors.append(problem)
        self.tokens.append(Token("string", "".join(content).replace("${", "$ {"), line, start + 1, spaced=True))
        return len(text)

    def _following(self, line: int, quote: str) -> list[str]:
        """Further lines of a text: they hold no quote but one at the very end, and do not begin a statement."""
        found: list[str] = []
        for text in self._lines[line : line + LONGEST_TEXT_LINES]:
            plain = text.rstrip()
            if STATEMENT.match(text) or quote in plain[:-1]:
                return []
            if plain.endswith(quote):
                return [*found, plain[:-1]]
            found.append(plain)
        return []


def matching_brace(text: str, position: int) -> int:
    """Where the brace opened before `position` closes, texts inside it passed over; -1 when it does not soon."""
    open_ = ["{"]
    index, end = position, min(len(text), position + LONGEST_INSERTED)
    while index < end:
        character, inside = text[index], open_[-1]
        if inside in "\"'":
            if character == "\\":
                index += 1
            elif character == inside:
                open_.pop()
            elif text.startswith("${", index):
                open_.append("{")
                index += 1
        elif character == "}":
            open_.pop()
        elif character in "\"'{":
            open_.append(character)
        if not open_:
            return index
        index += 1
    return -1


def straightened(line: str) -> str:
    """Quotes as keyboards write them; those that stand in pairs inside a text in straight quotes stay."""
    if not CURLED.search(line):
        return line
    return KEPT.sub(lambda found: found[0] if found[0][0] == '"' else found[0].translate(SMART), line)


def joined(lines: list[str]) -> list[str]:
    """A text over several lines as one: it opens at the end of a line and closes at the beginning of a later one."""
    made = list(lines)
    index = 0
    while index < len(made):
        if OPENS.search(made[index]) and made[index].count('"') % 2 == 1 and not COMMENT_LINE.match(made[index]):
            until = range(index + 1, min(len(made), index + LONGEST_TEXT))
            end = next((at for at in until if made[at].count('"') % 2 or made[at].lstrip().startswith('"')), None)
            if end is not None and made[end].lstrip().startswith('"'):
                inside = "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in made[index + 1 : end])
                made[index] = made[index].rstrip() + inside + made[end].lstrip()
                made[index + 1 : end + 1] = [""] * (end - index)
        index += 1
    return made


def dedent(lines: list[str]) -> str:
    """A block's text without the indentation common to its lines."""
    filled = [line for line in lines if line.strip()]
    margin = min((len(line) - len(line.lstrip()) for line in filled), default=0)
    return "\n".join(line[margin:].rstrip() for line in lines).strip("\n")


def spelled(token: Token) -> list[Token]:
    """SET_BOT_MEMORY and its like in today's words."""
    words = old_spellings().get(token.upper) if token.kind == "word" and "_" in token.text else None
    if words is None:
        return [token]
    return [Token("word", word, token.line, token.column, token.spaced) for word in words.split()]
