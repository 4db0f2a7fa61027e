"""What is said of a script or of its bot: parameters, tables, web addresses, schedules, events."""

import json
from collections.abc import Iterator

from services.engine.basic import tree
from services.engine.basic.lexer import Token
from services.engine.basic.workflows import WorkflowParser

CLAUSES = frozenset({"AS", "LIKE", "DESCRIPTION", "DEFAULT", "ENUM", "OPTIONAL", "REQUIRED"})
LITERALS: dict[str, tree.JsonValue] = {"TRUE": True, "FALSE": False, "NULL": None, "NOTHING": None}
EVENTS = {"INSERT": "insert", "UPDATE": "update", "DELETE": "delete"}
UNITS = {
    "SECOND": 1,
    "SECONDS": 1,
    "MINUTE": 60,
    "MINUTES": 60,
    "HOUR": 3600,
    "HOURS": 3600,
    "DAY": 86400,
    "DAYS": 86400,
}
FIELD_WORDS = frozenset(
    {"KEY", "REFERENCES", "REQUIRED", "UNIQUE", "DEFAULT", "NOT", "PRIMARY", "READ", "WRITE", "NULL"}
)


class DeclarationParser(WorkflowParser):
    """Declarations; their values are texts and numbers, never computed."""

    # parameters

    def _description_statement(self, token: Token) -> tree.Statement:
        if self.token.kind == "block":
            return tree.Declare(token.line, "description", {"text": self.advance().text})
        quoted = self.token.kind == "string"
        text = self.advance().text if quoted else str(getattr(self.unquoted(), "value", ""))
        return tree.Declare(token.line, "description", {"text": text})

    def _param_statement(self, token: Token) -> tree.Statement:
        name = self.advance()
        if name.kind != "word":
            raise self.error("BAS124", "expected the name of the parameter")
        values: dict[str, object] = {"name": name.text, "type": "STRING", "required": True, "line": token.line}
        while self._more_of_parameter(token):
            clause = self.advance().upper
            if clause == "AS":
                values["type"] = self.advance().upper
                self._skip_size()
            elif clause in {"OPTIONAL", "REQUIRED"}:
                values["required"] = clause == "REQUIRED"
            elif clause in CLAUSES:
                values[clause.lower()] = self._clause_value()
            elif clause:
                raise self.error("BAS129", f"PARAM has no clause {clause}", f"it has {', '.join(sorted(CLAUSES))}")
        return tree.Declare(token.line, "parameter", values)

    def _more_of_parameter(self, token: Token) -> bool:
        """Whether a clause follows, here or on the next line when that is indented deeper."""
        after = self.ahead()
        if self.token.kind == "newline" and after.upper in CLAUSES and after.column > token.column:
            self.advance()
        return not self.at_end()

    def _skip_size(self) -> None:
        """STRING(100)."""
        if self.accept("("):
            while not self.at_end() and not self.accept(")"):
                self.advance()

    def _clause_value(self) -> object:
        """A literal, a list of them, JSON, or words without quotes up to the next clause."""
        start = self.position
        depth = 0
        while not self.at_end() and (depth > 0 or self.token.upper not in CLAUSES):
            depth += self.is_operator("[", "{", "#{", "(") - self.is_operator("]", "}", ")")
            self.advance()
        found = self.tokens[start : self.position]
        if len(found) == 1:
            return literal(found[0])
        if len(found) == 2 and found[0].text == "-" and found[1].kind == "number":
            return -number(found[1].text)
        if found and found[0].text in {"[", "{", "#{"}:
            return structured(found)
        if found and all(item.kind == "string" or item.text == "," for item in found):
            return [item.text for item in found if item.kind == "string"]
        return spelled_out(found)

    # tables

    def _table_statement(self, token: Token) -> tree.Statement:
        values: dict[str, object] = {"name": self._named("the name of the table"), "connection": ""}
        fields: list[dict[str, object]] = []
        self._table_options(values)
        bracket = self.accept("(")
        while not self._table_ends(bracket=bracket):
            if self.token.kind == "newline" or self.is_operator(",", ";"):
                self.advance()
            elif self.is_word("READ", "WRITE") and self.ahead().upper == "BY":
                self._table_options(values)
            elif self.is_word("CREATE", "PRIMARY", "UNIQUE", "CONSTRAINT", "FOREIGN", "INDEX"):
                self.skip_statement() if not bracket else self._skip_column()
            else:
                fields.append(self._field())
        if not bracket or self.block_follows("TABLE"):
            while self.token.kind == "newline":
                self.advance()
            self.expect("END", "after the fields of TABLE")
            self.expect("TABLE", "after END")
        return tree.Declare(token.line, "table", {**values, "fields": fields, "line": token.line})

    def _table_ends(self, *, bracket: bool) -> bool:
        if self.finished():
            return True
        return self.accept(")") if bracket else self.is_word("END") and self.ahead().upper == "TABLE"

    def _table_options(self, values: dict[str, object]) -> None:
        while True:
            if self.accept("ON"):
                values["connection"] = self._named("the name of the connection")
            elif self.is_word("READ", "WRITE") and self.ahead().upper == "BY":
                right = self.advance().upper.lower()
                self.advance()
                values[f"{right}_by"] = [role.strip() for role in self._named("roles").replace(",", ";").split(";")]
            else:
                return

    def _field(self) -> dict[str, object]:
        """name type[(length[, precision])] [KEY] [REFERENCES table] [READ BY roles] ..."""
        self.accept("FIELD")
        name = self.advance()
        if name.kind not in {"word", "string"}:
            raise self.error("BAS130", f"expected the name of a field, found {name.text!r}")
        made: dict[str, object] = {"name": name.text.lower()}
        self.accept("AS", ":")
        kind = "string" if self.at_end() or self.is_operator(",") else self.advance().text.lower()
        made["type"] = kind
        sizes = self._sizes()
        made |= dict(zip(("length", "precision"), sizes, strict=False))
        while not self.at_end() and not self.is_operator(",", ")"):
            self._field_option(made)
        return made

    def _sizes(self) -> list[int]:
        found: list[int] = []
        if self.accept("("):
            while not self.at_end() and not self.accept(")"):
                token = self.advance()
                if token.kind == "number":
                    found.append(int(float(token.text)))
        return found

    def _field_option(self, made: dict[str, object]) -> None:
        word = self.advance().upper
        if word in {"KEY", "PRIMARY"}:
            made["key"] = True
        elif word == "UNIQUE":
            made["unique"] = True
        elif word == "REFERENCES":
            made["references"] = self._named("the name of a table").lower()
            self._sizes()
        elif word == "REQUIRED" or (word == "NOT" and self.accept("NULL")):
            made["required"] = True
        elif word == "DEFAULT":
            made["default"] = literal(self.advance())
            self._sizes()
        elif word in {"READ", "WRITE"} and self.accept("BY"):
            made[f"{word.lower()}_by"] = [role.strip() for role in self._named("roles").replace(",", ";").split(";")]

    def _skip_column(self) -> None:
        depth = 0
        while not self.finished() and not (depth == 0 and self.is_operator(",", ")")):
            depth += self.is_operator("(") - self.is_operator(")")
            self.advance()

    def _named(self, what: str) -> str:
        """A name, bare or quoted; with points in it."""
        token = self.advance()
        if token.kind == "string":
            return token.text
        if token.kind != "word":
            raise self.error("BAS130", f"expected {what}, found {token.text!r}")
        name = token.text
        while self.is_operator(".") and self.ahead().kind == "word":
            self.advance()
            name += "." + self.advance().text
        return name

    # what starts a script without a person

    def _webhook_statement(self, token: Token) -> tree.Statement:
        name = self._named("the name of the web address")
        values: dict[str, object] = {"name": name, "line": token.line}
        while not self.at_end():
            word = self.advance().upper
            values[word.lower()] = self._named("a value") if not self.at_end() else True
        return tree.Declare(token.line, "webhook", values)

    def _on_event(self, token: Token) -> tree.Statement:
        values: dict[str, object] = {"event": "custom", "of": "", "options": {}, "line": token.line}
        word = self.token.upper
        if word in EVENTS:
            self.advance()
            self.accept("OF", "FROM", "INTO")
            values["event"] = EVENTS[word]
        elif word in {"EVENT", "EMAIL", "CHANGE", "FORM"}:
            self.advance()
            self.accept("SUBMIT", "OF")
            values["event"] = {"EVENT": "custom"}.get(word, word.lower())
        elif self.token.kind != "string":
            raise self.error(
                "BAS131",
                f"there is no event {self.shown()}",
                "ON ERROR, ON INSERT OF, ON EMAIL, ON CHANGE, ON FORM SUBMIT",
            )
        values["of"] = "" if self.at_end() else self._named("what the event is about")
        calls = self._event_options(values)
        if calls or not self.block_follows("ON"):
            return tree.When(token.line, values, (), calls)
        body = tuple(self._statements_until(()))
        self._close("ON", token)
        return tree.When(token.line, values, body)

    def _event_options(self, values: dict[str, object]) -> str:
        """FROM, SUBJECT, EVENTS, DO; the SUB after CALL."""
        options: dict[str, str] = {}
        values["options"] = options
        while not self.at_end():
            word = self.advance().upper
            if word == "CALL":
                name = self.advance().upper
                if self.is_operator("("):
                    self.arguments()
                return name
            if word in {"DO", "THEN"}:
                continue
            if self.at_end():
                break
            options[word.lower()] = self._named("a value")
        return ""

    def _schedule_statement(self, token: Token) -> tree.Statement:
        if self.token.kind == "string":
            self.position -= 1
            self.tokens.insert(self.position, Token("word", "SET", token.line, token.column, token.spaced))
            return self._keyword(self.token)
        self.accept("IN", "AFTER")
        amount = self.tight()
        unit = self.advance().upper if not self.at_end() and not self.is_word("DO") else "SECONDS"
        if unit not in UNITS:
            raise self.error("BAS132", f"expected SECONDS, MINUTES, HOURS or DAYS, found {unit}")
        self.accept("DO")
        body = tuple(self._statements_until(()))
        self._close("SCHEDULE", token)
        return tree.Delayed(token.line, amount, unit.lower().rstrip("s"), body)

    def _include_statement(self, token: Token) -> tree.Statement:
        return tree.Include(token.line, self._named("the name of a script"))

    def _unavailable_block(self, token: Token, name: str) -> tree.Statement:
        """A block whose service is not here: it is passed over, and raises when it is reached."""
        self._skip_block(name)
        return tree.Evaluate(token.line, tree.Invoke(token.line, token.column, name, (name,), ()))

    def _kb_statement(self, token: Token) -> tree.Statement:
        if self.at_end():
            return self._unavailable_block(token, "KB")
        self.position -= 1
        return self._keyword(token)


def number(text: str) -> int | float:
    """A number as it was written."""
    return int(text) if text.isdecimal() else float(text)


def literal(token: Token) -> object:
    """The value of one token."""
    if token.kind == "number":
        return number(token.text)
    return LITERALS.get(token.upper, token.text)


def structured(found: list[Token]) -> object:
    """A list or an object, as JSON where it is JSON."""
    pieces = list(as_json(found))
    try:
        return json.loads("".join(pieces))
    except ValueError:
        return [item.text for item in found if item.kind in {"string", "number"}]


def as_json(found: list[Token]) -> Iterator[str]:
    """Tokens as JSON: bare words are texts, #{ is {."""
    for token in found:
        if token.kind == "string" or (token.kind == "word" and token.upper not in LITERALS):
            yield json.dumps(token.text)
        elif token.kind == "word":
            yield json.dumps(LITERALS[token.upper])
        else:
            yield token.text.lstrip("#")


def spelled_out(found: list[Token]) -> str:
    """Words without quotes as text."""
    return "".join((" " if index and token.spaced else "") + token.text for index, token in enumerate(found))
