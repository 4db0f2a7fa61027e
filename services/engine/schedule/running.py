"""Scripts that no person started, as a worker runs them: what they begin with, what becomes of what they return."""

import json
import re
from collections.abc import Mapping

from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import session_pb2 as pb

from services.engine.beginning import predefined
from services.engine.machine import machine as m
from services.engine.machine.state import MachineState
from services.engine.program.values import Value

UNATTENDED = frozenset({"channels/schedule", "channels/webhook", "channels/event"})
NOBODY = "HEAR: nobody answers in a script that no person started"
NAME = re.compile(r"[a-z_][a-z0-9_]{0,99}")
DEPTH = "event-depth"
MOST_VARIABLES = 500


def unattended(turn: ledger_pb.Turn) -> bool:
    """Whether nobody is there to be asked."""
    return turn.channel in UNATTENDED


def waiting_run(turn: ledger_pb.Turn, state: MachineState) -> pb.Run | None:
    """The run that the input of a turn wants started; None when the state has begun with it already."""
    if not turn.HasField("input") or not turn.input.HasField("run") or state.run.get("seq") == turn.input.seq:
        return None
    return turn.input.run


def begin(machine: m.Machine, turn: ledger_pb.Turn, own: Mapping[str, Value], before: MachineState) -> MachineState:
    """The state at the start of the run in a turn's input. `own`: variables of the configuration, which win.

    What the run `before` it left for the commit stays, and effects of the turn are counted on.

    KeyError when the version has no such script.
    """
    run = turn.input.run
    state = machine.start(run.script, {**predefined(turn), **variables_of(run), **own})
    if run.entry:
        enter(machine, state, run.entry)
    state.pending, state.visits = before.pending, before.visits
    state.settings[DEPTH] = run.depth
    state.run = told_of(turn, before)
    return state


def told_of(turn: ledger_pb.Turn, state: MachineState) -> dict[str, Value]:
    """What the state keeps of the run it begins with, or has begun with."""
    run = waiting_run(turn, state)
    if run is None:
        return state.run
    return {"seq": turn.input.seq, "cause": run.cause, "call": run.call, "once": run.once, "depth": run.depth}


def enter(machine: m.Machine, state: MachineState, entry: str) -> None:
    """Begin at a SUB, its parameters the variables of their names, or at a node."""
    frame = state.frames[0]
    subroutine = machine.loaded(frame.program).program.subroutines.get(entry)
    frame.node = entry if subroutine is None else subroutine.entry
    if subroutine is not None:
        frame.locals = {name: state.globals.get(name) for name in subroutine.parameters}


def spread(given: Mapping[str, Value]) -> dict[str, Value]:
    """Fields of the body, else of the address or the form, each as a variable."""
    found: dict[str, Value] = {}
    for name in ("params", "form", "body"):
        part = given.get(name)
        if isinstance(part, dict):
            found |= part
    return found


def variables_of(run: pb.Run) -> dict[str, Value]:
    """Variables that come with a run, under names a script can say."""
    given = json.loads(run.variables or "{}")
    if run.cause in {"webhook", "event"}:
        given = spread(given) | given
    named = {name.lower(): value for name, value in given.items() if NAME.fullmatch(name.lower())}
    return dict(list(named.items())[:MOST_VARIABLES])
