"""Templates: {{name}} and {{customer.name}} become values, and nothing else happens in them."""

import html
import re

from services.engine.program.values import ProgramError, Value, look_up, text_of

PLACE = re.compile(r"\{\{\{?\s*([\w$-]+(?:\.[\w$-]+)*)\s*\}?\}\}")
TAGS = re.compile(
    r"<(!doctype|html|body|head|p|br|div|span|h[1-6]|table|a|b|i|strong|em|ul|ol|img)\b[^<>]*>", re.IGNORECASE
)
LONGEST = 500_000
STEP = re.compile(r"\d{1,6}")


def is_html(text: str) -> bool:
    """Whether a text is HTML that somebody wrote."""
    return bool(TAGS.search(text[:LONGEST]))


def filled(template: str, values: Value, *, escape: bool | None = None) -> str:
    """The template with its places filled; what is not there is empty. escape: for HTML; None: as the template is.

    ProgramError for what becomes too large.
    """
    safe = is_html(template) if escape is None else escape
    pieces: list[str] = []
    end = length = 0
    for match in PLACE.finditer(template):
        text = text_of(found(values, match[1]))
        pieces += [template[end : match.start()], html.escape(text) if safe else text]
        length += len(pieces[-1])
        end = match.end()
        if length > LONGEST:
            message = f"a filled template may have {LONGEST} characters"
            raise ProgramError(message)
    return "".join((*pieces, template[end:]))


def found(values: Value, path: str) -> Value:
    """A value by its path; NULL as soon as a part is missing."""
    value = values
    for step in path.split("."):
        if not isinstance(value, dict | list):
            return None
        value = look_up(value, int(step) if STEP.fullmatch(step) and isinstance(value, list) else step, optional=True)
    return value


def places(template: str) -> list[str]:
    """Names that a template has places for, each once."""
    return list(dict.fromkeys(match[1] for match in PLACE.finditer(template)))
