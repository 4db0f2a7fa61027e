"""GET: data of an address, text of a file in the drive, or a value that is kept."""

import re

from services.engine.files.port import Documents, Files
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.memory.variables import recall
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, Value, text_of
from services.engine.web.addresses import is_address
from services.engine.web.answers import plain_data
from services.engine.web.port import Request, Web

KEPT = re.compile(r"(session|user|bot|channel)\.([\w-]+)", re.IGNORECASE)


async def get(world: World, arguments: Arguments) -> Value:
    """What is at an address."""
    where = text_of(arguments["url"]).strip()
    if is_address(where) or (where.startswith("/") and world.config.get("host")):
        request = Request(method="GET", url=where, query=query_of(arguments.get("query")))
        return plain_data(await world.port(Web).ask(world, request))
    kept = KEPT.fullmatch(where)
    if kept:
        return await recall(world, kept[1].lower(), kept[2])
    return await text_in(world, where)


def query_of(given: Value) -> dict[str, Value]:
    """What is put behind the question mark. ProgramError for values without names."""
    if given is None or isinstance(given, dict):
        return given or {}
    message = 'GET ... WITH takes names and values, such as WITH city = "Lisbon", page = 2, or an object'
    raise ProgramError(message)


async def text_in(world: World, path: str) -> str:
    """The text in a document of the drive, of a PDF too."""
    if not path:
        message = "GET needs an address such as https://example.com/data or the name of a file"
        raise ProgramError(message)
    from services.engine.files.documents.converting import read_text  # noqa: PLC0415 - heavy

    content = await world.port(Files).read(world, path)
    return await world.port(Documents).run(read_text, content, path.rpartition(".")[2].lower())


GET = Keyword(
    name="GET",
    group="http",
    summary="Gives the data of an address, the text of a file, or a value that is kept.",
    forms=("GET <url>", "GET <url> WITH <query:fields>", "GET <url> WITH <query>"),
    effect=Effect.READ,
    example='weather = GET "https://api.example.com/weather" WITH city = "Lisbon"\nTALK weather.temperature',
    documentation="""JSON becomes an object or a list, its fields stand at the top: `data.name`. Anything else that
can be read is text. When the server answers with a status other than 2xx the result is the response, as POST gives
it: `IS_ERROR(data)` is true from status 400 on, `data.status` is the status. No answer at all is an error that ON
ERROR catches. `/api/...` is on the server that the key `host` of config.csv names, else on this installation.

Addresses of private networks are refused, however they are written, resolved or redirected to; the key
`web-allowed-hosts` narrows the rest. An answer may have 4 MiB and take 30 seconds.

`GET "session.name"` gives what SET kept; any other name is a file of the drive, whose text is given.""",
    permission="web.ask",
    slow=True,
    perform=get,
)
