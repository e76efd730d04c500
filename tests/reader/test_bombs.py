"""Small files that would become large: 300 KB take at most 300 MB, whatever their format."""

from __future__ import annotations

import io
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.corpus.opendocuments import document

TEXT = 'office:value-type="string"'
# Most that a file of 300 KB may unpack to, less some room for its other parts.
STREAMED_BYTES = 55_000_000
READ = """
import sys
from pathlib import Path
from pipeline.errors import ManifestError
from pipeline.reader.reading import read
try:
    read(Path(sys.argv[1]))
except ManifestError as error:
    assert Path(sys.argv[1]).name in error.message
status = Path("/proc/self/status").read_text()
print(status.partition("VmHWM:")[2].split()[0])
"""


def ods(one: str) -> bytes:
    rows = one * (STREAMED_BYTES // len(one) or 1)
    return document("", f'<table:table table:name="Sheet1">{rows}</table:table>')


def cell(text: str, attributes: str = "") -> str:
    return f"<table:table-cell {TEXT} {attributes}><text:p>{text}</text:p></table:table-cell>"


def row(cells: str) -> str:
    return f"<table:table-row>{cells}</table:table-row>"


BOMBS: dict[str, Callable[[], bytes]] = {
    "rows.ods": lambda: ods(row("".join(map(cell, "abcdefghijkl")))),
}  # fmt: skip


@pytest.mark.process
@pytest.mark.skipif(sys.platform != "linux", reason="only there a process says its own peak")
@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_takes_little_memory(name: str, tmp_path: Path) -> None:
    """300 KB, packed as well as can be, are read or refused within 300 MB."""
    path = tmp_path / name
    data = BOMBS[name]()
    assert len(data) < 300_000
    # What fills it up is no part that is unpacked, and makes the limits those of 300 KB.
    path.write_bytes(filled_up(data))
    ended = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, check=True)
    assert int(ended.stdout) < 300 * 1024


def filled_up(data: bytes) -> bytes:
    """The package with a picture in it that makes it 300 KB."""
    target = io.BytesIO(data)
    with zipfile.ZipFile(target, "a") as package:
        package.writestr("Pictures/photo.png", random.Random(1).randbytes(299_800 - len(data)))
    return target.getvalue()
