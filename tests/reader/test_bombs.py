"""Small files that would become large: 300 KB take at most 300 MB, whatever their format."""

from __future__ import annotations

import io
import random
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.corpus import biffbooks
from tests.corpus.opendocuments import document
from tests.corpus.sheet import Sheet
from tests.corpus.workbooks import row as xlsx_row
from tests.corpus.workbooks import xlsx, zipped

TEXT = 'office:value-type="string"'
# Most that a file of 300 KB may unpack to by its format, less some room for its other parts.
UNPACKED_BYTES, STREAMED_BYTES = 15_000_000, 55_000_000
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


def sheets_with_far_cells(count: int) -> bytes:
    """Sheets of two cells, which another engine would make rectangles of."""
    made = biffbooks.stream([Sheet([], name=f"S{at:04}") for at in range(count)])
    far = biffbooks.bof(0x10)
    for row, column in ((0, 0), (65_535, 255)):
        place = struct.pack("<3H", row, column, 15)
        far += biffbooks.record(0x204, place + biffbooks.words("x", "<H"))
    far += biffbooks.record(0x0A)
    first = made.index(biffbooks.bof(0x10))
    for at in range(count):
        named = made.index(biffbooks.words(f"S{at:04}", "<B")) - 6
        start = struct.pack("<I", first + at * len(far))
        made = made[:named] + start + made[named + 4 :]
    return biffbooks.large(made[:first] + far * count)


def wide(first: int, last: int) -> bytes:
    """A sheet that says that it has more cells than there is memory for."""
    said = biffbooks.record(0x200, struct.pack("<IIHHH", first, last, 0, 2**15, 0))
    made = biffbooks.stream([Sheet([["sku"], ["A"]])])
    return biffbooks.large((made[:-4] + said + made[-4:]).ljust(4096, b"\0"))


def container(*numbers: tuple[int, int]) -> bytes:
    """A workbook in a container with other numbers in some places, its sectors in a circle."""
    data = bytearray(biffbooks.xls(Sheet([["sku"], ["A"]])))
    struct.pack_into("<I", data, 512 + 4 * 3, 2)
    for place, number in numbers:
        struct.pack_into("<I", data, place, number)
    return bytes(data).ljust(290_000, b"\0")


def blanks() -> bytes:
    """Cells without a value, each of two bytes."""
    run = struct.pack("<HH", 0, 0) + struct.pack("<H", 15) * 256 + struct.pack("<H", 255)
    rows = (struct.pack("<H", row) + run[2:] for row in range(1, 540))
    body = b"".join(biffbooks.record(0xBE, one) for one in rows)
    made = biffbooks.stream([Sheet([["sku"]])])
    return biffbooks.large(made[: -len(biffbooks.record(0x0A))] + body + biffbooks.record(0x0A))


def styles() -> bytes:
    """As many elements as there is room for in a part that is read as a whole."""
    parts = {"xl/styles.xml": "<s>" + "<a/>" * (UNPACKED_BYTES // 4) + "</s>"}
    with zipfile.ZipFile(io.BytesIO(xlsx(xlsx_row(1, "sku", "prompt")))) as package:
        named = {name: package.read(name).decode() for name in package.namelist()}
    return zipped(named | parts)


BOMBS: dict[str, Callable[[], bytes]] = {
    "far.xls": lambda: sheets_with_far_cells(1000),
    "wide.xls": lambda: wide(0, 2**31),
    "backwards.xls": lambda: wide(2, 1),
    "blanks.xls": blanks,
    "circle.xls": container,
    # The length of the stream, that of the short streams, and the numbers of tables.
    "long.xls": lambda: container((1024 + 128 + 120, 0xFFFFFF00)),
    "shorts.xls": lambda: container((1024 + 116, 2), (1024 + 120, 0xFFFFFF00),
                                    (1024 + 128 + 120, 100), (64, 0xFFFFFF00)),
    "tables.xls": lambda: container((44, 0xFFFFFF00), (68, 0), (72, 0x2040810)),
    "styles.xlsx": styles,
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
    path.write_bytes(data if path.suffix == ".xls" else filled_up(data))
    ended = subprocess.run([sys.executable, "-c", READ, path], capture_output=True, check=True)
    assert int(ended.stdout) < 300 * 1024


def filled_up(data: bytes) -> bytes:
    """The package with a picture in it that makes it 300 KB."""
    target = io.BytesIO(data)
    with zipfile.ZipFile(target, "a") as package:
        package.writestr("Pictures/photo.png", random.Random(1).randbytes(299_800 - len(data)))
    return target.getvalue()
