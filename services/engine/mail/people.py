"""Addresses of people, as scripts write them."""

import re
from collections.abc import Sequence

from services.engine.program.values import ProgramError, Value, text_of

MOST_RECIPIENTS = 50
LONGEST_LIST = 20_000
LONGEST_MAILBOX = 500
LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
NAMED = re.compile(r"\s*(?P<name>\"[^\"\\]*\"|[^\"<>,;]*?)\s*<(?P<address>[^<>]*)>\s*")
BREAKS = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")
SEPARATOR = re.compile(r"[,;](?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)")
PHONE = re.compile(r"\+?[0-9]{8,15}")
PHONE_MARKS = re.compile(r"[\s().-]")
FIELDS = ("email", "mail", "e-mail", "to", "address")


def listed(value: Value) -> list[str]:
    """Addresses of a text with commas, a list, or objects that have one. ProgramError for too many."""
    if value is None or value == "":
        return []
    if isinstance(value, dict):
        found = next((item for name, item in value.items() if name.lower() in FIELDS and item), None)
        return listed(found) if found is not None else [missing(value)]
    if isinstance(value, list):
        many = [address for item in value for address in listed(item)]
    else:
        if len(text_of(value)) > LONGEST_LIST:
            message = f"addresses with {LONGEST_LIST} characters at most were expected"
            raise ProgramError(message)
        many = [part.strip() for part in SEPARATOR.split(text_of(value)) if part.strip()]
    if len(many) > MOST_RECIPIENTS:
        message = (
            f"a mail goes to {MOST_RECIPIENTS} people at most, there are {len(many)}: BULK_SEND writes to each alone"
        )
        raise ProgramError(message)
    return many


def missing(value: Value) -> str:
    """ProgramError: nothing in an object is an address."""
    message = f"an object with a field `email` was expected, there is {text_of(value)[:60]!r}"
    raise ProgramError(message)


def mailbox(written: str) -> tuple[str, str]:
    """Name and address of `Ann <ann@example.com>`. ProgramError."""
    if BREAKS.search(written) or len(written) > LONGEST_MAILBOX:
        message = "an address of mail holds a line break, or is too long: it is not sent to"
        raise ProgramError(message)
    match = NAMED.fullmatch(written)
    name, address = (match["name"].strip('"').strip(), match["address"]) if match else ("", written)
    return name, checked(address.strip())


def checked(address: str) -> str:
    """The address, its domain in ASCII. ProgramError."""
    local, _, domain = address.rpartition("@")
    try:
        ascii_domain = domain.encode("idna").decode() if domain else ""
    except UnicodeError:
        ascii_domain = ""
    labels = ascii_domain.split(".")
    good = LOCAL.fullmatch(local) and len(local) <= 64 and len(ascii_domain) <= 253
    if not good or len(labels) < 2 or not all(LABEL.fullmatch(label) for label in labels):
        message = f"an address such as ann@example.com was expected, there is {address[:60]!r}"
        raise ProgramError(message)
    return f"{local}@{ascii_domain}"


def is_mailbox(written: str) -> bool:
    """Whether a text is an address of mail."""
    try:
        mailbox(written)
    except ProgramError:
        return False
    return True


def phone(written: str) -> str:
    """A number as networks want it: + and digits. ProgramError."""
    number = PHONE_MARKS.sub("", written)
    if number.startswith("00"):
        number = f"+{number[2:]}"
    if not PHONE.fullmatch(number):
        message = f"a number such as +351912345678 was expected, there is {written[:40]!r}"
        raise ProgramError(message)
    return number if number.startswith("+") else f"+{number}"


def addresses(written: Sequence[str]) -> list[str]:
    """Only the addresses, each once."""
    return list(dict.fromkeys(mailbox(one)[1] for one in written))
