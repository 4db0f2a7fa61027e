"""WRITE: text, rows and lines into a file."""

import json

from services.engine.files.documents.converting import append_rows, write_rows
from services.engine.files.paths import ending_of
from services.engine.keywords.files.common import GROUP, documents, files, path_of
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, Value, text_of

TABLES = frozenset({"csv", "tsv", "xlsx"})


async def write(world: World, arguments: Arguments) -> Value:
    """The path that was written."""
    path, content = path_of(arguments["file"]), arguments["content"]
    kind, append = text_of(arguments.get("kind")).upper(), appends(arguments)
    if kind not in {"", "TEXT", "TABLE", "LINES"}:
        message = f"WRITE: expected AS TABLE or AS LINES, got AS {kind[:40]}"
        raise ProgramError(message)
    ending = ending_of(path)
    rows = kind == "TABLE" or (kind == "" and ending in TABLES and not isinstance(content, str))
    if rows and append:
        await append_table(world, path, content, ending)
    elif rows:
        await files(world).write(world, path, await documents(world).run(write_rows, content, ending))
    else:
        lines = kind == "LINES" or (append and isinstance(content, list))
        await files(world).write(world, path, plain(content, ending, lines=lines).encode(), append=append)
    return path


def appends(arguments: Arguments) -> bool:
    """Whether it goes behind what is there. ProgramError for a word that says nothing."""
    mode = text_of(arguments.get("mode")).upper()
    if mode not in {"", "APPEND"}:
        message = f"WRITE: expected APPEND or nothing, got {mode[:40]}"
        raise ProgramError(message)
    return mode == "APPEND"


async def append_table(world: World, path: str, content: Value, ending: str) -> None:
    """Rows below those that are there."""
    work = documents(world)
    if ending != "xlsx" and ending not in TABLES and ending != "json":
        ending = "csv"

    async def appended(there: bytes | None) -> bytes:
        if there is None:
            return await work.run(write_rows, content, ending)
        return await work.run(append_rows, there, content, ending)

    await files(world).change(world, path, appended)


def plain(content: Value, ending: str, *, lines: bool) -> str:
    """Text of a value: a line for each item, JSON for lists and objects, else as TALK would say it."""
    if lines:
        items = content if isinstance(content, list) else [content]
        return "".join(f"{text_of(item)}\n" for item in items)
    if ending == "json" and not isinstance(content, str):
        return json.dumps(content, ensure_ascii=False, indent=2)
    if isinstance(content, list | dict):
        return json.dumps(content, ensure_ascii=False)
    return text_of(content)


WRITE = Keyword(
    name="WRITE",
    group=GROUP,
    summary="Writes text, rows or lines into a file of the bot's drive; gives its path.",
    forms=(
        "WRITE <file>, <content> [, <mode>]",
        "WRITE <content> TO <file> [AS <kind:word>] [<mode:word>]",
    ),
    effect=Effect.WRITE,
    example='WRITE "Order of " + name TO "orders.txt" AS LINES APPEND\nWRITE [{"item": "tea", "price": 3}] TO "p.csv"',
    documentation="""What is there is replaced, unless `APPEND` says otherwise: of many who append at once each is
written, and each once. `AS TABLE` writes rows as the ending of the file says: CSV, TSV, XLSX, JSON; rows for a CSV, TSV
or XLSX file need no `AS TABLE`. Appended rows go under the columns that are there, new columns behind them. `AS LINES`
writes each item of a list as a line.

A cell that a spreadsheet would take for a formula (it begins with `=`, `+`, `-` or `@` and is no number) gets an
apostrophe before it in CSV, which READ takes off again; in XLSX it is kept as text. A file has 32 MB at most and cannot
be empty.""",
    permission="files.write",
    perform=write,
)
