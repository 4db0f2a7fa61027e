"""Connections to mail servers that a bot names: to the public internet and nowhere else."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from services.common.security import safe_addresses
from services.common.security.safe_client import Lookup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.engine.mail.accounts import Account


class HostRefused(OSError):
    """A host that must not be connected to."""


async def addresses(account: Account, lookup: Lookup) -> Sequence[str]:
    """Where the server is. HostRefused when one of its addresses is not public and the installation did not name it."""
    if safe_addresses.literal(account.host) is not None:
        found: Sequence[str] = [account.host]
    else:
        found = await asyncio.get_running_loop().run_in_executor(None, lookup, account.host, account.port)
    if not account.own:
        for text in found:
            address = safe_addresses.literal(text)
            if address is None or safe_addresses.closed_because(address):
                raise HostRefused
    return found


async def connected(account: Account, lookup: Lookup) -> socket.socket:
    """A socket that is connected to one of exactly the addresses that were checked. OSError."""
    failure = OSError("no address")
    for text in await addresses(account, lookup):
        made = socket.socket(socket.AF_INET6 if ":" in text else socket.AF_INET, socket.SOCK_STREAM)
        made.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(made, (text, account.port))
        except OSError as error:
            made.close()
            failure = error
        except BaseException:
            made.close()
            raise
        else:
            return made
    raise failure
