"""Files of decisions: what is written is read again, and what is no such file is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.model import Decision
from pipeline.review.exchange import name_of_file, read_file, write_csv, write_json

DECISIONS = [
    Decision("MUG", 1, "aa", "approve", reviewer="Ada", source="file", at=1764230400.125),
    Decision(
        "=cmd|' /C calc'!A0", 12, "bb", "reject", "wrong colour", "=1+1;@SUM\nzweite Zeile",
        '"quoted", text', "cc", "Öle", "file", 1764230401.5,
    ),
    Decision("名前", 2, "dd", "", source="file"),
]  # fmt: skip


@pytest.mark.parametrize("write", ["json", "csv"])
def test_what_is_written_is_read_again(tmp_path: Path, write: str) -> None:
    """Every column; a spreadsheet program runs none of it."""
    pairs = [(one.entry, one) for one in DECISIONS]
    path = tmp_path / f"decisions.{write}"
    text = write_csv("id-1", pairs) if write == "csv" else write_json("id-1", "a.csv", pairs)
    path.write_text(text, encoding="utf-8", newline="")
    found = read_file(path)
    assert found.journal == "id-1"
    assert found.unfit == ()
    assert list(found.decisions) == DECISIONS
    if write == "csv":
        assert ",=" not in text
        assert "'=1+1;'@SUM" in text  # nor does it where lists are separated by semicolons


def test_a_csv_that_excel_saved_with_semicolons(tmp_path: Path) -> None:
    """As it does in half of Europe."""
    path = tmp_path / "saved.csv"
    path.write_text("\ufeffentry;number;sha256;verdict;note\r\nMUG;1;aa;reject;zu dunkel\r\n")
    (one,) = read_file(path).decisions
    assert one == Decision("MUG", 1, "aa", "reject", note="zu dunkel", source="file")


def test_bad_lines_are_told_and_the_others_taken(tmp_path: Path) -> None:
    """With their number and what is wrong."""
    path = tmp_path / "some.csv"
    path.write_text(
        "entry,number,sha256,verdict,at\nMUG,1,aa,maybe,\nMUG,x,aa,approve,\nMUG,1,aa,approve,soon\n"
        "MUG,1,aa,approve,1e300\nBAG,1,cc,approve,2026-11-27T10:00:00+00:00\n"
    )
    found = read_file(path)
    assert [one.entry for one in found.decisions] == ["BAG"]
    assert len(found.unfit) == 4
    assert "some.csv, decision 1: the verdict 'maybe'" in found.unfit[0]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{", "is not whole"),
        (b'{"decisions": 5}', "holds no decisions of reelsheet"),
        (b'{"kind": "reelsheet decisions", "schema": 2, "decisions": []}', "newer version"),
        (b"sku,prompt\nMUG,a mug\n", "there is no column entry"),
        (b"", "there is no column"),
        (b"\xff\xfe", "not UTF-8"),
        (b"{" * 100_000, "is not whole"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    """With a sentence that says what it lacks."""
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=sentence):
        read_file(path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_file(tmp_path)


@pytest.mark.parametrize(
    ("manifest", "name"),
    [
        ("a shop.xlsx", "decisions-a_shop.json"),
        ("Öle ; ..x.csv", "decisions-Öle_..x.json"),
        ("...", "decisions-_.json"),
    ],
)
def test_the_name_of_a_file_is_plain(manifest: str, name: str) -> None:
    """Whatever the manifests are called."""
    assert name_of_file(Path("in", manifest)) == name


def test_a_text_that_is_none_is_refused(tmp_path: Path) -> None:
    """A list in the place of a note is somebody's own file."""
    path = tmp_path / "own.json"
    text = write_json("id", "a.csv", [("MUG", replace(DECISIONS[0], note="NOTE"))])
    path.write_text(text.replace('"NOTE"', "[1]"))
    assert read_file(path).unfit == (f"{path}, decision 1: note is no text.",)
