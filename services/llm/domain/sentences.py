"""Sentences of a text with their exact places, and how well they meet a question."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import snowballstemmer

STEMMERS = {"en": "english", "pt": "portuguese", "es": "spanish", "ru": "russian"}
WORD = re.compile(r"\w+")
# A sentence ends at its mark and the blank after it (CJK marks need no blank), or at the end of a line.
BOUNDARY = re.compile(r"(?<=[.!?…])[\"'»”)\]]*\s+|(?<=[。！？])|\s*\n\s*")
CYRILLIC = re.compile("[\u0400-\u04ff]")
COMMON = {
    "en": frozenset(
        """a an the of to in on at for from by with and or not is are was were be been do does did can could will would
        i you he she it we they me my your our their this that these those what which who when where why how much many
        there have has had if as about""".split()
    ),
    "pt": frozenset(
        """a o as os um uma de do da dos das em no na nos nas por para com e ou não é são foi ser está eu você ele ela
        nós vocês meu minha seu sua este esta isso que qual quais quem quando onde como quanto quantos tem há se posso
        pode ao à""".split()
    ),
    "es": frozenset(
        """el la los las un una de del en por para con y o no es son fue ser está yo tú usted él ella nosotros mi su
        este esta esto que qué cuál quién cuándo dónde cómo cuánto cuántos hay se puedo puede al lo le me""".split()
    ),
    "ru": frozenset(
        """и в во не на с со что как а то все он она они но да ты к у же вы за бы по от меня мне о из ему ли если или
        быть был до вас я мы мой ваш это эта этот какой какая какие кто когда где сколько можно есть для при""".split()
    ),
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and its place in the text it was cut from, characters."""

    text: str
    start: int
    end: int


def split(text: str) -> list[Sentence]:
    """All sentences; `text[start:end]` is the sentence, without blanks round it."""
    found: list[Sentence] = []
    position = 0
    for boundary in BOUNDARY.finditer(text):
        add(found, text, position, boundary.end())
        position = boundary.end()
    add(found, text, position, len(text))
    return found


def add(found: list[Sentence], text: str, start: int, end: int) -> None:
    """Add a stretch without the blanks round it, unless nothing is left."""
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    stripped = piece.strip()
    if stripped:
        found.append(Sentence(stripped, start, start + len(stripped)))


def language_of(text: str, locale: str = "") -> str:
    """ "en", "pt", "es" or "ru": the locale's when it is one of these, else what the words look like."""
    given = locale.partition("-")[0].lower()
    if given in STEMMERS:
        return given
    if CYRILLIC.search(text):
        return "ru"
    words = [word.lower() for word in WORD.findall(text)]
    scores = {name: sum(word in common for word in words) for name, common in COMMON.items()}
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] else "en"


@lru_cache(maxsize=len(STEMMERS))
def stemmer(language: str) -> Any:  # noqa: ANN401 - the library has no types
    """One a language: making one costs more than using it."""
    return snowballstemmer.stemmer(STEMMERS[language])


@lru_cache(maxsize=20_000)
def stem(word: str, language: str) -> str:
    """The stem of a lower-case word."""
    return str(stemmer(language).stemWord(word))


def terms(text: str, language: str) -> list[str]:
    """Stems of the words that carry meaning."""
    common = COMMON[language]
    return [stem(word, language) for word in WORD.findall(text.lower()) if word not in common]


def overlaps(question: str, sentences: Sequence[Sentence], language: str) -> list[float]:
    """For each sentence, the share of the question's meaning it repeats, 0 to 1; rare words weigh more."""
    wanted = set(terms(question, language))
    bags = [set(terms(sentence.text, language)) for sentence in sentences]
    often = Counter(term for bag in bags for term in bag & wanted)
    weights = {term: math.log(1 + len(bags) / (1 + often[term])) + 0.1 for term in wanted}
    total = sum(weights.values()) or 1.0
    return [sum(weights[term] for term in bag & wanted) / total for bag in bags]
