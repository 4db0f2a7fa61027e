"""The extension for editors: its files fit together, and it starts the command that is there."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.stack.layout import ROOT

pytestmark = pytest.mark.unit

FOLDER = ROOT / "editors" / "vscode"
STUBS = """
const Module = require('module'), calls = [], load = Module._load
const vscode = {
  workspace: {
    isTrusted: TRUSTED,
    getConfiguration: () => ({ get: () => SET }),
    workspaceFolders: [{ uri: { fsPath: '/a' } }, { uri: { fsPath: ROOT } }],
  },
}
class LanguageClient {
  constructor(id, name, server, options) { calls.push({ id, server, options }) }
  start() { calls.push('start') }
  stop() { calls.push('stop') }
}
Module._load = (name, ...rest) =>
  name === 'vscode' ? vscode : name === 'vscode-languageclient/node' ? { LanguageClient } : load(name, ...rest)
const extension = require(FILE), context = { subscriptions: [] }
extension.activate(context)
context.subscriptions.forEach((item) => item.dispose())
console.log(JSON.stringify(calls))
"""


def manifest() -> dict[str, Any]:
    return json.loads((FOLDER / "package.json").read_text())  # type: ignore[no-any-return]


def started(command: str = "", *, trusted: bool = True) -> list[Any]:
    """What the extension does with its client."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node.js on this machine")
    values = {"FILE": str(FOLDER / "extension.js"), "ROOT": str(ROOT), "SET": command, "TRUSTED": trusted}
    head = "".join(f"const {name} = {json.dumps(value)}\n" for name, value in values.items())
    done = subprocess.run([node, "-e", head + STUBS], capture_output=True, text=True, check=True, timeout=30)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_all_files_that_are_named_exist() -> None:
    content = manifest()
    contributes = content["contributes"]
    named = [content["main"], contributes["languages"][0]["configuration"], contributes["grammars"][0]["path"]]
    assert [name for name in named if not (FOLDER / name).is_file()] == []
    json.loads((FOLDER / "language-configuration.json").read_text())


def test_what_it_needs_is_pinned_and_names_no_registry() -> None:
    lock = (FOLDER / "package-lock.json").read_text()
    packages = json.loads(lock)["packages"]
    assert packages[""]["dependencies"] == manifest()["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in manifest()["dependencies"].values())
    assert all("integrity" in item for name, item in packages.items() if name)
    assert "://" not in re.sub(r'"url": "[^"]*"', "", lock)


def patterns(item: object) -> list[str]:
    if isinstance(item, dict):
        own = [value for key, value in item.items() if key in {"match", "begin", "end"} and isinstance(value, str)]
        return own + [found for value in item.values() for found in patterns(value)]
    return [found for value in item for found in patterns(value)] if isinstance(item, list) else []


def test_the_patterns_of_the_grammar_can_be_read() -> None:
    grammar = json.loads(next((FOLDER / "syntaxes").glob("*.json")).read_text())
    found = patterns(grammar)
    assert len(found) > 15
    for pattern in found:
        re.compile(pattern)
    included = set(re.findall(r'"include": "#(\w+)"', json.dumps(grammar)))
    assert included <= set(grammar["repository"])


def test_it_starts_the_command_of_the_workspace_and_stops_it() -> None:
    made, *after = started()
    assert made["server"] == {"command": str(ROOT / "parley"), "args": ["lsp", "--stdio"]}
    assert {item["language"] for item in made["options"]["documentSelector"]} == {"parley-basic"}
    assert after == ["start", "stop"]


def test_a_command_that_is_set_comes_first() -> None:
    assert started("/opt/parley")[0]["server"]["command"] == "/opt/parley"


def test_nothing_of_a_workspace_that_is_not_trusted_is_run() -> None:
    assert started(trusted=False)[0]["server"]["command"] == "parley"


def test_the_readme_names_the_setting() -> None:
    settings = manifest()["contributes"]["configuration"]["properties"]
    readme = (FOLDER / "README.md").read_text()
    assert [name for name in settings if name not in readme] == []
    assert Path(FOLDER / "extension.js").read_text().count("getConfiguration('parley')") == 1
