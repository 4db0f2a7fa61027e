"""Expressions as arrays. Effects inside an expression become nodes before it: the machine stops only at nodes."""

from typing import Any

from services.engine.basic import tree
from services.engine.basic.diagnostics import ScriptError, closest
from services.engine.keywords.keyword import Effect
from services.engine.keywords.registry import registry
from services.engine.program.program import Node

Encoded = list[Any]
CONDITIONS = {
    "=": "=",
    "<>": "<>",
    "<": "<",
    ">": ">",
    "<=": "<=",
    ">=": ">=",
    "LIKE": "like",
    "IN": "in",
    "CONTAINS": "contains",
}
PREDEFINED = frozenset(
    """
    today now username mobile from user user_id bot_id session session_id language channel admin report error err
    error_message err_description botname
    """.split()
)
FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


class Encoder:
    """Emits nodes in source order: n1, n2, ... so that the same text always gives the same ids."""

    def __init__(self, functions: frozenset[str], assigned: frozenset[str]) -> None:
        self.nodes: dict[str, Node] = {}
        self.errors: list[ScriptError] = []
        self.warnings: list[ScriptError] = []
        self._functions = functions
        self._assigned = assigned
        self._open: list[tuple[Node, str]] = []
        self._temporaries = 0

    # nodes

    def emit(self, op: str, line: int, **fields: object) -> Node:
        """A node that whatever was open leads to, and that itself is open."""
        identifier = f"n{len(self.nodes) + 1}"
        node: Node = {"op": op, "line": line, **fields}
        self.nodes[identifier] = node
        self.arrive(identifier)
        self._open = [(node, "next")]
        return node

    def upcoming(self) -> str:
        """The id the next node will have."""
        return f"n{len(self.nodes) + 1}"

    def arrive(self, identifier: str) -> None:
        """Everything open leads here."""
        for node, slot in self._open:
            if slot in {"next", "else", "done"}:
                node[slot] = identifier
            else:
                node["cases"][int(slot)]["to"] = identifier
        self._open = []

    # expressions

    def _temporary(self) -> Encoded:
        self._temporaries += 1
        return ["var", f"${self._temporaries}"]

    def hold(self, expression: tree.Expression) -> Encoded:
        """A value computed once: a literal as it is, anything else in a temporary."""
        value = self.value(expression)
        if value[0] == "lit":
            return value
        temporary = self._temporary()
        self.emit("set", expression.line, target=temporary, value=value)
        return temporary

    def place(self, expression: tree.Expression) -> Encoded:
        """Where a value goes."""
        if isinstance(expression, tree.Name):
            return ["var", expression.name]
        if isinstance(expression, tree.Member):
            return ["get", self.place(expression.of), self.value(expression.key), False]
        message = "a value can be put into a variable, a field or an element"
        self.errors.append(ScriptError("BAS144", message, expression.line, expression.column))
        return ["var", "_"]

    def value(self, item: tree.Expression, *, wanted: bool = True) -> Encoded:
        """An expression as an array, with its effects hoisted."""
        name = type(item).__name__.lower()
        encoded: Encoded = getattr(self, f"_value_{name}")(item)
        return encoded

    def _value_literal(self, item: tree.Literal) -> Encoded:
        return ["lit", item.value]

    def _value_template(self, item: tree.Template) -> Encoded:
        return ["text", *(self.value(part) for part in item.parts)]

    def _value_name(self, item: tree.Name) -> Encoded:
        return ["var", item.name]

    def _value_member(self, item: tree.Member) -> Encoded:
        return ["get", self.value(item.of), self.value(item.key), item.optional]

    def _value_method(self, item: tree.Method) -> Encoded:
        return ["method", self.value(item.of), item.name, *(self.value(part) for part in item.arguments)]

    def _value_unary(self, item: tree.Unary) -> Encoded:
        return ["un", item.operator, self.value(item.operand)]

    def _value_binary(self, item: tree.Binary) -> Encoded:
        if item.operator in {"AND", "OR"}:
            if self._acts(item.right):
                return self._decided(item)
            return [item.operator.lower(), self.value(item.left), self.value(item.right)]
        return ["bin", item.operator, self.value(item.left), self.value(item.right)]

    def _acts(self, item: object) -> bool:
        """Whether an expression has an effect or calls a subroutine, so that it becomes nodes."""
        if isinstance(item, tree.Invoke | tree.RunScript) or (
            isinstance(item, tree.Call) and item.name in self._functions
        ):
            return True
        if isinstance(item, tuple):
            return any(self._acts(part) for part in item)
        fields = getattr(item, "__slots__", ()) if isinstance(item, tree.Expression) else ()
        return any(self._acts(getattr(item, name)) for name in fields)

    def _decided(self, item: tree.Binary) -> Encoded:
        """AND and OR whose second operand acts: it is a branch, taken only when the first does not decide."""
        both = item.operator == "AND"
        result = self._temporary()
        self._settle(item.line, result, item.left, both=both)
        test = result if both else ["un", "NOT", result]
        node = self.emit("branch", item.line, cases=[{"when": test, "to": ""}])
        self._open = [(node, "0")]
        self._settle(item.line, result, item.right, both=both)
        self._open.append((node, "else"))
        return result

    def _settle(self, line: int, result: Encoded, operand: tree.Expression, *, both: bool) -> None:
        value = self.value(operand)
        self.emit("set", line, target=result, value=["and", value, ["lit", True]] if both else value)

    def _value_listing(self, item: tree.Listing) -> Encoded:
        return ["list", *(self.value(part) for part in item.items)]

    def _value_mapping(self, item: tree.Mapping) -> Encoded:
        return ["map", *([key, self.value(part)] for key, part in item.items)]

    def _value_call(self, item: tree.Call) -> Encoded:
        arguments = [self.value(part) for part in item.arguments]
        if item.name in self._functions:
            temporary = self._temporary()
            self.emit("call", item.line, sub=item.name, arguments=arguments, into=temporary)
            return temporary
        if item.name not in registry().functions:
            self._unknown(item)
            return ["call", item.name, *arguments]
        name = registry().functions[item.name].name
        return ["call", name, *arguments]

    def _unknown(self, item: tree.Call) -> None:
        """A near miss is an error; a name unlike all others may come from elsewhere, and raises when it is reached."""
        message = f"{item.name} is neither a function nor a SUB of this script"
        near = closest(item.name, frozenset(registry().functions) | self._functions, 0.8)
        if near:
            self.errors.append(ScriptError("BAS145", message, item.line, item.column, near))
        else:
            self.warnings.append(ScriptError("BAS145", f"{message}; reaching it is an error", item.line, item.column))

    def _value_runscript(self, item: tree.RunScript) -> Encoded:
        """Another script of the package is run in this conversation; anything else is a service's path."""
        path, arguments = self.value(item.path), [self.value(part) for part in item.arguments]
        temporary = self._temporary()
        if isinstance(item.path, tree.Literal) and "/" not in str(item.path.value):
            self.emit("run", item.line, value=path, arguments=arguments, into=temporary)
        else:
            named = {"path": path} | ({"data": arguments[0]} if arguments else {})
            self.emit("effect", item.line, keyword="CALL SERVICE", arguments=named, into=temporary)
        return temporary

    def _value_invoke(self, item: tree.Invoke) -> Encoded:
        return self.invoke(item, self._temporary())

    def invoke(self, item: tree.Invoke, into: Encoded) -> Encoded:
        """A keyword's node; its value goes where it is told."""
        item = remembered(item)
        keyword = registry().get(item.keyword)
        kinds = keyword.slots() if keyword is not None else {}
        places = [part for name, part in item.arguments if kinds.get(name) == "variable"]
        arguments = {name: self.value(part) for name, part in item.arguments if kinds.get(name) != "variable"}
        op = "apply" if keyword is not None and keyword.effect is Effect.STATE else "effect"
        self.emit(op, item.line, keyword=item.keyword, arguments=arguments, into=into)
        for part in places:
            self.emit("set", item.line, target=self.place(part), value=into)
        return into

    # conditions over columns

    def _value_filter(self, item: tree.Filter) -> Encoded:
        """Literal text and inserted values take turns, so that a value can never be read as part of the filter."""
        if not inserts(item.text):
            return self.value(item.text)
        parts: list[Encoded] = [["lit", ""]]
        for piece in pieces(item.text):
            text = isinstance(piece, tree.Literal) and isinstance(piece.value, str)
            if text and len(parts) % 2:
                parts[-1] = ["lit", parts[-1][1] + piece.value]  # type: ignore[attr-defined]
            else:
                parts += [self.value(piece)] if len(parts) % 2 else []
                if text:
                    parts.append(["lit", piece.value])  # type: ignore[attr-defined]
                else:
                    parts.append(["lit", ""])
        return ["map", ["parts", ["list", *parts]]]

    def _value_where(self, item: tree.Where) -> Encoded:
        return self._condition(item.condition)

    def _condition(self, item: tree.Expression) -> Encoded:
        if isinstance(item, tree.Binary) and item.operator in {"AND", "OR"}:
            name = ["lit", item.operator.lower()]
            return ["list", name, self._condition(item.left), self._condition(item.right)]
        if isinstance(item, tree.Unary) and item.operator == "NOT":
            return ["list", ["lit", "not"], self._condition(item.operand)]
        if isinstance(item, tree.Call) and item.name == "ISNULL" and item.arguments:
            return ["list", ["lit", "is_null"], ["lit", self._column(item.arguments[0])]]
        if isinstance(item, tree.Binary) and item.operator in CONDITIONS:
            return self._comparison(item)
        return self.value(item)

    def _comparison(self, item: tree.Binary) -> Encoded:
        operator, left, right = item.operator, item.left, item.right
        if not self._is_column(left) and self._is_column(right):
            left, right, operator = right, left, FLIPPED.get(operator, operator)
        if not self._is_column(left):
            message = "WHERE compares a column with a value"
            self.errors.append(ScriptError("BAS160", message, item.line, item.column, "write WHERE column = value"))
        name = ["lit", CONDITIONS[operator]]
        if self._is_unknown(right):
            return ["list", ["lit", "column"], name, ["lit", self._column(left)], ["lit", self._column(right)]]
        return ["list", name, ["lit", self._column(left)], self.value(right)]

    def _is_column(self, item: tree.Expression) -> bool:
        return isinstance(item, tree.Name) or (
            isinstance(item, tree.Member)
            and isinstance(item.key, tree.Literal)
            and isinstance(item.of, tree.Name)
            and item.of.name.upper() not in self._assigned
        )

    def _is_unknown(self, item: tree.Expression) -> bool:
        """A name the script never gives a value to: another column."""
        return isinstance(item, tree.Name) and item.name.upper() not in self._assigned and item.name not in PREDEFINED

    def _column(self, item: tree.Expression) -> str:
        if isinstance(item, tree.Member) and isinstance(item.key, tree.Literal):
            return str(item.key.value).lower()
        return item.name.lower() if isinstance(item, tree.Name) else ""


def remembered(item: tree.Invoke) -> tree.Invoke:
    """GET "session.basket" reads memory; any other GET asks the web or the drive."""
    url = dict(item.arguments).get("url") if item.keyword == "GET" else None
    if isinstance(url, tree.Literal) and isinstance(url.value, str) and "/" not in url.value:
        scope, _, key = url.value.partition(".")
        keyword = f"GET {scope.upper()} MEMORY"
        if key and registry().get(keyword) is not None:
            named = tree.Literal(url.line, url.column, key)
            return tree.Invoke(item.line, item.column, keyword, item.head, (("key", named),))
    return item


def inserts(item: tree.Expression) -> bool:
    """Whether a text is put together from literal text and values."""
    if isinstance(item, tree.Template):
        return True
    return (
        isinstance(item, tree.Binary)
        and item.operator in {"+", "&"}
        and any(isinstance(piece, tree.Literal) and isinstance(piece.value, str) for piece in pieces(item))
    )


def pieces(item: tree.Expression) -> list[tree.Expression]:
    """What a text is put together from, in order."""
    if isinstance(item, tree.Template):
        return [piece for part in item.parts for piece in pieces(part)]
    if isinstance(item, tree.Binary) and item.operator in {"+", "&"}:
        return [*pieces(item.left), *pieces(item.right)]
    return [item]
