"""Programs as text: a line a node, its expressions in BASIC, read back as the same program, node by node.

    PROGRAM "start" "basic" "n1"
    SUB "ORDER" ["count"] "n7"
    "n1" @3 say text: "Hello" | next: "n2"
    "n2" @4 branch cases: [["a > 1", "n3"]] | else: "n5"

What BASIC cannot say (a text with ${ in it, say) is written as the array of the document, after an at sign.
"""

import json
from collections.abc import Iterator
from typing import Any

from services.engine.basic import tree
from services.engine.basic.diagnostics import ScriptError
from services.engine.basic.encoding import Encoded, Encoder
from services.engine.basic.lexer import Lexer
from services.engine.basic.parser import Parser
from services.engine.basic.spelling import Unprintable, Values
from services.engine.program.program import Node, Program, Subroutine

RAW = "@"
TEMPORARY, WRITTEN = "$", "tmp_"
EXPRESSIONS = frozenset({"text", "value", "items", "seconds", "message", "choices", "target", "into"})
NAMES = frozenset({"next", "else", "done", "type", "keyword", "sub", "item", "cursor", "mode", "to"})
PLACE = (1, 1)


class NoListing(ValueError):
    """A text that is no listing, with its line."""


# to text


def print_program(program: Program) -> str:
    """The listing of a program."""
    head = f"PROGRAM {text(program.name)} {text(program.origin)} {text(program.entry)}"
    lines = [head]
    for name, value in (("PROMPT", program.system_prompt), ("TOOL", program.tool), ("DECLARED", program.declarations)):
        lines += [f"{name} {text(value)}"] if value else []
    for name, sub in program.subroutines.items():
        lines.append(f"SUB {text(name)} {text(list(sub.parameters))} {text(sub.entry)}")
    lines += [printed_node(name, node) for name, node in program.nodes.items()]
    return "\n".join(lines) + "\n"


def text(value: object) -> str:
    """JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def printed_node(name: str, node: Node) -> str:
    """A node: fields separated by bars, in the order they have."""
    fields = " | ".join(f"{field}: {written}" for field, written in fields_of(node))
    return f"{text(name)} @{node['line']} {node['op']}" + (f" {fields}" if fields else "")


def fields_of(node: Node) -> Iterator[tuple[str, str]]:
    """Names and texts of all fields but op and line. Arguments and cases are taken apart."""
    for field, value in node.items():
        if field in {"op", "line"}:
            continue
        if field in EXPRESSIONS and is_encoded(value):
            yield field, expression(value)
        elif field == "arguments" and isinstance(value, dict) and all(map(is_encoded, value.values())):
            yield field, "{" + text({name: expression(item) for name, item in value.items()})[1:]
        elif field == "arguments" and isinstance(value, list) and all(map(is_encoded, value)):
            yield field, text([expression(item) for item in value])
        elif field == "cases":
            yield field, text([[expression(case["when"]), case["to"]] for case in value])
        else:
            yield field, ("" if field in NAMES and isinstance(value, str) else RAW) + text(value)


def is_encoded(value: object) -> bool:
    """Whether a value is an expression."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], str)


def expression(encoded: Encoded) -> str:
    """BASIC, when that is read back as the same; else the array itself."""
    try:
        made = Values().value(decoded(encoded))
    except (Unprintable, KeyError, IndexError, TypeError, ValueError):
        return RAW + text(encoded)
    for candidate in (made, f"({made})"):
        if "\n" not in candidate and same(candidate, encoded):
            return candidate
    return RAW + text(encoded)


def same(made: str, encoded: Encoded) -> bool:
    """Whether a text is read as this very expression."""
    try:
        return text(read_expression(made)) == text(encoded)
    except (NoListing, ScriptError):
        return False


def decoded(encoded: Encoded) -> tree.Expression:
    """The tree an expression was made from."""
    kind, rest = encoded[0], encoded[1:]
    if kind == "lit":
        return tree.Literal(*PLACE, rest[0])
    if kind == "var":
        return tree.Name(*PLACE, WRITTEN + rest[0][1:] if rest[0].startswith(TEMPORARY) else rest[0])
    if kind == "get":
        return tree.Member(*PLACE, decoded(rest[0]), decoded(rest[1]), optional=rest[2])
    if kind in {"bin", "and", "or"}:
        operator, left, right = rest if kind == "bin" else (kind.upper(), *rest)
        return tree.Binary(*PLACE, operator, decoded(left), decoded(right))
    if kind == "un":
        return tree.Unary(*PLACE, rest[0], decoded(rest[1]))
    if kind == "map":
        return tree.Mapping(*PLACE, tuple((key, decoded(value)) for key, value in rest))
    if kind == "call":
        return tree.Call(*PLACE, rest[0], tuple(map(decoded, rest[1:])))
    if kind == "method":
        return tree.Method(*PLACE, decoded(rest[0]), rest[1], tuple(map(decoded, rest[2:])))
    parts = tuple(map(decoded, rest))
    return {"text": tree.Template, "list": tree.Listing}[kind](*PLACE, parts)


# from text


def read_program(listing: str) -> Program:
    """The program of a listing. NoListing."""
    name, origin, entry = "", "", ""
    more: dict[str, Any] = {}
    subroutines: dict[str, Subroutine] = {}
    nodes: dict[str, Node] = {}
    for number, line in enumerate(listing.split("\n"), 1):
        word, _, rest = line.partition(" ")
        try:
            if word == "PROGRAM":
                name, origin, entry = values(rest)
            elif word in {"PROMPT", "TOOL", "DECLARED"}:
                more[word] = values(rest)[0]
            elif word == "SUB":
                called, parameters, first = values(rest)
                subroutines[called] = Subroutine(tuple(parameters), first)
            elif line.strip():
                identifier, node = read_node(line)
                nodes[identifier] = node
        except (ValueError, KeyError, ScriptError) as problem:
            raise NoListing(f"line {number}: {problem}") from None
    prompt, tool, declared = more.get("PROMPT", ""), more.get("TOOL", {}), more.get("DECLARED", [])
    return Program(name, origin, entry, nodes, subroutines, prompt, tool, declared)


def values(line: str) -> list[Any]:
    """JSON values with spaces between."""
    decoder, found, position = json.JSONDecoder(), [], 0
    while position < len(line):
        value, position = decoder.raw_decode(line, position)
        found.append(value)
        position += len(line[position:]) - len(line[position:].lstrip())
    return found


def read_node(line: str) -> tuple[str, Node]:
    """A node and its name."""
    name, end = json.JSONDecoder().raw_decode(line)
    head, _, fields = line[end:].strip().partition(" ")[2].partition(" ")
    place = line[end:].strip().partition(" ")[0]
    node: Node = {"op": head, "line": int(place.removeprefix(RAW))}
    for part in separated(fields):
        field, _, written = part.partition(": ")
        node[field] = read_field(field, written)
    return str(name), node


def separated(fields: str) -> Iterator[str]:
    """Fields between bars that stand in no text."""
    begin, quoted, index = 0, False, 0
    while index < len(fields):
        if fields[index] == "\\" and quoted:
            index += 1
        elif fields[index] == '"':
            quoted = not quoted
        elif not quoted and fields.startswith(" | ", index):
            yield fields[begin:index]
            begin = index + 3
        index += 1
    if fields[begin:]:
        yield fields[begin:]


def read_field(field: str, written: str) -> object:
    """The value of a field."""
    if written.startswith(RAW):
        return json.loads(written[1:])
    if field in NAMES:
        return json.loads(written)
    if field == "arguments":
        given = json.loads(written)
        if isinstance(given, dict):
            return {name: read_expression(item) for name, item in given.items()}
        return [read_expression(item) for item in given]
    if field == "cases":
        return [{"when": read_expression(when), "to": to} for when, to in json.loads(written)]
    return read_expression(written)


def read_expression(written: str) -> Encoded:
    """An expression, by the parser and the encoder of the language. NoListing, ScriptError."""
    if written.startswith(RAW):
        found: Encoded = json.loads(written[1:])
        return found
    lexer = Lexer(f"x = {written}")
    parser = Parser(lexer.run())
    parser.position = 2
    value = parser.expression()
    if lexer.errors or not parser.at_line_end():
        raise NoListing(f"{written!r} is no expression")
    encoder = Encoder(frozenset(), parser.assigned)
    made = encoder.value(value)
    if encoder.nodes or encoder.errors:
        raise NoListing(f"{written!r} does something")
    again: Encoded = renamed(made)
    return again


def renamed(encoded: Any) -> Any:  # noqa: ANN401 - JSON
    """Temporaries with their own names again."""
    if isinstance(encoded, list):
        if encoded[:1] == ["var"] and encoded[1].startswith(WRITTEN):
            return ["var", TEMPORARY + encoded[1].removeprefix(WRITTEN)]
        return [renamed(item) for item in encoded]
    return encoded
