"""What the database itself guarantees: tenants apart, the log append-only, old things gone."""

import asyncio
import uuid
from typing import Any

import asyncpg
import pytest
from parley.session.v1 import identity_service_pb2 as service_pb
from sqlalchemy import text

from services.common.errors import ParleyError, PermissionDenied, Unauthenticated
from services.session import audit, token_store
from services.session.identity.bootstrap import ensure_first_tenant
from tests.integration.session_identity.people import admin_token, make_user, member, other_tenant, sign_in
from tests.integration.session_identity.world import World

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:EdDSA is deprecated")]
TABLES = (
    "tenants", "users", "external_identities", "visitors", "api_keys", "token_families", "refresh_tokens",
    "sign_in_failures", "signing_keys", "requests", "audit_log",
)  # fmt: skip


async def rows(world: World, tenant: str, query: str, **values: object) -> list[Any]:
    async with world.chassis.database.unit_of_work(tenant) as connection:
        return list((await connection.execute(text(query), values)).all())


@pytest.mark.parametrize("table", TABLES)
async def test_foreign_rows_do_not_exist(world: World, table: str) -> None:
    made, _ = await other_tenant(world)
    tenant = made.tenant.name.removeprefix("tenants/")
    operator = str(world.identity.tenants.operator)
    for seen_by, hidden in ((tenant, operator), (operator, tenant)):
        found = await rows(world, seen_by, f"SELECT count(*) FROM session.{table} WHERE tenant_id <> :me", me=seen_by)
        assert found[0][0] == 0
        async with world.chassis.database.unit_of_work(seen_by) as connection:
            with pytest.raises(Exception, match=r"row-level security|permission denied|null value"):
                await connection.execute(
                    text(f"INSERT INTO session.{table} (tenant_id) VALUES (CAST(:hidden AS uuid))"), {"hidden": hidden}
                )
            await connection.rollback()
    assert (await world.chassis.database.call(f"SELECT count(*) FROM session.{table}"))[0][0] == 0
    connection = await asyncpg.connect(world.superuser_dsn)
    try:
        forced = await connection.fetchrow(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = $1::regclass", f"session.{table}"
        )
    finally:
        await connection.close()
    assert tuple(forced) == (True, True)


async def test_log_cannot_be_changed_by_the_service(world: World) -> None:
    await admin_token(world)
    operator = str(world.identity.tenants.operator)
    for statement in ("UPDATE session.audit_log SET actor = 'x'", "DELETE FROM session.audit_log"):
        with pytest.raises(ParleyError):
            await rows(world, operator, statement)
    assert (await rows(world, operator, "SELECT count(*) FROM session.audit_log"))[0][0] > 0


async def test_log_tells_what_happened(world: World) -> None:
    user, tokens = await member(world, "user")
    with pytest.raises(Unauthenticated):
        await sign_in(world, user.email, "not the password")
    _, admin = await member(world, "admin")
    with pytest.raises(PermissionDenied):
        await make_user(world, admin.access_token, "owner")
    operator = str(world.identity.tenants.operator)
    query = "SELECT actor, action, resource, outcome FROM session.audit_log ORDER BY seq"
    entries = [tuple(row) for row in await rows(world, operator, query)]
    assert (user.name, "users.signIn", user.name, "success") in entries
    assert (user.name, "users.signIn", user.name, "failure") in entries
    assert (admin.subject, "users.create", "", "denied") in entries
    assert tokens.subject == user.name


async def test_chain_is_whole_until_somebody_tampers(world: World) -> None:
    made, token = await other_tenant(world)
    tenant = uuid.UUID(made.tenant.name.removeprefix("tenants/"))
    await asyncio.gather(*(make_user(world, token, "user") for _ in range(8)))
    assert await audit.first_broken(world.chassis.database, tenant) is None
    connection = await asyncpg.connect(world.superuser_dsn)
    try:
        await connection.execute(
            "UPDATE session.audit_log SET actor = 'users/somebody-else' WHERE tenant_id = $1 AND seq = 4", tenant
        )
        assert await audit.first_broken(world.chassis.database, tenant) == 4
        await connection.execute("DELETE FROM session.audit_log WHERE tenant_id = $1 AND seq IN (2, 4)", tenant)
        assert await audit.first_broken(world.chassis.database, tenant) == 3
    finally:
        await connection.close()


async def test_the_operator_checks_the_logs_of_all_tenants(world: World) -> None:
    """As the owner of the schema: to whom they looked empty, and so whole."""
    made, _ = await other_tenant(world)
    tenant = uuid.UUID(made.tenant.name.removeprefix("tenants/"))
    owner, superuser = await asyncpg.connect(world.owner_dsn), await asyncpg.connect(world.superuser_dsn)
    try:
        before = {row["tenant_id"]: row for row in await owner.fetch("SELECT * FROM session.check_audit()")}
        assert set(before) == {row[0] for row in await superuser.fetch("SELECT tenant_id FROM session.tenants")}
        newest = await superuser.fetchrow(
            "SELECT seq, hash FROM session.audit_log WHERE tenant_id = $1 ORDER BY seq DESC LIMIT 1", tenant
        )
        found = before[tenant]
        assert (found["slug"], found["broken"], found["entries"]) == (made.tenant.slug, None, newest["seq"])
        assert (found["newest"], found["newest_hash"]) == tuple(newest)
        await superuser.execute("UPDATE session.audit_log SET detail = '{}' WHERE tenant_id = $1 AND seq = 2", tenant)
        after = {row["tenant_id"]: row["broken"] for row in await owner.fetch("SELECT * FROM session.check_audit()")}
        assert after[tenant] == 2
        assert await owner.fetchval("SELECT session.broken_audit($1)", tenant) == 2
        assert [key for key in before if after[key] != before[key]["broken"]] == [tenant]
    finally:
        await owner.close()
        await superuser.close()


async def test_only_the_owner_is_told_of_all_logs(world: World) -> None:
    for database in (world.chassis.database, world.chassis.relay_database):
        with pytest.raises(ParleyError):
            await database.call("SELECT * FROM session.check_audit()")
    owner = await asyncpg.connect(world.owner_dsn)
    try:
        assert await owner.fetchval("SELECT count(*) FROM session.audit_log") == 0
    finally:
        await owner.close()


async def test_first_start_happens_once(world: World) -> None:
    identity = world.identity
    again = await asyncio.gather(
        *(ensure_first_tenant(world.chassis.database, identity.people, None) for _ in range(3))
    )
    assert set(again) == {identity.tenants.operator}


async def test_old_things_go(world: World) -> None:
    visitor = await world.client.call(world.client.auth.SignInVisitor, service_pb.SignInVisitorRequest())
    kept = await world.client.call(world.client.auth.SignInVisitor, service_pb.SignInVisitorRequest())
    operator = str(world.identity.tenants.operator)
    old = {"subject": visitor.subject}
    await rows_changed(
        world, operator, "token_families SET expires_at = now() - interval '1 s' WHERE subject = :subject", old
    )
    await rows_changed(
        world, operator, "visitors SET last_seen_at = now() - interval '91 d' WHERE 'visitors/' || id = :subject", old
    )
    assert await token_store.forget_old(world.chassis.relay_database, world.settings.lifetimes.family) >= 2
    left = await rows(world, operator, "SELECT 'visitors/' || id FROM session.visitors")
    subjects = {row[0] for row in left}
    assert kept.subject in subjects
    assert visitor.subject not in subjects
    renew = service_pb.RefreshTokenRequest(refresh_token=visitor.refresh_token)
    with pytest.raises(Unauthenticated):
        await world.client.call(world.client.auth.RefreshToken, renew)


async def rows_changed(world: World, tenant: str, statement: str, values: dict[str, str]) -> None:
    async with world.chassis.database.unit_of_work(tenant) as connection:
        assert (await connection.execute(text(f"UPDATE session.{statement}"), values)).rowcount == 1
