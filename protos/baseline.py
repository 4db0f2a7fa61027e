"""The contract as it was last released: `buf breaking` compares with it.

`python protos/baseline.py` writes protos/baseline.binpb from what build.py made. Do it at a release, never to silence
a complaint.
"""

from pathlib import Path

from google.protobuf import descriptor_pb2

PROTOS = Path(__file__).resolve().parent
BASELINE = PROTOS / "baseline.binpb"
DESCRIPTORS = PROTOS.parent / "build" / "descriptors.binpb"


def write(descriptors: Path = DESCRIPTORS, baseline: Path = BASELINE) -> None:
    """Copies the descriptor set without comments, which are no part of the contract. OSError."""
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptors.read_bytes())
    for file in files.file:
        file.ClearField("source_code_info")
    baseline.write_bytes(files.SerializeToString(deterministic=True))


if __name__ == "__main__":
    write()
