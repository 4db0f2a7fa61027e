"""Wiring of the channels service: the only place that knows concretes."""

from parley.channels.v1 import channel_service_pb2, channel_service_pb2_grpc
from parley.session.v1 import ledger_service_pb2_grpc

from services.channels.adapters.registry import Registry
from services.channels.adapters.web.adapter import WebAdapter
from services.channels.adapters.webhook.adapter import WebhookAdapter
from services.channels.api.channels import ChannelApi
from services.channels.api.webhooks import WebhookRoutes
from services.channels.collecting import Collector
from services.channels.config import ChannelsSettings
from services.channels.receiving import Receiver
from services.channels.sending import Sender
from services.channels.store.channels import Channels
from services.channels.store.deliveries import Deliveries
from services.channels.store.receipts import Receipts
from services.common.db import requests
from services.common.security.safe_client import SafeClient
from services.common.security.sealing import Vault, key_of
from services.common.service import Chassis


class ChannelsService:
    """Channels, messages in, replies out."""

    name = "channels"

    def __init__(self) -> None:
        self._client: SafeClient | None = None

    async def open(self, chassis: Chassis) -> None:
        """Build and register."""
        settings = chassis.settings
        if not isinstance(settings, ChannelsSettings):
            message = "the channels service needs ChannelsSettings"
            raise TypeError(message)
        chassis.require("nats")
        self._client = client = SafeClient(loopback=settings.loopback_webhooks)
        webhook = WebhookAdapter(client, tolerance=settings.signature_tolerance, seconds=settings.delivery_seconds)
        registry = Registry((WebAdapter(), webhook))
        vault = Vault(key_of(settings.key_encryption_key))
        asked = requests.RequestLog("channels", settings.page_token_secret)
        channels = Channels(chassis.database, chassis.relay_database, vault, asked)
        deliveries = Deliveries(chassis.database, chassis.relay_database, channels)
        api = ChannelApi(registry, channels, deliveries, settings.page_token_secret, float(settings.rotation_seconds))
        chassis.server.add(
            channel_service_pb2_grpc.add_ChannelServiceServicer_to_server,
            api,
            channel_service_pb2.DESCRIPTOR.services_by_name["ChannelService"],
        )
        self._add_traffic(chassis, settings, registry, channels, deliveries)

    def _add_traffic(
        self,
        chassis: Chassis,
        settings: ChannelsSettings,
        registry: Registry,
        channels: Channels,
        deliveries: Deliveries,
    ) -> None:
        ledger = ledger_service_pb2_grpc.LedgerServiceStub(chassis.mesh.channel("session"))
        receiver = Receiver(ledger, Receipts(chassis.database), settings.webhook_seconds)
        WebhookRoutes(settings, channels, registry, receiver).add_to(chassis.operations.application)
        sender = Sender(settings, registry, channels, deliveries)
        collector = Collector(settings, ledger, deliveries, sender.ring)
        chassis.tasks.spawn("deliveries", lambda: collector.consume(chassis.bus))
        chassis.tasks.spawn("deliveries sweep", collector.sweep)
        chassis.tasks.spawn("sending", sender.run)
        chassis.tasks.spawn("tidying", sender.tidy)
        chassis.tasks.spawn("old requests", lambda: requests.keep_tidy(chassis.relay_database, settings.request_days))

    async def close(self) -> None:
        """Close connections to receivers."""
        if self._client is not None:
            await self._client.close()
