"""Keywords by their forms: which one stands here, and what stands in its slots."""

from services.engine.basic import tree
from services.engine.basic.cursor import ASSIGNS, Cursor
from services.engine.basic.diagnostics import ScriptError
from services.engine.basic.lexer import Token
from services.engine.keywords.forms import Choice, Form, Item, Literal, Slot, readable
from services.engine.keywords.forms import Optional as Maybe
from services.engine.keywords.keyword import Effect, Keyword
from services.engine.keywords.registry import ENDS, registry

Found = dict[str, tree.Expression]
Start = tuple[tuple[str, ...], Keyword, Form]
OPENING = frozenset({"WITH", "ON", "FOR", "DO", "IF", "SET", "END"})
BARE = frozenset({"name", "word"})
POSITIONAL = frozenset({"where", "fields", "named", "order", "columns", "rest", "sql", "anything"})


class Matching(Cursor):
    """Matches forms; the values in their slots are read by its heir."""

    def __init__(self, tokens: list[Token], lines: list[str] | None = None) -> None:
        super().__init__(tokens, lines)
        self._invoked: dict[int, tuple[tree.Expression | ScriptError | None, int]] = {}

    def expression(self) -> tree.Expression:
        """A value."""
        raise NotImplementedError

    def tight(self) -> tree.Expression:
        """A value without comparisons."""
        raise NotImplementedError

    def target(self) -> tree.Expression:
        """A place for a value."""
        raise NotImplementedError

    def arguments(self) -> tuple[tree.Expression, ...]:
        """Values in brackets."""
        raise NotImplementedError

    def unquoted(self) -> tree.Expression:
        """Text without quotes."""
        raise NotImplementedError

    # which keyword

    def invocation(self, *, statement: bool) -> tree.Expression | None:
        """The keyword that stands here with its arguments; nothing when none does. ScriptError for a broken one.

        In a value it is read once, however many forms of the keywords around it are tried: else calls in calls would
        take as many times longer as they are deep, to the power of the forms.
        """
        if statement:
            return self._invocation(statement=True)
        begin = self.position
        known = self._invoked.get(begin)
        if known is not None:
            return self._again(*known)
        try:
            made = self._invocation(statement=False)
        except ScriptError as error:
            self._invoked[begin] = (error, begin)
            raise
        self._invoked[begin] = (made, self.position)
        return made

    def forget(self) -> None:
        """Tokens have become others: what was read of them counts no more."""
        self._invoked.clear()

    def _again(self, found: tree.Expression | ScriptError | None, end: int) -> tree.Expression | None:
        if isinstance(found, ScriptError):
            raise found.with_traceback(None)
        self.position = end
        return found

    def _invocation(self, *, statement: bool) -> tree.Expression | None:
        starts = [item for item in registry().starting.get(self.token.upper, ()) if self.at_words(item[0])]
        starts = [item for item in starts if self._meant(item[0], item[1], item[2], statement=statement)]
        fitting = [item for item in starts if (item[1].effect is Effect.PURE) is not statement]
        if not 0 < len(fitting) < len(starts):
            return self._best(starts, statement=statement)
        begin = self.position  # LOG x is a number in a value, a line of the log as a statement
        found, problem = self._attempt(fitting, statement=statement)
        if found is not None and (self.token.kind != "word" or self.token.upper not in registry().clauses):
            return found
        end, self.position = self.position, begin
        other, _ = self._attempt([item for item in starts if item not in fitting], statement=statement)
        if other is not None and (found is None or self.position > end):
            return other
        self.position = end if found is not None else begin
        if found is None and problem is not None:
            raise problem
        return found

    def _attempt(self, starts: list[Start], *, statement: bool) -> tuple[tree.Expression | None, ScriptError | None]:
        """What fits, or why nothing does."""
        try:
            return self._best(starts, statement=statement), None
        except ScriptError as error:
            return None, error

    def _best(self, starts: list[Start], *, statement: bool) -> tree.Expression | None:
        """The form that takes most. ScriptError of the one that came furthest."""
        begin = self.position
        best: tuple[int, tree.Expression] | None = None
        worst: ScriptError | None = None
        for head, keyword, form in starts:
            if best is not None and len(head) < len(self._heads(best[1])):
                break
            try:
                made = self._matched(head, keyword, form, statement=statement)
            except ScriptError as error:
                worst = later(worst, error, form)
            else:
                if best is None or self.position > best[0]:
                    best = (self.position, made)
            self.position = begin
        if best is not None and not (not statement and worst is not None and self._stops_short(best[0], worst)):
            self.position = best[0]
            return best[1]
        if worst is not None and (statement or len(starts[0][0]) > 1 or starts[0][1].effect is not Effect.PURE):
            raise worst
        return None

    def _heads(self, made: tree.Expression) -> tuple[str, ...]:
        return made.head if isinstance(made, tree.Invoke) else ()

    def _stops_short(self, end: int, error: ScriptError) -> bool:
        """Whether the match ends before the statement does, while another form got further."""
        stop = self.tokens[end]
        if stop.kind in {"newline", "end"} or stop.text == ";":
            return False
        return (error.line, error.column) > (stop.line, stop.column)

    def _meant(self, head: tuple[str, ...], keyword: Keyword, form: Form, *, statement: bool) -> bool:
        """Whether a word that is also a likely name of a variable stands here as the keyword."""
        after = self.ahead(len(head))
        if len(head) > 1 or (head == ("SELECT",) and after.text == "*" and self.ahead(2).upper == "FROM"):
            return True
        optional = Literal | Maybe if keyword.effect is Effect.PURE or statement else Literal
        empty = all(isinstance(item, optional) for item in form.items)
        if after.kind == "operator" and after.text in ASSIGNS | {".", "?."}:
            return empty and not statement and keyword.effect is Effect.PURE and head[0] not in self.assigned
        known = head[0] in self.assigned
        if after.kind == "operator" and after.text == "(" and not after.spaced:
            return True
        if statement and after.kind in {"word", "string", "number"}:
            return True
        if self.begins_value(after) and not (known and after.upper in registry().clauses):
            return True
        if self._is_negative(after, self.ahead(len(head) + 1)):
            return not empty and not known
        if empty and keyword.effect is Effect.PURE and statement:
            return False
        return empty and not known

    def _is_negative(self, sign: Token, after: Token) -> bool:
        """ABS -5 is a call, total - 5 and total-5 are differences."""
        return sign.kind == "operator" and sign.text == "-" and sign.spaced and not after.spaced

    def begins_value(self, token: Token) -> bool:
        """Whether a token can be the beginning of a keyword's argument."""
        if token.kind in {"number", "string"}:
            return True
        if token.kind == "word":
            return token.upper not in ENDS or token.upper in self.assigned
        if token.kind != "operator":
            return False
        return token.text in {"{", "#{"} or (token.text in {"(", "["} and token.spaced)

    # one form

    def _matched(self, head: tuple[str, ...], keyword: Keyword, form: Form, *, statement: bool) -> tree.Expression:
        token = self.token
        for _ in head:
            self.advance()
        if self.at_arguments():
            start = self.position
            called = self._called(token, head, keyword)
            if called is not None and (not statement or self.at_end()):
                return called
            if called is not None and not statement:
                return called
            self.position = start
        found: Found = {}
        self._sequence(form.items[len(head) :], found, token, tight=not statement)
        if statement and not self.at_end():
            message = f"{keyword.name}: expected the end of the line, found {self.shown()}"
            raise self.error("BAS121", message)
        return self._made(token, head, keyword, form, found)

    def _called(self, token: Token, head: tuple[str, ...], keyword: Keyword) -> tree.Expression | None:
        """KEYWORD(a, b): the values go into the slots of the first form that has room for them."""
        try:
            values = self.arguments()
        except ScriptError:
            return None
        for form in keyword.patterns:
            slots = [slot for slot in form.slots() if slot.kind not in POSITIONAL]
            many = bool(slots) and slots[-1].kind == "values"
            if len(values) <= len(slots) or many:
                chosen = dict(zip((slot.name for slot in slots), values, strict=False))
                if many and len(values) >= len(slots):
                    rest = values[len(slots) - 1 :]
                    chosen[slots[-1].name] = tree.Listing(token.line, token.column, rest)
                return self._made(token, head, keyword, form, chosen)
        if keyword.effect is Effect.PURE:
            return tree.Call(token.line, token.column, keyword.name, values)
        return None

    def _made(self, token: Token, head: tuple[str, ...], keyword: Keyword, form: Form, found: Found) -> tree.Expression:
        place = (token.line, token.column)
        if keyword.effect is not Effect.PURE:
            return tree.Invoke(*place, keyword.name, head, tuple(found.items()))
        values: list[tree.Expression] = []
        absent = tree.Literal(*place, None)
        for slot in form.slots():
            if slot.kind == "values" and slot.name in found:
                values.extend(getattr(found[slot.name], "items", ()))
            elif slot.name in found:
                values.append(found[slot.name])
            else:
                values.append(absent)
        while values and values[-1] is absent:
            values.pop()
        return tree.Call(*place, keyword.name, tuple(values))

    def _sequence(self, items: tuple[Item, ...], found: Found, first: Token, *, tight: bool) -> None:
        for index, item in enumerate(items):
            if isinstance(item, Literal):
                self._literal(items, index, first)
            elif isinstance(item, Slot):
                after = items[index + 1] if index + 1 < len(items) else None
                before_equals = isinstance(after, Literal) and after.text == "="
                found[item.name] = self._slot(item, tight=tight or before_equals)
            elif isinstance(item, Maybe):
                self._maybe(item.items, found, first, tight=tight)
            else:
                self._choice(item, found, first, tight=tight)

    def _literal(self, items: tuple[Item, ...], index: int, first: Token) -> None:
        item = items[index]
        if not isinstance(item, Literal):
            return
        self._clause_line(items, index, first)
        if self.is_operator(item.text) or self.is_word(item.text):
            self.advance()
            return
        raise self.error("BAS110", f"expected {item.text}, found {self.shown()}")

    def _clause_line(self, items: tuple[Item, ...], index: int, first: Token) -> None:
        """A clause may stand on a line of its own that is indented deeper than the statement."""
        if self.token.kind != "newline":
            return
        run = []
        for item in items[index:]:
            if not isinstance(item, Literal) or not item.text[0].isalpha():
                break
            run.append(item.text)
        if not run or (len(run) == 1 and run[0] in OPENING):
            return
        if self.ahead().column <= self._margin(first):
            return
        if all(self.ahead(1 + offset).upper == word for offset, word in enumerate(run)):
            self.advance()

    def _margin(self, first: Token) -> int:
        """Column of the first token of the line a statement stands on."""
        position = self.position
        while position > 0 and self.tokens[position - 1].line >= first.line:
            position -= 1
            if self.tokens[position].line == first.line and self.tokens[max(0, position - 1)].line < first.line:
                break
        return self.tokens[position].column

    def _maybe(self, items: tuple[Item, ...], found: Found, first: Token, *, tight: bool) -> None:
        start, before = self.position, dict(found)
        try:
            self._sequence(items, found, first, tight=tight)
        except ScriptError:
            committed = isinstance(items[0], Literal) and self.position > start + 1
            if committed and isinstance(items[0], Literal) and items[0].text == ",":
                raise
            self.position = start
            found.clear()
            found.update(before)

    def _choice(self, choice: Choice, found: Found, first: Token, *, tight: bool) -> None:
        start, before = self.position, dict(found)
        worst: ScriptError | None = None
        for option in choice.options:
            try:
                self._sequence(option, found, first, tight=tight)
            except ScriptError as error:
                worst = later(worst, error, None)
                self.position = start
                found.clear()
                found.update(before)
            else:
                return
        if worst is not None:
            raise worst

    # slots

    def _slot(self, slot: Slot, *, tight: bool) -> tree.Expression:
        token = self.token
        place = (token.line, token.column)
        reader = getattr(self, f"_read_{slot.kind}", None)
        if reader is not None:
            made: tree.Expression = reader()
            return made
        if slot.kind in BARE and self._stands_alone(slot.kind):
            return tree.Literal(*place, self.advance().text)
        if self.at_end():
            raise self.error("BAS112", f"expected {slot.name.replace('_', ' ')}, found {self.shown()}")
        return self.tight() if tight and slot.kind != "condition" else self.expression()

    def _stands_alone(self, kind: str) -> bool:
        """A bare word that is a name, not a variable."""
        after = self.ahead()
        if self.token.kind != "word":
            return False
        if after.kind == "operator" and after.text in {".", "[", "+", "&", "?."} and not after.spaced:
            return False
        if after.text == "(" and not after.spaced and self._is_function():
            return False
        return kind == "word" or self.token.upper.rstrip("$%") not in self.assigned

    def _is_function(self) -> bool:
        """Whether this word can be called: not the table of INSERT INTO orders(id) VALUES (1)."""
        name = self.token.upper.rstrip("$%")
        return name in self.defined or name in registry().starting or name in self.sized

    def _read_where(self) -> tree.Expression:
        token = self.token
        return tree.Where(token.line, token.column, self.expression())

    def _read_filter(self) -> tree.Expression:
        token = self.token
        return tree.Filter(token.line, token.column, self.tight())

    def _read_variable(self) -> tree.Expression:
        return self.target()

    def _read_values(self) -> tree.Expression:
        token = self.token
        found = [self.expression()]
        while self.accept(","):
            found.append(self.expression())
        return tree.Listing(token.line, token.column, tuple(found))

    def _read_fields(self) -> tree.Expression:
        token = self.token
        items: list[tuple[str, tree.Expression]] = []
        while True:
            name = self.advance()
            if name.kind not in {"word", "string"}:
                raise self.error("BAS113", "expected name = value")
            if name.kind == "word" and (self.is_operator(",") or (items and self.at_end())):
                items.append((name.text, tree.Name(name.line, name.column, name.text)))  # a, b is a = a, b = b
                if self.accept(","):
                    continue
                return tree.Mapping(token.line, token.column, tuple(items))
            if not self.accept("=", "AS", ":"):
                raise self.error("BAS110", f"expected = or AS after {name.text}, found {self.shown()}")
            items.append((name.text, self.tight()))
            if not self.accept(","):
                return tree.Mapping(token.line, token.column, tuple(items))

    def _read_columns(self) -> tree.Expression:
        """(a, b) VALUES (1, 2), as SQL writes a row."""
        token = self.token
        names = self._column_names()
        self.expect("VALUES", "after the columns")
        values = self.arguments()
        if len(names) != len(values):
            raise self.error("BAS113", f"expected {len(names)} values for {len(names)} columns, found {len(values)}")
        return tree.Mapping(token.line, token.column, tuple(zip(names, values, strict=True)))

    def _column_names(self) -> list[str]:
        self.expect("(", "before the columns")
        names: list[str] = []
        while not self.is_operator(")"):
            if self.token.kind not in {"word", "string"}:
                raise self.error("BAS113", "expected the name of a column")
            names.append(self.advance().text)
            if not self.accept(","):
                break
        self.expect(")", "after the columns")
        return names

    def _read_named(self) -> tree.Expression:
        token = self.token
        found = [self._with_name(token)]
        while self.accept(","):
            found.append(self._with_name(self.token))
        return tree.Listing(token.line, token.column, tuple(found))

    def _with_name(self, token: Token) -> tree.Expression:
        value = self.expression()
        name = value.name if isinstance(value, tree.Name) else ""
        if isinstance(value, tree.Member) and isinstance(value.key, tree.Literal):
            name = value.key.value if isinstance(value.key.value, str) else ""
        place = (token.line, token.column)
        return tree.Mapping(*place, (("name", tree.Literal(*place, name.lower())), ("value", value)))

    def _read_order(self) -> tree.Expression:
        token = self.token
        if token.kind == "string":
            return self.tight()
        words: list[str] = []
        while not self.at_end() and not self.is_word("LIMIT") and not self.is_operator(")", "]", "}"):
            words.append(self.advance().text)
        return tree.Literal(token.line, token.column, " ".join(words))

    def _read_rest(self) -> tree.Expression:
        start = self.position
        try:
            value = self.expression()
            if self.at_end():
                return value
        except ScriptError:
            pass
        self.position = start
        return self.unquoted()

    def _read_sql(self) -> tree.Expression:
        token = self.token
        place, begin = (token.line, token.column), self.position
        text = tree.Literal(*place, self.source_until_end())
        words = {item.text for item in self.tokens[begin : self.position] if item.kind == "word"}
        known = sorted(word for word in words if word.upper().rstrip("$%") in self.assigned)
        variables = tree.Mapping(*place, tuple((word.lower(), tree.Name(*place, word.lower())) for word in known))
        return tree.Mapping(*place, (("text", text), ("variables", variables)))

    def _read_anything(self) -> tree.Expression:
        token = self.token
        return tree.Literal(token.line, token.column, self.source_until_end())


def later(known: ScriptError | None, error: ScriptError, form: Form | None) -> ScriptError:
    """The error that got further; it says how the form is written."""
    if known is not None and (known.line, known.column) >= (error.line, error.column):
        return known
    if form is not None and not error.suggestion:
        error.suggestion = f"write {readable(form.text)}"
    return error
