"""python -m services.drive"""

from services.common.service import run
from services.drive.config import DriveSettings
from services.drive.server import DriveService

if __name__ == "__main__":
    run(DriveService, DriveSettings)
