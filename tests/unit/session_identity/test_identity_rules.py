"""Lockout, passwords, roles: rules without input or output."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.common.errors import InvalidArgument, PermissionDenied, ResourceExhausted
from services.common.security.principal import Principal
from services.session.identity import lockout
from services.session.identity.passwords import Passwords, check_strength, normalized, one_time_password
from services.session.identity.roles import GRANTABLE, ensure_not_above, ensure_roles, ensure_scopes, patterns_of

pytestmark = pytest.mark.unit


def holder(*roles: str, scopes: tuple[str, ...] = ()) -> Principal:
    return Principal("t", "users/u", frozenset(roles), frozenset(scopes))


def test_five_attempts_are_free() -> None:
    waits = [lockout.wait_after(attempt).total_seconds() for attempt in range(1, 10)]
    assert waits == [0, 0, 0, 0, 0, 1, 2, 4, 8]


@given(st.integers(1, 10**9))
def test_waits_grow_to_a_limit(attempts: int) -> None:
    wait = lockout.wait_after(attempts)
    assert datetime.timedelta() <= wait <= lockout.LONGEST_WAIT
    assert lockout.wait_after(attempts + 1) >= wait


def test_a_day_of_guessing_is_few_guesses() -> None:
    spent, guesses = datetime.timedelta(), 0
    while spent < datetime.timedelta(days=1):
        guesses += 1
        spent += lockout.wait_after(guesses)
    assert guesses < 120


@pytest.mark.parametrize(
    "password",
    ["elevenchars", "aaaaaaaaaaaaaaaa", "abababababab", "Someone.Long@example.com", "someone.long", "x" * 1025],
)
def test_poor_passwords(password: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check_strength("password", password, "someone.long@example.com")
    assert password not in str(caught.value)


def test_good_passwords() -> None:
    for password in ("correct horse battery", "пароль из слов", one_time_password()):
        check_strength("password", password, "a@b.example")


def test_composed_and_decomposed_letters_are_one_password() -> None:
    assert normalized("caf\u00e9 au lait bien") == normalized("cafe\u0301 au lait bien")


async def test_hashes_verify_and_age() -> None:
    old, new = Passwords(memory_kib=64, iterations=1), Passwords(memory_kib=128, iterations=1)
    stored = await old.hash("correct horse battery")
    assert stored.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert await new.verify(stored, "correct horse battery")
    assert not await new.verify(stored, "correct horse batterz")
    assert not old.outdated(stored)
    assert new.outdated(stored)
    old.close()
    new.close()


@pytest.mark.parametrize("stored", ["", "not a hash", "$argon2id$v=19$m=64"])
async def test_nothing_stored_matches_nothing(stored: str) -> None:
    passwords = Passwords(memory_kib=64, iterations=1)
    assert not await passwords.verify(stored, "")
    assert not await passwords.verify(stored, "anything at all")
    passwords.close()


async def test_more_than_may_wait_are_turned_away() -> None:
    passwords = Passwords(memory_kib=64, iterations=1, workers=1, waiting=0)
    first = passwords.hash("correct horse battery")
    running = first.send(None)
    with pytest.raises(ResourceExhausted) as caught:
        await passwords.hash("correct horse battery")
    assert caught.value.reason == "OVERLOADED"
    assert running is not None
    first.close()
    assert await passwords.verify(await passwords.hash("x"), "x")
    passwords.close()


@pytest.mark.parametrize("maker", sorted(GRANTABLE))
@pytest.mark.parametrize("role", [*sorted(GRANTABLE), "visitor", "service"])
def test_nobody_gives_more_than_they_have(maker: str, role: str) -> None:
    who = holder(maker)
    may = role in GRANTABLE and all(who.may(pattern.replace("*", "x")) for pattern in patterns_of([role]))
    if may:
        ensure_roles(who, [role])
        return
    with pytest.raises(PermissionDenied):
        ensure_roles(who, [role])


def test_the_order_of_roles() -> None:
    for maker, role in (("owner", "owner"), ("admin", "admin"), ("admin", "developer"), ("developer", "user")):
        ensure_roles(holder(maker), [role])
    for maker, role in (("admin", "owner"), ("developer", "admin"), ("agent", "developer"), ("user", "agent")):
        with pytest.raises(PermissionDenied):
            ensure_roles(holder(maker), [role])
        with pytest.raises(PermissionDenied):
            ensure_not_above(holder(maker), [role])


def test_scopes_limit_what_is_handed_on() -> None:
    limited = holder("owner", scopes=("session.users.*",))
    with pytest.raises(PermissionDenied):
        ensure_roles(limited, ["user"])
    ensure_roles(limited, ["user"], scoped=True)
    ensure_scopes(limited, ["session.users.create"])
    for scopes in (["*"], ["session.*"], ["session.usersx"]):
        with pytest.raises(PermissionDenied):
            ensure_scopes(limited, scopes)
    with pytest.raises(InvalidArgument):
        ensure_scopes(limited, [])
    ensure_scopes(holder("owner"), [])
