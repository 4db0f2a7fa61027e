"""Answers that are words: names, addresses, languages, colors, identifiers, passwords."""

import re
import unicodedata
import uuid
from urllib.parse import urlsplit

from services.engine.hearing.folding import folded, plain
from services.engine.program.values import Value

EMAIL = re.compile(r"[^@\s,;:<>()\"\[\]\\]{1,64}@[^@\s.,;:<>()\"\[\]\\]+(\.[^@\s.,;:<>()\"\[\]\\]+)+")
PASSWORD_MARKER = "[PASSWORD]"
SHORTEST_PASSWORD = 8
LANGUAGES = {
    "en": ("english", "ingles", "inglese", "anglais", "английский"),
    "pt": ("portuguese", "portugues", "portugais", "португальский"),
    "es": ("spanish", "espanhol", "espanol", "castellano", "espagnol", "испанский"),
    "fr": ("french", "frances", "francais", "французский"),
    "de": ("german", "alemao", "aleman", "deutsch", "немецкий"),
    "it": ("italian", "italiano", "итальянский"),
    "nl": ("dutch", "holandes", "neerlandes", "nederlands", "нидерландский"),
    "pl": ("polish", "polones", "polaco", "polski", "польский"),
    "ru": ("russian", "russo", "ruso", "русский"),
    "ja": ("japanese", "japones", "日本語", "японский"),
    "zh": ("chinese", "chines", "chino", "mandarin", "mandarim", "中文", "китайский"),
    "ko": ("korean", "coreano", "한국어", "корейский"),
    "ar": ("arabic", "arabe", "العربية", "арабский"),
    "hi": ("hindi", "हिन्दी", "хинди"),
    "tr": ("turkish", "turco", "turkce", "турецкий"),
}
LANGUAGE_NAMES = {folded(name): code for code, names in LANGUAGES.items() for name in names}
COLORS = {
    "000000": "black preto negro черный", "ffffff": "white branco blanco белый", "ff0000": "red vermelho rojo красный",
    "008000": "green verde зеленый", "0000ff": "blue azul синий", "ffff00": "yellow amarelo amarillo желтый",
    "ffa500": "orange laranja naranja оранжевый", "800080": "purple roxo morado фиолетовый",
    "ffc0cb": "pink rosa розовый", "a52a2a": "brown marrom castanho marron коричневый",
    "808080": "gray grey cinza cinzento gris серый", "00ffff": "cyan ciano aqua", "ff00ff": "magenta fuchsia",
    "00ff00": "lime", "800000": "maroon", "000080": "navy", "808000": "olive", "008080": "teal", "c0c0c0":
    "silver prata plata", "ffd700": "gold dourado dorado", "4b0082": "indigo", "ee82ee": "violet violeta",
    "40e0d0": "turquoise turquesa", "f5f5dc": "beige bege",
}  # fmt: skip
COLOR_NAMES = {folded(name): digits for digits, names in COLORS.items() for name in names.split()}


def anything(text: str) -> Value:
    """Any text that is not empty."""
    return text.strip() or None


def email(text: str) -> Value:
    """Lower case."""
    address = plain(text).lower()
    return address if len(address) <= 254 and EMAIL.fullmatch(address) else None


def name(text: str) -> Value:
    """2 to 100 letters, blanks, hyphens, apostrophes; each word begins with a capital."""
    words = plain(text).replace("’", "'").split()
    whole = " ".join(words)
    letters = sum(mark.isalpha() for mark in whole)
    fits = all(mark in " -'." or mark.isalpha() or unicodedata.combining(mark) for mark in whole)
    if not 2 <= len(whole) <= 100 or letters < 2 or not fits:
        return None
    return " ".join(capital(word[0]) + word[1:] for word in words)


def capital(letter: str) -> str:
    """The capital of a letter, where it is one letter."""
    upper = letter.upper()
    return upper if len(upper) == 1 else letter


def language(text: str) -> Value:
    """A two-letter code from a code, a locale or a name."""
    word = folded(text)
    code = word.replace("_", "-").partition("-")[0]
    return code if code in LANGUAGES and len(word) <= 10 else LANGUAGE_NAMES.get(word)


def url(text: str) -> Value:
    """With https:// where nothing is said."""
    address = plain(text)
    full = address if re.match(r"https?://", address, re.IGNORECASE) else f"https://{address}"
    try:
        parts = urlsplit(full)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return None
    fits = "." in host.strip(".") and re.fullmatch(r"[\w.-]+", host) and not re.search(r"\s", full)
    return full if fits and len(full) <= 2048 else None


def identifier(text: str) -> Value:
    """A UUID in its usual spelling."""
    try:
        return str(uuid.UUID(plain(text)))
    except ValueError:
        return None


def color(text: str) -> Value:
    """#RRGGBB from a name, three or six digits, or rgb()."""
    word = folded(text)
    if word in COLOR_NAMES:
        return f"#{COLOR_NAMES[word].upper()}"
    match = re.fullmatch(r"#?([0-9a-f]{3}|[0-9a-f]{6})", word)
    if match:
        digits = match[1] if len(match[1]) == 6 else "".join(mark * 2 for mark in match[1])
        return f"#{digits.upper()}"
    parts = re.fullmatch(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)", word)
    if parts and all(int(part) < 256 for part in parts.groups()):
        return "#" + "".join(f"{int(part):02X}" for part in parts.groups())
    return None


def password(text: str) -> Value:
    """At least eight characters; a marker takes its place."""
    return PASSWORD_MARKER if len(text) >= SHORTEST_PASSWORD else None
