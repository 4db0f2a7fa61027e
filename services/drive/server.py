"""Wiring of the drive service: the only place that knows concretes."""

from parley.drive.v1 import file_service_pb2, file_service_pb2_grpc

from services.common.db import requests
from services.common.service import Chassis, persist
from services.drive.api.files import FileApi
from services.drive.config import DriveSettings
from services.drive.metrics import DriveMetrics
from services.drive.objects.port import ObjectStore
from services.drive.objects.s3 import S3Objects, S3Signer
from services.drive.reading import Reading
from services.drive.store.files import Files
from services.drive.store.garbage import Garbage
from services.drive.storing import Storing
from services.drive.sweeping import Sweeper


class DriveService:
    """Files."""

    name = "drive"

    def __init__(self) -> None:
        self.objects: ObjectStore | None = None
        self.sweeper: Sweeper | None = None

    async def open(self, chassis: Chassis) -> None:
        """Build and register. The store may come later: until then files can be listed, and readiness waits."""
        settings = chassis.settings
        if not isinstance(settings, DriveSettings):
            message = "the drive service needs DriveSettings"
            raise TypeError(message)
        metrics = DriveMetrics(chassis.metrics)
        self.objects = objects = S3Objects(settings, metrics)
        signer = S3Signer(settings)
        asked = requests.RequestLog("drive", settings.page_token_secret)
        files = Files(chassis.database, settings, asked)
        storing = Storing(settings, files, objects, signer, metrics)
        reading = Reading(files, objects, metrics, settings.drive_read_seconds)
        self.sweeper = sweeper = Sweeper(settings, Garbage(chassis.relay_database), objects, metrics)
        chassis.server.add(
            file_service_pb2_grpc.add_FileServiceServicer_to_server,
            FileApi(settings, files, storing, reading, signer, asked),
            file_service_pb2.DESCRIPTOR.services_by_name["FileService"],
        )
        chassis.operations.require("s3", objects.check)
        chassis.tasks.spawn("bucket", lambda: persist("s3", objects.check))
        chassis.tasks.spawn("sweep", sweeper.run)
        chassis.tasks.spawn("old requests", lambda: requests.keep_tidy(chassis.relay_database, settings.request_days))

    async def close(self) -> None:
        """Let go of the store."""
        if self.objects is not None:
            await self.objects.close()
