"""Scripts that no person started, as a worker runs them, with a worker that dies at every write."""

import itertools
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import session_pb2 as pb

from services.common.errors import NotFound
from services.engine.computing import Computing
from services.engine.machine import machine as m
from services.engine.machine.state import MachineState
from services.engine.store import Release
from services.engine.turn import Tools, TurnRunner
from tests.unit.engine.scripts import built

pytestmark = pytest.mark.unit
SESSION = f"sessions/{uuid.uuid4()}"
CALL = str(uuid.uuid4())
SCRIPT = """TALK "one " + given
SCHEDULE IN 5 MINUTES DO
  TALK "later"
END SCHEDULE
TALK "two"
SCHEDULE IN 6 MINUTES DO
  TALK "later still"
END SCHEDULE
RETURN #{status: 201, n: given}"""


class Died(Exception):
    """kill -9."""


@dataclass
class Ledger:
    """One session: what the ledger would hold. The worker dies after so many of its writes."""

    dies_after: int = 10_000
    replies: dict[int, str] = field(default_factory=dict)
    state: bytes = b""
    version: str = ""
    journal: list[ledger_pb.JournalEntry] = field(default_factory=list)
    said: int = 0
    commits: list[ledger_pb.CommitTurnRequest] = field(default_factory=list)
    abandoned: int = 0

    def _write(self, request: Any) -> None:
        for reply in request.replies:
            self.replies.setdefault(reply.ordinal, reply.text)
        self.said = len(self.replies)
        self.state, self.version = request.state, request.bot_version
        self.dies_after -= 1

    async def CheckpointTurn(self, request: ledger_pb.CheckpointTurnRequest) -> None:
        self._write(request)
        self.journal.extend(request.journal)
        if self.dies_after == 0:
            raise Died

    async def CommitTurn(self, request: ledger_pb.CommitTurnRequest) -> ledger_pb.CommitTurnResponse:
        self._write(request)
        self.commits.append(request)
        return ledger_pb.CommitTurnResponse()

    async def AbandonTurn(self, _: object) -> None:
        self.abandoned += 1

    def turn(self, run: pb.Run | None, seq: int = 1) -> ledger_pb.Turn:
        key = ledger_pb.SessionKey(tenant=str(uuid.uuid4()), session=SESSION)
        made = ledger_pb.Turn(
            lease=ledger_pb.Lease(key=key, epoch=1),
            turn=1,
            bot="bots/b",
            bot_version=self.version,
            channel="channels/webhook",
            state=self.state,
            said=self.said,
            journal=self.journal,
        )
        if run is not None:
            made.input.CopyFrom(pb.Message(seq=seq, run=run))
        return made


@dataclass
class Stage:
    """What a worker has around it."""

    ledger: Ledger
    scripts: dict[str, str]
    performed: list[str] = field(default_factory=list)
    answers: list[tuple[str, Any, str]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    async def play(self, turn: ledger_pb.Turn) -> None:
        nothing: Any = None
        tools = Tools(nothing_settings(), self.ledger, self, self, nothing, self, self, Computing())  # type: ignore[arg-type]
        await TurnRunner(tools, turn).run()

    async def live(self, tenant: str, bot: str) -> str:
        return "bots/b/versions/1"

    async def moved(self, tenant: str, bot: str, version: str, state: MachineState) -> tuple[str, MachineState]:
        return version, state

    async def machine(self, tenant: str, version: str) -> tuple[m.Machine, Release]:
        if version != "bots/b/versions/1":
            raise NotFound("no such version")
        programs = {name: built(text) for name, text in self.scripts.items()}
        return m.Machine(programs), Release(programs, {}, "")

    async def perform(self, _: object, wanted: m.PerformEffect) -> m.EffectResult:
        self.performed.append(wanted.key)
        return m.EffectResult(None)

    async def answer(self, tenant: str, call: str, value: Any, failure: str) -> None:
        self.answers.append((call, value, failure))

    def publish(self, subject: str, _: bytes) -> None:
        self.told.append(subject)


def nothing_settings() -> Any:
    @dataclass
    class Settings:
        lease_seconds: float = 6.0
        history_limit: int = 10

    return Settings()


def run_of(script: str = "hook", **more: Any) -> pb.Run:
    return pb.Run(cause="webhook", script=script, variables='{"body": {"given": 7}}', call=CALL, once=True, **more)


@pytest.mark.parametrize("dies_after", [1, 2, 3, 10_000])
async def test_a_run_is_run_once_wherever_the_worker_dies(dies_after: int) -> None:
    stage = Stage(Ledger(dies_after), {"hook": SCRIPT})
    for _ in itertools.count():
        try:
            await stage.play(stage.ledger.turn(run_of()))
            break
        except Died:
            continue
    assert list(stage.ledger.replies.values()) == ["one 7", "two"]
    assert len(set(stage.performed)) == len(stage.performed) == 2
    assert [value for _, value, _ in stage.answers][-1] == {"status": 201, "n": 7}
    (commit,) = stage.ledger.commits
    assert (commit.consumed_seq, commit.end_session) == (1, True)
    assert stage.told[-1].endswith(CALL)


async def test_a_run_waits_for_the_one_before_and_follows_it() -> None:
    stage = Stage(Ledger(), {"slow": 'TALK "a"\nWAIT 100\nTALK "b"', "next": 'TALK "c"'})
    slow = pb.Run(cause="schedule", script="slow")
    await stage.play(stage.ledger.turn(slow))
    following = pb.Run(cause="schedule", script="next")
    stage.ledger.said = 0
    await stage.play(stage.ledger.turn(following, seq=2))
    assert (stage.ledger.abandoned, len(stage.ledger.commits)) == (1, 1), "it comes when the wait is over"
    state = MachineState.from_bytes(stage.ledger.state)
    state.until = 0.0
    stage.ledger.state, stage.ledger.replies = state.to_bytes(), {}
    await stage.play(stage.ledger.turn(following, seq=2))
    assert list(stage.ledger.replies.values()) == ["b", "c"]
    assert stage.ledger.commits[-1].consumed_seq == 2


@pytest.mark.parametrize(
    ("scripts", "run", "failure"),
    [
        ({"hook": 'THROW "oh"'}, run_of(), "line 1: oh"),
        ({"hook": "HEAR x"}, run_of(), "line 1: HEAR: nobody answers"),
        ({}, run_of("gone"), "there is no script gone.bas"),
        ({"hook": "RETURN 1"}, run_of(bot_version="bots/b/versions/9"), "there is no script hook.bas"),
    ],
)
async def test_whoever_waits_is_told_of_a_failure(scripts: dict[str, str], run: pb.Run, failure: str) -> None:
    stage = Stage(Ledger(), scripts)
    await stage.play(stage.ledger.turn(run))
    ((call, _, told),) = stage.answers
    assert call == CALL
    assert told.startswith(failure)
    assert (stage.ledger.commits[0].consumed_seq, stage.ledger.commits[0].end_session) == (1, True)


async def test_what_a_person_writes_there_is_passed_over() -> None:
    stage = Stage(Ledger(), {"hook": "RETURN 1"})
    turn = stage.ledger.turn(None)
    turn.input.CopyFrom(pb.Message(seq=3, text="hello?"))
    await stage.play(turn)
    assert (stage.ledger.commits[0].consumed_seq, stage.ledger.replies, stage.answers) == (3, {}, [])
