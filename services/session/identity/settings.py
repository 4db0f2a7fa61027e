"""Settings of identity; the session service's settings extend them."""

import datetime
import json
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from services.common.config import Settings
from services.session.identity.roles import GRANTABLE
from services.session.identity.sealing import key_bytes
from services.session.token_store import Lifetimes

LOOPBACK = ("127.0.0.1", "localhost", "::1")
Algorithm = Literal["RS256", "ES256", "EdDSA"]


class OidcIssuer(BaseModel):
    """A trusted issuer. Its keys come from `jwks_url`, or from where its discovery document says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str = Field(min_length=1, max_length=512)
    audience: str = Field(min_length=1)
    jwks_url: str = ""
    tenant: str = "default"
    roles_claim: str = ""
    role_map: dict[str, str] = Field(default_factory=dict)
    algorithms: tuple[Algorithm, ...] = ("RS256", "ES256", "EdDSA")
    trust_email: bool = Field(default=False, description="believe its addresses though it does not say email_verified")
    link_by_email: bool = Field(default=False, description="its people take over accounts that have their address")

    @field_validator("role_map")
    @classmethod
    def known_roles(cls, value: dict[str, str]) -> dict[str, str]:
        """Only roles that exist."""
        unknown = sorted(set(value.values()) - GRANTABLE)
        if unknown:
            message = f"unknown role {unknown[0]}; known: {', '.join(sorted(GRANTABLE))}"
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def secure(self) -> "OidcIssuer":
        """Keys are fetched over https, but from this machine."""
        source = self.jwks_url or self.issuer
        if not self.may_fetch(source):
            message = f"{source}: expected an https address"
            raise ValueError(message)
        return self

    @staticmethod
    def may_fetch(url: str) -> bool:
        """Whether keys may come from there."""
        parts = urlsplit(url)
        return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)

    @property
    def discovery_url(self) -> str:
        """Where its discovery document is."""
        return f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"


class IdentitySettings(Settings):
    """How people are known, and for how long."""

    key_encryption_key: SecretStr
    admin_password_file: Path | None = None
    oidc_issuers: Annotated[tuple[OidcIssuer, ...], NoDecode] = ()
    access_token_seconds: int = Field(default=900, ge=30, le=3600)
    refresh_token_days: int = Field(default=30, ge=1, le=365)
    refresh_family_days: int = Field(
        default=90, ge=1, le=730, description="a sign-in ends after this, however often renewed"
    )
    refresh_repeat_seconds: int = Field(
        default=30,
        ge=0,
        le=600,
        description="a refresh whose answer was lost may be repeated for so long; 0: not at all",
    )
    signing_key_days: int = Field(default=30, ge=1, le=365)
    signing_key_lead_seconds: int = Field(default=900, ge=0, le=86_400, description="published before it signs")
    argon2_memory_kib: int = Field(default=65_536, ge=8)
    argon2_iterations: int = Field(default=3, ge=1)
    argon2_workers: int = Field(default=2, ge=1, le=16)

    @field_validator("key_encryption_key")
    @classmethod
    def thirty_two_bytes(cls, value: SecretStr) -> SecretStr:
        """Base64 of 32 bytes."""
        key_bytes(value)
        return value

    @field_validator("oidc_issuers", mode="before")
    @classmethod
    def from_json(cls, value: object) -> object:
        """A JSON list, or a list from a settings file."""
        return json.loads(value) if isinstance(value, str) else value

    @property
    def access_token_lifetime(self) -> datetime.timedelta:
        """Of tokens given at sign-in."""
        return datetime.timedelta(seconds=self.access_token_seconds)

    @property
    def lifetimes(self) -> Lifetimes:
        """Of refresh tokens and of a sign-in as a whole."""
        return Lifetimes(
            refresh=datetime.timedelta(days=self.refresh_token_days),
            family=datetime.timedelta(days=self.refresh_family_days),
            repeat=datetime.timedelta(seconds=self.refresh_repeat_seconds),
        )
