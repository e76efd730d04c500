"""The file that was named: whether it exists, what it contains, and whether its name fits that.

Tested in tests/reader/test_files.py and tests/reader/test_damage.py.
"""

from __future__ import annotations

import codecs
import difflib
import re
from enum import Enum
from itertools import islice
from pathlib import Path

from pipeline.disk.failures import explain_os_error
from pipeline.disk.openfile import name_kind, read_regular
from pipeline.errors import ManifestError
from pipeline.manifest.wording import quote_name
from pipeline.reader.nontables import refuse_address, refuse_no_table

_TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".tab", ".txt"})
_WORKBOOK_SUFFIXES = frozenset({".xlsx", ".xlsm", ".xls", ".ods"})
_MOST_FOLDERS = 200
"""Folders that are looked into for a file that is not where it was named."""
# No library that we could use shows the hidden rows and error values of these files.
_BINARY_SUFFIX = ".xlsb"
# 100,000 rows of long prompts are some 50 MB: a larger file is not a manifest.
_MAX_FILE_BYTES = 1024**3

# [MS-CFB] 2.2, the container of .xls files and of encrypted workbooks.
MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LOCK = re.compile(r"~\$(?P<excel>.+)|\.~lock\.(?P<office>.+)#", re.DOTALL)
_ZIP = b"PK\x03\x04"
# Texts hold line breaks and tabs. UTF-16 and UTF-32 may hold any byte, behind their mark.
_CONTROLS = bytes({*range(32)} - set(b"\t\n\v\f\r\x1a\x1b"))
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
# The first record of the oldest .xls files, which have no container.
_BIFF = {b"\x09\x08", b"\x09\x04", b"\x09\x02", b"\x09\x00"}


class Content(Enum):
    """The kind of file that the first bytes show, as messages call it."""

    TEXT = "a text file"
    ZIP = "an Excel workbook"
    XLSB = "a binary Excel workbook"
    ODS = "an OpenDocument spreadsheet"
    OLE = "an Excel 97-2003 workbook"
    HTML = "a web page"
    XML = "an XML document"
    PDF = "a PDF document"


_SUFFIXES = {
    Content.ZIP: (".xlsx", ".xlsm"),
    Content.ODS: (".ods",),
    Content.OLE: (".xls",),
}


def load_file(path: Path, *, feed: bool = False) -> bytes:
    """Return the bytes of the manifest at `path`, or of the product feed that one is made from.

    Raises:
        ManifestError: it does not exist, is a folder or a lock file, is empty or too large, or
            cannot be opened.

    """
    name = path.name
    refuse_address(path)
    try:
        if path.exists() and not feed:
            refuse_no_table(path)
        if path.is_dir():
            raise ManifestError(f"{path} is a folder.", action="Name a table in it.")
        if locked := _LOCK.fullmatch(name):
            program = "Excel" if locked["excel"] else "LibreOffice"
            raise ManifestError(
                f"{name} is the lock file that {program} keeps beside a workbook that is open.",
                action=f"Name the workbook itself: {locked['excel'] or locked['office']}",
            )
        if not path.exists():
            raise explain_missing(path)
        found = path.stat()
        if kind := name_kind(found.st_mode):
            raise ManifestError(
                f"{path} is {kind}, not a file; nothing is read from it.",
                action="Save the table as a file and name that.",
            )
        size = found.st_size
        if size > _MAX_FILE_BYTES:
            raise ManifestError(
                f"{name} has {size:,} bytes; a manifest has at most {_MAX_FILE_BYTES:,}.",
                action="Split it, or remove pictures that are embedded in it.",
            )
        data = read_regular(path, _MAX_FILE_BYTES)
    except OSError as error:
        raise ManifestError(
            f"{name} cannot be opened: {explain_os_error(error)}.",
            action="Close it in other programs, and check that you have permission to read it.",
        ) from error
    if not data:
        raise ManifestError(
            f"{name} is empty: it has 0 bytes.",
            action="Save it again; a download or a synchronised folder may not have finished.",
        )
    return data


def content_of(data: bytes) -> Content:
    """Tell what kind of file `data` is, by its first bytes."""
    if data.startswith(_ZIP):
        return Content.ZIP
    if data.startswith(MAGIC) or data[:2] in _BIFF:
        return Content.OLE
    if data.startswith(b"%PDF-"):
        return Content.PDF
    head = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html", b"<table", b"<meta", b"<head", b"<body")):
        return Content.HTML
    return Content.XML if head.startswith(b"<?xml") else Content.TEXT


def is_text(path: Path, data: bytes) -> bool:
    """Tell whether the manifest is delimited text; False for a workbook.

    Raises:
        ManifestError: its suffix is not that of a table, or does not fit its content.

    """
    suffix = path.suffix.lower()
    content = content_of(data)
    if suffix == _BINARY_SUFFIX:
        raise ManifestError(
            f"{path.name} is a binary Excel workbook (.xlsb), which cannot be read.",
            action="Open it in Excel and save it as an Excel workbook (.xlsx).",
        )
    if suffix not in _TEXT_SUFFIXES | _WORKBOOK_SUFFIXES:
        known = ", ".join(sorted(_TEXT_SUFFIXES | _WORKBOOK_SUFFIXES))
        raise ManifestError(
            f"{path.name}: a manifest is a table; the suffix {suffix or '(none)'!r} is not known.",
            action=f"Save it as one of {known}.",
        )
    if suffix in _TEXT_SUFFIXES and content is Content.TEXT:
        return True
    if content is Content.TEXT and _is_binary(data):
        raise ManifestError(
            f"{path.name} is damaged, or it is not a spreadsheet at all.",
            action="Copy or download it again, or open it in its own program and save it as .xlsx.",
        )
    if suffix in _WORKBOOK_SUFFIXES and content in {Content.ZIP, Content.OLE}:
        return False  # its parts tell which kind of workbook it is
    refuse_renamed(path, _packed_as(data) if content is Content.ZIP else content)
    return False


def _is_binary(data: bytes) -> bool:
    """Tell whether the bytes cannot be text."""
    sample = data[:4096]
    text = sample.translate(None, _CONTROLS)
    return not sample.startswith(_WIDE_MARKS) and text != sample


def _packed_as(data: bytes) -> Content:
    """Tell which kind of workbook a zip file is, by names that are never compressed."""
    if b"opendocument.spreadsheet" in data[:200]:  # ODF 1.2 part 3, 3.3
        return Content.ODS
    return Content.XLSB if b"xl/workbook.bin" in data else Content.ZIP


def refuse_renamed(path: Path, content: Content) -> None:
    """Raise ManifestError for a file whose suffix does not fit its content.

    Excel and LibreOffice refuse most of them, or ask: the person wanted another format.
    """
    suffix = path.suffix.lower()
    if suffix in _SUFFIXES.get(content, ()):
        return
    if content is Content.TEXT:
        action = f"If it is a CSV file, rename it to {path.stem}.csv."
    elif content in _SUFFIXES:
        action = f"Rename it to {path.stem}{_SUFFIXES[content][0]}."
    else:
        action = "Open it in a spreadsheet program and save it as an Excel workbook (.xlsx)."
    raise ManifestError(f"{path.name} is named {suffix}, but it is {content.value}.", action=action)


def _other_place(path: Path) -> str | None:
    """Say in which folder here the path does lead to a file: a new window opens one too high."""
    try:
        here = [] if path.is_absolute() else sorted(islice(Path().iterdir(), _MOST_FOLDERS))
        found = next((folder for folder in here if (folder / path).is_file()), None)
    except OSError:
        return None
    return None if found is None else f"It is in the folder {found}: cd {quote_name(str(found))}"


def explain_missing(path: Path) -> ManifestError:
    """Return why a table cannot be read that is not there, with the names that may be meant."""
    folder = path.parent
    if not folder.is_dir():
        why = f"{path} does not exist: there is no folder {folder}."
        return ManifestError(why, action=_other_place(path))
    tables = _tables_in(folder)
    plain = {name.lower(): name for name in tables}
    close = difflib.get_close_matches(path.name.lower(), plain, n=3, cutoff=0.6)
    same_stem = [name for name in tables if name.lower().split(".")[0] == path.stem.lower()]
    likely = list(dict.fromkeys([*(plain[name] for name in close), *same_stem]))
    found = [folder / name for name in likely] or _same_name_below(path)
    here = "this folder" if folder == Path() else f"the folder {folder}"
    if found:
        action = f"Did you mean {' or '.join(quote_name(str(one)) for one in found)}?"
    elif tables:
        action = f"In {here} there are: {', '.join(tables[:5])}."
    else:
        action = f"There is no table in {here}. To see where there are some: reelsheet"
    return ManifestError(f"{path} does not exist.", action=action)


def _tables_in(folder: Path) -> list[str]:
    return sorted(
        entry.name
        for entry in folder.iterdir()
        if entry.suffix.lower() in _TEXT_SUFFIXES | _WORKBOOK_SUFFIXES
        and not entry.name.startswith("~$")
    )


def _same_name_below(path: Path) -> list[Path]:
    """Return the files of this name one folder deeper: tables lie in `manifests`."""
    try:
        folders = sorted(islice(path.parent.iterdir(), _MOST_FOLDERS))
        return [one for folder in folders if (one := folder / path.name).is_file()][:3]
    except OSError:
        return []
