"""Settings: environment, then file, then defaults; checked at start, secrets masked."""

import os
import sys
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    YamlConfigSettingsSource,
)
from yaml import YAMLError

S = TypeVar("S", bound="Settings")
PREFIX = "PARLEY_"
SECRETS_DIR, SETTINGS_FILE = f"{PREFIX}SECRETS_DIR", f"{PREFIX}SETTINGS_FILE"


class Settings(BaseSettings):
    """What every service needs. A service adds its own in a subclass."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(ge=1, le=65535)
    operations_port: int = Field(ge=1, le=65535)
    processes: int = Field(default=1, ge=1, le=64)
    postgres_dsn: SecretStr | None = None
    postgres_relay_dsn: SecretStr | None = None
    postgres_owner_dsn: SecretStr | None = None
    postgres_pool_size: int = Field(default=8, ge=1, le=100)
    nats_url: SecretStr | None = None
    valkey_url: SecretStr | None = None
    mesh_key_file: Path
    mesh_jwks_file: Path
    token_issuer: str = "parley"
    token_audience: str = "parley-api"
    token_jwks_url: str = ""
    session_address: str = ""
    engine_address: str = ""
    llm_address: str = ""
    kb_address: str = ""
    channels_address: str = ""
    drive_address: str = ""
    rpc_timeout: float = Field(default=10.0, gt=0, le=600)
    maximum_concurrent_calls: int = Field(default=1000, ge=1)
    drain_seconds: float = Field(default=0.0, ge=0)
    stop_seconds: float = Field(default=5.0, ge=0)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"
    otlp_endpoint: str = ""
    page_token_secret: SecretStr
    request_days: int = Field(default=7, ge=1, le=365, description="how long a request_id is remembered")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, that over secret files, those over the settings file."""
        sources = [init_settings, env_settings]
        if os.environ.get(SECRETS_DIR):
            sources.append(file_secret_settings)
        settings_file = os.environ.get(SETTINGS_FILE)
        if settings_file:
            sources.append(YamlConfigSettingsSource(settings_cls, yaml_file=settings_file))
        return tuple(sources)

    def address(self, service: str) -> str:
        """Where a peer is, a gRPC target. Empty when not configured."""
        return str(getattr(self, f"{service}_address"))


def load(kind: type[S]) -> S:
    """Read and check; ends the process with a line per wrong setting."""
    options: dict[str, Any] = {}
    for variable, is_there in ((SECRETS_DIR, Path.is_dir), (SETTINGS_FILE, Path.is_file)):
        named = os.environ.get(variable)
        if named and not is_there(Path(named)):
            sys.exit(f"{variable}: expected something to read there, found nothing")
    if os.environ.get(SECRETS_DIR):
        options["_secrets_dir"] = os.environ[SECRETS_DIR]
    try:
        return kind(**options)
    except ValidationError as error:
        sys.exit("\n".join(complaint(dict(item)) for item in error.errors(include_input=False)))
    except SettingsError as error:
        sys.exit(f"{PREFIX}*: {error}")
    except YAMLError:
        sys.exit(f"{SETTINGS_FILE}: expected YAML")


def complaint(item: dict[str, object]) -> str:
    """One line: the variable and what was expected. Never its value."""
    where = item["loc"]
    name = "_".join(str(part) for part in where) if isinstance(where, tuple) else str(where)
    return f"{PREFIX}{name.upper()}: {item['msg']}"
