"""Settings of the drive service."""

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from services.common.config import Settings

GIBIBYTE = 1024**3


class DriveSettings(Settings):
    """What the drive service needs beside what every service needs. Seconds and bytes, unless said otherwise."""

    s3_endpoint: str = Field(min_length=3, description="host:port")
    s3_access_key: SecretStr
    s3_secret_key: SecretStr
    s3_bucket: str = Field(default="parley-files", pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    s3_secure: bool = Field(default=False, description="TLS between this service and the store")
    s3_region: str = "us-east-1"
    s3_public_url: str = Field(default="", description="where people reach the store; empty: the endpoint itself")
    s3_threads: int = Field(default=16, ge=2, le=256, description="requests to the store at a time")
    s3_connect_seconds: float = Field(default=2.0, gt=0)
    s3_read_seconds: float = Field(default=10.0, gt=0, description="how long the store may be silent")
    s3_seconds: float = Field(default=30.0, gt=0, description="one request with its retries and its wait for a thread")
    drive_upload_seconds: int = Field(default=900, ge=1, le=604_800, description="how long an upload address works")
    drive_completion_seconds: int = Field(default=300, ge=0, description="after that, to declare the upload done")
    drive_download_seconds: int = Field(default=300, ge=1, le=604_800, description="how long a download address works")
    drive_read_seconds: float = Field(default=600.0, gt=0, description="the longest a file may be streamed")
    drive_grace_seconds: int = Field(default=900, ge=0, description="a replaced object stays for those who read it")
    drive_write_seconds: int = Field(default=600, ge=1, description="an object without a row by then is removed")
    drive_again_seconds: int = Field(default=86_400, ge=0, description="a second look where an upload may end late")
    drive_sweep_seconds: float = Field(default=30.0, gt=0, description="between sweeps")
    drive_lease_seconds: float = Field(default=60.0, gt=0, description="before a removal that failed is tried again")
    drive_tenant_bytes: int = Field(default=10 * GIBIBYTE, ge=1, description="what a tenant may store")
    drive_open_uploads: int = Field(default=50, ge=1, description="uploads one person may have begun")

    @field_validator("s3_public_url")
    @classmethod
    def _origin(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/")):
            message = "expected an origin such as https://chat.example.com"
            raise ValueError(message)
        return value.rstrip("/")

    @model_validator(mode="after")
    def _times_fit(self) -> Self:
        if self.drive_grace_seconds < self.drive_download_seconds:
            message = "drive_grace_seconds must not be less than drive_download_seconds: addresses would lead nowhere"
            raise ValueError(message)
        return self
