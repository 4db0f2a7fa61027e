"""Effects of programs: what the machine asks for, done over the mesh."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from google.protobuf import json_format
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import variable_service_pb2 as variable_pb
from parley.session.v1 import variable_service_pb2_grpc as variable_grpc

from services.common.errors import ParleyError
from services.common.rpc.client import Mesh
from services.engine.agent.answering import Answerer
from services.engine.machine.machine import EffectError, EffectResult, PerformEffect
from services.engine.machine.values import Value, text_of

SLOW = frozenset({"llm", "kb_search"})
Performer = Callable[["Setting", dict[str, Value]], Awaitable[Value]]


@dataclass(frozen=True, slots=True)
class Setting:
    """Where an effect happens."""

    turn: ledger_pb.Turn
    locale: str


class Effects:
    """A performer a kind."""

    def __init__(self, mesh: Mesh, answerer: Answerer) -> None:
        self._variables = variable_grpc.VariableServiceStub(mesh.channel("session"))
        self._answerer = answerer
        self._performers: dict[str, Performer] = {"get_variable": self._get_variable, "llm": self._llm}

    async def perform(self, setting: Setting, wanted: PerformEffect) -> EffectResult | EffectError:
        """What it gave, or why not, in words for the script. A retryable failure is raised: the turn is tried again."""
        performer = self._performers.get(wanted.kind)
        if performer is None:
            return EffectError(f"not available on this installation: {wanted.kind}")
        try:
            return EffectResult(await performer(setting, wanted.arguments))
        except ParleyError as error:
            if error.retryable:
                raise
            return EffectError(error.message)

    async def _get_variable(self, setting: Setting, arguments: dict[str, Value]) -> Value:
        scope, key = text_of(arguments["scope"]), text_of(arguments["key"])
        turn = setting.turn
        parents = {
            "bot": turn.bot,
            "user": turn.originator.subject,
            "session": turn.lease.key.session,
            "channel": turn.channel,
        }
        found = await self._variables.ListVariables(
            variable_pb.ListVariablesRequest(parent=parents[scope], keys=[key], page_size=1)
        )
        return json.loads(json_format.MessageToJson(found.variables[0].value)) if found.variables else None

    async def _llm(self, setting: Setting, arguments: dict[str, Value]) -> Value:
        return await self._answerer.complete(text_of(arguments["prompt"]), setting.locale, setting.turn.bot)
