"""A script as it is best read: blocks indented, keywords in capitals, one space around operators. Its meaning stays."""

from dataclasses import dataclass, field

from services.engine.basic.comparing import parsed, shape
from services.engine.basic.diagnostics import ScriptError
from services.engine.basic.lexer import BLOCK, Lexer, Token
from services.engine.basic.marking import MarkingParser

STEP = "  "
TIGHT_BEFORE = frozenset({",", ";", ")", "]", "}", ":", "?.", "++", "--"})
OPENERS = frozenset({"(", "[", "{", "#{"})
CLOSERS = frozenset({")", "]", "}"})
AS_WRITTEN = frozenset({"(", "[", ".", "#", "?"})
SIGNS = frozenset({"+", "-", "!"})


class CannotFormat(Exception):
    """Why a script stays as it is."""

    def __init__(self, message: str, errors: list[ScriptError] | None = None) -> None:
        super().__init__(message)
        self.errors = errors or []


@dataclass(slots=True)
class Piece:
    """A token as it was written. gap: spaces before it."""

    text: str
    token: Token
    gap: int
    keyword: bool
    verbatim: bool


@dataclass(slots=True)
class Written:
    """A script, taken apart."""

    lines: list[str]
    parser: MarkingParser
    pieces: dict[int, list[Piece]] = field(default_factory=dict)
    comments: dict[int, int] = field(default_factory=dict)
    blocks: dict[int, int] = field(default_factory=dict)


def format_source(text: str) -> str:
    """The script, formatted. CannotFormat when it has errors or would mean another thing."""
    text = text.removeprefix("\ufeff")
    script, errors = parsed(text)
    if errors:
        raise CannotFormat("it has errors", errors)
    meant = shape(script)
    written = taken_apart(text)
    for careful in (False, True):
        made = Formatter(written, careful=careful).run()
        again, broken = parsed(made)
        if not broken and shape(again) == meant:
            return made
    raise CannotFormat("formatting would change what it means; please report it")


def taken_apart(text: str) -> Written:
    """Lines, tokens and what the parser notes of them."""
    lexer = Lexer(text)
    parser = MarkingParser(lexer.run(), lexer.lines)
    parser.parse()
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    comments = {item.line: item.column for item in lexer.comments}
    written = Written(lines, parser, comments=comments, blocks=dict(lexer.blocks))
    marks: dict[int, set[str]] = {}
    for position, kind in parser.marks:
        marks.setdefault(position, set()).add(kind)
    placed: dict[int, list[tuple[int, Token]]] = {}
    for position, token in enumerate(parser.tokens):
        row = placed.setdefault(token.line, [])
        if token.kind in {"word", "number", "string", "operator"} and not (row and row[-1][1].column == token.column):
            row.append((position, token))
    for line, row in placed.items():
        if row and line not in written.blocks:
            written.pieces[line] = pieces_of(lines[line - 1], row, comments.get(line), marks)
    return written


def pieces_of(line: str, row: list[tuple[int, Token]], comment: int | None, marks: dict[int, set[str]]) -> list[Piece]:
    """The tokens of a line with the text between them cut off."""
    found: list[Piece] = []
    ends = [token.column - 1 for _, token in row[1:]] + [comment - 1 if comment else len(line)]
    before = row[0][1].column - 1
    for (position, token), end in zip(row, ends, strict=True):
        begin = token.column - 1
        text = line[begin:end].rstrip()
        kinds = marks.get(position, set())
        verbatim = "verbatim" in kinds
        keyword = "keyword" in kinds and token.kind == "word" and not verbatim
        found.append(Piece(text, token, begin - before, keyword, verbatim))
        before = begin + len(text)
    return found


class Formatter:
    """Writes lines anew. careful: only indentation changes."""

    def __init__(self, written: Written, *, careful: bool) -> None:
        self._written = written
        self._careful = careful
        self._out: list[str] = []

    def run(self) -> str:
        """The whole script, with one newline at its end."""
        lines, parser = self._written.lines, self._written.parser
        number, base = 1, (0, 0)
        while number <= len(lines):
            if number in self._written.blocks:
                number = self._block(number)
                continue
            line = lines[number - 1]
            if number in parser.raw:
                self._out.append(line)
            elif number in parser.levels and number in self._written.pieces:
                old = len(line) - len(line.lstrip())
                new = len(STEP) * parser.levels[number]
                base = (old, new)
                self._out.append(self._line(number, new, new - old))
            elif number in self._written.pieces:
                self._continued(number, base)
            elif line.strip():
                self._commented(number, base)
            else:
                self._out.append("")
            number += 1
        text = "\n".join(self._out).rstrip()
        return text + "\n" if text else ""

    # lines

    def _line(self, number: int, indent: int, shift: int) -> str:
        """Tokens of a line and the comment behind them."""
        made = " " * indent + self._joined(self._written.pieces[number])
        column = self._written.comments.get(number)
        if column is None:
            return made.rstrip()
        line = self._written.lines[number - 1]
        gap = column - 1 - len(line[: column - 1].rstrip())
        at = column - 1 + shift if gap > 2 else 0
        return made + " " * max(2, at - len(made)) + line[column - 1 :].rstrip()

    def _continued(self, number: int, base: tuple[int, int]) -> None:
        """A line that goes on with a statement keeps its distance from the statement's beginning."""
        indent = self._shifted(number, base)
        line = self._written.lines[number - 1]
        self._out.append(self._line(number, indent, indent - (len(line) - len(line.lstrip()))))

    def _shifted(self, number: int, base: tuple[int, int]) -> int:
        line = self._written.lines[number - 1].expandtabs(4)
        distance = len(line) - len(line.lstrip()) - base[0]
        closes = line.strip()[:1] in CLOSERS
        return base[1] + max(0 if closes else len(STEP), distance)

    def _commented(self, number: int, base: tuple[int, int]) -> None:
        """A comment stands like the line that follows it; before the end of a block like the block."""
        parser = self._written.parser
        after = next((item for item in range(number + 1, len(self._written.lines) + 1) if self._begins(item)), None)
        if after is not None and after not in parser.levels and after not in self._written.blocks:
            indent = self._shifted(number, base)
        elif after is None:
            indent = 0
        else:
            indent = len(STEP) * (parser.levels.get(after, 0) + (after in parser.closers))
        self._out.append(" " * indent + self._written.lines[number - 1].strip())

    def _begins(self, number: int) -> bool:
        return number in self._written.pieces or number in self._written.blocks

    def _block(self, number: int) -> int:
        """BEGIN TALK and its like: the lines inside move together. Gives the number of the line after it."""
        last = self._written.blocks[number]
        lines = self._written.lines[number - 1 : last]
        match = BLOCK.match(lines[0])
        indent = STEP * self._written.parser.levels.get(number, 0)
        name = " ".join(match[1].upper().split()) if match else ""
        rest = match[2].strip() if match else ""
        self._out.append(f"{indent}BEGIN {name} {rest}".rstrip())
        body = lines[1:-1]
        if rest and name != "MAIL":
            self._out += body  # the text on the first line makes every space of the others count
        else:
            margin = min((len(line) - len(line.lstrip()) for line in body if line.strip()), default=0)
            self._out += [(indent + STEP + line[margin:]).rstrip() for line in body]
        self._out.append(f"{indent}END {name}")
        return last + 1

    # tokens

    def _joined(self, pieces: list[Piece]) -> str:
        parts: list[str] = []
        before: Piece | None = None
        unary = False
        for piece in pieces:
            if before is not None:
                parts.append(" " * (piece.gap if self._careful else space_between(before, piece, unary=unary)))
            unary = piece.token.text in SIGNS and piece.token.kind == "operator" and not ends_value(before)
            parts.append(piece.text.upper() if piece.keyword and not self._careful else piece.text)
            before = piece
        return "".join(parts)


def ends_value(piece: Piece | None) -> bool:
    """Whether an operator after this stands between two values."""
    if piece is None or piece.keyword:
        return False
    return piece.token.kind != "operator" or piece.token.text in CLOSERS


def space_between(before: Piece, piece: Piece, *, unary: bool) -> int:
    """Spaces between two tokens; unary: the first is a sign."""
    if before.verbatim and piece.verbatim:
        return piece.gap
    left = before.token.text if before.token.kind == "operator" else ""
    right = piece.token.text if piece.token.kind == "operator" else ""
    if unary or left in OPENERS or left == "?.":
        return 0
    if right in TIGHT_BEFORE:
        return 0
    if (right in AS_WRITTEN and (not left or left in CLOSERS)) or left in {".", "#", "?"}:
        return min(1, piece.gap)
    return 1
