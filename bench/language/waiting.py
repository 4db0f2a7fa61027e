"""A hundred thousand conversations that wait: what they cost the processes, and those who talk meanwhile."""

import uuid

import asyncpg

from bench.speed.figures import Figure, middle
from bench.speed.turns import SCRIPT, gather_people
from bench.speed.workbench import Workbench
from cli.stack.measuring import resident
from cli.stack.servers import DATABASE, SUPERUSER

NAME = "bench-waiting"
COUNT = 100_000
OFFERED = 20
COPIES = """WITH made AS (
    INSERT INTO session.user_sessions
    SELECT (jsonb_populate_record(u, jsonb_build_object('id', gen_random_uuid()))).*
    FROM session.user_sessions u, generate_series(1, $2) WHERE u.id = $1 RETURNING tenant_id, id)
INSERT INTO session.session_wakeups
SELECT (jsonb_populate_record(w, jsonb_build_object('session_id', made.id))).*
FROM made, session.session_wakeups w WHERE w.session_id = $1"""


async def figures(bench: Workbench, seconds: float) -> list[Figure]:
    """Memory of engine and session service, and latency of turns, before such rows are there and after."""
    await bench.publish(NAME, SCRIPT)
    token = await bench.visitor(NAME)
    session = await bench.session(NAME, token)
    crowd = await gather_people(bench, NAME, 4)
    await crowd.offer(OFFERED, seconds, lambda: "hello")
    before = middle(await crowd.offer(OFFERED, seconds, lambda: "hello")) * 1000
    processes = {name: memory_of(bench, name) for name in ("engine", "session")}
    await wait_too(bench, session)
    after = middle(await crowd.offer(OFFERED, seconds, lambda: "hello")) * 1000
    crowd.close()
    return [
        *(
            Figure("language", f"{name} with {COUNT} waiting", memory_of(bench, name), "MiB", known, 1.05, at_most=True)
            for name, known in processes.items()
        ),
        Figure("language", f"p50 of a turn with {COUNT} waiting", after, "ms", before, 1.5, at_most=True),
    ]


def memory_of(bench: Workbench, name: str) -> float:
    """MiB of a service."""
    state = bench.stack.layout.read_state() or {"components": []}
    return sum(resident(item["pid"]) for item in state["components"] if item["name"].partition("-")[0] == name)


async def wait_too(bench: Workbench, session: str) -> None:
    """So many conversations stand where this one stands."""
    password = bench.stack.layout.secrets()["postgres"]
    address = f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{bench.stack.ports['postgres']}/{DATABASE}"
    connection = await asyncpg.connect(address)
    try:
        await connection.execute(COPIES, uuid.UUID(session.removeprefix("sessions/")), COUNT)
    finally:
        await connection.close()
