"""GRAPHQL and SOAP: servers that speak a language of their own."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.world import World
from services.engine.program.values import Value, text_of
from services.engine.web.port import Web


async def graphql(world: World, arguments: Arguments) -> Value:
    """A response whose data is what was asked for."""
    from services.engine.web.graphql import graphql as ask  # noqa: PLC0415 - check starts fast without it

    query = text_of(arguments["query"])
    return await ask(world.port(Web), world, text_of(arguments["url"]), query, arguments.get("variables"))


async def soap(world: World, arguments: Arguments) -> Value:
    """What an operation answered."""
    from services.engine.web.soap import call  # noqa: PLC0415 - heavy

    given = arguments.get("parameters", [])
    values = given if isinstance(given, list) else [given]
    return await call(world.port(Web), world, text_of(arguments["wsdl"]), text_of(arguments["operation"]), values)


GRAPHQL = Keyword(
    name="GRAPHQL",
    group="http",
    summary="Asks a GraphQL server.",
    forms=(
        "GRAPHQL <url>, <query> WITH <variables:fields>",
        "GRAPHQL <url>, <query> WITH <variables>",
        "GRAPHQL <url>, <query> [, <variables>]",
    ),
    effect=Effect.WRITE,
    example='r = GRAPHQL "https://api.example.com/graphql", "query($id: ID) { user(id: $id) { name } }" WITH id = 7\n'
    "TALK r.user.name",
    documentation="""The result is a response whose data is what the query asked for: `r.user.name`, and
`r.data.user.name` too. `r.errors` is the list of errors when there are some.""",
    permission="web.ask",
    slow=True,
    perform=graphql,
)
SOAP = Keyword(
    name="SOAP",
    group="http",
    summary="Calls an operation of a SOAP service.",
    forms=(
        "SOAP <wsdl>, <operation> WITH <parameters:fields>",
        "SOAP <wsdl>, <operation> [, <parameters:values>]",
    ),
    effect=Effect.WRITE,
    example='r = SOAP "https://example.com/prices?wsdl", "GetPrice", #{item: "tea"}\nTALK r.price',
    documentation="""Parameters are an object by the names of the schema, whatever their case and order, or values in
its order. The result has the fields of the answer; repeated ones are lists, texts stay texts. A fault is an error
that ON ERROR catches. Keys of config.csv: `soap-timeout`, `soap-api-key` with `soap-api-key-header`, and
`soap-wsse-enabled` with `soap-wsse-username` and `soap-wsse-password` (a token with the password as text).
Certificates of a client are not available.""",
    permission="web.ask",
    slow=True,
    perform=soap,
)
