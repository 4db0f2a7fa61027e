"""The types of HEAR, by their names."""

from collections.abc import Callable
from datetime import datetime

from services.engine.hearing import numbers, registers, times, words
from services.engine.hearing.menus import choose
from services.engine.program.values import Value

__all__ = ["ALIASES", "CONVERTED", "FILES", "LOGIN", "VALIDATORS", "canonical", "choose", "heard"]
Validator = Callable[[str], Value]
LONGEST = 10_000
LOGIN = "LOGIN"
ALIASES = {
    "INT": "INTEGER", "NUMBER": "INTEGER", "DECIMAL": "FLOAT", "DOUBLE": "FLOAT", "BOOL": "BOOLEAN", "TIME": "HOUR",
    "CURRENCY": "MONEY", "AMOUNT": "MONEY", "PHONE": "MOBILE", "TELEPHONE": "MOBILE", "ZIP": "ZIPCODE",
    "CEP": "ZIPCODE", "POSTALCODE": "ZIPCODE", "LANG": "LANGUAGE", "QR": "QRCODE", "AUTH": LOGIN, "PHOTO": "IMAGE",
    "PICTURE": "IMAGE", "VOICE": "AUDIO", "SOUND": "AUDIO", "DOC": "DOCUMENT", "PDF": "DOCUMENT", "LINK": "URL",
    "GUID": "UUID", "COLOUR": "COLOR", "CARD": "CREDITCARD", "PASS": "PASSWORD", "SECRET": "PASSWORD",
}  # fmt: skip
FILES = {"FILE": "", "DOCUMENT": "", "IMAGE": "image/", "AUDIO": "audio/", "VIDEO": "video/", "QRCODE": "image/"}
"""Types that are files, and what their content type begins with."""
CONVERTED = {"QRCODE": "HEAR QRCODE", "AUDIO": "HEAR AUDIO", "VIDEO": "HEAR VIDEO", LOGIN: "HEAR LOGIN"}
"""Types whose answer a keyword turns into what the script gets."""
VALIDATORS: dict[str, Validator] = {
    "EMAIL": words.email, "DATE": times.day, "NAME": words.name, "INTEGER": numbers.integer, "FLOAT": numbers.decimal,
    "BOOLEAN": numbers.boolean, "HOUR": times.hour, "MONEY": numbers.money, "MOBILE": registers.mobile,
    "ZIPCODE": registers.zipcode, "LANGUAGE": words.language, "CPF": registers.cpf, "CNPJ": registers.cnpj,
    "URL": words.url, "UUID": words.identifier, "COLOR": words.color, "CREDITCARD": registers.credit_card,
    "PASSWORD": words.password, LOGIN: words.anything,
}  # fmt: skip


def canonical(kind: str) -> str:
    """The type an alias stands for."""
    return ALIASES.get(kind.upper(), kind.upper())


def heard(kind: str, text: str, attachments: list[dict[str, str]], now: datetime | None = None) -> Value:
    """What an answer means as this type; None when it does not fit. A file is its "files/..." name."""
    wanted = canonical(kind)
    if wanted in FILES:
        fitting = [item for item in attachments if item.get("content_type", "").startswith(FILES[wanted])]
        return fitting[0]["uri"] if fitting else None
    validator = VALIDATORS.get(wanted, words.anything)
    if wanted in VALIDATORS and len(text) > LONGEST:
        return None
    return times.day(text, now) if wanted == "DATE" else validator(text)
