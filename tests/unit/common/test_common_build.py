"""The build of the stubs: nothing is made twice, and what is made is whole."""

from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from protos import build

pytestmark = pytest.mark.unit


def test_nothing_is_made_when_nothing_changed() -> None:
    build.build()
    before = build.DESCRIPTORS.stat().st_mtime_ns
    assert build.build() is False
    assert build.DESCRIPTORS.stat().st_mtime_ns == before


def test_every_proto_has_typed_stubs() -> None:
    build.build()
    for source in build.sources():
        stem = str(source.relative_to(build.PROTOS).with_suffix(""))
        for ending in ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi"):
            assert (build.STUBS / f"{stem}{ending}").exists(), stem + ending


def test_the_descriptors_hold_their_imports_and_comments() -> None:
    build.build()
    files = descriptor_pb2.FileDescriptorSet.FromString(build.DESCRIPTORS.read_bytes()).file
    names = {file.name for file in files}
    assert {"google/api/annotations.proto", "buf/validate/validate.proto", "google/protobuf/empty.proto"} <= names
    assert all(dependency in names for file in files for dependency in file.dependency)
    session = next(file for file in files if file.name.endswith("session_service.proto"))
    assert any(location.leading_comments for location in session.source_code_info.location)


def test_a_changed_input_changes_the_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extra = tmp_path / "extra.proto"
    extra.write_text('syntax = "proto3";')
    before = build.digest()
    known = build.sources()
    monkeypatch.setattr(build, "sources", lambda: [*known, extra])
    first = build.digest()
    extra.write_text('syntax = "proto3"; package x;')
    assert len({before, first, build.digest()}) == 3


def test_a_proto_that_does_not_compile_says_why() -> None:
    with pytest.raises(build.BuildError, match=r"nowhere\.proto"):
        build.protoc([f"-I{build.PROTOS}", "--descriptor_set_out=/dev/null", "nowhere.proto"])
