"""WEBHOOK from a request to what the script returns."""

import asyncio
import io
import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from services.common.security import webhook_signatures as signatures
from services.common.security.sealing import Vault, key_of
from services.engine.schedule import calls, rows
from tests.integration.schedule.world import BOT, ScheduleWorld

pytestmark = pytest.mark.integration
ECHO = """WEBHOOK "orders"
TALK "got " + method
RETURN #{
  status: 201,
  headers: #{"X-Secret": "no", "ETag": "7"},
  body: #{order: order, all: body, asked: params, more: page}
}"""
KEYLESS = {"webhook-public": "true"}


@dataclass(frozen=True)
class Answered:
    """What the door said."""

    status: int
    body: Any
    headers: Mapping[str, str]
    raw: bytes


@dataclass
class Caller:
    """Calls the doors of the engine as Envoy would."""

    world: ScheduleWorld

    async def call(self, path: str, body: Any = None, method: str = "POST", **headers: str) -> Answered:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self.world.settings.operations_port}{path}"
        sent = {"Content-Type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        separator = "&" if "?" in path else "?"
        async with self.world.http.request(
            method, f"{url}{separator}tenant={self.slug}", data=io.BytesIO(raw), headers=sent, allow_redirects=False
        ) as response:
            found = await response.read()
            kind = response.content_type
            body = json.loads(found) if kind == "application/json" else found.decode()
            return Answered(
                response.status, body, {name.lower(): text for name, text in response.headers.items()}, found
            )

    @property
    def slug(self) -> str:
        return f"t{self.world.tenant[:8]}"

    async def secret(self, name: str = "orders") -> bytes:
        """The key, opened as the engine does."""
        (row,) = await self.world.sql(
            "SELECT secret FROM engine.webhooks WHERE tenant_id = $1 AND name = $2", uuid.UUID(self.world.tenant), name
        )
        vault = Vault(key_of(self.world.settings.key_encryption_key))
        return rows.unseal(vault, row["secret"], self.world.tenant, BOT, name)


@pytest.fixture
async def caller(world: ScheduleWorld) -> Caller:
    """A tenant that has a short name."""
    made = Caller(world)
    await world.sql(
        "INSERT INTO session.tenants (tenant_id, slug) VALUES ($1, $2)",
        uuid.UUID(world.tenant),
        made.slug,
    )
    return made


async def test_what_is_sent_becomes_variables_and_what_is_returned_the_answer(caller: Caller) -> None:
    await caller.world.publish(orders=ECHO, config=KEYLESS)
    answered = await caller.call(f"/api/{BOT}/webhook/orders?page=2", {"order": 7, "Name": "Ana"})
    assert answered.status == 201
    assert answered.body == {"order": 7, "all": {"order": 7, "Name": "Ana"}, "asked": {"page": "2"}, "more": "2"}
    assert answered.headers["etag"] == "7"
    assert "x-secret" not in answered.headers
    assert answered.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert await caller.world.said("webhook") == ["got POST"]
    (session,) = await caller.world.runs("webhook")
    assert session.state == session.STATE_ENDED, "each call has a session of its own, which ends with it"


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_both_addresses_and_all_methods(caller: Caller, method: str) -> None:
    await caller.world.publish(orders='WEBHOOK "Orders"\nRETURN method + " " + size', config=KEYLESS)
    for path in (f"/api/{BOT}/webhook/orders?size=3", f"/api/bot/{BOT}/Orders?size=3"):
        answered = await caller.call(path, method=method)
        assert (answered.status, answered.body) == (200, f"{method} 3")
        assert answered.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("returned", "status", "body"),
    [
        ("", 200, {}),
        ("RETURN [1, 2]", 200, [1, 2]),
        ('RETURN #{status: "ok", n: 1}', 200, {"status": "ok", "n": 1}),
        ('RETURN #{status: 404, message: "no"}', 404, {"message": "no"}),
        ("RETURN #{status: 204}", 204, None),
        ("RETURN #{status: 999}", 200, {"status": 999}),
        ('RETURN #{status: 200, headers: #{"Content-Type": "text/html"}, body: "<b>"}', 200, "<b>"),
        ('THROW "secret words"', 500, {"code": "INTERNAL", "message": "the script failed", "reason": "INTERNAL"}),
        ("HEAR x", 500, {"code": "INTERNAL", "message": "the script failed", "reason": "INTERNAL"}),
    ],
)  # fmt: skip
async def test_what_a_script_may_return(caller: Caller, returned: str, status: int, body: Any) -> None:
    await caller.world.publish(hook=f'WEBHOOK "hook"\n{returned}', config=KEYLESS)
    answered = await caller.call(f"/api/{BOT}/webhook/hook")
    assert answered.status == status
    assert answered.raw == b"" if body is None else answered.body == body


async def test_nobody_without_the_key_comes_in(caller: Caller) -> None:
    await caller.world.publish(orders=ECHO)
    path = f"/api/{BOT}/webhook/orders"
    key = signatures.shown(await caller.secret())
    for headers in ({}, {"X_Webhook_Key": "whsec_wrong"}, {"X_Webhook_Key": ""}):
        refused = await caller.call(path, {}, **headers)
        assert (refused.status, refused.body["reason"]) == (401, "SIGNATURE_INVALID")
    assert (await caller.call(f"{path}?key=wrong", {})).status == 401
    assert await caller.world.runs("webhook") == [], "nothing was started"
    assert (await caller.call(path, {}, X_Webhook_Key=key)).status == 201
    opened = await caller.call(f"{path}?key={key.replace('+', '%2B')}&page=1", {})
    assert (opened.status, opened.body["asked"]) == (201, {"page": "1"}), "the script is not told the key"


async def test_a_signature_opens_and_is_of_the_bytes(caller: Caller) -> None:
    await caller.world.publish(orders=ECHO)
    path, secret = f"/api/{BOT}/webhook/orders", await caller.secret()
    body, now = b'{"order": 1}', int(time.time())

    async def send(raw: bytes, at: int, key: bytes = secret) -> Answered:
        return await caller.call(path, raw, **signatures.headers(key, f"msg-{uuid.uuid4()}", at, body))

    assert (await send(body, now)).body["order"] == 1
    assert (await send(b'{"order": 2}', now)).status == 401
    assert (await send(body, now, b"another")).status == 401
    assert (await send(body, now - 3600)).status == 400


async def test_a_delivery_runs_once_and_is_answered_alike(caller: Caller) -> None:
    await caller.world.publish(
        orders='WEBHOOK "orders"\nTALK "once"\nRETURN #{status: 201, at: NOW().timestamp}', config=KEYLESS
    )
    path = f"/api/{BOT}/webhook/orders"
    answers = await asyncio.gather(*(caller.call(path, {"n": 1}, webhook_id="d1") for _ in range(8)))
    later = await caller.call(path, {"n": 1}, webhook_id="d1")
    assert {answer.status for answer in [*answers, later]} == {201}
    assert len({answer.raw for answer in [*answers, later]}) == 1
    assert await caller.world.said("webhook") == ["once"]
    other = await caller.call(path, {"n": 2}, webhook_id="d1")
    assert (other.status, other.body["reason"]) == (409, "REQUEST_ID_REUSED")
    assert (await caller.call(path, {"n": 2}, webhook_id="d2")).status == 201


async def test_a_key_of_the_author(caller: Caller) -> None:
    await caller.world.publish(orders=ECHO, config={"webhook-orders-key": "open sesame"})
    path = f"/api/{BOT}/webhook/orders"
    assert (await caller.call(path, {}, X_Webhook_Key="open sesame")).status == 201
    await caller.world.publish(orders=ECHO)
    assert (await caller.call(path, {}, X_Webhook_Key="open sesame")).status == 401, "taken out, it opens nothing"


async def test_a_key_outlives_a_version_that_is_taken_back(caller: Caller) -> None:
    await caller.world.publish(orders=ECHO)
    key, path = signatures.shown(await caller.secret()), f"/api/{BOT}/webhook/orders"
    await caller.world.publish(orders='TALK "no web address"')
    assert (await caller.call(path, {}, X_Webhook_Key=key)).status == 404
    await caller.world.publish(orders=ECHO)
    assert (await caller.call(path, {}, X_Webhook_Key=key)).status == 201


async def test_what_is_not_there_or_another_tenants(caller: Caller) -> None:
    await caller.world.publish(orders=ECHO, config=KEYLESS)
    unknown = await caller.call(f"/api/{BOT}/webhook/nothing", {})
    elsewhere = await caller.call("/api/nobot/webhook/orders", {})
    assert unknown.status == elsewhere.status == 404
    assert unknown.raw == elsewhere.raw
    url = f"http://127.0.0.1:{caller.world.settings.operations_port}/api/{BOT}/webhook/orders"
    for query in ("", "?tenant=default", "?tenant=nobody"):
        async with caller.world.http.post(url + query) as response:
            assert (response.status, await response.read()) == (404, unknown.raw)


async def test_sizes_and_shapes(caller: Caller) -> None:
    await caller.world.publish(orders='WEBHOOK "orders"\nRETURN body', config=KEYLESS)
    path = f"/api/{BOT}/webhook/orders"
    assert (await caller.call(path, b"x" * (1 << 20) + b"y")).status == 413
    assert (await caller.call(path, b"{not json")).status == 400
    assert (await caller.call(path, b"[" * 100_000)).status == 400
    form = await caller.call(path, b"a=1&b=two+words", Content_Type="application/x-www-form-urlencoded")
    assert form.body == {"a": "1", "b": "two words"}
    plain = await caller.call(path, "ähm\0".encode(), Content_Type="text/plain")
    assert plain.body == "ähm\0"
    large = {"text": "ä" * 400_000}
    assert (await caller.call(path, json.dumps(large, ensure_ascii=False).encode())).body == large
    assert (await caller.call(path, {}, Content_Encoding="gzip")).status == 400


async def test_configuration_wins_over_what_is_sent(caller: Caller) -> None:
    await caller.world.publish(hook='WEBHOOK "hook"\nRETURN apikey', config={**KEYLESS, "param-apikey": "ours"})
    assert (await caller.call(f"/api/{BOT}/webhook/hook", {"apikey": "theirs"})).body == "ours"


async def test_a_slow_script_is_accepted_and_its_answer_found_later(caller: Caller) -> None:
    await caller.world.publish(slow='WEBHOOK "slow"\nWAIT 2\nRETURN "done"', config=KEYLESS)
    object.__setattr__(caller.world.settings, "webhook_seconds", 0.5)
    try:
        path = f"/api/{BOT}/webhook/slow"
        first = await caller.call(path, {}, webhook_id="slow-1")
        assert (first.status, first.body["accepted"]) == (202, True)
        object.__setattr__(caller.world.settings, "webhook_seconds", 25.0)
        assert (await caller.call(path, {}, webhook_id="slow-1")).body == "done"
    finally:
        object.__setattr__(caller.world.settings, "webhook_seconds", 25.0)
    (session,) = await caller.world.runs("webhook")
    assert session.state == session.STATE_ENDED


async def test_too_many_at_once_are_told_to_come_again(caller: Caller) -> None:
    await caller.world.publish(hook='WEBHOOK "hook"\nRETURN 1', config=KEYLESS)
    path = f"/api/{BOT}/webhook/hook"
    burst = caller.world.settings.webhook_burst
    answers = await asyncio.gather(*(caller.call(path, webhook_id="same") for _ in range(burst + 10)))
    refused = [answer for answer in answers if answer.status == 429]
    assert len(refused) in range(5, 11), "more than the bucket holds, but for what a slow machine gave back meanwhile"
    assert "retry-after" in refused[0].headers


async def test_calls_of_webhooks_are_forgotten(caller: Caller) -> None:
    await caller.world.publish(hook='WEBHOOK "hook"\nRETURN 1', config=KEYLESS)
    await caller.call(f"/api/{BOT}/webhook/hook")
    tenant = uuid.UUID(caller.world.tenant)
    await caller.world.sql(
        "UPDATE engine.webhook_calls SET created_at = now() - interval '9 days' WHERE tenant_id = $1", tenant
    )
    assert await calls.forget(caller.world.engine.relay_database, 3) >= 1
    async with caller.world.engine.database.unit_of_work(caller.world.tenant) as connection:
        assert (await connection.execute(text("SELECT count(*) FROM engine.webhook_calls"))).scalar_one() == 0
