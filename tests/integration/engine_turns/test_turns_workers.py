"""Workers as a whole: what fails for ever, what a guest may read, versions that move, replicas that die."""

import contextlib
import dataclasses
from collections.abc import Callable, Mapping

import pytest
from parley.engine.v1 import bot_service_pb2

from services.engine import effects, releases, worker
from services.engine.agent.answering import Answer, Answerer, Question
from services.engine.keywords.models.port import Models
from services.engine.keywords.world import World
from services.engine.program.values import Value
from tests.integration.engine_turns.world import BOT, Replica, Talk, TurnsWorld, together
from tests.waiting import until

pytestmark = pytest.mark.integration
FAILED = "Something went wrong in this conversation. Please try again later."


class Broken:
    """A model whose client has a bug."""

    def __init__(self) -> None:
        self.asked = 0

    async def complete(self, world: World, prompt: str, options: Mapping[str, Value]) -> str:
        self.asked += 1
        raise RuntimeError("a bug, and a secret in it")


class Parrot(Answerer):
    """Answers without a model."""

    def __init__(self) -> None:
        """Without services behind it."""

    async def answer(self, question: Question, on_piece: Callable[[int, str], None]) -> Answer:
        return Answer(f"you said: {question.text}", [], 1)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "RETRY_SECONDS", (0.01,))


async def said(talk: Talk, *texts: str) -> None:
    """Wait until these, and no more, were said."""

    async def met() -> bool:
        return len(await talk.said()) >= len(texts)

    await until(met)
    assert await talk.said() == list(texts)


async def test_a_turn_that_always_fails_is_given_up_and_said(world: TurnsWorld, impatient: None) -> None:
    tenant = await world.published('TALK "hello"\nHEAR word\nTALK "about to ask"\nx = LLM word\nTALK x')
    talk, broken = Talk(world, tenant), Broken()
    failing = dataclasses.replace(world.tools, effects=effects.Effects({Models: broken}), answerer=Parrot())
    async with Replica(world, failing):
        await talk.open()
        await said(talk, "hello")
        await talk.say("go")
        await said(talk, "hello", "about to ask", FAILED)
        assert broken.asked == worker.MOST_ATTEMPTS
        await talk.say("and now?")
        await said(talk, "hello", "about to ask", FAILED, "you said: and now?")


async def test_without_giving_up_the_next_message_waits(
    world: TurnsWorld, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "MOST_ATTEMPTS", 1_000_000)
    talk, broken = Talk(world, await world.published("HEAR word\nx = LLM word")), Broken()
    async with Replica(world, dataclasses.replace(world.tools, effects=effects.Effects({Models: broken}))):
        await talk.open()
        await talk.say("go")
        await until(lambda: broken.asked > 5)
        assert await talk.said() == []


MEMORY = """HEAR word
SET BOT MEMORY "colour", "blue"
SET USER MEMORY "name", word
SET SESSION MEMORY "basket", ["tea", "cake"]
HEAR again
basket = GET SESSION MEMORY "basket"
TALK GET BOT MEMORY("colour") & " " & GET USER MEMORY("name") & " " & basket[1]
HEAR end"""


async def remembered(world: TurnsWorld) -> list[str]:
    talk = Talk(world, await world.published(MEMORY))
    await talk.open()
    for text in ("", "Ann", "go"):
        if text:
            await talk.say(text)
        await talk.settle()
    return await talk.said()


async def test_a_guest_is_remembered(world: TurnsWorld) -> None:
    assert await remembered(world) == ["blue Ann cake"]


async def test_a_guest_reads_on_the_authority_of_the_engine(world: TurnsWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effects, "lending", contextlib.nullcontext)
    assert await remembered(world) == [FAILED]


@pytest.mark.parametrize(("migrate", "answer"), [(True, "two: yes"), (False, "one: yes")])
async def test_a_running_conversation_and_a_new_version(
    world: TurnsWorld, monkeypatch: pytest.MonkeyPatch, migrate: bool, answer: str
) -> None:
    monkeypatch.setattr(releases, "LIVE_SECONDS", 0.0)
    source = 'TALK "Tea?"\nHEAR word\nTALK "one: ${word}"\nHEAR end'
    talk = Talk(world, await world.published(source))
    await talk.open()
    await talk.settle()
    changed = 'TALK "Welcome."\n' + source.replace("one", "two")
    await world.published(changed, talk.who.tenant_id, migrate=migrate)
    await talk.say("yes")
    await talk.settle()
    assert await talk.said() == ["Tea?", answer]


async def test_a_deleted_bot_s_conversation_ends_with_its_next_message(
    world: TurnsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "LIVE_SECONDS", 0.0)
    talk = Talk(world, await world.published('TALK "Tea?"\nHEAR word\nTALK "never"'))
    async with Replica(world, dataclasses.replace(world.tools, answerer=Parrot())):
        await talk.open()
        await said(talk, "Tea?")
        with world.caller.acting(talk.who.tenant_id):
            await world.bots.DeleteBot(bot_service_pb2.DeleteBotRequest(name=f"bots/{BOT}"))
        for text in ("yes", "and now?"):
            await talk.say(text)
        await said(talk, "Tea?", "you said: yes", "you said: and now?")


COUNTING = """n = 0
DO
  HEAR word
  n = n + 1
  m = SEND MAIL "ann@example.com", "s", word
  TALK "${n}: ${word}, ${m}"
LOOP"""


async def test_replicas_die_and_others_go_on(world: TurnsWorld) -> None:
    """Five conversations, three workers, of which one that is busy is killed and replaced again and again."""
    tenant = await world.published(COUNTING)
    talks = [Talk(world, tenant) for _ in range(5)]
    quick = world.tools.settings.model_copy(update={"lease_seconds": 1.0})
    shared = dataclasses.replace(talks[0].tools, settings=quick)
    deaths: list[Replica] = []

    async def talking(talk: Talk) -> None:
        await talk.open()
        count = 0
        while count < 3 or len(deaths) < 6:
            count += 1
            await talk.say(f"m{count}")

            async def answered(expected: int = count) -> bool:
                return len(await talk.said()) >= expected

            await until(answered)

    async with contextlib.AsyncExitStack() as stack:
        replicas = [await stack.enter_async_context(Replica(world, shared)) for _ in range(3)]

        async def killing() -> None:
            while len(deaths) < 6:
                await until(lambda: any(each.worker._running for each in replicas))
                victim = next(each for each in replicas if each.worker._running)
                replicas.remove(victim)
                await victim.kill()
                deaths.append(victim)
                replicas.append(await stack.enter_async_context(Replica(world, shared)))

        await together(killing(), *map(talking, talks))
    total = 0
    for talk in talks:
        lines = await talk.said()
        total += len(lines)
        assert [line.partition(", mail")[0] for line in lines] == [f"{n}: m{n}" for n in range(1, len(lines) + 1)]
    assert len(talks[0].recorder.receipts) == total
