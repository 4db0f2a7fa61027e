"""Renewing: a lost answer may be asked for again, a stolen token is noticed."""

import asyncio
import datetime
import uuid

import pytest
from sqlalchemy import text

from services.common.errors import Unauthenticated
from services.session import token_store
from services.session.identity.credentials import Credential, new_refresh_token, parse_refresh_token
from tests.integration.session_identity.people import PASSWORD, member, renew, sign_in
from tests.integration.session_identity.world import World

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore:EdDSA is deprecated")]
MANY = 8


async def refused(world: World, token: str, reason: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await renew(world, token)
    assert caught.value.reason == reason


async def change(world: World, token: str, what: str) -> None:
    """Change the row of a refresh token."""
    known = parse_refresh_token(token)
    assert known is not None
    async with world.chassis.database.unit_of_work(str(known.tenant_id)) as connection:
        statement = text(f"UPDATE session.refresh_tokens SET {what} WHERE digest = :digest")
        assert (await connection.execute(statement, {"digest": known.digest})).rowcount == 1


async def failures(world: World, subject: str) -> int:
    """Entries about refused refreshes."""
    async with world.chassis.database.unit_of_work(str(world.identity.tenants.operator)) as connection:
        query = text("""SELECT count(*) FROM session.audit_log
            WHERE action = 'tokens.refresh' AND outcome = 'failure' AND actor = :subject""")
        return int((await connection.execute(query, {"subject": subject})).scalar_one())


async def test_an_answer_that_was_lost_is_given_again(world: World) -> None:
    _, tokens = await member(world, "user")
    for _ in range(3):
        lost = await renew(world, tokens.refresh_token)
        tokens = await renew(world, tokens.refresh_token)
        assert tokens.subject == lost.subject
    assert (await renew(world, tokens.refresh_token)).access_token
    assert await failures(world, tokens.subject) == 0


async def test_tabs_that_renew_at_once_all_end_well(world: World) -> None:
    """They share what they keep: the last to write says which of the answers goes on."""
    _, tokens = await member(world, "user")
    made = await asyncio.gather(*(renew(world, tokens.refresh_token) for _ in range(MANY)))
    assert len({answer.refresh_token for answer in made}) == MANY
    chosen = await renew(world, made[3].refresh_token)
    assert (await renew(world, chosen.refresh_token)).subject == tokens.subject


async def test_reuse_after_the_successor_was_used_revokes_the_family(world: World) -> None:
    _, tokens = await member(world, "user")
    second = await renew(world, tokens.refresh_token)
    third = await renew(world, second.refresh_token)
    await refused(world, tokens.refresh_token, "TOKEN_REUSED")
    await refused(world, third.refresh_token, "TOKEN_INVALID")
    assert await failures(world, tokens.subject) == 1


async def test_reuse_when_the_time_is_over_revokes_the_family(world: World) -> None:
    _, tokens = await member(world, "user")
    second = await renew(world, tokens.refresh_token)
    seconds = world.settings.refresh_repeat_seconds + 1
    await change(world, tokens.refresh_token, f"used_at = used_at - interval '{seconds} s'")
    await refused(world, tokens.refresh_token, "TOKEN_REUSED")
    await refused(world, second.refresh_token, "TOKEN_INVALID")


async def test_repeating_does_not_lengthen_the_time(world: World) -> None:
    _, tokens = await member(world, "user")
    await renew(world, tokens.refresh_token)
    await change(world, tokens.refresh_token, "used_at = used_at - interval '20 s'")
    await renew(world, tokens.refresh_token)
    await change(world, tokens.refresh_token, "used_at = used_at - interval '20 s'")
    await refused(world, tokens.refresh_token, "TOKEN_REUSED")


@pytest.mark.parametrize("thief_first", [True, False])
async def test_a_thief_within_the_time_is_noticed_at_the_next_refresh(world: World, thief_first: bool) -> None:
    """Two who repeat one token hold different successors; the second of them that is used ends the sign-in."""
    _, tokens = await member(world, "user")
    owner = await renew(world, tokens.refresh_token)
    thief = await renew(world, tokens.refresh_token)
    quick, slow = (thief, owner) if thief_first else (owner, thief)
    third = await renew(world, quick.refresh_token)
    await refused(world, slow.refresh_token, "TOKEN_REUSED")
    await refused(world, third.refresh_token, "TOKEN_INVALID")
    await refused(world, slow.refresh_token, "TOKEN_REUSED")
    assert await failures(world, tokens.subject) == 1


async def test_two_successors_used_at_once_are_noticed(world: World) -> None:
    _, tokens = await member(world, "user")
    pair = [await renew(world, tokens.refresh_token) for _ in range(2)]
    outcomes = await asyncio.gather(*(renew(world, one.refresh_token) for one in pair), return_exceptions=True)
    good = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert len(good) == 1
    await refused(world, good[0].refresh_token, "TOKEN_INVALID")


async def test_a_token_is_repeated_so_often_and_no_more(world: World) -> None:
    old = await token_of(world)
    for _ in range(33):
        assert (await rotated(world, old, seconds=30)) == "rotated"
    assert await rotated(world, old, seconds=30) == "reused"


async def test_without_time_a_token_works_once(world: World) -> None:
    old = await token_of(world)
    assert await rotated(world, old, seconds=0) == "rotated"
    assert await rotated(world, old, seconds=0) == "reused"
    assert await rotated(world, old, seconds=30) == "replayed"


async def token_of(world: World) -> Credential:
    """Of a sign-in of a visitor."""
    tenant = world.identity.tenants.operator
    assert tenant is not None
    _, token = new_refresh_token(tenant)
    family = datetime.timedelta(days=1)
    await token_store.sign_in_visitor(
        world.chassis.database, uuid.uuid4(), uuid.uuid4(), token, about=("", ""), lifetime=family
    )
    return token


async def rotated(world: World, old: Credential, *, seconds: int) -> str:
    """What becomes of a token when it may be repeated for so long."""
    day = datetime.timedelta(days=1)
    lifetimes = token_store.Lifetimes(day, day, datetime.timedelta(seconds=seconds))
    _, new = new_refresh_token(old.tenant_id)
    return (await token_store.rotate(world.chassis.database, old, new, lifetimes)).outcome


async def test_a_family_that_was_revoked_is_not_renewed_by_repeating(world: World) -> None:
    """Signing out after an answer was lost is signing out."""
    _, tokens = await member(world, "user")
    await renew(world, tokens.refresh_token)
    known = parse_refresh_token(tokens.refresh_token)
    assert known is not None
    await world.identity.sign_in.sign_out(tokens.refresh_token)
    await refused(world, tokens.refresh_token, "TOKEN_REUSED")


async def test_another_sign_in_of_the_same_person_is_another_family(world: World) -> None:
    user, tokens = await member(world, "user")
    other = await sign_in(world, user.email, PASSWORD + "!")
    second = await renew(world, tokens.refresh_token)
    await renew(world, second.refresh_token)
    await refused(world, tokens.refresh_token, "TOKEN_REUSED")
    assert (await renew(world, other.refresh_token)).access_token


async def test_expired_refresh_token(world: World) -> None:
    _, tokens = await member(world, "user")
    await change(world, tokens.refresh_token, "expires_at = now() - interval '1 second'")
    await refused(world, tokens.refresh_token, "TOKEN_EXPIRED")


async def test_a_token_used_in_time_is_repeated_although_it_expired_since(world: World) -> None:
    _, tokens = await member(world, "user")
    await renew(world, tokens.refresh_token)
    await change(world, tokens.refresh_token, "expires_at = now() - interval '1 second'")
    assert (await renew(world, tokens.refresh_token)).access_token
