"""Values for keywords that are not performed: something of the right shape, so that a script can go on."""

import re
from collections.abc import Mapping
from typing import Any

from services.engine.machine.outcomes import PerformEffect
from services.engine.program.program import Program
from services.engine.program.values import Value, text_of

ROWS = re.compile(r"^(FIND|SEARCH|QUERY|SELECT|JOIN|LIST|RSS|GET QUEUE|GET ATTENDANTS|PRODUCTS|IMPORT|DIR)\b")
NUMBERS = re.compile(r"^(AGGREGATE|SCORE|COUNT|DELETE|UPDATE|KB DOCUMENTS|SENTIMENT SCORE)\b")
OBJECTS = re.compile(
    r"^(GET|POST|PUT|PATCH|GRAPHQL|SOAP|CALL SERVICE|THINK KB|WEATHER|FORECAST|MERGE|RUN|PIVOT|GROUP BY)\b"
)
MODELS = re.compile(r"^(LLM|ASK|SUMMARIZE|TRANSLATE|REWRITE|CLASSIFY|SENTIMENT|OCR|SEE|POLISH)\b")
WRITES = re.compile(r"^(SAVE|INSERT)\b")
FIELD = re.compile(r"(\w+)\s*(?:=|<>|>=|<=|>|<|LIKE)", re.IGNORECASE)
SAMPLES = {
    "number": 1,
    "integer": 1,
    "double": 1.5,
    "boolean": True,
    "date": "2026-01-15",
    "datetime": "2026-01-15T09:00:00",
    "guid": "00000000-0000-4000-8000-000000000001",
}
ROW = {"id": 1, "name": "Ana Example", "email": "ana@example.com", "status": "open"}


def pretended(wanted: PerformEffect, tables: Mapping[str, list[dict[str, Any]]]) -> Value:
    """A value for a keyword: a made-up row, an empty object, a text that says what was asked; NULL for the others."""
    if ROWS.match(wanted.keyword):
        return [row_of(wanted.arguments, tables)]
    if MODELS.match(wanted.keyword):
        return f"({wanted.keyword}: {text_of(next(iter(wanted.arguments.values()), ''))[:200]})"
    if NUMBERS.match(wanted.keyword):
        return 1
    if WRITES.match(wanted.keyword):
        return {"id": 1}
    return {} if OBJECTS.match(wanted.keyword) else None


def row_of(arguments: Mapping[str, Value], tables: Mapping[str, list[dict[str, Any]]]) -> dict[str, Value]:
    """A row of the table that is named, when the package describes it; else one with the usual columns."""
    for value in arguments.values():
        columns = tables.get(value.lower()) if isinstance(value, str) else None
        if columns is not None:
            return {str(item["name"]): SAMPLES.get(str(item["type"]), f"sample {item['name']}") for item in columns}
    asked = {name.lower(): 1 for value in arguments.values() for name in FIELD.findall(text_of(value))}
    return asked | ROW


def lenient(program: Program) -> Program:
    """The program with each field of NULL being NULL: a made-up answer has not the fields of the real one."""
    document = program.to_json()
    document["nodes"] = optional(document["nodes"])
    return Program.from_json(document)


def optional(part: Any) -> Any:  # noqa: ANN401 - nodes and expressions are JSON
    """The same with each a.b as a?.b."""
    if isinstance(part, dict):
        return {name: optional(item) for name, item in part.items()}
    if not isinstance(part, list):
        return part
    made = [optional(item) for item in part]
    if len(made) == 4 and made[0] == "get" and isinstance(made[3], bool):
        made[3] = True
    return made
