"""What is named in the place of a table: each gets the sentence that leads to one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.cli.several import find_manifests
from pipeline.errors import ManifestError
from pipeline.reader.reading import read


@pytest.mark.parametrize(
    ("address", "says", "action"),
    [
        (
            "https://docs.google.com/spreadsheets/d/1a/edit?gid=0#gid=0",
            "Google Sheets",
            "Download >",
        ),
        ("https://docs.google.com/document/d/1a/edit", "Google document", "Copy its table"),
        ("HTTPS://www.dropbox.com/s/x/m.csv?dl=0", "Dropbox", "Download the table"),
        ("https://firma.sharepoint.com/:x:/g/m.xlsx", "SharePoint", "Download a copy"),
        ("http://shop.example/feed.csv?key=secret", "a web address", "Download the table"),
    ],
)
def test_addresses(address: str, says: str, action: str) -> None:
    """A manifest is a file; a pattern is none of them, and no key in one is repeated."""
    path = Path(address)
    assert find_manifests([path]).manifests == (path,)
    with pytest.raises(ManifestError, match="a manifest is a file") as refused:
        read(path)
    assert says in refused.value.message
    assert "https://" in refused.value.message or "http://" in refused.value.message
    assert "secret" not in refused.value.message
    assert action in str(refused.value.action)


@pytest.mark.parametrize(
    ("name", "says", "action"),
    [
        ("m.gsheet", "shortcut to a Google sheet", "Microsoft Excel (.xlsx)"),
        ("m.gdoc", "shortcut to a Google document", "Copy its table"),
        ("m.numbers", "Numbers document", "Export To > Excel"),
        ("m.PDF", "PDF document", "Export the table"),
        ("m.docx", "text document", "Copy its table"),
        ("m.json", "data of a program", "CSV file"),
        ("m.xml", "data of a program", "reelsheet init --from google "),
        ("m.zip", "packed", "Unpack it"),
        ("m.xltx", "not read", "save it as an Excel workbook"),
        ("m.jpg", "picture", "--from-images"),
    ],
)
def test_files(tmp_path: Path, name: str, says: str, action: str) -> None:
    """Their suffix says what they are."""
    path = tmp_path / name
    path.write_bytes(b"{}")
    with pytest.raises(ManifestError) as refused:
        read(path)
    assert refused.value.message.startswith(f"{name} ")
    assert says in refused.value.message
    assert action in str(refused.value.action)


def test_a_numbers_document_may_be_a_folder(tmp_path: Path) -> None:
    """It is none of manifests."""
    path = tmp_path / "m.numbers"
    path.mkdir()
    assert find_manifests([path]).manifests == (path,)
    with pytest.raises(ManifestError, match="Numbers document"):
        read(path)
