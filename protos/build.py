"""Makes what the protos describe: typed Python stubs, the descriptor set that Envoy reads, the OpenAPI document.

Everything lands in build/ and is made again only when an input changed. Nothing is fetched: google's protos come
from their wheel, protovalidate's from the descriptor that its wheel carries.
"""

import hashlib
import importlib
import shutil
import subprocess
import sys
from pathlib import Path

from google.protobuf import descriptor_pb2

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
BUILD = ROOT / "build"
STUBS = BUILD / "stubs"
DESCRIPTORS = BUILD / "descriptors.binpb"
OPENAPI = BUILD / "openapi.json"
STAMP = BUILD / "stamp"
VALIDATE = "buf/validate/validate.proto"


class BuildError(RuntimeError):
    """The protos do not compile; the message is protoc's."""


def sources() -> list[Path]:
    """Every proto of ours."""
    return sorted(PROTOS.glob("parley/**/*.proto"))


def digest() -> str:
    """Changes when anything that goes in changes."""
    taken = hashlib.sha256()
    makers = [ROOT / "gateway" / "envoy" / f"{name}.py" for name in ("openapi", "contract", "schemas", "templates")]
    inputs = [*sources(), Path(__file__), ROOT / "requirements.lock", *makers]
    for path in inputs:
        if path.exists():
            taken.update(path.read_bytes())
    return taken.hexdigest()


def dependency_set() -> bytes:
    """protovalidate's descriptor with the well-known types it imports."""
    importlib.import_module("protovalidate")
    module = importlib.import_module("protovalidate._gen.buf.validate.validate_pb")
    files = descriptor_pb2.FileDescriptorSet()
    for name in ("descriptor", "duration", "field_mask", "timestamp"):
        known = importlib.import_module(f"google.protobuf.{name}_pb2")
        known.DESCRIPTOR.CopyToProto(files.file.add())
    raw = serialized(module)
    files.file.add().ParseFromString(raw)
    return files.SerializeToString()


def serialized(module: object) -> bytes:
    """The file descriptor inside protovalidate's generated module, whatever runtime it was generated for."""
    for value in vars(module).values():
        proto = getattr(value, "proto", None)
        if proto is not None and getattr(proto, "name", "") == VALIDATE:
            return bytes(proto.to_binary()) if hasattr(proto, "to_binary") else bytes(proto.SerializeToString())
    message = "protovalidate carries no descriptor of its own rules; see docs/development.md"
    raise BuildError(message)


def site_packages() -> Path:
    """Where googleapis-common-protos keeps its .proto files."""
    annotations = importlib.import_module("google.api.annotations_pb2")
    return Path(str(annotations.__file__)).parent.parent.parent


def protoc(arguments: list[str]) -> None:
    """Runs protoc of grpcio-tools with the type plugins on its path."""
    scripts = Path(sys.executable).parent
    plugins = [f"--plugin=protoc-gen-{name}={scripts / f'protoc-gen-{name}'}" for name in ("mypy", "mypy_grpc")]
    command = [sys.executable, "-m", "grpc_tools.protoc", *plugins, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603
    if done.returncode != 0:
        raise BuildError(done.stderr.strip())


def generate() -> None:
    """Stubs and descriptors, made aside and then put in place."""
    fresh = BUILD / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    dependencies = BUILD / "dependencies.binpb"
    dependencies.write_bytes(dependency_set())
    inputs = [str(path.relative_to(PROTOS)) for path in sources()]
    protoc(
        [
            f"--descriptor_set_in={dependencies}",
            f"-I{PROTOS}",
            f"-I{site_packages()}",
            f"--python_out={fresh}",
            f"--grpc_python_out={fresh}",
            f"--mypy_out=quiet:{fresh}",
            f"--mypy_grpc_out=quiet:{fresh}",
            "--include_imports",
            "--include_source_info",
            f"--descriptor_set_out={DESCRIPTORS}",
            *inputs,
            VALIDATE,
        ]
    )
    shutil.rmtree(STUBS, ignore_errors=True)
    fresh.rename(STUBS)


def write_openapi() -> None:
    """The OpenAPI document, by the gateway's own generator."""
    if not (ROOT / "gateway" / "envoy" / "openapi.py").exists():
        return
    for path in (str(ROOT), str(STUBS)):
        if path not in sys.path:
            sys.path.insert(0, path)
    openapi = importlib.import_module("gateway.envoy.openapi")
    openapi.write(DESCRIPTORS, OPENAPI)


def build(*, force: bool = False) -> bool:
    """Make everything unless it is up to date; whether anything was made. BuildError."""
    wanted = digest()
    if not force and STAMP.exists() and STAMP.read_text() == wanted and DESCRIPTORS.exists():
        return False
    BUILD.mkdir(exist_ok=True)
    generate()
    write_openapi()
    STAMP.write_text(wanted)
    return True


if __name__ == "__main__":
    try:
        build(force="--force" in sys.argv[1:])
    except BuildError as error:
        sys.exit(str(error))
