"""Packages of this checkout into a running stack, when their content changed."""

import asyncio
import csv
import hashlib
import io
import json
import time
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from parley.engine.v1 import bot_pb2, bot_service_pb2, bot_service_pb2_grpc
from parley.kb.v1 import kb_service_pb2, kb_service_pb2_grpc

from cli.failure import Failure
from cli.stack.layout import write_private
from cli.stack.stack import Stack
from services.common.security.principal import Principal
from services.common.security.tokens import MeshSigner
from services.engine.basic.sources import read_source

KNOWLEDGE = {".md": "text/markdown", ".txt": "text/plain", ".html": "text/html"}
PROMPTS = ("PROMPT.md", "prompt.md", "PROMPT.txt", "prompt.txt")
SECONDS = 60
INDEX_SECONDS = 60
POLL_SECONDS = 0.2
SETTLED = frozenset({kb_service_pb2.Document.STATE_LIVE, kb_service_pb2.Document.STATE_FAILED})


class Package:
    """A .gbai folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.stem.lower()

    def part(self, suffix: str) -> list[Path]:
        """Files of the inner folders that end so."""
        return sorted(path for inner in self.folder.glob(f"*.{suffix}") for path in inner.rglob("*") if path.is_file())

    def digest(self) -> str:
        """Changes with any file."""
        taken = hashlib.sha256()
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                taken.update(str(path.relative_to(self.folder)).encode() + path.read_bytes())
        return taken.hexdigest()

    def scripts(self) -> list[dict[str, str]]:
        """Dialogs."""
        return [{"path": path.name, "text": text_of(path)} for path in self.part("gbdialog") if path.suffix == ".bas"]

    def config(self) -> dict[str, str]:
        """config.csv: name,value; a value may hold commas."""
        found: dict[str, str] = {}
        for path in self.part("gbot"):
            if path.name == "config.csv":
                for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8"))):
                    if len(row) >= 2 and row[0].strip() and row[0].strip().lower() != "name":
                        found[row[0].strip()] = ",".join(row[1:]).strip()
        return found

    def system_prompt(self) -> str:
        """The prompt file, or the configuration's."""
        for path in self.part("gbot"):
            if path.name in PROMPTS:
                return path.read_text(encoding="utf-8")
        return self.config().get("system-prompt", "")


def text_of(path: Path) -> str:
    """A script as the check reads it. Failure when it is no text."""
    source = read_source(path, str(path))
    if source.text is None:
        raise Failure(f"{path}: {source.diagnostics[0].message}")
    return source.text


class Deployer:
    """Calls engine and kb inside the mesh, as the service `deployer` on behalf of the tenant's owner."""

    def __init__(self, tenant: str, key_file: Path, ports: dict[str, int]) -> None:
        owner = Principal(tenant_id=tenant, subject="services/deployer", roles=frozenset({"owner"}))
        self._metadata = (("authorization", f"Bearer {MeshSigner('deployer', key_file).token(owner)}"),)
        self._channels = [grpc.aio.insecure_channel(f"127.0.0.1:{ports[name]}") for name in ("engine", "kb")]
        self._bots = bot_service_pb2_grpc.BotServiceStub(self._channels[0])
        self._kb = kb_service_pb2_grpc.KbServiceStub(self._channels[1])

    async def _call(self, method: Any, request: Any) -> Any:  # noqa: ANN401 - any stub and message
        return await method(request, timeout=SECONDS, metadata=self._metadata, wait_for_ready=True)

    async def deploy(self, package: Package, *, migrate: bool = False) -> str:
        """The bot, its version, its documents; the name of the version. Failure with what the service said."""
        try:
            return await self._deploy(package, migrate=migrate)
        except grpc.aio.AioRpcError as error:
            raise Failure(f"{package.folder.name} was refused: {error.details()}") from error

    async def _deploy(self, package: Package, *, migrate: bool) -> str:
        config = package.config()
        words = bot_pb2.Bot(
            display_name=config.get("bot-name", package.name), description=config.get("bot-description", "")
        )
        try:
            await self._call(self._bots.CreateBot, bot_service_pb2.CreateBotRequest(bot=words, bot_id=package.name))
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.ALREADY_EXISTS:
                raise
        version = bot_service_pb2.PublishBotRequest(
            bot=f"bots/{package.name}",
            scripts=[bot_pb2.Script(**script) for script in package.scripts()],
            config=config,
            system_prompt=package.system_prompt(),
            migrate=migrate,
        )
        published: bot_pb2.BotVersion = await self._call(self._bots.PublishBot, version)
        for path in package.part("gbkb"):
            if path.suffix in KNOWLEDGE:
                await self._call(self._kb.ImportDocument, document_request(package, path))
        await self._until_settled(package)
        return published.name

    async def _until_settled(self, package: Package) -> None:
        """Wait until every document answers or has failed. Failure names those that did not in time."""
        request = kb_service_pb2.ListDocumentsRequest(parent=f"bots/{package.name}/collections/-", page_size=200)
        deadline = time.monotonic() + INDEX_SECONDS
        while True:
            found = (await self._call(self._kb.ListDocuments, request)).documents
            open_ = [item.path for item in found if item.state not in SETTLED]
            if not open_:
                return
            if time.monotonic() > deadline:
                raise Failure(f"not indexed after {INDEX_SECONDS} s: {', '.join(open_)}", "read ./parley logs kb")
            await asyncio.sleep(POLL_SECONDS)

    async def remove(self, name: str) -> None:
        """Take a bot away. Failure with what the service said."""
        try:
            await self._call(self._bots.DeleteBot, bot_service_pb2.DeleteBotRequest(name=f"bots/{name}"))
        except grpc.aio.AioRpcError as error:
            raise Failure(f"{name} was not removed: {error.details()}") from error

    async def close(self) -> None:
        """Give the connections back."""
        for channel in self._channels:
            await channel.close()


def document_request(package: Package, path: Path) -> kb_service_pb2.ImportDocumentRequest:
    """A file of a .gbkb folder; its first folder is the collection."""
    inner = next(folder for folder in package.folder.glob("*.gbkb") if folder in path.parents)
    relative = path.relative_to(inner)
    collection = relative.parts[0].lower() if len(relative.parts) > 1 else "default"
    return kb_service_pb2.ImportDocumentRequest(
        parent=f"bots/{package.name}/collections/{collection}",
        path=str(relative),
        content_type=KNOWLEDGE[path.suffix],
        content=path.read_bytes(),
    )


async def deploy_all(stack: Stack, folder: Path) -> list[str]:
    """Deploy what changed; the names deployed."""
    stamp = stack.layout.data / "deployed.json"
    known: dict[str, str] = json.loads(stamp.read_text()) if stamp.exists() else {}
    packages = [Package(path) for path in sorted(folder.glob("*.gbai"))]
    changed = [package for package in packages if known.get(package.name) != package.digest()]
    if not changed:
        return []
    deployer = Deployer(await stack.default_tenant(), stack.layout.keys / "deployer.pem", stack.ports)
    try:
        for package in changed:
            await deployer.deploy(package)
            known[package.name] = package.digest()
            write_private(stamp, json.dumps(known))
    finally:
        await deployer.close()
    return [package.name for package in changed]
