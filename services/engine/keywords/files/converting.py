"""CONVERT and PARSE_CSV."""

from services.engine.files.content_types import TYPES
from services.engine.files.documents.converting import convert, read_rows
from services.engine.files.paths import ending_of, is_attachment, with_ending
from services.engine.keywords.files.common import GROUP, documents, files, path_of, stored
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import Value, text_of


async def converted(world: World, arguments: Arguments) -> Value:
    """The new file."""
    source, wanted = path_of(arguments["source"]), arguments["target"]
    entry = await files(world).find(world, source)
    name = entry.name if is_attachment(source) else source
    kind = text_of(wanted).strip().lower().removeprefix(".")
    target = with_ending(name, kind) if kind in TYPES else path_of(wanted)
    content = await files(world).read(world, source)
    made = await documents(world).run(convert, content, ending_of(name), ending_of(target))
    return await stored(world, target, made)


async def parse_csv(world: World, arguments: Arguments) -> Value:
    """Rows of a text, or of a file when it is the path of one."""
    text = text_of(arguments["text"])
    if "\n" not in text and text.strip().lower().endswith((".csv", ".tsv")):
        content = await files(world).read(world, path_of(text))
    else:
        content = text.encode()
    return await documents(world).run(read_rows, content, "csv")


CONVERT = Keyword(
    name="CONVERT",
    group=GROUP,
    summary="Makes a file of another kind of a file.",
    forms=("CONVERT <source> TO <target:name>", "CONVERT <source>, <target:name>"),
    effect=Effect.WRITE,
    example='CONVERT "prices.xlsx" TO "prices.csv"\nCONVERT "notes.md" TO "pdf"',
    documentation="""Tables: CSV, TSV, XLSX and JSON into each other. Pages: Markdown, HTML, text and DOCX into PDF or
HTML. Pictures: PNG, JPEG, GIF, BMP, WEBP and TIFF into each other, and into PDF. PDF, DOCX and XLSX into text. The
target is a path, or an ending; then the name stays.""",
    permission="files.write",
    perform=converted,
)
PARSE_CSV = Keyword(
    name="PARSE_CSV",
    group=GROUP,
    summary="Gives the rows of a text in CSV as objects.",
    forms=("PARSE_CSV <text>",),
    effect=Effect.READ,
    example='rows = PARSE_CSV "name;price\\nTea;3"\nTALK rows[0].name',
    documentation="The first line names the fields; the mark between the cells is found out.",
    aliases=("PARSE CSV",),
    permission="files.read",
    perform=parse_csv,
)
