"""What is left: the ledger in PostgreSQL against what people were told."""

import itertools
import statistics
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from bench.chaos.ambush import ledger
from bench.chaos.users import Seen, right_replies
from cli.stack.stack import Stack

AFTERMATH_SECONDS = 1.0
LEDGER = "SELECT seq, role, content, turn FROM session.message_history WHERE session_id = $1 ORDER BY seq"


@dataclass
class Verdict:
    """Counts of broken promises; all must be 0."""

    lost: int = 0
    duplicated: int = 0
    misordered: int = 0
    overlapped: int = 0

    @property
    def good(self) -> bool:
        """No promise was broken."""
        return not (self.lost or self.duplicated or self.misordered or self.overlapped)


async def judge(stack: Stack, people: Sequence[Seen]) -> Verdict:
    """Every session, in the ledger and as its person saw it."""
    verdict = Verdict()
    connection = await ledger(stack)
    try:
        for seen in people:
            rows = await connection.fetch(LEDGER, uuid.UUID(seen.session.removeprefix("sessions/")))
            weigh_ledger(verdict, seen, rows)
            weigh_person(verdict, seen)
    finally:
        await connection.close()
    return verdict


def weigh_ledger(verdict: Verdict, seen: Seen, rows: Sequence[asyncpg.Record]) -> None:
    """Each acknowledged input once, each with its one answer, answers in order of inputs, one turn at a time."""
    inputs = [row["content"] for row in rows if row["role"] == "user"]
    replies = [row["content"] for row in rows if row["role"] == "bot"]
    wanted = right_replies(seen)
    acknowledged = list(seen.acknowledged.values())
    verdict.lost += sum(1 for text in acknowledged if text not in inputs)
    verdict.lost += sum(1 for text in wanted if text not in replies)
    verdict.duplicated += len(inputs) - len(set(inputs)) + len(replies) - len(set(replies))
    verdict.misordered += sum(
        1 for index, text in enumerate(inputs) if index < len(seen.sent) and text != seen.sent[index]
    )
    known = [text for text in replies if text in wanted]
    verdict.misordered += int(known != [text for text in wanted if text in known])
    verdict.misordered += int([row["seq"] for row in rows] != list(range(1, len(rows) + 1)))
    turns = [row["turn"] for row in rows if row["role"] == "bot"]
    verdict.overlapped += sum(1 for before, after in itertools.pairwise(turns) if after <= before)


def weigh_person(verdict: Verdict, seen: Seen) -> None:
    """What a person saw: every answer, once, in order."""
    texts = [text for _, text in seen.replies]
    wanted = right_replies(seen)
    verdict.lost += sum(1 for text in wanted if text not in texts)
    verdict.duplicated += len(texts) - len(set(texts)) + seen.repeats
    numbers = [seq for seq, _ in seen.replies]
    verdict.misordered += int(numbers != sorted(numbers)) + seen.disorders


def recovery(hits: Sequence[float], people: Sequence[Seen]) -> tuple[float, float]:
    """Milliseconds that answers took because of hits: median and 99th percentile.

    Of every message that waited for its answer when something was hit, or was sent in the next AFTERMATH_SECONDS: from
    the hit, or from its sending if that was later, to the answer. A message that met several hits counts for each.
    """
    waits = [
        (answered - max(sent, hit)) * 1000
        for seen in people
        for sent, answered in zip(seen.sent_at, seen.answered_at, strict=False)
        for hit in hits
        if sent - AFTERMATH_SECONDS < hit < answered
    ]
    if not waits:
        return 0.0, 0.0
    ordered = sorted(waits)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
