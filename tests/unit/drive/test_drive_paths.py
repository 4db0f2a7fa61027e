"""Paths, MIME types, ranges and viewers."""

import re
import unicodedata
import uuid
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.common.errors import InvalidArgument, OutOfRange, PermissionDenied
from services.common.security.principal import Principal
from services.drive.domain import paths
from services.drive.domain.content_types import attachment, clean_content_type, served_type
from services.drive.domain.keys import fresh_key, upload_key
from services.drive.domain.paths import clean_path, clean_prefix, name_of, upload_path
from services.drive.domain.ranges import end_of, pieces
from services.drive.domain.viewing import viewer_of

pytestmark = pytest.mark.unit
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
NAUGHTY = st.text(st.sampled_from(list("./\\ab \x00\n\u202e\u0301\ufdd0\u2028")), max_size=12)


@given(TEXT | NAUGHTY)
@example("a/../b")
@example("\u0344")
def test_a_path_that_is_taken_keeps_every_rule(text: str) -> None:
    clean, refused = outcome_of(clean_path, text)
    assert refused in ({}, {"field": "path"})
    if not refused:
        keeps_every_rule(text, clean)


def outcome_of(rule: Callable[[str], str], text: str) -> tuple[str, dict[str, str]]:
    """What was made of it, or what was said against it."""
    try:
        return rule(text), {}
    except InvalidArgument as error:
        return "", error.metadata


def keeps_every_rule(text: str, clean: str) -> None:
    assert clean == unicodedata.normalize("NFC", text) == clean_path(clean)
    assert 1 <= len(clean) <= 512
    assert not clean.startswith("/")
    for segment in clean.split("/"):
        assert segment.strip()
        assert segment not in {".", ".."}
    assert not any(unicodedata.category(character) == "Cc" or character in "\\\u202e" for character in clean)


@given(TEXT.filter(lambda text: re.fullmatch(r"[\w-]+", text) is not None))
def test_words_are_always_taken(text: str) -> None:
    assert clean_path(f"{text}/{text}.txt") == unicodedata.normalize("NFC", f"{text}/{text}.txt")


@pytest.mark.parametrize(
    "path",
    [
        "invoices/2026/07.pdf",
        "Screenshot 2026-01-01 at 1.00.00\u202fPM.png",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.txt",
        "\U0001f468\u200d\U0001f469\u200d\U0001f467.jpg",
        "...",
        ".hidden/..x",
        "x" * 512,
    ],
)
def test_names_that_people_have_are_taken(path: str) -> None:
    assert clean_path(path) == path


@pytest.mark.parametrize(
    "path", ["", "x" * 513, "/", "/a", "a/", "a//b", ".", "..", "a/..", " ", "a\x7f", "a\u0085", "\ufffe", "a\u2066b"]
)
def test_others_are_refused(path: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^path: expected"):
        clean_path(path)


@given(TEXT | NAUGHTY, TEXT)
def test_every_path_is_found_by_each_of_its_beginnings(first: str, second: str) -> None:
    try:
        path = clean_path(first + second)
    except InvalidArgument:
        return
    for length in range(len(path) + 1):
        beginning = path[:length]
        prefix = clean_prefix(beginning)
        if prefix == beginning:  # not cut between a letter and its accent
            assert prefix <= path < prefix + paths.LAST_CHARACTER


@pytest.mark.parametrize("prefix", ["/a", "a\x00", "a\\"])
def test_beginnings_that_no_path_has_are_refused(prefix: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^prefix: expected"):
        clean_prefix(prefix)


def test_an_upload_is_kept_below_its_file() -> None:
    identifier = uuid.uuid4()
    assert upload_path(identifier, "a/b.txt") == f"uploads/{identifier}/a/b.txt"
    assert name_of(upload_path(identifier, "a/b.txt")) == "b.txt"
    longest = upload_path(identifier, "x" * (512 - 45))
    assert len(longest) == 512
    with pytest.raises(InvalidArgument, match=r"^file_name: expected 1 to 467 characters"):
        upload_path(identifier, "x" * (512 - 44))


def test_keys_are_the_tenants_and_fresh() -> None:
    tenant, identifier = str(uuid.uuid4()), uuid.uuid4()
    keys = {fresh_key(tenant, identifier) for _ in range(100)} | {upload_key(tenant, identifier)}
    assert len(keys) == 101
    assert all(key.startswith(f"{tenant}/{identifier}/") for key in keys)


@pytest.mark.parametrize(
    ("given_type", "clean"),
    [
        ("", "application/octet-stream"),
        ("  ", "application/octet-stream"),
        ("Image/PNG", "image/png"),
        ("text/plain;charset=UTF-8", "text/plain;charset=UTF-8"),
        ('multipart/mixed; boundary="a b"', 'multipart/mixed; boundary="a b"'),
        ("application/vnd.api+json", "application/vnd.api+json"),
    ],
)
def test_mime_types_are_taken(given_type: str, clean: str) -> None:
    assert clean_content_type(given_type) == clean
    assert clean_content_type(clean) == clean


@given(TEXT | st.text(st.sampled_from(list('az/+; ="\\\r\n\x00\u00e9')), max_size=14))
def test_a_mime_type_that_is_taken_is_safe_in_a_header(text: str) -> None:
    clean, refused = outcome_of(clean_content_type, text)
    assert refused in ({}, {"field": "content_type"})
    assert refused or re.fullmatch(r"[!-~]+/[ -~]+", clean)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/xml", "text/javascript",
        "application/javascript", "text/css", "application/x-shockwave-flash", "multipart/related", "message/rfc822",
        "audio/x+xml", "text/html; charset=utf-8", "text/vbscript", "application/octet-stream",
    ],
)  # fmt: skip
def test_what_could_run_is_not_served_as_itself(content_type: str) -> None:
    assert served_type(content_type) == "application/octet-stream"


@pytest.mark.parametrize("content_type", ["image/png", "text/plain; charset=utf-8", "video/mp4", "application/pdf"])
def test_what_cannot_run_is(content_type: str) -> None:
    assert served_type(content_type) == content_type


@given(TEXT)
def test_a_disposition_is_one_safe_header(name: str) -> None:
    header = attachment(name)
    found = re.fullmatch(r"attachment; filename=\"([ -~]*)\"; filename\*=UTF-8''([A-Za-z0-9%._~-]*)", header)
    assert found is not None
    assert not set('"\\%') & set(found[1])


@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(1, 2000), st.integers(1, 500))
def test_pieces_of_a_range_are_the_range(offset: int, length: int, size: int, step: int) -> None:
    data = bytes(number % 251 for number in range(size))
    if offset > size:
        with pytest.raises(OutOfRange):
            end_of(offset, length, size)
        return
    end = end_of(offset, length, size)
    cut = [data[first : first + count] for first, count in pieces(offset, end, step)]
    assert b"".join(cut) == (data[offset : offset + length] if length else data[offset:])
    assert all(len(part) == step for part in cut[:-1])
    assert all(cut)


@pytest.mark.parametrize("role", ["owner", "admin", "developer", "agent", "service"])
def test_staff_see_all(role: str) -> None:
    assert viewer_of(Principal("t", "users/a", frozenset({role, "user"}))).only_owner == ""


@pytest.mark.parametrize("roles", [frozenset({"user"}), frozenset({"visitor"}), frozenset(), frozenset({"made-up"})])
def test_others_see_what_they_own(roles: frozenset[str]) -> None:
    assert viewer_of(Principal("t", "users/a", roles, service="engine")).only_owner == "users/a"


def test_without_a_tenant_nothing_is_seen() -> None:
    with pytest.raises(PermissionDenied):
        viewer_of(Principal("", "services/engine", frozenset({"service"})))
