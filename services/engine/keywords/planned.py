"""Keywords whose service comes later: they parse, check and compile, and say what is missing when they are reached."""

from services.engine.keywords.keyword import Effect, Keyword


def planned(
    name: str,
    group: str,
    forms: tuple[str, ...],
    summary: str,
    example: str,
    needs: str,
    *aliases: str,
    effect: Effect = Effect.WRITE,
    permission: str = "",
) -> Keyword:
    """A keyword that raises when it is reached. needs: what must come first, such as "a queue of attendants"."""
    return Keyword(
        name=name,
        group=group,
        summary=summary,
        forms=forms,
        effect=effect,
        example=example,
        aliases=aliases,
        permission=permission,
        needs=needs,
    )
