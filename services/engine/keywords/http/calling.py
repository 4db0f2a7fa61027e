"""CALL "service/path": an address of the own server, or one that is written out."""

from services.engine.keywords.http.sending import send
from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import Value, text_of


async def call(world: World, arguments: Arguments) -> Value:
    """The response to a POST with the data."""
    path = text_of(arguments["path"])
    url = path if "://" in path else f"/api/{path.removeprefix('/').removeprefix('api/')}"
    return await send(world, "POST", url, arguments.get("data"))


CALL_SERVICE = Keyword(
    name="CALL SERVICE",
    group="http",
    summary="Posts data to a service and gives the response.",
    forms=("CALL SERVICE <path> [, <data>]",),
    effect=Effect.WRITE,
    example='r = CALL "orders/price", #{item: "tea"}\nTALK r.total',
    documentation="""A path such as `orders/price` is `/api/orders/price` of the server that `host` in config.csv names,
else of Parley's own; an address that is written out is asked as it is. Text without a slash is the name of a script
of the package, which runs with the variables of this one.""",
    permission="web.ask",
    slow=True,
    perform=call,
)
