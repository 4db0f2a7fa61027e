"""TraceService: what conversations of bots that ask for it did, step by step."""

import uuid

import pytest
from parley.engine.v1 import trace_service_pb2 as pb
from parley.engine.v1 import trace_service_pb2_grpc
from parley.session.v1 import session_pb2, session_service_pb2

from services.common.errors import InvalidArgument, PermissionDenied
from services.engine.tracing import rows
from tests.integration.schedule.world import BOT, ScheduleWorld
from tests.waiting import until

pytestmark = pytest.mark.integration
SCRIPT = 'password = "hunter22"\nTALK "Name?"\nHEAR name\nTALK "Hello, ${name}, not ${password}"'


async def traces(
    world: ScheduleWorld, session: str, role: str = "admin", tenant: str = "", **more: object
) -> pb.ListTracesResponse:
    stub = trace_service_pb2_grpc.TraceServiceStub(world.caller.mesh.channel("engine"))
    with world.caller.acting(tenant or world.tenant, role):
        answer: pb.ListTracesResponse = await stub.ListTraces(pb.ListTracesRequest(parent=session, **more))  # type: ignore[arg-type]
    return answer


async def talked(world: ScheduleWorld, *texts: str) -> str:
    """A conversation in which this was said, all of it answered."""
    with world.caller.acting(world.tenant):
        request = session_service_pb2.CreateSessionRequest(session=session_pb2.Session(bot=f"bots/{BOT}"))
        session = (await world.sessions.CreateSession(request)).name
    for count, text in enumerate(texts, 1):
        await replies(world, session, count)
        with world.caller.acting(world.tenant):
            await world.sessions.PostMessage(
                session_service_pb2.PostMessageRequest(session=session, text=text, request_id=str(uuid.uuid4()))
            )
    await replies(world, session, len(texts) + 1)
    return str(session)


async def replies(world: ScheduleWorld, session: str, count: int) -> None:
    async def met() -> bool:
        request = session_service_pb2.ListMessagesRequest(parent=session, page_size=200)
        with world.caller.acting(world.tenant):
            page = await world.sessions.ListMessages(request)
        return sum(line.role != session_pb2.Message.ROLE_USER for line in page.messages) >= count

    await until(met)


async def test_a_conversation_is_traced_turn_by_turn(world: ScheduleWorld) -> None:
    version = await world.publish(start=SCRIPT, config={"trace": "on"})
    session = await talked(world, "Ana")
    found = (await traces(world, session)).traces
    assert [item.bot_version for item in found] == [version.name] * 2
    assert [item.name for item in found] == [f"{session}/traces/{item.turn}" for item in found]
    steps = [(step.line, step.operation) for item in found for step in item.steps]
    assert steps[:3] == [(1, "set"), (2, "say"), (3, "ask")]
    assert found[1].steps[0].output.list_value.values[0].string_value.startswith("Hello, Ana")
    raw = await world.sql(
        "SELECT steps::text AS steps FROM engine.traces WHERE session_id = $1", uuid.UUID(session[9:])
    )
    assert raw
    assert all("hunter22" not in row["steps"] for row in raw)


async def test_nothing_is_traced_unless_the_configuration_says_so(world: ScheduleWorld) -> None:
    await world.publish(start=SCRIPT)
    session = await talked(world, "Ana")
    assert not (await traces(world, session)).traces


async def test_turns_come_in_pages(world: ScheduleWorld) -> None:
    await world.publish(start=SCRIPT, config={"trace": "on"})
    session = await talked(world, "Ana")
    first = await traces(world, session, page_size=1)
    second = await traces(world, session, page_size=1, page_token=first.next_page_token)
    assert len(first.traces) == len(second.traces) == 1
    assert first.traces[0].turn < second.traces[0].turn
    assert not second.next_page_token


async def test_others_see_nothing(world: ScheduleWorld) -> None:
    await world.publish(start=SCRIPT, config={"trace": "on"})
    session = await talked(world, "Ana")
    assert not (await traces(world, session, tenant=str(uuid.uuid4()))).traces
    with pytest.raises(PermissionDenied):
        await traces(world, session, role="visitor")
    with pytest.raises(InvalidArgument):
        await traces(world, "sessions/nobody")


async def test_old_traces_are_forgotten(world: ScheduleWorld) -> None:
    await world.publish(start=SCRIPT, config={"trace": "on"})
    session = await talked(world)
    assert (await traces(world, session)).traces
    await world.sql(
        "UPDATE engine.traces SET created_at = now() - interval '9 days' WHERE session_id = $1", uuid.UUID(session[9:])
    )
    found = await world.engine.relay_database.call(rows.FORGET, rows.datetime.timedelta(days=7), rows.BATCH)
    assert found[0][0] >= 1
    assert not (await traces(world, session)).traces


async def test_rows_of_other_tenants_do_not_exist(world: ScheduleWorld) -> None:
    flags = await world.sql(
        "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE oid = 'engine.traces'::regclass"
    )
    assert [tuple(row) for row in flags] == [(True, True)]
