"""How much a bot knows."""

from collections import defaultdict

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.keywords.knowledge.collections import collection_name
from services.engine.keywords.knowledge.port import Knowledge
from services.engine.keywords.planned import planned
from services.engine.keywords.world import World
from services.engine.program.values import Value, number_of

SECONDS_A_DAY = 86_400
LIVE = "live"
Documents = list[dict[str, Value]]


def figures(found: Documents) -> dict[str, Value]:
    """{documents, live, waiting, failed, chunks, last_change}."""
    states = [item["state"] for item in found]
    return {
        "documents": len(found),
        "live": states.count(LIVE),
        "failed": states.count("failed"),
        "waiting": len(found) - states.count(LIVE) - states.count("failed"),
        "chunks": sum(int(item["chunks"]) for item in found),
        "last_change": max((float(item["changed"]) for item in found), default=None),
    }


def grouped(found: Documents) -> dict[str, Documents]:
    """Documents by collection."""
    made: defaultdict[str, Documents] = defaultdict(list)
    for item in found:
        made[str(item["collection"])].append(item)
    return dict(sorted(made.items()))


async def statistics(world: World, _: Arguments) -> Value:
    """Figures of all, and of each collection."""
    found = await world.port(Knowledge).documents(world)
    collections = [{"name": name, **figures(items)} for name, items in grouped(found).items()]
    return {**figures(found), "total_collections": len(collections), "collections": collections}


async def collection_figures(world: World, arguments: Arguments) -> Value:
    """Figures of one collection."""
    name = collection_name(arguments["collection"])
    return {"name": name, **figures(await world.port(Knowledge).documents(world, name))}


async def count(world: World, arguments: Arguments) -> Value:
    """How many documents there are."""
    name = collection_name(arguments["collection"]) if "collection" in arguments else ""
    return len(await world.port(Knowledge).documents(world, name))


async def added_since(world: World, arguments: Arguments) -> Value:
    """How many came in the last days."""
    first = world.clock().timestamp() - float(number_of(arguments["days"])) * SECONDS_A_DAY
    return sum(float(item["created"]) >= first for item in await world.port(Knowledge).documents(world))


async def collections(world: World, _: Arguments) -> Value:
    """Names of the collections that have documents."""
    return list(grouped(await world.port(Knowledge).documents(world)))


KB_STATISTICS = Keyword(
    name="KB STATISTICS",
    group="knowledge",
    summary="Gives how many documents, passages and collections the bot has.",
    forms=("KB STATISTICS",),
    effect=Effect.READ,
    example='figures = KB STATISTICS\nTALK "${figures.documents} documents"',
    documentation="documents, live, waiting, failed, chunks, last_change (seconds since 1970), total_collections, "
    "collections (the same figures with a name).",
    permission="knowledge.read",
    perform=statistics,
)
KB_COLLECTION_STATS = Keyword(
    name="KB COLLECTION STATS",
    group="knowledge",
    summary="Gives how many documents and passages a collection has.",
    forms=("KB COLLECTION STATS <collection:name>",),
    effect=Effect.READ,
    example='figures = KB COLLECTION STATS "handbook"',
    permission="knowledge.read",
    perform=collection_figures,
)
KB_DOCUMENTS_COUNT = Keyword(
    name="KB DOCUMENTS COUNT",
    group="knowledge",
    summary="Gives how many documents the bot has, or a collection.",
    forms=("KB DOCUMENTS COUNT [<collection:name>]",),
    effect=Effect.READ,
    example="count = KB DOCUMENTS COUNT",
    permission="knowledge.read",
    perform=count,
)
KB_DOCUMENTS_ADDED_SINCE = Keyword(
    name="KB DOCUMENTS ADDED SINCE",
    group="knowledge",
    summary="Gives how many documents came in the last days.",
    forms=("KB DOCUMENTS ADDED SINCE <days:number>",),
    effect=Effect.READ,
    example="fresh = KB DOCUMENTS ADDED SINCE 7",
    permission="knowledge.read",
    perform=added_since,
)
KB_LIST_COLLECTIONS = Keyword(
    name="KB LIST COLLECTIONS",
    group="knowledge",
    summary="Gives the names of the collections that have documents.",
    forms=("KB LIST COLLECTIONS",),
    effect=Effect.READ,
    example="FOR EACH name IN KB LIST COLLECTIONS\n  PRINT name\nNEXT",
    permission="knowledge.read",
    perform=collections,
)
KEYWORDS = (
    planned(
        "KB STORAGE SIZE",
        "knowledge",
        ("KB STORAGE SIZE",),
        "Gives how much room the documents take.",
        "size = KB STORAGE SIZE",
        "the sizes of documents, which the knowledge service does not tell",
        effect=Effect.READ,
        permission="knowledge.read",
    ),
)
