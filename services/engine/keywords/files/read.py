"""READ: what is in a file."""

from services.engine.files.documents.converting import read_rows, read_text
from services.engine.files.paths import ending_of, is_attachment
from services.engine.keywords.files.common import GROUP, documents, files, path_of
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, Value, text_of

LARGEST_LIST = 100_000


async def read(world: World, arguments: Arguments) -> Value:
    """Text, rows or lines."""
    path, kind = path_of(arguments["file"]), text_of(arguments.get("kind")).upper()
    if kind not in {"", "TEXT", "TABLE", "LINES"}:
        message = f"READ: expected AS TABLE or AS LINES, got AS {kind[:40]}"
        raise ProgramError(message)
    content = await files(world).read(world, path)
    name = (await files(world).find(world, path)).name if is_attachment(path) else path
    if kind == "TABLE":
        return await documents(world).run(read_rows, content, ending_of(name), text_of(arguments.get("sheet")))
    text = await documents(world).run(read_text, content, ending_of(name))
    return lines_of(text) if kind == "LINES" else text


def lines_of(text: str) -> list[Value]:
    """Lines without their ends. ProgramError for too many."""
    lines = text.splitlines()
    if len(lines) > LARGEST_LIST:
        message = f"READ: the file has {len(lines):,} lines; a list holds {LARGEST_LIST:,}"
        raise ProgramError(message)
    return list(lines)


READ = Keyword(
    name="READ",
    group=GROUP,
    summary="Gives what is in a file of the bot's drive, or in one that the person sent.",
    forms=("READ <file> [AS <kind:word>]", "READ <file>, <sheet> AS <kind:word>"),
    effect=Effect.READ,
    example='prices = READ "prices.csv" AS TABLE\nFOR EACH row IN prices\n  TALK row.name + ": " + row.price\nNEXT',
    documentation="""Without `AS` it gives the text of the file, whatever its encoding; of PDF, DOCX and XLSX the text
in them. `AS LINES` gives a list of lines. `AS TABLE` gives the rows of CSV, TSV, XLSX or JSON as objects, with the
first row as names of the fields; the mark between the cells of a CSV is found out. A second value names the sheet of an
XLSX. A script can hold a million characters and 100,000 rows.""",
    permission="files.read",
    perform=read,
)
