"""The processes in which documents are worked on."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.engine.files import working
from services.engine.files.child import answer, pack, unpack
from services.engine.files.documents import archives, converting, images, texts
from services.engine.files.working import Workshop
from services.engine.program.values import ProgramError
from tests.waiting import until

pytestmark = pytest.mark.integration


@pytest.fixture
async def workshop() -> AsyncIterator[Workshop]:
    made = Workshop()
    yield made
    await made.close()


def free(workshop: Workshop) -> int:
    """The number of the process that waits for work."""
    return workshop._free[-1].pid


def alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists()


def environment_of(process: int) -> bytes:
    return Path(f"/proc/{process}/environ").read_bytes()


async def test_values_and_bytes_go_there_and_back(workshop: Workshop) -> None:
    assert await workshop.run(texts.decoded, b"abc") == "abc"
    assert await workshop.run(archives.extract, archives.compress(["a", "b"], [b"1", b"\x00"])) == [
        ["a", b"1"],
        ["b", b"\x00"],
    ]
    value = {"$bytes": 0, "a": [1, None, {"b": b"x"}], "": b""}
    assert unpack(pack(value)) == value


async def test_what_a_document_lacks_is_told_in_its_own_words(workshop: Workshop) -> None:
    with pytest.raises(ProgramError, match="no ZIP archive"):
        await workshop.run(archives.extract, b"junk")
    first = free(workshop)
    with pytest.raises(ProgramError, match="damaged, or of another kind"):
        await workshop.run(converting.convert, 5, "md", "html")
    assert free(workshop) == first, "it goes on"


async def test_too_long_ends_the_process_and_not_the_next_work(workshop: Workshop) -> None:
    await workshop.run(texts.decoded, b"abc")
    process = free(workshop)
    workshop._seconds = 0.05
    os.kill(process, signal.SIGSTOP)
    with pytest.raises(ProgramError, match="took longer"):
        await workshop.run(texts.decoded, b"abc")
    assert not alive(process)
    workshop._seconds = 30
    assert await workshop.run(texts.decoded, b"abc") == "abc"


async def test_a_process_that_died_is_replaced(workshop: Workshop) -> None:
    await workshop.run(texts.decoded, b"abc")
    waiting = workshop._free[-1]
    os.kill(waiting.pid, signal.SIGKILL)
    await waiting.wait()
    assert await workshop.run(texts.decoded, b"abc") == "abc"


async def test_a_process_that_dies_at_work_is_told(workshop: Workshop) -> None:
    await workshop.run(texts.decoded, b"abc")
    process = free(workshop)
    os.kill(process, signal.SIGSTOP)
    work = asyncio.create_task(workshop.run(texts.decoded, b"abc"))
    await until(lambda: not workshop._free)
    os.kill(process, signal.SIGKILL)
    with pytest.raises(ProgramError, match="damaged, or needs too much memory"):
        await work


async def test_work_that_is_given_up_leaves_no_process(workshop: Workshop) -> None:
    await workshop.run(texts.decoded, b"abc")
    process = free(workshop)
    os.kill(process, signal.SIGSTOP)
    work = asyncio.create_task(workshop.run(texts.decoded, b"abc"))
    await until(lambda: not workshop._free)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert not alive(process)


async def test_memory_has_a_bound() -> None:
    script = "from services.engine.files.child import limit; limit(); bytearray(3 * 1024**3)"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stderr=asyncio.subprocess.PIPE)
    _, error = await process.communicate()
    assert b"MemoryError" in error


def test_too_much_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def greedy(_: bytes) -> str:
        raise MemoryError

    monkeypatch.setattr(texts, "decoded", greedy)
    assert answer(["services.engine.files.documents.texts", "decoded", [b""]]) == {
        "error": "the document needs too much memory"
    }


async def test_it_has_no_secrets(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_POSTGRES_DSN", "secret")
    await workshop.run(texts.decoded, b"abc")
    assert b"secret" not in environment_of(free(workshop))


async def test_only_documents_are_worked_on(workshop: Workshop) -> None:
    with pytest.raises(ProgramError, match="no such work"):
        await workshop.run(os.getcwd)


async def test_processes_are_few_and_those_who_wait_too(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    await asyncio.gather(*(workshop.run(images.qr_code, str(number)) for number in range(6)))
    assert len(workshop._free) <= working.AT_ONCE
    monkeypatch.setattr(working, "MOST_WAITING", 0)
    with pytest.raises(ProgramError, match="too many documents"):
        await workshop.run(texts.decoded, b"abc")


async def test_a_process_does_not_live_for_ever(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "WORKS_OF_A_PROCESS", 2)
    await workshop.run(texts.decoded, b"abc")
    first = free(workshop)
    await workshop.run(texts.decoded, b"abc")
    assert not workshop._free
    await workshop.run(texts.decoded, b"abc")
    assert free(workshop) != first
