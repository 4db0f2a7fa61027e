"""chat: talk to a bot from the terminal, through the edge like everybody."""

import asyncio
import json
import sys
import uuid
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import aiohttp
import click
from prompt_toolkit import PromptSession
from prompt_toolkit.patch_stdout import patch_stdout

from cli.commands.options import data_option, running_state
from cli.failure import Failure
from cli.stack.layout import write_private

TOO_MANY = 429


class Refused(Failure):
    """The edge answered, and not with what was asked for. `passes`: the same request may succeed later."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.passes = status >= 500 or status == TOO_MANY


class Talk:
    """A session over REST and a socket."""

    def __init__(self, client: aiohttp.ClientSession, url: str, bot: str) -> None:
        self._client = client
        self._url = url
        self._bot = bot
        self.session = ""

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        async with self._client.post(self._url + path, json=body) as answer:
            content: dict[str, Any] = await answer.json(content_type=None)
            if answer.status >= 400:
                raise Refused(str(content.get("message", f"HTTP {answer.status}")), answer.status)
            return content

    async def open(self, session: str, token_file: Path) -> aiohttp.ClientWebSocketResponse:
        """Sign in, open or take up a session, open the socket."""
        tokens = await self._tokens(token_file)
        self._client.headers["authorization"] = f"Bearer {tokens['access_token']}"
        if session:
            self.session = f"sessions/{session.removeprefix('sessions/')}"
        else:
            self.session = (await self._post("/v1/sessions", {"bot": f"bots/{self._bot}"}))["name"]
        ticket = (await self._post(f"/v1/{self.session}:createTicket", {}))["ticket"]
        return await self._client.ws_connect(f"{self._url}/v1/ws?ticket={ticket}", heartbeat=20)

    async def _tokens(self, token_file: Path) -> dict[str, Any]:
        """The same visitor every time, so that --session finds its session again."""
        kept = json.loads(token_file.read_text()) if token_file.exists() else {}
        tokens = await self._renewed(kept["refresh_token"]) if kept else None
        tokens = tokens or await self._post("/v1/visitors:signIn", {"bot": self._bot})
        write_private(token_file, json.dumps({"refresh_token": tokens["refresh_token"]}))
        return tokens

    async def _renewed(self, token: str) -> dict[str, Any] | None:
        """New tokens, None when the sign-in is over. A lost answer is asked for once more. Failure, ClientError."""
        body = {"refresh_token": token}
        try:
            try:
                return await self._post("/v1/tokens:refresh", body)
            except (aiohttp.ClientError, OSError, ValueError):
                return await self._post("/v1/tokens:refresh", body)
        except Refused as refused:
            if refused.passes:
                raise
            return None


async def frames(socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[dict[str, Any]]:
    """Frames as objects until the socket closes."""
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            yield json.loads(message.data)


def show(frame: dict[str, Any]) -> None:
    """What a bot says."""
    if frame["type"] == "message" and frame["role"] != "user":
        click.echo(f"bot> {frame['text']}")
        for item in frame.get("citations", ()):
            click.echo(f"     [{item['title']}] {item['quote'][:100]}")
    elif frame["type"] == "failed":
        click.echo(f"bot> ({frame['error']['message']})", err=True)


async def settled(stream: AsyncIterator[dict[str, Any]], seq: int, seconds: float) -> None:
    """Show what comes until input through `seq` is answered. Failure after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            async for frame in stream:
                show(frame)
                if frame["type"] in {"completed", "failed"} and frame.get("seq", 0) >= seq:
                    return
    except TimeoutError:
        raise Failure(f"no reply within {seconds:g} s", "look at ./parley status and ./parley logs") from None
    raise Failure("the connection closed before the reply came", "look at ./parley status")


async def accepted(stream: AsyncIterator[dict[str, Any]], identifier: str, seconds: float) -> int:
    """The number of a message that was posted. Failure after `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            async for frame in stream:
                if frame["type"] == "accepted" and frame["id"] == identifier:
                    return int(frame["seq"])
                if frame["type"] == "error":
                    raise Failure(frame["error"]["message"])
                show(frame)
    except TimeoutError:
        raise Failure(f"the message was not taken within {seconds:g} s", "look at ./parley status") from None
    raise Failure("the connection closed before the message was taken")


async def piped(socket: aiohttp.ClientWebSocketResponse, seconds: float, lines: Iterable[str]) -> None:
    """One message a line; replies after each, within `seconds`."""
    stream = frames(socket)
    await socket.send_json({"type": "resume", "after": 0})
    await settled(stream, 0, seconds)
    for line in lines:
        text = line.rstrip("\n")
        if not text.strip():
            continue
        click.echo(f"you> {text}")
        identifier = str(uuid.uuid4())
        await socket.send_json({"type": "message", "id": identifier, "text": text})
        await settled(stream, await accepted(stream, identifier, seconds), seconds)


async def interactive(socket: aiohttp.ClientWebSocketResponse, talk: Talk) -> None:
    """Line editing; Ctrl+D leaves."""
    click.echo(f"{talk.session}  (Ctrl+D leaves)")
    await socket.send_json({"type": "resume", "after": 0})

    async def listen() -> None:
        async for frame in frames(socket):
            show(frame)

    listening = asyncio.create_task(listen())
    prompt: PromptSession[str] = PromptSession()
    with patch_stdout():
        while not listening.done():
            try:
                text = await prompt.prompt_async("you> ")
            except (EOFError, KeyboardInterrupt):
                break
            if text.strip():
                await socket.send_json({"type": "message", "id": str(uuid.uuid4()), "text": text})
    listening.cancel()


async def run(url: str, bot: str, session: str, data: Path, seconds: float, lines: Iterable[str] | None = None) -> None:
    """Connect and talk; piped or with given lines, a reply may take `seconds`."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, connect=10)) as client:
        talk = Talk(client, url, bot)
        try:
            socket = await talk.open(session, data / "chat-visitor.json")
        except (aiohttp.ClientError, OSError) as error:
            raise Failure(f"{url} does not answer: {type(error).__name__}", "look at ./parley status") from error
        async with socket:
            by_hand = lines is None and sys.stdin.isatty()
            if not by_hand:
                click.echo(f"{talk.session} (go on with --session)", err=True)
            given = sys.stdin if lines is None else lines
            await (interactive(socket, talk) if by_hand else piped(socket, seconds, given))


@click.command()
@click.option("--bot", default="hello", show_default=True, help="Who answers.")
@click.option("--session", default="", help="Go on with this session.")
@click.option("--timeout", "seconds", default=60.0, show_default=True, help="Seconds a reply may take when piped.")
@data_option
def chat(*, bot: str, session: str, seconds: float, data: Path) -> None:
    """Talk to a bot. Piped: one message a line, replies as `bot> ...`, exit code 1 when one is missing.

    Example:  printf 'Ana\\n3\\n' | ./parley chat --bot hello
    """
    state = running_state(data)
    asyncio.run(run(f"http://127.0.0.1:{state['edge']}", bot, session, data, seconds))


COMMANDS = (chat,)
