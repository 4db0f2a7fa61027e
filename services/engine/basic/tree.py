"""The syntax tree: what was written, with its places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass

JsonValue = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Expression:
    """Anything with a value."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Literal(Expression):
    """A number, a truth value, NULL, or text without interpolation."""

    value: JsonValue


@dataclass(frozen=True, slots=True)
class Template(Expression):
    """Text with ${...} in it."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Name(Expression):
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Member(Expression):
    """a.b, a?.b, a[i]; `optional` gives NULL when a is NULL."""

    of: Expression
    key: Expression
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Call(Expression):
    """A function by name: built in, or of the script."""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Method(Expression):
    """a.push(x)."""

    of: Expression
    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Unary(Expression):
    """NOT, minus."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary(Expression):
    """Two operands."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Listing(Expression):
    """[a, b]."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Mapping(Expression):
    """{k: v} and #{k: v}."""

    items: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class Invoke(Expression):
    """A keyword that does something: head is how it was written, arguments are (slot, value)."""

    keyword: str
    head: tuple[str, ...]
    arguments: tuple[tuple[str, Expression], ...]


@dataclass(frozen=True, slots=True)
class RunScript(Expression):
    """CALL "other.bas": another script of the package, or a path of a service, with values for it."""

    path: Expression
    arguments: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Where(Expression):
    """A condition over columns: names on the left are columns."""

    condition: Expression


@dataclass(frozen=True, slots=True)
class Filter(Expression):
    """A filter text: what is inserted into it stays a value."""

    text: Expression


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement."""

    line: int


@dataclass(frozen=True, slots=True)
class Say(Statement):
    """TALK."""

    text: Expression


@dataclass(frozen=True, slots=True)
class Ask(Statement):
    """HEAR."""

    into: Expression
    kind: str
    choices: Expression | None = None


@dataclass(frozen=True, slots=True)
class Assign(Statement):
    """target = value; `operator` is "", "+" or "-"."""

    target: Expression
    value: Expression
    operator: str = ""


@dataclass(frozen=True, slots=True)
class If(Statement):
    """Branches in order; `otherwise` when none holds."""

    branches: tuple[tuple[Expression, tuple[Statement, ...]], ...]
    otherwise: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Select(Statement):
    """SELECT CASE and SWITCH: each case has tests of the subject (operator, low, high)."""

    subject: Expression
    cases: tuple[tuple[tuple[tuple[str, Expression, Expression | None], ...], tuple[Statement, ...]], ...]
    otherwise: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class ForRange(Statement):
    """FOR i = a TO b STEP s."""

    variable: str
    first: Expression
    last: Expression
    step: Expression
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class ForEach(Statement):
    """FOR EACH item IN items."""

    variable: str
    items: Expression
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Loop(Statement):
    """WHILE and DO: tests before and after the body; None means none."""

    kind: str
    before: Expression | None
    after: Expression | None
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Define(Statement):
    """SUB and FUNCTION."""

    name: str
    parameters: tuple[str, ...]
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Try(Statement):
    """TRY ... CATCH name ... FINALLY ... END TRY."""

    body: tuple[Statement, ...]
    variable: str
    handler: tuple[Statement, ...]
    always: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class Leave(Statement):
    """EXIT FOR, BREAK, CONTINUE: `what` is exit or continue, `loop` FOR, WHILE, DO or empty for the nearest."""

    what: str
    loop: str


@dataclass(frozen=True, slots=True)
class Return(Statement):
    """RETURN, EXIT SUB, EXIT FUNCTION."""

    value: Expression | None


@dataclass(frozen=True, slots=True)
class Stop(Statement):
    """END, STOP, EXIT."""


@dataclass(frozen=True, slots=True)
class Label(Statement):
    """name:"""

    name: str


@dataclass(frozen=True, slots=True)
class GoTo(Statement):
    """GOTO name."""

    name: str


@dataclass(frozen=True, slots=True)
class OnError(Statement):
    """ON ERROR RESUME NEXT, GOTO 0, GOTO label: mode is resume, off or goto."""

    mode: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Throw(Statement):
    """THROW, RAISE."""

    message: Expression


@dataclass(frozen=True, slots=True)
class Wait(Statement):
    """WAIT seconds."""

    seconds: Expression


@dataclass(frozen=True, slots=True)
class Evaluate(Statement):
    """An expression for its effect."""

    value: Expression


@dataclass(frozen=True, slots=True)
class Declare(Statement):
    """PARAM, DESCRIPTION, SYSTEM PROMPT, TABLE, WEBHOOK, SET SCHEDULE: said of the script, not done by it."""

    kind: str
    values: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class With(Statement):
    """WITH object ... END WITH: lines name = value set its fields; other statements are performed as they come."""

    target: Expression
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Include(Statement):
    """INCLUDE "library.bas": its subroutines are at hand."""

    path: str


@dataclass(frozen=True, slots=True)
class When(Statement):
    """ON INSERT OF "t" ... END ON and its like: `values` say when; the body runs then, `calls` names a SUB instead."""

    values: dict[str, object]
    body: tuple[Statement, ...]
    calls: str = ""


@dataclass(frozen=True, slots=True)
class Delayed(Statement):
    """SCHEDULE IN n SECONDS DO ... END SCHEDULE."""

    amount: Expression
    unit: str
    body: tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """A whole file."""

    statements: tuple[Statement, ...]


def names_in(part: object) -> Iterator[str]:
    """Names of all variables that a part of the tree mentions, again and again."""
    if isinstance(part, Name):
        yield part.name
    elif isinstance(part, tuple | list):
        for item in part:
            yield from names_in(item)
    elif is_dataclass(part):
        for each in fields(part):
            yield from names_in(getattr(part, each.name))
