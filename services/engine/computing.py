"""Scripts that compute for longer than a moment do it beside the loop, and wait for one another in short slices."""

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

from services.engine.machine.machine import Machine, Paused, Resume, Run, Step
from services.engine.machine.state import MachineState

MOMENT = 0.01
"""Seconds that a run may take in the loop: nearly all are over long before."""
SLICE = 0.02
SWITCH = 0.001
"""Seconds until the loop gets the interpreter from the thread: Python's own 5 ms it would wait many times a turn."""


class Computing:
    """One thread, since only one can compute at a time; first come, first served, a slice each."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "scripts")
        sys.setswitchinterval(SWITCH)

    async def run(self, machine: Machine, state: MachineState, resume: Resume) -> Step:
        """As Machine.run, without holding up the loop."""
        run = Run(machine, state)
        step = run.go(resume, MOMENT)
        loop = asyncio.get_running_loop()
        while isinstance(step, Paused):
            step = await loop.run_in_executor(self._thread, run.go_on, SLICE)
        return step
