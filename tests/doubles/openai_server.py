"""A double of OpenAI's wire, for tests and for trying Parley without a key.

    python -m tests.doubles.openai_server --port 8999
    PARLEY_OPENAI_BASE_URL=http://127.0.0.1:8999/v1 PARLEY_OPENAI_API_KEY=sk-double PARLEY_OPENAI_MODEL=double

What it does is set by `Behaviour`: in process by assignment, from outside by `PUT /behaviour` with its fields as JSON,
or for one request by the model's name: "double", "rate_limited", "no_quota", "failing", "stalling", "cut", "malformed",
"garbled", "bad_key", "too_long", "tools", "filtered", "error_event".
"""

import argparse
import asyncio
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

KEY = "sk-double"
DIMENSIONS = 384
STALL_SECONDS = 3600.0
FAULTS: dict[str, tuple[int, str, dict[str, str]]] = {
    "rate_limited": (429, "rate_limit_exceeded", {"Retry-After": "7"}),
    "no_quota": (429, "insufficient_quota", {}),
    "failing": (503, "server_error", {"Retry-After": "2"}),
    "bad_key": (401, "invalid_api_key", {}),
    "too_long": (400, "context_length_exceeded", {}),
    "moved": (302, "moved", {"Location": "/elsewhere"}),
    "unknown_model": (404, "model_not_found", {}),
}


@dataclass
class Behaviour:
    """How it answers. Seconds before the first byte, between chunks and before the end; `fault`: one of those above."""

    text: str = ""
    latency: float = 0.0
    chunk_latency: float = 0.0
    end_latency: float = 0.0
    fault: str = ""
    after_chunks: int = 3
    dimensions: int = DIMENSIONS
    last: str = "[DONE]"


@dataclass
class Request:
    """What came. `peer`: address and port of the client; `cancelled`: it hung up before the end."""

    path: str
    body: dict[str, Any]
    peer: object = None
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    finished: bool = False


class OpenAIDouble:
    """An aiohttp application; `requests` holds what came."""

    def __init__(self, key: str = KEY) -> None:
        self.key = key
        self.behaviour = Behaviour()
        self.requests: list[Request] = []
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def application(self) -> web.Application:
        application = web.Application(client_max_size=16 * 1024 * 1024)
        application.router.add_post("/v1/chat/completions", self.chat)
        application.router.add_post("/v1/embeddings", self.embeddings)
        application.router.add_get("/v1/models", self.models)
        application.router.add_put("/behaviour", self.behave)
        return application

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self._runner = web.AppRunner(
            self.application(), access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def behave(self, request: web.Request) -> web.Response:
        self.behaviour = Behaviour(**await request.json())
        return web.json_response({})

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": "double", "object": "model"}]})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        kept, fault = await self._accept(request)
        if fault in FAULTS:
            return refusal(fault)
        if fault == "endless":
            return await endless(request)
        if self.behaviour.latency:
            await asyncio.sleep(self.behaviour.latency)
        words = words_of(self.behaviour.text or answer_to(kept.body))
        if kept.body.get("stream"):
            return await self._stream(request, kept, fault, words)
        if fault == "stalling":
            await self._stall(kept)
        if fault == "malformed":
            return web.Response(text='{"choices": [{"mess', content_type="application/json")
        kept.finished = True
        return web.json_response(whole(kept.body, fault, words))

    async def embeddings(self, request: web.Request) -> web.Response:
        kept, fault = await self._accept(request)
        if fault in FAULTS:
            return refusal(fault)
        await asyncio.sleep(self.behaviour.latency)
        texts = kept.body["input"] if isinstance(kept.body["input"], list) else [kept.body["input"]]
        data = [
            {"object": "embedding", "index": index, "embedding": vector_of(text, self.behaviour.dimensions)}
            for index, text in enumerate(texts)
        ]
        usage = {"prompt_tokens": sum(map(len, texts)) // 4, "total_tokens": sum(map(len, texts)) // 4}
        kept.finished = True
        return web.json_response({"object": "list", "data": data[::-1], "model": kept.body["model"], "usage": usage})

    async def _accept(self, request: web.Request) -> tuple[Request, str]:
        peer = request.transport.get_extra_info("peername") if request.transport else None
        kept = Request(request.path, await request.json(), peer)
        self.requests.append(kept)
        del self.requests[:-1000]
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return kept, "bad_key"
        fault = self.behaviour.fault or str(kept.body.get("model", ""))
        return kept, "" if fault == "tools" and tool_said(kept.body) else fault

    async def _stream(self, request: web.Request, kept: Request, fault: str, words: list[str]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        await response.prepare(request)
        try:
            async for event in self._events(kept, fault, words):
                if event is None:
                    assert request.transport is not None
                    request.transport.abort()
                    return response
                await response.write(event)
        except (asyncio.CancelledError, ConnectionError):
            kept.cancelled.set()
            raise
        await asyncio.sleep(self.behaviour.end_latency)
        await response.write_eof()
        kept.finished = True
        return response

    async def _events(self, kept: Request, fault: str, words: list[str]) -> AsyncIterator[bytes | None]:
        """Bytes of the stream; None cuts the connection."""
        identifier = f"chatcmpl-{secrets.token_hex(8)}"
        yield chunk(identifier, kept.body, {"role": "assistant", "content": ""})
        for number, part in enumerate(parts_of(fault, words), 1):
            if number > self.behaviour.after_chunks:
                if fault == "cut":
                    yield None
                    return
                if fault == "ended":
                    return
                if fault == "stalling":
                    await self._stall(kept)
                if fault == "error_event":
                    yield data({"error": {"message": "overloaded", "type": "server_error"}})
                    return
            if fault == "malformed" and number == self.behaviour.after_chunks:
                yield b'data: {"choices": [{"delta": {"con\n\n'
            if fault == "garbled":
                yield b"data: {{{\n\n"
            yield chunk(identifier, kept.body, part)
            if self.behaviour.chunk_latency:
                await asyncio.sleep(self.behaviour.chunk_latency)
        yield chunk(identifier, kept.body, {}, finish_of(fault))
        if (kept.body.get("stream_options") or {}).get("include_usage"):
            yield data(
                {"id": identifier, "choices": [], "model": kept.body["model"], "usage": usage_of(kept.body, words)}
            )
        yield f"data: {self.behaviour.last}\n\n".encode()

    async def _stall(self, kept: Request) -> None:
        try:
            await asyncio.sleep(STALL_SECONDS)
        except asyncio.CancelledError:
            kept.cancelled.set()
            raise


async def endless(request: web.Request) -> web.StreamResponse:
    """A failure whose explanation does not end."""
    response = web.StreamResponse(status=503)
    await response.prepare(request)
    while True:
        await response.write(b" " * 16_384)


def refusal(fault: str) -> web.Response:
    status, code, headers = FAULTS[fault]
    error = {"message": f"double: {code}", "type": code, "code": code, "param": None}
    return web.json_response({"error": error}, status=status, headers=headers)


def answer_to(body: dict[str, Any]) -> str:
    """An answer that shows what was asked or what a tool gave, and cites the first passage when there are any."""
    if tool_said(body):
        return f"The tool gave: {tool_said(body)}"
    said = [str(message.get("content") or "") for message in body["messages"] if message["role"] == "user"]
    cites = " [1]" if any("<passages>" in text for text in said) else ""
    return f"You said: {said[-1] if said else ''}{cites}"


def tool_said(body: dict[str, Any]) -> str:
    """What a tool gave, when that was the last thing said; the call it answers stands right before it."""
    *before, last = body.get("messages") or [{}]
    called = [call["id"] for call in (before[-1].get("tool_calls") or ())] if before else []
    return str(last["content"]) if last.get("role") == "tool" and last.get("tool_call_id") in called else ""


def words_of(text: str) -> list[str]:
    return [f"{word} " for word in text.split(" ")][:-1] + text.split(" ")[-1:]


def parts_of(fault: str, words: list[str]) -> Iterator[dict[str, Any]]:
    if fault != "tools":
        yield from ({"content": word} for word in words)
        return
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ""}}
    yield {"tool_calls": [call]}
    for piece in ('{"city": ', '"Lisboa"}'):
        yield {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}


def finish_of(fault: str) -> str:
    return {"tools": "tool_calls", "filtered": "content_filter"}.get(fault, "stop")


def usage_of(body: dict[str, Any], words: list[str]) -> dict[str, int]:
    prompt = sum(len(str(message.get("content") or "").split()) for message in body["messages"])
    return {"prompt_tokens": prompt, "completion_tokens": len(words), "total_tokens": prompt + len(words)}


def whole(body: dict[str, Any], fault: str, words: list[str]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": "".join(words)}
    if fault == "tools":
        function = {"name": "weather", "arguments": '{"city": "Lisboa"}'}
        message = {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "function": function}]}
    choice = {"index": 0, "message": message, "finish_reason": finish_of(fault)}
    return {"id": "chatcmpl-double", "choices": [choice], "model": body["model"], "usage": usage_of(body, words)}


def chunk(identifier: str, body: dict[str, Any], delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return data({"id": identifier, "object": "chat.completion.chunk", "model": body["model"], "choices": [choice]})


def data(event: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(event, separators=(',', ':'))}\n\n".encode()


def vector_of(text: str, dimensions: int) -> list[float]:
    """The same text always has the same vector."""
    raw = hashlib.shake_256(text.encode()).digest(dimensions)
    return [byte / 127.5 - 1.0 for byte in raw]


async def serve(port: int, behaviour: Behaviour, key: str) -> None:
    double = OpenAIDouble(key)
    double.behaviour = behaviour
    await double.start(port)
    print(f"{double.base_url} key {key}", flush=True)  # noqa: T201
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A double of OpenAI's wire.")
    parser.add_argument("--port", type=int, default=8999)
    parser.add_argument("--key", default=KEY)
    parser.add_argument("--text", default="", help="what it always answers")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before the first byte")
    parser.add_argument("--chunk-latency", type=float, default=0.0, help="seconds between chunks")
    parser.add_argument("--fault", default="", help="see the head of this file")
    options = parser.parse_args()
    behaviour = Behaviour(
        text=options.text, latency=options.latency, chunk_latency=options.chunk_latency, fault=options.fault
    )
    try:
        asyncio.run(serve(options.port, behaviour, options.key))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
