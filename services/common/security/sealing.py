"""Secrets at rest: AES-256-GCM under one key, bound to the place they are kept in."""

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from services.common.errors import Internal

KEY_BYTES, NONCE_BYTES = 32, 12


def key_of(setting: SecretStr) -> bytes:
    """The 32 bytes of a base64 setting. ValueError, which does not quote it."""
    try:
        key = base64.b64decode(setting.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        message = "expected 32 random bytes in base64, for example from: openssl rand -base64 32"
        raise ValueError(message)
    return key


class Vault:
    """Seals under a key of 32 bytes. A place, such as ("channels.secrets", tenant, channel), is not secret."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes, *place: str) -> bytes:
        """Nonce and ciphertext: 28 bytes more than the plain ones."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, joined(place))

    def unseal(self, sealed: bytes, *place: str) -> bytes:
        """The plain bytes. Internal for another key, another place or changed bytes."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], joined(place))
        except (InvalidTag, ValueError):
            raise Internal("a secret cannot be opened: is PARLEY_KEY_ENCRYPTION_KEY another one?") from None


def joined(place: tuple[str, ...]) -> bytes:
    """Parts with their lengths: two places are never the same bytes."""
    return b"".join(b"%d:%s" % (len(part.encode()), part.encode()) for part in place)
