"""Dialogue and variables; with what it inherits, the whole language."""

import itertools

from services.engine.basic import tree
from services.engine.basic.declarations import DeclarationParser
from services.engine.basic.diagnostics import ScriptError
from services.engine.basic.lexer import Token

HEADERS = frozenset({"SUBJECT", "CC", "BCC", "FROM", "REPLY-TO", "ATTACHMENTS"})


class Parser(DeclarationParser):
    """Parses a file; all its errors are in `errors`."""

    # dialogue

    def _talk_statement(self, token: Token) -> tree.Statement:
        start = self.position
        if self._has_apostrophe():
            return tree.Say(token.line, self.unquoted())
        try:
            value = self.expression()
            if self.accept(","):
                more = self.listed()
                value = tree.Call(
                    token.line,
                    token.column,
                    "JOIN",
                    (tree.Listing(token.line, token.column, (value, *more)), space(token)),
                )
            if self.at_end():
                return tree.Say(token.line, value)
        except ScriptError:
            if self._is_expression(start):
                raise
        if self._is_expression(start):
            raise self.error("BAS121", f"expected the end of the line, found {self.shown()}")
        self.position = start
        return tree.Say(token.line, self.unquoted())

    def _is_expression(self, start: int) -> bool:
        """Whether a line that cannot be read was meant as a value: it begins with a quote or a call, or joins texts."""
        first, after = self.tokens[start], self.tokens[min(start + 1, len(self.tokens) - 1)]
        if first.kind in {"string", "operator"} or (after.text == "(" and not after.spaced):
            return True
        for token, following in zip(self.tokens[start:], self.tokens[start + 1 :], strict=False):
            if token.kind == "newline" or following.kind == "end":
                return False
            if "string" in {token.kind, following.kind} and {token.text, following.text} & {"+", "&"}:
                return True
        return False

    def _has_apostrophe(self) -> bool:
        """Whether a word of this line is written like "don't": then it is text without quotes."""
        for index in range(self.position, len(self.tokens)):
            token = self.tokens[index]
            if token.kind in {"newline", "end"}:
                return False
            if token.kind == "word" and "'" in token.text:
                return True
        return False

    def unquoted(self) -> tree.Expression:
        """Text without quotes, as scripts of 2024 wrote it."""
        first = self.token
        if first.kind != "word" and not (first.kind == "number" and self._has_words()):
            raise self.error("BAS112", f"expected a value, found {self.shown()}")
        words: list[str] = []
        while not self.at_line_end():
            token = self.advance()
            words.append((" " if words and token.spaced else "") + token.text)
        return tree.Literal(first.line, first.column, "".join(words).removesuffix(";").rstrip())

    def _has_words(self) -> bool:
        """Whether two words stand on the rest of the line: 24/7 - we are open."""
        rest = itertools.takewhile(lambda token: token.kind not in {"newline", "end"}, self.tokens[self.position :])
        return sum(token.kind == "word" for token in rest) >= 2

    def _begin_talk_statement(self, token: Token) -> tree.Statement:
        return tree.Say(token.line, self.interpolated(self.advance()))

    def _begin_system_prompt_statement(self, token: Token) -> tree.Statement:
        return tree.Declare(token.line, "system_prompt", {"text": self.advance().text})

    _begin_prompt_statement = _begin_system_prompt_statement

    def _begin_mail_statement(self, token: Token) -> tree.Statement:
        """BEGIN MAIL to; header lines; an empty line or the first that is no header; the text."""
        found: dict[str, tree.Expression] = {}
        if self.token.kind != "block":
            found["to"] = self._address()
        block = self.advance()
        lines = block.text.split("\n")
        while lines and (":" in lines[0] and lines[0].partition(":")[0].strip().upper() in HEADERS):
            name, _, value = lines.pop(0).partition(":")
            text = Token("string", value.strip(), block.line, block.column)
            found[name.strip().lower().replace("-", "_")] = self.interpolated(text)
        found["body"] = self.interpolated(Token("string", "\n".join(lines).strip("\n"), block.line, block.column))
        mail = tree.Invoke(token.line, token.column, "SEND MAIL", ("BEGIN", "MAIL"), tuple(found.items()))
        return tree.Evaluate(token.line, mail)

    def _address(self) -> tree.Expression:
        """To whom: a value, or an address without quotes."""
        start = self.position
        try:
            value = self.expression()
            if self.token.kind == "block":
                return value
        except ScriptError:
            pass
        self.position = start
        first = self.token
        words: list[str] = []
        while self.token.kind != "block":
            token = self.advance()
            words.append((" " if words and token.spaced else "") + token.text)
        return tree.Literal(first.line, first.column, "".join(words))

    def _hear_statement(self, token: Token) -> tree.Statement:
        if self.at_end():
            return tree.Ask(token.line, tree.Name(token.line, token.column, "_"), "ANY")
        return self._heard(token.line, self.target())

    def _wait_statement(self, token: Token) -> tree.Statement:
        return tree.Wait(token.line, self.expression())

    # variables

    def _let_statement(self, token: Token) -> tree.Statement:
        found = self._assignment()
        if self.is_operator(",") and self.ahead().kind == "word" and self.ahead(2).text == "=":
            self._split(token)
        return found

    def _split(self, token: Token) -> None:
        """DIM a, b and CONST a = 1, b = 2: the next one is a statement of its own."""
        comma = self.token
        self.tokens[self.position : self.position + 1] = [
            Token("newline", "\n", comma.line, comma.column),
            Token("word", token.text, comma.line, comma.column),
        ]
        self.forget()

    _const_statement = _let_statement

    def _dim_statement(self, token: Token) -> tree.Statement:
        name = self.advance()
        if name.kind != "word":
            raise self.error("BAS124", "expected the name of a variable")
        target = tree.Name(name.line, name.column, name.text.rstrip("$%").lower())
        kind = ""
        if self.is_operator("(", "["):
            self._skip_sizes()
            kind = "ARRAY"
        if self.accept("AS"):
            self.accept("NEW")
            of = self.advance().upper
            kind = kind or of
        value = self.expression() if self.accept("=") else empty_of(kind, token)
        if self.is_operator(","):
            self._split(token)
        return tree.Assign(token.line, target, value)

    def _skip_sizes(self) -> None:
        while not self.at_end() and not self.accept(")", "]"):
            self.advance()

    def _set_statement(self, token: Token) -> tree.Statement:
        if self._is_assignment():
            return self._assignment()
        self.position -= 1
        return self._keyword(token)

    def _with_statement(self, token: Token) -> tree.Statement | None:
        target = self.target()
        self._open.append("WITH")
        try:
            fields = self._statements_until(())
        finally:
            self._open.pop()
        self._close("WITH", token)
        return tree.With(token.line, target, tuple(fields))


def space(token: Token) -> tree.Expression:
    """One space."""
    return tree.Literal(token.line, token.column, " ")


def empty_of(kind: str, token: Token) -> tree.Expression:
    """What a variable holds after DIM: a list, an object, or NULL."""
    place = (token.line, token.column)
    if kind in {"ARRAY", "LIST", "COLLECTION"}:
        return tree.Listing(*place, ())
    return tree.Mapping(*place, ()) if kind in {"OBJECT", "MAP", "DICTIONARY"} else tree.Literal(*place, None)
