"""Keywords as text: the form that is read as the same keyword with the same slots."""

from collections.abc import Iterator

from services.engine.basic import tree
from services.engine.basic.comparing import parsed, shape
from services.engine.basic.spelling import GREEDY, Unprintable, Values, Verbatim, quoted
from services.engine.keywords.forms import Choice, Form, Item, Literal, Slot, heads
from services.engine.keywords.forms import Optional as Maybe
from services.engine.keywords.registry import registry

Given = dict[str, tree.Expression]
BARE = frozenset({"name", "word"})
RAW = frozenset({"sql", "anything"})


class Invocations(Values):
    """Prints keywords by their forms; each candidate is read again, the first that comes out the same is taken."""

    def outer(self, item: tree.Expression) -> str:
        """A keyword that is the whole value of an assignment needs no brackets."""
        if isinstance(item, tree.Invoke):
            return self._settled(item, "x = ")
        return super().outer(item)

    def invoked_statement(self, item: tree.Invoke) -> list[str]:
        """A keyword as a statement."""
        if item.head == ("BEGIN", "MAIL"):
            return [self._mail(item)]
        return [self._settled(item, "")]

    def _value_invoke(self, item: tree.Invoke) -> tuple[str, int]:
        return self._settled(item, "x = ("), GREEDY

    def _settled(self, item: tree.Invoke, before: str) -> str:
        wanted = shape(item)
        for text in self._candidates(item):
            closing = ")" if before.endswith("(") else ""
            script, errors = parsed(f"{known_names(item)}{before}{text}{closing}\n")
            if not errors and shape(getattr(script.statements[-1], "value", None)) == wanted:
                return text
        raise Unprintable(f"no form of {item.keyword} gives these slots: {[name for name, _ in item.arguments]}")

    def _candidates(self, item: tree.Invoke) -> Iterator[str]:
        keyword = registry().get(item.keyword)
        given = dict(item.arguments)
        if keyword is None:
            yield " ".join(item.head)
            return
        for form in keyword.patterns:
            if heads(form)[: len(item.head)] == item.head and set(given) <= {slot.name for slot in form.slots()}:
                yield from self._written(form, given, item.head)
        yield f"{' '.join(item.head)}({self.listed(given.values())})"

    def _written(self, form: Form, given: Given, head: tuple[str, ...]) -> Iterator[str]:
        for parts in self._sequence(form.items[len(head) :], given):
            text = " ".join(head) + "".join(part if part == "," else f" {part}" for part in parts)
            yield text.rstrip()

    def _sequence(self, items: tuple[Item, ...], given: Given) -> Iterator[list[str]]:
        """All ways to write items with what is given; slots that must be there and are not give none."""
        if not items:
            yield []
            return
        for first in self._one(items[0], given):
            for rest in self._sequence(items[1:], given):
                yield first + rest

    def _one(self, item: Item, given: Given) -> Iterator[list[str]]:
        if isinstance(item, Literal):
            yield [item.text]
        elif isinstance(item, Slot):
            if item.name in given:
                yield [self._slot(item, given[item.name])]
        elif isinstance(item, Maybe):
            named = {slot.name for slot in Form("", item.items).slots()}
            if named & set(given):
                yield from self._sequence(item.items, given)
            yield []
        elif isinstance(item, Choice):
            for option in item.options:
                yield from self._sequence(option, given)

    def _slot(self, slot: Slot, value: tree.Expression) -> str:
        if slot.kind in RAW:
            return raw(value)
        if slot.kind == "named" and isinstance(value, tree.Listing):
            pairs = [dict(part.items) for part in value.items if isinstance(part, tree.Mapping)]
            return ", ".join(self.value(pair["value"]) for pair in pairs)
        if slot.kind == "values" and isinstance(value, tree.Listing):
            return ", ".join(map(self.tight, value.items))
        if slot.kind == "fields" and isinstance(value, tree.Mapping):
            return ", ".join(f"{quoted(key)} = {self.tight(part)}" for key, part in value.items)
        if slot.kind in {"where", "filter"}:
            return self.value(value)
        if slot.kind in BARE and isinstance(value, tree.Name):
            return f"({value.name})"
        return self.tight(value)

    def _mail(self, item: tree.Invoke) -> str:
        """BEGIN MAIL: header lines, an empty line, the text."""
        given = dict(item.arguments)
        lines = [f"BEGIN MAIL {self.value(given['to'])}" if "to" in given else "BEGIN MAIL"]
        for name, value in given.items():
            if name not in {"to", "body"}:
                lines.append(f"{name.replace('_', '-').capitalize()}: {self._inside(value)}")
        lines += ["", self._inside(given["body"]), "END MAIL"]
        return Verbatim("\n".join(lines))

    def _inside(self, value: tree.Expression) -> str:
        """Text as it stands in a block: only ${...} is read."""
        parts = value.parts if isinstance(value, tree.Template) else (value,)
        return "".join(
            str(part.value)
            if isinstance(part, tree.Literal) and isinstance(part.value, str)
            else f"${{{self.value(part)}}}"
            for part in parts
        )


def raw(value: tree.Expression) -> str:
    """The source text a slot took as it was."""
    if isinstance(value, tree.Mapping):
        value = dict(value.items).get("text", value)
    return str(value.value) if isinstance(value, tree.Literal) else ""


def known_names(item: tree.Invoke) -> str:
    """Lines that make the variables a text names known while it is read again."""
    found: list[str] = []
    for _, value in item.arguments:
        variables = dict(value.items).get("variables") if isinstance(value, tree.Mapping) else None
        found += [name for name, _ in variables.items] if isinstance(variables, tree.Mapping) else []
    return "".join(f"{name} = 1\n" for name in found)
