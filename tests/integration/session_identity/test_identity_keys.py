"""API keys: made, limited, exchanged, revoked; and the edge's question about them."""

import asyncio
import datetime
import uuid
from collections.abc import Sequence

import aiohttp
import pytest
from google.protobuf import timestamp_pb2
from parley.session.v1 import identity_pb2 as pb
from parley.session.v1 import identity_service_pb2 as service_pb

from services.common.errors import AlreadyExists, InvalidArgument, NotFound, PermissionDenied, Unauthenticated
from services.session.identity import exchange
from tests.integration.session_identity.people import admin_token, member, other_tenant, request_id
from tests.integration.session_identity.test_identity_sign_in import claims_of
from tests.integration.session_identity.world import World

pytestmark = [
    pytest.mark.integration,
    pytest.mark.filterwarnings("ignore:EdDSA is deprecated"),
]


def in_seconds(seconds: float) -> timestamp_pb2.Timestamp:
    moment = timestamp_pb2.Timestamp()
    moment.FromDatetime(datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds))
    return moment


async def make_key(
    world: World,
    token: str,
    *,
    request: str = "",
    roles: Sequence[str] = (),
    scopes: Sequence[str] = (),
    expire_time: timestamp_pb2.Timestamp | None = None,
) -> pb.ApiKey:
    key = pb.ApiKey(display_name="a program", roles=roles, scopes=scopes, expire_time=expire_time)
    message = service_pb.CreateApiKeyRequest(api_key=key, request_id=request)
    made: pb.ApiKey = await world.client.call(world.client.api_keys.CreateApiKey, message, token)
    return made


async def trade(world: World, secret: str) -> service_pb.TokenSet:
    return await world.client.call(world.client.auth.ExchangeToken, service_pb.ExchangeTokenRequest(api_key=secret))


async def ask_edge(world: World, secret: str, path: str = "/authorize") -> tuple[int, str]:
    headers = {"x-api-key": secret} if secret else {}
    async with aiohttp.ClientSession() as client, client.post(world.operations + path, headers=headers) as answer:
        return answer.status, answer.headers.get("Authorization", "")


async def test_key_is_shown_once_and_works(world: World) -> None:
    token = await admin_token(world)
    made = await make_key(world, token, roles=["developer"], scopes=["session.own.get", "kb.*"])
    assert made.secret.startswith(f"pk_{made.name.removeprefix('apiKeys/')}_")
    granted = await trade(world, made.secret)
    assert granted.subject == made.name
    assert granted.refresh_token == ""
    claims = claims_of(granted.access_token)
    assert claims["scope"] == "kb.* session.own.get"
    assert claims["roles"] == ["developer"]
    listed = await world.client.call(world.client.api_keys.ListApiKeys, service_pb.ListApiKeysRequest(), token)
    shown = next(key for key in listed.api_keys if key.name == made.name)
    assert shown.secret == ""
    assert shown.last_use_time.seconds % 60 == 0
    assert shown.last_use_time.seconds > 0


async def test_scopes_withhold(world: World) -> None:
    made = await make_key(world, await admin_token(world), roles=["owner"], scopes=["session.own.get"])
    granted = await trade(world, made.secret)
    tenant = await world.client.call(
        world.client.tenants.GetTenant, service_pb.GetTenantRequest(name="tenants/mine"), granted.access_token
    )
    assert tenant.slug == "default"
    with pytest.raises(PermissionDenied):
        await world.client.call(world.client.users.ListUsers, service_pb.ListUsersRequest(), granted.access_token)


async def test_limited_key_makes_nothing_less_limited(world: World) -> None:
    scopes = ["session.apiKeys.*", "session.own.get", "session.users.create"]
    limited = await make_key(world, await admin_token(world), roles=["owner"], scopes=scopes)
    token = (await trade(world, limited.secret)).access_token
    child = await make_key(world, token, roles=["owner"], scopes=["session.apiKeys.list"])
    assert list(child.scopes) == ["session.apiKeys.list"]
    with pytest.raises(InvalidArgument):
        await make_key(world, token, roles=["user"])
    for scopes in (["*"], ["session.*"], ["session.users.delete"]):
        with pytest.raises(PermissionDenied):
            await make_key(world, token, roles=["owner"], scopes=scopes)
    user = pb.User(email=f"{uuid.uuid4().hex}@example.com", roles=["owner"])
    with pytest.raises(PermissionDenied):
        await world.client.call(world.client.users.CreateUser, service_pb.CreateUserRequest(user=user), token)


@pytest.mark.parametrize("role", ["owner", "admin", "agent"])
async def test_developer_makes_no_key_with_more_than_theirs(world: World, role: str) -> None:
    _, tokens = await member(world, "developer")
    if role == "agent":
        assert (await make_key(world, tokens.access_token, roles=[role])).secret
        return
    with pytest.raises(PermissionDenied):
        await make_key(world, tokens.access_token, roles=[role])


async def test_developer_does_not_revoke_an_owners_key(world: World) -> None:
    _, tokens = await member(world, "developer")
    made = await make_key(world, await admin_token(world), roles=["owner"])
    request = service_pb.DeleteApiKeyRequest(name=made.name)
    with pytest.raises(PermissionDenied):
        await world.client.call(world.client.api_keys.DeleteApiKey, request, tokens.access_token)
    assert (await trade(world, made.secret)).subject == made.name


@pytest.mark.parametrize("scope", ["session.**", "session..x", "a b", "*.x", "", "x" * 200])
async def test_scopes_are_permissions(world: World, scope: str) -> None:
    with pytest.raises(InvalidArgument):
        await make_key(world, await admin_token(world), scopes=[scope])


async def test_expiry(world: World) -> None:
    token = await admin_token(world)
    with pytest.raises(InvalidArgument):
        await make_key(world, token, expire_time=in_seconds(-1))
    made = await make_key(world, token, expire_time=in_seconds(60))
    granted = await trade(world, made.secret)
    assert granted.expire_time.seconds <= made.expire_time.seconds
    async with world.chassis.database.unit_of_work(str(world.identity.tenants.operator)) as connection:
        await connection.exec_driver_sql("UPDATE session.api_keys SET expires_at = now() WHERE expires_at IS NOT NULL")
    with pytest.raises(Unauthenticated):
        await trade(world, made.secret)


async def test_revoked_key(world: World) -> None:
    token = await admin_token(world)
    made = await make_key(world, token)
    request = service_pb.DeleteApiKeyRequest(name=made.name)
    await world.client.call(world.client.api_keys.DeleteApiKey, request, token)
    with pytest.raises(Unauthenticated) as caught:
        await trade(world, made.secret)
    assert caught.value.reason == "CREDENTIALS_INVALID"
    with pytest.raises(NotFound):
        await world.client.call(world.client.api_keys.DeleteApiKey, request, token)


async def test_near_misses(world: World) -> None:
    made = await make_key(world, await admin_token(world))
    other = await make_key(world, await admin_token(world))
    _, key_id, secret = made.secret.split("_", 2)
    _, other_id, _ = other.secret.split("_", 2)
    flipped = secret[:40] + ("A" if secret[40] != "A" else "B") + secret[41:]
    for text in (f"pk_{key_id}_{flipped}", f"pk_{other_id}_{secret}", f"pk_{key_id}_{secret[:-1]}", "rt_" + secret):
        with pytest.raises(Unauthenticated):
            await trade(world, text)


async def test_repeated_request_shows_no_secret(world: World) -> None:
    token, same = await admin_token(world), request_id()
    first = await make_key(world, token, request=same)
    second = await make_key(world, token, request=same)
    assert first.secret
    assert second.secret == ""
    assert second.name == first.name
    with pytest.raises(AlreadyExists):
        await make_key(world, token, request=same, roles=["agent"])


async def test_pages_newest_first(world: World) -> None:
    _, token = await other_tenant(world)
    made = [(await make_key(world, token)).name for _ in range(5)]
    seen: list[str] = []
    request = service_pb.ListApiKeysRequest(page_size=2)
    while True:
        page = await world.client.call(world.client.api_keys.ListApiKeys, request, token)
        seen += [key.name for key in page.api_keys]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert seen == made[::-1]
    listed = service_pb.ListUsersRequest(page_token=request.page_token)
    with pytest.raises(InvalidArgument):
        await world.client.call(world.client.users.ListUsers, listed, token)


async def test_foreign_keys_are_not_there(world: World) -> None:
    made = await make_key(world, await admin_token(world))
    _, token = await other_tenant(world)
    with pytest.raises(NotFound):
        await world.client.call(
            world.client.api_keys.DeleteApiKey, service_pb.DeleteApiKeyRequest(name=made.name), token
        )
    listed = await world.client.call(world.client.api_keys.ListApiKeys, service_pb.ListApiKeysRequest(), token)
    assert not listed.api_keys


async def test_edge_gets_a_token_for_a_key(world: World) -> None:
    made = await make_key(world, await admin_token(world), roles=["user"])
    for path in ("/authorize", "/authorize/v1/sessions?page_size=3"):
        status, header = await ask_edge(world, made.secret, path)
        assert status == 200
        assert claims_of(header.removeprefix("Bearer "))["sub"] == made.name
    assert (await ask_edge(world, made.secret))[1] == header


@pytest.mark.parametrize("secret", ["", "nonsense", "pk_aaaaaaaaaaaaa_" + "A" * 64])
async def test_edge_refuses(world: World, secret: str) -> None:
    assert await ask_edge(world, secret) == (401, "")


async def test_edge_forgets_a_revoked_key(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "REMEMBER_SECONDS", 0.0)
    token = await admin_token(world)
    made = await make_key(world, token)
    assert (await ask_edge(world, made.secret))[0] == 200
    request = service_pb.DeleteApiKeyRequest(name=made.name)
    await world.client.call(world.client.api_keys.DeleteApiKey, request, token)
    assert await ask_edge(world, made.secret) == (401, "")


async def test_many_uses_write_once_a_minute(world: World) -> None:
    made = await make_key(world, await admin_token(world))
    await asyncio.gather(*(trade(world, made.secret) for _ in range(20)))
    key = made.name.removeprefix("apiKeys/")
    async with world.chassis.database.unit_of_work(str(world.identity.tenants.operator)) as connection:
        query = f"SELECT xmin::text FROM session.api_keys WHERE id = '{key}'"
        before = (await connection.exec_driver_sql(query)).scalar_one()
    last = (await connection_minute(world, key)).minute
    await trade(world, made.secret)
    async with world.chassis.database.unit_of_work(str(world.identity.tenants.operator)) as connection:
        after = (await connection.exec_driver_sql(query)).scalar_one()
    assert after == before or (await connection_minute(world, key)).minute != last


async def connection_minute(world: World, key: str) -> datetime.datetime:
    async with world.chassis.database.unit_of_work(str(world.identity.tenants.operator)) as connection:
        query = f"SELECT last_use_at FROM session.api_keys WHERE id = '{key}'"
        found: datetime.datetime = (await connection.exec_driver_sql(query)).scalar_one()
        return found
