"""FORMAT: numbers (N2[pt], C, 0%, #,##0.00), dates (yyyy MM dd HH mm ss), texts (@ & < > !)."""

import re

from services.engine.keywords.functions import dates
from services.engine.program.values import ProgramError, Value, is_number, number_of, text_of

SEPARATORS = {"pt": (".", ","), "es": (".", ","), "de": (".", ","), "fr": (" ", ","), "ru": (" ", ",")}
CURRENCIES = {"pt": "R$ ", "es": "€ ", "de": "€ ", "fr": "€ ", "ru": "₽ ", "en": "$"}
NAMED = re.compile(r"^([NCnF])(\d*)(?:\[(\w+)[^\]]*\])?$")
PATTERN = re.compile(r"^([^#0]*)([#0,]+)(?:\.([#0]+))?(.*)$")
DATE_WORDS = {
    "yyyy": "%Y", "YYYY": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "dddd": "%A", "ddd": "%a",
    "dd": "%d",
    "DD": "%d", "HH": "%H", "hh": "%I", "mm": "%M", "ss": "%S", "tt": "%p",
}  # fmt: skip
DATE_PATTERN = re.compile("|".join(sorted(DATE_WORDS, key=len, reverse=True)))


def grouped(number: float, digits: int, language: str = "en") -> str:
    """1234.5 -> 1,234.50, or as the language writes it."""
    text = f"{number:,.{digits}f}"
    thousands, decimal = SEPARATORS.get(language, (",", "."))
    return text.replace(",", "\0").replace(".", decimal).replace("\0", thousands)


def format_value(value: Value, pattern: Value) -> str:
    """A value in a pattern."""
    form = text_of(pattern)
    named = NAMED.match(form)
    if named and is_number(value):
        return by_name(number_of(value), named)
    if form.endswith("%") and is_number(value):
        digits = len(form.partition(".")[2].rstrip("%"))
        return f"{number_of(value) * 100:.{digits}f}%"
    if DATE_PATTERN.search(form):
        return by_date(value, form)
    if is_number(value) and ("#" in form or "0" in form):
        return by_pattern(number_of(value), form)
    return by_mark(text_of(value), form)


def by_name(number: float, named: re.Match[str]) -> str:
    """N, C, n, F with digits and a language."""
    language = (named[3] or "en")[:2].lower()
    digits = int(named[2]) if named[2] else 2
    text = grouped(number, digits, language)
    if named[1] == "C":
        return CURRENCIES.get(language, "$") + text
    return f"{number:.{digits}f}" if named[1] == "F" else text


def by_pattern(number: float, form: str) -> str:
    """#,##0.00 with what stands before and after."""
    match = PATTERN.match(form)
    if match is None:
        message = f"FORMAT: expected a pattern, got {form!r}"
        raise ProgramError(message)
    before, whole, decimals, after = match.groups()
    digits = len(decimals or "")
    text = grouped(number, digits) if "," in whole else f"{number:.{digits}f}"
    least = whole.replace(",", "").count("0")
    integer, _, fraction = text.partition(".")
    if "," not in whole:
        integer = integer.zfill(least + integer.startswith("-"))
    if decimals and "#" in decimals:
        fraction = fraction.rstrip("0").ljust(decimals.count("0"), "0")
    return f"{before}{integer}{'.' + fraction if fraction else ''}{after}"


def by_date(value: Value, form: str) -> str:
    """yyyy-MM-dd and its like."""
    moment = dates.parse(value)
    return moment.strftime(DATE_PATTERN.sub(lambda match: DATE_WORDS[match[0]], form))


def by_mark(text: str, form: str) -> str:
    """> upper, < lower, @ and & the characters one by one, ! from the left."""
    if form == ">":
        return text.upper()
    if form == "<":
        return text.lower()
    if "@" not in form and "&" not in form:
        return text
    rest = list(text)
    made = []
    for mark in form.replace("!", ""):
        if mark in "@&":
            made.append(rest.pop(0) if rest else (" " if mark == "@" else ""))
        else:
            made.append(mark)
    return "".join(made)
