"""What a bot has in its drive, with real PostgreSQL and a real store."""

import asyncio
import contextlib
import uuid
from dataclasses import replace

import pytest
from parley.drive.v1 import file_service_pb2 as pb

from services.common.errors import ParleyError, Unavailable
from services.engine.files import drive as module
from services.engine.files.drive import LARGEST_FILE, LARGEST_PART, DriveFiles
from services.engine.program.values import ProgramError
from tests.integration.drive.conftest import another
from tests.integration.engine_files.conftest import Bot
from tests.unit.engine.files.hostile import ELSEWHERE

pytestmark = pytest.mark.integration
MANY = bytes(range(256)) * (LARGEST_PART // 256 * 2 + 7)


async def test_what_is_written_is_read(bot: Bot) -> None:
    uri = await bot.files.write(bot.next(), "reports/a.txt", b"hello")
    assert await bot.files.read(bot.next(), "reports/a.txt") == b"hello"
    assert await bot.files.uri(bot.next(), "reports/a.txt") == uri
    found = await bot.files.find(bot.next(), "reports/a.txt")
    assert (found.path, found.name, found.size, found.content_type) == ("reports/a.txt", "a.txt", 5, "text/plain")
    await bot.files.write(bot.next(), "reports/a.txt", b"new")
    assert await bot.files.read(bot.next(), "reports/a.txt") == b"new"
    with bot.drive.acting():
        assert await bot.drive.paths() == ["bots/support/reports/a.txt"]


async def test_all_people_and_no_other_bot_have_the_drive(bot: Bot) -> None:
    await bot.files.write(bot.next(), "a.txt", b"its")
    assert await bot.files.read(bot.next(user="visitors/bob"), "a.txt") == b"its"
    for other in (bot.next(bot="bots/other"), bot.next(tenant=str(uuid.uuid4())), bot.next(bot="bots/suppor")):
        assert not await bot.files.exists(other, "a.txt")
        with pytest.raises(ProgramError, match=r"there is no file 'a\.txt'"):
            await bot.files.read(other, "a.txt")


async def test_a_file_of_a_person_is_not_taken_for_one_of_the_bots(bot: Bot) -> None:
    with bot.drive.acting("eve", "admin"):
        await bot.drive.put("bots/support/prices.csv", b"forged")
    assert not await bot.files.exists(bot.next(), "prices.csv")
    assert await bot.files.list(bot.next(), "") == []


async def test_what_the_person_sent_is_read_and_of_nobody_else(bot: Bot) -> None:
    sent = await bot.drive.upload("photo.png", b"png")
    assert await bot.files.read(bot.next(), sent.uri) == b"png"
    assert (await bot.files.find(bot.next(), sent.uri)).name == "photo.png"
    for other in (bot.next(user="visitors/bob"), bot.next(tenant=str(uuid.uuid4()))):
        with pytest.raises(ProgramError, match="there is no file"):
            await bot.files.read(other, sent.uri)
    for change in (bot.files.write(bot.next(), sent.uri, b"x"), bot.files.move(bot.next(), sent.uri, "a.txt")):
        with pytest.raises(ProgramError, match="cannot be changed"):
            await change
    await bot.files.copy(bot.next(), sent.uri, "photos/ann.png")
    assert await bot.files.read(bot.next(), "photos/ann.png") == b"png"


async def test_large_files_are_written_in_parts_and_leave_none(bot: Bot) -> None:
    assert len(MANY) > 2 * LARGEST_PART
    world = bot.next()
    for _ in range(2):
        await bot.files.write(world, "big.bin", MANY)
    assert await bot.files.read(bot.next(), "big.bin") == MANY
    with bot.drive.acting():
        assert await bot.drive.paths() == ["bots/support/big.bin"]


async def test_an_effect_that_is_done_again_appends_once(bot: Bot) -> None:
    await bot.files.write(bot.next(), "log.txt", b"a\n")
    world = bot.next()
    for _ in range(3):
        await bot.files.write(world, "log.txt", b"b\n", append=True)
    assert await bot.files.read(bot.next(), "log.txt") == b"a\nb\n"
    large = bot.next()
    for _ in range(2):
        await bot.files.write(large, "log.txt", MANY, append=True)
    assert await bot.files.read(bot.next(), "log.txt") == b"a\nb\n" + MANY


async def test_many_who_append_at_once_lose_nothing(bot: Bot) -> None:
    lines = [f"{number}\n".encode() for number in range(5)]
    await asyncio.gather(*(bot.files.write(bot.next(), "log.txt", line, append=True) for line in lines))
    assert sorted((await bot.files.read(bot.next(), "log.txt")).splitlines(keepends=True)) == lines


async def test_without_the_condition_they_would_lose_something(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    put = module.DriveFiles._put

    async def careless(self: module.DriveFiles, *arguments: object) -> pb.File:
        return await put(self, *arguments[:-1], None)  # type: ignore[arg-type]

    monkeypatch.setattr(module.DriveFiles, "_put", careless)
    lines = [f"{number}\n".encode() for number in range(8)]
    await asyncio.gather(*(bot.files.write(bot.next(), "log.txt", line, append=True) for line in lines))
    assert len((await bot.files.read(bot.next(), "log.txt")).splitlines()) < len(lines)


async def test_a_move_done_again_is_done_once(bot: Bot) -> None:
    await bot.files.write(bot.next(), "a.txt", b"a")
    world = bot.next()
    assert await bot.files.move(world, "a.txt", "b/c.txt") == await bot.files.move(world, "a.txt", "b/c.txt")
    assert not await bot.files.exists(bot.next(), "a.txt")
    assert await bot.files.read(bot.next(), "b/c.txt") == b"a"
    with pytest.raises(ProgramError, match=r"no file 'a\.txt'"):
        await bot.files.move(bot.next(), "a.txt", "b/c.txt")


async def test_delete_and_copy(bot: Bot) -> None:
    await bot.files.write(bot.next(), "a.txt", b"a")
    await bot.files.copy(bot.next(), "a.txt", "b.txt")
    for _ in range(2):
        await bot.files.delete(bot.next(), "a.txt")
    assert [entry.path for entry in await bot.files.list(bot.next(), "")] == ["b.txt"]


async def test_lists_by_folder_and_pattern(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    for path in ("a.csv", "b.txt", "c/d.CSV", "c/e/f.csv", "cc/g.csv"):
        await bot.files.write(bot.next(), path, b"x")

    async def paths(folder: str, pattern: str = "", *, recursive: bool = False) -> list[str]:
        return [entry.path for entry in await bot.files.list(bot.next(), folder, pattern, recursive=recursive)]

    assert await paths("") == ["a.csv", "b.txt"]
    assert await paths("c/") == ["c/d.CSV"]
    assert await paths("c", recursive=True) == ["c/d.CSV", "c/e/f.csv"]
    assert await paths("/", "*.csv", recursive=True) == ["a.csv", "c/d.CSV", "c/e/f.csv", "cc/g.csv"]
    assert await paths("nowhere") == []
    monkeypatch.setattr(module, "LARGEST_LISTING", 2)
    with pytest.raises(ProgramError, match="more than 2 files"):
        await paths("", recursive=True)


async def test_a_secure_link_gives_the_bytes(bot: Bot) -> None:
    await bot.files.write(bot.next(), "a.txt", b"a")
    link = await bot.files.link(bot.next(), "a.txt", 3 * 86_400)
    assert (await bot.drive.http.get(link)).content == b"a"
    assert "X-Amz-Expires=259200" in link
    with pytest.raises(ProgramError, match="7 days"):
        await bot.files.link(bot.next(), "a.txt", 8 * 86_400)


async def test_what_is_given_belongs_to_the_person(bot: Bot) -> None:
    await bot.files.write(bot.next(), "a.txt", b"a")
    world = bot.next()
    given = await bot.files.give(world, "a.txt")
    assert await bot.files.give(world, "a.txt") == given
    assert (given.name, given.size, given.content_type) == ("a.txt", 1, "text/plain")
    assert (await bot.drive.stub.GetFile(pb.GetFileRequest(name=given.uri))).owner == "visitors/ann"
    await bot.files.write(bot.next(), "a.txt", b"later")
    with bot.drive.acting():
        assert await bot.drive.read(pb.File(name=given.uri)) == b"a", "what was sent stays as it was"
    with bot.drive.acting("bob", "user"), pytest.raises(ParleyError):
        await bot.drive.get(pb.File(name=given.uri))


@pytest.mark.parametrize("path", ELSEWHERE)
async def test_no_path_leads_elsewhere(bot: Bot, path: str) -> None:
    world, files = bot.next(), bot.files
    calls = [
        files.read(world, path),
        files.write(world, path, b"x"),
        files.write(world, path, b"x", append=True),
        files.copy(world, "a.txt", path),
        files.copy(world, path, "a.txt"),
        files.move(world, "a.txt", path),
        files.move(world, path, "a.txt"),
        files.delete(world, path),
        files.exists(world, path),
        files.find(world, path),
        files.link(world, path, 60),
        files.give(world, path),
        files.list(world, path),
    ]
    for call in calls:
        with pytest.raises(ProgramError):
            await call
    with bot.drive.acting():
        assert await bot.drive.paths() == []


@pytest.mark.parametrize("content", [b"", b"x" * (LARGEST_FILE + 1)])
async def test_nothing_and_too_much_are_told(bot: Bot, content: bytes) -> None:
    with pytest.raises(ProgramError):
        await bot.files.write(bot.next(), "a.txt", content)


async def test_a_full_tenant_is_told(bot: Bot) -> None:
    async with another(bot.drive, drive_tenant_bytes=10) as small:
        with pytest.raises(ProgramError, match="delete some"):
            await DriveFiles(small.caller.mesh).write(bot.next(), "a.txt", b"x" * 11)


async def test_what_is_tried_again_after_the_store_died_is_done_once(bot: Bot) -> None:
    await bot.files.write(bot.next(), "log.txt", b"a\n")
    world = bot.next()
    bot.drive.store.kill()
    try:
        with pytest.raises(Unavailable):
            await bot.files.write(world, "log.txt", b"b\n", append=True)
    finally:
        await bot.drive.bring_back()
    for _ in range(2):
        await bot.files.write(world, "log.txt", b"b\n", append=True)
    assert await bot.files.read(bot.next(), "log.txt") == b"a\nb\n"


async def test_an_answer_that_was_lost_is_no_second_line(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine dies between the drive's commit and its own journal."""
    world, put = bot.next(), module.DriveFiles._put

    async def lost(self: module.DriveFiles, *arguments: object) -> pb.File:
        await put(self, *arguments)  # type: ignore[arg-type]
        raise Unavailable("the engine died")

    with monkeypatch.context() as patch, contextlib.suppress(Unavailable):
        patch.setattr(module.DriveFiles, "_put", lost)
        await bot.files.write(world, "log.txt", b"a\n", append=True)
    await bot.files.write(replace(world), "log.txt", b"a\n", append=True)
    assert await bot.files.read(bot.next(), "log.txt") == b"a\n"
