"""ScheduleService: what operators see of what starts scripts, and what they may do about it."""

import uuid
from typing import Any

import pytest
from google.protobuf import struct_pb2
from parley.engine.v1 import schedule_service_pb2 as pb
from parley.engine.v1 import schedule_service_pb2_grpc

from services.common.errors import FailedPrecondition, NotFound, PermissionDenied
from tests.integration.schedule.test_engine_webhooks import Caller, caller
from tests.integration.schedule.world import BOT, ScheduleWorld
from tests.waiting import until

__all__ = ["caller"]
pytestmark = pytest.mark.integration
PARENT = f"bots/{BOT}"
DAILY = 'SET SCHEDULE "every day at 9am"\nTALK "daily"'
ORDERS = 'WEBHOOK "orders"\nRETURN "in"'


async def call(world: ScheduleWorld, method: str, request: Any, role: str = "admin", tenant: str = "") -> Any:
    stub = schedule_service_pb2_grpc.ScheduleServiceStub(world.caller.mesh.channel("engine"))
    with world.caller.acting(tenant or world.tenant, role):
        return await getattr(stub, method)(request)


async def listed(world: ScheduleWorld) -> list[pb.Schedule]:
    answer = await call(world, "ListSchedules", pb.ListSchedulesRequest(parent=PARENT))
    return list(answer.schedules)


async def test_lists_come_in_pages(world: ScheduleWorld) -> None:
    lines = 'SET SCHEDULE "weekly"\nWEBHOOK "w{n}"\nON EVENT "e{n}" CALL x\nSUB x\nEND SUB'
    await world.publish({f"s{n}": lines.replace("{n}", str(n)) for n in range(5)})
    for method, request, field in (
        ("ListSchedules", pb.ListSchedulesRequest, "schedules"),
        ("ListWebhooks", pb.ListWebhooksRequest, "webhooks"),
        ("ListEventRules", pb.ListEventRulesRequest, "event_rules"),
    ):
        names: list[str] = []
        token = ""
        while True:
            page = await call(world, method, request(parent=PARENT, page_size=2, page_token=token))
            names += [item.name for item in getattr(page, field)]
            token = page.next_page_token
            if not token:
                break
        assert len(set(names)) == len(names) == 5
        with pytest.raises(NotFound):
            await call(world, method, request(parent="bots/nobody"))


async def test_what_is_shown(world: ScheduleWorld) -> None:
    mail = 'ON EMAIL "a@b.org" FROM "x" CALL x\nSUB x\nEND SUB'
    version = await world.publish(start=f"{DAILY}\n{ORDERS}", other=mail)
    (schedule,) = await listed(world)
    assert (schedule.script, schedule.rule, schedule.time_zone) == ("start", "every day at 9am", "UTC")
    assert (schedule.declared, schedule.paused, schedule.bot_version) == (True, False, version.name)
    assert schedule.next_time.ToDatetime().hour == 9
    (webhook,) = (await call(world, "ListWebhooks", pb.ListWebhooksRequest(parent=PARENT))).webhooks
    assert (webhook.path, webhook.public, webhook.key) == (f"/api/{BOT}/webhook/orders", False, "")
    (rule,) = (await call(world, "ListEventRules", pb.ListEventRulesRequest(parent=PARENT))).event_rules
    assert (rule.kind, rule.target, dict(rule.options)) == (pb.EventRule.KIND_EMAIL, "a@b.org", {"from": "x"})


async def test_pause_and_resume(world: ScheduleWorld) -> None:
    await world.publish(report=DAILY)
    (schedule,) = await listed(world)
    for _ in range(2):
        assert (await call(world, "PauseSchedule", pb.PauseScheduleRequest(name=schedule.name))).paused
    await world.due(100)
    resumed = await call(world, "ResumeSchedule", pb.ResumeScheduleRequest(name=schedule.name))
    assert not resumed.paused
    assert resumed.next_time == schedule.next_time, "what was missed meanwhile is not made up for"
    assert await world.said() == []


async def test_run_now_once_a_request(world: ScheduleWorld) -> None:
    await world.publish(report=DAILY)
    (schedule,) = await listed(world)
    request = pb.RunScheduleRequest(name=schedule.name, request_id=str(uuid.uuid4()))
    first = await call(world, "RunSchedule", request)
    assert await call(world, "RunSchedule", request) == first
    await world.says("daily")
    assert (await listed(world))[0].next_time == schedule.next_time


async def test_only_what_a_script_set_is_deleted(world: ScheduleWorld) -> None:
    await world.publish(report=DAILY, start='SET SCHEDULE "weekly"\nrule = "every hour"\nSET SCHEDULE rule, "report"')
    await world.due(script="start")
    await world.outcome("start", "started")

    async def kinds() -> dict[bool, pb.Schedule]:
        return {item.declared: item for item in await listed(world) if item.script == "report"}

    async def was_set() -> bool:
        return len(await kinds()) == 2

    await until(was_set)
    found = await kinds()
    with pytest.raises(FailedPrecondition, match="pause it"):
        await call(world, "DeleteSchedule", pb.DeleteScheduleRequest(name=found[True].name))
    await call(world, "DeleteSchedule", pb.DeleteScheduleRequest(name=found[False].name))
    with pytest.raises(NotFound):
        await call(world, "DeleteSchedule", pb.DeleteScheduleRequest(name=found[False].name))
    assert set(await kinds()) == {True}


async def test_a_new_key_opens_at_once_and_the_old_one_for_a_while(caller: Caller) -> None:
    world, path = caller.world, f"/api/{BOT}/webhook/orders"
    await world.publish(orders=ORDERS)
    name = f"{PARENT}/webhooks/orders"
    first = await call(world, "RotateWebhookKey", pb.RotateWebhookKeyRequest(name=name))
    request = pb.RotateWebhookKeyRequest(name=name, request_id=str(uuid.uuid4()))
    second = await call(world, "RotateWebhookKey", request)
    again = await call(world, "RotateWebhookKey", request)
    assert (again.name, again.key) == (second.name, ""), "it is shown once"
    for key in (first.key, second.key):
        assert (await caller.call(path, {}, X_Webhook_Key=key)).body == "in"
    await world.sql(
        "UPDATE engine.webhooks SET former_until = now() - interval '1 s' WHERE tenant_id = $1", uuid.UUID(world.tenant)
    )
    assert (await caller.call(path, {}, X_Webhook_Key=first.key)).status == 401
    assert (await caller.call(path, {}, X_Webhook_Key=second.key)).body == "in"
    await world.publish(orders=ORDERS, config={"webhook-key": "a key of ours"})
    with pytest.raises(FailedPrecondition, match="configuration"):
        await call(world, "RotateWebhookKey", pb.RotateWebhookKeyRequest(name=name))


async def test_an_event_is_told_once_a_request(world: ScheduleWorld) -> None:
    await world.publish(start='ON EVENT "restock" CALL x\nSUB x\nTALK "restock " + item\nEND SUB')
    payload = struct_pb2.Struct()
    payload.update({"item": "tea"})
    request = pb.EmitEventRequest(
        bot=PARENT, kind=pb.EventRule.KIND_CUSTOM, target="restock", payload=payload, request_id=str(uuid.uuid4())
    )
    for _ in range(3):
        assert (await call(world, "EmitEvent", request)).started == 1
    await world.says("restock tea", channel="event")
    nothing = pb.EmitEventRequest(bot=PARENT, kind=pb.EventRule.KIND_CUSTOM, target="other")
    assert (await call(world, "EmitEvent", nothing)).started == 0


async def test_who_may(world: ScheduleWorld) -> None:
    await world.publish(report=DAILY)
    (schedule,) = await listed(world)
    for role in ("visitor", "user", "agent"):
        with pytest.raises(PermissionDenied):
            await call(world, "ListSchedules", pb.ListSchedulesRequest(parent=PARENT), role)
    stranger = str(uuid.uuid4())
    with pytest.raises(NotFound):
        await call(world, "PauseSchedule", pb.PauseScheduleRequest(name=schedule.name), tenant=stranger)
    with pytest.raises(NotFound):
        await call(world, "RunSchedule", pb.RunScheduleRequest(name=schedule.name), tenant=stranger)
