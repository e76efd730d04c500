"""Files that are not what they are named, or not there: each has its own sentence."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest

from pipeline.errors import ManifestError
from pipeline.reader.reading import read
from tests.corpus.workbooks import compound

if TYPE_CHECKING:
    from tests.reader.conftest import MakeBook


def fault(path: Path) -> tuple[str, str]:
    with pytest.raises(ManifestError) as caught:
        read(path)
    return caught.value.message, str(caught.value.action)


def book() -> bytes:
    out = io.BytesIO()
    workbook = openpyxl.Workbook()
    workbook.worksheets[0].append(["prompt"])
    workbook.save(out)
    return out.getvalue()


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_a_missing_file_suggests_its_neighbour(tmp_path: Path) -> None:
    """A typing error is met with what is there."""
    put(tmp_path, "products.csv", b"prompt\n")
    message, action = fault(tmp_path / "product.csv")
    assert "does not exist" in message
    assert "products.csv" in action
    assert "products.csv" in fault(tmp_path / "products.xlsx")[1]
    assert "no folder" in fault(tmp_path / "nowhere" / "a.csv")[0]


def test_what_a_missing_file_suggests_can_be_pasted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its folder, in quotes where they are needed, also where the folder was left out."""
    (tmp_path / "my tables").mkdir()
    put(tmp_path / "my tables", "shop.csv", b"prompt\n")
    monkeypatch.chdir(tmp_path)
    assert fault(Path("my tables/shp.csv"))[1] == 'Did you mean "my tables/shop.csv"?'
    assert fault(Path("shop.csv"))[1] == 'Did you mean "my tables/shop.csv"?'
    nothing = "There is no table in this folder. To see where there are some: reelsheet"
    assert fault(Path("a.csv"))[1] == nothing
    assert fault(Path("my tables/zzz.xlsx"))[1] == "In the folder my tables there are: shop.csv."


def test_a_window_that_was_opened_one_folder_too_high(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder in which the path leads somewhere is named, with the command that goes there."""
    (tmp_path / "my videos" / "manifests").mkdir(parents=True)
    put(tmp_path / "my videos" / "manifests", "shop.csv", b"prompt\n")
    monkeypatch.chdir(tmp_path)
    message, action = fault(Path("manifests/shop.csv"))
    assert message == "manifests/shop.csv does not exist: there is no folder manifests."
    assert action == 'It is in the folder my videos: cd "my videos"'
    assert fault(Path("manifests/other.csv"))[1] == "None"


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.csv", b"", "0 bytes"),
        ("~$a.xlsx", b"x", "lock file"),
        ("a.xlsx", b"id,prompt\n", "named .xlsx, but it is a text file"),
        ("a.csv", book(), "named .csv, but it is an Excel workbook"),
        ("a.xls", b"<html><table></table></html>", "named .xls, but it is a web page"),
        ("a.xls", b'<?xml version="1.0"?><Workbook/>', "but it is an XML document"),
        ("a.csv", b"%PDF-1.7", "but it is a PDF document"),
        ("a.xlsx", book()[:2000], "damaged or incomplete"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600, "damaged or incomplete"),
        (
            "a.xlsx",
            compound(b"", "EncryptedPackage"),
            "protected by a password",
        ),
        ("a.docx", book(), "suffix '.docx' is not known"),
    ],
)
def test_each_wrong_file_has_its_sentence(
    tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    """Never a traceback, always the name and what to do."""
    message, action = fault(put(tmp_path, name, data))
    assert words in message
    assert name in message
    assert action != "None"


def test_a_folder_and_an_unreadable_file_are_said(tmp_path: Path) -> None:
    """What cannot be opened is told apart from what is damaged."""
    folder = tmp_path / "tables.csv"
    folder.mkdir()
    assert "is a folder" in fault(folder)[0]
    loop = tmp_path / "loop.csv"
    try:
        loop.symlink_to(loop)
    except OSError:
        pytest.skip("this system makes no links")
    assert "loop.csv" in fault(loop)[0]


def odd_files(folder: Path) -> dict[str, Path]:
    """What is no file: a pipe, a socket, a device, and links to them."""
    made = {name: folder / f"{name}.csv" for name in ("pipe", "socket", "device")}
    os.mkfifo(made["pipe"])
    with contextlib.chdir(folder), socket.socket(socket.AF_UNIX) as server:  # short enough a name
        server.bind("socket.csv")
    made["device"].symlink_to("/dev/zero")
    for name in ("pipe", "socket"):
        (folder / f"link-{name}.xlsx").symlink_to(made[name])
    return made


@pytest.mark.skipif(os.name != "posix", reason="has no pipes with names")
def test_what_is_no_file_is_never_opened(tmp_path: Path) -> None:
    """A pipe would wait for its writer for ever, and a device never ends: both are refused."""
    made = odd_files(tmp_path)
    links = [path for path in tmp_path.iterdir() if path not in made.values()]
    for path in (*made.values(), *links):
        message, action = fault(path)
        assert "not a file" in message
        assert str(path) in message
        assert "file" in action


def test_any_zip_file_is_not_a_workbook(tmp_path: Path) -> None:
    """A renamed document of another program is told."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("word/document.xml", "<w/>")
    assert "no workbook" in fault(put(tmp_path, "a.xlsx", out.getvalue()))[0]


def test_a_zip_bomb_is_refused_by_its_declared_size(make_book: MakeBook) -> None:
    """A part that inflates hundreds of times is not inflated."""
    assert "would unpack" in fault(make_book(f"<sheetData>{' ' * 40_000_000}</sheetData>"))[0]


def test_a_zip_bomb_that_lies_is_not_inflated(make_book: MakeBook) -> None:
    """A declared size that is too small ends the inflating, by its checksum."""
    strings = "<x/>" * 2_000_000
    path = make_book("", strings=(strings,))
    size = next(
        i.file_size for i in zipfile.ZipFile(path).infolist() if i.filename.endswith("Strings.xml")
    )
    data = path.read_bytes()
    path.write_bytes(data.replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    assert "damaged" in fault(path)[0]


def test_a_wide_and_mostly_empty_sheet_is_refused(make_book: MakeBook) -> None:
    """A rectangle of a thousand million cells is never made."""
    header = "".join(f'<c t="inlineStr"><is><t>h{i}</t></is></c>' for i in range(16_384))
    rows = "".join(f'<row r="{i}"><c><v>1</v></c></row>' for i in range(2, 5000))
    message, _ = fault(make_book(f'<row r="1">{header}</row>{rows}'))
    assert "16,384 columns" in message


def test_entities_are_not_expanded(make_book: MakeBook) -> None:
    """A document type in a workbook is an attack."""
    path = make_book("")
    out = io.BytesIO()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(out, "w") as target:
        for info in source.infolist():
            data = source.read(info)
            if info.filename == "xl/workbook.xml":
                data = data.replace(b"<workbook", b'<!DOCTYPE x [<!ENTITY a "b">]><workbook', 1)
            target.writestr(info.filename, data)
    path.write_bytes(out.getvalue())
    assert "document type" in fault(path)[0]


def test_a_bomb_of_cells_is_refused(make_book: MakeBook) -> None:
    """A small file with a million equal cells is refused before they are made."""
    row = "<row>" + "<c><v>1</v></c>" * 16 + "</row>"
    message, _ = fault(make_book(row * 25_000))
    assert "cells into" in message or "would unpack" in message
