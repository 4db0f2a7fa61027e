"""python -I -S -c "... main()" run|probe PARENT: reads an order, leaves the machine behind, has the code supervised.

Two processes: this one, which dies with the engine, and the supervisor, which is the first in its process namespace:
when it dies the kernel ends all others. Where there are no namespaces it is the one to whom all orphans are given.
"""

import os
import sys
from collections.abc import Iterable

from services.engine.sandbox.inside import kernel, probe, worker
from services.engine.sandbox.inside.order import order_of
from services.engine.sandbox.inside.separation import separate
from services.engine.sandbox.inside.supervisor import supervise

LONGEST_ORDER = 256 << 20


def main(arguments: Iterable[str]) -> None:
    """Does not return in the supervisor."""
    mode, parent = arguments
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    kernel.prctl(kernel.PR_SET_PDEATHSIG, 9)
    if os.getppid() != int(parent):
        return  # the engine died before it could be watched
    order = order_of(_line())
    if mode == "probe":
        sys.stdout.write(probe.report(order))
        return
    # a fault here is the engine's to report: it finds no report and reads what is on standard error
    separate(order.layers)
    owner = worker.owner_of(order.layers)
    life, end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(end)
        supervise(order, life, owner)
    os.close(life)
    os.close(1)
    os.waitpid(child, 0)


def _line() -> bytes:
    """What comes first on standard input, byte by byte no further than its end."""
    pieces: list[bytes] = []
    size = 0
    while not pieces or not pieces[-1].endswith(b"\n"):
        piece = os.read(0, 1 << 20)
        size += len(piece)
        if not piece or size > LONGEST_ORDER:
            sys.exit(1)
        pieces.append(piece)
    return b"".join(pieces)
