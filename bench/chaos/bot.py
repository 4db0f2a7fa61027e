"""A bot whose right answer to every message can be computed."""

from bench.speed.workbench import publish
from cli.stack.stack import Stack

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
    """Publish the bot. `work`: rounds of a loop before each answer."""
    await publish(stack, NAME, SCRIPT.replace("WORK", str(work)))
