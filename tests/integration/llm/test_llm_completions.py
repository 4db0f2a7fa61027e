"""Completions over real gRPC, from a vendor's wire with all its faults."""

import uuid

import pytest
from google.protobuf import struct_pb2
from parley.llm.v1 import llm_service_pb2 as pb

from services.common import errors
from tests.doubles.openai_server import Behaviour
from tests.integration.llm.conftest import LlmWorld
from tests.waiting import until

pytestmark = pytest.mark.integration
TENANT = str(uuid.uuid4())
TEXT = "one two three four five six seven"


def ask(text: str = "Hello", model: str = "", **more: object) -> pb.CompleteRequest:
    message = pb.ChatMessage(role=pb.ChatMessage.ROLE_USER, text=text)
    return pb.CompleteRequest(messages=[message], model=model, **more)  # type: ignore[arg-type]


async def streamed(llm: LlmWorld, request: pb.CompleteRequest) -> list[pb.CompletionEvent]:
    with llm.caller.acting(TENANT):
        return [event async for event in llm.stub.CompleteStream(request)]


async def completed(llm: LlmWorld, request: pb.CompleteRequest) -> pb.CompleteResponse:
    with llm.caller.acting(TENANT):
        return await llm.stub.Complete(request)


async def test_an_answer_comes_whole_with_its_usage(llm: LlmWorld) -> None:
    llm.double.behaviour = Behaviour(text=TEXT)
    made = await completed(llm, ask(temperature=0.5, max_tokens=99))
    assert (made.text, made.model, made.finish_reason) == (TEXT, "openai/double", pb.FINISH_REASON_STOP)
    assert (made.usage.input_tokens, made.usage.output_tokens) == (1, 7)
    sent = llm.double.requests[-1].body
    assert (sent["temperature"], sent["max_tokens"], sent["model"]) == (0.5, 99, "double")


async def test_a_stream_counts_its_events_and_ends_with_the_whole(llm: LlmWorld) -> None:
    llm.double.behaviour = Behaviour(text=TEXT)
    events = await streamed(llm, ask())
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert "".join(event.delta for event in events) == TEXT
    assert events[-1].completed.text == TEXT
    assert events[-1].completed.usage.output_tokens == 7


async def test_an_alias_of_an_alias_and_an_unknown_name(llm: LlmWorld) -> None:
    assert (await completed(llm, ask(model="fast"))).model == "openai/double"
    with pytest.raises(errors.InvalidArgument) as caught:
        await completed(llm, ask(model="nobody/nothing"))
    assert caught.value.metadata["field"] == "model"


async def test_passages_are_cited_with_true_offsets(llm: LlmWorld) -> None:
    passage = pb.Passage(title="Returns", uri="documents/1", text="We open at nine. Returns take 30 days.", start=40)
    llm.double.behaviour = Behaviour(text="You have 30 days for returns [1].")
    made = await completed(llm, ask("How long do returns take?", passages=[passage]))
    citation = made.citations[0]
    assert citation.quote == "Returns take 30 days."
    assert passage.text[citation.start - 40 : citation.end - 40] == citation.quote
    roles = [message["role"] for message in llm.double.requests[-1].body["messages"]]
    assert roles == ["user", "user"]


@pytest.mark.parametrize("streaming", [False, True])
async def test_tool_calls_pass_through(llm: LlmWorld, streaming: bool) -> None:
    parameters = struct_pb2.Struct()
    parameters.update({"type": "object", "properties": {"city": {"type": "string"}}})
    request = ask(model="openai/tools", tools=[pb.Tool(name="weather", parameters=parameters)])
    made = (await streamed(llm, request))[-1].completed if streaming else await completed(llm, request)
    assert made.finish_reason == pb.FINISH_REASON_TOOL_CALLS
    assert [(call.id, call.name, call.arguments) for call in made.tool_calls] == [
        ("call_1", "weather", '{"city": "Lisboa"}')
    ]
    assert llm.double.requests[-1].body["tools"][0]["function"]["parameters"]["type"] == "object"


FAULTS = [
    ("rate_limited", errors.ResourceExhausted, "LIMIT_REACHED", "rate", 7.0),
    ("no_quota", errors.ResourceExhausted, "LIMIT_REACHED", "quota", None),
    ("failing", errors.Unavailable, "PROVIDER_FAILED", "server", 2.0),
    ("bad_key", errors.FailedPrecondition, "PROVIDER_FAILED", "auth", None),
    ("unknown_model", errors.FailedPrecondition, "PROVIDER_FAILED", "model", None),
    ("too_long", errors.InvalidArgument, "PROVIDER_FAILED", "context_length", None),
]


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(("fault", "kind", "reason", "why", "wait"), FAULTS)
async def test_each_failure_has_its_place_in_the_tree(
    llm: LlmWorld,
    streaming: bool,
    fault: str,
    kind: type[errors.ParleyError],
    reason: str,
    why: str,
    wait: float | None,
) -> None:
    with pytest.raises(kind) as caught:
        await (streamed if streaming else completed)(llm, ask(model=f"openai/{fault}"))
    assert (caught.value.reason, caught.value.metadata["kind"], caught.value.retry_after) == (reason, why, wait)
    assert "double" not in caught.value.message


@pytest.mark.parametrize("fault", ["cut", "ended", "error_event", "garbled"])
async def test_a_stream_that_does_not_reach_its_end_is_never_completed(llm: LlmWorld, fault: str) -> None:
    llm.double.behaviour = Behaviour(text=TEXT, fault=fault)
    events = await streamed(llm, ask())
    assert "".join(event.delta for event in events).startswith("one two three")
    assert events[-1].WhichOneof("event") == "failed"
    assert errors.from_proto(events[-1].failed).reason == "PROVIDER_FAILED"
    assert not any(event.HasField("completed") for event in events)


async def test_one_malformed_chunk_is_passed_over(llm: LlmWorld) -> None:
    llm.double.behaviour = Behaviour(text=TEXT, fault="malformed")
    assert (await streamed(llm, ask()))[-1].completed.text == TEXT


async def test_a_malformed_body_is_an_error_of_the_provider(llm: LlmWorld) -> None:
    with pytest.raises(errors.Internal) as caught:
        await completed(llm, ask(model="openai/malformed"))
    assert caught.value.reason == "PROVIDER_FAILED"


async def test_a_stall_before_the_first_token_and_between_two(llm: LlmWorld) -> None:
    llm.double.behaviour = Behaviour(text=TEXT, fault="stalling", after_chunks=2)
    events = await streamed(llm, ask())
    assert errors.from_proto(events[-1].failed).metadata["kind"] == "timeout_chunk"
    llm.double.behaviour = Behaviour(text=TEXT, latency=5)
    with pytest.raises(errors.DeadlineExceeded) as caught:
        await streamed(llm, ask())
    assert caught.value.metadata["kind"] == "timeout_first_token"
    with pytest.raises(errors.DeadlineExceeded):
        await completed(llm, ask())


async def test_hanging_up_reaches_the_provider(llm: LlmWorld) -> None:
    llm.double.behaviour = Behaviour(text=TEXT * 200, chunk_latency=0.05)
    with llm.caller.acting(TENANT):
        events = llm.stub.CompleteStream(ask())
        async for event in events:
            if event.seq == 2:
                break
        await events.aclose()
    await until(llm.double.requests[-1].cancelled.is_set, 5)


async def test_answers_share_a_connection(llm: LlmWorld) -> None:
    llm.double.behaviour = Behaviour(text=TEXT, end_latency=0.02)
    for _ in range(3):
        assert (await streamed(llm, ask()))[-1].completed.text
    assert len({request.peer for request in llm.double.requests[-3:]}) == 1


async def test_the_last_line_is_the_end_however_it_is_spaced(llm: LlmWorld) -> None:
    llm.double.behaviour = Behaviour(text=TEXT, last="[DONE] ", end_latency=3600)
    assert (await streamed(llm, ask()))[-1].completed.text


async def test_a_stream_that_was_moved_is_refused_as_the_whole_is(llm: LlmWorld) -> None:
    llm.double.behaviour = Behaviour(fault="moved")
    with pytest.raises(errors.ParleyError) as whole:
        await completed(llm, ask())
    with pytest.raises(errors.ParleyError) as stream:
        await streamed(llm, ask())
    assert (type(stream.value), stream.value.reason) == (type(whole.value), whole.value.reason)
    assert stream.value.metadata["status"] == "302"


async def test_an_endless_refusal_is_read_no_further_than_needed(llm: LlmWorld) -> None:
    llm.double.behaviour = Behaviour(fault="endless")
    with pytest.raises(errors.Unavailable) as stream:
        await streamed(llm, ask())
    assert stream.value.metadata["status"] == "503"


async def test_an_unreachable_provider_is_unavailable(llm: LlmWorld) -> None:
    port = llm.double.port
    await llm.double.stop()
    try:
        with pytest.raises(errors.Unavailable) as caught:
            await completed(llm, ask())
        assert caught.value.reason == "PROVIDER_FAILED"
    finally:
        await llm.double.start(port)
    assert (await completed(llm, ask())).text


async def test_the_built_in_provider_is_always_there(llm: LlmWorld) -> None:
    passage = pb.Passage(title="Hours", uri="documents/2", text="The shop opens at nine.")
    events = await streamed(llm, ask("When does the shop open?", "extractive/quotes", passages=[passage]))
    assert "The shop opens at nine." in events[-1].completed.text
    assert events[-1].completed.citations[0].quote == "The shop opens at nine."


async def test_a_visitor_may_not_and_a_call_without_token_neither(llm: LlmWorld) -> None:
    with llm.caller.acting(TENANT, "visitor"), pytest.raises(errors.PermissionDenied):
        await llm.stub.Complete(ask())


async def test_bad_requests_name_the_field(llm: LlmWorld) -> None:
    with pytest.raises(errors.InvalidArgument) as caught:
        await completed(llm, pb.CompleteRequest())
    assert caught.value.metadata["field"] == "messages"


async def test_models_are_listed_in_pages(llm: LlmWorld) -> None:
    names: list[str] = []
    token = ""
    with llm.caller.acting(TENANT):
        while True:
            page = await llm.stub.ListModels(pb.ListModelsRequest(page_size=1, page_token=token))
            names += [f"{model.name} {model.default:d}" for model in page.models]
            token = page.next_page_token
            if not token:
                break
    assert names == [
        "models/extractive/quotes 0",
        "models/local/multilingual-e5-small 0",
        "models/openai/double 1",
        "models/openai/vectors 1",
    ]
