"""POST, PUT, PATCH and DELETE HTTP."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword, Perform
from services.engine.keywords.world import World
from services.engine.program.values import Value, text_of
from services.engine.web.port import Request, Web

DOCUMENTATION = """The result is a response: `r.status`, `r.statusText`, `r.headers`, `r.data`. A field that the
response has not is looked up in its data: `r.id` is `r.data.id`. A status of 400 or more is no error by itself:
`IS_ERROR(r)` tells. No answer at all is an error that ON ERROR catches.

What is sent is JSON unless `SET HEADER "Content-Type", ...` says otherwise: `application/x-www-form-urlencoded` and
`multipart/form-data` make forms of an object (a part with `filename` and `content` or `base64` is a file), any other
type sends text as it is. Every request carries an `Idempotency-Key`, the same when it is repeated after a crash, so
that a server which honours it does the thing once. 60 seconds, 4 MiB of answer; addresses as with GET."""


async def send(world: World, method: str, url: Value, body: Value) -> Value:
    """A response object. ProgramError."""
    return await world.port(Web).ask(world, Request(method=method, url=text_of(url), body=body))


def performer(method: str) -> Perform:
    """What a keyword of that method does."""

    async def perform(world: World, arguments: Arguments) -> Value:
        return await send(world, method, arguments["url"], arguments.get("data"))

    return perform


def sender(method: str, summary: str) -> Keyword:
    """A keyword that sends data."""
    return Keyword(
        name=method,
        group="http",
        summary=summary,
        forms=(
            f"{method} <url>, <data>",
            f"{method} <url> WITH <data:fields>",
            f"{method} <url> WITH <data>",
            f"{method} <url>, <data:fields>",
            f"{method} <url>, <data:values>",
            f"{method} <url>",
        ),
        aliases=(f"{method} HTTP",),
        effect=Effect.WRITE,
        example=f'r = {method} "https://api.example.com/orders", #{{item: "tea", amount: 2}}\nTALK "Order " + r.id',
        documentation=DOCUMENTATION,
        permission="web.ask",
        slow=True,
        perform=performer(method),
    )


POST = sender("POST", "Sends data to an address and gives the response.")
PUT = sender("PUT", "Replaces what is at an address and gives the response.")
PATCH = sender("PATCH", "Changes what is at an address and gives the response.")
DELETE_HTTP = Keyword(
    name="DELETE HTTP",
    group="http",
    summary="Removes what is at an address and gives the response.",
    forms=("DELETE HTTP <url>, <data>", "DELETE HTTP <url>"),
    aliases=("DELETE_HTTP",),
    effect=Effect.WRITE,
    example='DELETE HTTP "https://api.example.com/orders/" + id',
    documentation=DOCUMENTATION,
    permission="web.ask",
    slow=True,
    perform=performer("DELETE"),
)
