"""What the registry says of keywords, for terminals, editors and the manual."""

from collections import defaultdict

from services.engine.basic.diagnostics import closest
from services.engine.keywords.forms import readable
from services.engine.keywords.keyword import Effect, Keyword
from services.engine.keywords.registry import registry

EFFECTS = {
    Effect.PURE: "gives a value and changes nothing",
    Effect.STATE: "changes this conversation only",
    Effect.READ: "reads something outside; may be repeated after a crash",
    Effect.WRITE: "changes something outside; done once, also when a server dies meanwhile",
}
KINDS = {
    "text": "text",
    "number": "a number",
    "list": "a list",
    "object": "an object",
    "boolean": "TRUE or FALSE",
    "date": "a date",
    "condition": "a condition",
    "name": "a name, bare or in quotes",
    "word": "one word, bare or in quotes",
    "where": "a condition over columns",
    "filter": "a filter such as \"name = 'Ana' AND age > 30\"; inserted values stay values",
    "fields": "name = value, with commas between",
    "named": "values with commas between; the names of their variables count",
    "order": "names of fields with commas between, each with ASC or DESC",
    "variable": "a variable, a field or an element",
    "values": "values with commas between",
    "rest": "a value, or text without quotes up to the end of the line",
    "sql": "a SELECT up to the end of the statement",
    "anything": "whatever follows",
}


def find(words: str) -> Keyword | None:
    """A keyword by its name or an alias, whatever the case."""
    name = " ".join(words.upper().split())
    found = registry().get(name)
    if found is not None:
        return found
    return next((item for item in registry().by_name.values() if name in item.aliases), None)


def similar(words: str) -> tuple[list[str], str]:
    """Names that hold the words, and the one that was probably meant ("did you mean ...?" or nothing)."""
    name = " ".join(words.upper().split())
    names = registry().names()
    return sorted(item for item in names if name in item), closest(name, names, 0.6)


def grouped(*, with_language: bool = True) -> dict[str, list[Keyword]]:
    """Keywords by chapter, both in order of names."""
    found: defaultdict[str, list[Keyword]] = defaultdict(list)
    for item in sorted(registry().by_name.values(), key=lambda item: item.name):
        if with_language or not item.syntax:
            found[item.group].append(item)
    return dict(sorted(found.items()))


def forms_of(keyword: Keyword) -> list[str]:
    """How it is written, for people."""
    return [readable(form) for form in keyword.forms]


def slots_of(keyword: Keyword) -> list[tuple[str, str]]:
    """Names of slots with what may stand there; plain values are left out."""
    return [(name.replace("_", " "), KINDS[kind]) for name, kind in keyword.slots().items() if kind in KINDS]


def facts_of(keyword: Keyword) -> list[str]:
    """Effect, permission, other names, whether it can be had: a sentence each."""
    found = [] if keyword.syntax else [f"It {EFFECTS[keyword.effect]}."]
    if keyword.aliases:
        found.append(f"Also written {', '.join(keyword.aliases)}.")
    if keyword.permission:
        found.append(f"Needs the permission `{keyword.permission}`.")
    if not keyword.available:
        found.append(f"Not available on this installation: it needs {keyword.needs}. Reaching it raises an error.")
    return found


def markdown(keyword: Keyword) -> str:
    """All of it, without a heading."""
    parts = [keyword.summary, "```basic\n" + "\n".join(forms_of(keyword)) + "\n```"]
    slots = slots_of(keyword)
    if slots:
        parts.append("\n".join(f"- *{name}*: {kind}" for name, kind in slots))
    if facts_of(keyword):
        parts.append(" ".join(facts_of(keyword)))
    if keyword.documentation:
        parts.append(keyword.documentation.strip())
    if keyword.example:
        parts.append(f"Example:\n\n```basic\n{keyword.example.strip()}\n```")
    return "\n\n".join(parts)
