"""Replies on their way out: signed, in order, each taken once, whatever the receiver, the bus or we ourselves do."""

import uuid
from collections import defaultdict
from typing import Any

import pytest
from parley.channels.v1 import channel_service_pb2 as pb
from parley.session.v1 import ledger_service_pb2 as ledger_pb

from cli.stack.layout import unused_port
from services.channels.store.channels import Channels
from services.channels.store.deliveries import Deliveries, Queue, Settlement
from services.common import context
from services.common.db.requests import RequestLog
from services.common.security.principal import service_principal
from services.common.security.sealing import Vault, key_of
from tests.doubles.webhook_receiver import Behaviour
from tests.integration.channels.world import DELIVERED, FAILED, PENDING, ChannelsWorld, run_channels
from tests.waiting import until

pytestmark = pytest.mark.integration


def store_of(world: ChannelsWorld) -> Deliveries:
    chassis = world.running.chassis
    vault = Vault(key_of(world.settings.key_encryption_key))
    requests = RequestLog("channels", world.settings.page_token_secret)
    channels = Channels(chassis.database, chassis.relay_database, vault, requests)
    return Deliveries(chassis.database, chassis.relay_database, channels)


async def test_a_reply_arrives_signed_once_and_is_confirmed(world: ChannelsWorld) -> None:
    channel = await world.create()
    session = await world.open_session(channel)
    await world.reply(session, "hello, Ada", "what can I do for you?")
    await world.settled(channel, 1)
    (received,) = world.receiver.received
    assert received.verified
    assert received.headers["content-type"] == "application/json"
    (listed,) = await world.deliveries(channel)
    assert (listed.name, listed.session) == (f"channels/shop/deliveries/{received.id}", session)
    assert (listed.attempts, listed.last_status, listed.last_error) == (1, 204, "")
    body = received.json
    assert {name: value for name, value in body["data"].items() if name != "messages"} == {
        "session": session, "bot": "bots/hello", "user": {"id": "ada"},
    }  # fmt: skip
    first = body["data"]["messages"][0]
    assert (body["type"], body["timestamp"]) == ("message.created", first["create_time"])
    assert [(item["ordinal"], item["role"]) for item in body["data"]["messages"]] == [(0, "bot"), (1, "bot")]
    assert received.texts == ["hello, Ada", "what can I do for you?"]
    await until(lambda: confirmed(world))


async def confirmed(world: ChannelsWorld) -> bool:
    return await world.unconfirmed() == []


async def test_replies_are_signed_with_the_newest_secret(world: ChannelsWorld) -> None:
    channel = await world.create()
    session = await world.open_session(channel)
    rotated = await world.call("RotateSecret", pb.RotateSecretRequest(name=channel.name))
    world.receiver.secrets = [rotated.webhook.secret]
    await world.reply(session, "hello")
    await world.settled(channel, 1)
    assert [item.verified for item in world.receiver.received] == [True]


@pytest.mark.parametrize("fault", ["limited", "unavailable", "failing", "stalling", "cut", "redirecting", "endless"])
async def test_a_receiver_that_misbehaves_gets_everything_in_order(world: ChannelsWorld, fault: str) -> None:
    channel = await world.create()
    session = await world.open_session(channel)
    world.receiver.behaviour = Behaviour(fault=fault, times=2, retry_after="0")
    await world.reply(session, "one")
    for text in ("two", "three"):
        await world.converse(channel, session, text)
    await world.settled(channel, 3)
    assert [item.texts for item in world.receiver.accepted] == [["one"], ["two"], ["three"]]
    tried = [item.id for item in world.receiver.received]
    assert tried == [tried[0]] * 3 + [item.id for item in world.receiver.accepted][1:]
    assert {item.path for item in world.receiver.received} == {"/hook"}
    assert len({item.body for item in world.receiver.received[:3]}) == 1
    listed = (await world.deliveries(channel))[-1]
    assert (listed.attempts, listed.last_status, listed.last_error) == (3, 204, "")
    assert world.receiver.sent_bytes < 64 * 1024 * 1024


async def test_a_receiver_may_say_when_to_come_again(world: ChannelsWorld) -> None:
    channel = await world.create()
    session = await world.open_session(channel)
    world.receiver.behaviour = Behaviour(fault="limited", times=1, retry_after="1")
    await world.reply(session, "one")
    await world.settled(channel, 1)
    first, second = world.receiver.received
    assert second.at - first.at >= 0.95


async def test_what_went_wrong_is_told_in_our_own_words(world: ChannelsWorld) -> None:
    channel = await world.create()
    session = await world.open_session(channel)
    world.receiver.behaviour = Behaviour(fault="failing")
    await world.reply(session, "one")
    await until(lambda: len(world.receiver.received) >= 2)
    (listed,) = await world.deliveries(channel)
    assert (listed.state, listed.last_status) == (PENDING, 500)
    assert listed.last_error == "the receiver answered 500"
    assert listed.next_attempt_time.ToNanoseconds() > 0


async def test_a_session_that_is_stuck_holds_up_no_other(world: ChannelsWorld) -> None:
    channel = await world.create()
    stuck = await world.open_session(channel, "ada")
    world.receiver.behaviour = Behaviour(fault="stalling", session=stuck)
    await world.reply(stuck, "never")
    await world.converse(channel, stuck, "nor this")
    await until(lambda: bool(world.receiver.received))
    other = await world.open_session(channel, "grace")
    await world.reply(other, "hello, Grace")
    await world.settled(channel, 1)
    assert [item.texts for item in world.receiver.accepted] == [["hello, Grace"]]
    assert ["nor this"] not in [item.texts for item in world.receiver.received]


async def test_a_channel_that_stalls_holds_up_no_other(world: ChannelsWorld) -> None:
    slow, channel = await world.create("slow"), await world.create()
    world.receiver.behaviour = Behaviour(fault="stalling")
    for number in range(world.settings.deliveries_per_channel + 4):
        await world.reply(await world.open_session(slow, f"user-{number}"), "never")
    await until(lambda: len(world.receiver.received) >= world.settings.deliveries_per_channel)
    world.receiver.behaviour = Behaviour()
    await world.reply(await world.open_session(channel), "hello")
    await until(lambda: ["hello"] in [item.texts for item in world.receiver.accepted], 5)


async def test_many_sessions_at_two_processes_each_reply_once(world: ChannelsWorld) -> None:
    channel = await world.create()
    ports = {"port": unused_port(set()), "operations_port": unused_port(set())}
    second = await run_channels(world.settings.model_copy(update=ports))
    try:
        sessions = [await world.open_session(channel, f"user-{number}") for number in range(8)]
        for number, session in enumerate(sessions):
            await world.reply(session, f"{number}: 0")
        for turn in range(1, 4):
            for number, session in enumerate(sessions):
                await world.converse(channel, session, f"{number}: {turn}", user=f"user-{number}")
        await world.settled(channel, 32)
    finally:
        await second.stop()
    came: dict[str, list[str]] = defaultdict(list)
    for item in world.receiver.received:
        came[item.session] += item.texts
    assert came == {name: [f"{n}: {turn}" for turn in range(4)] for n, name in enumerate(sessions)}


async def test_the_receiver_is_gone_and_comes_back(world: ChannelsWorld) -> None:
    channel = await world.create()
    session = await world.open_session(channel)
    world.receiver.behaviour = Behaviour(fault="gone", times=1)
    await world.reply(session, "one")

    async def disabled() -> bool:
        return not (await world.call("GetChannel", pb.GetChannelRequest(name=channel.name))).enabled

    await until(disabled)
    (listed,) = await world.deliveries(channel)
    assert (listed.state, listed.last_status) == (PENDING, 410)
    update = pb.UpdateChannelRequest(channel=pb.Channel(name=channel.name, enabled=True))
    update.update_mask.paths.append("enabled")
    await world.call("UpdateChannel", update)
    await world.settled(channel, 1)
    assert [item.status for item in world.receiver.received] == [410, 204]


async def test_a_reply_is_given_up_and_the_next_is_sent(world: ChannelsWorld) -> None:
    await world.running.stop()
    world.running = await run_channels(world.settings.model_copy(update={"delivery_budget": 0.25}))
    try:
        channel = await world.create()
        session = await world.open_session(channel)
        world.receiver.behaviour = Behaviour(fault="failing", times=20)
        await world.reply(session, "one")
        await world.settled(channel, 1, FAILED)
        (listed,) = await world.deliveries(channel)
        assert listed.last_error == "given up: the receiver answered 500"
        world.receiver.behaviour = Behaviour()
        await world.converse(channel, session, "two")
        await world.settled(channel, 1)
        assert [item.texts for item in world.receiver.accepted] == [["two"]]
    finally:
        await world.running.stop()
        await world.restart()


async def test_what_the_bus_lost_is_fetched_from_the_ledger(world: ChannelsWorld) -> None:
    channel = await world.create()
    session = await world.open_session(channel)
    await world.running.stop()
    await world.reply(session, "one")
    await until(lambda: world.session.bus.connected)
    world.nats.kill()
    world.nats.wipe()
    await world.nats.start()
    await until(lambda: world.session.bus.connected)
    await world.restart()
    await world.settled(channel, 1, seconds=15)  # the session service tells it again by the bus only after 30
    await until(lambda: confirmed(world))
    assert [item.texts for item in world.receiver.accepted] == [["one"]]


async def test_replies_made_while_the_bus_is_away_come_in_order(world: ChannelsWorld) -> None:
    channel = await world.create()
    session = await world.open_session(channel)
    world.nats.kill()
    try:
        await world.reply(session, "one")
        for text in ("two", "three"):
            await world.converse(channel, session, text)
        await world.settled(channel, 3)
    finally:
        await world.nats.start()
    assert [item.texts for item in world.receiver.received] == [["one"], ["two"], ["three"]]
    await until(lambda: world.running.chassis.bus.connected and world.session.bus.connected)


async def test_a_reply_waits_for_the_one_the_bus_lost_before_it(world: ChannelsWorld) -> None:
    channel = await world.create()
    session = await world.open_session(channel)
    await world.running.stop()
    await world.reply(session, "one")
    answer = await post_to_ledger(world, channel, "go on")
    assert answer.session == session
    await world.reply(session, "two")
    (first, _) = [item async for item in waiting(world, channel)]
    jetstream = world.session.bus._jetstream
    assert jetstream is not None
    await jetstream.delete_msg("DELIVERIES", first)
    late = {"collect_age": 3600.0, "collect_interval": 3600.0, "gap_seconds": 3600.0}
    world.running = await run_channels(world.settings.model_copy(update=late))
    try:
        await world.settled(channel, 2)
        assert [item.texts for item in world.receiver.received] == [["one"], ["two"]]
    finally:
        await world.running.stop()
        await world.restart()


async def test_a_reply_with_a_gap_before_it_is_held_until_it_is_let_go(world: ChannelsWorld) -> None:
    channel = await world.create()
    session = f"sessions/{uuid.uuid4()}"
    await world.running.chassis.tasks.close()
    try:
        store = store_of(world)
        first, middle, last = (part(world, channel, session, *place) for place in ((1, 0), (1, 1), (2, 0)))
        assert await store.store(last, 3600.0) == ("stored", True)
        assert await mine(store, world) == []
        assert await store.store(first, 3600.0) == ("stored", False)
        assert await sent_of(store, world) == [first.id]
        assert await store.store(middle, 3600.0) == ("stored", False)
        assert await sent_of(store, world) == [middle.id]
        assert await store.release(await store.now()) == 1
        assert await sent_of(store, world) == [last.id]
    finally:
        await world.running.stop()
        await world.restart()


def part(world: ChannelsWorld, channel: pb.Channel, session: str, turn: int, ordinal: int) -> ledger_pb.Delivery:
    """One message of a session as the ledger tells it."""
    made = ledger_pb.Delivery(
        id=str(uuid.uuid4()), tenant=world.tenant, channel=channel.name, session=session, external_user="ada"
    )
    made.messages.add(text="x", turn=turn, ordinal=ordinal)
    return made


async def mine(store: Deliveries, world: ChannelsWorld) -> list[Queue]:
    return [queue for queue in await store.claim(60.0, 64, 8, {}) if str(queue.tenant) == world.tenant]


async def sent_of(store: Deliveries, world: ChannelsWorld) -> list[str]:
    """Take and settle all that may be sent now."""
    sent = []
    for queue in await mine(store, world):
        while (job := await store.take(queue, 60.0)) is not None:
            sent.append(str(job.id))
            assert await store.settle(queue, job, Settlement("DELIVERED", 204))
    return sent


async def post_to_ledger(world: ChannelsWorld, channel: pb.Channel, text: str) -> Any:
    """As the door does, while it is shut."""
    request = ledger_pb.ReceiveMessageRequest(
        channel=channel.name, external_user="ada", external_id=uuid.uuid4().hex, bot=channel.bot, text=text
    )
    with context.acting_for(service_principal("engine", world.tenant)):
        return await world.ledger.ReceiveMessage(request)


async def waiting(world: ChannelsWorld, channel: pb.Channel) -> Any:
    """Numbers of the replies of a tenant in the stream."""
    jetstream = world.session.bus._jetstream
    assert jetstream is not None
    subject = f"parley.session.v1.delivery.requested.{world.tenant}.{channel.name.removeprefix('channels/')}"

    async def both() -> bool:
        info = await jetstream.stream_info("DELIVERIES", subjects_filter=subject)
        return (info.state.subjects or {}).get(subject) == 2

    await until(both)
    state = (await jetstream.stream_info("DELIVERIES")).state
    for number in range(state.first_seq, state.last_seq + 1):
        found = await jetstream.get_msg("DELIVERIES", number)
        if found.subject == subject:
            yield number


@pytest.mark.parametrize("orderly", [True, False])
async def test_after_a_restart_a_reply_comes_under_the_same_id(world: ChannelsWorld, orderly: bool) -> None:
    channel = await world.create()
    session = await world.open_session(channel)
    world.receiver.behaviour = Behaviour(fault="stalling")
    await world.reply(session, "one")
    await until(lambda: bool(world.receiver.received))
    await (world.running.stop() if orderly else world.running.die())
    world.receiver.behaviour = Behaviour()
    await world.restart()
    await world.settled(channel, 1)
    assert len(world.receiver.accepted) == 1
    assert len({item.id for item in world.receiver.received}) == 1


async def test_a_reply_told_twice_by_the_bus_is_sent_once(world: ChannelsWorld) -> None:
    channel = await world.create()
    session = await world.open_session(channel)
    await world.reply(session, "one")
    await world.settled(channel, 1)
    original = world.receiver.received[0]
    again = ledger_pb.Delivery(
        id=original.id, tenant=world.tenant, channel=channel.name, session=session, external_user="ada", bot=channel.bot
    )
    again.messages.add(text="one", turn=1)
    subject = f"parley.session.v1.delivery.requested.{world.tenant}.shop"
    await world.session.bus.publish_durable(subject, again.SerializeToString(), uuid.uuid4().hex)
    await world.converse(channel, session, "two")
    await world.settled(channel, 2)
    assert [item.texts for item in world.receiver.received] == [["one"], ["two"]]


async def test_a_web_channel_has_nothing_to_send(world: ChannelsWorld) -> None:
    channel = await world.create("chat", kind=pb.Channel.KIND_WEB, uri="")
    answer = await post_to_ledger(world, channel, "hello")
    await world.reply(answer.session, "hello")
    await world.settled(channel, 1)
    assert world.receiver.received == []


async def test_replies_for_a_channel_that_was_deleted_are_forgotten(world: ChannelsWorld) -> None:
    channel = await world.create()
    session = await world.open_session(channel)
    await world.call("DeleteChannel", pb.DeleteChannelRequest(name=channel.name))
    await world.reply(session, "too late")
    await until(lambda: confirmed(world))
    assert world.receiver.received == []


async def test_a_sender_that_lost_its_lease_notes_nothing(world: ChannelsWorld) -> None:
    channel = await world.create()
    session = await world.open_session(channel)
    await world.running.chassis.tasks.close()
    try:
        store = store_of(world)
        await world.reply(session, "one")
        with context.acting_for(service_principal("engine")):
            page = await world.ledger.ListDeliveries(ledger_pb.ListDeliveriesRequest())
        mine = next(item for item in page.deliveries if item.tenant == world.tenant)
        assert await store.store(mine, 5.0) == ("stored", False)
        assert await store.store(mine, 5.0) == ("known", False)
        stale = await claimed(store, world, 0.0)
        fresh = await claimed(store, world, 60.0)
        assert await store.take(stale, 60.0) is None
        job = await store.take(fresh, 60.0)
        assert job is not None
        assert not await store.settle(stale, job, Settlement("FAILED"))
        assert await store.settle(fresh, job, Settlement("DELIVERED", 204))
        (listed,) = await world.deliveries(channel)
        assert (listed.state, listed.attempts) == (DELIVERED, 1)
    finally:
        await world.running.stop()
        await world.restart()


async def claimed(store: Deliveries, world: ChannelsWorld, seconds: float) -> Any:
    (queue,) = [item for item in await store.claim(seconds, 64, 8, {}) if str(item.tenant) == world.tenant]
    return queue


async def test_what_a_disabled_channel_never_took_is_given_up(world: ChannelsWorld) -> None:
    channel = await world.create()
    session = await world.open_session(channel)
    update = pb.UpdateChannelRequest(channel=pb.Channel(name=channel.name))
    update.update_mask.paths.append("enabled")
    await world.call("UpdateChannel", update)
    await world.reply(session, "nobody listens")
    await world.settled(channel, 1, PENDING)
    await store_of(world).tidy(0.0, 30, 30)
    (listed,) = await world.deliveries(channel)
    assert (listed.state, listed.last_error) == (FAILED, "the channel stayed disabled for too long")
    await store_of(world).tidy(0.0, 0, 0)
    assert await world.deliveries(channel) == []
    assert world.receiver.received == []
