"""Keywords whose turn has not come yet: they parse, and raise when they are reached."""

from services.engine.keywords.keyword import Effect, Keyword

NAMES = """
QUERY METRICS
"""
KEYWORDS = tuple(
    Keyword(
        name=name,
        group="pending",
        summary=f"{name}.",
        forms=(f"{name} [<what:anything>]",),
        effect=Effect.WRITE,
        example=name,
        needs="its turn",
    )
    for name in (" ".join(item.split()) for item in NAMES.split(","))
)
