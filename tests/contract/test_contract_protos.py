"""The contracts keep to the rules of buf, and to what was released."""

import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2

from gateway.envoy.contract import Contract, ContractError

pytestmark = pytest.mark.contract
ROOT = Path(__file__).resolve().parents[2]
DESCRIPTORS = ROOT / "build" / "descriptors.binpb"
BASELINE = ROOT / "protos" / "baseline.binpb"
BUF = Path(sys.executable).parent / "buf"


def buf(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(BUF), *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_the_protos_keep_to_the_rules() -> None:
    done = buf("lint", DESCRIPTORS)
    assert done.returncode == 0, done.stdout


def test_nothing_released_was_broken() -> None:
    done = buf("breaking", DESCRIPTORS, "--against", BASELINE)
    assert done.returncode == 0, done.stdout


def test_a_break_would_be_seen(tmp_path: Path) -> None:
    files = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes())
    file = next(file for file in files.file if file.name.endswith("session/v1/session_service.proto"))
    del file.service[0].method[0]
    (tmp_path / "broken.binpb").write_bytes(files.SerializeToString())
    done = buf("breaking", tmp_path / "broken.binpb", "--against", BASELINE)
    assert done.returncode != 0
    assert "CreateSession" in done.stdout


def test_no_method_speaks_raw_http_bodies() -> None:
    """The transcoder's google.api.HttpBody has faults at its edges (envoy#16629): bytes go by signed addresses."""
    for method in Contract.read(DESCRIPTORS).methods:
        assert "google.api.HttpBody" not in {method.request, method.response}, method.path


def test_an_internal_method_with_a_rest_path_is_refused() -> None:
    files = descriptor_pb2.FileDescriptorSet.FromString(DESCRIPTORS.read_bytes())
    file = next(file for file in files.file if file.name.endswith("session/v1/ledger_service.proto"))
    # Field 72295728 (google.api.http) with `get: "/v1/x"`.
    file.service[0].method[0].options.MergeFromString(b"\x82\xd3\xe4\x93\x02\x07\x12\x05/v1/x")
    with pytest.raises(ContractError, match="ClaimTurns"):
        Contract(files.SerializeToString())
