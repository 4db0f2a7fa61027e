"""Answers with check digits and fixed lengths: telephones, postal codes, registers, cards."""

import re
from collections.abc import Callable

from services.engine.hearing.folding import plain
from services.engine.program.values import Value

UK = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?)\s*([0-9][A-Z]{2})")
BRANDS = (
    (re.compile(r"4"), "Visa"),
    (re.compile(r"5[1-5]|2(2[2-9]|[3-6]|7[01]|720)"), "Mastercard"),
    (re.compile(r"3[47]"), "American Express"),
    (re.compile(r"6011|65|64[4-9]"), "Discover"),
    (re.compile(r"3(0[0-5]|[689])"), "Diners Club"),
    (re.compile(r"35"), "JCB"),
    (re.compile(r"50|606282|636|438935"), "Elo"),
)


def digits_of(text: str) -> str:
    """Digits alone."""
    return re.sub(r"[^0-9]", "", plain(text))


def mobile(text: str) -> Value:
    """10 to 15 digits; ten and eleven are written (dd) ddddd-dddd, more with a plus."""
    digits = digits_of(text)
    if not 10 <= len(digits) <= 15 or re.search(r"[^0-9\s()+./-]", plain(text)):
        return None
    if len(digits) == 11:
        return f"({digits[:2]}) {digits[2:7]}-{digits[7:]}"
    return f"({digits[:2]}) {digits[2:6]}-{digits[6:]}" if len(digits) == 10 else f"+{digits}"


def zipcode(text: str) -> Value:
    """Brazilian (8 digits), American (5 or 9), British."""
    code = plain(text).upper()
    if re.fullmatch(r"[0-9.\s-]+", code):
        digits = digits_of(code)
        if len(digits) in {8, 9}:
            return f"{digits[:5]}-{digits[5:]}"
        return digits if len(digits) == 5 else None
    match = UK.fullmatch(code)
    return f"{match[1]} {match[2]}" if match else None


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


def bare_register(text: str) -> str:
    """Digits of a register's number; empty when there is anything but digits and the marks between them."""
    return digits_of(text) if re.fullmatch(r"[0-9./\s-]+", plain(text)) else ""


def cpf(text: str) -> Value:
    """A person's register number."""
    digits = bare_register(text)
    if len(digits) != 11 or not check_digits(digits, (9, 10), lambda length: list(range(length + 1, 1, -1))):
        return None
    return f"{digits[:3]}.{digits[3:6]}.{digits[6:9]}-{digits[9:]}"


def cnpj(text: str) -> Value:
    """A company's register number."""
    digits = bare_register(text)
    if len(digits) != 14 or not check_digits(digits, (12, 13), lambda n: [*range(n - 7, 1, -1), *range(9, 1, -1)]):
        return None
    return f"{digits[:2]}.{digits[2:5]}.{digits[5:8]}/{digits[8:12]}-{digits[12:]}"


def credit_card(text: str) -> Value:
    """First and last four digits and the brand; the number itself is not kept."""
    digits = re.sub(r"[\s-]", "", plain(text))
    if not re.fullmatch(r"[0-9]{13,19}", digits) or not luhn(digits):
        return None
    brand = next((title for start, title in BRANDS if start.match(digits)), "Card")
    return f"{digits[:4]} **** **** {digits[-4:]} {brand}"


def luhn(digits: str) -> bool:
    """Whether the check digit of a card's number is right."""
    doubled = [int(digit) * (2 if index % 2 else 1) for index, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0
