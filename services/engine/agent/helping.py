"""Other bots of the tenant: asked through their own prompt, documents and model; their memory."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable

from google.protobuf import json_format, struct_pb2
from parley.session.v1 import variable_service_pb2 as variable_pb
from parley.session.v1 import variable_service_pb2_grpc as variable_grpc

from services.common.errors import InvalidArgument, NotFound
from services.common.identifiers import parse_name
from services.common.rpc.client import Mesh
from services.engine.agent.answering import Answer, Question, lending
from services.engine.keywords.models.choosing import model_of
from services.engine.keywords.world import World
from services.engine.program.values import ProgramError, Value
from services.engine.store import Release

MOST_VALUES = 1000
Ask = Callable[[Question, Callable[[int, str], None]], Awaitable[Answer]]
Find = Callable[[str, str], Awaitable[Release]]
"""(tenant, "bots/x") -> what its live version is. NotFound."""


class TenantBots:
    """Bots that help other bots."""

    def __init__(self, mesh: Mesh, ask: Ask, find: Find) -> None:
        self._variables = variable_grpc.VariableServiceStub(mesh.channel("session"))
        self._ask = ask
        self._find = find

    async def ask(self, world: World, bot: str, message: str, seconds: float) -> str:
        """What the other bot answers to one question, without this conversation's history.

        ProgramError, ParleyError.
        """
        release = await self._release(world, bot)
        question = Question(
            bot=f"bots/{bot}",
            text=message,
            locale=world.locale,
            history=[],
            system_prompt=release.system_prompt,
            model=model_of({}, release.config),
        )
        try:
            async with asyncio.timeout(seconds):
                return (await self._ask(question, lambda _offset, _text: None)).text
        except TimeoutError:
            problem = f"{bot} did not answer within {seconds:g} seconds"
            raise ProgramError(problem) from None

    async def share(self, world: World, bot: str, key: str, value: Value) -> None:
        """A value for the other bot's memory. ProgramError, ParleyError."""
        await self._release(world, bot)
        encoded = struct_pb2.Value()
        json_format.ParseDict(value, encoded)
        request = variable_pb.MergeVariablesRequest(
            parent=f"bots/{bot}",
            variables=[variable_pb.Variable(key=key, value=encoded)],
            request_id=str(uuid.uuid5(uuid.NAMESPACE_OID, world.key)),
        )
        with lending():
            await self._variables.MergeVariables(request)

    async def memory(self, world: World, bot: str) -> dict[str, Value]:
        """What the other bot keeps. ProgramError, ParleyError."""
        await self._release(world, bot)
        with lending():
            return await every(self._variables, f"bots/{bot}")

    async def _release(self, world: World, bot: str) -> Release:
        try:
            parse_name("bots/*", f"bots/{bot}")
            return await self._find(world.tenant, f"bots/{bot}")
        except (NotFound, InvalidArgument):
            message = f"there is no bot {bot[:64]} here, or nothing of it was published"
            raise ProgramError(message) from None


async def every(variables: variable_grpc.VariableServiceAsyncStub, parent: str) -> dict[str, Value]:
    """All values of a scope, 1000 at most. ParleyError."""
    made: dict[str, Value] = {}
    token = ""
    while len(made) < MOST_VALUES:
        request = variable_pb.ListVariablesRequest(parent=parent, page_size=500, page_token=token)
        page = await variables.ListVariables(request)
        made |= {item.key: json.loads(json_format.MessageToJson(item.value)) for item in page.variables}
        token = page.next_page_token
        if not token:
            break
    return made
