"""HEAR types: each takes what a person wrote and gives what it means, or nothing."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from services.engine.keywords.functions import dates
from services.engine.program.values import ProgramError, Value

Validator = Callable[[str], Value]
YES = frozenset({"yes", "y", "true", "1", "on", "ok", "sure", "sim", "s", "si", "sí", "да", "oui", "ja", "claro"})
NO = frozenset({"no", "n", "false", "0", "off", "não", "nao", "нет", "non", "nein"})
RELATIVE = {
    "today": 0, "hoje": 0, "hoy": 0, "сегодня": 0, "tomorrow": 1, "amanhã": 1, "amanha": 1, "mañana": 1, "завтра": 1,
    "yesterday": -1, "ontem": -1, "ayer": -1, "вчера": -1,
}  # fmt: skip
LANGUAGES = {
    "en": ("english", "inglês", "ingles", "английский"), "pt": ("portuguese", "português", "portugues"),
    "es": ("spanish", "espanhol", "español", "espanol", "испанский"), "ru": ("russian", "russo", "русский"),
    "fr": ("french", "francês", "français"), "de": ("german", "alemão", "deutsch"), "it": ("italian", "italiano"),
    "nl": ("dutch", "holandês"), "pl": ("polish", "polonês"), "ja": ("japanese", "japonês"),
    "zh": ("chinese", "chinês"),
    "ko": ("korean", "coreano"), "ar": ("arabic", "árabe"), "hi": ("hindi",), "tr": ("turkish", "turco"),
}  # fmt: skip
COLORS = {
    "black": "000000", "white": "FFFFFF", "red": "FF0000", "green": "008000", "blue": "0000FF", "yellow": "FFFF00",
    "orange": "FFA500", "purple": "800080", "pink": "FFC0CB", "brown": "A52A2A", "gray": "808080", "grey": "808080",
    "preto": "000000", "branco": "FFFFFF", "vermelho": "FF0000", "verde": "008000", "azul": "0000FF",
    "amarelo": "FFFF00",
}  # fmt: skip
BRANDS = (("4", "Visa"), ("5", "Mastercard"), ("34", "American Express"), ("37", "American Express"), ("6", "Discover"))
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
PASSWORD_MARKER = "[PASSWORD]"


def anything(text: str) -> Value:
    """Any text."""
    return text.strip() or None


def email(text: str) -> Value:
    """Lower case."""
    return text.strip().lower() if EMAIL.fullmatch(text.strip()) and len(text.strip()) <= 254 else None


def name(text: str) -> Value:
    """2 to 100 letters, spaces, hyphens, apostrophes; each word begins with a capital."""
    words = text.strip().split()
    plain = " ".join(words)
    if not 2 <= len(plain) <= 100 or not all(part.isalpha() or part in " -'’." for part in plain):
        return None
    return " ".join(word[:1].upper() + word[1:] for word in words)


def integer(text: str) -> Value:
    """1.234 and 1,234 are one thousand two hundred and thirty-four."""
    plain = re.sub(r"[,.\s]", "", text.strip())
    return int(plain) if re.fullmatch(r"[-+]?\d{1,18}", plain) else None


def decimal(text: str) -> Value:
    """Two places; the last comma or point is the decimal one."""
    plain = text.strip().replace(" ", "").replace(",", ".")
    head, point, tail = plain.rpartition(".")
    plain = head.replace(".", "") + point + tail
    return round(float(plain), 2) if re.fullmatch(r"[-+]?\d{1,15}(\.\d+)?", plain) else None


def boolean(text: str) -> Value:
    """Yes and no in several languages."""
    word = text.strip().lower().rstrip("!.")
    return True if word in YES else False if word in NO else None


def date(text: str, now: datetime | None = None) -> Value:
    """ISO; the day first where it is not clear."""
    word = text.strip().lower()
    if word in RELATIVE:
        return ((now or datetime.now(UTC)) + timedelta(days=RELATIVE[word])).date().isoformat()
    try:
        return dates.parse(text.strip()).date().isoformat() if len(word) >= 6 else None
    except ProgramError:
        return None


def hour(text: str) -> Value:
    """HH:MM of 24 hours, from either clock."""
    match = re.fullmatch(r"(\d{1,2})(?:[:hH.](\d{2})?)?\s*([aApP])?\.?[mM]?\.?", text.strip())
    if match is None:
        return None
    hours, minutes = int(match[1]), int(match[2] or 0)
    if match[3]:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if match[3].lower() == "p" else 0)
    return f"{hours:02d}:{minutes:02d}" if hours < 24 and minutes < 60 else None


def money(text: str) -> Value:
    """Without its sign; the last separator before one or two digits is the decimal one."""
    plain = re.sub(r"R\$|US\$|[$€£¥₽\s]", "", text.strip())
    if not re.fullmatch(r"[-+]?\d[\d.,]*", plain):
        return None
    match = re.search(r"[.,](\d{1,2})$", plain)
    whole = re.sub(r"[.,]", "", plain[: match.start()] if match else plain)
    return float(f"{whole}.{match[1] if match else 0}")


def mobile(text: str) -> Value:
    """10 to 15 digits; eleven are written (dd) ddddd-dddd."""
    digits = re.sub(r"\D", "", text)
    if not 10 <= len(digits) <= 15 or re.search(r"[^\d\s()+.-]", text):
        return None
    if len(digits) == 11:
        return f"({digits[:2]}) {digits[2:7]}-{digits[7:]}"
    return f"({digits[:2]}) {digits[2:6]}-{digits[6:]}" if len(digits) == 10 else f"+{digits}"


def zipcode(text: str) -> Value:
    """Brazilian, American, British."""
    plain = text.strip().upper()
    digits = re.sub(r"\D", "", plain)
    if re.fullmatch(r"[\d.\s-]+", plain):
        if len(digits) == 8:
            return f"{digits[:5]}-{digits[5:]}"
        return {5: digits, 9: f"{digits[:5]}-{digits[5:]}"}.get(len(digits))
    return plain if re.fullmatch(r"[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}", plain) else None


def language(text: str) -> Value:
    """A two-letter code from a code or a name."""
    word = text.strip().lower()
    return next((code for code, names in LANGUAGES.items() if word == code or word in names), None)


def check_digits(digits: str, lengths: tuple[int, int], weights: Callable[[int], list[int]]) -> bool:
    """Modulo 11, as the Brazilian registers have it."""
    if len(set(digits)) == 1:
        return False
    for length in lengths:
        total = sum(int(digit) * weight for digit, weight in zip(digits[:length], weights(length), strict=True))
        wanted = 0 if total % 11 < 2 else 11 - total % 11
        if int(digits[length]) != wanted:
            return False
    return True


def cpf(text: str) -> Value:
    """A person's register number."""
    digits = re.sub(r"\D", "", text)
    if len(digits) != 11 or not check_digits(digits, (9, 10), lambda length: list(range(length + 1, 1, -1))):
        return None
    return f"{digits[:3]}.{digits[3:6]}.{digits[6:9]}-{digits[9:]}"


def cnpj(text: str) -> Value:
    """A company's register number."""
    digits = re.sub(r"\D", "", text)
    if len(digits) != 14 or not check_digits(digits, (12, 13), lambda n: [*range(n - 7, 1, -1), *range(9, 1, -1)]):
        return None
    return f"{digits[:2]}.{digits[2:5]}.{digits[5:8]}/{digits[8:12]}-{digits[12:]}"


def url(text: str) -> Value:
    """With https:// where nothing is said."""
    plain = text.strip()
    full = plain if re.match(r"https?://", plain, re.IGNORECASE) else f"https://{plain}"
    try:
        host = urlsplit(full).hostname or ""
    except ValueError:
        return None
    return full if "." in host and " " not in plain and re.fullmatch(r"[\w.-]+", host) else None


def identifier(text: str) -> Value:
    """A UUID."""
    try:
        return str(uuid.UUID(text.strip()))
    except ValueError:
        return None


def color(text: str) -> Value:
    """#RRGGBB from a name, three or six digits, or rgb()."""
    word = text.strip().lower()
    if word in COLORS:
        return f"#{COLORS[word]}"
    match = re.fullmatch(r"#?([0-9a-f]{3}|[0-9a-f]{6})", word)
    if match:
        digits = match[1] if len(match[1]) == 6 else "".join(mark * 2 for mark in match[1])
        return f"#{digits.upper()}"
    parts = re.fullmatch(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)", word)
    if parts and all(int(part) < 256 for part in parts.groups()):
        return "#" + "".join(f"{int(part):02X}" for part in parts.groups())
    return None


def credit_card(text: str) -> Value:
    """First and last four digits and the brand; the number itself is not kept."""
    digits = re.sub(r"[\s-]", "", text.strip())
    if not re.fullmatch(r"\d{13,19}", digits):
        return None
    doubled = [int(digit) * (2 if index % 2 else 1) for index, digit in enumerate(reversed(digits))]
    if sum(value - 9 if value > 9 else value for value in doubled) % 10:
        return None
    brand = next((title for start, title in BRANDS if digits.startswith(start)), "Card")
    return f"{digits[:4]} **** **** {digits[-4:]} {brand}"


def password(text: str) -> Value:
    """At least eight characters; a marker takes its place."""
    return PASSWORD_MARKER if len(text) >= 8 else None


ALIASES = {
    "INT": "INTEGER", "NUMBER": "INTEGER", "DECIMAL": "FLOAT", "DOUBLE": "FLOAT", "BOOL": "BOOLEAN", "TIME": "HOUR",
    "CURRENCY": "MONEY", "AMOUNT": "MONEY", "PHONE": "MOBILE", "TELEPHONE": "MOBILE", "ZIP": "ZIPCODE",
    "CEP": "ZIPCODE",
    "POSTALCODE": "ZIPCODE", "LANG": "LANGUAGE", "QR": "QRCODE", "PHOTO": "IMAGE", "PICTURE": "IMAGE", "VOICE": "AUDIO",
    "SOUND": "AUDIO", "DOC": "DOCUMENT", "PDF": "DOCUMENT", "LINK": "URL", "GUID": "UUID", "COLOUR": "COLOR",
    "CARD": "CREDITCARD", "PASS": "PASSWORD", "SECRET": "PASSWORD",
}  # fmt: skip
FILES = {"FILE": "", "DOCUMENT": "", "IMAGE": "image/", "AUDIO": "audio/", "VIDEO": "video/", "QRCODE": "image/"}
VALIDATORS: dict[str, Validator] = {
    "EMAIL": email, "DATE": date, "NAME": name, "INTEGER": integer, "FLOAT": decimal, "BOOLEAN": boolean, "HOUR": hour,
    "MONEY": money, "MOBILE": mobile, "ZIPCODE": zipcode, "LANGUAGE": language, "CPF": cpf, "CNPJ": cnpj, "URL": url,
    "UUID": identifier, "COLOR": color, "CREDITCARD": credit_card, "PASSWORD": password,
}  # fmt: skip


def canonical(kind: str) -> str:
    """The type an alias stands for."""
    return ALIASES.get(kind, kind)


def heard(kind: str, text: str, attachments: list[dict[str, str]], now: datetime | None = None) -> Value:
    """What an answer means as this type; None when it does not fit."""
    wanted = canonical(kind)
    if wanted in FILES:
        fitting = [item for item in attachments if item.get("content_type", "").startswith(FILES[wanted])]
        return fitting[0]["uri"] if fitting else None
    return date(text, now) if wanted == "DATE" else VALIDATORS.get(wanted, anything)(text)


def choose(options: list[str], text: str) -> str | None:
    """A menu: by number from 1, by its words, by a part that only one has."""
    word = text.strip().lower()
    for option in options:
        if option.lower() == word:
            return option
    if word.isdigit() and 1 <= int(word) <= len(options):
        return options[int(word) - 1]
    partial = [option for option in options if word and word in option.lower()]
    return partial[0] if len(partial) == 1 else None
