"""The frame of the statement parser: lines, blocks and their ends, recovery at the next line."""

from collections.abc import Callable

from services.engine.basic import tree
from services.engine.basic.answers import TYPES
from services.engine.basic.cursor import ASSIGNS
from services.engine.basic.diagnostics import ScriptError, closest
from services.engine.basic.expressions import ExpressionParser
from services.engine.basic.lexer import MOST_ERRORS, STEPS, Token
from services.engine.keywords.registry import registry

Body = tuple[tree.Statement, ...]
Construct = Callable[[Token], tree.Statement | None]
DEEPEST_BLOCK = 60
MOST_SUGGESTIONS = 100
ENDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "IF": (("END", "IF"), ("ENDIF",)),
    "FOR": (("NEXT",), ("END", "FOR")),
    "WHILE": (("WEND",), ("END", "WHILE")),
    "DO": (("LOOP",),),
    "SELECT": (("END", "SELECT"),),
    "SWITCH": (("END", "SWITCH"),),
    "SUB": (("END", "SUB"),),
    "FUNCTION": (("END", "FUNCTION"),),
    "TRY": (("END", "TRY"),),
    "WITH": (("END", "WITH"),),
    "ON": (("END", "ON"),),
    "SCHEDULE": (("END", "SCHEDULE"),),
    "PARALLEL": (("END", "PARALLEL"),),
}
BREAKABLE = frozenset({"FOR", "WHILE", "DO", "SWITCH"})
CHOICES = frozenset({"CHOICE", "MENU", "OPTIONS"})
CLOSERS = frozenset({"NEXT", "WEND", "LOOP", "ENDIF", "CATCH", "FINALLY", "CASE", "ELSE", "ELSEIF", "DEFAULT"})


class TooDeep(ScriptError):
    """Blocks in blocks without end: the rest of the file is not read."""


class StatementParser(ExpressionParser):
    """Reads statement after statement; all errors are in `errors`. The constructs are methods of its heirs."""

    def __init__(self, tokens: list[Token], lines: list[str] | None = None) -> None:
        super().__init__(tokens, lines)
        self.errors: list[ScriptError] = []
        self.lines_seen: set[int] = set()
        self._depth = 0
        self._open: list[str] = []
        self._around: list[str] = []

    def parse(self) -> tree.Script:
        """The script, as far as it can be understood."""
        found: list[tree.Statement] = []
        try:
            while not self.finished():
                found.extend(self._statements_until(()))
                if not self.finished():
                    self._stray()
        except TooDeep as error:
            self.errors.append(error)
        return tree.Script(tuple(found))

    def _report(self, error: ScriptError) -> None:
        """One more error. TooDeep when there are too many to read on."""
        self.errors.append(error)
        if len(self.errors) >= MOST_ERRORS:
            message = f"there are {MOST_ERRORS} errors; what follows is not read"
            raise TooDeep("BAS105", message, error.line, 1)

    def _stray(self) -> None:
        token = self.token
        text = f"{token.upper} {self.ahead().upper}".strip() if token.upper == "END" else token.upper
        self._report(self.error("BAS120", f"{text} closes nothing that is open"))
        self._skip_line()

    def _skip_line(self) -> None:
        while not self.at_line_end():
            self.advance()

    def _statements_until(self, extra: tuple[str, ...]) -> list[tree.Statement]:
        """Statements up to something that closes a block."""
        found: list[tree.Statement] = []
        self._depth += 1
        try:
            if self._depth > DEEPEST_BLOCK:
                raise TooDeep("BAS105", f"blocks are nested more than {DEEPEST_BLOCK} deep", self.token.line, 1)
            self._fill(found, extra)
            return found
        finally:
            self._depth -= 1

    def _fill(self, found: list[tree.Statement], extra: tuple[str, ...]) -> None:
        while True:
            while self.token.kind == "newline" or self.is_operator(";", ":"):
                self.advance()
            if self.finished() or self._closes(extra):
                return
            self.lines_seen.add(self.token.line)
            try:
                statement = self._statement()
                if statement is not None:
                    found.append(statement)
                if not self.at_end() and not self.is_operator(":") and not isinstance(statement, tree.Label):
                    raise self.error("BAS121", f"expected the end of the line, found {self.shown()}")
            except TooDeep:
                raise
            except ScriptError as error:
                self._report(error)
                self._skip_line()

    def _closes(self, extra: tuple[str, ...]) -> bool:
        if self.token.kind != "word":
            return False
        word = self.token.upper
        if self.at_words(("NEXT", "IN", "QUEUE")):
            return False
        if word in CLOSERS or word in extra:
            return not (self.ahead().kind == "operator" and self.ahead().text in {"=", "."})
        return word == "END" and self.ahead().upper in ENDS

    def _close(self, kind: str, opened: Token) -> None:
        for ending in ENDS[kind]:
            words = tuple(self.ahead(index).upper for index in range(len(ending)))
            if words == ending:
                for _ in ending:
                    self.advance()
                return
        wanted = " or ".join(" ".join(ending) for ending in ENDS[kind])
        raise ScriptError(
            "BAS122",
            f"{kind} has no {wanted}",
            opened.line,
            opened.column,
            f"found {self.shown()} on line {self.token.line}",
        )

    def _with_field(self) -> tree.Statement:
        """.name = value, or name = value, in WITH."""
        dotted = self.accept(".")
        line = self.token.line
        name = self.advance()
        target: tree.Expression = tree.Name(line, name.column, name.text)
        if dotted and self.is_operator(".", "["):
            target = self.postfix(tree.Name(line, name.column, f".{name.text}"))
        self.expect("=", "after the name of the field")
        return tree.Assign(line, target, self.expression())

    def _heard(self, line: int, target: tree.Expression) -> tree.Statement:
        """What follows HEAR v."""
        if self.is_operator(",") and self.ahead().kind == "string":
            self.advance()
            return tree.Ask(line, target, "PROMPT:ANY", self.interpolated(self.advance()))
        if not self.accept("AS"):
            return tree.Ask(line, target, "ANY")
        if self._at_text():
            return tree.Ask(line, target, "CHOICE", tree.Listing(line, 1, self.listed()))
        if self.is_operator("["):
            return tree.Ask(line, target, "CHOICE", self.expression())
        kind = self.token
        if kind.kind != "word":
            raise self.error("BAS126", "expected a type or a list of choices after AS")
        listed = kind.upper in CHOICES and self.ahead().text == "[" and self.ahead().spaced
        if listed:
            self.advance()
            return tree.Ask(line, target, "CHOICE", self.expression())
        if (kind.upper in self.assigned and kind.upper not in TYPES) or self.ahead().text in {".", "["}:
            return tree.Ask(line, target, "CHOICE", self.expression())
        self.advance()
        if kind.upper in CHOICES and not self.at_end():
            return tree.Ask(line, target, "CHOICE", tree.Listing(line, 1, self.listed()))
        if self.is_operator(",") and self.ahead().kind == "string":
            self.advance()
        if self._at_text():
            return tree.Ask(line, target, f"PROMPT:{kind.upper}", self.interpolated(self.advance()))
        return tree.Ask(line, target, kind.upper)

    def _at_text(self) -> bool:
        return self.token.kind == "string"

    def block_follows(self, name: str) -> bool:
        """Whether END name stands below before the next line that begins with the name; ON ERROR is no such line."""
        for index in range(self.position, len(self.tokens) - 1):
            token, after = self.tokens[index], self.tokens[index + 1]
            if token.upper == "END" and after.upper == name:
                return True
            if token.kind == "newline" and after.upper == name and self.tokens[index + 2].upper != "ERROR":
                return False
        return False

    def _skip_block(self, name: str) -> None:
        """Past END name when there is one, else past the line."""
        if not self.block_follows(name):
            self._skip_line()
            return
        while not (self.token.upper == "END" and self.ahead().upper == name):
            self.advance()
        self.advance()
        self.advance()

    def _statement(self) -> tree.Statement | None:
        token = self.token
        if token.kind == "operator" and token.text == "." and self._open and self._open[-1] == "WITH":
            return self._with_field()
        if token.kind == "word" and self._open and self._open[-1] == "WITH" and self.ahead().text == "=":
            return self._with_field()
        if token.kind != "word":
            raise self.error("BAS123", f"a line begins with a keyword or a name, found {self.shown()}")
        if self.ahead().kind == "operator" and self.ahead().text == ":" and token.upper not in {"ELSE", "DEFAULT"}:
            self.advance()
            self.advance()
            return tree.Label(token.line, token.text.lower())
        if self._is_assignment():
            return self._assignment()
        construct: Construct | None = getattr(self, f"_{token.upper.lower().replace(' ', '_')}_statement", None)
        if construct is None:
            return self._keyword(token)
        if not self._has_phrase(token):
            return self._constructed(construct, token)
        start = self.position
        try:
            return self._keyword(token)
        except ScriptError as error:
            self.position = start
            return self._instead(construct, token, error)

    def _constructed(self, construct: Construct, token: Token) -> tree.Statement | None:
        self.advance()
        self._around.append(token.upper)
        try:
            return construct(token)
        finally:
            self._around.pop()

    def _innermost(self) -> str:
        """What BREAK leaves: the nearest loop or SWITCH."""
        return next((word for word in reversed(self._around) if word in BREAKABLE), "")

    def _instead(self, construct: Construct, token: Token, first: ScriptError) -> tree.Statement | None:
        """The construct where the keyword does not fit; of two errors the one that got further."""
        try:
            found = self._constructed(construct, token)
            if self.at_end():
                return found
        except TooDeep:
            raise
        except ScriptError as second:
            raise (second if (second.line, second.column) > (first.line, first.column) else first) from None
        raise first

    def _has_phrase(self, token: Token) -> bool:
        """Whether a keyword stands here that is more than this word."""
        return any(self.at_words(head) for head, _, _ in registry().starting.get(token.upper, ()) if len(head) > 1)

    def _keyword(self, token: Token) -> tree.Statement:
        """A statement that is a keyword, a function or a SUB of the script."""
        word = token.upper.rstrip("$%")
        after = self.ahead()
        if word in self.defined and not (after.kind == "operator" and after.text in {"(", "."}):
            return tree.Evaluate(token.line, self._called_bare(token))
        if word not in self.defined:
            invoked = self.invocation(statement=True)
            if invoked is not None:
                return tree.Evaluate(token.line, invoked)
        if after.kind == "operator" and after.text in {"(", "."}:
            return tree.Evaluate(token.line, self.expression())
        if after.kind in {"newline", "end"} and token.text.isidentifier():
            self.advance()
            return tree.Evaluate(token.line, tree.Call(token.line, token.column, word, ()))
        raise self.error("BAS125", f"{token.text} is not a keyword", self._suggested(token, after))

    def _called_bare(self, token: Token) -> tree.Expression:
        """greet "Ana", 2: a SUB without CALL and without brackets."""
        self.advance()
        if self.at_arguments():
            return tree.Call(token.line, token.column, token.upper.rstrip("$%"), self.arguments())
        arguments = () if self.at_end() else self.listed()
        return tree.Call(token.line, token.column, token.upper.rstrip("$%"), arguments)

    def _suggested(self, token: Token, after: Token) -> str:
        """What was probably meant: two words are looked at before one. Looked for only so often: it takes its time."""
        if len(self.errors) >= MOST_SUGGESTIONS:
            return ""
        names = registry().names() | self.defined
        if after.kind == "word":
            found = closest(f"{token.upper} {after.upper}", [name for name in names if " " in name], 0.85)
            if found:
                return found
        return closest(token.upper, names)

    def _is_assignment(self) -> bool:
        after = self.ahead()
        if after.kind != "operator":
            return False
        if after.text in ASSIGNS or after.text in STEPS:
            return True
        if not (after.text in {".", "["} or self.at_element()) or (after.text == "[" and after.spaced):
            return False
        depth = 0
        for index in range(self.position + 1, len(self.tokens)):
            token = self.tokens[index]
            if token.kind in {"newline", "end"}:
                return False
            if token.kind != "operator":
                continue
            if token.text in {"[", "(", "{", "#{"}:
                depth += 1
            elif token.text in {"]", ")", "}"}:
                depth -= 1
            elif depth == 0 and (token.text in ASSIGNS or token.text in STEPS):
                return True
        return False

    def _assignment(self) -> tree.Statement:
        line = self.token.line
        target = self.target()
        operator = self.advance().text
        if operator in {"++", "--"}:
            return tree.Assign(line, target, tree.Literal(line, 1, 1), operator[0])
        if operator == "=" and self.is_word("HEAR"):
            self.advance()
            return self._heard(line, target)
        return tree.Assign(line, target, self.expression(), operator.rstrip("="))
