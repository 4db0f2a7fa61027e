"""An installation to talk to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import grpc.aio
from google.protobuf.message import Message
from parley.session.v1 import identity_service_pb2 as service_pb
from parley.session.v1 import identity_service_pb2_grpc as service_grpc

from services.common.errors import from_status
from services.common.service import Chassis
from services.session.identity.settings import IdentitySettings
from services.session.identity.wiring import Identity
from tests.integration.session_identity.outside import OutsideIssuer

M = TypeVar("M", bound=Message)
ADMIN_PASSWORD = "correct horse battery staple"
TIMEOUT = 20.0


class Channel:
    """A channel whose errors are the tree, as callers inside the mesh see them."""

    def __init__(self, address: str) -> None:
        self.channel = grpc.aio.insecure_channel(address)
        self.auth = service_grpc.AuthServiceStub(self.channel)
        self.users = service_grpc.UserServiceStub(self.channel)
        self.api_keys = service_grpc.ApiKeyServiceStub(self.channel)
        self.tenants = service_grpc.TenantServiceStub(self.channel)

    async def call(self, method: Callable[..., Awaitable[M]], request: Message, token: str = "") -> M:
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        try:
            return await method(request, timeout=TIMEOUT, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            raise from_status(error) from None


@dataclass
class World:
    """One installation."""

    chassis: Chassis
    identity: Identity
    client: Channel
    settings: IdentitySettings
    issuer: OutsideIssuer
    superuser_dsn: str
    owner_dsn: str
    first: service_pb.TokenSet = field(default_factory=service_pb.TokenSet)

    @property
    def operations(self) -> str:
        return f"http://127.0.0.1:{self.settings.operations_port}"
