"""GENERATE PDF and MERGE PDF."""

from services.engine.files.documents.converting import PAGES, pdf_from_template, pictures_of
from services.engine.files.documents.pdfs import merge_pdfs
from services.engine.files.paths import clean_path, ending_of, name_of, with_ending
from services.engine.keywords.files.common import GROUP, documents, files, path_of, paths_of, stored
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, Value

MOST_MERGED = 100
MOST_PICTURES = 50
INLINE = ("<", "{{", "\n")


async def generate(world: World, arguments: Arguments) -> Value:
    """The PDF."""
    template, data = arguments["template"], arguments.get("data")
    content, ending, source = await template_of(world, template)
    out = path_of(arguments["out"]) if arguments.get("out") else with_ending(source, "pdf")
    filled = {"data": data, "rows": data, "items": data} if isinstance(data, list) else data
    work = documents(world)
    pictures: dict[str, bytes] = {}
    for name in (await work.run(pictures_of, content, ending, filled))[:MOST_PICTURES]:
        found = await picture(world, name)
        if found is not None:
            pictures[name] = found
    title = name_of(out).rpartition(".")[0]
    return await stored(world, out, await work.run(pdf_from_template, content, ending, filled, title, pictures))


async def template_of(world: World, template: Value) -> tuple[bytes, str, str]:
    """What a template says, its kind, and its path; text with marks in it is itself a template, in Markdown or HTML."""
    if isinstance(template, str) and any(mark in template for mark in INLINE):
        return template.encode(), "html" if template.lstrip().startswith("<") else "md", "document.md"
    path = path_of(template)
    if ending_of(path) not in PAGES:
        for ending in ("html", "md", "docx", "txt"):
            if await files(world).exists(world, f"{path}.{ending}"):
                path = f"{path}.{ending}"
                break
    return await files(world).read(world, path), ending_of(path), path


async def picture(world: World, name: str) -> bytes | None:
    """A picture of the drive; None for any other source, which is left out."""
    try:
        return await files(world).read(world, clean_path(name))
    except ProgramError:
        return None


async def merge(world: World, arguments: Arguments) -> Value:
    """The PDF."""
    paths, out = paths_of(arguments["files"]), path_of(arguments["out"])
    if len(paths) > MOST_MERGED:
        message = f"MERGE PDF: {MOST_MERGED} files at most, got {len(paths)}"
        raise ProgramError(message)
    contents = [await files(world).read(world, path) for path in paths]
    return await stored(world, out, await documents(world).run(merge_pdfs, contents))


GENERATE_PDF = Keyword(
    name="GENERATE PDF",
    group=GROUP,
    summary="Makes a PDF of a template with data in it; gives its path and an address.",
    forms=(
        "GENERATE PDF <template>, <data>, <out>",
        "GENERATE PDF <template>, <data>",
        "GENERATE PDF <out> WITH TEMPLATE <template> [DATA <data>]",
        "GENERATE PDF <template> WITH <data> TO <out>",
    ),
    effect=Effect.WRITE,
    example='order = {"number": 7, "rows": [{"item": "Tea", "price": 3}]}\n'
    'pdf = GENERATE PDF "templates/invoice.md", order, "invoices/7.pdf"\nSEND FILE pdf, "Your invoice"',
    documentation="""A template is a file of the drive: Markdown (`.md`), HTML, text or DOCX (its text, headings and
tables). `{{name}}` and `{{customer.city}}` are fields, `{{#rows}} ... {{/rows}}` repeats for each row, `{{^rows}} ...
{{/rows}}` stands when there are none; values are text and never marks. Headings, lists, tables, links, quotations and
pictures of the drive are shown; styles, scripts and pictures of other places are left out, and
nothing is loaded. Latin, Greek and Cyrillic letters are in the file itself.

It gives an object: `path`, `url` (works for a day), `uri`, `name`, `localName`.""",
    aliases=("GENERATE_PDF",),
    permission="files.write",
    perform=generate,
)
MERGE_PDF = Keyword(
    name="MERGE PDF",
    group=GROUP,
    summary="Makes one PDF of several.",
    forms=("MERGE PDF <files>, <out>", "MERGE PDF <files> TO <out>"),
    effect=Effect.WRITE,
    example='MERGE PDF ["cover.pdf", "report.pdf"], "whole.pdf"',
    aliases=("MERGE_PDF",),
    permission="files.write",
    perform=merge,
)
