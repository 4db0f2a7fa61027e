"""Variables: a row a key."""

import asyncio
import uuid
from typing import Any

import pytest
from google.protobuf import struct_pb2
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import variable_service_pb2 as pb

from services.common.errors import Aborted
from tests.integration.session_ledger.world import LedgerWorld, Person, Worker

pytestmark = pytest.mark.integration


def value(of: Any) -> struct_pb2.Value:
    made = struct_pb2.Value()
    if of is None:
        made.null_value = struct_pb2.NULL_VALUE
    elif isinstance(of, str):
        made.string_value = of
    else:
        made.number_value = of
    return made


async def merge(person: Person, *changes: tuple[str, Any, int], parent: str = "") -> list[pb.Variable]:
    variables = [pb.Variable(key=key, value=value(of), revision=revision) for key, of, revision in changes]
    request = pb.MergeVariablesRequest(parent=parent or person.session, variables=variables)
    with person.acting():
        return list((await person.world.variables.MergeVariables(request)).variables)


async def listed(person: Person, parent: str = "") -> dict[str, Any]:
    with person.acting():
        answer = await person.world.variables.ListVariables(pb.ListVariablesRequest(parent=parent or person.session))
    found: dict[str, Any] = {}
    for item in answer.variables:
        kind = item.value.WhichOneof("kind")
        found[item.key] = getattr(item.value, kind)
    return found


@pytest.fixture
async def owner(world: LedgerWorld) -> Person:
    made = world.person(str(uuid.uuid4()), "admin")
    await made.open()
    await Worker(world).serve(made)
    return made


async def test_writers_of_different_keys_never_meet(owner: Person) -> None:
    await asyncio.gather(*(merge(owner, (f"k{n}", n, 0), parent="bots/hello") for n in range(40)))
    assert await listed(owner, "bots/hello") == {f"k{n}": n for n in range(40)}


async def test_writers_of_the_same_keys_in_any_order_do_not_block_each_other(owner: Person) -> None:
    there = [(f"k{n}", 1.0, 0) for n in range(10)]
    await asyncio.gather(*(merge(owner, *(there if n % 2 else reversed(there))) for n in range(20)))
    assert await listed(owner) == {f"k{n}": 1.0 for n in range(10)}


async def test_a_stale_revision_is_refused_and_changes_nothing(owner: Person) -> None:
    (first,) = await merge(owner, ("k", "one", 0))
    (second,) = await merge(owner, ("k", "two", first.revision))
    assert second.revision == first.revision + 1
    with pytest.raises(Aborted) as refused:
        await merge(owner, ("a", "never", 0), ("k", "three", first.revision))
    assert (refused.value.reason, refused.value.metadata["revision"]) == ("CONFLICT", str(second.revision))
    assert await listed(owner) == {"k": "two"}


async def test_of_many_writers_with_one_revision_one_wins(owner: Person) -> None:
    (first,) = await merge(owner, ("k", 0, 0))
    outcomes = await asyncio.gather(
        *(merge(owner, ("k", n, first.revision)) for n in range(1, 11)), return_exceptions=True
    )
    won = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert len(won) == 1
    assert all(isinstance(outcome, Aborted) for outcome in outcomes if isinstance(outcome, BaseException))


async def test_counting_with_revisions_loses_no_count(owner: Person) -> None:
    (current,) = await merge(owner, ("count", 0, 0))

    async def add(place: int) -> None:
        known = current
        while True:
            try:
                await merge(owner, ("count", known.value.number_value + 1, known.revision))
            except Aborted:
                with owner.acting():
                    (known,) = (
                        await owner.world.variables.ListVariables(pb.ListVariablesRequest(parent=owner.session))
                    ).variables
            else:
                return

    await asyncio.gather(*(add(place) for place in range(8)))
    assert await listed(owner) == {"count": 8}


async def test_a_revision_of_a_key_that_is_gone_is_stale(owner: Person) -> None:
    (first,) = await merge(owner, ("k", "one", 0))
    await merge(owner, ("k", None, 0))
    for attempt in (("k", "back", first.revision), ("k", None, first.revision)):
        with pytest.raises(Aborted):
            await merge(owner, attempt)
    assert await listed(owner) == {}


async def test_removing_is_a_null_value(owner: Person) -> None:
    await merge(owner, ("k", "one", 0), ("other", 1, 0))
    await merge(owner, ("k", None, 0))
    assert await listed(owner) == {"other": 1}


def change(scope: "ledger_pb.VariableChange.Scope.ValueType", key: str, of: Any) -> ledger_pb.VariableChange:
    return ledger_pb.VariableChange(scope=scope, key=key, value=value(of))


async def test_a_commit_writes_each_scope_where_it_belongs(owner: Person, worker: Worker) -> None:
    scopes = ledger_pb.VariableChange
    await owner.say("hi")
    turn = await worker.claim_one(owner)
    changes = [
        change(scopes.SCOPE_BOT, "k", "bot"),
        change(scopes.SCOPE_USER, "k", "user"),
        change(scopes.SCOPE_SESSION, "k", "old"),
        change(scopes.SCOPE_SESSION, "k", "session"),
        change(scopes.SCOPE_CHANNEL, "k", "channel"),
        change(scopes.SCOPE_CHANNEL, "gone", None),
    ]
    await worker.commit(turn, variables=changes)
    parents = {"bot": "bots/hello", "user": owner.who.subject, "session": owner.session, "channel": "channels/web"}
    for scope, parent in parents.items():
        assert await listed(owner, parent) == {"k": scope}


async def test_commits_and_merges_of_different_keys_keep_each_other(owner: Person, worker: Worker) -> None:
    for number in range(10):
        await owner.say("hi")
        turn = await worker.claim_one(owner)
        said = change(ledger_pb.VariableChange.SCOPE_SESSION, f"turn{number}", number)
        await asyncio.gather(worker.commit(turn, variables=[said]), merge(owner, (f"merge{number}", number, 0)))
    expected = {f"{kind}{number}": number for kind in ("turn", "merge") for number in range(10)}
    assert await listed(owner) == expected


async def test_a_variable_may_hold_any_text(owner: Person, worker: Worker) -> None:
    text = 'quote " slash \\ \\u0000 nul \0 line \n 世界 🙂'
    await owner.say("hi")
    turn = await worker.claim_one(owner)
    await worker.commit(turn, variables=[change(ledger_pb.VariableChange.SCOPE_SESSION, "k", text)])
    assert await listed(owner) == {"k": text.replace("\0", "\ufffd")}
    await merge(owner, ("m", text, 0))
    assert (await listed(owner))["m"] == text.replace("\0", "\ufffd")
