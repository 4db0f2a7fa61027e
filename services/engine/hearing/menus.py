"""Answers that choose one of several."""

import re

from services.engine.hearing.folding import folded, plain

POSITION = re.compile(r"#?\s*([0-9]{1,4})\s*[.)]?")


def choose(options: list[str], text: str) -> str | None:
    """By its words, by its number from 1, or by a part that only one has; accents and case do not matter."""
    said = text.strip()
    if said in options:
        return said
    word = folded(said)
    known = [folded(option) for option in options]
    if word in known:
        return options[known.index(word)]
    match = POSITION.fullmatch(plain(said))
    if match and 1 <= int(match[1]) <= len(options):
        return options[int(match[1]) - 1]
    partial = [option for option, bare in zip(options, known, strict=True) if word and word in bare]
    return partial[0] if len(set(partial)) == 1 else None
