"""How free answers look: switchers, answer mode, page mode, lines."""

from collections.abc import Mapping

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.machine.state import MachineState
from services.engine.program.values import ProgramError, Value, number_of, text_of

SWITCHERS, MODE, PAGE, LINES = "switchers", "answer-mode", "page-mode", "max-lines"
MOST_SWITCHERS = 32
LONGEST_PROMPT = 2000
SWITCH = "/switch "
STANDARD = {
    "tables": "Put whatever can be compared into Markdown tables.",
    "infographic": "Answer as an infographic in Markdown: a headline, a few large figures with symbols, short lines.",
    "cards": "Answer as cards: for each item a heading, then two or three lines, with a rule between the cards.",
    "list": "Answer as a list with bullets.",
    "comparison": "Answer as a comparison: what is alike, what differs, side by side.",
    "timeline": "Answer as a timeline: a date or time at the beginning of each line, the oldest first.",
    "markdown": "Format the answer with Markdown: headings, bold words, lists.",
    "chart": "Where there are figures, draw a chart of them with characters, and give the figures below it.",
}
MODES = {
    "document": "Answer only from the documents. Say so when they have no answer.",
    "code": "Answer with code, and explain it in a sentence or two.",
    "direct": "",
    "text": "",
    "auto": "",
    "default": "",
    "tool": "Answer by calling a tool whenever one fits.",
}
COMING_MODES = frozenset({"sql", "chart"})


def switchers(settings: Mapping[str, Value]) -> list[dict[str, Value]]:
    """What can be switched: [{id, prompt, label, on}]."""
    found = settings.get(SWITCHERS)
    return found if isinstance(found, list) else []


def add(state: MachineState, arguments: Arguments) -> None:
    """A switch, off at first. One of the standard names, or a prompt. ProgramError when there are too many."""
    said = text_of(arguments["switcher"]).strip()
    known = said.lower() in STANDARD
    prompt = STANDARD[said.lower()] if known else said[:LONGEST_PROMPT]
    name = said.lower() if known else f"custom-{len(switchers(state.settings)) + 1}"
    label = text_of(arguments.get("label", said.capitalize() if known else said))[:80]
    others = [item for item in switchers(state.settings) if item["label"] != label and item["prompt"] != prompt]
    if not said or len(others) >= MOST_SWITCHERS:
        message = f"ADD SWITCHER: expected a name or a prompt, and at most {MOST_SWITCHERS} of them"
        raise ProgramError(message)
    state.settings[SWITCHERS] = [*others, {"id": name, "prompt": prompt, "label": label, "on": False}]


def clear_one(state: MachineState, arguments: Arguments) -> None:
    """One less."""
    said = text_of(arguments["switcher"]).strip()
    kept = [
        item for item in switchers(state.settings) if said.lower() not in {item["id"], text_of(item["label"]).lower()}
    ]
    state.settings[SWITCHERS] = [item for item in kept if item["prompt"] != said]


def clear_all(state: MachineState, _: Arguments) -> None:
    """None."""
    state.settings.pop(SWITCHERS, None)


def offered(settings: Mapping[str, Value]) -> list[dict[str, str]]:
    """Switches as choices: what is on is marked."""
    return [
        {"text": f"{'✓ ' if item['on'] else ''}{item['label']}", "value": f"{SWITCH}{item['id']}"}
        for item in switchers(settings)
    ]


def switched(settings: dict[str, Value], said: str) -> dict[str, Value] | None:
    """Turn the switch that was said; it, or None when none was."""
    if not said.startswith(SWITCH):
        return None
    wanted = said.removeprefix(SWITCH).strip().lower()
    found = next((item for item in switchers(settings) if item["id"] == wanted), None)
    if found is not None:
        found["on"] = not found["on"]
    return found


def instructions(settings: Mapping[str, Value]) -> list[str]:
    """What the model is told about the form of its answers."""
    told = [text_of(item["prompt"]) for item in switchers(settings) if item["on"]]
    told.append(MODES.get(text_of(settings.get(MODE)), ""))
    if settings.get(LINES):
        told.append(f"Answer in at most {text_of(settings[LINES])} lines.")
    if settings.get(PAGE):
        told.append(f"The page shows answers in the mode {text_of(settings[PAGE])}.")
    return [text for text in told if text]


def set_mode(state: MachineState, arguments: Arguments) -> None:
    """How free questions are answered. ProgramError for what is not known, or not here."""
    mode = text_of(arguments["mode"]).strip().lower()
    if mode in COMING_MODES:
        message = f"not available on this installation: SET ANSWER MODE {mode}"
        raise ProgramError(message)
    if mode not in MODES:
        message = f"SET ANSWER MODE: expected one of {', '.join(sorted(MODES))}, got {mode[:40]!r}"
        raise ProgramError(message)
    state.settings[MODE] = mode


def set_page(state: MachineState, arguments: Arguments) -> None:
    """A word for the model about the page."""
    state.settings[PAGE] = text_of(arguments["mode"])[:80]


def set_lines(state: MachineState, arguments: Arguments) -> None:
    """How long free answers may be. ProgramError."""
    lines = int(number_of(arguments["lines"], "a number of lines"))
    if not 0 <= lines <= 10_000:
        message = f"SET MAX LINES: expected 1 to 10000, or 0 for any number, got {lines}"
        raise ProgramError(message)
    state.settings[LINES] = lines


ADD_SWITCHER = Keyword(
    name="ADD SWITCHER",
    group="dialog",
    summary="Offers a switch that changes the form of free answers.",
    forms=("ADD SWITCHER <switcher> [AS <label>]",),
    effect=Effect.STATE,
    example='ADD SWITCHER "tables" AS "Tables"\nADD SWITCHER "Answer like a pirate." AS "Pirate"',
    documentation="Standard ones: " + ", ".join(f"`{name}`" for name in STANDARD) + ". Any other text is told to the "
    "model while its switch is on. The switches come with each free answer; taking one turns it on or off.",
    apply=add,
)
CLEAR_SWITCHER = Keyword(
    name="CLEAR SWITCHER",
    group="dialog",
    summary="Takes a switch away.",
    forms=("CLEAR SWITCHER <switcher>",),
    effect=Effect.STATE,
    example='CLEAR SWITCHER "tables"',
    apply=clear_one,
)
CLEAR_SWITCHERS = Keyword(
    name="CLEAR SWITCHERS",
    group="dialog",
    summary="Takes all switches away.",
    forms=("CLEAR SWITCHERS", "CLEAR SWITCHER"),
    effect=Effect.STATE,
    example="CLEAR SWITCHERS",
    apply=clear_all,
)
SET_ANSWER_MODE = Keyword(
    name="SET ANSWER MODE",
    group="dialog",
    summary="Says how free questions are answered: document, code, tool, direct or auto.",
    forms=("SET ANSWER MODE <mode:name>",),
    effect=Effect.STATE,
    example='SET ANSWER MODE "document"',
    documentation="`document`: from the documents alone; `code`: with code; `tool`: by tools where one fits; `direct`, "
    "`text`, `auto`, `default`: as usual. `sql` and `chart` are not available yet.",
    apply=set_mode,
)
SET_PAGE_MODE = Keyword(
    name="SET PAGE MODE",
    group="dialog",
    summary="Tells the model how the page shows its answers.",
    forms=("SET PAGE MODE <mode:name>",),
    effect=Effect.STATE,
    example='SET PAGE MODE "compact"',
    apply=set_page,
)
SET_MAX_LINES = Keyword(
    name="SET MAX LINES",
    group="dialog",
    summary="Asks the model to answer in so many lines at most; 0 for any number.",
    forms=("SET MAX LINES <lines:number>",),
    effect=Effect.STATE,
    example="SET MAX LINES 5",
    apply=set_lines,
)
