"""Expressions: precedence climbing over the tokens of a statement."""

from services.engine.basic import tree
from services.engine.basic.diagnostics import ScriptError
from services.engine.basic.lexer import Lexer, Token, matching_brace
from services.engine.basic.matching import Matching

CONSTANTS: dict[str, tree.JsonValue] = {"TRUE": True, "FALSE": False, "NULL": None, "NOTHING": None, "EMPTY": None}
COMPARISONS = {"=": "=", "==": "=", "<>": "<>", "!=": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
NO_VALUES = frozenset({"THEN", "ELSE", "ELSEIF", "AND", "OR", "XOR"})
DEEPEST_EXPRESSION = 40
LONGEST_CHAIN = 100
LONGEST_WHOLE = 18


class ExpressionParser(Matching):
    """The grammar of values; the statement parser extends it."""

    def __init__(self, tokens: list[Token], lines: list[str] | None = None) -> None:
        super().__init__(tokens, lines)
        self._nesting = 0

    # values, loosest first

    def expression(self) -> tree.Expression:
        """A value."""
        self._nesting += 1
        try:
            if self._nesting > DEEPEST_EXPRESSION:
                raise self.error("BAS106", f"expressions are nested more than {DEEPEST_EXPRESSION} deep")
            return self._either()
        finally:
            self._nesting -= 1

    def _either(self) -> tree.Expression:
        """condition ? one : other, as JavaScript writes IIF."""
        value = self._or()
        if not self.is_operator("?"):
            return value
        token = self.advance()
        first = self.expression()
        self.expect(":", "between the two values after ?")
        return tree.Call(token.line, token.column, "IIF", (value, first, self.expression()))

    def _or(self) -> tree.Expression:
        left = self._and()
        terms = 0
        while self.is_word("OR", "XOR") or self.is_operator("||", "??"):
            token = self.advance()
            if token.text == "??":
                left = tree.Call(token.line, token.column, "NVL", (left, self._and()))
                terms = self._counted(terms)
                continue
            operator = "XOR" if token.upper == "XOR" else "OR"
            left = tree.Binary(token.line, token.column, operator, left, self._and())
            terms = self._counted(terms)
        return left

    def tight(self) -> tree.Expression:
        """A value without comparisons, so that IF GET "a" = "b" compares what GET gives."""
        self._nesting += 1
        try:
            if self._nesting > DEEPEST_EXPRESSION:
                raise self.error("BAS106", f"expressions are nested more than {DEEPEST_EXPRESSION} deep")
            return self._concatenation()
        finally:
            self._nesting -= 1

    def _counted(self, terms: int) -> int:
        """Chains of operators become trees as deep as they are long."""
        if terms >= LONGEST_CHAIN:
            raise self.error("BAS106", f"an expression has more than {LONGEST_CHAIN} operators of one kind")
        return terms + 1

    def _and(self) -> tree.Expression:
        left = self._not()
        terms = 0
        while self.is_word("AND") or self.is_operator("&&"):
            token = self.advance()
            left = tree.Binary(token.line, token.column, "AND", left, self._not())
            terms = self._counted(terms)
        return left

    def _not(self) -> tree.Expression:
        signs: list[Token] = []
        while self.is_word("NOT") or self.is_operator("!"):
            signs.append(self.advance())
        value = self._comparison()
        for token in reversed(signs[-2:] if len(signs) % 2 == 0 else signs[-1:]):
            value = tree.Unary(token.line, token.column, "NOT", value)
        return value

    def _comparison(self) -> tree.Expression:
        left = self._concatenation()
        while True:
            token = self.token
            if token.kind == "operator" and token.text in COMPARISONS:
                self.advance()
                left = tree.Binary(token.line, token.column, COMPARISONS[token.text], left, self._concatenation())
            elif self.is_word("NOT") and self.ahead().upper in {"IN", "LIKE", "BETWEEN"}:
                self.advance()
                left = tree.Unary(token.line, token.column, "NOT", self._word_comparison(left))
            elif self.is_word("IN", "LIKE", "BETWEEN", "IS", "CONTAINS"):
                left = self._word_comparison(left)
            else:
                return left

    def _word_comparison(self, left: tree.Expression) -> tree.Expression:
        token = self.advance()
        place = (token.line, token.column)
        if token.upper == "BETWEEN":
            low = self._concatenation()
            self.expect("AND", "between the two ends of BETWEEN")
            high = self._concatenation()
            at_least = tree.Binary(*place, ">=", left, low)
            return tree.Binary(*place, "AND", at_least, tree.Binary(*place, "<=", left, high))
        if token.upper == "IS":
            negated = self.accept("NOT")
            if self.accept("NUMERIC"):
                test: tree.Expression = tree.Call(*place, "ISNUMBER", (left,))
            else:
                self.expect("NULL", "after IS")
                test = tree.Call(*place, "ISNULL", (left,))
            return tree.Unary(*place, "NOT", test) if negated else test
        if token.upper == "IN" and self.is_operator("("):
            return tree.Binary(*place, "IN", left, self._bracketed())
        return tree.Binary(*place, token.upper, left, self._concatenation())

    def _bracketed(self) -> tree.Expression:
        """x IN ("a", "b"), as SQL writes lists; with one value in the brackets, that value."""
        token, start = self.token, self.position
        values = self.arguments()
        if len(values) > 1:
            return tree.Listing(token.line, token.column, values)
        self.position = start
        return self._concatenation()

    def _concatenation(self) -> tree.Expression:
        left = self._sum()
        terms = 0
        while self.is_operator("&"):
            token = self.advance()
            left = tree.Binary(token.line, token.column, "&", left, self._sum())
            terms = self._counted(terms)
        return left

    def _sum(self) -> tree.Expression:
        left = self._product()
        terms = 0
        while self.is_operator("+", "-"):
            token = self.advance()
            left = tree.Binary(token.line, token.column, token.text, left, self._product())
            terms = self._counted(terms)
        return left

    def _product(self) -> tree.Expression:
        left = self._power()
        terms = 0
        while self.is_operator("*", "/", "%", "\\") or self.is_word("MOD"):
            token = self.advance()
            terms = self._counted(terms)
            if token.text == "\\":
                whole = tree.Binary(token.line, token.column, "/", left, self._power())
                left = tree.Call(token.line, token.column, "FIX", (whole,))
                continue
            operator = "MOD" if token.text == "%" or token.upper == "MOD" else token.text
            left = tree.Binary(token.line, token.column, operator, left, self._power())
        return left

    def _power(self) -> tree.Expression:
        """-2 ^ 2 is -4, 2 ^ -1 is a half, 2 ^ 3 ^ 2 is 2 ^ 9."""
        signs: list[Token] = []
        while self.is_operator("-", "+"):
            signs.append(self.advance())
        value = self.postfix(self._primary())
        if self.is_operator("^"):
            token = self.advance()
            self._nesting = self._counted(self._nesting)
            value = tree.Binary(token.line, token.column, "^", value, self._power())
            self._nesting -= 1
        if sum(token.text == "-" for token in signs) % 2:
            value = tree.Unary(signs[0].line, signs[0].column, "-", value)
        return value

    def postfix(self, value: tree.Expression) -> tree.Expression:
        """.name, .method(), ?.name, [index]."""
        links = 0
        while self.is_operator(".", "?.", "["):
            token = self.advance()
            links = self._counted(links)
            if token.text == "[":
                key = self.expression()
                self.expect("]", "after the index")
                value = tree.Member(token.line, token.column, value, key)
                continue
            if self.token.kind != "word":
                raise self.error("BAS111", f"expected a name after {token.text}, found {self.shown()}")
            name = self.advance()
            if self.is_operator("(") and not self.token.spaced:
                arguments = self.arguments()
                value = tree.Method(token.line, token.column, value, name.text.lower(), arguments)
            else:
                key = tree.Literal(name.line, name.column, name.text)
                value = tree.Member(token.line, token.column, value, key, optional=token.text == "?.")
        return value

    def arguments(self) -> tuple[tree.Expression, ...]:
        """Values in brackets."""
        self.expect("(", "before the arguments")
        found: list[tree.Expression] = []
        while not self.is_operator(")"):
            found.append(self.expression())
            if not self.accept(","):
                break
        self.expect(")", "after the arguments")
        return tuple(found)

    def listed(self) -> tuple[tree.Expression, ...]:
        """Values with commas between them, up to where the statement or clause ends."""
        found = [self.expression()]
        while self.accept(","):
            found.append(self.expression())
        return tuple(found)

    def _primary(self) -> tree.Expression:
        token = self.token
        if token.kind == "number":
            self.advance()
            exact = token.text.isdecimal() and len(token.text) <= LONGEST_WHOLE
            value = int(token.text) if exact else float(token.text)
            if value == float("inf"):
                raise self.error("BAS107", f"{token.text[:20]} is too large a number")
            return tree.Literal(token.line, token.column, value)
        if token.kind == "string":
            self.advance()
            return self.interpolated(token)
        if token.kind == "word":
            return self._word()
        if self.accept("("):
            inner = self.expression()
            self.expect(")", "to close the bracket")
            return inner
        if self.accept("["):
            return self._listing(token)
        if self.is_operator("{", "#{"):
            return self._mapping()
        raise self.error("BAS112", f"expected a value, found {self.shown()}")

    def _listing(self, token: Token) -> tree.Expression:
        items: list[tree.Expression] = []
        while not self.is_operator("]"):
            items.append(self.expression())
            if not self._goes_on():
                break
        self.expect("]", "to close the list")
        return tree.Listing(token.line, token.column, tuple(items))

    def _goes_on(self) -> bool:
        """Whether more follows in a list or object: after a comma, or on a line of its own."""
        if self.accept(","):
            return True
        return self.token.kind in {"word", "string"} and self.token.line > self.tokens[self.position - 1].line

    def _mapping(self) -> tree.Expression:
        token = self.advance()
        items: list[tuple[str, tree.Expression]] = []
        while not self.is_operator("}"):
            key = self.advance()
            if key.kind not in {"word", "string", "number"}:
                raise self.error("BAS113", "expected a key in the object")
            if not self.accept(":"):
                self.expect("=", "or : after the key")
            items.append((key.text, self.expression()))
            if not self._goes_on():
                break
        self.expect("}", "to close the object")
        return tree.Mapping(token.line, token.column, tuple(items))

    def _word(self) -> tree.Expression:
        token = self.token
        name = token.upper.rstrip("$%")
        place = (token.line, token.column)
        if name in CONSTANTS and not (self.ahead().text == "(" and not self.ahead().spaced):
            self.advance()
            return tree.Literal(*place, CONSTANTS[name])
        if name in NO_VALUES and name not in self.assigned:
            raise self.error("BAS112", f"expected a value, found {token.text}")
        special = self._special(token, name)
        if special is not None:
            return special
        if name not in self.defined and not self.at_element():
            invoked = self.invocation(statement=False)
            if invoked is not None:
                return invoked
        if self.at_element():
            return self.element()
        self.advance()
        if self.at_arguments() or (name in self.defined and self.is_operator("(")):
            return tree.Call(*place, name, self.arguments())
        return tree.Name(*place, token.text.rstrip("$%").lower())

    def at_element(self) -> bool:
        """Whether an element of a list stands here that DIM gave a size: name(3)."""
        after = self.ahead()
        return self.token.upper.rstrip("$%") in self.sized and after.text == "(" and not after.spaced

    def element(self) -> tree.Expression:
        """name(3) is name[3], name(1, 2) is name[1][2]."""
        token = self.advance()
        value: tree.Expression = tree.Name(token.line, token.column, token.text.rstrip("$%").lower())
        for key in self.arguments():
            value = tree.Member(token.line, token.column, value, key)
        return value

    def _special(self, token: Token, name: str) -> tree.Expression | None:
        place = (token.line, token.column)
        after = self.ahead().upper
        if name in {"NEW", "CREATE"} and after in {"OBJECT", "ARRAY"}:
            self.advance()
            made = self.advance().upper
            return tree.Mapping(*place, ()) if made == "OBJECT" else tree.Listing(*place, ())
        if name == "IS" and after == "NUMERIC":
            self.advance()
            self.advance()
            return tree.Call(*place, "ISNUMBER", (self.postfix(self._primary()),))
        if name == "ERROR" and after == "MESSAGE":
            self.advance()
            self.advance()
            return tree.Name(*place, "error_message")
        if name == "CALL":
            self.advance()
            return self.called(token)
        return None

    def called(self, token: Token) -> tree.Expression:
        """CALL name(a, b), CALL "script.bas", CALL "service/path", {...}."""
        if self.token.kind == "string":
            path = self.interpolated(self.advance())
            if self.accept("WITH"):
                return tree.RunScript(token.line, token.column, path, (self._read_fields(),))
            more = self.listed() if self.accept(",") else ()
            return tree.RunScript(token.line, token.column, path, more)
        name = self.advance()
        if name.kind != "word":
            raise self.error("BAS114", "expected the name of a SUB or FUNCTION after CALL")
        arguments = self.arguments() if self.is_operator("(") else ()
        if not arguments and not self.at_end() and self.begins_value(self.token):
            arguments = self.listed()
        return tree.Call(token.line, token.column, name.upper, arguments)

    def target(self) -> tree.Expression:
        """A variable, a field, an element."""
        if self.at_element():
            return self.postfix(self.element())
        token = self.advance()
        if token.kind != "word":
            raise self.error("BAS124", "expected the name of a variable")
        return self.postfix(tree.Name(token.line, token.column, token.text.rstrip("$%").lower()))

    def interpolated(self, token: Token) -> tree.Expression:
        """Text with its ${...} parsed."""
        content = token.text
        place = (token.line, token.column)
        if "${" not in content:
            return tree.Literal(*place, content)
        parts: list[tree.Expression] = []
        position = 0
        while (start := content.find("${", position)) >= 0:
            end = matching_brace(content, start + 2)
            if end < 0:
                raise ScriptError("BAS103", "${ has no closing }", *place, "add }")
            if start > position:
                parts.append(tree.Literal(*place, content[position:start]))
            parts.append(parse_value(content[start + 2 : end], token, self))
            position = end + 1
        if position < len(content):
            parts.append(tree.Literal(*place, content[position:]))
        return tree.Template(*place, tuple(parts))


def parse_value(text: str, token: Token, around: ExpressionParser) -> tree.Expression:
    """The expression inside ${...}, with the place of the text around it; it knows the names of the whole script."""
    lexer = Lexer(text)
    tokens = [Token(item.kind, item.text, token.line, token.column, item.spaced) for item in lexer.run()]
    if lexer.errors:
        raise ScriptError("BAS103", f"${{{text}}} is not an expression", token.line, token.column)
    if text.count("${") > DEEPEST_EXPRESSION:
        raise ScriptError("BAS106", "texts are nested too deep", token.line, token.column)
    parser = type(around)(tokens)  # a keyword in it may have slots that only the whole parser reads
    parser.assigned, parser.defined, parser.sized = around.assigned, around.defined, around.sized
    value = parser.expression()
    if not parser.at_end():
        raise ScriptError("BAS103", f"${{{text}}} is not an expression", token.line, token.column)
    return value
