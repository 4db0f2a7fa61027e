"""Expressions: precedence climbing over the tokens of a statement."""

from services.engine.basic import tree
from services.engine.basic.diagnostics import ScriptError
from services.engine.basic.lexer import Lexer, Token, matching_brace
from services.engine.keywords import registry

CONSTANTS: dict[str, tree.JsonValue] = {"TRUE": True, "FALSE": False, "NULL": None, "NOTHING": None, "EMPTY": None}
COMPARISONS = {"=": "=", "==": "=", "<>": "<>", "!=": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">="}
NOT_OPERANDS = frozenset(
    """
    AND OR XOR NOT MOD IN LIKE BETWEEN IS CONTAINS THEN TO STEP AS BY DO WITH FROM WHERE ELSE ASC DESC GOTO TIMEOUT
    """.split()
)
ZERO_ARGUMENTS = frozenset({"NOW", "TODAY", "PI", "RND", "UUID", "GUID", "TIMESTAMP", "NOW_UTC"})
MEMORIES = {"BOT": "bot", "USER": "user", "SESSION": "session", "CHANNEL": "channel"}


DEEPEST_EXPRESSION = 40
LONGEST_CHAIN = 100
LONGEST_WHOLE = 18
LLM_CLAUSES = frozenset({"OPTIMIZE", "MAX_COST", "MAX_LATENCY"})


class ExpressionParser:
    """A cursor over tokens with the grammar of values; the statement parser extends it."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self._nesting = 0

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

    # values, loosest first

    def expression(self) -> tree.Expression:
        """A value."""
        self._nesting += 1
        try:
            if self._nesting > DEEPEST_EXPRESSION:
                raise self.error("BAS106", f"expressions are nested more than {DEEPEST_EXPRESSION} deep")
            return self._or()
        finally:
            self._nesting -= 1

    def _or(self) -> tree.Expression:
        left = self._and()
        terms = 0
        while self.is_word("OR", "XOR") or self.is_operator("||"):
            token = self.advance()
            operator = "XOR" if token.upper == "XOR" else "OR"
            left = tree.Binary(token.line, token.column, operator, left, self._and())
            terms = self._counted(terms)
        return left

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
        return tree.Binary(*place, token.upper, left, self._concatenation())

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
        while self.is_operator("*", "/", "%") or self.is_word("MOD"):
            token = self.advance()
            operator = "MOD" if token.text == "%" or token.upper == "MOD" else token.text
            left = tree.Binary(token.line, token.column, operator, left, self._power())
            terms = self._counted(terms)
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
            name = self.advance()
            if name.kind != "word":
                raise self.error("BAS111", f"expected a name after {token.text}")
            if self.is_operator("(") and not self.token.spaced:
                arguments = self._arguments()
                value = tree.Method(token.line, token.column, value, name.text.lower(), arguments)
            else:
                key = tree.Literal(name.line, name.column, name.text)
                value = tree.Member(token.line, token.column, value, key, optional=token.text == "?.")
        return value

    def _arguments(self) -> tuple[tree.Expression, ...]:
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
            return interpolated(token)
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
            if not self.accept(","):
                break
        self.expect("]", "to close the list")
        return tree.Listing(token.line, token.column, tuple(items))

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
            if not self.accept(","):
                break
        self.expect("}", "to close the object")
        return tree.Mapping(token.line, token.column, tuple(items))

    def _word(self) -> tree.Expression:
        token = self.advance()
        name = token.upper.rstrip("$%")
        place = (token.line, token.column)
        if name in CONSTANTS:
            return tree.Literal(*place, CONSTANTS[name])
        special = self._special(token, name)
        if special is not None:
            return special
        if self.is_operator("(") and not (self.token.spaced and name not in registry.FUNCTIONS):
            return tree.Call(*place, name, self._arguments())
        if name in ZERO_ARGUMENTS:
            return tree.Call(*place, name, ())
        if name in registry.FUNCTIONS and self._operand_follows():
            return self._bare_call(token, name)
        if name in registry.added():
            return self._added(token, name)
        if name in registry.LATER and self._operand_follows():
            return self.unavailable(token, name)
        return tree.Name(*place, token.text.rstrip("$%").lower())

    def _bare_call(self, token: Token, name: str) -> tree.Expression:
        """F a, b without brackets; FORMAT v AS "p"; SORT x BY "f" DESC."""
        arguments = list(self.listed())
        if name == "FORMAT" and self.accept("AS"):
            arguments.append(self.expression())
        if name == "SORT" and self.accept("BY"):
            arguments.append(self.expression())
            if self.is_word("ASC", "DESC"):
                order = self.advance()
                arguments.append(tree.Literal(order.line, order.column, order.upper))
        return tree.Call(token.line, token.column, name, tuple(arguments))

    def _added(self, token: Token, name: str) -> tree.Expression:
        """A keyword of a third party: an effect with its arguments in order."""
        place = (token.line, token.column)
        found: tuple[tree.Expression, ...] = ()
        if self.is_operator("(") and not self.token.spaced:
            found = self._arguments()
        elif self._operand_follows():
            found = self.listed()
        return tree.Effect(*place, name.lower(), (("arguments", tree.Listing(*place, found)),))

    def _special(self, token: Token, name: str) -> tree.Expression | None:
        place = (token.line, token.column)
        if name == "NEW" and self.is_word("OBJECT", "ARRAY"):
            made = self.advance().upper
            return tree.Mapping(*place, ()) if made == "OBJECT" else tree.Listing(*place, ())
        if name == "IS" and self.accept("NUMERIC"):
            return tree.Call(*place, "ISNUMBER", (self.postfix(self._primary()),))
        if name == "JSON" and self.accept("PARSE"):
            return tree.Call(*place, "JSON", (self.expression(),))
        if f"{name} {self.token.upper}" in registry.PHRASES and name in registry.LATER:
            return self.unavailable(token, name)
        if name == "ERROR" and self.is_word("MESSAGE"):
            self.advance()
            return tree.Name(*place, "error_message")
        if name == "GET":
            return self._get(token)
        if name == "LLM" and self._operand_follows():
            return tree.Effect(*place, "llm", (("prompt", self.expression()), *self._llm_clauses()))
        if name == "CALL":
            return self._call_expression(token)
        return None

    def _llm_clauses(self) -> list[tuple[str, tree.Expression]]:
        """WITH OPTIMIZE FOR, MAX_COST, MAX_LATENCY: on the same line or the next."""
        found: list[tuple[str, tree.Expression]] = []
        while True:
            skip = 1 if self.token.kind == "newline" else 0
            if self.ahead(skip).upper != "WITH" or self.ahead(skip + 1).upper not in LLM_CLAUSES:
                return found
            self.position += skip + 1
            name = self.advance().upper
            if name == "OPTIMIZE":
                self.expect("FOR", "after OPTIMIZE")
            found.append((name.lower(), self.expression()))

    def _get(self, token: Token) -> tree.Expression:
        place = (token.line, token.column)
        if self.token.upper in MEMORIES:
            scope = MEMORIES[self.advance().upper]
            self.accept("MEMORY")
            bracket = self.accept("(")
            key = self.expression()
            if bracket:
                self.expect(")", "after the key")
            return reading(token, scope, key)
        if self.token.kind == "string" and self.token.text.lower().startswith(
            ("session.", "user.", "bot.", "channel.")
        ):
            scope, _, key_text = self.advance().text.partition(".")
            return reading(token, scope.lower(), tree.Literal(*place, key_text))
        if self._operand_follows():
            return self.unavailable(token, "GET")
        return tree.Name(*place, "get")

    def _call_expression(self, token: Token) -> tree.Expression:
        if self.token.kind == "string":
            return self.unavailable(token, "CALL")
        name = self.advance()
        if name.kind != "word":
            raise self.error("BAS114", "expected the name of a SUB or FUNCTION after CALL")
        arguments = self._arguments() if self.is_operator("(") else ()
        return tree.Call(token.line, token.column, name.upper, arguments)

    def unavailable(self, token: Token, name: str) -> tree.Expression:
        """A keyword that this installation cannot do: an error at run time, which a script can catch."""
        second = self.token.upper
        name = f"{name} {second}" if f"{name} {second}" in registry.PHRASES else name
        depth = 0
        while not self.finished() and (depth > 0 or not self.at_end()):
            if self.is_operator("(", "[", "{", "#{"):
                depth += 1
            elif self.is_operator(")", "]", "}"):
                if depth == 0:
                    break
                depth -= 1
            self.advance()
        literal = tree.Literal(token.line, token.column, name)
        return tree.Effect(token.line, token.column, "unavailable", (("keyword", literal),))

    def _operand_follows(self) -> bool:
        token = self.token
        if token.kind in {"number", "string"}:
            return True
        if token.kind == "word":
            return token.upper not in NOT_OPERANDS
        return token.kind == "operator" and (token.text in {"{", "#{"} or (token.text in {"(", "["} and token.spaced))


def reading(token: Token, scope: str, key: tree.Expression) -> tree.Effect:
    """The value of a variable outside the program."""
    place = (token.line, token.column)
    return tree.Effect(*place, "get_variable", (("scope", tree.Literal(*place, scope)), ("key", key)))


def interpolated(token: Token, text: str | None = None) -> tree.Expression:
    """Text with its ${...} parsed."""
    content = token.text if text is None else text
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
        parts.append(parse_value(content[start + 2 : end], token))
        position = end + 1
    if position < len(content):
        parts.append(tree.Literal(*place, content[position:]))
    return tree.Template(*place, tuple(parts))


def parse_value(text: str, token: Token) -> tree.Expression:
    """The expression inside ${...}, with the place of the text around it."""
    lexer = Lexer(text)
    tokens = [Token(item.kind, item.text, token.line, token.column, item.spaced) for item in lexer.run()]
    if lexer.errors:
        raise ScriptError("BAS103", f"${{{text}}} is not an expression", token.line, token.column)
    parser = ExpressionParser(tokens)
    if text.count("${") > DEEPEST_EXPRESSION:
        raise ScriptError("BAS106", "texts are nested too deep", token.line, token.column)
    value = parser.expression()
    if not parser.at_end():
        raise ScriptError("BAS103", f"${{{text}}} is not an expression", token.line, token.column)
    return value
