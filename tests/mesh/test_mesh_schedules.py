"""Scripts that no person starts, through the edge of a whole stack."""

import datetime
import json
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from tests.mesh.mesh_webhooks import Sender
from tests.mesh.mesh_world import Mesh
from tests.waiting import until

pytestmark = pytest.mark.mesh
ORDERS = """WEBHOOK "orders"
TALK "order " + number
RETURN #{status: 201, body: #{number: number, how: method}}"""
TICK = 'SET SCHEDULE "* * * * * *"\nTALK "tick"'


@pytest.fixture
async def bot(mesh: Mesh) -> AsyncIterator[str]:
    """A bot of its own, gone afterwards."""
    identifier = f"s{uuid.uuid4().hex[:10]}"
    await mesh.ok("POST", f"/v1/bots?bot_id={identifier}", {}, mesh.owner)
    yield identifier
    await mesh.ok("DELETE", f"/v1/bots/{identifier}", token=mesh.owner)


async def publish(mesh: Mesh, bot: str, config: dict[str, str] | None = None, **scripts: str) -> None:
    files = [{"path": f"{name}.bas", "text": text} for name, text in scripts.items()]
    await mesh.ok("POST", f"/v1/bots/{bot}/versions", {"scripts": files, "config": config or {}}, mesh.owner)


async def said(mesh: Mesh, bot: str) -> list[str]:
    """What the bot said where nobody listens."""
    found = await mesh.ok("GET", f"/v1/sessions?bot=bots/{bot}&page_size=200", token=mesh.owner)
    texts: list[str] = []
    for session in found.get("sessions", []):
        page = await mesh.ok("GET", f"/v1/{session['name']}/messages", token=mesh.owner)
        texts += [line["text"] for line in page["messages"] if line["role"] == "ROLE_BOT"]
    return texts


async def test_a_webhook_is_called_through_the_edge(mesh: Mesh, bot: str) -> None:
    await publish(mesh, bot, orders=ORDERS)
    path = f"/api/{bot}/webhook/orders"
    assert (await mesh.call("POST", path, {"number": 1})).status == 401
    key = (await mesh.ok("POST", f"/v1/bots/{bot}/webhooks/orders:rotateKey", {}, mesh.owner))["key"]
    for method, address in (("POST", path), ("PUT", path), ("POST", f"/api/bot/{bot}/orders")):
        answered = await mesh.call(method, address, {"number": 7}, headers={"x-webhook-key": key})
        assert (answered.status, answered.body) == (201, {"number": 7, "how": method})
    answered = await mesh.call("GET", f"{path}?number=8", headers={"x-webhook-key": key})
    assert answered.body == {"number": "8", "how": "GET"}
    assert answered.headers["content-security-policy"] == "default-src 'none'; sandbox"


async def test_a_signed_delivery_is_done_once(mesh: Mesh, bot: str) -> None:
    """Signed by the `standardwebhooks` package, with the key as it is shown."""
    await publish(mesh, bot, orders=ORDERS)
    key = (await mesh.ok("POST", f"/v1/bots/{bot}/webhooks/orders:rotateKey", {}, mesh.owner))["key"]
    assert Webhook(key)
    sender = Sender(mesh, f"/api/{bot}/webhook/orders", key)
    identifier, body = f"msg-{uuid.uuid4()}", json.dumps({"number": 3})
    answers = [await sender.send(identifier, time.time(), body) for _ in range(3)]
    assert [(answer.status, answer.body["number"]) for answer in answers] == [(201, 3)] * 3
    assert (await sender.send("other", time.time(), body, signed=json.dumps({"number": 4}))).status == 401
    assert await said(mesh, bot) == ["order 3"]


async def test_a_form_of_a_page(mesh: Mesh, bot: str) -> None:
    await publish(mesh, bot, start='ON FORM SUBMIT "contact"\n  TALK "from " + email\nEND ON')
    sent = await mesh.call(
        "POST",
        f"/api/{bot}/forms/contact",
        data=b"email=ana%40example.com",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert sent.status == 202, sent.raw

    async def told() -> bool:
        return await said(mesh, bot) == ["from ana@example.com"]

    await until(told)


async def test_a_schedule_fires_also_when_the_engine_is_killed(mesh: Mesh, bot: str) -> None:
    await publish(mesh, bot, tick=TICK)

    async def ticked() -> int:
        return len(await said(mesh, bot))

    async def begun() -> bool:
        return await ticked() >= 2

    await until(begun)
    restarts = mesh.kill("engine")
    await mesh.back("engine", restarts)
    before = await ticked()

    async def goes_on() -> bool:
        return await ticked() >= before + 2

    await until(goes_on)
    (schedule,) = (await mesh.ok("GET", f"/v1/bots/{bot}/schedules", token=mesh.owner))["schedules"]
    began = [
        datetime.datetime.fromisoformat(line["create_time"]) for line in await inputs(mesh, schedule["last_session"])
    ]
    assert len(began) <= (began[-1] - began[0]).total_seconds() + 2, "no second was told twice"
    paused = await mesh.ok("POST", f"/v1/{schedule['name']}:pause", {}, mesh.owner)
    assert paused["paused"]


async def inputs(mesh: Mesh, session: str) -> list[dict[str, Any]]:
    page = await mesh.ok("GET", f"/v1/{session}/messages?page_size=500", token=mesh.owner)
    return [line for line in page["messages"] if line["role"] == "ROLE_USER"]


async def test_what_is_no_address_of_a_bot_is_not_there(mesh: Mesh) -> None:
    for path in ("/api/nobody/webhook/orders", "/api/bot/nobody/orders", "/api/nobody/forms/contact"):
        answered = await mesh.call("POST", path, {})
        assert answered.status == 404, (path, answered.raw)
        assert answered.body["reason"] == "RESOURCE_NOT_FOUND"
    assert (await mesh.call("GET", "/api/auth?bot_name=hello")).status == 200
