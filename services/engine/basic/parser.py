"""Dialogue, variables and declarations; with the blocks it inherits, the whole language."""

from services.engine.basic import tree
from services.engine.basic.blocks import BlockParser
from services.engine.basic.diagnostics import ScriptError
from services.engine.basic.expressions import MEMORIES, interpolated
from services.engine.basic.lexer import Token


class Parser(BlockParser):
    """Parses a file; all its errors are in `errors`."""

    # dialogue

    def _talk_statement(self, token: Token) -> tree.Statement:
        if self.is_word("TO"):
            return tree.Evaluate(token.line, self.unavailable(token, "TALK TO"))
        start = self.position
        if self._has_apostrophe():
            return tree.Say(token.line, self._unquoted())
        try:
            value = self.expression()
            if self.at_end():
                return tree.Say(token.line, value)
        except ScriptError:
            if self.tokens[start].kind in {"string", "operator"}:
                raise
        self.position = start
        return tree.Say(token.line, self._unquoted())

    def _has_apostrophe(self) -> bool:
        """Whether a word of this line is written like "don't": then it is text without quotes."""
        for token in self.tokens[self.position :]:
            if token.kind in {"newline", "end"}:
                return False
            if token.kind == "word" and "'" in token.text:
                return True
        return False

    def _unquoted(self) -> tree.Expression:
        """Text without quotes, as scripts of 2024 wrote it."""
        first = self.token
        if first.kind != "word":
            raise self.error("BAS112", f"expected a value, found {self.shown()}")
        words: list[str] = []
        while not self.at_end():
            token = self.advance()
            words.append((" " if words and token.spaced else "") + token.text)
        return tree.Literal(first.line, first.column, "".join(words))

    def _begin_talk_statement(self, token: Token) -> tree.Statement:
        return tree.Say(token.line, interpolated(token, self.advance().text))

    def _begin_system_prompt_statement(self, token: Token) -> tree.Statement:
        return tree.Declare(token.line, "system_prompt", {"text": self.advance().text})

    _begin_prompt_statement = _begin_system_prompt_statement

    def _begin_mail_statement(self, token: Token) -> tree.Statement:
        self.advance()
        literal = tree.Literal(token.line, token.column, "BEGIN MAIL")
        return tree.Evaluate(token.line, tree.Effect(token.line, token.column, "unavailable", (("keyword", literal),)))

    def _hear_statement(self, token: Token) -> tree.Statement:
        return self._heard(token.line, self._target())

    def _add_statement(self, token: Token) -> tree.Statement:
        if not self.accept("SUGGESTION"):
            return tree.Evaluate(token.line, self.unavailable(token, "ADD"))
        kind = self.advance().upper if self.is_word("TOOL", "TEXT") else ""
        first = self.expression()
        label = self.expression() if self.accept("AS") else first
        value = first if kind == "TEXT" else label
        return tree.Emit(token.line, "suggestion", (("text", label), ("value", value)))

    def _clear_statement(self, token: Token) -> tree.Statement:
        if self.accept("SUGGESTIONS"):
            return tree.Emit(token.line, "clear_suggestions", ())
        if self.accept("KB"):
            name = None if self.at_end() else self.expression()
            return tree.Emit(token.line, "clear_kb", (("name", name),) if name else ())
        if self.accept("ERROR"):
            return tree.Emit(token.line, "clear_error", ())
        return tree.Evaluate(token.line, self.unavailable(token, "CLEAR"))

    def _use_statement(self, token: Token) -> tree.Statement:
        if self.accept("KB"):
            return tree.Emit(token.line, "use_kb", (("name", self.expression()),))
        return tree.Evaluate(token.line, self.unavailable(token, "USE"))

    def _print_statement(self, token: Token) -> tree.Statement:
        values = self.listed() if not self.at_end() else (tree.Literal(token.line, token.column, ""),)
        return tree.Emit(token.line, "log", (("text", values[-1]),))

    _log_statement = _print_statement

    def _wait_statement(self, token: Token) -> tree.Statement:
        if self.is_word("FOR", "UNTIL"):
            return tree.Evaluate(token.line, self.unavailable(token, f"WAIT {self.token.upper}"))
        return tree.Wait(token.line, self.expression())

    # variables

    def _let_statement(self, token: Token) -> tree.Statement:
        return self._assignment()

    def _dim_statement(self, token: Token) -> tree.Statement:
        target = self._target()
        if self.accept("AS"):
            self.advance()
        value = self.expression() if self.accept("=") else tree.Literal(token.line, token.column, None)
        return tree.Assign(token.line, target, value)

    def _set_statement(self, token: Token) -> tree.Statement:
        if self.token.upper in MEMORIES and self.ahead().upper in {"MEMORY", "FACT"}:
            scope = MEMORIES[self.advance().upper]
            self.advance()
            return self._remember(token, scope, self.expression())
        if self.token.kind == "string" and "." in self.token.text:
            scope, _, key = self.token.text.partition(".")
            if scope.upper() in MEMORIES:
                named = self.advance()
                return self._remember(token, scope.lower(), tree.Literal(named.line, named.column, key))
        if self.is_word("SESSION") and self.ahead().kind != "operator":
            self.advance()
            first = self.expression()
            return self._session(token, first)
        if self.accept("CONTEXT"):
            name = self.expression()
            value = self.expression() if self.accept("AS", ",") else name
            return tree.Emit(token.line, "context", (("name", name), ("value", value)))
        if self._is_assignment():
            return self._assignment()
        return tree.Evaluate(token.line, self.unavailable(token, "SET"))

    def _session(self, token: Token, first: tree.Expression) -> tree.Statement:
        """SET SESSION key, value; SET SESSION id, key, value sets a value of this session too."""
        self.expect(",", "after the key")
        second = self.expression()
        key, value = (second, self.expression()) if self.accept(",") else (first, second)
        name = tree.Literal(token.line, token.column, "session")
        return tree.Emit(token.line, "variable", (("scope", name), ("key", key), ("value", value)))

    def _remember(self, token: Token, scope: str, key: tree.Expression) -> tree.Statement:
        if not self.accept(",", "AS"):
            self.expect("=", "or a comma between key and value")
        value = self.expression()
        name = tree.Literal(token.line, token.column, scope)
        return tree.Emit(token.line, "variable", (("scope", name), ("key", key), ("value", value)))

    def _with_statement(self, token: Token) -> tree.Statement | None:
        target = self._target()
        self._open.append("WITH")
        fields = self._statements_until(())
        self._open.pop()
        self._close("WITH", token)
        object_ = tree.Mapping(token.line, token.column, ())
        values = [item for item in fields if isinstance(item, tree.Assign)]
        if len(values) != len(fields):
            raise ScriptError("BAS127", "only name = value lines may stand in WITH", token.line, token.column)
        start: tree.Statement = tree.Assign(token.line, target, tree.Call(token.line, 1, "NVL", (target, object_)))
        lines: list[tree.Statement] = [start]
        for item in values:
            name = item.target.name if isinstance(item.target, tree.Name) else ""
            key = tree.Literal(item.line, 1, name)
            lines.append(tree.Assign(item.line, tree.Member(item.line, 1, target, key), item.value))
        always = tree.Literal(token.line, token.column, value=True)
        return tree.If(token.line, ((always, tuple(lines)),), ())

    # blocks of keywords that this installation cannot do

    def _table_statement(self, token: Token) -> tree.Statement:
        return self._unavailable_block(token, "TABLE")

    def _parallel_statement(self, token: Token) -> tree.Statement:
        return self._unavailable_block(token, "PARALLEL")

    def _schedule_statement(self, token: Token) -> tree.Statement:
        return self._unavailable_block(token, "SCHEDULE")

    def _unavailable_block(self, token: Token, name: str) -> tree.Statement:
        self._skip_block(name)
        return tree.Evaluate(token.line, self.unavailable(token, name))

    # declarations

    def _description_statement(self, token: Token) -> tree.Statement:
        quoted = self.token.kind == "string"
        text = self.advance().text if quoted else str(getattr(self._unquoted(), "value", ""))
        return tree.Declare(token.line, "description", {"text": text})

    def _param_statement(self, token: Token) -> tree.Statement:
        values: dict[str, object] = {"name": self.advance().text, "type": "STRING", "required": True}
        clause = "name"
        while not self.at_end():
            item = self.advance()
            word = item.upper
            if word in {"AS", "LIKE", "DESCRIPTION", "DEFAULT", "ENUM"}:
                clause = word.lower()
            elif word in {"OPTIONAL", "REQUIRED"}:
                values["required"] = word == "REQUIRED"
            elif clause == "enum":
                if item.kind == "string":
                    enum = values.setdefault("enum", [])
                    if isinstance(enum, list):
                        enum.append(item.text)
            else:
                values["type" if clause == "as" else clause] = item.upper if clause == "as" else item.text
        return tree.Declare(token.line, "parameter", values)
