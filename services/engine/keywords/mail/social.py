"""Other conversations, social networks and meetings, which this installation has not."""

from services.engine.keywords.keyword import Effect, Keyword

NETWORKS = ("INSTAGRAM", "FACEBOOK", "LINKEDIN", "TWITTER")


def later(name: str, summary: str, needs: str, example: str, effect: Effect = Effect.WRITE) -> Keyword:
    """A keyword whose service is not there."""
    return Keyword(
        name=name,
        group="social",
        summary=summary,
        forms=(f"{name} [<what:anything>]",),
        effect=effect,
        example=example,
        permission="mail.send" if effect is Effect.WRITE else "",
        needs=needs,
    )


ACCOUNTS = "connected accounts of social networks"
BETWEEN = "messages between conversations"


def figures(name: str) -> Keyword:
    """What became of a post."""
    example = f"m = GET {name} METRICS id"
    return later(f"GET {name} METRICS", f"Gives figures of a post on {name.title()}.", ACCOUNTS, example, Effect.READ)


def posts(name: str) -> Keyword:
    """What was published."""
    example = f"posts = GET {name} POSTS"
    return later(f"GET {name} POSTS", f"Gives the posts on {name.title()}.", ACCOUNTS, example, Effect.READ)


KEYWORDS = (
    later("SEND TO SESSION", "Writes into another conversation.", BETWEEN, 'SEND TO SESSION id, "Hello"'),
    later("POST TO", "Publishes a post on a social network.", ACCOUNTS, 'POST TO INSTAGRAM "tea.png", "New tea"'),
    later("DELETE POST", "Removes a post from a social network.", ACCOUNTS, "DELETE POST id"),
    *map(figures, NETWORKS),
    *map(posts, NETWORKS),
    later("START MEET", "Opens a meeting.", "rooms for meetings", 'START MEET "Planning"'),
)
