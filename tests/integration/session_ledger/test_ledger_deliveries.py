"""Replies for channels: held in the outbox until they are confirmed, told although NATS was away."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import pytest
from google.protobuf import duration_pb2
from nats.aio.msg import Msg
from parley.session.v1 import ledger_service_pb2 as ledger_pb

from services.common import context
from services.common.bus import subjects
from services.common.errors import InvalidArgument
from services.common.security.principal import service_principal
from tests.integration.session_ledger.world import LedgerWorld, Person, Worker
from tests.waiting import until

pytestmark = pytest.mark.integration


@pytest.fixture
async def texter(world: LedgerWorld) -> Person:
    """Somebody on a channel who has said something."""
    made = world.person(str(uuid.uuid4()), "admin")
    await text(made, "hi")
    return made


async def text(person: Person, words: str) -> None:
    request = ledger_pb.ReceiveMessageRequest(
        channel="channels/sms", external_user="+1", external_id=str(uuid.uuid4()), bot="bots/hello", text=words
    )
    with person.acting():
        person.session = (await person.world.ledger.ReceiveMessage(request)).session


async def held(world: LedgerWorld, tenant: str, page_size: int = 500) -> list[ledger_pb.Delivery]:
    """All unconfirmed deliveries of a tenant, read page by page."""
    found: list[ledger_pb.Delivery] = []
    request = ledger_pb.ListDeliveriesRequest(page_size=page_size)
    with context.acting_for(service_principal("engine")):
        while True:
            page = await world.ledger.ListDeliveries(request)
            found.extend(page.deliveries)
            if not page.next_page_token:
                return [item for item in found if item.tenant == tenant]
            request.page_token = page.next_page_token


async def confirm(world: LedgerWorld, tenant: str, *ids: str) -> None:
    with context.acting_for(service_principal("engine")):
        await world.ledger.ConfirmDeliveries(ledger_pb.ConfirmDeliveriesRequest(tenant=tenant, ids=ids))


@pytest.fixture
async def delivered(world: LedgerWorld) -> AsyncIterator[list[ledger_pb.Delivery]]:
    """What adapters hear."""
    heard: list[ledger_pb.Delivery] = []

    async def note(message: Msg) -> None:
        heard.append(ledger_pb.Delivery.FromString(message.data))

    subscription = await world.chassis.bus.subscribe(subjects.delivery_requested("*", "sms"), note)
    await world.chassis.bus.flush()
    yield heard
    await subscription.unsubscribe()


async def test_a_reply_for_a_channel_is_told_held_and_confirmed(
    world: LedgerWorld, texter: Person, worker: Worker, delivered: list[ledger_pb.Delivery]
) -> None:
    turn = await worker.claim_one(texter)
    await worker.checkpoint(turn, "one moment")
    await worker.commit(turn, "hello", "how are you", said=1)
    first, second = await held(world, texter.tenant)
    assert [message.text for message in first.messages] == ["one moment"]
    assert [message.text for message in second.messages] == ["hello", "how are you"]
    assert (second.channel, second.external_user, second.bot) == ("channels/sms", "+1", "bots/hello")
    assert second.session == texter.session
    await until(lambda: [item.id for item in delivered if item.tenant == texter.tenant] == [first.id, second.id])
    await confirm(world, texter.tenant, first.id)
    await confirm(world, texter.tenant, first.id, str(uuid.uuid4()))
    assert [item.id for item in await held(world, texter.tenant)] == [second.id]


async def test_a_turn_without_words_and_a_session_on_the_web_deliver_nothing(
    world: LedgerWorld, texter: Person, person: Person, worker: Worker
) -> None:
    await worker.commit(await worker.claim_one(texter))
    await person.say("hi")
    await worker.commit(await worker.claim_one(person), "seen on the socket")
    assert await held(world, texter.tenant) == []
    assert await held(world, person.tenant) == []


async def test_deliveries_are_paged_oldest_first(world: LedgerWorld, texter: Person, worker: Worker) -> None:
    for number in range(7):
        await text(texter, f"m{number}")
    await worker.serve(texter)
    found = await held(world, texter.tenant, page_size=2)
    assert [item.messages[0].text for item in found] == ["echo hi", *(f"echo m{n}" for n in range(7))]


async def test_only_deliveries_of_an_age_are_listed(world: LedgerWorld, texter: Person, worker: Worker) -> None:
    await worker.serve(texter)
    request = ledger_pb.ListDeliveriesRequest(minimum_age=duration_pb2.Duration(seconds=3600))
    with context.acting_for(service_principal("engine")):
        old = await world.ledger.ListDeliveries(request)
    assert [item for item in old.deliveries if item.tenant == texter.tenant] == []
    assert len(await held(world, texter.tenant)) == 1


@pytest.mark.parametrize("token", ["nonsense", "2026-01-01T00:00:00+00:00_x", "_"])
async def test_a_page_token_that_was_not_given_out_is_refused(world: LedgerWorld, token: str) -> None:
    with context.acting_for(service_principal("engine")), pytest.raises(InvalidArgument):
        await world.ledger.ListDeliveries(ledger_pb.ListDeliveriesRequest(page_token=token))


async def test_another_tenant_cannot_confirm(world: LedgerWorld, texter: Person, worker: Worker) -> None:
    await worker.serve(texter)
    (mine,) = await held(world, texter.tenant)
    await confirm(world, str(uuid.uuid4()), mine.id)
    assert await held(world, texter.tenant) == [mine]


async def test_what_is_committed_while_nats_is_away_is_told_when_it_is_back(
    world: LedgerWorld, texter: Person, worker: Worker, delivered: list[ledger_pb.Delivery]
) -> None:
    world.nats.kill()
    try:
        async with asyncio.timeout(10):
            for number in range(3):
                await text(texter, f"m{number}")
            await worker.serve(texter)
    finally:
        await world.nats_is_back()

    def told() -> list[str]:
        return [item.messages[0].text for item in delivered if item.tenant == texter.tenant]

    await until(lambda: len(told()) >= 4)
    assert told() == ["echo hi", "echo m0", "echo m1", "echo m2"]

    async def nothing_left() -> bool:
        rows = await world.sql(
            "SELECT 1 FROM session.outbox WHERE tenant_id = $1 AND (NOT hold OR published_at IS NULL)",
            uuid.UUID(texter.tenant),
        )
        return not rows

    await until(nothing_left)
    assert len(await held(world, texter.tenant)) == 4


async def test_a_wiped_stream_is_filled_again_from_the_outbox(
    world: LedgerWorld, texter: Person, worker: Worker, delivered: list[ledger_pb.Delivery]
) -> None:
    """Told but not confirmed, then everything NATS held is gone: the rows are still there to be told again."""
    await worker.serve(texter)
    await until(lambda: any(item.tenant == texter.tenant for item in delivered))
    world.nats.kill()
    world.nats.wipe()
    await world.nats_is_back()
    delivered.clear()
    await world.sql(
        "UPDATE session.outbox SET published_at = published_at - interval '1 hour' WHERE tenant_id = $1",
        uuid.UUID(texter.tenant),
    )
    await until(lambda: any(item.tenant == texter.tenant for item in delivered))
