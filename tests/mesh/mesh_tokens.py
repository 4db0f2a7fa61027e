"""Tokens as the installation would make them, and as somebody would forge them."""

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from services.session.identity.sealing import Sealer, key_bytes
from tests.mesh.mesh_world import Mesh

NEWEST = "SELECT key_id || ' ' || encode(private_sealed, 'hex') FROM session.signing_keys ORDER BY activate_at LIMIT 1"


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Forge:
    """Signs with a key: the installation's own, taken from its database, or another."""

    key_id: str
    key: Ed25519PrivateKey
    tenant: str

    @classmethod
    async def stolen(cls, mesh: Mesh) -> "Forge":
        """With the key that the installation signs with."""
        assert mesh.stack.postgres is not None
        key_id, sealed = str(await mesh.stack.postgres.value(NEWEST)).split()
        sealer = Sealer(key_bytes(SecretStr(mesh.stack.secrets["key_encryption"])))
        kept = json.loads(sealer.open(bytes.fromhex(sealed), f"session.signing_keys|{key_id}"))
        raw = base64.urlsafe_b64decode(kept["d"] + "==")
        return cls(key_id, Ed25519PrivateKey.from_private_bytes(raw), mesh.tenant)

    def foreign(self) -> "Forge":
        """Another installation's: its own key under the same name."""
        return Forge(self.key_id, Ed25519PrivateKey.generate(), self.tenant)

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)

    @property
    def public_pem(self) -> bytes:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, form)

    def token(self, header: Mapping[str, Any] | None = None, secret: bytes = b"", **claims: Any) -> str:
        """A visitor's token with these changes; `secret`: for HS256."""
        now = int(time.time())
        body: dict[str, Any] = {
            "iss": "parley",
            "aud": "parley-api",
            "sub": f"visitors/{uuid.uuid4()}",
            "tid": self.tenant,
            "roles": ["visitor"],
            "scope": "",
            "iat": now,
            "exp": now + 300,
            "jti": uuid.uuid4().hex,
        }
        head = {"typ": "at+jwt", "alg": "EdDSA", "kid": self.key_id} | dict(header or {})
        whole = {name: value for name, value in (body | claims).items() if value is not None}
        signed = f"{encoded(json.dumps(head).encode())}.{encoded(json.dumps(whole).encode())}"
        return f"{signed}.{encoded(self._signature(str(head['alg']), signed.encode(), secret))}"

    def _signature(self, algorithm: str, signed: bytes, secret: bytes) -> bytes:
        if algorithm.lower() == "none":
            return b""
        if algorithm == "HS256":
            return hmac.digest(secret, signed, hashlib.sha256)
        return self.key.sign(signed)
