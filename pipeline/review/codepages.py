"""In which encoding a spreadsheet program has saved the results, if not in Unicode.

Excel saves a CSV in the code page of its country, whatever it was before. The manifest's own texts
are in the file: the encoding in which most of them are found is the right one.

Tested in tests/review/test_readback.py.
"""

from __future__ import annotations

import contextlib
from itertools import islice
from pathlib import Path

from pipeline.disk.openfile import open_to_read_bytes
from pipeline.model import Manifest

_CODE_PAGES = (
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258",
    "cp932", "gb18030", "cp949", "cp950", "cp874", "mac_roman",
)  # fmt: skip
_MOST_TEXTS = 500


def encoding_of(path: Path, manifest: Manifest) -> str | None:
    """Return the encoding to be tried where a file is not Unicode; raises OSError.

    Args:
        path: the results file.
        manifest: the manifest, which is a text.

    """
    own = manifest.dialect.encoding if manifest.dialect else "utf-8"
    with open_to_read_bytes(path) as file:
        data = file.read()
    with contextlib.suppress(UnicodeDecodeError):
        data.decode("utf-8")
        return None
    told = (text for row in manifest.rows for text in row.cells if not text.isascii())
    texts = list(islice(told, _MOST_TEXTS))
    best, most = None, -1
    for name in dict.fromkeys((own, *_CODE_PAGES)):
        with contextlib.suppress(UnicodeDecodeError, LookupError):
            decoded = data.decode(name)
            found = sum(text in decoded for text in texts)
            if found > most:
                best, most = name, found
    return best
