"""Damaged workbooks of every format: a sentence that names the file, and never a traceback."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import pytest

from pipeline.errors import ManifestError
from pipeline.reader.content import is_text
from pipeline.reader.workbook.opening import manifest_from, read_grid
from tests.corpus.formats import CACHED, ERRORS, FRAMES, HIDDEN, MAKERS, MERGED, PADDED

SHEETS = (PADDED, FRAMES, ERRORS, CACHED, HIDDEN, MERGED)
TIMES = 150


def read_or_refused(data: bytes, suffix: str, sheet: int) -> bool:
    """Whether the file is read; anything but one of our sentences is an error of the test."""
    path = Path(f"shop.{suffix}")
    refused = None
    try:
        if not is_text(path, data):
            manifest_from(read_grid(path, data, sheet), hidden_rows="include")
    except ManifestError as error:
        refused = error
    assert refused is None or (path.name in refused.message and refused.action)
    return refused is None


def worse(data: bytes, dice: random.Random) -> bytes:
    """The bytes with some of them changed, gone, or more of them."""
    made = bytearray(data)
    at = dice.randrange(len(made))
    kind = dice.randrange(8)
    if kind == 0:
        return bytes(made[:at])
    if kind == 1:
        del made[at : at + dice.randrange(1, 600)]
    elif kind == 2:
        made[at:at] = dice.randbytes(dice.randrange(1, 20))
    else:
        for _ in range(dice.choice((1, 1, 2, 5, 50))):
            made[dice.randrange(len(made))] = dice.choice(
                (0, 0x7F, 0x80, 0xFF, dice.randrange(256))
            )
    return bytes(made)


def worse_within(data: bytes, dice: random.Random) -> bytes:
    """The package with one part made worse, and whole checksums."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as package, zipfile.ZipFile(target, "w") as copy:
        victim = dice.choice(package.namelist())
        for name in package.namelist():
            part = package.read(name)
            copy.writestr(name, worse(part, dice) if name == victim else part)
    return target.getvalue()


@pytest.mark.parametrize("suffix", MAKERS)
def test_changed_bytes_are_a_sentence(suffix: str) -> None:
    """Whatever is changed in a file or within its parts, it is read or refused, and named."""
    dice = random.Random(suffix)
    whole = MAKERS[suffix](*SHEETS)
    read = 0
    for turn in range(TIMES):
        within = suffix != "xls" and turn % 4
        data = worse_within(whole, dice) if within else worse(whole, dice)
        read += read_or_refused(data, suffix, dice.randrange(1, len(SHEETS) + 1))
    assert 0 < read < TIMES


@pytest.mark.parametrize("suffix", MAKERS)
def test_files_cut_off_anywhere_are_a_sentence(suffix: str) -> None:
    """A download that did not finish."""
    whole = MAKERS[suffix](*SHEETS)
    assert read_or_refused(whole, suffix, 1)
    for length in range(1, len(whole) - 600, len(whole) // 50):
        assert not read_or_refused(whole[:length], suffix, 1)
