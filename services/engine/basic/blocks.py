"""Branches, loops, subroutines, error handling: what has a body."""

from services.engine.basic import tree
from services.engine.basic.diagnostics import ScriptError
from services.engine.basic.lexer import Token
from services.engine.basic.statements import Body, StatementParser, TooDeep


class BlockParser(StatementParser):
    """One method a construct."""

    # branches

    def _if_statement(self, token: Token) -> tree.Statement:
        condition = self._condition()
        if self.token.kind == "newline" and self.ahead().upper == "THEN":
            self.advance()
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
                condition = self._condition()
                self.accept("THEN")
                body = self._statements_until(())
                continue
            if self.accept("ELSE"):
                otherwise = tuple(self._statements_until(()))
            self._close("IF", token)
            return tree.If(token.line, tuple(branches), otherwise)

    def _condition(self) -> tree.Expression:
        """A condition; a broken one is reported, and what it opens is open all the same."""
        token = self.token
        try:
            value = self.expression()
            if self.at_end() or self.is_word("THEN", "DO") or self.begins_statement():
                return value
            raise self.error("BAS121", f"expected THEN or the end of the line, found {self.shown()}")
        except TooDeep:
            raise
        except ScriptError as error:
            self.errors.append(error)
            while not self.at_line_end() and not self.is_word("THEN", "DO"):
                self.advance()
        return tree.Literal(token.line, token.column, None)

    def begins_statement(self) -> bool:
        """Whether a statement may follow without THEN: IF a TALK b."""
        return self.token.kind == "word"

    def _one_line_if(self, token: Token, condition: tree.Expression) -> tree.Statement:
        then = self._inline()
        otherwise: Body = ()
        if self.is_word("ELSEIF"):
            inner = self.advance()
            other = self._condition()
            self.accept("THEN")
            otherwise = (self._one_line_if(inner, other),)
        elif self.accept("ELSE"):
            otherwise = self._inline()
        if not otherwise and self._around.count("IF") == 1 and self._else_below():
            self.advance()
            otherwise = self._rest_of_if(token)
        elif self.token.line == token.line and (self.is_word("ENDIF") or self.at_words(("END", "IF"))):
            self._close("IF", token)
        return tree.If(token.line, ((condition, then),), otherwise)

    def _else_below(self) -> bool:
        """Whether ELSE begins the next line after a one-line IF that stands in no other IF."""
        return self.token.kind == "newline" and self.ahead().upper in {"ELSE", "ELSEIF"}

    def _rest_of_if(self, token: Token) -> Body:
        """ELSE and what follows, up to END IF."""
        if self.is_word("ELSEIF") or self.at_words(("ELSE", "IF")):
            self.accept("ELSE")
            self.advance()
            return (self._if_statement(token),)
        self.advance()
        body = tuple(self._statements_until(()))
        self._close("IF", token)
        return body

    def _inline(self) -> Body:
        """A statement up to ELSE or the end of the line; the ELSE after an IF is its own."""
        cut = None if self.is_word("IF") else self._cut_at_else()
        before = self.tokens[cut] if cut is not None else None
        if cut is not None and before is not None:
            self._replace(cut, Token("newline", "\n", before.line, before.column))
        found: list[tree.Statement | None] = []
        try:
            found.append(self._statement())
            while self.accept(":") and not self.at_line_end():
                found.append(self._statement())
        finally:
            if cut is not None and before is not None:
                self._replace(cut, before)
        return tuple(item for item in found if item is not None)

    def _replace(self, index: int, token: Token) -> None:
        self.tokens[index] = token
        self.forget()

    def _cut_at_else(self) -> int | None:
        """Where ELSE or END IF stands on this line: it looks like its end while the statement before it is read."""
        for index in range(self.position, len(self.tokens)):
            token = self.tokens[index]
            if token.kind in {"newline", "end"}:
                return None
            if token.upper in {"ELSE", "ELSEIF", "ENDIF"}:
                return index
            if token.upper == "END" and self.tokens[index + 1].upper == "IF":
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
            self.errors.append(ScriptError("BAS128", f"expected CASE after {kind}", before[0].line, 1))
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
                low = self.expression()
                found.append(("TO", low, self._concatenation()) if self.accept("TO") else ("=", low, None))
            if not self.accept(","):
                return tuple(found)

    # loops

    def _for_statement(self, token: Token) -> tree.Statement:
        start = self.position
        try:
            return self._for_loop(token)
        except TooDeep:
            raise
        except ScriptError as error:
            if error.line != token.line or error.code == "BAS122":
                raise
            self.errors.append(error)
        self.position = start  # the head is broken, what it opens is open all the same
        self._skip_line()
        self._statements_until(())
        self._close("FOR", token)
        self._skip_next_variable()
        return tree.Loop(token.line, "FOR", tree.Literal(token.line, token.column, False), None, ())

    def _for_loop(self, token: Token) -> tree.Statement:
        if self.accept("EACH") or self.ahead().upper == "IN":
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
        condition = self._condition()
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
        condition = self._condition()
        return condition if word.upper == "WHILE" else tree.Unary(word.line, word.column, "NOT", condition)

    def _break_statement(self, token: Token) -> tree.Statement:
        return tree.Leave(token.line, "exit", "SELECT" if self._innermost() == "SWITCH" else "")

    def _continue_statement(self, token: Token) -> tree.Statement:
        loop = self.advance().upper if self.is_word("FOR", "WHILE", "DO") else ""
        return tree.Leave(token.line, "continue", loop)

    def _exit_statement(self, token: Token) -> tree.Statement:
        if self.accept("SUB", "FUNCTION"):
            return tree.Return(token.line, None)
        if self.is_word("FOR", "WHILE", "DO"):
            return tree.Leave(token.line, "exit", self.advance().upper)
        if self.accept("SELECT", "SWITCH"):
            return tree.Leave(token.line, "exit", "SELECT")
        return tree.Stop(token.line)

    # subroutines

    def _sub_statement(self, token: Token) -> tree.Statement:
        return self._definition(token, "SUB")

    def _function_statement(self, token: Token) -> tree.Statement:
        return self._definition(token, "FUNCTION")

    def _definition(self, token: Token, kind: str) -> tree.Statement:
        name = self.advance()
        parameters: list[str] = []
        defaults: list[tree.Statement] = []
        if self.accept("("):
            while not self.is_operator(")"):
                self._parameter(parameters, defaults)
                if not self.accept(","):
                    break
            self.expect(")", "after the parameters")
        if self.accept("AS"):
            self.advance()
        body = tuple(self._statements_until(()))
        self._close(kind, token)
        return tree.Define(token.line, name.upper.rstrip("$%"), tuple(parameters), (*defaults, *body))

    def _parameter(self, parameters: list[str], defaults: list[tree.Statement]) -> None:
        """name [AS type] [= default]; a default is for a value that is not given or NULL."""
        while self.is_word("BYVAL", "BYREF", "OPTIONAL") and self.ahead().kind == "word":
            self.advance()
        token = self.advance()
        parameters.append(token.text.rstrip("$%").lower())
        if self.accept("AS"):
            self.advance()
        if self.accept("="):
            name = tree.Name(token.line, token.column, parameters[-1])
            given = tree.Call(token.line, token.column, "ISNULL", (name,))
            defaults.append(tree.If(token.line, ((given, (tree.Assign(token.line, name, self.expression()),)),), ()))

    def _private_statement(self, token: Token) -> tree.Statement:
        """PRIVATE SUB, PUBLIC FUNCTION: all are seen everywhere."""
        if not self.is_word("SUB", "FUNCTION"):
            raise self.error("BAS125", f"expected SUB or FUNCTION after {token.upper}, found {self.shown()}")
        return self._definition(token, self.advance().upper)

    _public_statement = _private_statement

    def _call_statement(self, token: Token) -> tree.Statement:
        return tree.Evaluate(token.line, self.called(token))

    def _return_statement(self, token: Token) -> tree.Statement:
        if self.accept("WITH"):
            return tree.Return(token.line, self._read_fields())
        return tree.Return(token.line, None if self.at_end() else self.expression())

    def _end_statement(self, token: Token) -> tree.Statement:
        if self.at_end():
            return tree.Stop(token.line)
        raise self.error("BAS120", f"END {self.token.text} closes nothing that is open")

    def _stop_statement(self, token: Token) -> tree.Statement:
        return tree.Stop(token.line)

    def _goto_statement(self, token: Token) -> tree.Statement:
        return tree.GoTo(token.line, self.advance().text.lower())

    # errors

    def _on_statement(self, token: Token) -> tree.Statement:
        if not self.accept("ERROR"):
            return self._on_event(token)
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

    def _on_event(self, token: Token) -> tree.Statement:
        raise NotImplementedError

    def _resume_statement(self, token: Token) -> tree.Statement:
        """RESUME NEXT after a handler; RESUME alone belongs to the player."""
        if self.accept("NEXT"):
            return tree.OnError(token.line, "continue")
        self.position -= 1
        return self._keyword(token)

    def _try_statement(self, token: Token) -> tree.Statement:
        body = tuple(self._statements_until(()))
        variable = "error_message"
        handler: Body = ()
        if self.accept("CATCH"):
            bracket = self.accept("(")
            if self.token.kind == "word":
                variable = self.advance().text.lower()
            if bracket:
                self.expect(")", "after the name of the error")
            handler = tuple(self._statements_until(()))
        always: Body = tuple(self._statements_until(())) if self.accept("FINALLY") else ()
        self._close("TRY", token)
        return tree.Try(token.line, body, variable, handler, always)

    def _throw_statement(self, token: Token) -> tree.Statement:
        return tree.Throw(token.line, self.expression())

    _raise_statement = _throw_statement

    def _assert_statement(self, token: Token) -> tree.Statement:
        condition = self.expression()
        default = tree.Literal(token.line, token.column, "an ASSERT does not hold")
        message = self.expression() if self.accept(",") else default
        failed = tree.Unary(token.line, token.column, "NOT", condition)
        return tree.If(token.line, ((failed, (tree.Throw(token.line, message),)),), ())
