"""Frames: whatever a client sends is a request or a refusal that names the field, never a fault."""

import itertools
import json
import uuid
from typing import Any

import pytest
from google.protobuf import timestamp_pb2
from google.rpc import status_pb2
from hypothesis import given
from hypothesis import strategies as st
from parley.common.v1 import content_pb2
from parley.session.v1 import session_pb2 as pb
from parley.session.v1 import session_service_pb2 as service_pb

from gateway.realtime.general_bots import BookProtocol, WireProtocol, form_of
from gateway.realtime.protocol import Frame, FrameProtocol, ParleyProtocol, Request, parse
from services.common.errors import InvalidArgument, ResourceExhausted

pytestmark = pytest.mark.unit
PROTOCOLS = (ParleyProtocol(), WireProtocol("u"), BookProtocol("u"))
TEXTS = st.text(max_size=40)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.just("\\ud800")),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "type",
        "id",
        "text",
        "content",
        "action",
        "attachments",
        "after",
        "t",
        "timestamp",
        "message_type",
        "context_name",
    ]
)
KINDS = st.sampled_from(["resume", "message", "typing", "cancel", "ping", "suggestion", "status", 0, 1, 4, 5, 6, 7, 8])
ATTACHMENTS = st.lists(
    st.one_of(JSON, st.fixed_dictionaries({"name": JSON, "uri": TEXTS, "content_type": TEXTS, "size": JSON})),
    max_size=3,
)
FRAMES = st.builds(
    lambda body, kind, files: {**body, **kind, **files},
    st.dictionaries(FIELDS, JSON, max_size=5),
    st.one_of(st.just({}), KINDS.map(lambda kind: {"type" if isinstance(kind, str) else "message_type": kind})),
    st.one_of(st.just({}), ATTACHMENTS.map(lambda files: {"attachments": files})),
)


def sent(frame: object) -> str:
    """As a client could write it, lone surrogates and NaN included."""
    return json.dumps(frame).replace("\\\\ud800", "\\ud800")


def wire(frames: list[Frame]) -> str:
    """As the socket sends it: strict JSON in UTF-8."""
    return "".join(json.dumps(frame, ensure_ascii=False, allow_nan=False) for frame in frames).encode().decode()


def named(error: InvalidArgument) -> None:
    """A refusal says which field was wrong."""
    assert error.violations


def check(protocol: FrameProtocol, payload: str) -> Request | None:
    """A request that can be posted and answered, or a refusal."""
    try:
        request = protocol.request(parse(payload.encode(errors="surrogatepass")))
    except UnicodeDecodeError:
        return None
    except InvalidArgument as error:
        wire(protocol.refused(error, ""))
        named(error)
        return None
    assert request.kind in {"resume", "message", "typing", "cancel", "ping", "nothing"}
    posting = service_pb.PostMessageRequest(
        text=request.text, action=request.action, attachments=request.attachments, request_id=request.id
    )
    posting.SerializeToString()
    service_pb.ListMessagesRequest(after_seq=request.after)
    wire([*protocol.answer_ping(request), *protocol.accepted(request, 1)])
    return request


@given(payload=st.one_of(st.text(), FRAMES.map(sent), JSON.map(sent)), protocol=st.sampled_from(PROTOCOLS))
def test_any_frame_is_a_request_or_a_refusal(payload: str, protocol: FrameProtocol) -> None:
    check(protocol, payload)


@pytest.mark.parametrize(
    "payload",
    [
        "[" * 100_000,
        '{"type":' * 50_000,
        '{"type":"ping","t":' + "[" * 900 + "]" * 900 + "}",
        '{"type":"ping","t":NaN}',
        '{"type":"ping","t":-Infinity}',
        '{"type":"ping","t":"\\ud800"}',
        '{"type":"message","id":"\\udfff","text":"x"}',
        '{"type":"resume","after":99999999999999999999}',
        '{"type":"resume","after":2147483648}',
        '{"type":"resume","after":-1}',
        '{"type":"resume","after":true}',
        '{"type":"resume","after":1.5}',
        '{"type":"message","id":"not a uuid","text":"x"}',
        '{"type":"message","text":"no id"}',
        '{"type":"message","id":"00000000-0000-4000-8000-000000000000","attachments":{"name":"x"}}',
        '{"type":"message","id":"00000000-0000-4000-8000-000000000000","attachments":[1]}',
        '{"type":"message","id":"00000000-0000-4000-8000-000000000000","text":["x"]}',
        '{"type":"unheard of"}',
        '{"type":null}',
        "{}",
        "null",
        "",
        "1" * 10_000,
    ],
)
def test_a_frame_that_means_nothing_is_refused(payload: str) -> None:
    assert check(ParleyProtocol(), payload) is None


def test_an_emoji_written_as_escapes_is_one_character() -> None:
    request = check(ParleyProtocol(), json.dumps({"type": "message", "id": str(uuid.uuid4()), "text": "🙂"}))
    assert request is not None
    assert request.text == "🙂"


def test_a_message_carries_all_its_fields() -> None:
    identifier = str(uuid.uuid4())
    files = [{"name": "a.pdf", "uri": "files/1", "content_type": "application/pdf", "size": 7}]
    frame = {"type": "message", "id": identifier.upper(), "text": "hi", "action": "yes", "attachments": files}
    attachment = content_pb2.Attachment(name="a.pdf", uri="files/1", content_type="application/pdf", size=7)
    assert check(ParleyProtocol(), json.dumps(frame)) == Request(
        "message", id=identifier, text="hi", action="yes", attachments=[attachment]
    )


@pytest.mark.parametrize("stamp", [None, 0, 1.5, "abc"])
def test_a_ping_is_answered_with_its_own_stamp(stamp: Any) -> None:
    request = check(ParleyProtocol(), json.dumps({"type": "ping", "t": stamp}))
    assert request is not None
    assert ParleyProtocol().answer_ping(request) == [{"type": "pong", "t": stamp}]


def message(text: str, turn: int = 1, ordinal: int = 0, role: Any = pb.Message.ROLE_BOT) -> pb.SessionEvent:
    made = pb.Message(name="sessions/s/messages/m", seq=3, text=text, turn=turn, ordinal=ordinal, role=role)
    return pb.SessionEvent(message=made)


def delta(text: str, offset: int, turn: int = 1) -> pb.SessionEvent:
    return pb.SessionEvent(delta=pb.Delta(turn=turn, ordinal=0, offset=offset, text=text))


def test_every_event_has_its_frame() -> None:
    said = message("hi")
    said.message.suggestions.add(text="Yes")
    said.message.attachments.add(name="a", uri="files/1", size=2)
    said.message.citations.add(title="t", uri="u", quote="q")
    said.message.create_time.CopyFrom(timestamp_pb2.Timestamp(seconds=1))
    waiting = pb.Waiting(kind=pb.Waiting.KIND_MESSAGE)
    events = [
        said,
        delta("h", 0),
        pb.SessionEvent(typing=pb.Typing(role=pb.Message.ROLE_BOT)),
        pb.SessionEvent(completed=pb.TurnCompleted(turn=1, consumed_seq=2, waiting=waiting)),
        pb.SessionEvent(failed=pb.TurnFailed(turn=1, error=status_pb2.Status(code=13, message="broken"))),
        pb.SessionEvent(ended=pb.SessionEnded()),
        pb.SessionEvent(),
    ]
    frames = [frame for event in events for frame in ParleyProtocol().event(event)]
    assert [frame["type"] for frame in frames] == ["message", "delta", "typing", "completed", "failed", "ended"]
    assert frames[0]["suggestions"] == [{"text": "Yes", "value": "Yes"}]
    assert frames[0]["citations"] == [{"title": "t", "uri": "u", "quote": "q"}]
    assert frames[0]["attachments"] == [{"name": "a", "uri": "files/1", "content_type": "", "size": 2}]
    assert frames[3] == {"type": "completed", "turn": 1, "seq": 2, "waiting": "message"}
    assert frames[4]["error"]["message"] == "broken"
    wire(frames)


def test_an_own_message_is_known_by_the_id_its_client_chose() -> None:
    event = message("hi", role=pb.Message.ROLE_USER)
    event.message.request_id = "chosen"
    (frame,) = ParleyProtocol().event(event)
    assert (frame["id"], frame["role"]) == ("chosen", "user")


# the protocol of General Bots


def shown(frames: list[Frame]) -> list[str]:
    """What a client of the numeric form shows: pieces are put together until one is complete; its own text counts
    only when nothing was streamed before it."""
    finished: list[str] = []
    streaming = ""
    for frame in frames:
        if not frame["is_complete"]:
            streaming += frame["content"]
        else:
            finished.append(streaming or frame["content"])
            streaming = ""
    return [text for text in finished if text]


@given(
    text=st.text(min_size=1, max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=6),
    lost=st.sets(st.integers(0, 6)),
)
def test_a_streamed_reply_is_shown_whole_whatever_pieces_were_lost(text: str, cuts: list[int], lost: set[int]) -> None:
    places = sorted({0, *(cut for cut in cuts if cut < len(text)), len(text)})
    pieces = [delta(text[start:end], start) for start, end in itertools.pairwise(places)]
    protocol = WireProtocol("u")
    heard = [event for place, event in enumerate(pieces) if place not in lost]
    frames = [frame for event in [*heard, message(text)] for frame in protocol.event(event)]
    assert shown(frames) == [text]


def test_a_reply_that_came_out_otherwise_than_streamed_is_shown_as_it_is() -> None:
    protocol = WireProtocol("u")
    frames = [frame for event in (delta("Hel", 0), message("Bye")) for frame in protocol.event(event)]
    assert shown(frames)[-1] == "Bye"


def test_pieces_of_a_turn_that_began_again_are_not_mixed() -> None:
    protocol = WireProtocol("u")
    events = [delta("Hel", 0), delta("Hello", 0), delta(" you", 5), message("Hello you")]
    frames = [frame for event in events for frame in protocol.event(event)]
    assert shown(frames)[-1] == "Hello you"


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        ({"content": "hi", "message_type": 1}, "hi"),
        ({"content": "hi"}, "hi"),
        ({"text": "hi", "message_type": 0}, "hi"),
        ({"content": "go on", "message_type": 3}, "go on"),
        ({"content": "picked", "message_type": 4}, "picked"),
        ({"context_name": "sales", "content": "x", "message_type": 5}, "sales"),
        ({"content": "weather", "message_type": 6}, "weather"),
        ({"content": "__TOOL__:weather", "message_type": 1}, "weather"),
    ],
)
def test_what_the_numeric_form_says_is_a_message(frame: Frame, text: str) -> None:
    request = check(WireProtocol("u"), json.dumps(frame))
    assert request is not None
    assert (request.kind, request.text) == ("message", text)
    assert uuid.UUID(request.id)


@pytest.mark.parametrize("kind", [7, 8])
def test_system_and_switcher_frames_of_the_numeric_form_do_nothing(kind: int) -> None:
    request = check(WireProtocol("u"), json.dumps({"content": "", "message_type": kind}))
    assert request is not None
    assert request.kind == "nothing"


def test_a_client_that_chooses_ids_may_repeat_itself() -> None:
    identifier = str(uuid.uuid4())
    for protocol, frame in (
        (WireProtocol("u"), {"content": "hi", "message_id": identifier}),
        (BookProtocol("u"), {"type": "message", "content": "hi", "id": identifier}),
    ):
        request = check(protocol, json.dumps(frame))
        assert request is not None
        assert request.id == identifier


def test_the_first_frame_decides_the_form() -> None:
    assert type(form_of({"type": "message", "content": "x"}, "u")) is BookProtocol
    assert type(form_of({"content": "x", "message_type": 1}, "u")) is WireProtocol
    assert type(form_of({"type": "user", "message_type": 1}, "u")) is WireProtocol


def test_both_forms_say_who_and_where() -> None:
    session = pb.Session(name="sessions/1", bot="bots/hello")
    for protocol in (WireProtocol("u"), BookProtocol("u")):
        (hello,) = protocol.greeting(session, {})
        assert (hello["type"], hello["session_id"], hello["user_id"], hello["bot_id"]) == (
            "connected",
            "1",
            "u",
            "hello",
        )
        assert hello["tools"] == []
        assert protocol.event(message("mine", role=pb.Message.ROLE_USER)) == []


def test_the_numeric_form_has_the_fields_its_clients_read() -> None:
    event = message("hi")
    event.message.suggestions.add(text="Yes", value="y")
    (frame,) = WireProtocol("u").event(event)
    assert (frame["content"], frame["message_type"], frame["is_complete"]) == ("hi", 2, True)
    assert frame["suggestions"] == [{"text": "Yes", "context": "y"}]
    (failed,) = WireProtocol("u").event(pb.SessionEvent(failed=pb.TurnFailed(error=status_pb2.Status(message="no"))))
    assert failed["content"] == "no"
    (refused,) = WireProtocol("u").refused(ResourceExhausted("slow down"), "")
    assert (refused["content"], refused["error"]["code"]) == ("slow down", "RESOURCE_EXHAUSTED")
    (thinking,) = WireProtocol("u").event(pb.SessionEvent(typing=pb.Typing()))
    assert thinking["thinking"] is True


def test_the_documented_form_has_typed_frames() -> None:
    protocol = BookProtocol("u")
    event = message("hi")
    event.message.suggestions.add(text="Yes", value="y")
    assert [frame["type"] for frame in protocol.event(event)] == ["message", "suggestion"]
    assert protocol.event(pb.SessionEvent(typing=pb.Typing()))[0]["type"] == "typing"
    assert protocol.event(pb.SessionEvent(completed=pb.TurnCompleted()))[0]["status"] == "idle"
    assert protocol.event(pb.SessionEvent(ended=pb.SessionEnded()))[0]["status"] == "ended"
    assert protocol.event(delta("h", 0)) == []
    failed = pb.SessionEvent(failed=pb.TurnFailed(error=status_pb2.Status(message="no")))
    assert protocol.event(failed)[0]["type"] == "error"
    assert protocol.refused(ResourceExhausted("slow down"), "")[0]["type"] == "error"
    ping = check(protocol, json.dumps({"type": "status", "timestamp": 5}))
    assert ping is not None
    assert protocol.answer_ping(ping)[0]["timestamp"] == 5
