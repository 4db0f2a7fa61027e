"""Settings of the session service."""

import datetime
from pathlib import Path

from pydantic import Field, SecretStr

from services.common.config import Settings


class SessionSettings(Settings):
    """What the session service needs beside what every service needs."""

    session_timeout_seconds: int = Field(default=86_400, ge=10, description="idle time after which a session expires")
    maximum_sessions_per_person: int = Field(default=100, ge=1)
    ticket_seconds: int = Field(default=30, ge=1, le=300)
    sweep_interval: float = Field(default=0.5, gt=0, description="seconds between looks for forgotten work")
    sweep_grace: float = Field(default=1.0, gt=0, description="seconds a doorbell has before the sweeper rings again")
    message_key_days: int = Field(default=30, ge=1, description="how long a repeated message is recognised")
    key_encryption_key: SecretStr
    admin_password_file: Path | None = None
    oidc_issuers: str = Field(default="[]", description="JSON list of trusted OIDC issuers")
    access_token_seconds: int = Field(default=900, ge=30)
    refresh_token_days: int = Field(default=30, ge=1)
    argon2_memory_kib: int = Field(default=65_536, ge=8)
    argon2_iterations: int = Field(default=3, ge=1)

    @property
    def session_timeout(self) -> datetime.timedelta:
        """Idle time after which a session expires."""
        return datetime.timedelta(seconds=self.session_timeout_seconds)
