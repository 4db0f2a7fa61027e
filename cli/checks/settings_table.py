"""The settings of each service as Markdown, made from the settings classes: python -m cli.checks.settings_table."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from gateway.realtime.config import RealtimeSettings
from gateway.web.config import WebSettings
from services.channels.config import ChannelsSettings
from services.common.config import PREFIX, Settings
from services.drive.config import DriveSettings
from services.engine.config import EngineSettings
from services.kb.config import KbSettings
from services.llm.config import LlmSettings
from services.session.config import SessionSettings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
BEGIN, END = "<!-- settings: begin -->", "<!-- settings: end -->"
HEAD = "| variable | default | range | meaning |\n|---|---|---|---|"
KINDS: dict[str, type[Settings]] = {
    "every service": Settings,
    "session": SessionSettings,
    "engine": EngineSettings,
    "llm": LlmSettings,
    "kb": KbSettings,
    "channels": ChannelsSettings,
    "drive": DriveSettings,
    "realtime": RealtimeSettings,
    "web": WebSettings,
}
# For fields that carry no description of their own.
WORDS = {
    "host": "address of both listeners",
    "port": "gRPC; sockets for realtime; not used by web",
    "operations_port": "HTTP: metrics, health, pages, webhooks, keys",
    "processes": "copies of the process that share the gRPC port; copy n has operations port + n",
    "postgres_dsn": "as parley_app",
    "postgres_relay_dsn": "as parley_relay, for sweepers; empty: the one above",
    "postgres_owner_dsn": "as parley_owner; only migrations read it",
    "postgres_pool_size": "connections of a process",
    "nats_url": "nats://user:password@host:port",
    "valkey_url": "redis://:password@host:port/0; empty: nothing is cached",
    "mesh_key_file": "the Ed25519 private key of this service, PEM",
    "mesh_jwks_file": "public keys of all services, a JWKS",
    "token_issuer": "of people's tokens",
    "token_audience": "of people's tokens",
    "token_jwks_url": "where session publishes its keys",
    "session_address": "gRPC target, such as ipv4:10.0.0.1:7001,10.0.0.2:7001",
    "engine_address": "the same",
    "llm_address": "the same",
    "kb_address": "the same",
    "channels_address": "the same",
    "drive_address": "the same",
    "rpc_timeout": "seconds a call to another service may take",
    "maximum_concurrent_calls": "more are refused with RESOURCE_EXHAUSTED",
    "drain_seconds": "between not ready and the stop, for balancers to notice",
    "stop_seconds": "calls under way may take at the stop",
    "log_level": "DEBUG, INFO, WARNING, ERROR",
    "log_format": "json or console",
    "otlp_endpoint": "traces go there by OTLP over gRPC",
    "page_token_secret": "signs page tokens, keys the digests of requests; the same for all processes",
    "key_encryption_key": "base64 of 32 random bytes: seals keys and secrets; the same for session, channels, engine",
    "admin_password_file": "one-time password of the first start; empty: one is made and written to standard error",
    "oidc_issuers": "a JSON list, see docs/architecture/identity.md",
    "access_token_seconds": "how long an access token works",
    "refresh_token_days": "how long a refresh token works",
    "signing_key_days": "then the next key signs",
    "argon2_memory_kib": "cost of a password",
    "argon2_iterations": "cost of a password",
    "argon2_workers": "passwords worked on at a time",
    "maximum_sessions_per_person": "open at a time",
    "ticket_seconds": "how long a ticket opens a socket",
    "turn_nodes": "steps of a script in one turn",
    "history_limit": "earlier lines a model is shown",
    "knowledge_floor": "similarity below which a passage is not used for an answer",
    "openai_api_key": "see README.md",
    "openai_model": "see README.md",
    "openai_embedding_model": "offered by the API; search uses PARLEY_KB_EMBEDDING_MODEL",
    "llm_connect_seconds": "to a provider",
    "llm_first_token_seconds": "until an answer begins",
    "usage_queue_rows": "usage not written yet; more are lost and counted",
    "usage_batch_seconds": "between writes of usage",
    "qdrant_api_key": "of that cluster",
    "qdrant_collection": "in that cluster",
    "kb_embedding_model": "provider/model; another one needs its dimensions and all documents again",
    "kb_embedding_dimensions": "of that model",
    "kb_cache_seconds": "how long a search is remembered",
    "kb_largest_file_bytes": "of a document",
    "webhook_body_bytes": "of what comes in",
    "webhook_burst": "taken at once",
    "s3_access_key": "of the object store",
    "s3_secret_key": "of the object store",
    "s3_bucket": "made when it is not there",
    "s3_region": "that addresses are signed for",
    "s3_connect_seconds": "to the store",
    "public_url": "where people reach the edge; pages of this origin may open sockets",
    "frame_bytes": "of a message from a client",
    "messages_per_minute": "of a connection",
    "frames_per_minute": "of a connection",
    "maximum_connections": "of a process",
    "first_frame_seconds": "until a client must have spoken",
    "ping_seconds": "of silence before a ping",
    "embedding_threads": "of the local embedder",
    "s3_public_url": "where people reach the object store",
    "default_bot": "who answers at /",
    "openapi_file": "that protos/build.py made",
    "frame_ancestors": "sites that may show /chat/<bot> in a frame",
}
BOUNDS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}"}


def shown_default(field: FieldInfo) -> str:
    """What a variable is when it is not set; nothing is shown for an empty one."""
    if field.is_required():
        return "**required**"
    default = field.get_default(call_default_factory=True)
    if default is None or default in ("", {}, ()):
        return "–"
    if isinstance(default, tuple):
        return "`[" + ", ".join(f"{item:g}" for item in default) + "]`"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def shown_range(field: FieldInfo) -> str:
    """Bounds of a number."""
    limits = ((template, getattr(item, name, None)) for item in field.metadata for name, template in BOUNDS.items())
    return ", ".join(template.format(limit) for template, limit in limits if limit is not None)


def row(name: str, field: FieldInfo) -> str:
    """A line of the table."""
    secret = " Secret." if SecretStr.__name__ in str(field.annotation) else ""
    meaning = (field.description or WORDS.get(name, "")) + secret
    return f"| `{PREFIX}{name.upper()}` | {shown_default(field)} | {shown_range(field)} | {meaning.strip()} |"


def own_fields(kind: type[Settings]) -> Iterator[tuple[str, FieldInfo]]:
    """What a service has beside what all have."""
    common: dict[str, Any] = {} if kind is Settings else Settings.model_fields
    return ((name, field) for name, field in kind.model_fields.items() if name not in common)


def tables() -> str:
    """All tables, a heading each."""
    parts = []
    for title, kind in KINDS.items():
        lines = [row(name, field) for name, field in own_fields(kind)]
        parts.append("\n".join([f"#### {title}", "", HEAD, *lines]))
    return "\n\n".join(parts)


def placed(page: str) -> str:
    """The page with the tables between their marks. ValueError when it has no marks."""
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        message = f"expected {BEGIN} and {END}"
        raise ValueError(message)
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


def write(page: Path = PAGE) -> None:
    """Put the tables into the page. OSError, ValueError."""
    page.write_text(placed(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    if "--print" in sys.argv[1:]:
        print(tables())
    else:
        write()
