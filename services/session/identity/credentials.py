"""API keys and refresh tokens: random strings that say which tenant to look in, and the hash that is stored."""

import base64
import binascii
import hashlib
import re
import secrets
import uuid
from dataclasses import dataclass

KEY_ID = re.compile(r"[a-z2-7]{13}")
SECRET = re.compile(r"[A-Za-z0-9_-]{64}")
RANDOM_BYTES = 32


@dataclass(frozen=True, slots=True)
class Credential:
    """What a secret string says about itself. The text is kept out of repr."""

    tenant_id: uuid.UUID
    digest: bytes
    key_id: str = ""


def new_api_key(tenant_id: uuid.UUID) -> tuple[str, Credential]:
    """`pk_<id>_<secret>`: the secret is the tenant and 256 random bits."""
    key_id = base64.b32encode(secrets.token_bytes(8)).decode().rstrip("=").lower()
    text = f"pk_{key_id}_{_secret(tenant_id)}"
    return text, Credential(tenant_id, _digest(text), key_id)


def parse_api_key(text: str) -> Credential | None:
    """The parts of an API key, or None for anything else."""
    prefix, _, rest = text.partition("_")
    key_id, _, secret = rest.partition("_")
    tenant_id = _tenant(secret)
    if prefix != "pk" or tenant_id is None or not KEY_ID.fullmatch(key_id):
        return None
    return Credential(tenant_id, _digest(text), key_id)


def new_refresh_token(tenant_id: uuid.UUID) -> tuple[str, Credential]:
    """`rt_<secret>`: the tenant and 256 random bits."""
    text = f"rt_{_secret(tenant_id)}"
    return text, Credential(tenant_id, _digest(text))


def parse_refresh_token(text: str) -> Credential | None:
    """The parts of a refresh token, or None for anything else."""
    prefix, _, secret = text.partition("_")
    tenant_id = _tenant(secret)
    return Credential(tenant_id, _digest(text)) if prefix == "rt" and tenant_id else None


def _secret(tenant_id: uuid.UUID) -> str:
    return base64.urlsafe_b64encode(tenant_id.bytes + secrets.token_bytes(RANDOM_BYTES)).decode()


def _tenant(secret: str) -> uuid.UUID | None:
    if not SECRET.fullmatch(secret):
        return None
    try:
        return uuid.UUID(bytes=base64.urlsafe_b64decode(secret)[:16])
    except binascii.Error:
        return None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
