"""What the model is told before every free answer."""

from services.engine.keywords.keyword import Arguments, Effect, Keyword
from services.engine.machine.state import MachineState
from services.engine.program.values import ProgramError, text_of

PROMPT = "system-prompt"
LONGEST = 65_536


def tell(state: MachineState, arguments: Arguments) -> None:
    """From here on; what the configuration says comes before it. ProgramError when it is too long."""
    text = text_of(arguments["text"])
    if len(text) > LONGEST:
        message = f"a system prompt may have {LONGEST} characters, this one has {len(text)}"
        raise ProgramError(message)
    state.settings[PROMPT] = text


SET_SYSTEM_PROMPT = Keyword(
    name="SET SYSTEM PROMPT",
    group="models",
    summary="Tells the model how to behave in the free answers of this conversation, as BEGIN SYSTEM PROMPT does.",
    forms=("SET SYSTEM PROMPT <text>",),
    effect=Effect.STATE,
    example='SET SYSTEM PROMPT "You are brief, ${username}."',
    apply=tell,
)
