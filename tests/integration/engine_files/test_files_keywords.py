"""Keywords of files, from the script to the store and back."""

import io
import json
from collections.abc import AsyncIterator

import pytest
from parley.drive.v1 import file_service_pb2 as pb
from PIL import Image
from pypdf import PdfReader

from services.engine.files.documents import images, pages
from services.engine.files.working import Workshop
from services.engine.machine import machine as m
from services.engine.program.values import Value
from services.engine.web.port import Page, Request, Web
from tests.integration.engine_files.conftest import Bot
from tests.integration.engine_files.playing import Player
from tests.unit.engine.files.hostile import ELSEWHERE, archive

pytestmark = pytest.mark.integration


@pytest.fixture(scope="session")
async def workshop() -> AsyncIterator[Workshop]:
    made = Workshop()
    yield made
    await made.close()


@pytest.fixture(params=[1, 2], ids=["once", "again"])
def player(bot: Bot, workshop: Workshop, request: pytest.FixtureRequest) -> Player:
    """Every effect is done once, or twice with one key as after a crash: nothing else may differ."""
    return Player(bot, workshop, request.param)


async def said(player: Player, source: str) -> list[str]:
    heard = await player.play(source)
    assert isinstance(heard.outcome, m.Ended), heard.outcome
    return heard.texts


TALKS = [
    ('WRITE "a.txt", "héllo"\nTALK READ "a.txt"', ["héllo"]),
    ('WRITE "one" TO "a.txt"\nWRITE "two" TO "a.txt"\nTALK READ "a.txt"', ["two"]),
    (('WRITE "one" TO "a.txt" AS LINES\nWRITE ["2", 3] TO "a.txt" AS LINES APPEND\nx = READ "a.txt" AS LINES\n'
     "TALK UBOUND(x) + x[2]"), ["33"]),
    ('WRITE "x" TO "a.txt" APPEND\nWRITE "y" TO "a.txt" APPEND\nTALK READ "a.txt"', ["xy"]),
    (('WRITE [{name: "Чай", price: 3}] TO "p.csv"\nWRITE {name: "=1+1", price: 4} TO "p.csv" AS TABLE APPEND\n'
     'p = READ "p.csv" AS TABLE\nTALK p[0].name + p[1].name + VAL(p[0].price)'), ["Чай=1+13"]),
    (('WRITE [{a: 1}] TO "p.xlsx"\nWRITE [{a: 2, b: "x"}] TO "p.xlsx" AS TABLE APPEND\np = READ "p.xlsx" AS TABLE\n'
     "TALK p[0].a + p[1].a + p[1].b"), ["3x"]),
    ('WRITE {a: [1, 2]} TO "o.json"\no = READ "o.json" AS TABLE\nTALK o[0].a', ["1, 2"]),
    (('WRITE "a" TO "x/a.txt"\nCOPY "x/a.txt" TO "y/"\nMOVE "x/a.txt", "z/b.txt"\n'
     'FOR EACH f IN LIST "/" RECURSIVE\nTALK f\nNEXT'), ["y/a.txt", "z/b.txt"]),
    ('WRITE "a" TO "a.txt"\nDELETE FILE "a.txt"\nDELETE FILE "a.txt"\nTALK UBOUND(LIST "/")', ["0"]),
    (('WRITE "a" TO "r/a.txt"\nWRITE "b" TO "r/s/b.pdf"\nx = LIST "r" FILTER "*.PDF" RECURSIVE\nTALK x[0].name\n'
     'TALK x[0].size\nx = DIR "r/*.txt"\nTALK x.path'), ["b.pdf", "1", "r/a.txt"]),
    (('WRITE "a" TO "r/a.txt"\nWRITE "b" TO "r/s/b.txt"\nCOMPRESS "r", "r.zip"\nx = EXTRACT "r.zip" TO "out"\nTALK x\n'
     'TALK READ "out/s/b.txt"'), ["out/a.txt, out/s/b.txt", "b"]),
    ('WRITE "a" TO "r/a.txt"\nz = COMPRESS LIST "r", "r.zip"\nTALK z\nTALK EXTRACT z', ["r.zip", "r/a.txt"]),
    (('WRITE "# {{title}} {{#rows}}{{n}} {{/rows}}" TO "t.md"\np = GENERATE PDF "t.md", {title: "Счёт", rows: [{n: 1}, '
     '{n: 2}]}, "o/p.pdf"\nTALK p\nTALK READ p'), ["o/p.pdf", "Счёт 1 2"]),
    ('p = GENERATE PDF "o.pdf" WITH TEMPLATE "# Hi {{n}}" DATA {n: "<b>"}\nTALK READ p', ["Hi <b>"]),
    (('a = GENERATE PDF "<p>one</p>", {}, "a.pdf"\nb = GENERATE PDF "<p>two</p>", {}, "b.pdf"\n'
     'TALK READ (MERGE PDF [a, b], "c.pdf")'), ["one\n\ntwo"]),
    ('WRITE "n;p\nTea;3" TO "a.csv"\nTALK CONVERT "a.csv" TO "b.xlsx"\np = READ "b.xlsx" AS TABLE\nTALK p[0].n',
     ["b.xlsx", "Tea"]),
    ('WRITE "# Hi" TO "x/a.md"\nTALK CONVERT "x/a.md" TO pdf\nTALK READ "x/a.pdf"', ["x/a.pdf", "Hi"]),
    ('c = QR CODE "https://example.com/7"\nTALK SCAN BARCODE c', ["https://example.com/7"]),
    ('c = QR CODE "x", "q.png"\nTALK c\nc = QR CODE "x", 400, "r.png"\nTALK c', ["q.png", "r.png"]),
    ('r = PARSE_CSV "n;p\\nTea;3"\nTALK r[0].n', ["Tea"]),
    ('CARD "", "Hi", "dark", 2 TO v\nTALK UBOUND(v)', ["2"]),
    ('TRY\nx = READ "no.txt"\nCATCH e\nTALK e\nEND TRY', ["there is no file 'no.txt' in the bot's drive"]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "texts"), TALKS)
async def test_scripts(player: Player, source: str, texts: list[str]) -> None:
    assert await said(player, source.replace('\nTea;3" TO', '\\nTea;3" TO')) == texts


async def test_a_pdf_has_pictures_of_the_drive(player: Player) -> None:
    await player.bot.files.write(player.bot.next(), "logo.png", images.qr_code("x"))
    await said(
        player,
        'GENERATE PDF "![l](logo.png) ![m](../x.png) ![n](http://127.0.0.1/x.png)\n", {}, "a.pdf"'.replace(
            ")\n", ")\\n"
        ),
    )
    content = await player.bot.files.read(player.bot.next(), "a.pdf")
    assert len(PdfReader(io.BytesIO(content)).pages[0].images) == 1


async def test_a_file_is_sent_as_it_was_and_to_the_person(player: Player) -> None:
    heard = await player.play(
        'WRITE "a" TO "r/menu.txt"\nSEND FILE "r/menu.txt", "Our menu"\nWRITE "b" TO "r/menu.txt"'
    )
    [say] = heard.says
    assert say.text == "Our menu"
    [attachment] = say.attachments
    assert (attachment["name"], attachment["content_type"]) == ("menu.txt", "text/plain")
    with player.bot.drive.acting():
        assert await player.bot.drive.read(pb.File(name=attachment["uri"])) == b"a"
        owner = (await player.bot.drive.get(pb.File(name=attachment["uri"]))).owner
        assert owner == "visitors/ann"
        received = [path for path in await player.bot.drive.paths() if path.startswith("received/")]
        assert len(received) == 1, "also when it was done again"


async def test_several_files_and_those_of_the_web(player: Player) -> None:
    heard = await player.play(
        'c = CHART "pie", {a: 1, b: 2}, "Shares"\nSEND FILE [c, "https://example.com/a/b.pdf?x=1"], "Two"\n'
        'SEND FILE TO "visitors/ann", c\nPLAY "https://example.com/v.mp4"'
    )
    assert heard.texts == ["Two", "", "", ""]
    assert [say.attachments[0]["name"] for say in heard.says][1::2] == ["b.pdf", "v.mp4"]
    assert heard.says[1].attachments[0]["uri"] == "https://example.com/a/b.pdf?x=1"


async def test_what_the_person_sent_is_kept(player: Player) -> None:
    sent = await player.bot.drive.upload("photo.png", images.qr_code("hi"))
    answer = m.Input("", attachments=({"name": "photo.png", "uri": sent.uri, "content_type": "image/png"},))
    heard = await player.play(
        'HEAR f AS IMAGE\nTALK SCAN BARCODE f\nTALK UPLOAD f TO "photos" AS "ann.png"\nTALK UPLOAD f, "b/"\n'
        'TALK UPLOAD f\nTALK CONVERT f TO "jpg"',
        [answer],
    )
    assert heard.texts == ["hi", "photos/ann.png", "b/photo.png", "uploads/photo.png", "photo.jpg"]
    assert Image.open(io.BytesIO(await player.bot.files.read(player.bot.next(), "photo.jpg"))).format == "JPEG"


async def test_a_secure_link_works(player: Player) -> None:
    [link] = await said(player, 'WRITE "a" TO "a.txt"\nTALK GENERATE SECURE LINK "a.txt" EXPIRES 2 HOURS')
    assert "X-Amz-Expires=7200" in link
    assert (await player.bot.drive.http.get(link)).content == b"a"
    [link] = await said(player, 'p = DOWNLOAD "a.txt" AS LINK\nTALK p')
    assert (await player.bot.drive.http.get(link)).content == b"a"
    heard = await player.play('TALK GENERATE SECURE LINK "a.txt" EXPIRES 30 DAYS')
    assert "7 days" in heard.error


async def test_a_download_of_the_drive_is_a_message(player: Player) -> None:
    heard = await player.play('WRITE "a" TO "a.txt"\nDOWNLOAD "a.txt" AS "menu.txt"')
    assert heard.says[0].attachments[0]["name"] == "menu.txt"


class OnePage:
    """The web as the port promises it; what the client of the installation does is tested in its own room."""

    def __init__(self, status: int = 200) -> None:
        self._status = status

    async def fetch(self, world: object, request: Request) -> Page:
        return Page(self._status, {"content-type": "text/csv; charset=utf-8"}, b"a,b\n1,2\n", request.url)

    async def ask(self, world: object, request: Request) -> Value:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ('"https://e.com/x/prices%20now.csv?y=1", "in/p.csv"', "in/p.csv"),
        ('"https://e.com/x/prices%20now.csv?y=1" TO "in"', "in/prices now.csv"),
        ('"https://e.com/prices.csv"', "downloads/prices.csv"),
        ('"https://e.com/" AS "p.csv"', "downloads/p.csv"),
    ],
)
async def test_a_file_of_the_web_is_fetched(player: Player, source: str, path: str) -> None:
    player.ports[Web] = OnePage()
    assert await said(player, f"p = DOWNLOAD {source}\nTALK p\nt = READ p AS TABLE\nTALK t[0].b") == [path, "2"]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("https://e.com/..%2f..%2fetc", "is no path"),
        ("https://e.com/a%00b", "is no path"),
    ],
)
async def test_a_name_of_the_web_leads_nowhere_else(player: Player, address: str, why: str) -> None:
    player.ports[Web] = OnePage()
    heard = await player.play(f'DOWNLOAD "{address}"')
    with player.bot.drive.acting():
        paths = await player.bot.drive.paths()
    assert why in heard.error if isinstance(heard.outcome, m.Failed) else paths == ["bots/support/downloads/etc"]


async def test_what_the_web_refuses_is_told(player: Player) -> None:
    player.ports[Web] = OnePage(404)
    assert "status 404" in (await player.play('DOWNLOAD "https://e.com/a.txt"')).error
    player.ports.clear()
    assert "not available on this installation: DOWNLOAD" in (await player.play('DOWNLOAD "https://e.com/a.txt"')).error


PATH_KEYWORDS = [
    "x = READ {p}", 'WRITE {p}, "x"', 'WRITE "x" TO {p} APPEND', "WRITE [{{a: 1}}] TO {p} AS TABLE APPEND",
    'COPY {p}, "b.txt"', 'COPY "a.txt", {p}', 'MOVE {p} TO "b.txt"', 'MOVE "a.txt" TO {p}', "DELETE FILE {p}",
    "x = LIST {p}",
    "x = LIST {p} RECURSIVE", 'COMPRESS [{p}], "z.zip"', 'COMPRESS {p}, "z.zip"', 'COMPRESS ["a.txt"], {p}',
    'EXTRACT {p}, "d"', 'EXTRACT "z.zip", {p}', 'UPLOAD {p}, "d"', 'UPLOAD "a.txt", {p}',
    'UPLOAD "a.txt" TO "d" AS {p}',
    'GENERATE PDF {p}, {{}}, "o.pdf"', 'GENERATE PDF "<p>x</p>", {{}}, {p}', 'MERGE PDF [{p}], "o.pdf"',
    'MERGE PDF ["a.pdf"], {p}', 'CONVERT {p} TO "b.pdf"', 'CONVERT "a.md" TO {p}', 'QR CODE "d", 300, {p}',
    "x = SCAN BARCODE {p}", 'CARD {p}, "hi" TO v', "SEND FILE {p}", "PLAY {p}", "x = GENERATE SECURE LINK {p}",
    "DOWNLOAD {p}", 'DOWNLOAD "https://e.com/a.txt", {p}', 'DOWNLOAD "a.txt" AS {p}',
]  # fmt: skip
WEB_ADDRESS = "http://example.com/a"


@pytest.mark.parametrize("source", PATH_KEYWORDS)
async def test_no_keyword_leads_out_of_the_drive(bot: Bot, workshop: Workshop, source: str) -> None:
    """Each hostile path through each place where a keyword takes one: an error, and nothing changes anywhere."""
    files = {"a.txt": b"a", "a.md": b"# a", "a.pdf": pages.pdf_of_html("<p>a</p>"), "z.zip": archive(("a.txt", b"a"))}
    for path, content in files.items():
        await bot.files.write(bot.next(), path, content)
    player = Player(bot, workshop)
    player.ports[Web] = OnePage()
    for path in ELSEWHERE:
        if path == WEB_ADDRESS or (path == "a\nb.txt" and "PDF {p}," in source):
            continue  # SEND FILE and DOWNLOAD take addresses; text of several lines is itself a template
        heard = await player.play(f"p = given\n{source.format(p='p')}", variables={"given": path})
        assert isinstance(heard.outcome, m.Failed), (source, path, heard)
        assert "is no path in the bot's drive" in heard.error, (path, heard.error)
    with bot.drive.acting():
        assert await bot.drive.paths() == sorted(f"bots/support/{path}" for path in files)


@pytest.mark.parametrize("path", [path for path in ELSEWHERE if "\x00" not in path])
async def test_no_archive_leads_out_of_its_folder(bot: Bot, workshop: Workshop, path: str) -> None:
    await bot.files.write(bot.next(), "z.zip", archive(("good.txt", b"x"), (path, b"x")))
    heard = await Player(bot, workshop).play('EXTRACT "z.zip", "out"')
    assert isinstance(heard.outcome, m.Failed)
    with bot.drive.acting():
        assert await bot.drive.paths() == ["bots/support/z.zip"], "also the good ones stay in it"


async def test_a_bomb_is_refused_and_the_next_goes_on(bot: Bot, workshop: Workshop) -> None:
    await bot.files.write(bot.next(), "z.zip", archive(("zeros", bytes(30 * 1024**2))))
    player = Player(bot, workshop)
    for source in ('EXTRACT "z.zip"', 'COPY "z.zip", "z.xlsx"\nx = READ "z.xlsx" AS TABLE'):
        assert "grows more than" in (await player.play(source)).error
    assert await said(player, 'WRITE "x" TO "a.txt"\nTALK READ "a.txt"') == ["x"]


async def test_json_of_a_result_is_plain(player: Player) -> None:
    [text] = await said(player, 'c = QR CODE "x", "q.png"\nTALK TOJSON(c)')
    assert {"path", "url", "uri", "name"} <= json.loads(text).keys()
