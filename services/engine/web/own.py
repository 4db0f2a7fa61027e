"""The client for the one server that the installation itself names: its own API, wherever that stands."""

import socket
from typing import Any

from yarl import URL

from services.common.security.safe_client import SafeClient, UnsafeAddress, parsed


class OwnClient(SafeClient):
    """Asks one origin, which may be inside our network, and nothing else; redirects do not leave it."""

    def __init__(self, origin: str, connections: int = 32) -> None:
        super().__init__(connections=connections)
        self._origin = URL(origin).origin()

    def target(self, url: str) -> URL:
        """The parsed address. UnsafeAddress."""
        target = parsed(url)
        if target.origin() != self._origin:
            raise UnsafeAddress("an address of this installation")
        return target

    def _may(self, host: str, text: str) -> bool:
        return host == self._origin.host and bool(text)

    def _socket(self, info: Any) -> socket.socket:  # noqa: ANN401 - aiohttp's tuple
        family, kind, protocol, _, _ = info
        return socket.socket(family, kind, protocol)
