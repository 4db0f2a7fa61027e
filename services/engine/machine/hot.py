"""Hot loops as Python functions. State is kept only where the machine stops, and a loop of pure code does not stop.

A loop that went round often enough is written as a function over local variables; whatever it cannot do (an effect, a
question, a call, a jump that has no name in Python) it leaves by telling the interpreter at which node to go on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice, repeat
from types import TracebackType
from typing import Any

from services.engine.machine.code import GLOBALS, Translator, Untranslatable
from services.engine.machine.core import NOBODY
from services.engine.machine.loops import Loop, loops, meeting, order, successors
from services.engine.program.program import Node, Program
from services.engine.program.values import LARGEST_LIST, Value, is_response, put

HOT = 50
ROUNDS = 256
DEEPEST = 12
MOST_NODES = 400
FILE = "<hot loop>"
USUAL = "value.__class__ is str or ((value.__class__ is int or value.__class__ is float) and LEAST < value < MOST)"
OWN = f"value if {USUAL} else owned(value)"
COMPUTING = frozenset({"+", "-", "*", "/", "MOD", "<", ">", "<=", ">="})
NUMBERS = frozenset({int, float})
UNSET = NUMBERS | {type(None)}
PURE = frozenset({"set", "branch", "jump", "foreach", "say"})


@dataclass(frozen=True, slots=True)
class Hot:
    """run(globals, locals, clock, turns, say) -> the node to go on at; lines: which node a line of its source is."""

    run: Callable[..., str]
    lines: dict[tuple[str, int], str]

    def node_at(self, traceback: TracebackType | None) -> str | None:
        """The node in which an error arose."""
        found = None
        while traceback is not None:
            found = self.lines.get((traceback.tb_frame.f_code.co_filename, traceback.tb_lineno), found)
            traceback = traceback.tb_next
        return found


class Heads:
    """The loops of a program, and how hot they are."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._loops = loops(program.nodes)
        self._rounds = dict.fromkeys(self._loops, 0)
        self._made: dict[str, Hot | None] = {}
        self.heads = frozenset(self._loops)

    def entered(self, head: str) -> Hot | None:
        """The function of a loop that is hot; None for one that is not, or cannot be written as one."""
        if head in self._made:
            return self._made[head]
        self._rounds[head] += 1
        if self._rounds[head] < HOT:
            return None
        try:
            self._made[head] = written(self._program, self._loops, head)
        except (Untranslatable, SyntaxError, RecursionError):
            self._made[head] = None
        return self._made[head]


class Again(Exception):
    """The loop is to be entered again at the node where this was raised."""


def turns(spend: Callable[[int], bool], weight: int) -> Iterator[None]:
    """Rounds without end, paid for in lots: the price is asked once in so many rounds, in fewer when they are slow."""

    def lots() -> Iterator[Iterator[None]]:
        rounds = 1
        while True:
            yield repeat(None, rounds)
            slow = spend(rounds * weight)
            rounds = max(1, rounds // 8) if slow else min(ROUNDS, rounds * 2)

    return chain.from_iterable(lots())


@dataclass(slots=True)
class Around:
    """The loop that is being written: where a round begins again, where it leaves, how deep the source is indented."""

    loop: Loop
    leaves: str | None
    depth: int


class Writer:
    """Writes one loop with all loops inside it."""

    def __init__(
        self, program: Program, known: dict[str, Loop], head: str, numbers: frozenset[str] = frozenset()
    ) -> None:
        self._numbers = numbers
        self.unsure: set[str] = set()
        self._nodes = program.nodes
        self._known = known
        self._head = head
        self._loop = known[head]
        self._own = parameters_of(program, head)
        self._code = Translator(numbers)
        self._body: list[tuple[str, str]] = []
        self._written: set[str] = set()
        self._assigned: dict[str, None] = {}

    def write(self) -> Hot:
        """The function. Untranslatable."""
        if len(self._loop.nodes) > MOST_NODES:
            raise Untranslatable("too large")
        if all(self._nodes[name]["op"] not in PURE for name in self._loop.nodes):
            raise Untranslatable("nothing to gain")
        self._write_loop(self._head, 2)
        leaves = self._exit_of(self._loop)
        source, lines = self._source(leaves)
        space: dict[str, Any] = {
            **GLOBALS,
            **self._code.names.constants,
            "put": put,
            "listed": listed,
            "LARGEST": LARGEST_LIST,
        }
        file = f"{FILE} {len(self._numbers)}"
        exec(compile(source, file, "exec"), space)  # noqa: S102 - source of our own, values are passed as objects
        return Hot(space["run"], {(file, number): node for number, node in lines.items()})

    def _source(self, leaves: str | None) -> tuple[str, dict[int, str]]:
        names = self._code.names.variables
        head = ["def run(G, L, clock, turns, say):"]
        head += [f"    {local} = {self._home(name)}.get({name!r})" for name, local in names.items()]
        keep = []
        for name in self._assigned:
            home, local = self._home(name), names[name]
            keep.append(f"if {local} is not None or {name!r} in {home}: {home}[{name!r}] = {local}")
        lines = [*head, "    try:"]
        numbered: dict[int, str] = {}
        for text, node in self._body:
            lines.append(text)
            numbered[len(lines)] = node
        lines += ["    finally:", *(f"        {line}" for line in keep or ["pass"]), f"    return {leaves!r}"]
        return "\n".join(lines), numbered

    def _home(self, name: str) -> str:
        return "L" if name in self._own or name[0] == "$" else "G"

    def _line(self, depth: int, text: str, node: str) -> None:
        self._body.append(("    " * depth + text, node))

    def _exit_of(self, loop: Loop) -> str | None:
        """Where a loop is left most plainly: the first way out of its head, else of any of its nodes."""
        names = [loop.head, *sorted(loop.nodes, key=order)]
        return next((to for name in names for to in successors(self._nodes[name]) if to not in loop.nodes), None)

    def _write_loop(self, head: str, depth: int) -> None:
        if depth > DEEPEST:
            raise Untranslatable("too deep")
        loop = self._known[head]
        self._line(depth, "for _ in turns:", head)
        self._sequence(head, None, Around(loop, self._exit_of(loop), depth + 1), first=True)

    def _sequence(self, name: str | None, stop: str | None, around: Around, *, first: bool = False) -> None:
        """Nodes one after another, up to `stop` or until the round ends."""
        depth = around.depth
        while name is not None:
            if name == stop and not first:
                return
            if not first and self._left(name, around):
                return
            if not first and name in self._known and self._known[name].nodes < self._loop.nodes:
                self._written.add(name)
                self._write_loop(name, depth)
                name = self._exit_of(self._known[name])
                continue
            first = False
            self._written.add(name)
            name = self._node(name, stop, around)

    def _left(self, name: str, around: Around) -> bool:
        """Whether this node is no part of the round: the way to it is written."""
        depth = around.depth
        if name == around.loop.head:
            self._line(depth, "continue", name)
        elif name == around.leaves:
            self._line(depth, "break", name)
        elif name in self._written or name not in self._loop.nodes or self._nodes[name]["op"] not in PURE:
            self._line(depth, f"return {name!r}", name)
        else:
            return False
        return True

    def _node(self, name: str, stop: str | None, around: Around) -> str | None:
        node = self._nodes[name]
        op = node["op"]
        if op == "branch":
            return self._branch(name, node, stop, around)
        if op == "foreach":
            self._foreach(name, node, around)
        elif op == "set":
            self._set(name, node, around.depth)
        elif op == "say":
            self._line(around.depth, f"say(text_of({self._code.translate(node['text']).source}))", name)
        return str(node["next"])

    def _branch(self, name: str, node: Node, stop: str | None, around: Around) -> str | None:
        if len(node["cases"]) != 1 or around.depth > DEEPEST * 2:
            raise Untranslatable("branch")
        then, otherwise = node["cases"][0]["to"], node["else"]
        join = meeting(then, otherwise, self._nodes, around.loop.nodes, around.loop.head)
        join = stop if join is None else join
        inner = Around(around.loop, around.leaves, around.depth + 1)
        self._line(around.depth, f"if {self._code.condition(node['cases'][0]['when'])}:", name)
        self._arm(then, join, inner, name)
        self._line(around.depth, "else:", name)
        self._arm(otherwise, join, inner, name)
        return None if join is None or join == stop else join

    def _arm(self, name: str, stop: str | None, around: Around, of: str) -> None:
        before = len(self._body)
        self._sequence(name, stop, around)
        if len(self._body) == before:
            self._line(around.depth, "pass", of)

    def _foreach(self, name: str, node: Node, around: Around) -> None:
        items, cursor = self._code.translate(node["items"]).source, self._assign(node["cursor"], "number")
        self._line(around.depth, f"items = {items}", name)
        self._line(around.depth, "if items.__class__ is not list: items = listed(items)", name)
        self._line(around.depth, f"if {cursor} >= len(items):", name)
        if node["done"] == around.leaves:
            self._line(around.depth + 1, "break", name)
        else:
            self._line(around.depth + 1, f"return {node['done']!r}", name)
        self._line(
            around.depth,
            f"{self._assign(node['item'])} = one if (one := items[{cursor}]).__class__ is str else owned(one)",
            name,
        )
        self._line(around.depth, f"{cursor} += 1", name)

    def _set(self, name: str, node: Node, depth: int) -> None:
        target = node["target"]
        if target == ["var", NOBODY]:
            self._alone(node["value"], depth, name)
            return
        if target[0] == "var":
            value = self._code.stored(node["value"])
            self._line(depth, f"{self._assign(target[1], self._code.kind)} = {value}", name)
            return
        value = self._code.translate(node["value"]).source
        self._line(depth, f"value = {value}", name)
        container = self._code.translate(target[1]).source
        self._line(depth, f"place = {container}", name)
        self._line(depth, f"key = {self._code.translate(target[2]).source}", name)
        if target[1][0] == "var":
            made = self._assign(target[1][1])
            self._line(depth, f"if place is None: place = {made} = {{}} if key.__class__ is str else []", name)
        self._put(name, depth, text=target[2][0] == "lit" and isinstance(target[2][1], str))

    def _alone(self, value: list[Any], depth: int, name: str) -> None:
        """A statement for its own sake; PUSH of one item onto a list in place."""
        made = self._code.translate(value).source
        if value[:2] != ["call", "PUSH"] or len(value) != 4 or value[2][0] != "var":
            self._line(depth, made, name)
            return
        self._line(depth, f"place = {self._code.translate(value[2]).source}", name)
        self._line(depth, "if place.__class__ is list and len(place) < LARGEST:", name)
        self._line(depth + 1, f"value = {self._code.translate(value[3]).source}", name)
        self._line(depth + 1, f"place.append({OWN})", name)
        self._line(depth, f"else: {made}", name)

    def _put(self, name: str, depth: int, *, text: bool) -> None:
        """What stands there already, and the end of a list, in place; all else as the interpreter does it."""
        word = "if"
        if not text:
            self._line(depth, "if place.__class__ is list and key.__class__ is int:", name)
            self._line(depth + 1, f"if key == len(place) < LARGEST: place.append({OWN})", name)
            self._line(depth + 1, f"elif -1 < key < len(place): place[key] = {OWN}", name)
            self._line(depth + 1, "else: put(place, key, value)", name)
            word = "elif"
        self._line(depth, f"{word} place.__class__ is dict and key.__class__ is str and key in place:", name)
        self._line(depth + 1, f"place[key] = {OWN}", name)
        self._line(depth, "else: put(place, key, value)", name)

    def _assign(self, name: str, kind: str = "any") -> str:
        self._assigned[name] = None
        if kind != "number":
            self.unsure.add(name)
        return self._code.names.variable(name)


def written(program: Program, known: dict[str, Loop], head: str) -> Hot:
    """A loop as two functions: one for variables that are numbers and stay so, and one for whatever they are."""
    plain = Writer(program, known, head).write()
    numbers = operands(program, known[head])
    while numbers:
        writer = Writer(program, known, head, numbers)
        made = writer.write()
        if not numbers & writer.unsure:
            return either(plain, made, numbers, parameters_of(program, head))
        numbers -= writer.unsure
    return plain


def either(plain: Hot, quick: Hot, numbers: frozenset[str], own: frozenset[str]) -> Hot:
    """The quick one where all of these are numbers when the loop is entered."""
    local = tuple(name for name in numbers if name in own or name[0] == "$")
    shared = tuple(numbers.difference(local))

    def run(shared_: dict[str, Value], local_: dict[str, Value], *more: Any) -> str:  # noqa: ANN401 - passed on
        kinds = {type(shared_.get(name)) for name in shared} | {type(local_.get(name)) for name in local}
        if kinds <= NUMBERS:
            return quick.run(shared_, local_, *more)
        if kinds <= UNSET:
            clock, rounds, say = more
            return plain.run(shared_, local_, clock, for_now(rounds), say)
        return plain.run(shared_, local_, *more)

    return Hot(run, plain.lines | quick.lines)


def for_now(rounds: Iterator[None]) -> Iterator[None]:
    """A few rounds, after which variables that were not set before the loop may be numbers."""
    yield from islice(rounds, HOT)
    raise Again


def operands(program: Program, loop: Loop) -> frozenset[str]:
    """Variables that this loop computes with."""
    found: set[str] = set()
    waiting: list[Any] = [program.nodes[name] for name in loop.nodes]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting += item.values()
        elif isinstance(item, list):
            if item[:1] == ["bin"] and item[1] in COMPUTING:
                found.update(side[1] for side in item[2:] if side[0] == "var")
            elif item[:1] == ["bin"] and item[1] in {"=", "<>"} and item[3][0] == "lit":
                found.update(side[1] for side in item[2:3] if side[0] == "var" and type(item[3][1]) in NUMBERS)
            waiting += item
    return frozenset(found)


def parameters_of(program: Program, head: str) -> frozenset[str]:
    """Names that are a subroutine's own where this node stands: subroutines come after the main flow, in order."""
    entries = sorted(((order(sub.entry), sub) for sub in program.subroutines.values()), key=lambda item: item[0])
    own: frozenset[str] = frozenset()
    for number, sub in entries:
        if number <= order(head):
            own = frozenset(sub.parameters)
    return own


def listed(value: Value) -> list[Value]:
    """What FOR EACH goes through when it is no list: keys of an object, the data of an answer, a single value."""
    if is_response(value):
        return value["data"] if isinstance(value["data"], list) else listed(value["data"])
    if isinstance(value, dict):
        return list(value)
    return [] if value is None or value == "" else [value]
