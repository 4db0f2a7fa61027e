"""Settings of the engine."""

import os
import socket
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from services.common.config import Settings
from services.common.security.sealing import key_of


class EngineSettings(Settings):
    """Workers claim turns in the same process that serves bots; a replica may do either alone."""

    key_encryption_key: SecretStr = Field(description="32 random bytes in base64: seals the keys of webhooks")
    works: bool = Field(default=True, description="claim turns")
    worker_turns: int = Field(default=128, ge=1, le=1024, description="turns under way at once")
    lease_seconds: float = Field(
        default=6.0, ge=1, le=300, description="a turn whose worker died begins again after this"
    )
    turn_nodes: int = Field(default=1_000_000, ge=1000)
    turn_seconds: float = Field(default=5.0, gt=0, description="computing time of one turn")
    answer_seconds: float = Field(default=60.0, gt=0, description="time a model has for an answer")
    answer_patience: float = Field(
        default=90.0, ge=0, description="seconds a message may wait for a model that is away before the person is told"
    )
    schedule_poll: float = Field(default=1.0, gt=0, le=60, description="seconds between looks for schedules of others")
    schedule_lease: float = Field(
        default=15.0, ge=1, description="after this a schedule that a dead process had claimed is another's"
    )
    webhook_body_bytes: int = Field(default=1024 * 1024, ge=1024, le=1024 * 1024)
    webhook_seconds: float = Field(default=25.0, gt=0, description="a caller waits so long for what a script returns")
    webhooks_per_second: float = Field(default=50.0, gt=0, description="calls of a webhook or form, a process")
    webhook_burst: int = Field(default=200, ge=1)
    webhook_call_days: int = Field(default=3, ge=1, description="how long a webhook-id is known, with its answer")
    trace_days: int = Field(default=7, ge=1, le=90, description="how long traces of bots are kept that have trace on")
    signature_tolerance: int = Field(default=300, ge=1, description="how far the clock of a sender may be off")
    rotation_seconds: int = Field(default=24 * 3600, ge=0, description="how long an old secret verifies")
    event_poll: float = Field(default=0.5, gt=0, le=60, description="seconds between looks for events to tell")
    web_plain: bool = Field(default=False, description="scripts may ask http:// addresses of the internet too")
    web_loopback: bool = Field(default=False, description="scripts may ask this machine; for trying things by hand")
    web_own_url: str = Field(
        default="", description="where scripts find /api/... of this installation, such as http://10.0.0.5:8080"
    )
    web_hosts: tuple[str, ...] = Field(
        default=(), description='a JSON list of hosts that scripts may ask, such as ["*.example.com"]; empty: all'
    )
    web_hosts_by_tenant: dict[str, tuple[str, ...]] = Field(
        default={}, description="the same for some tenants, a JSON object by their ids; both lists hold"
    )
    web_requests_per_minute: int = Field(default=600, ge=1, description="of scripts, for a tenant")
    web_requests_at_once: int = Field(default=16, ge=1, le=128, description="of scripts, for a tenant in one process")
    mail_server: str = Field(default="", description="sends mail of bots that have no server of their own")
    mail_port: int = Field(default=587, ge=1, le=65535, description="of that server")
    mail_user: str = Field(default="", description="empty: without a login")
    mail_password: SecretStr | None = Field(default=None, description="of that user")
    mail_from: str = Field(default="", description="sender of that mail, such as Parley <no-reply@example.com>")
    mail_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="starttls, tls (from the start) or none (only within a trusted network)"
    )
    mails_per_minute: int = Field(default=120, ge=1, description="of scripts, for a tenant")
    twilio_url: str = Field(default="https://api.twilio.com", description="where text messages by Twilio go")
    private_databases: bool = Field(
        default=False, description="connections of scripts may go to databases outside the public internet"
    )
    sqlite_folder: Path | None = Field(default=None, description="where SQLite files of bots are; none: no SQLite")
    sandbox_places: int = Field(default=4, ge=1, le=256, description="RUN PYTHON and the like at once in a process")
    sandbox_wait_seconds: float = Field(default=20.0, gt=0, description="time code waits for a place")
    sandbox_seconds: float = Field(
        default=60.0, gt=0, le=300, description="time code has, whatever a bot's config says"
    )
    sandbox_memory_mb: int = Field(default=512, ge=64, description="memory of code, whatever a bot's config says")
    history_limit: int = Field(default=10, ge=0, le=100)
    knowledge_floor: float = Field(default=0.0, ge=0, le=1)

    @field_validator("key_encryption_key")
    @classmethod
    def a_key(cls, value: SecretStr) -> SecretStr:
        """Exactly 32 bytes."""
        key_of(value)
        return value

    @field_validator("web_own_url")
    @classmethod
    def an_address(cls, value: str) -> str:
        """Empty or the beginning of an address."""
        if value and not value.startswith(("http://", "https://")):
            message = "expected an address such as http://10.0.0.5:8080"
            raise ValueError(message)
        return value.rstrip("/")

    @model_validator(mode="after")
    def a_sender(self) -> Self:
        """A mail server needs an address it sends as."""
        if self.mail_server and "@" not in self.mail_from:
            message = "mail_server needs mail_from, such as Parley <no-reply@example.com>"
            raise ValueError(message)
        return self

    @property
    def worker_name(self) -> str:
        """Unique per process."""
        return f"{socket.gethostname()}-{os.getpid()}"
