"""A cursor over tokens: looking, accepting, expecting."""

from itertools import pairwise

from services.engine.basic.diagnostics import ScriptError
from services.engine.basic.lexer import Token

GIVING = frozenset({"LET", "SET", "DIM", "CONST", "FOR", "HEAR", "PARAM"})
OPENING, CLOSING = frozenset({"(", "[", "{", "#{"}), frozenset({")", "]", "}"})
ASSIGNS = frozenset({"=", "+=", "-=", "*=", "/=", "&="})


class Cursor:
    """Where the parser is. `lines`: the source, for what is taken as it was written."""

    def __init__(self, tokens: list[Token], lines: list[str] | None = None) -> None:
        self.tokens = tokens
        self.lines = lines or []
        self.position = 0
        self.assigned = assigned(tokens)
        self.defined = defined(tokens)
        self.sized = sized(tokens)

    @property
    def token(self) -> Token:
        """The current token."""
        return self.tokens[self.position]

    def ahead(self, count: int = 1) -> Token:
        """A later token."""
        return self.tokens[min(self.position + count, len(self.tokens) - 1)]

    def advance(self) -> Token:
        """The current token, then move on."""
        token = self.token
        if token.kind != "end":
            self.position += 1
        return token

    def is_operator(self, *texts: str) -> bool:
        """Whether the current token is one of these operators."""
        return self.token.kind == "operator" and self.token.text in texts

    def is_word(self, *words: str) -> bool:
        """Whether the current token is one of these words."""
        return self.token.kind == "word" and self.token.upper in words

    def accept(self, *texts: str) -> bool:
        """Move over an operator or word if it is there."""
        if self.is_operator(*texts) or self.is_word(*texts):
            self.advance()
            return True
        return False

    def expect(self, text: str, why: str) -> Token:
        """Move over it, or say what was expected."""
        if self.is_operator(text) or self.is_word(text):
            return self.advance()
        raise self.error("BAS110", f"expected {text} {why}, found {self.shown()}")

    def shown(self) -> str:
        """The current token in words."""
        names = {"newline": "the end of the line", "end": "the end of the script"}
        return names.get(self.token.kind, repr(self.token.text))

    def error(self, code: str, message: str, suggestion: str = "") -> ScriptError:
        """An error at the current token."""
        return ScriptError(code, message, self.token.line, self.token.column, suggestion)

    def at_line_end(self) -> bool:
        """Whether the line is over."""
        return self.token.kind in {"newline", "end"}

    def at_end(self) -> bool:
        """Whether the statement is over."""
        return self.at_line_end() or self.is_operator(";")

    def finished(self) -> bool:
        """Whether the script is over."""
        return self.token.kind == "end"

    def at_arguments(self) -> bool:
        """Whether an argument list stands here: f(a), and f (a, b), which is no value."""
        if not self.is_operator("("):
            return False
        if not self.token.spaced:
            return True
        depth = 0
        for index in range(self.position, len(self.tokens)):
            token = self.tokens[index]
            if token.kind in {"newline", "end"}:
                return False
            depth += (token.kind == "operator") * ((token.text in OPENING) - (token.text in CLOSING))
            if depth == 0:
                return False
            if depth == 1 and token.kind == "operator" and token.text == ",":
                return True
        return False

    def at_words(self, words: tuple[str, ...]) -> bool:
        """Whether these words stand here."""
        return all(self.ahead(index).upper == word for index, word in enumerate(words))

    def skip_statement(self) -> None:
        """To where the statement ends; brackets are passed over whole."""
        depth = 0
        while not self.finished() and (depth > 0 or not self.at_end()):
            if self.is_operator("(", "[", "{", "#{"):
                depth += 1
            elif self.is_operator(")", "]", "}"):
                if depth == 0:
                    return
                depth -= 1
            self.advance()

    def source_until_end(self) -> str:
        """The source from here to the end of the statement, as it was written; the cursor moves there."""
        first = self.token
        begin = self.position
        self.skip_statement()
        last = self.tokens[self.position - 1] if self.position > begin else first
        end = self.token
        if not self.lines or end.line < first.line:
            return " ".join(item.text for item in self.tokens[begin : self.position])
        if first.line == end.line:
            return self.lines[first.line - 1][first.column - 1 : end.column - 1].strip()
        middle = self.lines[first.line : last.line]
        return "\n".join([self.lines[first.line - 1][first.column - 1 :], *middle]).strip()


def assigned(tokens: list[Token]) -> frozenset[str]:
    """Names that the script itself gives values to: they are variables even where a keyword is called the same."""
    found: set[str] = set()
    start = True
    for index, token in enumerate(tokens):
        after = tokens[index + 1] if index + 1 < len(tokens) else token
        if token.kind == "word":
            if start and after.kind == "operator" and after.text in ASSIGNS | {"."}:
                found.add(token.upper)
            elif after.kind == "word" and (token.upper == "EACH" or (start and token.upper in GIVING)):
                found.add(after.upper)
        again = token.upper in {"THEN", "ELSE"} or (start and token.upper in {"LET", "SET", "CONST"})
        start = token.kind == "newline" or again
    return frozenset(name.rstrip("$%") for name in found)


def defined(tokens: list[Token]) -> frozenset[str]:
    """Names of the SUBs and FUNCTIONs of the script."""
    pairs = zip(tokens, tokens[1:], tokens[-1:] + tokens[:-1], strict=False)
    return frozenset(
        after.upper.rstrip("$%")
        for token, after, before in pairs
        if token.upper in {"SUB", "FUNCTION"} and after.kind == "word" and before.upper not in {"END", "EXIT"}
    )


def sized(tokens: list[Token]) -> frozenset[str]:
    """Names that DIM gives a size: name(3) is an element of theirs."""
    found: set[str] = set()
    dimension = False
    for token, after in pairwise(tokens):
        if token.kind == "newline":
            dimension = False
        elif token.upper == "DIM":
            dimension = True
        elif dimension and token.kind == "word" and after.text == "(":
            found.add(token.upper.rstrip("$%"))
    return frozenset(found)
