"""What must be true of a session afterwards, whatever happened to its workers."""

import uuid
from collections import Counter
from dataclasses import dataclass, field

from parley.session.v1 import session_pb2 as pb

from tests.integration.session_ledger.world import LedgerWorld, Person


@dataclass
class Journal:
    """What posters and workers were told while it happened."""

    posted: dict[str, int] = field(default_factory=dict)  # acknowledged text -> seq
    committed: list[tuple[int, int, int]] = field(default_factory=list)  # (turn, epoch, consumed_seq)


async def problems(world: LedgerWorld, person: Person, journal: Journal) -> list[str]:
    """Every broken promise in words; none when all is well. Input is text T, its answer "echo T"."""
    lines = await person.ledger()
    return [
        *numbering(lines),
        *posting(lines, journal),
        *answering(lines),
        *committing(journal),
        *await standing(world, person, lines),
    ]


def numbering(lines: list[pb.Message]) -> list[str]:
    """1, 2, 3 ..."""
    numbers = [line.seq for line in lines]
    return [] if numbers == list(range(1, len(lines) + 1)) else [f"numbers with holes or repeats: {numbers}"]


def posting(lines: list[pb.Message], journal: Journal) -> list[str]:
    """What was acknowledged is there once, under its number."""
    said = Counter(line.text for line in lines if line.role == pb.Message.ROLE_USER)
    seqs = {line.text: line.seq for line in lines if line.role == pb.Message.ROLE_USER}
    found = [f"{text!r} is {count} times in the ledger" for text, count in said.items() if count > 1]
    found += [f"{text!r} was acknowledged and is lost" for text in journal.posted if text not in said]
    moved = (text for text, seq in journal.posted.items() if seqs.get(text, seq) != seq)
    return found + [f"{text!r} was acknowledged under another number" for text in moved]


def answering(lines: list[pb.Message]) -> list[str]:
    """Every input is answered once, in its order, by turns that go up; what a turn says has no holes."""
    asked = [line.text for line in lines if line.role == pb.Message.ROLE_USER]
    answers = [line for line in lines if line.text.startswith("echo ")]
    found = []
    if [line.text.removeprefix("echo ") for line in answers] != asked:
        found.append(f"asked {asked}, answered {[line.text for line in answers]}")
    turns = [line.turn for line in lines if line.role == pb.Message.ROLE_BOT]
    if turns != sorted(turns):
        found.append(f"turns out of order: {turns}")
    for turn in set(turns):
        ordinals = [line.ordinal for line in lines if line.role == pb.Message.ROLE_BOT and line.turn == turn]
        if ordinals != list(range(len(ordinals))):
            found.append(f"turn {turn} said {ordinals}")
    if len({line.turn for line in answers}) != len(answers):
        found.append("a turn answered more than one message")
    return found


def committing(journal: Journal) -> list[str]:
    """One epoch commits a turn."""
    turns = Counter(turn for turn, _, _ in journal.committed)
    return [f"turn {turn} was committed {count} times" for turn, count in turns.items() if count > 1]


async def standing(world: LedgerWorld, person: Person, lines: list[pb.Message]) -> list[str]:
    """Everything is consumed, nothing is left behind, nothing is ready."""
    found = []
    session = await person.stands()
    last = max((line.seq for line in lines if line.role == pb.Message.ROLE_USER), default=0)
    if session.consumed_seq != last:
        found.append(f"input up to {last}, consumed up to {session.consumed_seq}")
    if session.last_seq != len(lines):
        found.append(f"the session counts {session.last_seq} lines, the ledger has {len(lines)}")
    identifier = uuid.UUID(person.session.removeprefix("sessions/"))
    if await world.sql("SELECT 1 FROM session.turn_journal WHERE session_id = $1", identifier):
        found.append("a journal was left behind")
    ready = "SELECT 1 FROM session.session_wakeups WHERE session_id = $1 AND wake_at <= clock_timestamp()"
    if await world.sql(ready, identifier):
        found.append("the bell rings for nothing")
    return found
