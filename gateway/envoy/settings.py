"""What the edge is told: where it listens, where the upstreams are, its limits. By command line or YAML file."""

import ipaddress
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

ROOMS = ("session", "engine", "llm", "kb", "channels", "drive")


class SettingsError(ValueError):
    """Settings that cannot be used; one line a field: name, what was expected."""


class Endpoint(BaseModel):
    """One address, host a name or an IP."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    host: str = Field(min_length=1)
    port: int = Field(ge=1, le=65535)

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `host:port` or `[v6]:port`. SettingsError."""
        host, _, port = text.rpartition(":")
        if not host or not port.isdecimal() or not 1 <= int(port) <= 65535:
            raise SettingsError(f"{text!r}: expected host:port")
        return cls(host=host.removeprefix("[").removesuffix("]"), port=int(port))

    @property
    def numeric(self) -> bool:
        """The host is an IP address, so nothing is to be resolved."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True


class Limits(BaseModel):
    """Bounds of the edge. Times in seconds, sizes in bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    requests_per_second: int = Field(default=50_000, ge=1, description="per Envoy process; above it 429")
    burst: int = Field(default=100_000, ge=1)
    guarded_methods: tuple[str, ...] = Field(
        default=(
            "/parley.session.v1.AuthService/SignIn",
            "/parley.session.v1.AuthService/ExchangeToken",
            "/parley.session.v1.UserService/ChangePassword",
        ),
        description="where secrets are guessed: limited by client address",
    )
    guarded_per_second: int = Field(default=5, ge=1)
    guarded_burst: int = Field(default=100, ge=1)
    connections: int = Field(default=50_000, ge=1)
    heap_bytes: int = Field(default=1 << 30, ge=64 << 20)
    json_body_bytes: int = Field(
        default=(4 << 20) + (64 << 10), ge=1024, description="3 MiB of bytes as base64, and what is around them"
    )
    json_response_bytes: int = Field(default=16 << 20, ge=1024)
    webhook_body_bytes: int = Field(default=1 << 20, ge=1024)
    script_seconds: float = Field(default=30, gt=0, description="a webhook of a bot; longer than engines wait for it")
    page_body_bytes: int = Field(default=64 << 10, ge=0)
    upload_bytes: int = Field(default=100 << 20, ge=1024)
    headers_seconds: float = Field(default=10, gt=0, description="a slow-loris is cut after this")
    request_seconds: float = Field(default=300, gt=0, description="headers and body of an ordinary request")
    unary_seconds: float = Field(default=15, gt=0)
    idle_seconds: float = Field(default=300, gt=0, description="silence on an ordinary stream")
    stream_idle_seconds: float = Field(default=3600, gt=0, description="silence on a streamed turn or a WebSocket")
    clock_skew_seconds: int = Field(default=5, ge=0, le=60)
    keys_seconds: float = Field(
        default=60, gt=0, description="how long verification keys are kept before they are read again"
    )
    method_seconds: dict[str, float] = Field(
        default_factory=lambda: {
            "/parley.llm.v1.LlmService/Complete": 120.0,
            "/parley.llm.v1.LlmService/Embed": 60.0,
            "/parley.kb.v1.KbService/ImportDocument": 60.0,
            "/parley.engine.v1.BotService/PublishBot": 30.0,
        },
        description="deadlines of single methods, by gRPC path",
    )


class Certificate(BaseModel):
    """Files of a TLS certificate chain and its key, PEM; read again when they change."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    chain: Path
    key: Path


class EdgeSettings(BaseModel):
    """All of it. `services` and `operations` are addresses by room; several are balanced."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    descriptors: Path
    out: Path
    port: int = Field(ge=1, le=65535)
    host: str = "127.0.0.1"
    admin_socket: Path
    services: dict[str, tuple[Endpoint, ...]]
    operations: dict[str, tuple[Endpoint, ...]]
    realtime: tuple[Endpoint, ...]
    web: tuple[Endpoint, ...]
    s3: tuple[Endpoint, ...]
    s3_bucket: str = Field(default="parley-files", pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    allowed_origins: tuple[str, ...] = ()
    trusted_hops: int = Field(
        default=0, ge=0, description="proxies in front that may be believed about the client's address"
    )
    issuer: str = "parley"
    audience: str = "parley-api"
    metrics: Endpoint | None = None
    traces: tuple[Endpoint, ...] = ()
    tls: Certificate | None = None
    access_log: str = "/dev/stdout"
    limits: Limits = Limits()

    @field_validator("realtime", "web", "s3", "traces", mode="before")
    @classmethod
    def _endpoints(cls, given: object) -> object:
        return _endpoints(given)

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(origin.rstrip("/") for origin in given)

    @field_validator("services", "operations", mode="before")
    @classmethod
    def _rooms(cls, given: object) -> object:
        return {room: _endpoints(value) for room, value in given.items()} if isinstance(given, dict) else given

    @field_validator("metrics", mode="before")
    @classmethod
    def _metrics(cls, given: object) -> object:
        return Endpoint.parse(given) if isinstance(given, str) else given

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [f"services.{room}" for room in ROOMS if not self.services.get(room)]
        missing += [f"operations.{room}" for room in ("session", "channels") if not self.operations.get(room)]
        if missing:
            message = f"expected an address for {', '.join(missing)}"
            raise ValueError(message)
        if len(str(self.admin_socket)) > 100:
            message = f"admin_socket: a path of a socket has at most 100 characters, got {len(str(self.admin_socket))}"
            raise ValueError(message)
        return self


def from_mapping(given: dict[str, Any]) -> EdgeSettings:
    """Checked settings. SettingsError."""
    try:
        return EdgeSettings.model_validate(given)
    except ValidationError as error:
        lines = (f"{'.'.join(map(str, line['loc'])) or 'settings'}: {line['msg']}" for line in error.errors())
        raise SettingsError("\n".join(lines)) from error


def from_file(path: Path, **overrides: object) -> EdgeSettings:
    """From a YAML file; what is given besides wins. OSError, SettingsError."""
    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise SettingsError(f"{path}: {error}") from error
    if not isinstance(given, dict):
        raise SettingsError(f"{path}: expected a mapping")
    return from_mapping({**given, **{name: value for name, value in overrides.items() if value is not None}})


def _endpoints(given: object) -> object:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list | tuple):
        return given
    return tuple(Endpoint.parse(text) if isinstance(text, str) else text for text in texts)
