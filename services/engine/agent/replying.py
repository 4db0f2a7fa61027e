"""What answers a message that no program waits for: a switch, a tool, another bot, or the bot's own free answer."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from parley.llm.v1 import llm_service_pb2 as llm_pb
from parley.session.v1 import session_pb2 as pb

from services.common.errors import NotFound, ParleyError, to_status
from services.common.telemetry.logs import logger
from services.engine.agent import tool_calls
from services.engine.agent.answering import Answer, Question
from services.engine.keywords.agents.company import helper_for
from services.engine.keywords.dialog.format import instructions, offered, switched
from services.engine.keywords.models.choosing import model_of
from services.engine.keywords.models.prompting import PROMPT
from services.engine.machine import wording
from services.engine.program.values import ProgramError, Value, text_of

if TYPE_CHECKING:
    from google.rpc import status_pb2
    from parley.common.v1 import content_pb2
    from parley.session.v1 import ledger_service_pb2 as ledger_pb

    from services.engine.machine.machine import Machine
    from services.engine.machine.state import MachineState
    from services.engine.store import Release
    from services.engine.tools.schema import ToolDescription
    from services.engine.turn import Tools

log = logger(__name__)
MOST_CALLS = 8


class Replying:
    """The part of a turn that answers freely; its heir runs programs and writes to the ledger."""

    _tools: Tools
    _turn: ledger_pb.Turn
    _state: MachineState
    _input: pb.Message | None
    _heard: bool
    _said: int
    _replies: list[ledger_pb.Reply]
    _error: status_pb2.Status | None
    _config: Mapping[str, str]
    cancelled: asyncio.Event

    @property
    def _locale(self) -> str:
        return wording.language_of(self._turn.locale, self._config)

    async def _steps(self, machine: Machine) -> float | None:
        raise NotImplementedError

    async def _checkpoint(self, entry: ledger_pb.JournalEntry | None = None) -> None:
        raise NotImplementedError

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
        raise NotImplementedError

    def _tell(self, event: pb.SessionEvent) -> None:
        raise NotImplementedError

    def _variables(self) -> dict[str, Value]:
        """What a script begins with."""
        raise NotImplementedError

    @property
    def _seq(self) -> int:
        return self._input.seq if self._input is not None else 0

    async def _respond(self, machine: Machine | None, release: Release) -> float | None:
        """Answer the message of this turn. Seconds to wait, when a tool sleeps before it said anything."""
        message = self._input
        if message is None:
            return None
        self._heard = True
        said, settings = message.action or message.text, self._state.settings
        turned = switched(settings, said)
        if turned is not None:
            words = wording.say("on" if turned["on"] else "off", self._locale, label=text_of(turned["label"]))
            self._reply(words, suggestions=offered(settings))
            return None
        tool = tool_calls.named(said, settings, release.programs)
        if tool and machine is not None:
            program = tool_calls.asking_program(tool, release.programs)
            tool_calls.begin(machine, self._state, program, self._variables(), self._seq)
            return await self._steps(machine)
        return await self._answer(machine, release)

    async def _answer(self, machine: Machine | None, release: Release) -> float | None:
        self._tell(pb.SessionEvent(typing=pb.Typing(role=pb.Message.ROLE_BOT)))
        if self._replies:
            await self._checkpoint()
        question, tools = await self._question(release)
        answer: Answer | None = None
        for _ in range(tool_calls.ROUNDS):
            question = dataclasses.replace(question, exchange=tool_calls.exchange(self._state, self._seq))
            answer = await self._attempted(question)
            if answer is None or not answer.calls or machine is None:
                break
            said = self._said
            for call in answer.calls[:MOST_CALLS]:
                postponed = await self._called(machine, tools, call)
                if not self._state.over or self._error is not None or postponed is not None:
                    return postponed
            if self._said > said and tool_calls.spoke_for_themselves(self._state):
                self._remember(question, "\n".join(reply.text for reply in self._replies))
                return None
        if answer is not None:
            self._conclude(question, answer)
        return None

    def _conclude(self, question: Question, answer: Answer) -> None:
        text = answer.text or wording.say("failed", self._locale)
        self._remember(question, text)
        switches = offered(self._state.settings)
        self._reply(text, citations=answer.citations, tokens=answer.tokens, suggestions=switches)

    def _remember(self, question: Question, text: str) -> None:
        self._state.settings.pop(tool_calls.CALLING, None)
        self._state.history = [*question.history, ["user", question.text], ["bot", text]]

    async def _question(self, release: Release) -> tuple[Question, list[ToolDescription]]:
        """What is asked of the model, for this bot or for the one that helps."""
        message, settings = self._input or pb.Message(), self._state.settings
        text = message.text or message.action
        helper, answering = await self._helper(text, release)
        bot = f"bots/{helper}" if helper else self._turn.bot
        tools = tool_calls.offered(settings, release.programs, helper)
        prompts = [answering.system_prompt, "" if helper else text_of(settings.get(PROMPT)), *instructions(settings)]
        question = Question(
            bot=bot,
            text=text,
            locale=self._locale,
            history=self._state.history[-self._tools.settings.history_limit :],
            system_prompt="\n".join(filter(None, prompts)),
            collections=[] if helper else self._state.collections,
            context=self._state.context,
            model=model_of({} if helper else settings, answering.config),
            tools=[tool_calls.as_message(tool) for tool in tools],
        )
        return question, tools

    async def _helper(self, text: str, release: Release) -> tuple[str, Release]:
        """Another bot that answers this, and what it is; else this one."""
        helper = helper_for(self._state.settings, text)
        if not helper:
            return "", release
        try:
            return helper, await self._tools.releases.current(self._turn.lease.key.tenant, f"bots/{helper}")
        except NotFound:
            log.info("no such bot to answer", bot=self._turn.bot, helper=helper)
            return "", release

    # tools that the model calls

    async def _called(self, machine: Machine, tools: list[ToolDescription], call: llm_pb.ToolCall) -> float | None:
        """Run one; what it gave, or why not, is kept for the model to read."""
        tool = next((item for item in tools if item.name == call.name), None)
        if tool is None:
            tool_calls.note(self._state, self._seq, call, f"there is no tool {call.name}")
            return None
        try:
            variables = tool_calls.arguments_of(tool, call)
            tool_calls.begin(machine, self._state, tool.script, self._variables() | variables, self._seq, call)
        except ProgramError as error:
            tool_calls.note(self._state, self._seq, call, str(error))
            return None
        log.info("tool called", bot=self._turn.bot, tool=tool.script)
        return await self._steps(machine)

    def _tool_ended(self, value: Value) -> None:
        """A script came to its end: if it was a tool, what it returned goes to the model, else to the person."""
        calling = self._state.settings.get(tool_calls.CALLING)
        if not isinstance(calling, dict):
            return
        if calling["seq"] == self._seq and (calling.get("call") or calling.get("done")):
            tool_calls.finish(self._state, value)
            return
        self._state.settings.pop(tool_calls.CALLING)
        if value is not None and self._said == self._turn.said:
            self._reply(text_of(value))

    # the model

    async def _attempted(self, question: Question) -> Answer | None:
        """The answer; None when it failed, which was said. ParleyError when the turn is to be tried again."""
        try:
            return await self._until_cancelled(question, [])
        except ParleyError as error:
            if error.retryable and self._age() < self._tools.settings.answer_patience:
                raise
            self._error = to_status(error)
            self._reply(wording.say("failed", self._locale), role=pb.Message.ROLE_SYSTEM)
            return None

    def _age(self) -> float:
        """Seconds since the message was posted."""
        return time.time() - self._input.create_time.ToNanoseconds() / 1e9 if self._input is not None else 0.0

    async def _until_cancelled(self, question: Question, pieces: list[str]) -> Answer:
        def on_piece(offset: int, text: str) -> None:
            if offset == 0:
                pieces.clear()
            pieces.append(text)
            delta = pb.Delta(turn=self._turn.turn, ordinal=self._said, offset=offset, text=text)
            self._tell(pb.SessionEvent(delta=delta))

        answering = asyncio.create_task(self._tools.answerer.answer(question, on_piece))
        cancelling = asyncio.create_task(self.cancelled.wait())
        try:
            await asyncio.wait({answering, cancelling}, return_when=asyncio.FIRST_COMPLETED)
            return answering.result() if answering.done() else Answer("".join(pieces) or "…", [], 0)
        finally:
            answering.cancel()
            cancelling.cancel()
