"""Answers that are numbers: whole ones, decimal ones, amounts, yes and no."""

import re

from services.engine.hearing.folding import folded, plain
from services.engine.program.values import Value

SIGNS = re.compile(r"R\$|US\$|A\$|C\$|[$€£¥₽₹]|\b(?:BRL|USD|EUR|GBP|JPY|RUB)\b|\s", re.IGNORECASE)
YES = frozenset(
    map(
        folded,
        """yes y yeah yep true 1 on ok okay sure correct right sim s claro isso certo verdadeiro si sí verdadero
        da да ага конечно верно oui vrai ja wahr correcto はい 是""".split(),
    )
)
NO = frozenset(
    map(
        folded,
        """no n nope false 0 off wrong não nao falso negativo нет неверно non faux nein falsch いいえ 不""".split(),
    )
)


def integer(text: str) -> Value:
    """1.234 and 1,234 are one thousand two hundred and thirty-four."""
    bare = re.sub(r"[,.\s]", "", plain(text))
    return int(bare) if re.fullmatch(r"[-+]?[0-9]{1,18}", bare) else None


def decimal(text: str) -> Value:
    """Two places; the last comma or point is the decimal one."""
    bare = re.sub(r"\s", "", plain(text)).replace(",", ".")
    head, point, tail = bare.rpartition(".")
    bare = head.replace(".", "") + point + tail
    return round(float(bare), 2) if re.fullmatch(r"[-+]?([0-9]{1,12}(\.[0-9]{0,20})?|\.[0-9]{1,20})", bare) else None


def money(text: str) -> Value:
    """Without its sign; the last separator before one or two digits is the decimal one, others part thousands."""
    bare = SIGNS.sub("", plain(text))
    if not re.fullmatch(r"[-+]?[0-9][0-9.,]*", bare):
        return None
    match = re.search(r"[.,]([0-9]{1,2})$", bare)
    whole = re.sub(r"[.,]", "", bare[: match.start()] if match else bare)
    return float(f"{whole}.{match[1] if match else 0}") if len(whole) <= 12 else None


def boolean(text: str) -> Value:
    """Yes and no in several languages."""
    word = folded(text).rstrip("!. ")
    return True if word in YES else False if word in NO else None
