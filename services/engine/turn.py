"""One turn: from a claim to a commit. A crash anywhere leaves the ledger as it was, or at the last checkpoint."""

from __future__ import annotations

import asyncio
import datetime
import time
from collections.abc import Mapping
from dataclasses import dataclass

from google.protobuf import duration_pb2, json_format, struct_pb2
from google.rpc import status_pb2
from parley.common.v1 import content_pb2
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import ledger_service_pb2_grpc as ledger_grpc
from parley.session.v1 import session_pb2 as pb

from services.common.bus import subjects
from services.common.bus.connection import Bus
from services.common.errors import Internal, NotFound, ParleyError, to_status
from services.common.telemetry.logs import logger
from services.engine.agent.answering import Answerer
from services.engine.agent.replying import Replying
from services.engine.agent.tool_calls import done, under_way
from services.engine.beginning import predefined
from services.engine.computing import Computing
from services.engine.config import EngineSettings
from services.engine.effects import Effects, Setting, journaled, replayed
from services.engine.keywords.keyword import Effect
from services.engine.keywords.registry import registry
from services.engine.machine import machine as m
from services.engine.machine import wording
from services.engine.machine.state import MachineState
from services.engine.program.parameters import parameters
from services.engine.program.values import Value
from services.engine.publishing import START
from services.engine.releases import Releases
from services.engine.schedule.calls import Calls
from services.engine.schedule.running import NOBODY, begin, told_of, unattended, waiting_run
from services.engine.store import Release
from services.engine.tables.definition import TableDefinition
from services.engine.tracing import collecting as tracing
from services.engine.tracing.rows import Traces

log = logger(__name__)
NOTHING = Release({}, {}, "")
SCOPES = {
    "bot": ledger_pb.VariableChange.SCOPE_BOT,
    "user": ledger_pb.VariableChange.SCOPE_USER,
    "session": ledger_pb.VariableChange.SCOPE_SESSION,
    "channel": ledger_pb.VariableChange.SCOPE_CHANNEL,
}


@dataclass(frozen=True, slots=True)
class Tools:
    """What every turn of a worker shares."""

    settings: EngineSettings
    ledger: ledger_grpc.LedgerServiceAsyncStub
    releases: Releases
    effects: Effects
    answerer: Answerer
    bus: Bus
    calls: Calls
    computing: Computing
    traces: Traces | None = None


class TurnRunner(Replying):
    """Runs one claimed turn."""

    def __init__(self, tools: Tools, turn: ledger_pb.Turn) -> None:
        self._tools = tools
        self._turn = turn
        self._replies: list[ledger_pb.Reply] = []
        self._said = turn.said
        self._input = turn.input if turn.HasField("input") else None
        self._heard = False
        self._error: status_pb2.Status | None = None
        self._waiting = pb.Waiting(kind=pb.Waiting.KIND_NONE)
        self._state = MachineState()
        self._config: Mapping[str, str] = {}
        self._tables: Mapping[str, TableDefinition] = {}
        self._version = turn.bot_version
        self._collector: tracing.Collector | None = None
        self.cancelled = asyncio.Event()

    async def run(self) -> bool:
        """Run and commit; whether more input waits. ParleyError when the turn is to be tried again."""
        machine, release = await self._load()
        postponed = await self._steps(machine) if machine is not None else None
        if postponed is None and (following := await self._begin_run()) is not None:
            postponed = await self._steps(following)
        if postponed is not None:
            await self._abandon(postponed)
            return False
        if self._input is not None and not self._unattended and (not self._heard or self._recalled):
            postponed = await self._respond(machine, release)
        if postponed is not None:
            await self._abandon(postponed)
            return False
        return await self._commit()

    async def give_up(self, error: Exception) -> None:
        """End a turn that fails whenever it is tried: the person is told, the program is over. ParleyError."""
        log.error("turn given up", bot=self._turn.bot, session=self._turn.lease.key.session, error=type(error).__name__)
        self._replies, self._said = [], self._turn.said
        run = told_of(self._turn, self._state)
        self._state, self._heard = MachineState(history=self._state.history, run=run), True
        self._waiting = pb.Waiting(kind=pb.Waiting.KIND_NONE)
        self._reply(wording.say("failed", self._locale), role=pb.Message.ROLE_SYSTEM)
        self._error = to_status(error if isinstance(error, ParleyError) else Internal("internal error"))
        await self._finished(failure="the script failed")
        await self._commit()

    async def _load(self) -> tuple[m.Machine | None, Release]:
        tenant = self._turn.lease.key.tenant
        if self._unattended and not self._turn.bot_version:
            self._state = MachineState.from_bytes(self._turn.state) if self._turn.state else self._state
            return None, NOTHING
        try:
            version = self._version or await self._tools.releases.live(tenant, self._turn.bot)
        except NotFound:
            return None, NOTHING
        if not version:
            return None, NOTHING
        if self._turn.state:
            self._state = MachineState.from_bytes(self._turn.state)
        try:
            version, self._state = await self._moved(tenant, version)
            machine, release = await self._tools.releases.machine(tenant, version)
        except NotFound:  # the bot was deleted: its open conversations end
            self._state = MachineState(history=self._state.history, run=self._state.run)
            return None, NOTHING
        if not self._turn.state and START in release.programs:
            self._state = machine.start(START, {**predefined(self._turn), **parameters(release.config)})
        self._version, self._config, self._tables = version, release.config, release.tables
        return machine, release

    async def _moved(self, tenant: str, version: str) -> tuple[str, MachineState]:
        """Between turns a conversation may be moved to another version; in the middle of one it is not."""
        if not self._turn.bot_version or self._turn.journal or self._turn.said:
            return version, self._state
        return await self._tools.releases.moved(tenant, self._turn.bot, version, self._state)

    async def _begin_run(self) -> m.Machine | None:
        """The machine of the run that waits, its state made ready; None when none does, or it cannot be started."""
        if not self._unattended or self._input is None or self._heard or not self._state.over:
            return None
        self._heard = True
        if waiting_run(self._turn, self._state) is None:
            return None
        run, tenant = self._input.run, self._turn.lease.key.tenant
        try:
            version = run.bot_version or await self._tools.releases.live(tenant, self._turn.bot)
            machine, release = await self._tools.releases.machine(tenant, version)
            self._state = begin(machine, self._turn, parameters(release.config), self._state)
        except (NotFound, KeyError, ValueError) as error:
            log.info("run not started", bot=self._turn.bot, script=run.script, error=type(error).__name__)
            self._state = MachineState(run=told_of(self._turn, self._state))
            await self._finished(failure=f"there is no script {run.script}.bas")
            return None
        self._version, self._config, self._tables = version, release.config, release.tables
        return machine

    async def _finished(self, value: Value = None, failure: str = "") -> None:
        """Whoever waits for what a run returns is told, before the commit: after a crash it is told again."""
        call = self._state.run.get("call")
        if call:
            await self._tools.calls.answer(self._turn.lease.key.tenant, call, value, failure)

    # the program

    async def _steps(self, machine: m.Machine) -> float | None:
        """Run the program to where it waits. Seconds to wait, when it sleeps while a message is there."""
        self._heard |= self._begun or self._taken
        machine = self._watched(machine)
        resume: m.Resume = self._first_resume()
        while True:
            step = await self._tools.computing.run(machine, self._state, resume)
            self._take(step.outputs)
            self._log_printed()
            outcome, resume = step.outcome, None
            if isinstance(outcome, m.PerformEffect):
                resume = await self._perform(outcome)
                if self._collector is not None:
                    self._collector.result(resume)
            elif isinstance(outcome, m.AskUser) and self._unattended:
                resume = m.EffectError(NOBODY)
            elif isinstance(outcome, m.AskUser):
                self._offer()
                if self._input is None or self._heard:
                    self._waiting = pb.Waiting(kind=pb.Waiting.KIND_MESSAGE)
                    return None
                resume = self._hear()
            elif isinstance(outcome, m.Sleep):
                return self._sleep(outcome)
            elif isinstance(outcome, m.Failed):
                self._failed(outcome)
                await self._finished(failure=f"line {outcome.line}: {outcome.message}")
                return None
            else:
                self._tool_ended(outcome.value)
                await self._finished(outcome.value)
                return None

    def _variables(self) -> dict[str, Value]:
        return {**predefined(self._turn), **parameters(self._config)}

    @property
    def _recalled(self) -> bool:
        """A tool that the model called for this message ended after a crash: the model goes on."""
        return self._state.over and self._error is None and bool(done(self._state, self._seq))

    def _watched(self, machine: m.Machine) -> m.Machine:
        """The machine, telling its steps when the bot's configuration says so."""
        if self._tools.traces is None or not tracing.wanted(self._config):
            return machine
        if self._collector is None:
            self._collector = tracing.Collector(machine.programs, self._config)
            for held in (self._state.globals, *(frame.locals or {} for frame in self._state.frames)):
                self._collector.know(held)
        return machine.traced(self._collector.take)

    async def _keep_trace(self) -> None:
        """Before the commit: a turn that is made again keeps its trace again."""
        if self._collector is not None and self._collector.steps and self._tools.traces is not None:
            key = self._turn.lease.key
            await self._tools.traces.keep(
                key.tenant, self._turn.bot, key.session, self._turn.turn, self._version, self._collector
            )

    def _log_printed(self) -> None:
        for line in self._state.printed:
            log.info("printed", bot=self._turn.bot, session=self._turn.lease.key.session, text=line[:1000])
        self._state.printed.clear()

    @property
    def _unattended(self) -> bool:
        return unattended(self._turn)

    @property
    def _begun(self) -> bool:
        """The state has begun with the run that is the input of this turn: a crash came before the commit."""
        return self._unattended and self._input is not None and waiting_run(self._turn, self._state) is None

    @property
    def _taken(self) -> bool:
        """A HEAR has taken the input of this turn, or a tool is under way for it: a crash came after a checkpoint."""
        if self._input is None:
            return False
        return self._state.heard == self._input.seq or under_way(self._state, self._input.seq)

    def _first_resume(self) -> m.Resume:
        if self._turn.HasField("timer") and self._state.waiting == "timer":
            return m.TimerFired()
        return None

    def _hear(self) -> m.Input:
        message = self._input
        self._heard = True
        if message is None:
            return m.Input("")
        self._state.heard = message.seq
        files = tuple(
            {"name": item.name, "uri": item.uri, "content_type": item.content_type} for item in message.attachments
        )
        return m.Input(message.text, message.action, files, self._locale)

    def _sleep(self, outcome: m.Sleep) -> float | None:
        left = outcome.until - time.time()
        if self._input is not None and not self._heard and not self._replies and not self._turn.said:
            return max(left, 0.05)
        self._waiting = pb.Waiting(kind=pb.Waiting.KIND_TIMER)
        self._waiting.until.FromDatetime(datetime.datetime.fromtimestamp(outcome.until, datetime.UTC))
        return None

    def _failed(self, outcome: m.Failed) -> None:
        log.info("script failed", bot=self._turn.bot, line=outcome.line, problem=outcome.message)
        self._heard |= not self._unattended
        self._reply(wording.say("failed", self._locale), role=pb.Message.ROLE_SYSTEM)
        self._error = status_pb2.Status(code=13, message=f"line {outcome.line}: {outcome.message}")

    async def _perform(self, wanted: m.PerformEffect) -> m.EffectResult | m.EffectError:
        recorded = self._recorded(wanted.key)
        if recorded is not None:
            return recorded
        keyword = registry().get(wanted.keyword)
        if keyword is not None and keyword.slow and self._replies:
            await self._checkpoint()
        setting = Setting(self._turn, self._state, self._config, self._version, self._tables)
        result = await self._tools.effects.perform(setting, wanted)
        if keyword is not None and keyword.effect is Effect.WRITE and isinstance(result, m.EffectResult):
            entry = ledger_pb.JournalEntry(key=wanted.key, kind=wanted.keyword, result=journaled(result))
            await self._checkpoint(entry)
        return result

    def _recorded(self, key: str) -> m.EffectResult | None:
        """What a side effect gave before the crash."""
        return next((replayed(entry.result) for entry in self._turn.journal if entry.key == key), None)

    # replies

    def _take(self, outputs: list[m.Say]) -> None:
        for output in outputs:
            self._reply(output.text, suggestions=output.suggestions, attachments=output.attachments)

    def _offer(self) -> None:
        """Choices that came up after the last message was said, before an effect, go with that message."""
        if self._state.suggestions and self._replies:
            for item in filter(worth_offering, self._state.suggestions):
                self._replies[-1].suggestions.add(text=item["text"][:256], value=item["value"][:1024])
            self._state.suggestions = []

    def _reply(
        self,
        text: str,
        *,
        suggestions: list[dict[str, str]] | None = None,
        attachments: list[dict[str, str]] | None = None,
        role: pb.Message.Role.ValueType = pb.Message.ROLE_BOT,
        citations: list[content_pb2.Citation] | None = None,
        tokens: int = 0,
    ) -> None:
        reply = ledger_pb.Reply(ordinal=self._said, text=text, role=role, tokens_used=tokens, citations=citations or [])
        for item in filter(worth_offering, suggestions or ()):
            reply.suggestions.add(text=item["text"][:256], value=item["value"][:1024])
        for item in attachments or ():
            reply.attachments.add(name=item["name"], uri=item["uri"], content_type=item.get("content_type", ""))
        self._said += 1
        self._replies.append(reply)

    def _tell(self, event: pb.SessionEvent) -> None:
        key = self._turn.lease.key
        live = pb.LiveEvents(session=key.session, events=[event])
        subject = subjects.message_delta(key.tenant, key.session.removeprefix("sessions/"))
        self._tools.bus.publish(subject, live.SerializeToString())

    # the ledger

    async def _checkpoint(self, entry: ledger_pb.JournalEntry | None = None) -> None:
        request = ledger_pb.CheckpointTurnRequest(
            lease=self._turn.lease,
            turn=self._turn.turn,
            route=self._turn.route,
            replies=self._replies,
            state=self._state.to_bytes(),
            journal=[entry] if entry else [],
            bot_version=self._version,
            lease_duration=lease_of(self._tools.settings),
        )
        await self._tools.ledger.CheckpointTurn(request)
        self._replies = []

    async def _commit(self) -> bool:
        await self._keep_trace()
        changes = [variable_change(*change) for change in self._state.pending]
        self._state.pending = []
        request = ledger_pb.CommitTurnRequest(
            lease=self._turn.lease,
            turn=self._turn.turn,
            route=self._turn.route,
            consumed_seq=self._input.seq if self._input is not None and self._heard else 0,
            replies=self._replies,
            state=self._state.to_bytes(),
            bot_version=self._version if self._state.frames else "",
            variables=changes,
            waiting=self._waiting,
            end_session=self._state.over and bool(self._state.run.get("once")),
        )
        if self._error is not None:
            request.error.CopyFrom(self._error)
        answer = await self._tools.ledger.CommitTurn(request)
        if request.end_session and self._state.run.get("call"):
            self._tools.bus.publish(subjects.call_answered(self._turn.lease.key.tenant, self._state.run["call"]), b"")
        return bool(answer.more_pending)

    async def _abandon(self, seconds: float) -> None:
        request = ledger_pb.AbandonTurnRequest(lease=self._turn.lease)
        request.delay.FromTimedelta(datetime.timedelta(seconds=seconds))
        await self._tools.ledger.AbandonTurn(request)


def lease_of(settings: EngineSettings) -> duration_pb2.Duration:
    """How long a lease lasts."""
    made = duration_pb2.Duration()
    made.FromTimedelta(datetime.timedelta(seconds=settings.lease_seconds))
    return made


def variable_change(scope: str, key: str, value: Value) -> ledger_pb.VariableChange:
    """A change as its message."""
    encoded = struct_pb2.Value()
    json_format.ParseDict(value, encoded)
    return ledger_pb.VariableChange(scope=SCOPES[scope], key=key, value=encoded)


def worth_offering(suggestion: dict[str, str]) -> bool:
    """A choice without words is none."""
    return bool(suggestion["text"].strip() and suggestion["value"].strip())
