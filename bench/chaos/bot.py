"""A bot whose right answer to every message can be computed."""

import grpc.aio
from parley.engine.v1 import bot_pb2, bot_service_pb2, bot_service_pb2_grpc

from cli.stack.stack import Stack
from services.common.security.principal import Principal
from services.common.security.tokens import MeshSigner

NAME = "chaos-echo"
SCRIPT = """n = 0
again:
HEAR x
n = n + 1
FOR i = 1 TO WORK
NEXT
TALK "echo ${n} ${x}"
GOTO again
"""


def expected(number: int, text: str) -> str:
    """The one right answer to the nth message of a session."""
    return f"echo {number} {text}"


async def deploy(stack: Stack, work: int) -> None:
    """Publish the bot as the stack's own deployer. `work`: rounds of a loop before each answer."""
    owner = Principal(await stack.default_tenant(), "services/deployer", frozenset({"owner"}))
    token = MeshSigner("deployer", stack.layout.keys / "deployer.pem").token(owner)
    metadata = (("authorization", f"Bearer {token}"),)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{stack.ports['engine']}") as channel:
        bots = bot_service_pb2_grpc.BotServiceStub(channel)
        request = bot_service_pb2.CreateBotRequest(bot=bot_pb2.Bot(), bot_id=NAME)
        try:
            await bots.CreateBot(request, timeout=20, metadata=metadata, wait_for_ready=True)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
                raise
        version = bot_service_pb2.PublishBotRequest(
            bot=f"bots/{NAME}", scripts=[bot_pb2.Script(path="start.bas", text=SCRIPT.replace("WORK", str(work)))]
        )
        await bots.PublishBot(version, timeout=20, metadata=metadata)
