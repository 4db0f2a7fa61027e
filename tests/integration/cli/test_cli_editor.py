"""The language server as an editor sees it: a process, JSON-RPC over its standard streams."""

import asyncio
import itertools
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cli.stack.layout import ROOT

pytestmark = pytest.mark.integration

SECONDS = 30
SOURCE = """' über 👋 all
INCLUDE "other.bas"
total = 0
FOR EACH price IN [1, 2]
  total = total + price
NEXT
CALL show(total)
again:
TALK "👋 ${total} and ${show}"
FIND "customers", "name=${total}"
IF total > 9 THEN GOTO again
x = #{total: 1}.total
SUB show(what)
  TALK "Total: ${what}"
END SUB
"""


class Editor:
    """Speaks the protocol; answers by number, notifications by method."""

    def __init__(self, process: asyncio.subprocess.Process, uri: str) -> None:
        self._process = process
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self.told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.uri = uri
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while True:
            length = 0
            while (line := await self._process.stdout.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            if not length:
                return
            message = json.loads(await self._process.stdout.readexactly(length))
            if "id" in message and "method" not in message:
                self._waiting.pop(message["id"]).set_result(message)
            else:
                self.told.put_nowait(message)

    def _send(self, **message: Any) -> None:
        assert self._process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(f"Content-Length: {len(body)}\r\n\r\n".encode() + body)

    async def ask(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        self._send(id=number, method=method, params=params)
        answer = await asyncio.wait_for(self._waiting[number], SECONDS)
        assert "error" not in answer, answer
        return answer["result"]

    def tell(self, method: str, **params: Any) -> None:
        self._send(method=method, params=params)

    async def hear(self, method: str) -> dict[str, Any]:
        async with asyncio.timeout(SECONDS):
            while True:
                message = await self.told.get()
                if message["method"] == method:
                    return message["params"]  # type: ignore[no-any-return]

    async def diagnostics(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.hear("textDocument/publishDiagnostics"))["diagnostics"]
        return found

    def at(self, text: str, skip: int = 0, shift: int = 0) -> dict[str, Any]:
        """The place of a text, in the units of the protocol."""
        offset = -1
        for _ in range(skip + 1):
            offset = SOURCE.index(text, offset + 1)
        offset += shift
        line = SOURCE.count("\n", 0, offset)
        before = SOURCE[SOURCE.rfind("\n", 0, offset) + 1 : offset]
        return {
            "textDocument": {"uri": self.uri},
            "position": {"line": line, "character": len(before.encode("utf-16-le")) // 2},
        }

    def change(self, text: str, version: int) -> None:
        changes = [{"text": text}]
        self.tell("textDocument/didChange", textDocument={"uri": self.uri, "version": version}, contentChanges=changes)

    async def close(self) -> int:
        await self.ask("shutdown")
        self.tell("exit")
        code = await asyncio.wait_for(self._process.wait(), SECONDS)
        self._reading.cancel()
        return code


@pytest.fixture
async def editor(tmp_path: Path) -> AsyncIterator[Editor]:
    folder = tmp_path / "shop.gbai" / "shop.gbdialog"
    folder.mkdir(parents=True)
    (folder / "other.bas").write_text("TABLE customers\n  id integer key\nEND TABLE\nSUB helped()\nEND SUB\n")
    script = folder / "start.bas"
    script.write_text(SOURCE)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "cli", "lsp", "--stdio"),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'build' / 'stubs'}"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    made = Editor(process, script.as_uri())
    try:
        answer = await made.ask("initialize", processId=None, rootUri=tmp_path.as_uri(), capabilities={})
        assert answer["serverInfo"]["name"] == "parley"
        made.tell("initialized")
        document = {"uri": made.uri, "languageId": "basic", "version": 1, "text": SOURCE}
        made.tell("textDocument/didOpen", textDocument=document)
        yield made
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_mistakes_are_marked_and_taken_back(editor: Editor) -> None:
    assert await editor.diagnostics() == []
    for version, text in enumerate(("TALK", "TALKK", 'TALKK "x"'), 2):
        editor.change(text, version)
    found = await editor.diagnostics()
    assert [(item["code"], item["severity"], item["range"]) for item in found] == [
        ("BAS125", 1, {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 5}})
    ]
    assert "did you mean TALK?" in found[0]["message"]
    editor.change('TALK "x"', 5)
    assert await editor.diagnostics() == []


async def test_what_fits_is_offered(editor: Editor) -> None:
    async def offered(line: str, version: int) -> dict[str, str]:
        editor.change(f"{SOURCE}{line}", version)
        where = {"line": SOURCE.count("\n"), "character": len(line)}
        found = await editor.ask("textDocument/completion", textDocument={"uri": editor.uri}, position=where)
        return {item["label"]: item["insertText"] for item in found["items"]}

    everything = await offered("", 2)
    assert everything["total"] == "total"
    assert everything["IF"].endswith("END IF")
    assert everything["LEN"] == "LEN(${1:of})" or everything["LEN"].startswith("LEN(${1:")
    assert any(label.startswith("SEND MAIL to, subject, body") for label in everything)
    assert "INTEGER" in await offered("HEAR age AS ", 3)
    assert "again" in await offered("GOTO ", 4)
    assert {"show", "other"} <= set(await offered("CALL ", 5))
    assert set(await offered('CALL "', 6)) == {"other", "start"}
    assert "customers" in await offered('r = FIND "', 7)


async def test_keywords_and_names_are_explained(editor: Editor) -> None:
    async def shown(text: str, skip: int = 0, shift: int = 1) -> str:
        found = await editor.ask("textDocument/hover", **editor.at(text, skip, shift))
        return str(found["contents"]["value"]) if found else ""

    assert (await shown("TALK")).startswith("### TALK")
    assert (await shown("EACH")).startswith("### FOR EACH")
    assert (await shown("total")) == "variable **total**, first set on line 3"
    assert (await shown("show")) == "subroutine **show(what)**, defined on line 13"
    assert await shown("[1") == ""


async def test_names_are_found_where_they_stand(editor: Editor) -> None:
    async def defined(text: str, skip: int = 0, shift: int = 1) -> tuple[str, int]:
        found = await editor.ask("textDocument/definition", **editor.at(text, skip, shift))
        return found["uri"].rpartition("/")[2], found["range"]["start"]["line"]

    assert await defined("show(total)") == ("start.bas", 12)
    assert await defined("again", skip=1) == ("start.bas", 7)
    assert await defined("${total}", shift=3) == ("start.bas", 2)
    assert await defined("other.bas") == ("other.bas", 0)
    places = await editor.ask("textDocument/references", **editor.at("total"), context={"includeDeclaration": True})
    assert [(item["range"]["start"]["line"], item["range"]["start"]["character"]) for item in places] == [
        *[(2, 0), (4, 2), (4, 10), (6, 10), (8, 11), (9, 26), (10, 3)]
    ]


async def test_a_name_is_changed_everywhere_or_nowhere(editor: Editor) -> None:
    edit = await editor.ask("textDocument/rename", **editor.at("total"), newName="amount")
    lines = SOURCE.split("\n")
    for item in reversed(edit["changes"][editor.uri]):
        begin, end = item["range"]["start"], item["range"]["end"]
        raw = lines[begin["line"]].encode("utf-16-le")
        raw = raw[: begin["character"] * 2] + item["newText"].encode("utf-16-le") + raw[end["character"] * 2 :]
        lines[begin["line"]] = raw.decode("utf-16-le")
    assert "\n".join(lines) == SOURCE.replace("total", "amount").replace("#{amount: 1}.amount", "#{total: 1}.total")
    for name in ("price", "TALK", "1x"):
        assert await editor.ask("textDocument/rename", **editor.at("total"), newName=name) is None
        assert (await editor.hear("window/showMessage"))["message"]


async def test_the_outline_lists_what_has_a_name(editor: Editor) -> None:
    found = await editor.ask("textDocument/documentSymbol", textDocument={"uri": editor.uri})
    shown = [(item["name"], item["range"]["start"]["line"], item["range"]["end"]["line"]) for item in found]
    assert shown == [("again", 7, 7), ("show", 12, 14)]


async def test_the_text_is_formatted(editor: Editor) -> None:
    editor.change("if a then\ntalk 1\nend if", 2)
    options = {"tabSize": 2, "insertSpaces": True}
    edits = await editor.ask("textDocument/formatting", textDocument={"uri": editor.uri}, options=options)
    assert [item["newText"] for item in edits] == ["IF a THEN\n  TALK 1\nEND IF\n"]
    editor.change("if a then", 3)
    assert await editor.ask("textDocument/formatting", textDocument={"uri": editor.uri}, options=options) is None
    assert "not formatted" in (await editor.hear("window/showMessage"))["message"]


async def test_the_server_goes_when_it_is_told(editor: Editor) -> None:
    assert await editor.close() == 0
