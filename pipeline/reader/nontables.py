"""What is named in the place of a table but is none: web addresses, shortcuts, documents.

Each gets the sentence that leads to a file with a table.

Tested in tests/reader/test_nontables.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.concealment import conceal
from pipeline.errors import ManifestError
from pipeline.manifest.wording import quote_name

if TYPE_CHECKING:
    from pathlib import Path

# A path has lost one of the two slashes.
_ADDRESS = re.compile(r"(?P<scheme>https?|ftp):[/\\]+(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_IN_GOOGLE = (
    "In Google Sheets choose File > Download > Microsoft Excel (.xlsx), and name that file."
)
_COPY_TABLE = "Copy its table into a spreadsheet program, save that as .xlsx, and name that file."
_EXPORT = "Export the table as .xlsx or .csv from the program that it was made with, and name that."
_SAVE_AS = "Open it in a spreadsheet program, save it as an Excel workbook (.xlsx), and name that."

_ADDRESSES = (
    ("docs.google.com/spreadsheets", "is a Google Sheets address", _IN_GOOGLE),
    ("docs.google.com/document", "is the address of a Google document", _COPY_TABLE),
    ("drive.google.com", "is a Google Drive address", "Download the table, and name that file."),
    ("dropbox.com", "is a Dropbox address", "Download the table, and name that file."),
    ("1drv.ms", "is a OneDrive address", "Choose File > Create a copy > Download, and name that."),
    (
        "onedrive.",
        "is a OneDrive address",
        "Choose File > Create a copy > Download, and name that.",
    ),
    (
        "sharepoint.com",
        "is a SharePoint address",
        "Choose File > Create a copy > Download a copy, and name that file.",
    ),
    (
        "airtable.com",
        "is an Airtable address",
        "In the menu of the view choose Download CSV, and name that file.",
    ),
)
_FILES: dict[tuple[str, ...], tuple[str, str]] = {
    (".gsheet",): (
        "is only a shortcut to a Google sheet, which is in the web",
        f"Open it with a double click. {_IN_GOOGLE}",
    ),
    (".gdoc", ".gslides"): (
        "is only a shortcut to a Google document, which is in the web and no table",
        f"Open it with a double click. {_COPY_TABLE}",
    ),
    (".url", ".webloc", ".desktop", ".lnk"): (
        "is only a shortcut",
        "Open it with a double click, save the table that it leads to as .xlsx, and name that.",
    ),
    (".numbers",): (
        "is a Numbers document, which only Numbers can read",
        "In Numbers choose File > Export To > Excel, and name that file.",
    ),
    (".pdf",): ("is a PDF document: it shows a table, but holds none", _EXPORT),
    (".doc", ".docx", ".odt", ".rtf", ".pages"): ("is a text document", _COPY_TABLE),
    (".ppt", ".pptx", ".odp", ".key"): ("is a presentation", _COPY_TABLE),
    (".xml",): (
        "holds data of a program",
        (
            "If it is a product feed, this makes a manifest of it: FEED. Otherwise have the "
            "program write a CSV file: a line with the headers, then a line for each video."
        ),
    ),
    (".json", ".jsonl", ".ndjson", ".yaml", ".yml"): (
        "holds data of a program",
        "Have the program write a CSV file: a line with the headers, then a line for each video.",
    ),
    (".html", ".htm", ".mhtml"): ("is a web page", _COPY_TABLE),
    (".zip", ".rar", ".7z", ".gz"): (
        "is a packed file",
        "Unpack it, and name the table that is in it.",
    ),
    (".xltx", ".xltm", ".xlt", ".ots", ".fods", ".dif", ".slk", ".dbf", ".et", ".wk1", ".prn"): (
        "is in a format of spreadsheet programs that is not read",
        _SAVE_AS,
    ),
    (".jpg", ".jpeg", ".png", ".webp", ".gif", ".heic"): (
        "is a picture",
        "To make a manifest of its folder: IMAGES.",
    ),
}
_BY_SUFFIX = {suffix: said for suffixes, said in _FILES.items() for suffix in suffixes}


def is_address(path: Path) -> bool:
    """Tell whether a web address was named in the place of a file."""
    return _ADDRESS.match(str(path)) is not None and not path.exists()


def is_no_table(path: Path) -> bool:
    """Tell whether what was named is a web address, or by its suffix no table."""
    return path.suffix.lower() in _BY_SUFFIX or is_address(path)


def refuse_address(path: Path) -> None:
    """Raise ManifestError if a web address was named in the place of a file."""
    found = _ADDRESS.match(str(path))
    if found is None or path.exists():
        return
    rest = found["rest"].replace("\\", "/")
    address = conceal(f"{found['scheme'].lower()}://{rest}")
    for host, kind, action in _ADDRESSES:
        if host in rest.lower():
            raise ManifestError(f"{address} {kind}; a manifest is a file.", action=action)
    raise ManifestError(
        f"{address} is a web address; a manifest is a file.",
        action="Download the table, and name that file.",
    )


def refuse_no_table(path: Path) -> None:
    """Raise ManifestError if the suffix of a file says that it is no table."""
    kind, action = _BY_SUFFIX.get(path.suffix.lower(), ("", ""))
    if kind:
        raise ManifestError(
            f"{path.name} {kind}; a manifest is a table, and the suffix {path.suffix.lower()!r} "
            "is not known.",
            action=_complete(action, path),
        )


def _complete(action: str, path: Path) -> str:
    """Put in the commands that make a manifest of a product feed, and of a folder of pictures."""
    source, folder = quote_name(str(path)), quote_name(str(path.parent))
    feed, pictures = (quote_name(str(path.with_name(f"{name}-videos.xlsx")))
                      for name in (path.stem, "pictures"))  # fmt: skip
    return action.replace("FEED", f"reelsheet init --from google {source} --output {feed}").replace(
        "IMAGES", f"reelsheet init --from-images {folder} --output {pictures}"
    )
