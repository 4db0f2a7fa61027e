"""The server-sent events of a chat completion, put together.

The SDK makes a pydantic object of every chunk (about 60 µs); here a chunk is a line of JSON.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from parley.llm.v1 import llm_service_pb2 as pb

from services.llm.providers.openai_errors import from_event

FINISHES = {
    "stop": pb.FINISH_REASON_STOP,
    "length": pb.FINISH_REASON_LENGTH,
    "tool_calls": pb.FINISH_REASON_TOOL_CALLS,
    "function_call": pb.FINISH_REASON_TOOL_CALLS,
    "content_filter": pb.FINISH_REASON_CONTENT_FILTER,
}
MOST_MALFORMED = 3
DATA = "data:"
DONE = "[DONE]"


def said_all(line: str) -> bool:
    """Whether a line of data is the last one."""
    return line.removeprefix(DATA).strip() == DONE


@dataclass
class Gathering:
    """What came of an answer so far."""

    text: list[str] = field(default_factory=list)
    calls: dict[int, pb.ToolCall] = field(default_factory=dict)
    finish: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    model: str = ""
    done: bool = False
    malformed: int = 0

    @property
    def whole(self) -> bool:
        """Whether all of it came: its end was said, or its reason to end, and no more was garbled than may be."""
        return bool(self.finish) and self.malformed <= MOST_MALFORMED

    def line(self, line: str) -> str:
        """Take a line in; the text it adds. ParleyError for an error the provider tells inside the stream."""
        if not line.startswith(DATA):
            return ""
        if said_all(line):
            self.done = True
            return ""
        try:
            event = json.loads(line.removeprefix(DATA))
        except ValueError:
            self.malformed += 1
            return ""
        return self.event(event) if isinstance(event, dict) else ""

    def event(self, event: dict[str, Any]) -> str:
        """Take an event in; the text it adds."""
        if "error" in event:
            raise from_event(event)
        self.model = event.get("model") or self.model
        self.usage(event.get("usage"))
        for choice in event.get("choices") or ():
            self.finish = choice.get("finish_reason") or self.finish
            return self.part(choice.get("delta") or {})
        return ""

    def part(self, part: dict[str, Any]) -> str:
        """Take a delta, or a whole message, in; the text it adds."""
        for position, call in enumerate(part.get("tool_calls") or ()):
            self.tool_call(call.get("index", position), call)
        text = part.get("content") or part.get("refusal") or ""
        if text:
            self.text.append(text)
        return str(text)

    def tool_call(self, index: int, call: dict[str, Any]) -> None:
        """A tool call comes in pieces: its name once, its arguments bit by bit."""
        made = self.calls.setdefault(index, pb.ToolCall())
        function = call.get("function") or {}
        made.id = made.id or call.get("id") or ""
        made.name = made.name or function.get("name") or ""
        made.arguments += function.get("arguments") or ""

    def usage(self, usage: dict[str, Any] | None) -> None:
        """Tokens, when this event tells them."""
        if usage:
            self.input_tokens = int(usage.get("prompt_tokens") or 0)
            self.output_tokens = int(usage.get("completion_tokens") or 0)

    def response(self) -> pb.CompleteResponse:
        """The answer, without citations and our name of the model."""
        return pb.CompleteResponse(
            text="".join(self.text),
            tool_calls=[self.calls[index] for index in sorted(self.calls)],
            finish_reason=FINISHES.get(self.finish, pb.FINISH_REASON_STOP),
            usage=pb.Usage(input_tokens=self.input_tokens, output_tokens=self.output_tokens),
        )


def gathered(body: dict[str, Any]) -> Gathering:
    """A completion that came in one piece."""
    made = Gathering(model=body.get("model") or "", done=True)
    made.usage(body.get("usage"))
    for choice in body.get("choices") or ():
        made.finish = choice.get("finish_reason") or ""
        made.part(choice.get("message") or {})
        break
    return made
