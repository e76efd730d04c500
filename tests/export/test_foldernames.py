"""Folders of keys: safe on every file system, and no two the same on any."""

from __future__ import annotations

import unicodedata

import pytest

from pipeline.export.foldernames import folder_names

HOSTILE = [
    "A/B", "A:B", "A_B", "..", ".", "CON", "con", "nul.txt", "-rf", "Größe 38", "mug", "MUG",
    "x" * 900, "x" * 899 + "y", "名前", "media.csv", "MEDIA.CSV", "a\\b", "é", "É", "=1+1", "?",
]  # fmt: skip


def test_plain_keys_stay_as_they_are() -> None:
    """Also those that look like later takes of others."""
    keys = ["MUG", "MUG-1", "MUG-2", "shoe_38", "7.5", "Größe 38"]
    assert folder_names(keys, ["media.csv"]) == {key: key for key in keys}


def test_hostile_keys_are_safe_and_distinct() -> None:
    """As a file system compares them that ignores case and Unicode forms."""
    names = folder_names(HOSTILE, ["media.csv"])
    assert names.keys() == set(HOSTILE)
    folded = {unicodedata.normalize("NFC", name.casefold()) for name in names.values()}
    assert len(folded) == len(HOSTILE)
    assert "media.csv" not in folded
    for name in names.values():
        assert name.strip(" .-") == name
        assert not set('/\\:*?"<>|').intersection(name)
        assert len(f".{name}.mp4.part".encode()) < 255
        assert name.partition(".")[0].casefold() not in {"con", "nul"}


def test_the_order_of_the_rows_does_not_matter() -> None:
    """A second export finds the files of the first."""
    assert folder_names(HOSTILE, []) == folder_names(HOSTILE[::-1], [])


@pytest.mark.parametrize("key", ["", "   ", "///"])
def test_a_name_is_made_where_nothing_is_left(key: str) -> None:
    """With a hash of the key."""
    assert folder_names([key], [])[key].startswith(("video-", "_"))
