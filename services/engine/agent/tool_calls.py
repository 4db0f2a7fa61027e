"""Tools in a conversation: which there are, who starts them, with what."""

import json
from collections.abc import Mapping
from typing import Any

from google.protobuf import json_format
from parley.llm.v1 import llm_service_pb2 as llm_pb

from services.engine.keywords.agents.company import BOTS
from services.engine.keywords.tools.registered import OFFERED, registered, tool_name
from services.engine.machine.machine import Machine
from services.engine.machine.state import Frame, MachineState
from services.engine.program.program import Program
from services.engine.program.values import ProgramError, Value, text_of
from services.engine.tools.asking import BEFORE
from services.engine.tools.schema import ToolDescription, checked, schema_of, tool_of

CALLING = "calling"
"""The message that tools are answering: {seq, call, done}. call: [id, name, arguments] of the one the model called and
that runs; done: [id, name, arguments, result] of those that ended."""
ROUNDS = 4
LONGEST_RESULT = 32_768
NOTHING = "done"


def offered(settings: dict[str, Value], programs: Mapping[str, Program], helper: str = "") -> list[ToolDescription]:
    """Tools the model may use: those of USE TOOL, or those a bot that helps was given."""
    names = registered(settings)
    if helper:
        bots = settings.get(BOTS)
        joined = bots.get(helper) if isinstance(bots, dict) else None
        names = [tool_name(name) for name in joined.get("tools", [])] if isinstance(joined, dict) else []
    found = [described(programs[name]) for name in names if name in programs]
    return list({tool.name: tool for tool in found}.values())


def described(program: Program) -> ToolDescription:
    """The tool a script is; one without PARAM and DESCRIPTION has only its name."""
    return tool_of(program) or ToolDescription(program.name[:64], program.name, program.name)


def as_message(tool: ToolDescription) -> llm_pb.Tool:
    """As the llm service takes it."""
    message = llm_pb.Tool(name=tool.name, description=tool.description)
    json_format.ParseDict(schema_of(tool), message.parameters)
    return message


def named(said: str, settings: dict[str, Value], programs: Mapping[str, Program]) -> str:
    """The tool that a message such as "/book-table" starts; empty when it starts none."""
    if not said.startswith("/") or "\n" in said:
        return ""
    name = said[1:].strip().lower()
    also = settings.get(OFFERED)
    known = [*registered(settings), *(also if isinstance(also, list) else [])]
    return name if name in known and name in programs else ""


def begin(
    machine: Machine,
    state: MachineState,
    script: str,
    variables: Mapping[str, Value],
    seq: int,
    call: llm_pb.ToolCall | None = None,
) -> None:
    """The state at the start of a tool; after a crash it is known that this message started it."""
    state.frames = [Frame(script, machine.loaded(script).program.entry)]
    state.globals = dict(variables)
    state.waiting, state.until, state.attempts, state.resume_next = "", None, 0, False
    state.settings[CALLING] = {
        "seq": seq,
        "call": [call.id, call.name, call.arguments] if call is not None else None,
        "done": done(state, seq),
    }


def done(state: MachineState, seq: int) -> list[list[str]]:
    """What tools gave for this message so far."""
    calling = state.settings.get(CALLING)
    if not isinstance(calling, dict) or calling.get("seq") != seq:
        return []
    found = calling.get("done")
    return found if isinstance(found, list) else []


def note(state: MachineState, seq: int, call: llm_pb.ToolCall, result: str) -> None:
    """A call that was not made, and why not."""
    ended = [*done(state, seq), [call.id, call.name, call.arguments, result]]
    state.settings[CALLING] = {"seq": seq, "call": None, "done": ended}


def finish(state: MachineState, value: Value) -> None:
    """The call under way has ended, if one is."""
    calling = state.settings[CALLING]
    if not calling["call"]:
        return
    ended = [*calling["done"], [*calling["call"], result_text(value)]]
    state.settings[CALLING] = {"seq": calling["seq"], "call": None, "done": ended}


def spoke_for_themselves(state: MachineState) -> bool:
    """Whether the last tool returned nothing: what it said is the answer."""
    calling = state.settings.get(CALLING)
    ended = calling.get("done", []) if isinstance(calling, dict) else []
    return bool(ended) and ended[-1][3] == NOTHING


def exchange(state: MachineState, seq: int) -> list[llm_pb.ChatMessage]:
    """Calls and results of this message, as the model is told them again."""
    made: list[llm_pb.ChatMessage] = []
    for identifier, name, arguments, result in done(state, seq):
        call = llm_pb.ToolCall(id=identifier, name=name, arguments=arguments)
        made.append(llm_pb.ChatMessage(role=llm_pb.ChatMessage.ROLE_ASSISTANT, tool_calls=[call]))
        made.append(llm_pb.ChatMessage(role=llm_pb.ChatMessage.ROLE_TOOL, text=result, tool_call_id=identifier))
    return made


def asking_program(script: str, programs: Mapping[str, Program]) -> str:
    """The program that asks for what a tool needs; the tool itself when it needs nothing."""
    return f"{BEFORE}{script}" if tool_of(programs[script]) is not None else script


def under_way(state: MachineState, seq: int) -> bool:
    """Whether this message has started a tool already: a crash came before the commit."""
    calling = state.settings.get(CALLING)
    return bool(seq) and isinstance(calling, dict) and calling.get("seq") == seq


def arguments_of(tool: ToolDescription, call: llm_pb.ToolCall) -> dict[str, Value]:
    """Variables of a call, checked. ProgramError says what is wrong, for the model to read."""
    try:
        given = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        message = f"{tool.script}: the arguments are no JSON object"
        raise ProgramError(message)
    return checked(tool, given)


def result_text(value: Any) -> str:  # noqa: ANN401 - a value of a script
    """What a tool returned, for the model to read."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text_of(text)[:LONGEST_RESULT] if value is not None else NOTHING
