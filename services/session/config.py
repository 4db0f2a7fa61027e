"""Settings of the session service."""

import datetime

from pydantic import Field

from services.session.identity.settings import IdentitySettings


class SessionSettings(IdentitySettings):
    """What the ledger needs beside what identity needs."""

    session_timeout_seconds: int = Field(default=86_400, ge=10, description="idle time after which a session expires")
    maximum_sessions_per_person: int = Field(default=100, ge=1)
    ticket_seconds: int = Field(default=30, ge=1, le=300)
    sweep_interval: float = Field(default=0.5, gt=0, description="seconds between looks for forgotten work")
    sweep_grace: float = Field(default=1.0, gt=0, description="seconds a doorbell has before the sweeper rings again")
    message_key_days: int = Field(default=30, ge=1, description="how long a repeated message is recognised")

    @property
    def session_timeout(self) -> datetime.timedelta:
        """Idle time after which a session expires."""
        return datetime.timedelta(seconds=self.session_timeout_seconds)
