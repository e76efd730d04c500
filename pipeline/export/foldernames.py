"""What the folder and the files of a row are called where videos are handed over.

The name is the row's key as it stands, made safe for every file system. Keys that would meet there
- equal but for case, for a Unicode form, or for signs that no name takes - get a hash of the key.
It depends on the keys of the manifest alone, so that a second export finds the files of the first.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable

from pipeline.checker.naming import safe_name
from pipeline.manifest.normalform import to_normal_form

_HASH_DIGITS = (8, 16, 64)


def folder_names(keys: Iterable[str], reserved: Collection[str]) -> dict[str, str]:
    """Return a name for each key; no two are equal on any file system.

    `reserved` are names of other files in the same folder.
    """
    plain = {key: safe_name(key) for key in keys}
    held = Counter(map(_fold, plain.values()))
    taken = {_fold(name) for name in reserved}
    crowded = [
        key
        for key, name in plain.items()
        if not name or held[_fold(name)] > 1 or _fold(name) in taken
    ]
    taken |= {_fold(plain[key]) for key in plain.keys() - set(crowded)}
    for key in sorted(crowded):
        plain[key] = _apart(plain[key] or "video", key, taken)
        taken.add(_fold(plain[key]))
    return plain


def _fold(name: str) -> str:
    """Return a name as a file system compares it that ignores case and Unicode forms."""
    return to_normal_form("NFC", to_normal_form("NFD", name).casefold())


def _apart(name: str, key: str, taken: Collection[str]) -> str:
    """Return a name with as much of the hash of its key as tells it from all others."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    told = (f"{name}-{digest[:digits]}" for digits in _HASH_DIGITS)
    return next((one for one in told if _fold(one) not in taken), f"{name}-{digest}")
