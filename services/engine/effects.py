"""Keywords of programs: what the machine asks for, done over the mesh."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import variable_service_pb2 as variable_pb
from parley.session.v1 import variable_service_pb2_grpc as variable_grpc

from services.common.errors import ParleyError
from services.common.rpc.client import Mesh
from services.engine.agent.answering import lending
from services.engine.agent.helping import every
from services.engine.keywords.permissions import permitted
from services.engine.keywords.registry import registry
from services.engine.keywords.world import Performed, World
from services.engine.machine.machine import EffectError, EffectResult, PerformEffect
from services.engine.machine.outcomes import Say
from services.engine.machine.state import MachineState
from services.engine.program.values import ProgramError, Value, owned
from services.engine.tables.definition import TableDefinition


@dataclass(frozen=True, slots=True)
class Setting:
    """Where an effect happens: the turn, the version with its configuration and tables, the state of the program."""

    turn: ledger_pb.Turn
    state: MachineState
    config: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    tables: Mapping[str, TableDefinition] = field(default_factory=dict)


class Effects:
    """Performs keywords. `ports`: what stands behind them on this installation, by their kinds."""

    def __init__(self, ports: Mapping[Any, Any]) -> None:
        self._ports = ports

    async def perform(self, setting: Setting, wanted: PerformEffect) -> EffectResult | EffectError:
        """What it gave, or why not, in words for the script. A retryable failure is raised: the turn is tried again."""
        keyword = registry().get(wanted.keyword)
        if keyword is None or keyword.perform is None:
            return EffectError(f"not available on this installation: {wanted.keyword}")
        try:
            permitted(keyword, setting.config)
            found = await keyword.perform(self._world(setting, wanted), wanted.arguments)
            return result(found)
        except ProgramError as error:
            return EffectError(str(error))
        except ParleyError as error:
            if error.retryable:
                raise
            return EffectError(error.message)

    def _world(self, setting: Setting, wanted: PerformEffect) -> World:
        turn, state = setting.turn, setting.state
        return World(
            tenant=turn.lease.key.tenant,
            bot=turn.bot,
            session=turn.lease.key.session,
            user=turn.originator.subject,
            roles=frozenset(turn.originator.roles),
            channel=turn.channel,
            locale=turn.locale,
            key=repeated(turn, wanted.key),
            config=setting.config,
            tables=setting.tables,
            collections=tuple(state.collections),
            settings=state.settings,
            pending=tuple((str(scope), str(key), value) for scope, key, value in state.pending),
            ports=self._ports,
            keyword=wanted.keyword,
            version=setting.version,
        )


def repeated(turn: ledger_pb.Turn, key: str) -> str:
    """The same whenever this effect of this turn is asked for again, and never else: a SHA-256 in hexadecimal."""
    whole = f"{turn.lease.key.tenant}/{turn.lease.key.session}/{turn.turn}/{key}"
    return hashlib.sha256(whole.encode()).hexdigest()


def result(found: Value) -> EffectResult:
    """What a keyword gave, checked and copied."""
    if isinstance(found, Performed):
        kept = tuple((scope, key, owned(value)) for scope, key, value in found.variables)
        return EffectResult(
            owned(found.value), {name: owned(item) for name, item in found.settings.items()}, found.says, kept
        )
    return EffectResult(owned(found))


def journaled(found: EffectResult) -> bytes:
    """A result as the journal keeps it."""
    says = [[item.text, item.attachments] for item in found.says]
    return json.dumps([found.value, dict(found.settings), says, found.variables], ensure_ascii=False).encode()


def replayed(raw: bytes) -> EffectResult:
    """A result as it was."""
    value, settings, says, variables = json.loads(raw)
    told = tuple(Say(text, attachments=attachments) for text, attachments in says)
    return EffectResult(value, settings, told, tuple((scope, key, kept) for scope, key, kept in variables))


class SessionVariables:
    """Values kept for bot, person, session and channel: the session service has them."""

    def __init__(self, mesh: Mesh) -> None:
        self._variables = variable_grpc.VariableServiceStub(mesh.channel("session"))

    async def read(self, world: World, scope: str, key: str) -> Value:
        """A value; None when there is none. ParleyError."""
        request = variable_pb.ListVariablesRequest(parent=parent_of(world, scope), keys=[key], page_size=1)
        with lending():
            found = await self._variables.ListVariables(request)
        return json.loads(json_format.MessageToJson(found.variables[0].value)) if found.variables else None

    async def all(self, world: World, scope: str) -> dict[str, Value]:
        """All values of a scope, 1000 at most. ParleyError."""
        with lending():
            return await every(self._variables, parent_of(world, scope))


def parent_of(world: World, scope: str) -> str:
    """Whose values a scope means."""
    return {"bot": world.bot, "user": world.user, "session": world.session, "channel": world.channel}[scope]
