"""What a damaged file looks like to whoever reads its bytes, told as one sentence.

Tested in tests/reader/test_damage.py.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING
from xml.parsers import expat

from pipeline.errors import ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterator


class Damage(Exception):
    """Bytes that contradict the format they claim to be of."""


# A length or an index that leads past the end is damage, whoever notices it first.
_SIGNS = (
    Damage,
    zipfile.BadZipFile,
    zlib.error,
    expat.ExpatError,
    struct.error,
    EOFError,
    LookupError,
    OverflowError,
    ValueError,
)


@contextmanager
def explain_damage(name: str) -> Iterator[None]:
    """Turn what damage looks like to zipfile, zlib, expat and struct into one sentence."""
    try:
        yield
    except (RuntimeError, NotImplementedError) as error:
        raise ManifestError(
            f"{name} is packed in a way that no spreadsheet program uses ({error}).",
            action="Open it in Excel and save it under a new name.",
        ) from error
    except _SIGNS as error:
        raise _damage_error(name, error) from error


@contextmanager
def treat_failures_as_damage(reason: str = "") -> Iterator[None]:
    """Turn whatever a library raises over a file into Damage, a panic of Rust code among it.

    Without a `reason` the library's own words are given.
    """
    try:
        yield
    except MemoryError:
        raise  # the limit of the process, not what the file says
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise Damage(reason or _reason(error)) from error
        raise


def _damage_error(name: str, error: BaseException) -> ManifestError:
    """Return the error about the damaged file `name`."""
    return ManifestError(
        f"{name} is damaged or incomplete ({_reason(error)}).",
        action="Copy or download it again, or open it in Excel and save it under a new name.",
    )


def _reason(error: BaseException) -> str:
    """Return the reason in plain words, without Python's buffers and indexes."""
    if isinstance(error, struct.error | EOFError | IndexError):
        return "a part of it ends too early"
    if isinstance(error, KeyError):
        return str(error).strip("'\"")
    if isinstance(error, LookupError | OverflowError | ValueError):
        return "a value in it makes no sense"
    return str(error)


def explain_password(name: str) -> ManifestError:
    """Return the error about a file whose cells are encrypted."""
    return ManifestError(
        f"{name} is protected by a password.",
        action="Save a copy without the password (File, Info, Protect Workbook).",
    )
