"""Texts brought to one spelling before they are compared."""

import unicodedata


def plain(text: str) -> str:
    """Composed letters, ASCII digits, without blanks around it."""
    composed = unicodedata.normalize("NFC", text).strip()
    if composed.isascii():
        return composed
    return "".join(str(unicodedata.decimal(mark, mark)) for mark in composed)


def folded(text: str) -> str:
    """Without case and accents, one blank between words: "Amanhã " is "amanha"."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(mark for mark in decomposed if not unicodedata.combining(mark))
    return " ".join(bare.split())
