"""Code that takes more than its share: it ends in time, says why in plain words, and leaves nothing behind."""

import asyncio
import io
import tarfile
import time
from typing import Any

import pytest

from services.engine.program.values import ProgramError
from services.engine.sandbox.layers import Layer
from services.engine.sandbox.port import MEGABYTE, Language, Limits
from tests.integration.engine_sandbox.attacks import DAEMON, NAMED
from tests.integration.engine_sandbox.world import FILTERS, SMALL, named, run
from tests.waiting import until

pytestmark = pytest.mark.integration
SHORT = Limits(seconds=1.0, cpu_seconds=30, memory_bytes=128 * MEGABYTE)
GUARDS: dict[str, frozenset[Layer] | None] = {"all": None, "filters": FILTERS}
FORKING: dict[str, frozenset[Layer] | None] = {"all": None, "orphans": frozenset({Layer.LIMITS})}
"""Of root without namespaces the filter lets no process be born: there orphans are shown without it."""


def limited(**changes: Any) -> Limits:
    """The usual bounds of these tests with some of them changed."""
    fields = {name: getattr(SMALL, name) for name in Limits.__slots__}
    return Limits(**(fields | changes))


@pytest.mark.parametrize("guards", GUARDS)
@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("while True: pass", "longer than 1 seconds"),
        ("import time\ntime.sleep(600)", "longer than 1 seconds"),
        ("import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)", "longer than"),
        ("import os, time\nos.closerange(0, 10)\ntime.sleep(600)", "longer than"),
    ],
)
async def test_time(code: str, words: str, guards: str) -> None:
    began = time.monotonic()
    outcome = await run(code, limits=SHORT, layers=GUARDS[guards])
    assert words in outcome.error
    assert time.monotonic() - began < 8


async def test_computing_time_of_all_processes_together() -> None:
    code = "import os\nfor _ in range(3): os.fork()\nwhile True: pass"
    outcome = await run(code, limits=limited(cpu_seconds=1))
    assert "computed for more than 1 seconds" in outcome.error


GREEDY_FAMILY = """
import os, time
for _ in range(20):
    if os.fork() == 0:
        x = b"x" * (40 << 20)
        time.sleep(60)
time.sleep(60)
"""


@pytest.mark.parametrize("guards", FORKING)
@pytest.mark.parametrize(
    "code",
    ["x = bytearray(1 << 30)", "x = []\nwhile True: x.append('x' * 1000000)", GREEDY_FAMILY],
    ids=["at once", "slowly", "in many processes"],
)
async def test_memory(code: str, guards: str) -> None:
    outcome = await run(code, layers=FORKING[guards])
    assert outcome.error == "the code needed more than 128 MB of memory"


async def test_memory_that_no_process_shows_is_refused() -> None:
    code = "import mmap\nx = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_SHARED)\nresult = True"
    assert not (await run(code)).result
    assert (await run(code, layers=frozenset({Layer.LIMITS}))).result is True
    assert not (await run("import os\nos.memfd_create('x')\nresult = True")).result


@pytest.mark.parametrize(
    "code",
    [
        "const x = []; for (;;) x.push('y'.repeat(1000) + x.length)",
        "const x = []; for (;;) x.push(Buffer.alloc(1 << 22, 1))",
    ],
    ids=["objects", "beside the objects"],
)
async def test_memory_of_javascript(code: str) -> None:
    outcome = await run(code, language=Language.JAVASCRIPT)
    assert outcome.error == "the code needed more than 128 MB of memory"


@pytest.mark.parametrize("guards", GUARDS)
async def test_processes(guards: str) -> None:
    code = NAMED + "call_me(input)\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
    name = f"bomb-{guards}"
    outcome = await run(code, name, limits=limited(seconds=3), layers=GUARDS[guards])
    assert outcome.error
    assert named(name) == []


async def test_threads() -> None:
    code = """
import threading
count = 0
try:
    while count < 5000:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        count += 1
except RuntimeError:
    pass
result = count
"""
    assert (await run(code)).result < SMALL.processes


async def test_open_files() -> None:
    code = "x = []\ntry:\n    for _ in range(5000): x.append(open('f', 'w'))\nexcept OSError: pass\nresult = len(x)"
    assert (await run(code)).result < SMALL.open_files


@pytest.mark.parametrize("code", ["while True: print('x' * 1000)", "import os\nwhile True: os.write(2, b'x' * 60000)"])
async def test_a_flood_of_output(code: str) -> None:
    outcome = await run(code)
    assert "of output" in outcome.error
    assert len(outcome.output) <= SMALL.output_bytes


async def test_much_output_is_cut() -> None:
    outcome = await run("print('x' * 100000)")
    assert (len(outcome.output), outcome.truncated, outcome.error) == (SMALL.output_bytes, True, "")


@pytest.mark.parametrize("guards", GUARDS)
@pytest.mark.parametrize(
    "code",
    [
        "with open('big', 'wb') as f:\n    for _ in range(100): f.write(b'x' * (1 << 20))",
        "import time\nfor n in range(100): open(f'big{n}', 'wb').write(b'x' * (1 << 20))\ntime.sleep(5)",
        "import time\nfor n in range(5000): open(f'small{n}', 'wb').close()\ntime.sleep(5)",
    ],
    ids=["one", "many", "countless"],
)
async def test_files(code: str, guards: str) -> None:
    outcome = await run(code, layers=GUARDS[guards])
    assert outcome.error
    assert sum(map(len, outcome.files.values())) <= SMALL.scratch_bytes


async def test_deep_recursion() -> None:
    endless = await run("import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(): f()\nf()")
    assert endless.error
    deep = await run("def f(): f()\nf()")
    assert "line 1: RecursionError" in deep.error
    crash = await run("import ctypes\nctypes.string_at(0)")
    assert crash.error == "the code crashed (SIGSEGV)"


@pytest.mark.parametrize("guards", FORKING)
async def test_a_daemon_dies_with_the_run(guards: str) -> None:
    name = f"daemon-{guards}"
    running = asyncio.create_task(run(DAEMON + "time.sleep(1)\nresult = 'done'", name, layers=FORKING[guards]))
    await until(lambda: bool(named(name)))
    outcome = await running
    assert (outcome.result, outcome.error) == ("done", "")
    assert named(name) == []


@pytest.mark.parametrize(
    "name",
    ["/etc/x", "../x", "a/../../x", "a//b", "", ".", "a/", "a\0b", "a\nb", "x" * 101, "a/b/c/d/e/f/g/h/i", "..\\x"],
)
async def test_names_of_files_lead_downwards(name: str) -> None:
    with pytest.raises(ProgramError, match="relative path"):
        await run("pass", files={name: b"x"})


async def test_files_in_and_out() -> None:
    code = """
import os
result = open("data/a.txt").read()
open("data/a.txt", "a").write("!")
os.makedirs("new/deep")
open("new/deep/b.bin", "wb").write(b"\\x00\\xff")
os.symlink("/etc/passwd", "link")
os.mkfifo("pipe")
os.symlink("/etc", "folder")
"""
    outcome = await run(code, files={"data/a.txt": b"hello", "same.txt": b"same"})
    assert outcome.result == "hello"
    assert outcome.files == {"data/a.txt": b"hello!", "new/deep/b.bin": b"\x00\xff"}
    assert outcome.files_left_out  # the pipe


async def test_an_archive_with_links_is_unpacked_to_nowhere() -> None:
    code = """
import io, tarfile
archive = tarfile.open(fileobj=io.BytesIO(open("a.tar", "rb").read()))
archive.extractall(".")
"""
    stored = io.BytesIO()
    with tarfile.open(fileobj=stored, mode="w") as archive:
        link = tarfile.TarInfo("way")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(link)
        archive.addfile(tarfile.TarInfo("way/planted"), io.BytesIO())
    outcome = await run(code, files={"a.tar": stored.getvalue()})
    assert outcome.error
    assert outcome.files == {}


async def test_too_much_to_bring_along() -> None:
    with pytest.raises(ProgramError, match="larger than a megabyte"):
        await run("#" * (MEGABYTE + 1))
    with pytest.raises(ProgramError, match="64 files"):
        await run("pass", files={f"f{n}": b"" for n in range(65)})
