"""Asking the documents from a script."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.knowledge.port import Knowledge
from services.engine.keywords.models.port import Models
from services.engine.keywords.world import World
from services.engine.program.values import Value, number_of, text_of

MOST_PASSAGES = 20
COLLECTIONS = "collections"


async def think(world: World, arguments: Arguments) -> Value:
    """{query, results, summary, confidence, total}."""
    query, limit = text_of(arguments["query"]), int(number_of(arguments.get("limit", 5)))
    chosen = [text_of(arguments["collection"])] if "collection" in arguments else list(world.collections)
    found = await world.port(Knowledge).search(world, query, chosen, max(1, min(limit, MOST_PASSAGES)))
    summary = await world.port(Models).grounded(world, query, found) if found else ""
    return {
        "query": query,
        "results": found,
        "summary": summary,
        "confidence": confidence(found),
        "total": len(found),
    }


def confidence(found: list[dict[str, Value]]) -> float:
    """0 when nothing was found, else how well the best passage fits, two places."""
    return round(max((float(item["score"]) for item in found), default=0.0), 2)


async def answer(world: World, arguments: Arguments) -> Value:
    """An answer from the documents, as text."""
    query = text_of(arguments["query"])
    found = await world.port(Knowledge).search(world, query, list(world.collections), 5)
    return await world.port(Models).grounded(world, query, found)


THINK_KB = Keyword(
    name="THINK KB",
    group="knowledge",
    summary="Looks for something in the documents and sums up what they say.",
    forms=("THINK KB <query> [, <collection>] [, <limit:number>]", "THINK KB <query> FROM <collection:name>"),
    effect=Effect.READ,
    example='found = THINK KB "How long is the guarantee?"\nTALK found.summary',
    documentation="Gives `results` (text, title, path, document, collection, score), `summary`, `confidence` (0 to 1: "
    "how well the best passage fits) and `total`. It looks in the collections of USE KB, or in all.",
    permission="knowledge.read",
    slow=True,
    perform=think,
)
ANSWER = Keyword(
    name="ANSWER",
    group="knowledge",
    summary="Gives what the documents answer to a question, as text.",
    forms=("ANSWER <query:rest>",),
    effect=Effect.READ,
    example="HEAR question\nreply = ANSWER question\nTALK reply",
    permission="knowledge.read",
    slow=True,
    perform=answer,
)
