"""Statements: recursive descent, one method a construct, recovery at the next line."""

from collections.abc import Callable

from services.engine.basic import tree
from services.engine.basic.diagnostics import ScriptError, closest
from services.engine.basic.expressions import MEMORIES, ExpressionParser, interpolated
from services.engine.basic.lexer import Token
from services.engine.keywords import registry

Body = tuple[tree.Statement, ...]
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
}
CLOSERS = frozenset({"NEXT", "WEND", "LOOP", "ENDIF", "CATCH", "CASE", "ELSE", "ELSEIF", "DEFAULT"})


class Parser(ExpressionParser):
    """Parses a file; all its errors are in `errors`."""

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__(tokens)
        self.errors: list[ScriptError] = []
        self.statements_seen = 0
        self._open: list[str] = []

    def parse(self) -> tree.Script:
        """The script, as far as it can be understood."""
        found: list[tree.Statement] = []
        while self.token.kind != "end":
            found.extend(self._statements_until(()))
            if self.token.kind != "end":
                self._stray()
        return tree.Script(tuple(found))

    def _stray(self) -> None:
        token = self.token
        text = f"{token.upper} {self.ahead().upper}".strip() if token.upper == "END" else token.upper
        self.errors.append(self.error("BAS120", f"{text} closes nothing that is open"))
        self._skip_line()

    def _skip_line(self) -> None:
        while self.token.kind not in {"newline", "end"}:
            self.advance()

    def _statements_until(self, extra: tuple[str, ...]) -> list[tree.Statement]:
        """Statements up to something that closes a block."""
        found: list[tree.Statement] = []
        while True:
            while self.token.kind == "newline" or self.is_operator(";"):
                self.advance()
            if self.token.kind == "end" or self._closes(extra):
                return found
            self.statements_seen += 1
            try:
                statement = self._statement()
                if statement is not None:
                    found.append(statement)
                if not self.at_end():
                    raise self.error("BAS121", f"expected the end of the line, found {self.shown()}")
            except ScriptError as error:
                self.errors.append(error)
                self._skip_line()

    def _closes(self, extra: tuple[str, ...]) -> bool:
        if self.token.kind != "word":
            return False
        word = self.token.upper
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

    def _statement(self) -> tree.Statement | None:
        token = self.token
        if token.kind == "operator" and token.text == "." and self._open and self._open[-1] == "WITH":
            self.advance()
            return self._with_field()
        if token.kind != "word":
            raise self.error("BAS123", f"a line begins with a keyword or a name, found {self.shown()}")
        if self.ahead().kind == "operator" and self.ahead().text == ":" and token.upper not in {"ELSE", "DEFAULT"}:
            self.advance()
            self.advance()
            return tree.Label(token.line, token.text.lower())
        if self._is_assignment():
            return self._assignment()
        handler = getattr(self, f"_{token.upper.lower().replace(' ', '_')}_statement", None)
        if isinstance(handler, Callable):  # type: ignore[arg-type]
            self.advance()
            statement: tree.Statement | None = handler(token)
            return statement
        return self._other(token)

    def _is_assignment(self) -> bool:
        after = self.ahead()
        if after.kind != "operator":
            return False
        if after.text in {"=", "+=", "-="}:
            return True
        if after.text not in {".", "["} or (after.text == "[" and after.spaced):
            return False
        depth = 0
        for token in self.tokens[self.position + 1 :]:
            if token.kind in {"newline", "end"}:
                return False
            if token.text in {"[", "(", "{"}:
                depth += 1
            elif token.text in {"]", ")", "}"}:
                depth -= 1
            elif depth == 0 and token.kind == "operator" and token.text in {"=", "+=", "-="}:
                return True
        return False

    def _target(self) -> tree.Expression:
        token = self.advance()
        if token.kind != "word":
            raise self.error("BAS124", "expected the name of a variable")
        return self.postfix(tree.Name(token.line, token.column, token.text.rstrip("$%").lower()))

    def _assignment(self) -> tree.Statement:
        line = self.token.line
        target = self._target()
        operator = self.advance().text
        if operator == "=" and self.is_word("HEAR"):
            self.advance()
            return self._heard(line, target)
        return tree.Assign(line, target, self.expression(), operator.rstrip("="))

    def _other(self, token: Token) -> tree.Statement:
        word = token.upper.rstrip("$%")
        if word in registry.FUNCTIONS or word in registry.LATER or word in registry.added():
            return tree.Evaluate(token.line, self.expression())
        if self.ahead().kind == "operator" and self.ahead().text in {"(", "."}:
            return tree.Evaluate(token.line, self.expression())
        if self.ahead().kind in {"newline", "end"} and token.text.isidentifier():
            self.advance()
            return tree.Evaluate(token.line, tree.Call(token.line, token.column, word, ()))
        raise self.error("BAS125", f"{token.text} is not a keyword", closest(word, registry.heads()))

    # dialogue

    def _talk_statement(self, token: Token) -> tree.Statement:
        if self.is_word("TO"):
            return tree.Evaluate(token.line, self.unavailable(token, "TALK TO"))
        start = self.position
        try:
            value = self.expression()
            if self.at_end():
                return tree.Say(token.line, value)
        except ScriptError:
            if self.tokens[start].kind in {"string", "operator"}:
                raise
        self.position = start
        return tree.Say(token.line, self._unquoted())

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

    def _heard(self, line: int, target: tree.Expression) -> tree.Statement:
        if not self.accept("AS"):
            return tree.Ask(line, target, "ANY")
        if self.token.kind == "string":
            items = self.listed()
            return tree.Ask(line, target, "CHOICE", tree.Listing(line, 1, items))
        if self.is_operator("["):
            return tree.Ask(line, target, "CHOICE", self.expression())
        kind = self.advance()
        if kind.kind != "word":
            raise self.error("BAS126", "expected a type or a list of choices after AS")
        if self.token.kind == "string":
            prompt = interpolated(self.advance())
            return tree.Ask(line, target, f"PROMPT:{kind.upper}", prompt)
        return tree.Ask(line, target, kind.upper)

    def _add_statement(self, token: Token) -> tree.Statement:
        if not self.accept("SUGGESTION"):
            return tree.Evaluate(token.line, self.unavailable(token, f"ADD {self.token.upper}".strip()))
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
        return tree.Evaluate(token.line, self.unavailable(token, f"CLEAR {self.token.upper}".strip()))

    def _use_statement(self, token: Token) -> tree.Statement:
        if self.accept("KB"):
            return tree.Emit(token.line, "use_kb", (("name", self.expression()),))
        return tree.Evaluate(token.line, self.unavailable(token, f"USE {self.token.upper}".strip()))

    def _print_statement(self, token: Token) -> tree.Statement:
        values = self.listed() if not self.at_end() else (tree.Literal(token.line, token.column, ""),)
        return tree.Emit(token.line, "log", (("text", values[-1]),))

    _log_statement = _print_statement

    def _wait_statement(self, token: Token) -> tree.Statement:
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
        if self.accept("CONTEXT"):
            name = self.expression()
            value = self.expression() if self.accept("AS", ",") else name
            return tree.Emit(token.line, "context", (("name", name), ("value", value)))
        if self._is_assignment():
            return self._assignment()
        return tree.Evaluate(token.line, self.unavailable(token, f"SET {self.token.upper}".strip()))

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

    def _with_field(self) -> tree.Statement:
        line = self.token.line
        name = self.advance()
        self.expect("=", "after the name of the field")
        return tree.Assign(line, tree.Name(line, name.column, name.text), self.expression())

    # branches

    def _if_statement(self, token: Token) -> tree.Statement:
        condition = self.expression()
        self.accept("THEN")
        if not self.at_end():
            return self._one_line_if(token, condition)
        branches: list[tuple[tree.Expression, Body]] = []
        otherwise: Body = ()
        body = self._statements_until(())
        while True:
            branches.append((condition, tuple(body))) if not otherwise else None
            if self.is_word("ELSEIF") or (self.is_word("ELSE") and self.ahead().upper == "IF"):
                self.advance()
                self.accept("IF")
                condition = self.expression()
                self.accept("THEN")
                body = self._statements_until(())
                continue
            if self.accept("ELSE"):
                otherwise = tuple(self._statements_until(()))
            self._close("IF", token)
            return tree.If(token.line, tuple(branches), otherwise)

    def _one_line_if(self, token: Token, condition: tree.Expression) -> tree.Statement:
        then = self._inline()
        otherwise: Body = ()
        if self.accept("ELSE"):
            otherwise = self._inline()
        return tree.If(token.line, ((condition, then),), otherwise)

    def _inline(self) -> Body:
        cut = self._cut_at_else()
        statement = self._statement()
        if cut is not None:
            self.tokens[cut] = Token("word", "ELSE", self.tokens[cut].line, self.tokens[cut].column, spaced=True)
        return () if statement is None else (statement,)

    def _cut_at_else(self) -> int | None:
        """Make ELSE on this line look like its end while the statement before it is read."""
        for index in range(self.position, len(self.tokens)):
            token = self.tokens[index]
            if token.kind in {"newline", "end"}:
                return None
            if token.upper == "ELSE":
                self.tokens[index] = Token("newline", "\n", token.line, token.column)
                return index
        return None

    def _select_statement(self, token: Token) -> tree.Statement:
        self.accept("CASE")
        return self._cases(token, "SELECT")

    def _switch_statement(self, token: Token) -> tree.Statement:
        return self._cases(token, "SWITCH")

    def _cases(self, token: Token, kind: str) -> tree.Statement:
        subject = self.expression()
        cases: list[tuple[tuple[tuple[str, tree.Expression, tree.Expression | None], ...], Body]] = []
        otherwise: Body = ()
        before = self._statements_until(())
        if before:
            raise ScriptError("BAS128", f"expected CASE after {kind}", before[0].line, 1)
        while self.is_word("CASE", "DEFAULT"):
            default = self.advance().upper == "DEFAULT" or self.accept("ELSE")
            tests = () if default else self._tests()
            self.accept(":")
            body = tuple(self._statements_until(()))
            if default:
                otherwise = body
            else:
                cases.append((tests, body))
        self._close(kind, token)
        return tree.Select(token.line, subject, tuple(cases), otherwise)

    def _tests(self) -> tuple[tuple[str, tree.Expression, tree.Expression | None], ...]:
        found: list[tuple[str, tree.Expression, tree.Expression | None]] = []
        while True:
            self.accept("IS")
            if self.is_operator("<", ">", "<=", ">=", "=", "<>"):
                operator = self.advance().text
                found.append((operator, self._concatenation(), None))
            else:
                low = self._concatenation()
                found.append(("TO", low, self._concatenation()) if self.accept("TO") else ("=", low, None))
            if not self.accept(","):
                return tuple(found)

    # loops

    def _for_statement(self, token: Token) -> tree.Statement:
        if self.accept("EACH"):
            variable = self.advance().text.lower()
            self.expect("IN", "after the variable of FOR EACH")
            items = self.expression()
            self.accept("DO")
            body = tuple(self._statements_until(()))
            self._close("FOR", token)
            self._skip_next_variable()
            return tree.ForEach(token.line, variable, items, body)
        variable = self.advance().text.lower()
        self.expect("=", "after the variable of FOR")
        first = self.expression()
        self.expect("TO", "between the ends of FOR")
        last = self.expression()
        step = self.expression() if self.accept("STEP") else tree.Literal(token.line, token.column, 1)
        body = tuple(self._statements_until(()))
        self._close("FOR", token)
        self._skip_next_variable()
        return tree.ForRange(token.line, variable, first, last, step, body)

    def _skip_next_variable(self) -> None:
        if self.token.kind == "word":
            self.advance()

    def _while_statement(self, token: Token) -> tree.Statement:
        condition = self.expression()
        self.accept("DO")
        body = tuple(self._statements_until(()))
        self._close("WHILE", token)
        return tree.Loop(token.line, "WHILE", condition, None, body)

    def _do_statement(self, token: Token) -> tree.Statement:
        before = self._loop_test()
        body = tuple(self._statements_until(()))
        self._close("DO", token)
        return tree.Loop(token.line, "DO", before, self._loop_test(), body)

    def _loop_test(self) -> tree.Expression | None:
        if not self.is_word("WHILE", "UNTIL"):
            return None
        word = self.advance()
        condition = self.expression()
        return condition if word.upper == "WHILE" else tree.Unary(word.line, word.column, "NOT", condition)

    def _break_statement(self, token: Token) -> tree.Statement:
        return tree.Leave(token.line, "exit", "")

    def _continue_statement(self, token: Token) -> tree.Statement:
        loop = self.advance().upper if self.is_word("FOR", "WHILE", "DO") else ""
        return tree.Leave(token.line, "continue", loop)

    def _exit_statement(self, token: Token) -> tree.Statement:
        if self.accept("SUB", "FUNCTION"):
            return tree.Return(token.line, None)
        if self.is_word("FOR", "WHILE", "DO"):
            return tree.Leave(token.line, "exit", self.advance().upper)
        return tree.Stop(token.line)

    # subroutines

    def _sub_statement(self, token: Token) -> tree.Statement:
        return self._definition(token, "SUB")

    def _function_statement(self, token: Token) -> tree.Statement:
        return self._definition(token, "FUNCTION")

    def _definition(self, token: Token, kind: str) -> tree.Statement:
        name = self.advance()
        parameters: list[str] = []
        if self.accept("("):
            while not self.is_operator(")"):
                parameters.append(self.advance().text.lower())
                if self.accept("AS"):
                    self.advance()
                if not self.accept(","):
                    break
            self.expect(")", "after the parameters")
        body = tuple(self._statements_until(()))
        self._close(kind, token)
        return tree.Define(token.line, name.upper.rstrip("$%"), tuple(parameters), body)

    def _call_statement(self, token: Token) -> tree.Statement:
        return tree.Evaluate(token.line, self._call_expression(token))

    def _return_statement(self, token: Token) -> tree.Statement:
        if self.is_word("WITH"):
            return tree.Evaluate(token.line, self.unavailable(token, "RETURN WITH"))
        return tree.Return(token.line, None if self.at_end() else self.expression())

    def _end_statement(self, token: Token) -> tree.Statement:
        return tree.Stop(token.line)

    _stop_statement = _end_statement

    def _goto_statement(self, token: Token) -> tree.Statement:
        return tree.GoTo(token.line, self.advance().text.lower())

    # errors

    def _on_statement(self, token: Token) -> tree.Statement:
        if not self.accept("ERROR"):
            return tree.Evaluate(token.line, self.unavailable(token, f"ON {self.token.upper}".strip()))
        if self.accept("RESUME"):
            self.expect("NEXT", "after ON ERROR RESUME")
            return tree.OnError(token.line, "resume")
        self.expect("GOTO", "or RESUME NEXT after ON ERROR")
        target = self.advance()
        return (
            tree.OnError(token.line, "off")
            if target.text == "0"
            else tree.OnError(token.line, "goto", target.text.lower())
        )

    def _try_statement(self, token: Token) -> tree.Statement:
        body = tuple(self._statements_until(()))
        variable = "error_message"
        handler: Body = ()
        if self.accept("CATCH"):
            if self.token.kind == "word":
                variable = self.advance().text.lower()
            handler = tuple(self._statements_until(()))
        self._close("TRY", token)
        return tree.Try(token.line, body, variable, handler)

    def _throw_statement(self, token: Token) -> tree.Statement:
        return tree.Throw(token.line, self.expression())

    _raise_statement = _throw_statement

    def _assert_statement(self, token: Token) -> tree.Statement:
        condition = self.expression()
        default = tree.Literal(token.line, token.column, "an ASSERT does not hold")
        message = self.expression() if self.accept(",") else default
        failed = tree.Unary(token.line, token.column, "NOT", condition)
        return tree.If(token.line, ((failed, (tree.Throw(token.line, message),)),), ())

    # declarations

    def _description_statement(self, token: Token) -> tree.Statement:
        text = self.advance().text if self.token.kind == "string" else str(getattr(self._unquoted(), "value", ""))
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
