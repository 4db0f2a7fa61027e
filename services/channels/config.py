"""Settings of the channels service."""

from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from services.common.config import Settings
from services.common.security.sealing import key_of


class ChannelsSettings(Settings):
    """What the channels service needs beside what every service needs. Seconds, unless said otherwise."""

    key_encryption_key: SecretStr = Field(description="32 random bytes in base64: seals the signing secrets")
    loopback_webhooks: bool = Field(default=False, description="replies may go to this machine, by http too")
    webhook_body_bytes: int = Field(default=1024 * 1024, ge=1024, le=1024 * 1024)
    webhook_seconds: float = Field(default=10.0, gt=0, description="for a message in, body and ledger included")
    webhooks_per_second: float = Field(default=50.0, gt=0, description="messages in, a channel and process")
    webhook_burst: int = Field(default=200, ge=1)
    signature_tolerance: int = Field(default=300, ge=1, description="how far the clock of a sender may be off")
    rotation_seconds: int = Field(default=24 * 3600, ge=0, description="how long an old secret verifies")
    delivery_seconds: float = Field(default=15.0, gt=0, description="for one attempt")
    delivery_budget: float = Field(default=24 * 3600.0, gt=0, description="after this a reply is given up")
    delivery_lease: float = Field(default=30.0, gt=0, description="until the work of a dead sender is taken over")
    delivery_backoff: tuple[float, ...] = Field(
        default=(1, 5, 30, 120, 600, 3600), min_length=1, description="before each next attempt; the last one repeats"
    )
    deliveries_at_once: int = Field(default=64, ge=1, description="sessions served at a time")
    deliveries_per_channel: int = Field(default=8, ge=1, description="of these, of one channel")
    delivery_poll: float = Field(default=0.5, gt=0, description="between looks for replies that are due")
    collect_interval: float = Field(default=5.0, gt=0, description="between looks for replies that the bus lost")
    collect_age: float = Field(default=5.0, ge=0, description="how long a reply has to come by the bus")
    gap_seconds: float = Field(default=10.0, ge=0, description="how long a reply waits for one that may be missing")
    receipt_days: int = Field(default=30, ge=1, description="how long a webhook-id is known")
    delivery_days: int = Field(default=30, ge=1, description="how long a delivery is listed after its end")

    @field_validator("key_encryption_key")
    @classmethod
    def a_key(cls, value: SecretStr) -> SecretStr:
        """Exactly 32 bytes."""
        key_of(value)
        return value

    @model_validator(mode="after")
    def outlasting(self) -> Self:
        """A lease must outlast an attempt, or two processes would send the same reply."""
        if self.delivery_lease <= self.delivery_seconds + self.rpc_timeout:
            message = "delivery_lease: expected more than delivery_seconds and rpc_timeout together"
            raise ValueError(message)
        return self
