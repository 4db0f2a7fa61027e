"""The gRPC server of a process: methods wrapped once, health with Watch, reflection, drain."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from services.common.config import Settings
from services.common.rpc.around import Concerns, compile_rules
from services.common.rpc.handlers import Handlers, describe, wrap
from services.common.security.tokens import TokenVerifier
from services.common.telemetry.metrics import Metrics
from services.common.telemetry.tracing import Tracing

LARGEST_MESSAGE = 4 * 1024 * 1024
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


class Registrar:
    """Stands in for a grpc server while a generated function registers a servicer: takes the handlers out."""

    def __init__(self) -> None:
        self.handlers: dict[str, Any] = {}

    def add_generic_rpc_handlers(self, generic_rpc_handlers: Any) -> None:  # noqa: ANN401
        """Older generated code offers the handlers this way too."""

    def add_registered_method_handlers(self, service_name: str, method_handlers: dict[str, Any]) -> None:
        """Generated code offers the handlers this way."""
        self.handlers.update({f"/{service_name}/{name}": handler for name, handler in method_handlers.items()})


class RpcServer:
    """Register with add(), then start(), then stop()."""

    def __init__(self, settings: Settings, verifier: TokenVerifier, metrics: Metrics, tracing: Tracing) -> None:
        self._settings = settings
        self._concerns = Concerns(verifier, metrics, tracing)
        self._handlers = Handlers()
        self._names: list[str] = []
        self._server: grpc.aio.Server | None = None
        self.health = HealthServicer()

    def add(self, add_to_server: Callable[[Any, Any], None], servicer: object, descriptor: ServiceDescriptor) -> None:
        """Register a servicer. RuntimeError when a method declares no access."""
        registrar = Registrar()
        add_to_server(servicer, registrar)
        for method_descriptor in descriptor.methods:
            method = describe(method_descriptor)
            compile_rules(GetMessageClass(method_descriptor.input_type)())
            self._handlers.methods[method.path] = wrap(registrar.handlers[method.path], method, self._concerns.around)
        self._names.append(descriptor.full_name)

    async def start(self) -> None:
        """Bind and serve, unless nothing was registered. OSError when the port is taken."""
        if not self._names:
            return
        server = grpc.aio.server(
            options=[
                ("grpc.so_reuseport", 1 if self._settings.processes > 1 else 0),
                ("grpc.max_receive_message_length", LARGEST_MESSAGE),
                ("grpc.max_send_message_length", LARGEST_MESSAGE),
                ("grpc.http2.min_recv_ping_interval_without_data_ms", 5_000),
                ("grpc.keepalive_permit_without_calls", 1),
                ("grpc.max_connection_age_ms", 120_000),
                ("grpc.max_connection_age_grace_ms", 600_000),
            ],
            maximum_concurrent_rpcs=self._settings.maximum_concurrent_calls,
        )
        server.add_generic_rpc_handlers((self._handlers,))
        health_pb2_grpc.add_HealthServicer_to_server(self.health, server)
        reflection.enable_server_reflection([*self._names, reflection.SERVICE_NAME], server)
        address = f"{self._settings.host}:{self._settings.port}"
        try:
            bound = server.add_insecure_port(address)
        except RuntimeError as error:
            message = f"{address} is taken; choose another PARLEY_PORT"
            raise OSError(message) from error
        if bound == 0:
            message = f"{address} is taken; choose another PARLEY_PORT"
            raise OSError(message)
        await server.start()
        self._server = server

    async def set_ready(self, ready: bool) -> None:
        """What health answers for the server and each of its services."""
        state = SERVING if ready else NOT_SERVING
        for name in ("", "readiness", *self._names):
            await self.health.set(name, state)
        await self.health.set("liveness", SERVING)

    async def stop(self, grace: float) -> None:
        """Say NOT_SERVING, let endpoints notice, then let calls finish for `grace` seconds."""
        await self.health.enter_graceful_shutdown()
        await asyncio.sleep(self._settings.drain_seconds)
        if self._server is not None:
            await self._server.stop(grace)
