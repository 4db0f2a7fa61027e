"""What a request_id did, in a real PostgreSQL: once, with the same answer, for as long as it may be repeated."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
from parley.channels.v1 import channel_service_pb2 as pb
from pydantic import SecretStr

from services.common import context
from services.common.db import requests, rls
from services.common.db.engine import Database
from services.common.errors import AlreadyExists, NotFound
from services.common.security.principal import Principal
from tests.servers import Postgres, Statements
from tests.waiting import until

pytestmark = pytest.mark.integration
SCHEMA = "requests_test"
SECRET = SecretStr("a secret of the installation")


@pytest.fixture(scope="module")
async def schema(postgres: Postgres) -> AsyncIterator[None]:
    operations = Statements()
    operations.execute(f"CREATE SCHEMA {SCHEMA}")
    rls.open_schema(operations, SCHEMA)
    requests.make_table(operations, SCHEMA)
    await postgres.as_owner(*operations.all)
    yield
    await postgres.as_owner(f"DROP SCHEMA {SCHEMA} CASCADE")


@pytest.fixture
async def relay(postgres: Postgres, schema: None) -> AsyncIterator[Database]:
    made = Database(postgres.relay_dsn, schema=SCHEMA, pool_size=2, name="test-relay")
    await made.open()
    yield made
    await made.close()


class Shop:
    """Makes channels, or says that it did."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.log = requests.RequestLog(SCHEMA, SECRET)
        self.tenant = str(uuid.uuid4())
        self.made = 0
        self.gate = asyncio.Event()
        self.gate.set()

    def request(self, **values: str) -> pb.CreateChannelRequest:
        return pb.CreateChannelRequest(**{"channel_id": "shop", "request_id": str(uuid.uuid4()), **values})

    async def ask(self, request: pb.CreateChannelRequest, who: str = "users/ana", fails: bool = False) -> pb.Channel:
        """What is answered."""
        with context.acting_for(Principal(self.tenant, who, frozenset())):
            asked = await self.log.asked(request)

        async def work() -> pb.Channel:
            await self.gate.wait()
            if fails:
                raise NotFound("no such thing")
            self.made += 1
            return pb.Channel(name=f"channels/{self.made}", display_name="hush")

        async with self.database.unit_of_work(self.tenant) as connection:
            return await self.log.once(connection, asked, pb.Channel, work, secrets=("display_name",))


@pytest.fixture
async def shop(postgres: Postgres, schema: None) -> AsyncIterator[Shop]:
    database = Database(postgres.app_dsn, schema=SCHEMA, pool_size=16, name="test")
    await database.open()
    yield Shop(database)
    await database.close()


async def test_what_is_asked_twice_is_done_once(shop: Shop) -> None:
    request = shop.request()
    first = await shop.ask(request)
    again = await shop.ask(request)
    assert shop.made == 1
    assert (first.display_name, again.display_name) == ("hush", "")
    assert first.name == again.name == "channels/1"


async def test_without_an_id_each_is_a_new_one(shop: Shop) -> None:
    for _ in range(2):
        await shop.ask(shop.request(request_id=""))
    assert shop.made == 2


async def test_at_once_it_is_done_once_too(shop: Shop) -> None:
    request = shop.request()
    names = {answer.name for answer in await asyncio.gather(*(shop.ask(request) for _ in range(8)))}
    assert (shop.made, names) == (1, {"channels/1"})


async def test_who_waited_for_one_that_failed_does_the_work(shop: Shop, relay: Database) -> None:
    request = shop.request()
    shop.gate.clear()
    failing = asyncio.create_task(shop.ask(request, fails=True))
    await until(lambda: shop_holds(relay))
    second = asyncio.create_task(shop.ask(request))
    await until(lambda: waiting(relay))
    shop.gate.set()
    with pytest.raises(NotFound):
        await failing
    assert (await second).name == "channels/1"


async def shop_holds(relay: Database) -> bool:
    """Whether a transaction has claimed something and not ended."""
    query = "SELECT count(*) FROM pg_locks WHERE relation = 'requests_test.requests'::regclass AND mode LIKE 'RowExcl%'"
    return bool((await relay.call(query))[0][0])


async def waiting(relay: Database) -> bool:
    """Whether somebody waits for another's claim."""
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted"
    return bool((await relay.call(query))[0][0])


@pytest.mark.parametrize("change", [{"channel_id": "other"}, {"channel_id": "s" * 100_000}])
async def test_another_request_with_the_id_is_refused(shop: Shop, change: dict[str, str]) -> None:
    request = shop.request()
    await shop.ask(request)
    other = shop.request(request_id=request.request_id, **change)
    for _ in range(2):
        with pytest.raises(AlreadyExists) as caught:
            await shop.ask(other)
        assert caught.value.reason == "REQUEST_ID_REUSED"
    assert shop.made == 1


async def test_the_same_fields_of_another_method_are_another_request(shop: Shop) -> None:
    """Their bytes may be the same."""
    with context.acting_for(Principal(shop.tenant, "users/ana", frozenset())):
        one = await shop.log.asked(pb.DeleteChannelRequest(name="channels/a", request_id=str(uuid.UUID(int=1))))
        other = await shop.log.asked(pb.RotateSecretRequest(name="channels/a", request_id=str(uuid.UUID(int=1))))
    assert one.key == other.key
    assert one.digest != other.digest


async def test_an_id_belongs_to_who_chose_it(shop: Shop) -> None:
    request = shop.request()
    await shop.ask(request)
    assert (await shop.ask(request, "users/ben")).name == "channels/2"
    shop.tenant = str(uuid.uuid4())
    assert (await shop.ask(request)).name == "channels/3"


async def test_a_digest_tells_nothing_without_the_secret(shop: Shop) -> None:
    request = shop.request()
    with context.acting_for(Principal(shop.tenant, "users/ana", frozenset())):
        mine = await shop.log.asked(request)
        other = await requests.RequestLog(SCHEMA, SecretStr("another")).asked(request)
    assert mine.digest != other.digest


async def test_old_ones_are_forgotten_and_no_others(shop: Shop, relay: Database) -> None:
    old, young = shop.request(), shop.request()
    await shop.ask(old)
    await shop.ask(young)
    await relay.call(
        "UPDATE requests_test.requests SET created_at = now() - interval '8 days' WHERE request_id = $1",
        uuid.UUID(old.request_id),
    )
    assert await requests.forget(relay, 30) == 0
    assert await requests.forget(relay, 7) == 1
    assert (await shop.ask(young)).name == "channels/2"
    assert (await shop.ask(old)).name == "channels/3"


async def test_many_go_in_portions_and_what_another_holds_is_passed_over(
    shop: Shop, relay: Database, postgres: Postgres
) -> None:
    await postgres.as_owner(
        "ALTER TABLE requests_test.requests NO FORCE ROW LEVEL SECURITY",
        "INSERT INTO requests_test.requests SELECT gen_random_uuid(), 'users/x', gen_random_uuid(), '', '', "
        f"now() - interval '9 days' FROM generate_series(1, {requests.BATCH + 2})",
        "ALTER TABLE requests_test.requests FORCE ROW LEVEL SECURITY",
    )
    connection = await asyncpg.connect(postgres.relay_dsn)
    try:
        async with connection.transaction():
            await connection.execute(
                "SELECT 1 FROM requests_test.requests WHERE subject = 'users/x' LIMIT 1 FOR UPDATE"
            )
            assert await requests.forget(relay, 7) == requests.BATCH
            assert await requests.forget(relay, 7) == 1
            assert await requests.forget(relay, 7) == 0
        assert await requests.forget(relay, 7) == 1
    finally:
        await connection.close()
