"""Computing loops of scripts beside the same loops in Python, in one run."""

import time
from collections.abc import Callable

from bench.speed.figures import Figure, middle
from services.engine.basic.compiler import compile_basic
from services.engine.machine.machine import Budgets, Ended, Machine, Step

ROUNDS = 100_000
REPEATS = 5
AIM = 5.0
SCRIPTS = {
    "IF and MOD": f"""FOR i = 1 TO {ROUNDS}
  IF i MOD 3 = 0 THEN
    a = a + i
  ELSE
    b = b + 1
  END IF
NEXT""",
    "nested FOR": f"""FOR i = 1 TO {ROUNDS // 100}
  FOR j = 1 TO 100
    a = a + i * j
  NEXT
NEXT""",
    "building text": f"""text = ""
FOR i = 1 TO {ROUNDS // 4}
  text = text & "x"
NEXT""",
    "list append and index": f"""row = []
FOR i = 1 TO {ROUNDS // 2}
  row[UBOUND(row)] = i
NEXT
FOR i = 0 TO {ROUNDS // 2 - 1}
  a = a + row[i]
NEXT""",
    "PUSH": f"""row = []
FOR i = 1 TO {ROUNDS // 2}
  PUSH row, i
NEXT""",
    "fields of an object": f"""box = #{{count: 0, total: 0}}
FOR i = 1 TO {ROUNDS}
  box.count = box.count + 1
  box.total = box.total + i
NEXT""",
    "FOR EACH": f"""row = SPLIT(STR_REPEAT("ab,", {ROUNDS // 2}), ",")
FOR EACH item IN row
  IF item = "ab" THEN a = a + 1
NEXT""",
    "SELECT CASE": f"""FOR i = 1 TO {ROUNDS}
  SELECT CASE i MOD 4
    CASE 0
      a = a + 1
    CASE 1, 2
      b = b + 1
    CASE ELSE
      c = c + 1
  END SELECT
NEXT""",
}


def choosing() -> None:
    """IF and MOD."""
    a = b = 0
    for i in range(1, ROUNDS + 1):
        if i % 3 == 0:
            a = a + i
        else:
            b = b + 1


def nested() -> None:
    """Nested FOR."""
    a = 0
    for i in range(1, ROUNDS // 100 + 1):
        for j in range(1, 101):
            a = a + i * j


def building() -> None:
    """Building text."""
    text = ""
    for _ in range(1, ROUNDS // 4 + 1):
        text = text + "x"


def indexing() -> None:
    """Append, then read by index."""
    row: list[int] = []
    for i in range(1, ROUNDS // 2 + 1):
        row.append(i)  # noqa: PERF402 - the loop is what is measured
    a = 0
    for i in range(ROUNDS // 2):
        a = a + row[i]


def pushing() -> None:
    """PUSH."""
    row: list[int] = []
    for i in range(1, ROUNDS // 2 + 1):
        row.append(i)  # noqa: PERF402 - the loop is what is measured


def counting() -> None:
    """Fields of an object."""
    box = {"count": 0, "total": 0}
    for i in range(1, ROUNDS + 1):
        box["count"] = box["count"] + 1
        box["total"] = box["total"] + i


def going_through() -> None:
    """FOR EACH."""
    row = ("ab," * (ROUNDS // 2)).split(",")
    a = 0
    for item in row:
        if item == "ab":
            a = a + 1


def selecting() -> None:
    """SELECT CASE."""
    a = b = c = 0
    for i in range(1, ROUNDS + 1):
        match i % 4:
            case 0:
                a = a + 1
            case 1 | 2:
                b = b + 1
            case _:
                c = c + 1


BARE: dict[str, Callable[[], None]] = {
    "IF and MOD": choosing,
    "nested FOR": nested,
    "building text": building,
    "list append and index": indexing,
    "PUSH": pushing,
    "fields of an object": counting,
    "FOR EACH": going_through,
    "SELECT CASE": selecting,
}


def machine_of(source: str) -> Machine:
    """A machine with one script. ValueError when it does not compile."""
    found = compile_basic(source, "start.bas")
    if found.program is None:
        message = f"{found.diagnostics}"
        raise ValueError(message)
    return Machine({"start": found.program}, Budgets(nodes=10**9, seconds=600))


def spent(work: Callable[[], object]) -> float:
    """Milliseconds of computing."""
    began = time.thread_time()
    work()
    return (time.thread_time() - began) * 1000


def played(machine: Machine) -> Step:
    """To the end. ValueError when it does not come to it."""
    step = machine.run(machine.start("start"))
    if not isinstance(step.outcome, Ended):
        message = f"{step.outcome}"
        raise ValueError(message)  # noqa: TRY004 - the script is at fault
    return step


def figures() -> list[Figure]:
    """Milliseconds of each loop, its ceiling the same in Python, measured in turns; the aim is of the ratio."""
    found = []
    for name, source in SCRIPTS.items():
        machine, own, bare = machine_of(source), [], []
        for _ in range(REPEATS):
            own.append(spent(lambda machine=machine: played(machine)))  # type: ignore[misc]
            bare.append(spent(BARE[name]))
        found.append(Figure("language", f"loop: {name}", middle(own), "ms", middle(bare), AIM, at_most=True))
    return found
