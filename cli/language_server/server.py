"""Requests of editors, answered from the compiler, the registry and the outline of a text."""

import asyncio
import re
from importlib.metadata import version

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from cli.language_server.documents import (
    Documents,
    column_of,
    diagnostics,
    extent,
    position,
    siblings,
    tables_around,
)
from services.engine.basic import manual
from services.engine.basic.completing import completions
from services.engine.basic.formatting import CannotFormat, format_source
from services.engine.basic.including import stem
from services.engine.basic.outline import LABEL, SUB, TABLE, VARIABLE, CannotRename, Outline, renamed
from services.engine.keywords.keyword import Keyword

DEBOUNCE_SECONDS = 0.25
LONGEST_KEYWORD = 4
SCRIPT_NAMED = re.compile(r'(?:CALL|INCLUDE|(?:USE|ADD)\s+TOOL)\s+"([^"]*)"', re.IGNORECASE)
KINDS = {
    "keyword": types.CompletionItemKind.Keyword,
    "function": types.CompletionItemKind.Function,
    "variable": types.CompletionItemKind.Variable,
    "subroutine": types.CompletionItemKind.Method,
    "label": types.CompletionItemKind.Reference,
    "type": types.CompletionItemKind.TypeParameter,
    "table": types.CompletionItemKind.Struct,
    "script": types.CompletionItemKind.File,
}
SYMBOLS = {SUB: types.SymbolKind.Function, LABEL: types.SymbolKind.Key, TABLE: types.SymbolKind.Struct}


class ScriptServer(LanguageServer):
    """One editor."""

    def __init__(self) -> None:
        super().__init__("parley", version("pygls"), text_document_sync_kind=types.TextDocumentSyncKind.Incremental)
        self.documents = Documents()
        self.checks: dict[str, asyncio.Task[None]] = {}

    def text(self, uri: str) -> str:
        """The text of an open document."""
        return self.workspace.get_text_document(uri).source.replace("\r\n", "\n")

    def opened(self, uri: str) -> Outline:
        """Its names."""
        return self.documents.outline(uri, self.text(uri))

    def place(self, uri: str, at: types.Position) -> tuple[Outline, int, int]:
        """A text with a place in it, as the compiler counts."""
        made = self.opened(uri)
        line = made.lines[at.line] if at.line < len(made.lines) else ""
        return made, at.line + 1, column_of(line, at.character)

    def check(self, uri: str) -> None:
        """Say what is wrong now."""
        found = list(diagnostics(uri, self.text(uri)))
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found))

    def check_soon(self, uri: str) -> None:
        """Say what is wrong when nobody types any more."""

        async def later() -> None:
            await asyncio.sleep(DEBOUNCE_SECONDS)
            self.check(uri)

        self.drop(uri)
        self.checks[uri] = asyncio.get_running_loop().create_task(later())

    def drop(self, uri: str) -> None:
        """A check that is not needed any more."""
        waiting = self.checks.pop(uri, None)
        if waiting is not None:
            waiting.cancel()


server = ScriptServer()


# texts


@server.feature(types.TEXT_DOCUMENT_DID_OPEN)
async def did_open(ls: ScriptServer, params: types.DidOpenTextDocumentParams) -> None:
    """Checked at once."""
    ls.check(params.text_document.uri)


@server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
async def did_change(ls: ScriptServer, params: types.DidChangeTextDocumentParams) -> None:
    """Checked a little later."""
    ls.check_soon(params.text_document.uri)


@server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
async def did_close(ls: ScriptServer, params: types.DidCloseTextDocumentParams) -> None:
    """Forgotten; its marks go away."""
    uri = params.text_document.uri
    ls.drop(uri)
    ls.documents.forget(uri)
    ls.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))


# what could be written, and what is written


@server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=['"', " "]))
async def complete(ls: ScriptServer, params: types.CompletionParams) -> types.CompletionList:
    """Everything that fits; the editor filters by what is typed."""
    uri = params.text_document.uri
    made, line, column = ls.place(uri, params.position)
    before = made.lines[line - 1][: column - 1] if line <= len(made.lines) else ""
    found = completions(made, before, tables_around(uri, made), siblings(uri))
    items = [
        types.CompletionItem(
            label=item.label,
            kind=KINDS[item.kind],
            detail=item.detail or None,
            insert_text=item.insert,
            insert_text_format=types.InsertTextFormat.Snippet,
            filter_text=item.label,
            data=item.keyword or None,
        )
        for item in found
    ]
    return types.CompletionList(is_incomplete=False, items=items)


@server.feature(types.TEXT_DOCUMENT_HOVER)
async def hover(ls: ScriptServer, params: types.HoverParams) -> types.Hover | None:
    """The manual of a keyword; what a name is."""
    made, line, column = ls.place(params.text_document.uri, params.position)
    words = described(made, line, column)
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, words)) if words else None


def described(made: Outline, line: int, column: int) -> str:
    """Markdown about what stands at a place; empty for nothing."""
    key = made.at(line, column)
    if key is not None:
        place = made.defined(key)
        signature = next((item.detail for item in made.definitions if (item.kind, item.name.lower()) == key), "")
        first = "first set" if key[0] == VARIABLE else "defined"
        return f"{key[0]} **{signature or key[1]}**, {first} on line {place.line}" if place else ""
    keyword = keyword_at(made, line, column)
    return f"### {keyword.name}\n\n{manual.markdown(keyword)}" if keyword else ""


def keyword_at(made: Outline, line: int, column: int) -> Keyword | None:
    """The longest keyword whose words cover a place."""
    row = [token for token in made.tokens if token.line == line and token.kind == "word"]
    here = next((index for index, token in enumerate(row) if 0 <= column - token.column <= len(token.text)), None)
    if here is None:
        return None
    for length in range(LONGEST_KEYWORD, 0, -1):
        for first in range(max(0, here - length + 1), here + 1):
            words = [token.text.rstrip("$%") for token in row[first : first + length]]
            found = manual.find(" ".join(words)) if len(words) == length else None
            if found is not None:
                return found
    return None


# where names are


@server.feature(types.TEXT_DOCUMENT_DEFINITION)
async def definition(ls: ScriptServer, params: types.DefinitionParams) -> types.Location | None:
    """A SUB, a label, where a variable first gets a value; the file of CALL "x.bas"."""
    uri = params.text_document.uri
    made, line, column = ls.place(uri, params.position)
    text = made.lines[line - 1] if line <= len(made.lines) else ""
    for match in SCRIPT_NAMED.finditer(text):
        file = siblings(uri).get(stem(match[1]))
        if match.start(1) < column <= match.end(1) + 1 and file is not None:
            return types.Location(file.as_uri(), types.Range(types.Position(0, 0), types.Position(0, 0)))
    key = made.at(line, column)
    place = made.defined(key) if key else None
    return types.Location(uri, extent(made.lines, place)) if place else None


@server.feature(types.TEXT_DOCUMENT_REFERENCES)
async def references(ls: ScriptServer, params: types.ReferenceParams) -> list[types.Location]:
    """All places of a name."""
    uri = params.text_document.uri
    made, line, column = ls.place(uri, params.position)
    key = made.at(line, column)
    return [types.Location(uri, extent(made.lines, place)) for place in made.names.get(key, [])] if key else []


@server.feature(types.TEXT_DOCUMENT_RENAME)
async def rename(ls: ScriptServer, params: types.RenameParams) -> types.WorkspaceEdit | None:
    """All places at once, when the script means the same afterwards; else nothing, and why."""
    uri = params.text_document.uri
    made, line, column = ls.place(uri, params.position)
    try:
        places, _ = renamed(made.text, line, column, params.new_name)
    except CannotRename as problem:
        ls.window_show_message(types.ShowMessageParams(types.MessageType.Warning, str(problem)))
        return None
    return types.WorkspaceEdit(
        changes={uri: [types.TextEdit(extent(made.lines, place), params.new_name) for place in places]}
    )


@server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
async def symbols(ls: ScriptServer, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    """SUBs, labels and tables."""
    made = ls.opened(params.text_document.uri)
    found = []
    for item in made.definitions:
        name = extent(made.lines, item.place)
        last = made.lines[item.last_line - 1] if item.last_line <= len(made.lines) else ""
        whole = types.Range(
            position(made.lines, item.place.line, 1), position(made.lines, item.last_line, len(last) + 1)
        )
        found.append(types.DocumentSymbol(item.name, SYMBOLS[item.kind], whole, name, detail=item.detail or None))
    return found


@server.feature(types.TEXT_DOCUMENT_FORMATTING)
async def formatting(ls: ScriptServer, params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
    """The whole text, when it has no errors."""
    text = ls.text(params.text_document.uri)
    try:
        made = format_source(text)
    except CannotFormat as problem:
        ls.window_show_message(types.ShowMessageParams(types.MessageType.Warning, f"not formatted: {problem}"))
        return None
    if made == text:
        return []
    lines = text.split("\n")
    end = position(lines, len(lines), len(lines[-1]) + 1)
    return [types.TextEdit(types.Range(types.Position(0, 0), end), made)]
