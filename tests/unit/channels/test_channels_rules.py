"""The rules of channels: signatures, bodies, back-off, buckets, settings."""

import datetime
import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from parley.session.v1 import ledger_service_pb2 as ledger_pb
from parley.session.v1 import session_pb2
from pydantic import ValidationError
from standardwebhooks.webhooks import Webhook

from services.channels.adapters.registry import Registry
from services.channels.adapters.web.adapter import WebAdapter
from services.channels.adapters.webhook import incoming, outgoing
from services.channels.adapters.webhook.adapter import outcome_of, retry_after
from services.channels.api.webhooks import refusal
from services.channels.collecting import decoded
from services.channels.config import ChannelsSettings
from services.channels.domain import retrying
from services.channels.domain.port import OpenChannel, Result
from services.channels.store.deliveries import columns
from services.common.errors import InvalidArgument, NotFound, ParleyError, Unauthenticated, Unimplemented
from services.common.limiting import TokenBuckets
from services.common.security import webhook_signatures as signatures
from services.common.security.safe_client import Answer

pytestmark = pytest.mark.unit
SECRET = bytes(range(32))
NOW = 1_700_000_000
TENANT = "11111111-1111-1111-1111-111111111111"
SESSION = "sessions/22222222-2222-2222-2222-222222222222"
names = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="."), min_size=1, max_size=40)


@given(st.text(max_size=200), names)
def test_signatures_are_those_of_the_standard(text: str, name: str) -> None:
    now = datetime.datetime.now(datetime.UTC)
    made = signatures.headers(SECRET, name, int(now.timestamp()), text.encode())
    assert made["webhook-signature"] == Webhook(signatures.shown(SECRET)).sign(name, now, text)
    assert signatures.verify([SECRET], made, text.encode(), now.timestamp(), 300).id == name


@given(st.binary(min_size=1, max_size=60), st.integers(0, 10**6), st.integers(1, 255))
def test_one_changed_byte_is_noticed(body: bytes, position: int, change: int) -> None:
    made = signatures.headers(SECRET, "msg_1", NOW, body)
    changed = bytearray(body)
    changed[position % len(body)] ^= change
    with pytest.raises(Unauthenticated):
        signatures.verify([SECRET], made, bytes(changed), NOW, 300)


@given(names, names, st.integers(1, 10**10), st.integers(1, 10**10), st.binary(max_size=40), st.binary(max_size=40))
def test_no_two_messages_share_a_signature(
    one: str, other: str, then: int, later: int, body: bytes, changed: bytes
) -> None:
    """Not even when the dots between the parts could be read elsewhere."""
    if (one, then, body) != (other, later, changed):
        assert signatures.sign(SECRET, one, str(then), body) != signatures.sign(SECRET, other, str(later), changed)


def test_a_dot_cannot_be_moved() -> None:
    body = f"{NOW}.{{}}".encode()
    moved = {**signatures.headers(SECRET, "msg", 1, body), "webhook-id": "msg.1", "webhook-timestamp": str(NOW)}
    with pytest.raises(InvalidArgument, match="without a dot"):
        signatures.verify([SECRET], moved, b"{}", NOW, 300)


@pytest.mark.parametrize("timestamp", ["", "now", "-1", "1e9", "١٧٠٠٠٠٠٠٠٠", "9" * 400, " 1700000000", "1700000000.5"])
def test_a_time_that_is_none_is_refused(timestamp: str) -> None:
    made = {"webhook-id": "a", "webhook-timestamp": timestamp, "webhook-signature": "v1,x"}
    if timestamp.isascii():
        made["webhook-signature"] = signatures.sign(SECRET, "a", timestamp, b"")
    with pytest.raises((InvalidArgument, Unauthenticated)):
        signatures.verify([SECRET], made, b"", NOW, 300)


def test_without_a_secret_nothing_verifies() -> None:
    with pytest.raises(Unauthenticated):
        signatures.verify([], signatures.headers(b"", "a", NOW, b""), b"", NOW, 300)
    with pytest.raises(Unauthenticated):
        signatures.verify(
            [SECRET], {**signatures.headers(SECRET, "a", NOW, b""), "webhook-id": "\udcff"}, b"", NOW, 300
        )


def body(**more: Any) -> dict[str, Any]:
    return {"type": "message", "user": {"id": "ada"}, "message": {"text": "hello"}, **more}


def test_a_body_is_read_whole() -> None:
    whole = body(
        user={"id": "ada", "name": "Ada Lovelace", "locale": "en-GB"},
        message={"id": "m-1", "text": "hello", "attachments": [
            {"name": "a.pdf", "uri": "files/1", "content_type": "application/pdf", "size": 7}]},
    )  # fmt: skip
    made = incoming.read(json.dumps(whole).encode(), "msg_1")
    assert (made.user, made.display_name, made.locale, made.text) == ("ada", "Ada Lovelace", "en-GB", "hello")
    assert (made.external_id, made.attachments[0].uri, made.attachments[0].size) == ("m-1", "files/1", 7)
    assert incoming.read(json.dumps(body()).encode(), "msg_1").external_id == "msg_1"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(["type", "user", "message", "id", "text", "attachments", "name", "uri", "size", "x"]), inner,
        max_size=6),
    max_leaves=20,
)  # fmt: skip


@given(json_values)
def test_whatever_comes_is_read_or_refused_by_name(value: Any) -> None:
    for raw in (json.dumps(value), json.dumps(body(user=value)), json.dumps(body(message=value))):
        assert refused_field(raw) != ""


def refused_field(raw: str) -> str | None:
    """The field that was refused, None for a body that was read."""
    try:
        incoming.read(raw.encode(), "msg_1")
    except InvalidArgument as error:
        return error.metadata["field"]
    return None


@given(st.binary(max_size=80))
def test_bytes_that_are_no_json_are_refused(raw: bytes) -> None:
    with pytest.raises(InvalidArgument):
        incoming.read(raw, "msg_1")


@pytest.mark.parametrize("locale", ["e", "en_", "en GB", "x" * 36, "en-GB\n", "../etc"])
def test_a_locale_is_a_language(locale: str) -> None:
    with pytest.raises(InvalidArgument, match=r"user\.locale"):
        incoming.read(json.dumps(body(user={"id": "a", "locale": locale})).encode(), "msg_1")


def delivery() -> ledger_pb.Delivery:
    made = ledger_pb.Delivery(
        id="33333333-3333-3333-3333-333333333333", tenant=TENANT, channel="channels/shop", session=SESSION,
        bot="bots/b", external_user="ada",
    )  # fmt: skip
    for ordinal in (2, 3):
        message = made.messages.add(
            name=f"{SESSION}/messages/{ordinal}", text="hé", turn=5, ordinal=ordinal, role=session_pb2.Message.ROLE_BOT
        )
        message.create_time.FromSeconds(NOW + ordinal)
    return made


def test_a_reply_is_written_the_same_way_each_time() -> None:
    made = delivery()
    made.messages[0].suggestions.add(text="Yes")
    made.messages[0].citations.add(title="Terms", uri="https://x/", quote="14 days")
    whole = json.loads(outgoing.body_of(made))
    assert outgoing.body_of(made) == outgoing.body_of(made)
    assert whole["timestamp"] == "2023-11-14T22:13:22.000Z"
    first, second = whole["data"]["messages"]
    assert first["suggestions"] == [{"text": "Yes", "value": "Yes"}]
    assert first["citations"] == [{"title": "Terms", "uri": "https://x/", "quote": "14 days"}]
    assert second == {
        "id": "3", "role": "bot", "text": "hé", "turn": 5, "ordinal": 3, "create_time": "2023-11-14T22:13:23.000Z",
    }  # fmt: skip


def test_a_delivery_has_its_place_in_the_ledger() -> None:
    assert columns(delivery())[5:] == (5, 2, 3)
    for field in ("tenant", "id", "channel", "session", "messages"):
        broken = delivery()
        broken.ClearField(field)
        with pytest.raises(InvalidArgument) as caught:
            columns(broken)
        assert caught.value.metadata["field"] == field
    with pytest.raises(InvalidArgument):
        decoded(b"\xff\xff")


@given(st.integers(1, 50), st.floats(0, 1), st.floats(allow_nan=True, allow_infinity=True))
def test_waits_grow_and_stay_bounded(attempts: int, chance: float, asked: float) -> None:
    backoff = (1.0, 5.0, 30.0, 3600.0)
    wait = retrying.wait_after(attempts, backoff, asked, chance)
    planned = backoff[min(attempts, 4) - 1]
    assert 0.8 * planned - 1e-6 <= wait <= max(1.2 * planned, 3600.0) + 1e-6
    if 0 < asked <= 3600:
        assert wait >= asked


def test_a_budget_ends() -> None:
    assert retrying.worth_it(10, 5, 15)
    assert not retrying.worth_it(10.1, 5, 15)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("-3", 0.0), ("inf", 0.0), ("nan", 0.0), ("", 0.0), ("soon", 0.0),
     ("Tue, 14 Nov 2023 22:13:30 GMT", 10.0), ("Tue, 14 Nov 2000 22:13:30 GMT", 0.0), ("99 Foo", 0.0)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float) -> None:
    assert retry_after(header, NOW) == seconds


@given(st.integers(100, 599))
def test_what_a_status_means(status: int) -> None:
    answer = Answer(status, {"retry-after": "9"}, b"<b>their words</b>", truncated=False, url="")
    outcome = outcome_of(answer)
    expected = Result.DELIVERED if 200 <= status < 300 else Result.GONE if status == 410 else Result.RETRY
    assert (outcome.result, outcome.status) == (expected, status)
    assert "their words" not in outcome.error
    assert outcome.retry_after == (9.0 if status in {429, 503} else 0.0)


def test_a_bucket_gives_what_it_holds() -> None:
    buckets = TokenBuckets(rate=2.0, burst=3)
    assert [buckets.take("a", 100.0) for _ in range(4)] == [0, 0, 0, 0.5]
    assert buckets.take("b", 100.0) == 0
    assert buckets.take("a", 100.5) == 0
    assert buckets.take("a", 99.0) == 0.5


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 5)), max_size=60))
def test_no_channel_gets_more_than_its_share(steps: list[tuple[int, float]]) -> None:
    buckets, now, taken = TokenBuckets(rate=1.0, burst=5, most=10), 0.0, [0] * 4
    for channel, passed in steps:
        now += passed
        taken[channel] += not buckets.take(channel, now)
    assert all(count <= 5 + now + 1e-6 for count in taken)


def test_buckets_are_bounded() -> None:
    buckets = TokenBuckets(rate=1.0, burst=1, most=2)
    assert [buckets.take(name, 0.0) for name in "abc"] == [0, 0, 0]
    assert len(buckets._levels) == 2


async def test_kinds_are_found_in_one_place() -> None:
    registry = Registry((WebAdapter(),))
    web = registry.of("web")
    assert registry.chosen("web") is web
    with pytest.raises(InvalidArgument, match="KIND_WEB"):
        registry.chosen("unspecified")
    with pytest.raises(Unimplemented):
        registry.of("pigeon")
    channel = OpenChannel(tenant=uuid.UUID(TENANT), id="chat", kind="web", bot="bots/b")
    with pytest.raises(NotFound):
        web.receive(channel, {}, b"", 0.0)
    assert (await web.deliver(channel, delivery(), 0.0)).result is Result.DELIVERED


def settings(**more: Any) -> ChannelsSettings:
    values = {
        "port": 1, "operations_port": 2, "mesh_key_file": "k", "mesh_jwks_file": "j", "page_token_secret": "s",
        "key_encryption_key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", **more,
    }  # fmt: skip
    return ChannelsSettings.model_validate(values)


def test_settings_that_would_do_harm_are_refused() -> None:
    assert settings().delivery_backoff == (1, 5, 30, 120, 600, 3600)
    for wrong in ({"delivery_lease": 20.0}, {"key_encryption_key": "AAAA"}, {"delivery_backoff": ()}):
        with pytest.raises(ValidationError):
            settings(**wrong)


def test_errors_of_the_tree_have_a_status() -> None:
    assert refusal(ParleyError("x")).status == 500
    assert refusal(Unauthenticated("x")).status == 401
