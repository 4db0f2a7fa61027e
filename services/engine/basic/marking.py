"""A parser that also notes how a script is written: which words are keywords, and how deep each line stands."""

from typing import Literal

from services.engine.basic import tree
from services.engine.basic.declarations import CLAUSES, FIELD_WORDS, UNITS
from services.engine.basic.expressions import CONSTANTS
from services.engine.basic.lexer import Token
from services.engine.basic.parser import Parser
from services.engine.basic.statements import ENDS, Construct
from services.engine.keywords.forms import Form
from services.engine.keywords.keyword import Keyword

Mark = tuple[int, Literal["keyword", "verbatim"]]
SPECIAL = {"CALL": ((), 1), "NEW": (("OBJECT", "ARRAY"), 2), "IS": (("NUMERIC",), 2), "ERROR": (("MESSAGE",), 2)}
EVENT_WORDS = frozenset(
    {"INSERT", "UPDATE", "DELETE", "OF", "FROM", "INTO", "EVENT", "EMAIL", "CHANGE", "FORM", "SUBMIT"}
)


class MarkingParser(Parser):
    """marks: tokens by their position, in order; going back takes the marks of what is tried again away.

    levels: how deep each line that begins a statement or closes a block stands; closers: lines that close a block.
    """

    def __init__(self, tokens: list[Token], lines: list[str] | None = None) -> None:
        self._place = 0
        self._tested = -1
        self._cases_at: list[int] = []
        self._kept: dict[tuple[int, int], list[Mark]] = {}
        self.marks: list[Mark] = []
        self.levels: dict[int, int] = {}
        self.closers: set[int] = set()
        self.raw: set[int] = set()
        super().__init__(tokens, lines)

    # going back and forth

    @property
    def position(self) -> int:
        """Where the parser is."""
        return self._place

    @position.setter
    def position(self, value: int) -> None:
        if value <= self._place:
            self._tested = -1
            while self.marks and self.marks[-1][0] >= value:
                self.marks.pop()
        elif value > self._place + 1:
            self.marks += self._kept.get((self._place, value), [])
        self._place = value

    def mark(self, first: int, count: int = 1, kind: Literal["keyword", "verbatim"] = "keyword") -> None:
        """Say what tokens are."""
        self.marks += [(first + index, kind) for index in range(count)]

    def is_word(self, *words: str) -> bool:
        """A word that was asked for and then passed is a keyword."""
        found = super().is_word(*words)
        if found:
            self._tested = self.position
        return found

    def advance(self) -> Token:
        """The current token, then move on."""
        if self._tested == self._place:
            self.mark(self._place)
        return super().advance()

    # keywords

    def _matched(self, head: tuple[str, ...], keyword: Keyword, form: Form, *, statement: bool) -> tree.Expression:
        begin, known = self.position, len(self.marks)
        self.mark(begin, len(head))
        made = super()._matched(head, keyword, form, statement=statement)
        self._kept.setdefault((begin, self.position), self.marks[known:])
        return made

    def _constructed(self, construct: Construct, token: Token) -> tree.Statement | None:
        self.mark(self.position)
        return super()._constructed(construct, token)

    def _word(self) -> tree.Expression:
        bracket = self.ahead().text == "(" and not self.ahead().spaced
        if self.token.upper in CONSTANTS and not bracket:
            self.mark(self.position)
        return super()._word()

    def _special(self, token: Token, name: str) -> tree.Expression | None:
        after, count = SPECIAL.get(name, ((), 0))
        if count and (not after or self.ahead().upper in after):
            self.mark(self.position, count)
        return super()._special(token, name)

    def _close(self, kind: str, opened: Token) -> None:
        for ending in ENDS[kind]:
            if self.at_words(ending):
                self.mark(self.position, len(ending))
                break
        super()._close(kind, opened)

    def _heard(self, line: int, target: tree.Expression) -> tree.Statement:
        if self.token.upper == "AS" and self.ahead().kind == "word" and self.ahead().upper not in self.assigned:
            self.mark(self.position, 2)
        return super()._heard(line, target)

    def _dim_statement(self, token: Token) -> tree.Statement:
        begin, known = self.position, len(self.marks)
        made = super()._dim_statement(token)
        marked = {position for position, _ in self.marks[known:]}
        for position in range(begin, self.position - 1):
            if self.tokens[position].upper == "AS" and position in marked:
                self.mark(position + 1)
        return made

    def _param_statement(self, token: Token) -> tree.Statement:
        depth, position = 0, self.position + 1
        while self.tokens[position - 1].kind not in {"newline", "end"} and position < len(self.tokens):
            item = self.tokens[position]
            depth += (item.text in {"[", "{", "#{", "("}) - (item.text in {"]", "}", ")"})
            if depth == 0 and item.upper in CLAUSES:
                self.mark(position, 2 if item.upper == "AS" else 1)
                position += item.upper == "AS"
            position += 1
        return super()._param_statement(token)

    def _field_option(self, made: dict[str, object]) -> None:
        if self.token.upper in FIELD_WORDS:
            self.mark(self.position)
        super()._field_option(made)

    def _on_event(self, token: Token) -> tree.Statement:
        for offset in range(2):
            if self.ahead(offset).upper in EVENT_WORDS and (offset == 0 or self.token.upper in EVENT_WORDS):
                self.mark(self.position + offset)
        return super()._on_event(token)

    def _schedule_statement(self, token: Token) -> tree.Statement:
        position = self.position
        made = super()._schedule_statement(token)
        while self.tokens[position].kind not in {"newline", "end"}:
            if self.tokens[position].upper in UNITS or self.tokens[position].upper == "DO":
                self.mark(position)
            position += 1
        return made

    # what stays as it was written

    def unquoted(self) -> tree.Expression:
        """Text without quotes."""
        begin = self.position
        made = super().unquoted()
        self._keep(begin)
        return made

    def _keep(self, begin: int) -> None:
        """All since `begin` stays as it was written, its later lines altogether."""
        end = self.position
        while self.marks and self.marks[-1][0] >= begin:
            self.marks.pop()
        self.mark(begin, end - begin, "verbatim")
        first = self.tokens[begin].line
        self.raw |= {item.line for item in self.tokens[begin:end] if item.line != first}

    def skip_statement(self) -> None:
        """To where the statement ends."""
        begin = self.position
        super().skip_statement()
        self._keep(begin)

    def _address(self) -> tree.Expression:
        begin = self.position
        made = super()._address()
        self._keep(begin)
        return made

    def _clause_value(self) -> object:
        known, begin = len(self.marks), self.position
        made = super()._clause_value()
        if isinstance(made, str) and self.position - begin > 1:
            del self.marks[known:]
            self.mark(begin, self.position - begin, "verbatim")
        return made

    def _skip_block(self, name: str) -> None:
        begin = self.position
        super()._skip_block(name)
        self._keep(begin)

    # depth

    def _statement(self) -> tree.Statement | None:
        self.levels.setdefault(self.token.line, self._depth - 1 + len(self._cases_at))
        return super()._statement()

    def _fill(self, found: list[tree.Statement], extra: tuple[str, ...]) -> None:
        super()._fill(found, extra)
        if self.finished():
            return
        level = self._depth - 2 + len(self._cases_at)
        if self._cases_at and self._cases_at[-1] == self._depth - 1:
            level -= self.token.upper not in {"CASE", "DEFAULT"}
        self.levels.setdefault(self.token.line, max(0, level))
        if self.token.upper not in {"CASE", "DEFAULT"}:
            self.closers.add(self.token.line)

    def _cases(self, token: Token, kind: str) -> tree.Statement:
        self._cases_at.append(self._depth)
        try:
            return super()._cases(token, kind)
        finally:
            self._cases_at.pop()

    def _table_statement(self, token: Token) -> tree.Statement:
        begin = self.position
        made = super()._table_statement(token)
        level = self.levels.get(token.line, 0)
        last = self.tokens[self.position - 1].line
        for item in self.tokens[begin : self.position]:
            if item.line > token.line and item.kind != "newline":
                self.levels.setdefault(item.line, level + (item.line != last))
        self.closers.add(last)
        return made
