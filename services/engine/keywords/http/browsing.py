"""A browser under the script's hands, which this installation has not."""

from services.engine.keywords.keyword import Effect, Keyword


def browsing(name: str, summary: str, example: str) -> Keyword:
    """A keyword that needs a browser."""
    return Keyword(
        name=name,
        group="http",
        summary=summary,
        forms=(f"{name} [<what:anything>]",),
        effect=Effect.WRITE,
        example=example,
        permission="web.ask",
        needs="a browser that scripts drive",
    )


KEYWORDS = (
    browsing("OPEN", "Opens a page.", 'OPEN "https://example.com" AS #page'),
    browsing("CLICK", "Clicks on an element of the page.", 'CLICK "#buy"'),
    browsing("HOVER", "Moves the pointer over an element of the page.", 'HOVER ".menu"'),
    browsing("PRESS", "Presses a key.", 'PRESS "Enter"'),
    browsing("SCREENSHOT", "Makes a picture of the page.", 'picture = SCREENSHOT "body"'),
    browsing("WAIT UNTIL", "Waits until an element of the page is there.", 'WAIT UNTIL ".ready"'),
)
