"""Where a run keeps the data of its stack."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from cli.stack.layout import Layout


@contextlib.contextmanager
def run_folder(data: Path | None) -> Iterator[Path]:
    """A folder for one stack: `data`, which stays, or a temporary one that other users can look into."""
    if data is not None:
        yield data.resolve()
        return
    outer = Path(tempfile.mkdtemp(prefix="parley-run-"))
    outer.chmod(0o755)
    folder = (outer / "stack").resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(Layout(folder).exposed(), ignore_errors=True)
        shutil.rmtree(outer, ignore_errors=True)
