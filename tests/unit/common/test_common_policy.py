"""Roles and what they may."""

from collections.abc import Iterator

import pytest
from google.protobuf import descriptor_pb2
from hypothesis import given
from hypothesis import strategies as st
from parley.common.v1 import access_pb2

from protos.build import DESCRIPTORS
from services.common.security import policy
from services.common.security.principal import Principal, service_principal

pytestmark = pytest.mark.unit
WORD = st.text("abcdefg", min_size=1, max_size=5)
PERMISSION = st.lists(WORD, min_size=2, max_size=3).map(".".join)
TENANT = "11111111-1111-1111-1111-111111111111"


def somebody(*roles: str, scopes: tuple[str, ...] = ()) -> Principal:
    return Principal(TENANT, "users/x", frozenset(roles), frozenset(scopes))


@given(PERMISSION, PERMISSION)
def test_a_pattern_matches_its_branch_and_nothing_else(branch: str, permission: str) -> None:
    assert policy.matches(f"{branch}.*", f"{branch}.{permission}")
    assert policy.matches("*", permission)
    assert not policy.matches(f"{branch}.*", branch)
    assert not policy.matches(f"{branch}.*", f"{branch}x.{permission}")
    assert policy.matches(branch, permission) is (branch == permission)


@pytest.mark.parametrize(
    ("role", "permission", "allowed"),
    [
        ("owner", "session.tenants.create", True),
        ("developer", "engine.bots.publish", True),
        ("developer", "session.users.update", False),
        ("agent", "engine.bots.publish", False),
        ("user", "session.messages.post", True),
        ("user", "kb.documents.delete", False),
        ("visitor", "session.messages.post", True),
        ("visitor", "kb.documents.delete", False),
        ("nobody", "session.messages.post", False),
    ],
)
def test_the_table(role: str, permission: str, *, allowed: bool) -> None:
    assert somebody(role).may(permission) is allowed


def test_scopes_take_away_and_never_give() -> None:
    key = somebody("user", scopes=("session.messages.*", "engine.bots.publish"))
    assert key.may("session.messages.post")
    assert not key.may("session.sessions.create")
    assert not key.may("engine.bots.publish")


def test_a_service_acting_by_itself_says_so() -> None:
    engine = service_principal("engine", TENANT)
    assert engine.subject == "services/engine"
    assert engine.service == "engine"
    assert engine.may("session.sessions.get")


@given(st.frozensets(st.sampled_from(policy.RANK), min_size=1), st.frozensets(st.sampled_from(policy.RANK)))
def test_nobody_grants_above_their_own(roles: frozenset[str], granted: frozenset[str]) -> None:
    highest = max(policy.RANK.index(role) for role in roles)
    assert policy.outranks(roles, granted) is all(policy.RANK.index(role) <= highest for role in granted)


def test_the_role_of_services_is_not_granted() -> None:
    assert not policy.outranks(frozenset({"owner"}), frozenset({"service"}))


def methods() -> Iterator[tuple[str, access_pb2.Access]]:
    files = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes())
    for file in files.file:
        for service in file.service if file.package.startswith("parley.") else ():
            for method in service.method:
                yield f"{service.name}.{method.name}", method.options.Extensions[access_pb2.access]


def test_every_method_says_who_may_call_it() -> None:
    silent = [name for name, access in methods() if not (access.permission or access.public)]
    assert silent == []


def test_what_only_the_owner_may_is_about_tenants() -> None:
    wanted = {access.permission for _, access in methods()} - {""}
    assert wanted
    assert {name for name in wanted if not somebody("admin").may(name)} == {
        name for name in wanted if name.startswith("tenants.")
    }
