"""Programs of the whole language, made up by hypothesis: trees that have a text, and that compile.

`scripts()` gives trees, `sources()` their texts, `expressions()` values alone. Labels and subroutines that are named
are there, loops are left from inside loops only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from services.engine.basic import tree
from services.engine.basic.comparing import parsed
from services.engine.basic.printing import print_script
from services.engine.basic.spelling import UNWRITABLE, Values, quoted
from services.engine.keywords.forms import Choice, Item, Literal, Slot, heads
from services.engine.keywords.forms import Optional as Maybe
from services.engine.keywords.keyword import Effect, Keyword
from services.engine.keywords.registry import registry

Draw = Callable[[st.SearchStrategy[Any]], Any]
NAMES = ("apples", "basket", "city", "dozen", "elder", "fruit", "grapes", "übung")
SUBS = {"GREETING": 1, "DOUBLED": 2, "NOTHING_AT_ALL": 0}
FUNCTIONS = {"LEN": 1, "UCASE": 1, "ABS": 1, "NOW": 0, "REPLACE": 3, "FORMAT": 2, "IIF": 3, "UBOUND": 1}
BINARY = (
    "+",
    "-",
    "*",
    "/",
    "^",
    "MOD",
    "&",
    "=",
    "<>",
    "<",
    ">",
    "<=",
    ">=",
    "AND",
    "OR",
    "XOR",
    "IN",
    "LIKE",
    "CONTAINS",
)
HEARD = ("ANY", "INTEGER", "EMAIL", "NAME", "DATE", "MONEY", "BOOLEAN")
VALUES_ONLY = {("SELECT",)}  # a statement that begins with SELECT chooses between cases
MEMORY = ("GET", "USER", "MEMORY")
RAW = frozenset({"sql", "anything"})
PLACE = (1, 1)


def plain(text: str) -> str:
    """A text that a literal can hold."""
    return "".join(letter for letter in text if letter not in UNWRITABLE).replace("${", "$ {")


texts = st.text(st.characters(blacklist_categories=("Cs", "Cc"), whitelist_characters="\n\t"), max_size=12).map(plain)
names = st.sampled_from(NAMES)
literals = st.one_of(
    texts,
    st.integers(0, 10**15),
    st.floats(0, 1e15, allow_nan=False).map(abs),
    st.booleans(),
    st.none(),
).map(lambda value: tree.Literal(*PLACE, value))


@lru_cache(maxsize=16)
def expressions(depth: int = 3, *, calls: bool = True) -> st.SearchStrategy[tree.Expression]:
    """A value. calls: it may call subroutines and perform keywords."""
    simple = [literals, names.map(lambda name: tree.Name(*PLACE, name))]
    return st.one_of(simple if depth <= 0 else [*simple, *composed(depth - 1, calls=calls)])


def composed(depth: int, *, calls: bool) -> list[st.SearchStrategy[tree.Expression]]:
    """What is put together from values."""
    inner = expressions(depth, calls=calls)
    few = st.lists(inner, max_size=3).map(tuple)
    made: list[st.SearchStrategy[tree.Expression]] = [
        st.builds(
            lambda operator, left, right: tree.Binary(*PLACE, operator, left, right),
            st.sampled_from(BINARY),
            inner,
            inner,
        ),
        st.builds(
            lambda operator, operand: tree.Unary(*PLACE, operator, operand), st.sampled_from(("NOT", "-")), inner
        ),
        few.map(lambda items: tree.Listing(*PLACE, items)),
        st.lists(st.tuples(texts, inner), max_size=3).map(lambda items: tree.Mapping(*PLACE, tuple(items))),
        st.builds(member, inner, st.one_of(inner, names.map(lambda name: tree.Literal(*PLACE, name))), st.booleans()),
        st.builds(
            lambda of, name, items: tree.Method(*PLACE, of, name, items), inner, st.sampled_from(("push", "trim")), few
        ),
        called(inner, FUNCTIONS),
        templates(inner),
    ]
    return [*made, called(inner, SUBS), invocations()] if calls else made


def member(of: tree.Expression, key: tree.Expression, optional: bool) -> tree.Expression:
    """A field or an element; ?. is written before names only."""
    named = isinstance(key, tree.Literal) and isinstance(key.value, str) and key.value.isidentifier()
    return tree.Member(*PLACE, of, key, optional=optional and named)


@st.composite
def called(draw: Draw, inner: st.SearchStrategy[tree.Expression], known: dict[str, int]) -> tree.Expression:
    """A function with as many values as it takes."""
    name = draw(st.sampled_from(sorted(known)))
    return tree.Call(*PLACE, name, tuple(draw(inner) for _ in range(known[name])))


@st.composite
def templates(draw: Draw, inner: st.SearchStrategy[tree.Expression]) -> tree.Expression:
    """Text with values in it."""
    parts: list[tree.Expression] = []
    for _ in range(draw(st.integers(1, 3))):
        before = draw(texts)
        parts += [tree.Literal(*PLACE, before)] if before else []
        parts.append(draw(inner))
    return tree.Template(*PLACE, tuple(parts))


# keywords, by their own forms


@lru_cache(maxsize=1)
def performed() -> list[Keyword]:
    """Keywords that can be had and do something."""
    found = registry().by_name.values()
    return sorted(
        (item for item in found if item.available and not item.syntax and item.effect is not Effect.PURE),
        key=lambda item: item.name,
    )


@st.composite
def invocations(draw: Draw) -> tree.Expression:
    """A keyword as one of its forms says, read as the parser reads it."""
    keyword = draw(st.sampled_from(performed()))
    form = draw(st.sampled_from(keyword.patterns))
    text = " ".join((*heads(form), *written(draw, form.items[len(heads(form)) :])))
    script, errors = parsed(f"x = ({text})\n")
    made = getattr(script.statements[0], "value", None) if script.statements and not errors else None
    key = tree.Literal(*PLACE, "fruit")
    return made if isinstance(made, tree.Invoke) else tree.Invoke(*PLACE, "GET USER MEMORY", MEMORY, (("key", key),))


def written(draw: Draw, items: tuple[Item, ...]) -> list[str]:
    """Words of a form with something in its slots."""
    made: list[str] = []
    for item in items:
        if isinstance(item, Literal):
            made.append(item.text)
        elif isinstance(item, Slot):
            made.append(slot(draw, item))
        elif isinstance(item, Maybe):
            made += written(draw, item.items) if draw(st.booleans()) else []
        elif isinstance(item, Choice):
            made += written(draw, draw(st.sampled_from(item.options)))
    return made


def slot(draw: Draw, item: Slot) -> str:
    """Something that may stand in a slot."""
    if item.kind in RAW:
        return "whatever"
    simple = Values().tight(draw(expressions(1, calls=False)))
    if item.kind == "variable":
        return draw(names)  # type: ignore[no-any-return]
    if item.kind == "fields":
        return f"{draw(names)} = {simple}"
    if item.kind == "where":
        return f"{draw(names)} = {simple}"
    if item.kind in {"name", "word"}:
        return quoted(draw(names))
    return simple


# statements


@dataclass
class Around:
    """Where a statement stands. labels: of the script so far, and those that are asked for."""

    depth: int = 2
    loops: tuple[str, ...] = ()
    top: bool = True
    labels: list[str] = field(default_factory=list)


def bodies(draw: Draw, around: Around, **changes: Any) -> tuple[tree.Statement, ...]:
    """A block inside."""
    inner = Around(around.depth - 1, changes.get("loops", around.loops), top=False, labels=around.labels)
    return tuple(statement(draw, inner) for _ in range(draw(st.integers(0, 2))))


def statement(draw: Draw, around: Around) -> tree.Statement:
    """One statement."""
    kinds = list(SIMPLE) + (list(BLOCKS) if around.depth > 0 else []) + ([leave] if around.loops else [])
    return draw(st.sampled_from(kinds))(draw, around)  # type: ignore[no-any-return]


def value(draw: Draw) -> tree.Expression:
    return draw(expressions(2))  # type: ignore[no-any-return]


def name(draw: Draw) -> tree.Name:
    return tree.Name(*PLACE, draw(names))


def target(draw: Draw) -> tree.Expression:
    if draw(st.booleans()):
        return name(draw)
    return tree.Member(*PLACE, name(draw), draw(expressions(1, calls=False)))


def say(draw: Draw, _: Around) -> tree.Statement:
    return tree.Say(1, value(draw))


def ask(draw: Draw, _: Around) -> tree.Statement:
    kind = draw(st.sampled_from((*HEARD, "CHOICE", "PROMPT")))
    if kind == "CHOICE":
        return tree.Ask(1, target(draw), kind, tree.Listing(*PLACE, tuple(value(draw) for _ in range(2))))
    if kind == "PROMPT":
        return tree.Ask(1, target(draw), "PROMPT:TEXT", tree.Literal(*PLACE, draw(texts)))
    return tree.Ask(1, target(draw), kind)


def assign(draw: Draw, _: Around) -> tree.Statement:
    return tree.Assign(1, target(draw), value(draw), draw(st.sampled_from(("", "", "+", "-"))))


def evaluate(draw: Draw, _: Around) -> tree.Statement:
    statements = invocations().filter(lambda made: getattr(made, "head", ()) not in VALUES_ONLY)
    return tree.Evaluate(1, draw(st.one_of(called(expressions(1), SUBS), statements)))


def run(draw: Draw, _: Around) -> tree.Statement:
    path = draw(st.sampled_from(("other.bas", "service/path")))
    arguments = tuple(value(draw) for _ in range(draw(st.integers(0, 2))))
    call = tree.RunScript(*PLACE, tree.Literal(*PLACE, path), arguments)
    return draw(st.sampled_from((tree.Evaluate(1, call), tree.Assign(1, name(draw), call))))  # type: ignore[no-any-return]


def wait(draw: Draw, _: Around) -> tree.Statement:
    return tree.Wait(1, value(draw))


def throw(draw: Draw, _: Around) -> tree.Statement:
    return tree.Throw(1, value(draw))


def back(draw: Draw, _: Around) -> tree.Statement:
    return tree.Return(1, draw(st.one_of(st.none(), expressions(2))))


def stop(_: Draw, __: Around) -> tree.Statement:
    return tree.Stop(1)


def label(_: Draw, around: Around) -> tree.Statement:
    around.labels.append(f"place{len(around.labels)}")
    return tree.Label(1, around.labels[-1])


def goto(draw: Draw, around: Around) -> tree.Statement:
    return tree.GoTo(1, draw(st.sampled_from(around.labels or ["place0"])))


def on_error(draw: Draw, around: Around) -> tree.Statement:
    mode = draw(st.sampled_from(("resume", "off", "goto")))
    return tree.OnError(1, mode, draw(st.sampled_from(around.labels or ["place0"])) if mode == "goto" else "")


def leave(draw: Draw, around: Around) -> tree.Statement:
    what = draw(st.sampled_from(("exit", "continue")))
    return tree.Leave(1, what, draw(st.sampled_from(("", *around.loops))))


def when_true(draw: Draw, around: Around) -> tree.Statement:
    branches = tuple((value(draw), bodies(draw, around)) for _ in range(draw(st.integers(1, 2))))
    return tree.If(1, branches, bodies(draw, around))


def select(draw: Draw, around: Around) -> tree.Statement:
    cases = tuple((tests(draw), bodies(draw, around)) for _ in range(draw(st.integers(0, 2))))
    return tree.Select(1, value(draw), cases, bodies(draw, around))


def tests(draw: Draw) -> tuple[tuple[str, tree.Expression, tree.Expression | None], ...]:
    found = []
    for _ in range(draw(st.integers(1, 2))):
        operator = draw(st.sampled_from(("=", "TO", "<", ">", "<=", ">=", "<>")))
        found.append((operator, value(draw), value(draw) if operator == "TO" else None))
    return tuple(found)


def for_range(draw: Draw, around: Around) -> tree.Statement:
    step = draw(st.one_of(st.just(tree.Literal(*PLACE, 1)), expressions(1)))
    body = bodies(draw, around, loops=(*around.loops, "FOR"))
    return tree.ForRange(1, draw(names), value(draw), value(draw), step, body)


def for_each(draw: Draw, around: Around) -> tree.Statement:
    return tree.ForEach(1, draw(names), value(draw), bodies(draw, around, loops=(*around.loops, "FOR")))


def while_true(draw: Draw, around: Around) -> tree.Statement:
    return tree.Loop(1, "WHILE", value(draw), None, bodies(draw, around, loops=(*around.loops, "WHILE")))


def do(draw: Draw, around: Around) -> tree.Statement:
    tested = st.one_of(st.none(), expressions(2))
    return tree.Loop(1, "DO", draw(tested), draw(tested), bodies(draw, around, loops=(*around.loops, "DO")))


def guarded(draw: Draw, around: Around) -> tree.Statement:
    return tree.Try(1, bodies(draw, around), draw(names), bodies(draw, around), bodies(draw, around))


def with_object(draw: Draw, _: Around) -> tree.Statement:
    fields = [tree.Assign(1, tree.Name(*PLACE, draw(names)), value(draw)) for _ in range(draw(st.integers(0, 2)))]
    return tree.With(1, name(draw), tuple(fields))


SIMPLE = (say, ask, assign, assign, evaluate, run, wait, throw, back, stop, label, goto, on_error)
BLOCKS = (when_true, select, for_range, for_each, while_true, do, guarded, with_object)


# what is said of the script


@st.composite
def declarations(draw: Draw) -> tree.Statement:
    """PARAM, DESCRIPTION, SYSTEM PROMPT, TABLE, WEBHOOK, INCLUDE."""
    line = st.text("abc ÄßΩ-.!", min_size=1, max_size=12).map(str.strip).filter(bool)
    kind = draw(st.sampled_from(("parameter", "description", "system_prompt", "table", "webhook", "include")))
    if kind == "include":
        return tree.Include(1, draw(names) + ".bas")
    if kind == "parameter":
        return tree.Declare(1, kind, draw(parameters()))
    if kind == "table":
        return tree.Declare(1, kind, draw(tables()))
    if kind == "webhook":
        return tree.Declare(1, kind, {"name": draw(names), "line": 1})
    return tree.Declare(1, kind, {"text": draw(line)})


@st.composite
def parameters(draw: Draw) -> dict[str, object]:
    """PARAM."""
    made: dict[str, object] = {
        "name": draw(names),
        "type": draw(st.sampled_from(("STRING", "INTEGER", "DATE"))),
        "line": 1,
    }
    made["required"] = draw(st.booleans())
    written_out = st.one_of(texts, st.integers(0, 99), st.booleans(), st.lists(texts, min_size=1, max_size=3))
    for clause in ("like", "default", "enum"):
        if draw(st.booleans()):
            made[clause] = draw(written_out)
    return made | ({"description": draw(texts)} if draw(st.booleans()) else {})


@st.composite
def tables(draw: Draw) -> dict[str, object]:
    """TABLE."""
    made: dict[str, object] = {"name": draw(names), "connection": draw(st.sampled_from(("", "erp"))), "line": 1}
    columns = []
    for column in draw(st.lists(names, unique=True, max_size=3)):
        made_column: dict[str, object] = {"name": column, "type": draw(st.sampled_from(("string", "number", "date")))}
        made_column |= {"length": 9} if draw(st.booleans()) else {}
        made_column |= {"key": True} if draw(st.booleans()) else {}
        made_column |= {"read_by": ["admin", "staff"]} if draw(st.booleans()) else {}
        columns.append(made_column)
    return made | {"fields": columns}


def event(draw: Draw, labels: list[str]) -> tree.Statement:
    """ON INSERT OF "t" and its like, and what is done later."""
    around = Around(1, top=False, labels=labels)
    if draw(st.booleans()):
        return tree.Delayed(
            1, draw(expressions(1, calls=False)), draw(st.sampled_from(("second", "hour"))), bodies(draw, around)
        )
    values = {
        "event": draw(st.sampled_from(("insert", "update", "delete", "custom"))),
        "of": draw(names),
        "options": {},
        "line": 1,
    }
    if draw(st.booleans()):
        return tree.When(1, values, (), "NOTHING_AT_ALL")
    return tree.When(1, values, bodies(draw, around))


@st.composite
def scripts(draw: Draw, *, whole: bool = True) -> tree.Script:
    """A program that compiles. whole: with declarations and events too."""
    around = Around(labels=["place0"])
    main = [tree.Label(1, "place0")]
    main += [statement(draw, around) for _ in range(draw(st.integers(0, 4)))]
    if whole:
        main += draw(st.lists(declarations(), max_size=2))
        main += [event(draw, around.labels) for _ in range(draw(st.integers(0, 1)))]
    subs = []
    for sub, count in SUBS.items():
        body = bodies(draw, around)
        subs.append(tree.Define(1, sub, NAMES[:count], body))
    return tree.Script(tuple(main + subs))


def sources(*, whole: bool = True) -> st.SearchStrategy[str]:
    """The text of a program."""
    return scripts(whole=whole).map(print_script)
