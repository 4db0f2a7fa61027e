"""How fast scripts are parsed and checked, and what a waiting conversation costs."""

import time
from pathlib import Path

from bench.language import loops
from bench.speed.figures import Figure, middle
from services.engine.basic.compiler import compile_basic
from services.engine.machine.machine import AskUser
from services.engine.machine.state import MachineState

BOTS = Path(__file__).parents[2] / "bots"
MINUTE = 60.0
DESK = """TALK "Welcome to the support desk."
name = "Ann Example"
products = ["Router", "Modem", "Phone"]
ticket = #{customer: name, product: "", urgent: FALSE, lines: []}
FOR EACH product IN products
  ADD SUGGESTION product AS product
NEXT
HEAR chosen AS "Router", "Modem", "Phone"
ticket.product = chosen
FOR i = 1 TO 5
  TALK "Line ${i}: what is wrong with your ${chosen}?"
  HEAR answer
  IF answer = "done" THEN EXIT FOR
  SELECT CASE LEN(answer)
    CASE 0 TO 9
      note = "short"
    CASE ELSE
      note = "long"
  END SELECT
  PUSH ticket.lines, answer & " (" & note & ")"
NEXT
TALK "Thank you, ${name}."
"""


def figures(seconds: float) -> list[Figure]:
    """Lines a minute over the sample bots; bytes and microseconds of a state that waits."""
    return [parsed(seconds / 3), *waiting(seconds / 3)]


def parsed(seconds: float) -> Figure:
    """All scripts of bots/, again and again, by one core's time."""
    texts = [path.read_text() for path in sorted(BOTS.rglob("*.bas"))] + [DESK, *loops.SCRIPTS.values()]
    lines, began = 0, time.thread_time()
    while (spent := time.thread_time() - began) < seconds:
        for text in texts:
            compile_basic(text, "start.bas")
            lines += text.count("\n") + 1
    return Figure("language", "parse and check", lines / spent * MINUTE, "lines/min", aim=100_000)


def state() -> MachineState:
    """In the middle of the third question. ValueError."""
    from services.engine.machine.machine import Input  # noqa: PLC0415 - beside its only use

    machine = loops.machine_of(DESK)
    found = machine.start("start")
    outcome = machine.run(found).outcome
    for answer in ("Router", "It does not start any more since yesterday", "no lights"):
        outcome = machine.run(found, Input(answer)).outcome
    if not isinstance(outcome, AskUser):
        message = f"{outcome}"
        raise ValueError(message)  # noqa: TRY004 - the script is at fault
    return found


def waiting(seconds: float) -> list[Figure]:
    """What is written down, and how long writing and reading take together."""
    found, times = state(), []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        began = time.perf_counter()
        for _ in range(100):
            MachineState.from_bytes(found.to_bytes())
        times.append((time.perf_counter() - began) * 10_000)
    return [
        Figure("language", "state of a waiting conversation", len(found.to_bytes()), "bytes", aim=2048, at_most=True),
        Figure("language", "saved and restored", middle(times), "us", aim=100, at_most=True),
    ]
