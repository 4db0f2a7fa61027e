"""The key-encryption key: seals what must rest encrypted."""

import base64
import binascii
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

KEY_BYTES = 32
NONCE_BYTES = 12


class SealBroken(Exception):
    """The sealed bytes do not open with this key and place."""


def key_bytes(setting: SecretStr) -> bytes:
    """The 32 bytes of a base64 setting. Raises ValueError that does not quote it."""
    try:
        key = base64.b64decode(setting.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        message = "expected 32 random bytes in base64, for example from: openssl rand -base64 32"
        raise ValueError(message)
    return key


class Sealer:
    """AES-256-GCM. Every seal is bound to the place it is kept: "table|id"."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)
        self.fingerprint = hashlib.sha256(b"parley/fingerprint" + key).digest()[:8]

    def seal(self, plain: bytes, place: str) -> bytes:
        """Nonce and ciphertext."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """The plain bytes. Raises SealBroken for another key, another place or changed bytes."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError) as error:
            raise SealBroken(place) from error
