"""What PostgreSQL can hold of a text: everything but U+0000, which is shown as U+FFFD instead of losing the message."""

import re

NUL, SHOWN = "\0", "\ufffd"
ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def storable(text: str) -> str:
    """A text without U+0000."""
    return text.replace(NUL, SHOWN)


def storable_json(encoded: str) -> str:
    """A JSON text whose strings are without U+0000, which jsonb refuses even when escaped."""
    return ESCAPED_NUL.sub(r"\1\\ufffd", encoded)
