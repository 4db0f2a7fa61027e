"""Which layers this machine gives: each is tried for real, in a process of its own."""

import json
import os
from collections.abc import Callable

from services.engine.sandbox.inside import calls, kernel, landlock, root, worker
from services.engine.sandbox.inside.order import Order
from services.engine.sandbox.inside.planning import plan_of
from services.engine.sandbox.inside.separation import separate
from services.engine.sandbox.layers import Layer


def report(order: Order) -> str:
    """JSON: for each layer why there is none of it, empty when there is."""
    tries: dict[Layer, Callable[[], None]] = {
        Layer.IDENTITY: _identity,
        Layer.MOUNT: lambda: _files(order),
        Layer.PID: lambda: _processes(order),
        Layer.NETWORK: lambda: separate({Layer.NETWORK}),
        Layer.IPC: lambda: separate({Layer.IPC}),
        Layer.LANDLOCK: _landlock,
        Layer.SECCOMP: _calls,
        Layer.LIMITS: lambda: worker.limit(order.bounds, worker.tasks_of(os.getuid())),
    }
    return json.dumps({layer: attempt(action) for layer, action in tries.items()})


def attempt(action: Callable[[], None]) -> str:
    """Run it in a child; what went wrong there."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException as error:  # noqa: BLE001 - a child must not go on as its parent
            os.write(writing, (str(error) or type(error).__name__).encode()[:500])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        said = stream.read().decode(errors="replace")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return said or (f"ended with {status}" if status else "")


def _identity() -> None:
    if os.geteuid() != 0:
        raise PermissionError("the engine is not root")
    worker.change_user(worker.owner_of(frozenset({Layer.IDENTITY})))


def _files(order: Order) -> None:
    separate({Layer.MOUNT})
    root.enter(plan_of(order, (os.geteuid(), os.getegid()), processes=False))


def _processes(order: Order) -> None:
    separate({Layer.MOUNT, Layer.PID})
    said = attempt(lambda: root.enter(plan_of(order, (os.geteuid(), os.getegid()), processes=True)))
    if said:
        raise OSError(said)


def _landlock() -> None:
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    landlock.restrict(["/usr"], [])


def _calls() -> None:
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)
    calls.install(signals=True, metadata=True, processes=True)
