"""What stands behind the ports of files and documents."""

from typing import Any

from services.common.service import Chassis
from services.engine.files.drive import DriveFiles
from services.engine.files.port import Documents, Files
from services.engine.files.working import Workshop


def ports(chassis: Chassis, workshop: Workshop) -> dict[Any, Any]:
    """The drive service, and processes for documents."""
    return {Files: DriveFiles(chassis.mesh), Documents: workshop}
