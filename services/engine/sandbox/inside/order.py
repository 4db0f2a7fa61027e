"""What the engine asks of the launcher, and what it hears back: one JSON line each way."""

import base64
import json
from dataclasses import asdict, dataclass, field

from services.engine.sandbox.layers import Layer


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Of one run. address_space: whether memory is limited as addresses; else as data, for what reserves much."""

    seconds: float
    cpu_seconds: float
    memory_bytes: int
    address_space: bool
    processes: int
    open_files: int
    output_bytes: int
    result_bytes: int
    scratch_bytes: int
    scratch_files: int
    returned_bytes: int
    returned_files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """command: absolute path and arguments; payload: its standard input; readable: paths it may see; folders: more
    names of the scratch folder; room: where the scratch folder is made when the tree of files is not its own."""

    layers: frozenset[Layer]
    command: list[str]
    environment: dict[str, str]
    payload: bytes
    files: dict[str, bytes]
    readable: list[str]
    folders: list[str]
    room: str
    bounds: Bounds

    def line(self) -> bytes:
        """As one line."""
        document = {
            "layers": sorted(self.layers),
            "command": self.command,
            "environment": self.environment,
            "payload": _text(self.payload),
            "files": {name: _text(content) for name, content in self.files.items()},
            "readable": self.readable,
            "folders": self.folders,
            "room": self.room,
            "bounds": asdict(self.bounds),
        }
        return json.dumps(document).encode() + b"\n"


def order_of(line: bytes) -> Order:
    """The order on a line."""
    document = json.loads(line)
    document["layers"] = frozenset(Layer(name) for name in document["layers"])
    document["payload"] = base64.b64decode(document["payload"])
    document["files"] = {name: base64.b64decode(content) for name, content in document["files"].items()}
    document["bounds"] = Bounds(**document["bounds"])
    return Order(**document)


@dataclass(slots=True, kw_only=True)
class Report:
    """What happened. status: of the first process, negative for a signal; stopped: which bound ended it ("time",
    "cpu", "memory", "processes", "output", "scratch"), empty if none; fault: why it could not be begun."""

    status: int = 0
    stopped: str = ""
    fault: str = ""
    output: bytes = b""
    truncated: bool = False
    errors: bytes = b""
    result: bytes = b""
    result_too_large: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    files_left_out: bool = False
    seconds: float = 0.0

    def line(self) -> bytes:
        """As one line."""
        document = {
            "status": self.status,
            "stopped": self.stopped,
            "fault": self.fault,
            "output": _text(self.output),
            "truncated": self.truncated,
            "errors": _text(self.errors),
            "result": _text(self.result),
            "result_too_large": self.result_too_large,
            "files": {name: _text(content) for name, content in self.files.items()},
            "files_left_out": self.files_left_out,
            "seconds": self.seconds,
        }
        return json.dumps(document).encode() + b"\n"


def report_of(line: bytes) -> Report:
    """The report on a line. ValueError or KeyError when it is none."""
    document = json.loads(line)
    for name in ("output", "errors", "result"):
        document[name] = base64.b64decode(document[name])
    document["files"] = {name: base64.b64decode(content) for name, content in document["files"].items()}
    return Report(**document)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()
