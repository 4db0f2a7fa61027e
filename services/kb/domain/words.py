"""Words as sparse vectors: stems in four languages, pairs of characters where a script has no blanks."""

import re
import zlib
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import snowballstemmer

LATIN = ("en", "pt", "es")
STEMMERS = {"en": "english", "pt": "portuguese", "es": "spanish", "ru": "russian"}
# Han, kana, Hangul, Thai, Lao, Khmer, Myanmar: no blanks between words, or none that help.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
TOKEN = re.compile(rf"[{UNSPACED}]+|[^\W_{UNSPACED}]+(?:['’][^\W_{UNSPACED}]+)?")
IS_UNSPACED = re.compile(f"[{UNSPACED}]")
CYRILLIC = re.compile("[\u0400-\u04ff]")
LONGEST_WORD = 64
STOP = frozenset(
    """a an the of to in on at for from by with and or is are was were be been do does did can could will would i you he
    she it we they me my your our their this that these those what which who when where why how much many there have has
    if as about please tell
    o os um uma de da dos das em no na nos nas por para com e ou são foi ser está eu você ele ela nós meu minha seu sua
    este esta isso que qual quais quem quando onde como quanto quantos tem há se posso pode ao à
    el la los las un una del con y es son fue yo tú usted él nosotros mi su qué cuál quién cuándo dónde cómo cuánto
    cuántos hay puedo puede al lo le
    и в во на с со что как а то он она они но да ты к у же вы за бы по от меня мне о из ему ли если или быть был до вас
    я мы мой ваш это эта этот какой какая какие кто когда где сколько можно есть для при""".split()
)
# BM25: how fast repetition counts less, how much length counts, the length a chunk usually has.
SATURATION, LENGTH_WEIGHT, USUAL_LENGTH = 1.2, 0.75, 120.0


@lru_cache(maxsize=len(STEMMERS))
def stemmer(language: str) -> Any:  # noqa: ANN401 - the library has no types
    """One a language."""
    return snowballstemmer.stemmer(STEMMERS[language])


@lru_cache(maxsize=50_000)
def stems(word: str) -> frozenset[str]:
    """A lower-case word and its stems in every language that is written in its script.

    A short question tells too little of its language to choose one; documents and questions are stemmed alike.
    """
    languages = ("ru",) if CYRILLIC.search(word) else LATIN
    return frozenset({word, *(stemmer(language).stemWord(word) for language in languages)})


def tokens(text: str) -> list[str]:
    """Lower-case words; of unspaced scripts, pairs of characters."""
    made: list[str] = []
    for match in TOKEN.findall(text.lower()):
        if not IS_UNSPACED.match(match):
            made.append(match[:LONGEST_WORD])
        elif len(match) == 1:
            made.append(match)
        else:
            made.extend(match[index : index + 2] for index in range(len(match) - 1))
    return made


def place(term: str) -> int:
    """A term's dimension."""
    return zlib.crc32(term.encode())


def passage_words(text: str) -> dict[int, float]:
    """Weights of a passage: term frequency, saturated, by its length. Rarity is the index' business."""
    found = tokens(text)
    norm = SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * len(found) / USUAL_LENGTH)
    counts = Counter(term for word in found for term in stems(word))
    return {place(term): count * (SATURATION + 1) / (count + norm) for term, count in counts.items()}


def content_words(text: str) -> list[str]:
    """Words of a question that carry meaning, each once."""
    return list(dict.fromkeys(word for word in tokens(text) if word not in STOP))


def query_words(text: str) -> dict[int, float]:
    """Weights of a question. A word and its stems share one weight: none counts more for having more stems."""
    weights: dict[int, float] = {}
    for word in content_words(text) or tokens(text):
        forms = stems(word)
        for form in forms:
            weights[place(form)] = max(weights.get(place(form), 0.0), 1.0 / len(forms))
    return weights


def coverage(question: Iterable[str], text: str) -> float:
    """The share of a question's words, in any form, that a text holds, 0 to 1."""
    wanted = list(question)
    if not wanted:
        return 0.0
    held = {term for word in tokens(text) for term in stems(word)}
    return sum(not held.isdisjoint(stems(word)) for word in wanted) / len(wanted)
