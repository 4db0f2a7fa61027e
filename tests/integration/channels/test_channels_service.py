"""ChannelService: what people do with channels, and that no tenant sees another's."""

import uuid
from typing import Any

import pytest
from google.protobuf import field_mask_pb2
from parley.channels.v1 import channel_service_pb2 as pb

from services.common.errors import (
    Aborted,
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
)
from tests.integration.channels.world import DELIVERED, ChannelsWorld, message, opened
from tests.waiting import until

pytestmark = pytest.mark.integration
HOOK = "https://example.com/hook"


def creation(**more: Any) -> pb.CreateChannelRequest:
    values = {"kind": pb.Channel.KIND_WEBHOOK, "bot": "bots/hello", "webhook": pb.Webhook(uri=HOOK), **more}
    identifier, request_id = values.pop("identifier", "shop"), values.pop("request_id", "")
    return pb.CreateChannelRequest(channel=pb.Channel(**values), channel_id=identifier, request_id=request_id)


def update(*paths: str, request_id: str = "", **values: Any) -> pb.UpdateChannelRequest:
    channel = pb.Channel(**{"name": "channels/shop", **values})
    mask = field_mask_pb2.FieldMask(paths=paths)
    return pb.UpdateChannelRequest(channel=channel, update_mask=mask, request_id=request_id)


async def test_the_secret_is_shown_once(world: ChannelsWorld) -> None:
    made = await world.call("CreateChannel", creation(display_name="Shop", enabled=True))
    assert len(opened(made.webhook.secret)) == 32
    assert made.inbound_path.startswith("/webhooks/")
    assert len(made.inbound_path.removeprefix("/webhooks/")) == 43
    got = await world.call("GetChannel", pb.GetChannelRequest(name="channels/shop"))
    listed = await world.call("ListChannels", pb.ListChannelsRequest())
    changed = await world.call("UpdateChannel", update("display_name", display_name="Shop 2"))
    assert [item.webhook.secret for item in (got, *listed.channels, changed)] == ["", "", ""]
    made.webhook.ClearField("secret")
    assert got == made == listed.channels[0]


async def test_the_secret_rests_sealed(world: ChannelsWorld) -> None:
    made = await world.create()
    rows = await world.running.chassis.relay_database.call(
        "SELECT sealed FROM channels.secrets WHERE tenant_id = $1", uuid.UUID(world.tenant)
    )
    assert len(rows) == 1
    assert opened(made.webhook.secret) not in bytes(rows[0]["sealed"])


async def test_a_repeated_creation_answers_without_the_secret(world: ChannelsWorld) -> None:
    request = creation(request_id=str(uuid.uuid4()))
    first = await world.call("CreateChannel", request)
    again = await world.call("CreateChannel", request)
    assert (first.webhook.secret != "", again.webhook.secret) == (True, "")
    assert (again.name, again.inbound_path, again.etag) == (first.name, first.inbound_path, first.etag)
    with pytest.raises(AlreadyExists) as caught:
        await world.call("CreateChannel", creation(request_id=request.request_id, display_name="another"))
    assert caught.value.reason == "REQUEST_ID_REUSED"
    with pytest.raises(AlreadyExists) as caught:
        await world.call("CreateChannel", creation())
    assert caught.value.reason == "RESOURCE_EXISTS"


async def test_every_change_is_done_once_a_request_id(world: ChannelsWorld) -> None:
    await world.create()
    changed = update("display_name", display_name="A", request_id=str(uuid.uuid4()))
    first = await world.call("UpdateChannel", changed)
    assert await world.call("UpdateChannel", changed) == first
    assert (await world.call("GetChannel", pb.GetChannelRequest(name="channels/shop"))).etag == first.etag
    delete = pb.DeleteChannelRequest(name="channels/shop", request_id=str(uuid.uuid4()))
    await world.call("DeleteChannel", delete)
    await world.call("DeleteChannel", delete)
    with pytest.raises(NotFound):
        await world.call("DeleteChannel", pb.DeleteChannelRequest(name="channels/shop"))


async def test_an_old_etag_is_refused(world: ChannelsWorld) -> None:
    made = await world.create()
    newer = await world.call("UpdateChannel", update("display_name", display_name="A", etag=made.etag))
    for etag in (made.etag, "nonsense"):
        with pytest.raises(Aborted, match="etag"):
            await world.call("UpdateChannel", update("display_name", display_name="B", etag=etag))
    again = await world.call("UpdateChannel", update("display_name", display_name="B", etag=newer.etag))
    assert again.display_name == "B"


async def test_only_what_the_mask_names_is_changed(world: ChannelsWorld) -> None:
    await world.call("CreateChannel", creation(display_name="Shop", enabled=True))
    new: dict[str, Any] = {
        "display_name": "X",
        "bot": "bots/other",
        "webhook": pb.Webhook(uri="https://example.org/"),
        "enabled": False,
    }
    made = await world.call("UpdateChannel", update("enabled", "webhook.uri", **new))
    assert (made.display_name, made.bot, made.webhook.uri, made.enabled) == (
        "Shop", "bots/hello", "https://example.org/", False,
    )  # fmt: skip
    made = await world.call("UpdateChannel", update(display_name="Y"))
    assert (made.display_name, made.enabled, made.bot) == ("Y", False, "bots/hello")


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (update("kind", kind=pb.Channel.KIND_WEB), "update_mask"),
        (update("display_name", kind=pb.Channel.KIND_WEB), "channel.kind"),
        (update("bot"), "channel.bot"),
        (update("webhook.uri"), "channel.webhook.uri"),
        (update("webhook.uri", webhook=pb.Webhook(uri="https://10.0.0.1/")), "channel.webhook.uri"),
    ],
)
async def test_what_an_update_may_not_say(world: ChannelsWorld, request_: pb.UpdateChannelRequest, field: str) -> None:
    await world.create()
    with pytest.raises(InvalidArgument) as caught:
        await world.call("UpdateChannel", request_)
    assert caught.value.metadata["field"] == field


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"kind": pb.Channel.KIND_UNSPECIFIED}, "channel.kind"),
        ({"bot": ""}, "channel.bot"),
        ({"webhook": None}, "channel.webhook.uri"),
        ({"webhook": pb.Webhook(uri="http://example.com/")}, "channel.webhook.uri"),
        ({"webhook": pb.Webhook(uri="https://169.254.169.254/latest")}, "channel.webhook.uri"),
        ({"webhook": pb.Webhook(uri="https://me:secret@example.com/")}, "channel.webhook.uri"),
        ({"kind": pb.Channel.KIND_WEB}, "channel.webhook.uri"),
    ],
)
async def test_what_a_creation_may_not_say(world: ChannelsWorld, values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        await world.call("CreateChannel", creation(**values))
    assert caught.value.metadata["field"] == field
    assert "secret" not in caught.value.message


async def test_a_web_channel_has_no_secret(world: ChannelsWorld) -> None:
    made = await world.call("CreateChannel", creation(kind=pb.Channel.KIND_WEB, webhook=None))
    assert (made.inbound_path, made.HasField("webhook")) == ("", False)
    with pytest.raises(FailedPrecondition):
        await world.call("RotateSecret", pb.RotateSecretRequest(name=made.name))


async def test_channels_are_listed_in_pages(world: ChannelsWorld) -> None:
    for number in range(5):
        await world.call("CreateChannel", creation(identifier=f"shop-{number}"))
    names, token = [], ""
    for _ in range(3):
        page = await world.call("ListChannels", pb.ListChannelsRequest(page_size=2, page_token=token))
        names += [item.name for item in page.channels]
        token = page.next_page_token
    assert (names, token) == ([f"channels/shop-{number}" for number in range(5)], "")


async def test_a_page_token_is_of_one_list(world: ChannelsWorld) -> None:
    for number in range(3):
        await world.call("CreateChannel", creation(identifier=f"shop-{number}"))
    token = (await world.call("ListChannels", pb.ListChannelsRequest(page_size=1))).next_page_token
    swapped = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    requests: list[tuple[str, Any, str]] = [
        ("ListChannels", pb.ListChannelsRequest(page_token=swapped), ""),
        ("ListChannels", pb.ListChannelsRequest(page_token="nonsense"), ""),
        ("ListChannels", pb.ListChannelsRequest(page_token=token), str(uuid.uuid4())),
        ("ListDeliveries", pb.ListDeliveriesRequest(parent="channels/shop-0", page_token=token), ""),
    ]
    for method, request, tenant in requests:
        with pytest.raises(InvalidArgument) as caught:
            await world.call(method, request, tenant=tenant)
        assert caught.value.reason == "PAGE_TOKEN_INVALID"


async def test_deliveries_are_listed_newest_first(world: ChannelsWorld) -> None:
    channel = await world.create()
    session = await world.open_session(channel)
    await world.reply(session, "0")
    for number in range(1, 5):
        await world.converse(channel, session, str(number))
    await world.settled(channel, 5)
    order = [item.id for item in world.receiver.accepted]
    names, token, pages = [], "", 0
    while token or not pages:
        request = pb.ListDeliveriesRequest(parent=channel.name, page_size=2, page_token=token, state=DELIVERED)
        page = await world.call("ListDeliveries", request)
        names += [item.name.rpartition("/")[2] for item in page.deliveries]
        token, pages = page.next_page_token, pages + 1
    assert (names, pages) == (order[::-1], 3)
    assert await world.deliveries(channel, state=pb.Delivery.STATE_FAILED) == []


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("GetChannel", pb.GetChannelRequest(name="channels/shop")),
        ("UpdateChannel", update("display_name", display_name="mine")),
        ("DeleteChannel", pb.DeleteChannelRequest(name="channels/shop")),
        ("RotateSecret", pb.RotateSecretRequest(name="channels/shop")),
        ("ListDeliveries", pb.ListDeliveriesRequest(parent="channels/shop")),
    ],
)
async def test_another_tenants_channel_is_not_there(world: ChannelsWorld, method: str, request_: Any) -> None:
    made = await world.create()
    stranger = str(uuid.uuid4())
    with pytest.raises(NotFound) as foreign:
        await world.call(method, request_, tenant=stranger)
    unknown = type(request_)()
    unknown.CopyFrom(request_)
    with pytest.raises(NotFound) as absent:
        await world.call(method, unknown, tenant=str(uuid.uuid4()))
    assert foreign.value.message == absent.value.message
    assert (await world.call("ListChannels", pb.ListChannelsRequest(), tenant=stranger)).channels == []
    after = await world.call("GetChannel", pb.GetChannelRequest(name="channels/shop"))
    assert after.etag == made.etag
    assert (await world.post(made, message("hello"))).status == 202


@pytest.mark.parametrize(
    ("role", "allowed"), [("developer", True), ("agent", False), ("user", False), ("visitor", False)]
)
async def test_who_may_make_channels(world: ChannelsWorld, role: str, allowed: bool) -> None:
    if allowed:
        assert (await world.call("CreateChannel", creation(), role=role)).name == "channels/shop"
        return
    with pytest.raises(PermissionDenied):
        await world.call("CreateChannel", creation(), role=role)


async def test_ids_of_two_tenants_do_not_meet(world: ChannelsWorld) -> None:
    mine = await world.create()
    other = str(uuid.uuid4())
    theirs = await world.create(tenant=other)
    assert mine.inbound_path != theirs.inbound_path
    first = await world.post(mine, message("mine"), id="msg_1")
    second = await world.post(theirs, message("theirs"), id="msg_1")
    assert (first.status, second.status) == (202, 202)
    assert first.body["session"] != second.body["session"]


async def test_a_deleted_channel_takes_its_rows_along(world: ChannelsWorld) -> None:
    channel = await world.create()
    session = await world.open_session(channel)
    await world.reply(session, "hello")
    await world.settled(channel, 1)
    await world.call("DeleteChannel", pb.DeleteChannelRequest(name=channel.name))
    assert (await world.post(channel, message("hello"))).status == 404
    relay = world.running.chassis.relay_database
    for table in ("channels", "secrets", "webhook_receipts", "deliveries", "queues"):
        statement = f"SELECT count(*) FROM channels.{table} WHERE tenant_id = $1"
        assert (await relay.call(statement, uuid.UUID(world.tenant)))[0][0] == 0, table


async def test_the_service_is_ready_with_its_bus(world: ChannelsWorld) -> None:
    operations = world.running.chassis.operations
    assert await operations.failing() == {}
    world.nats.kill()

    async def waits() -> bool:
        return "nats" in await operations.failing()

    async def ready() -> bool:
        return not await operations.failing() and world.session.bus.connected

    try:
        await until(waits)
    finally:
        await world.nats.start()
    await until(ready)
