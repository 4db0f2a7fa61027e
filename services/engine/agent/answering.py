"""A free answer: passages of the bot's documents, then a model, streamed."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from parley.common.v1 import content_pb2
from parley.kb.v1 import kb_service_pb2 as kb_pb
from parley.kb.v1 import kb_service_pb2_grpc as kb_grpc
from parley.llm.v1 import llm_service_pb2 as llm_pb
from parley.llm.v1 import llm_service_pb2_grpc as llm_grpc

from services.common import context
from services.common.errors import ParleyError, Unavailable, from_proto
from services.common.rpc.client import Mesh
from services.common.telemetry.logs import logger

log = logger(__name__)
PASSAGES = 5
ATTEMPTS = 3
ROLES = {"user": llm_pb.ChatMessage.ROLE_USER, "bot": llm_pb.ChatMessage.ROLE_ASSISTANT}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, of whom, in what setting. history: [role, text] pairs, oldest first.

    exchange: tools the model called for this question, and what they gave.
    """

    bot: str
    text: str
    locale: str
    history: list[list[str]]
    system_prompt: str = ""
    collections: list[str] = field(default_factory=list)
    context: dict[str, str] = field(default_factory=dict)
    model: str = ""
    tools: list[llm_pb.Tool] = field(default_factory=list)
    exchange: list[llm_pb.ChatMessage] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answer:
    """The text, what supports it, the tokens it took, the tools the model wants called."""

    text: str
    citations: list[content_pb2.Citation]
    tokens: int
    calls: list[llm_pb.ToolCall] = field(default_factory=list)


@contextlib.contextmanager
def lending() -> Iterator[None]:
    """A bot's own documents and model are used for the person on the engine's authority: a visitor may ask the bot,
    but not the services behind it."""
    call = context.current()
    if call.principal is None:
        yield
        return
    lent = dataclasses.replace(call.principal, roles=call.principal.roles | {"service"}, scopes=frozenset())
    token = context.CURRENT.set(dataclasses.replace(call, principal=lent))
    try:
        yield
    finally:
        context.CURRENT.reset(token)


class Answerer:
    """Asks kb and llm on behalf of the person."""

    def __init__(self, mesh: Mesh, seconds: float, floor: float) -> None:
        self._kb = kb_grpc.KbServiceStub(mesh.channel("kb"))
        self._llm = llm_grpc.LlmServiceStub(mesh.channel("llm"))
        self._seconds = seconds
        self._floor = floor

    async def answer(self, question: Question, on_piece: Callable[[int, str], None]) -> Answer:
        """The whole answer. on_piece(offset, text) as it is made; offset 0 starts again. ParleyError."""
        passages = await self.passages(question)
        request = self._request(question, passages)
        for attempt in range(ATTEMPTS):
            try:
                with lending():
                    return await self._stream(request, on_piece)
            except ParleyError as error:
                if not error.retryable or attempt == ATTEMPTS - 1:
                    raise
                log.info("answer tried again", attempt=attempt, reason=error.reason)
        raise Unavailable("the model did not answer")

    async def passages(self, question: Question) -> list[kb_pb.Passage]:
        """What the documents say near the question; nothing when the knowledge base is away."""
        request = kb_pb.SearchRequest(
            bot=question.bot,
            query=question.text[:4096],
            collections=question.collections,
            limit=PASSAGES,
            locale=question.locale,
        )
        try:
            with lending():
                found = await self._kb.Search(request)
        except ParleyError as error:
            if not error.retryable:
                raise
            log.warning("answering without documents", reason=error.reason)
            return []
        return [item for item in found.passages if item.similarity >= self._floor]

    def _request(self, question: Question, passages: list[kb_pb.Passage]) -> llm_pb.CompleteRequest:
        request = llm_pb.CompleteRequest(model=question.model, locale=question.locale, bot=question.bot)
        prompt = "\n".join([question.system_prompt, *(f"{key}: {value}" for key, value in question.context.items())])
        if prompt.strip():
            request.messages.add(role=llm_pb.ChatMessage.ROLE_SYSTEM, text=prompt.strip())
        for role, text in question.history:
            request.messages.add(role=ROLES[role], text=text)
        request.messages.add(role=llm_pb.ChatMessage.ROLE_USER, text=question.text)
        request.messages.extend(question.exchange)
        request.tools.extend(question.tools)
        for item in passages:
            request.passages.add(
                title=item.title, uri=item.document, text=item.text, start=item.start, score=item.score
            )
        return request

    async def _stream(self, request: llm_pb.CompleteRequest, on_piece: Callable[[int, str], None]) -> Answer:
        length = 0
        async for event in self._llm.CompleteStream(request, timeout=self._seconds):
            kind = event.WhichOneof("event")
            if kind == "delta":
                on_piece(length, event.delta)
                length += len(event.delta)
            elif kind == "restart":
                length = 0
            elif kind == "completed":
                done = event.completed
                return Answer(done.text, list(done.citations), done.usage.output_tokens, list(done.tool_calls))
            elif kind == "failed":
                raise from_proto(event.failed)
        raise Unavailable("the model's answer was cut off")
