"""Workers that die, stall, come back and repeat themselves, against what a model says must happen."""

import asyncio
import random
from collections.abc import Awaitable
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parley.session.v1 import ledger_service_pb2 as ledger_pb

from services.common.errors import Aborted, AlreadyExists
from tests.integration.session_ledger.checking import Journal, problems
from tests.integration.session_ledger.world import LedgerWorld, Person, Worker, echo
from tests.waiting import until

pytestmark = pytest.mark.integration
WORKERS = 3
EFFECT = ledger_pb.JournalEntry(key="effect", kind="http", result=b"{}")


@dataclass
class Hand:
    """What a worker believes it holds."""

    worker: Worker
    turn: ledger_pb.Turn | None = None
    said: int = 0
    done: ledger_pb.Turn | None = None


@dataclass
class Model:
    """Steps against the service, and what each must come to.

    `holder`: whose epoch and token count; `leased`: whether its time is not over; `waiting`: input nobody answered.
    """

    world: LedgerWorld
    person: Person
    journal: Journal = field(default_factory=Journal)
    holder: Hand | None = None
    leased: bool = False
    waiting: list[str] = field(default_factory=list)
    said: int = 0
    texts: int = 0

    def __post_init__(self) -> None:
        self.hands = [Hand(Worker(self.world, f"w{number}")) for number in range(WORKERS)]

    async def post(self, hand: Hand) -> None:
        self.texts += 1
        text = f"m{self.texts}"
        request_id = f"00000000-0000-4000-8000-{self.texts:012}"
        line = await self.person.say(text, request_id)
        assert (await self.person.say(text, request_id)).seq == line.seq
        self.journal.posted[text] = line.seq
        self.waiting.append(text)

    async def claim(self, hand: Hand) -> None:
        turns = await hand.worker.claim(self.person)
        assert bool(turns) == (bool(self.waiting) and not self.leased)
        if turns:
            assert turns[0].input.text == self.waiting[0]
            assert turns[0].said == self.said
            hand.turn, hand.said = turns[0], turns[0].said
            self.holder, self.leased = hand, True

    async def checkpoint(self, hand: Hand) -> None:
        if hand.turn is not None and await self.write(
            hand, hand.worker.checkpoint(behind(hand), f"moment {hand.said}", journal=[EFFECT])
        ):
            hand.said += 1
            self.said, self.leased = hand.said, True

    async def commit(self, hand: Hand) -> None:
        if hand.turn is not None and await self.write(
            hand, hand.worker.commit(behind(hand), *echo(hand.turn), said=hand.said)
        ):
            self.journal.committed.append((hand.turn.turn, hand.turn.lease.epoch, hand.turn.input.seq))
            hand.turn, hand.done, hand.said = None, hand.turn, 0
            self.waiting.pop(0)
            self.holder, self.leased, self.said = None, False, 0

    async def commit_again(self, hand: Hand) -> None:
        if hand.done is not None:
            with pytest.raises(Aborted):
                await hand.worker.commit(hand.done, *echo(hand.done))

    async def renew(self, hand: Hand) -> None:
        if hand.turn is not None and await self.write(hand, hand.worker.renew(hand.turn)):
            self.leased = True

    async def abandon(self, hand: Hand) -> None:
        if hand.turn is not None:
            await hand.worker.abandon(hand.turn)
            if self.holder is hand:
                self.holder, self.leased = None, False
            hand.turn = None

    async def crash(self, hand: Hand) -> None:
        hand.turn = None
        if self.holder is hand:
            self.holder = None

    async def lapse(self, hand: Hand) -> None:
        await self.world.lapse(self.person.session)
        self.leased = False

    async def write(self, hand: Hand, attempt: Awaitable[object]) -> bool:
        """Whether it was taken, which must be as the model says."""
        try:
            await attempt
        except Aborted:
            assert self.holder is not hand
            hand.turn = None
            return False
        assert self.holder is hand
        return True

    async def drain(self) -> None:
        await self.world.lapse(self.person.session)
        self.holder, self.leased = None, False
        hand = self.hands[0]
        hand.turn = None
        while self.waiting:
            await self.claim(hand)
            await self.commit(hand)
        assert await hand.worker.claim(self.person) == []


def behind(hand: Hand) -> ledger_pb.Turn:
    """The turn as the worker holds it after what it has said."""
    assert hand.turn is not None
    made = ledger_pb.Turn()
    made.CopyFrom(hand.turn)
    made.said = hand.said
    return made


STEPS = ("post", "claim", "checkpoint", "commit", "commit_again", "renew", "abandon", "crash", "lapse")
LIKELY = st.sampled_from([*STEPS, "post", "claim", "claim", "commit"])


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(st.tuples(LIKELY, st.integers(0, WORKERS - 1)), min_size=5, max_size=40))
async def test_whatever_workers_do_each_message_is_answered_once(
    world: LedgerWorld, steps: list[tuple[str, int]]
) -> None:
    person = world.person()
    await person.open()
    await Worker(world).serve(person)
    model = Model(world, person)
    for step, hand in steps:
        await getattr(model, step)(model.hands[hand])
    await model.drain()
    assert await problems(world, person, model.journal) == []


class Storm:
    """Posters and workers at the same time, leases that vanish under them, for a number of messages."""

    def __init__(self, world: LedgerWorld, person: Person, seed: int, messages: int) -> None:
        self.world = world
        self.person = person
        self.random = random.Random(seed)
        self.messages = messages
        self.journal = Journal()
        self.over = asyncio.Event()

    async def post(self, poster: int) -> None:
        for number in range(self.messages):
            text = f"p{poster}-{number}"
            request_id = f"{poster:08}-0000-4000-8000-{number:012}"
            for _ in range(self.random.randint(1, 3)):
                self.journal.posted[text] = (await self.person.say(text, request_id)).seq

    async def work(self, worker: Worker) -> None:
        while not self.over.is_set():
            for turn in await worker.claim(self.person):
                try:
                    await self.turn(worker, turn)
                except (Aborted, AlreadyExists):  # fenced, or a repeat of what another has said
                    continue
            await asyncio.sleep(0.002)

    async def turn(self, worker: Worker, turn: ledger_pb.Turn) -> None:
        said = turn.said
        fate = self.random.random()
        if fate < 0.1:
            return  # a crash before a word
        if fate < 0.2:
            await worker.abandon(turn, self.random.choice([0, 0.02]))
            return
        if fate < 0.5:
            await worker.checkpoint(turn, f"moment {said}", journal=[EFFECT])
            said += 1
        if fate > 0.9:
            await asyncio.sleep(0.03)  # stalls, perhaps for longer than its lease
        if 0.2 < fate < 0.25:
            return  # a crash between words
        await worker.commit(turn, *echo(turn), said=said)
        self.journal.committed.append((turn.turn, turn.lease.epoch, turn.input.seq))
        if fate < 0.6:
            await worker.commit(turn, *echo(turn), said=said)  # the first answer was lost on the way

    async def disturb(self) -> None:
        while not self.over.is_set():
            await self.world.lapse(self.person.session)
            await asyncio.sleep(self.random.uniform(0.005, 0.03))

    async def finished(self) -> None:
        session = await self.person.stands()
        while session.consumed_seq < max(self.journal.posted.values()):
            await asyncio.sleep(0.01)
            session = await self.person.stands()
        self.over.set()

    async def rage(self) -> None:
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for number in range(WORKERS):
                group.create_task(self.work(Worker(self.world, f"storm{number}")))
            group.create_task(self.disturb())
            posters = [group.create_task(self.post(poster)) for poster in range(3)]
            await asyncio.gather(*posters)
            await self.finished()


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
async def test_in_a_storm_each_message_is_answered_once(world: LedgerWorld, seed: int) -> None:
    person = world.person()
    await person.open()
    await Worker(world).serve(person)
    storm = Storm(world, person, seed, messages=15)
    async with person.listen() as heard:
        await storm.rage()
        await world.lapse(person.session)
        assert await problems(world, person, storm.journal) == []
        last = (await person.stands()).last_seq
        await until(lambda: heard.numbers[-1:] == [last])
    assert heard.numbers == list(range(1, last + 1))


async def test_a_storm_while_nats_comes_and_goes(world: LedgerWorld) -> None:
    person = world.person()
    await person.open()
    await Worker(world).serve(person)
    storm = Storm(world, person, 5, messages=15)
    raging = asyncio.create_task(storm.rage())
    try:
        for _ in range(2):
            world.nats.kill()
            await asyncio.sleep(0.1)
            await world.nats.start()
    finally:
        await world.nats_is_back()
    await raging
    await world.lapse(person.session)
    assert await problems(world, person, storm.journal) == []
