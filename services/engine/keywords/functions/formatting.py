"""FORMAT: numbers (N2[pt], C, 0%, #,##0.00), dates (yyyy MM dd HH mm ss), texts (@ & < > !)."""

import datetime
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal

from services.engine.keywords.functions import dates
from services.engine.keywords.functions.arguments import short
from services.engine.keywords.keyword import function
from services.engine.program.values import ProgramError, Value, is_number, number_of, text_of

SEPARATORS = {
    "pt": (".", ","), "es": (".", ","), "de": (".", ","), "it": (".", ","), "nl": (".", ","), "fr": (" ", ","),
    "ru": (" ", ","), "pl": (" ", ","),
}  # fmt: skip
CURRENCIES = {
    "pt": "R$ ", "es": "€ ", "de": "€ ", "fr": "€ ", "it": "€ ", "nl": "€ ", "ru": "₽ ", "ja": "¥", "en": "$"
}  # fmt: skip
NAMED = re.compile(r"([NCnFP])(\d{0,2})(?:\[([A-Za-z]{2})[\w-]*\])?")
NUMBER = re.compile(r"([^#0]*?)([#0][#0,]*)(?:\.([#0]+))?([^#0]*)")
LONGEST_PATTERN = 1000
MOST_DIGITS = 20
EXACT = Context(prec=340)
DATE_WORDS: dict[str, Callable[[datetime.datetime], str]] = {
    "yyyy": lambda moment: f"{moment.year:04d}",
    "YYYY": lambda moment: f"{moment.year:04d}",
    "yy": lambda moment: f"{moment.year % 100:02d}",
    "YY": lambda moment: f"{moment.year % 100:02d}",
    "MMMM": lambda moment: moment.strftime("%B"),
    "MMM": lambda moment: moment.strftime("%b"),
    "MM": lambda moment: f"{moment.month:02d}",
    "M": lambda moment: str(moment.month),
    "dddd": lambda moment: moment.strftime("%A"),
    "ddd": lambda moment: moment.strftime("%a"),
    "dd": lambda moment: f"{moment.day:02d}",
    "DD": lambda moment: f"{moment.day:02d}",
    "d": lambda moment: str(moment.day),
    "D": lambda moment: str(moment.day),
    "HH": lambda moment: f"{moment.hour:02d}",
    "H": lambda moment: str(moment.hour),
    "hh": lambda moment: f"{(moment.hour + 11) % 12 + 1:02d}",
    "h": lambda moment: str((moment.hour + 11) % 12 + 1),
    "mm": lambda moment: f"{moment.minute:02d}",
    "m": lambda moment: str(moment.minute),
    "ss": lambda moment: f"{moment.second:02d}",
    "s": lambda moment: str(moment.second),
    "tt": lambda moment: "AM" if moment.hour < 12 else "PM",
}
# Single letters count only between other marks: the d of "de" is no day.
DATE_PATTERN = re.compile(
    "|".join(
        word if len(word) > 1 else rf"(?<![A-Za-zÀ-ÿ]){word}(?![A-Za-zÀ-ÿ])"
        for word in sorted(DATE_WORDS, key=len, reverse=True)
    )
)


def format_value(clock: dates.Clock, value: Value, pattern: Value = "") -> str:
    """A value in a pattern. ProgramError for a pattern that is none, or no pattern for this value."""
    form = text_of(pattern)
    if len(form) > LONGEST_PATTERN:
        message = f"FORMAT: a pattern has at most {LONGEST_PATTERN} characters"
        raise ProgramError(message)
    if is_number(value):
        found = of_number(number_of(value), form)
        if found is not None:
            return found
    if (value is None or value == "") and not set("@&") & set(form):
        return ""
    if DATE_PATTERN.search(form) and not set("@&") & set(form):
        return of_date(dates.read(clock, value), form)
    return of_text(text_of(value), form)


def of_number(number: float, form: str) -> str | None:
    """By name, as a percentage or by a pattern; nothing when the pattern is not one of numbers."""
    named = NAMED.fullmatch(form)
    if named:
        return by_name(number, named)
    match = NUMBER.fullmatch(form)
    return by_pattern(number, match) if match else None


def digits_of(number: float, count: int) -> str:
    """With so many decimals, halves away from zero."""
    exact = Decimal(repr(number)).quantize(Decimal(1).scaleb(-min(count, MOST_DIGITS)), ROUND_HALF_UP, EXACT)
    return f"{exact + 0:f}"


def grouped(number: float, count: int, language: str = "en") -> str:
    """1234.5 -> 1,234.50, or as the language writes it."""
    text = f"{Decimal(digits_of(number, count)):,f}"
    thousands, decimal = SEPARATORS.get(language, (",", "."))
    return text.replace(",", "\0").replace(".", decimal).replace("\0", thousands)


def by_name(number: float, named: re.Match[str]) -> str:
    """N, n: with thousands; F: without; C: with a currency sign; P: percent. Digits and a language may follow."""
    language = (named[3] or "en").lower()
    count = int(named[2]) if named[2] else 2
    if named[1] == "F":
        return digits_of(number, count)
    if named[1] == "P":
        return grouped(number * 100, count, language) + "%"
    if named[1] == "C":
        return ("-" if number < 0 else "") + CURRENCIES.get(language, "$") + grouped(abs(number), count, language)
    return grouped(number, count, language)


def by_pattern(number: float, match: re.Match[str]) -> str:
    """#,##0.00 with what stands before and after; 0 is a digit that is always there, # one that may be missing."""
    before, places, decimals, after = match.groups()
    decimals = decimals or ""
    text = digits_of(number * 100 if "%" in after else number, len(decimals)).lstrip("-")
    integer, _, fraction = text.partition(".")
    integer = integer.lstrip("0").rjust(places.count("0"), "0")
    if "," in places:
        integer = by_thousands(integer)
    while fraction and len(fraction) > decimals.count("0") and fraction.endswith("0"):
        fraction = fraction[:-1]
    sign = "-" if number < 0 and any(mark in "123456789" for mark in text) else ""
    return f"{sign}{before}{integer}{'.' + fraction if fraction else ''}{after}"


def by_thousands(digits: str) -> str:
    """Groups of three with commas between."""
    first = len(digits) % 3
    groups = [digits[:first]] if first else []
    return ",".join([*groups, *(digits[index : index + 3] for index in range(first, len(digits), 3))])


def of_date(moment: datetime.datetime, form: str) -> str:
    """yyyy-MM-dd and its like."""
    return DATE_PATTERN.sub(lambda match: DATE_WORDS[match[0]](moment), form)


def of_text(text: str, form: str) -> str:
    """> capitals, < small letters; @ a character or a space, & a character or nothing; ! fills from the left.

    What has no place stands with the last character, or the first when filled from the right.
    """
    short(len(text) + len(form))
    text = text.upper() if ">" in form else text.lower() if "<" in form else text
    marks = "".join(mark for mark in form if mark not in "<>!")
    places = sum(mark in "@&" for mark in marks)
    if not places:
        return text + marks
    extra, missing = max(0, len(text) - places), [""] * (places - len(text))
    if "!" in form:
        given = [*text[: places - 1], text[places - 1 :]] if extra else [*text, *missing]
    else:
        given = [text[: extra + 1], *text[extra + 1 :]] if extra else [*missing, *text]
    following = iter(given)
    return "".join(placed(mark, next(following)) if mark in "@&" else mark for mark in marks)


def placed(mark: str, character: str) -> str:
    """What stands in a place of a pattern."""
    return character or (" " if mark == "@" else "")


FORMAT = function(
    "FORMAT",
    "<value>, <pattern:text>",
    "Gives a number, a date or a text written by a pattern.",
    'FORMAT(1234.5, "N2[pt]")  \' "1.234,50"',
    format_value,
    "formatting",
    "FORMAT_DATE",
    also=("<value> AS <pattern:text>",),
    documentation="""Numbers: `N`, `N2`, `N2[pt]` with thousands as the language writes them; `C2[en]` with a currency;
`F2` without thousands; `0%`, `#,##0.00`, `000`. Dates: `yyyy MM dd HH mm ss`, also `YYYY` and `DD`, `MMM` and `ddd` for
names. Texts: `>` capitals, `<` small letters, `@` a character or a space, `&` a character or nothing, `!` from the
left.""",
)
