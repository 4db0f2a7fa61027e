"""ChannelService on the wire."""

import datetime
import uuid
from typing import Any

import grpc.aio
from google.protobuf import empty_pb2
from parley.channels.v1 import channel_service_pb2 as pb
from parley.channels.v1 import channel_service_pb2_grpc as channel_grpc
from pydantic import SecretStr

from services.channels.adapters.registry import Registry
from services.channels.store.channels import Change, Channels, kind_name
from services.channels.store.deliveries import Deliveries
from services.common import context
from services.common.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from services.common.identifiers import parse_name
from services.common.pagination import PageTokens, page_size
from services.common.security import webhook_signatures as signatures

Wire = grpc.aio.ServicerContext[Any, Any]
DEFAULT_PAGE, LARGEST_PAGE = 50, 200
CHANGEABLE = ("display_name", "bot", "webhook.uri", "enabled")


class ChannelApi(channel_grpc.ChannelServiceServicer):
    """Channels of the caller's tenant, and what they deliver."""

    def __init__(
        self, registry: Registry, channels: Channels, deliveries: Deliveries, secret: SecretStr, rotation: float
    ) -> None:
        self._registry = registry
        self._channels = channels
        self._deliveries = deliveries
        self._tokens = PageTokens(secret)
        self._rotation = rotation

    async def CreateChannel(self, request: pb.CreateChannelRequest, context_: Wire) -> pb.Channel:  # noqa: N802
        """Makes a channel; only the answer that made it holds the secret."""
        tenant, channel = tenant_of(), request.channel
        adapter = self._registry.chosen(kind_name(channel.kind))
        if not channel.bot:
            raise InvalidArgument.field("channel.bot", 'a name like "bots/hello"')
        await adapter.check(channel.webhook.uri)
        secret = signatures.new_secret() if adapter.signed else None
        made, new = await self._channels.create(tenant, request, secret)
        return with_secret(made, secret) if new and secret else made

    async def GetChannel(self, request: pb.GetChannelRequest, context_: Wire) -> pb.Channel:  # noqa: N802
        """Reads a channel."""
        return await self._channels.get(tenant_of(), identifier_of(request.name))

    async def ListChannels(self, request: pb.ListChannelsRequest, context_: Wire) -> pb.ListChannelsResponse:  # noqa: N802
        """By name."""
        tenant = tenant_of()
        limit = page_size(request.page_size, DEFAULT_PAGE, LARGEST_PAGE)
        position = self._tokens.read((tenant, "channels"), request.page_token)
        found = await self._channels.list(tenant, position[0] if position else "", limit + 1)
        response = pb.ListChannelsResponse(channels=found[:limit])
        if len(found) > limit:
            last = found[limit - 1].name.removeprefix("channels/")
            response.next_page_token = self._tokens.make((tenant, "channels"), (last,))
        return response

    async def UpdateChannel(self, request: pb.UpdateChannelRequest, context_: Wire) -> pb.Channel:  # noqa: N802
        """Changes what the mask names; without one, what the request fills in."""
        tenant, change = tenant_of(), change_of(request)
        current = await self._channels.get(tenant, identifier_of(request.channel.name, "channel.name"))
        if request.channel.kind not in {pb.Channel.KIND_UNSPECIFIED, current.kind}:
            raise InvalidArgument.field("channel.kind", "the kind it was made with")
        if change.uri is not None:
            await self._registry.of(kind_name(current.kind)).check(change.uri)
        return await self._channels.update(tenant, request, change)

    async def DeleteChannel(self, request: pb.DeleteChannelRequest, context_: Wire) -> empty_pb2.Empty:  # noqa: N802
        """Removes a channel with its secrets, receipts and deliveries."""
        identifier_of(request.name)
        return await self._channels.delete(tenant_of(), request)

    async def RotateSecret(self, request: pb.RotateSecretRequest, context_: Wire) -> pb.Channel:  # noqa: N802
        """Makes a new secret; only the answer that made it holds it."""
        tenant = tenant_of()
        current = await self._channels.get(tenant, identifier_of(request.name))
        if not self._registry.of(kind_name(current.kind)).signed:
            raise FailedPrecondition(f"{request.name} has no secret: nothing of its kind is signed")
        secret = signatures.new_secret()
        made, new = await self._channels.rotate(tenant, request, secret, self._rotation)
        return with_secret(made, secret) if new else made

    async def ListDeliveries(  # noqa: N802
        self, request: pb.ListDeliveriesRequest, context_: Wire
    ) -> pb.ListDeliveriesResponse:
        """Newest first."""
        tenant, channel = tenant_of(), identifier_of(request.parent, "parent")
        limit = page_size(request.page_size, DEFAULT_PAGE, LARGEST_PAGE)
        filters = (tenant, request.parent, "deliveries", request.state)
        position = self._tokens.read(filters, request.page_token)
        before = (datetime.datetime.fromisoformat(position[0]), uuid.UUID(position[1])) if position else None
        found = await self._deliveries.list(tenant, channel, state_name(request.state), before, limit + 1)
        response = pb.ListDeliveriesResponse(deliveries=[delivery for delivery, _ in found[:limit]])
        if len(found) > limit:
            moment, last = found[limit - 1][1]
            response.next_page_token = self._tokens.make(filters, (moment.isoformat(), last))
        return response


def tenant_of() -> str:
    """The caller's tenant. PermissionDenied for a service that acts for nobody."""
    tenant = context.principal().tenant_id
    if not tenant:
        raise PermissionDenied("this is done for somebody, and the calling service did not say for whom")
    return tenant


def identifier_of(name: str, field: str = "name") -> str:
    """The last part of "channels/{channel}". InvalidArgument."""
    return parse_name("channels/*", name, field)[0]


def change_of(request: pb.UpdateChannelRequest) -> Change:
    """What an update asks for. InvalidArgument for a field that cannot be changed."""
    channel = request.channel
    given = {
        "display_name": channel.display_name,
        "bot": channel.bot,
        "webhook.uri": channel.webhook.uri,
        "enabled": channel.enabled,
    }
    wanted = set(request.update_mask.paths) or {name for name, value in given.items() if value}
    if not wanted <= set(CHANGEABLE):
        raise InvalidArgument.field("update_mask", ", ".join(CHANGEABLE), ", ".join(sorted(wanted)))
    if "bot" in wanted and not channel.bot:
        raise InvalidArgument.field("channel.bot", 'a name like "bots/hello"')
    return Change(
        display_name=channel.display_name if "display_name" in wanted else None,
        bot=channel.bot.removeprefix("bots/") if "bot" in wanted else None,
        uri=channel.webhook.uri if "webhook.uri" in wanted else None,
        enabled=channel.enabled if "enabled" in wanted else None,
    )


def with_secret(channel: pb.Channel, secret: bytes) -> pb.Channel:
    """The answer that shows a secret, the only time."""
    shown = pb.Channel()
    shown.CopyFrom(channel)
    shown.webhook.secret = signatures.shown(secret)
    return shown


def state_name(state: pb.Delivery.State.ValueType) -> str:
    """A state as rows hold it, empty for any."""
    return pb.Delivery.State.Name(state).removeprefix("STATE_") if state else ""
