"""What a model does to a text."""

import json

from services.engine.keywords.keyword import Arguments, Effect, Keyword, Perform
from services.engine.keywords.models.port import Models
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, Value, text_of

FEELINGS = ("positive", "negative", "neutral")
LONGEST_TEXT = 100_000


def material(value: Value) -> str:
    """The text. ProgramError when there is none, or too much."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) if value is not None else ""
    if not text.strip():
        message = "expected a text, got nothing"
        raise ProgramError(message)
    if len(text) > LONGEST_TEXT:
        message = f"a text may have {LONGEST_TEXT} characters here, this one has {len(text)}"
        raise ProgramError(message)
    return text


async def made(world: World, task: str, value: Value) -> str:
    """What the model makes of a text."""
    return (await world.port(Models).instruct(world, task, material(value))).strip()


async def rewrite(world: World, arguments: Arguments) -> Value:
    """The same in better words."""
    style = f" Write it so: {text_of(arguments['style'])}." if "style" in arguments else ""
    task = f"Rewrite the text clearly and correctly, in its own language.{style} Give the new text only."
    return await made(world, task, arguments["text"])


async def summarize(world: World, arguments: Arguments) -> Value:
    """The same in fewer words."""
    size = f" Use at most {text_of(arguments['length'])} words." if "length" in arguments else ""
    task = f"Summarise the text in its own language.{size} Give the summary only."
    return await made(world, task, arguments["text"])


async def translate(world: World, arguments: Arguments) -> Value:
    """The same in another language."""
    language = text_of(arguments["language"])
    return await made(
        world, f"Translate the text into the language {language!r}. Give the translation only.", arguments["text"]
    )


def choices(value: Value) -> list[str]:
    """Categories of a list or of a text with commas. ProgramError when there are fewer than two."""
    items = [text_of(item) for item in value] if isinstance(value, list) else text_of(value).split(",")
    found = [item.strip() for item in items if item.strip()]
    if len(found) < 2:
        message = "expected at least two categories, as a list or as text with commas"
        raise ProgramError(message)
    return found


def chosen(answer: str, options: list[str]) -> str:
    """The option that a model named. ProgramError when it named none."""
    said = answer.strip().strip("\"'.` ").lower()
    exact = next((item for item in options if item.lower() == said), None)
    within = [item for item in options if item.lower() in said]
    if exact is None and len(within) != 1:
        message = f"the model gave none of {', '.join(options)}"
        raise ProgramError(message)
    return exact or within[0]


async def classify(world: World, arguments: Arguments) -> Value:
    """One of the categories."""
    options = choices(arguments["categories"])
    task = f"Which of these categories fits the text best: {'; '.join(options)}? Answer with the category only."
    return chosen(await made(world, task, arguments["text"]), options)


async def sentiment(world: World, arguments: Arguments) -> Value:
    """positive, negative or neutral."""
    task = "Is the mood of the text positive, negative or neutral? Answer with that one word only."
    return chosen(await made(world, task, arguments["text"]), list(FEELINGS))


async def conversation_sentiment(world: World, arguments: Arguments) -> Value:
    """{overall, sentiment}."""
    found = await sentiment(world, {"text": arguments["message"]})
    return {"overall": found, "sentiment": found}


async def decide(world: World, arguments: Arguments) -> Value:
    """One of the options."""
    options = choices(arguments["options"])
    task = f"Decide the question. The options are: {'; '.join(options)}. Answer with the option only."
    return chosen(await made(world, task, arguments["question"]), options)


async def polish(world: World, arguments: Arguments) -> Value:
    """A message as an attendant would be glad to have written it."""
    tone = text_of(arguments.get("tone", "friendly and professional"))
    task = f"Improve this message to a customer, in its own language. The tone is {tone}. Give the message only."
    return await made(world, task, arguments["message"])


async def score(world: World, arguments: Arguments) -> Value:
    """{score, grade, reason} of a lead."""
    task = (
        "Judge how likely this sales lead is to buy. Answer with JSON only: "
        '{"score": 0 to 100, "grade": "A" to "F", "reason": one sentence}.'
    )
    answer = await made(world, task, arguments["lead"])
    try:
        found = json.loads(answer[answer.index("{") : answer.rindex("}") + 1])
        return {
            "score": max(0, min(100, round(float(found["score"])))),
            "grade": text_of(found.get("grade"))[:2],
            "reason": text_of(found.get("reason"))[:1000],
        }
    except (ValueError, KeyError, TypeError, RecursionError):
        message = "the model did not give a score"
        raise ProgramError(message) from None


def text_keyword(name: str, forms: tuple[str, ...], summary: str, example: str, perform: Perform) -> Keyword:
    """A keyword that asks a model about a text."""
    return Keyword(
        name=name,
        group="models",
        summary=summary,
        forms=forms,
        effect=Effect.READ,
        example=example,
        permission="models.ask",
        slow=True,
        perform=perform,
        documentation="It needs a language model; the built-in one, which quotes documents, cannot do it.",
    )


KEYWORDS = (
    text_keyword(
        "REWRITE",
        ("REWRITE <text> [, <style>]",),
        "Gives a text in better words.",
        'better = REWRITE "pls send me the thing asap"',
        rewrite,
    ),
    text_keyword(
        "SUMMARIZE",
        ("SUMMARIZE <text> [, <length:number>]",),
        "Gives a text in fewer words.",
        "short = SUMMARIZE article, 50",
        summarize,
    ),
    text_keyword(
        "TRANSLATE",
        ("TRANSLATE <text>, <language>", "TRANSLATE <text> TO <language:name>"),
        "Gives a text in another language.",
        'words = TRANSLATE "Good morning", "pt"',
        translate,
    ),
    text_keyword(
        "CLASSIFY",
        ("CLASSIFY <text>, <categories>", "CLASSIFY <text> AS <categories>", "CLASSIFY <text> INTO <categories>"),
        "Gives the one of several categories that fits a text best.",
        'kind = CLASSIFY message, ["complaint", "question", "order"]',
        classify,
    ),
    text_keyword(
        "SENTIMENT",
        ("SENTIMENT <text>",),
        "Gives the mood of a text: positive, negative or neutral.",
        'IF SENTIMENT(message) = "negative" THEN TALK "I am sorry."',
        sentiment,
    ),
    text_keyword(
        "ANALYZE SENTIMENT",
        ("ANALYZE SENTIMENT <conversation>, <message>", "ANALYZE SENTIMENT <message>"),
        "Gives the mood of a message of a conversation, as overall.",
        'mood = ANALYZE SENTIMENT session_id, message\nIF mood.overall = "negative" THEN TALK "I am sorry."',
        conversation_sentiment,
    ),
    text_keyword(
        "DECIDE",
        ("DECIDE <question>, <options>", "DECIDE <question> BETWEEN <options>"),
        "Gives the option a model would take.",
        'way = DECIDE "It rains and we are two.", ["walk", "bus"]',
        decide,
    ),
    text_keyword(
        "POLISH MESSAGE",
        ("POLISH MESSAGE <message> [, <tone>]",),
        "Gives a message to a customer in better words.",
        'better = POLISH MESSAGE "we dont have it", "friendly"',
        polish,
    ),
    text_keyword(
        "AI SCORE LEAD",
        ("AI SCORE LEAD <lead>",),
        "Lets a model say how likely somebody is to buy: score, grade and reason.",
        'judged = AI SCORE LEAD #{company: "Example", budget: 12000}\nPRINT judged.score',
        score,
    ),
)
