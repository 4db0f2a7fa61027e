"""What the engine's server needs of the sandbox."""

from typing import Any

from services.common.service import Chassis
from services.engine.config import EngineSettings
from services.engine.sandbox.port import MEGABYTE, Sandbox
from services.engine.sandbox.runner import SandboxRunner


def ports(chassis: Chassis, settings: EngineSettings) -> dict[Any, Any]:
    """The sandbox, within the installation's bounds. It looks at the machine in the background."""
    sandbox = SandboxRunner(
        places=settings.sandbox_places,
        wait_seconds=settings.sandbox_wait_seconds,
        most_seconds=settings.sandbox_seconds,
        most_memory_bytes=settings.sandbox_memory_mb * MEGABYTE,
    )
    chassis.tasks.spawn("sandbox", sandbox.report)
    return {Sandbox: sandbox}
