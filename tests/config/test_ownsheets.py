"""The sheets that a team has written itself, beside its configuration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.config.ownsheets import put_up_own_sheets, read_own_sheet, read_own_sheets
from pipeline.errors import ConfigError
from pipeline.models.shelf import (
    DEFAULT_MODEL,
    known_sheets,
    own_sheets,
    put_up,
    sheet_of,
    shipped_sheets,
)

SHEET = """
sheet = 1
models = ["{name}"]
source = "https://example.test/clip"
read = 2026-11-22
{more}
[fields.duration]
type = "integer"
values = [3, 9]
default = 9
"""


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    yield
    put_up({})


def write(folder: Path, file: str, name: str, more: str = "") -> Path:
    (folder / "models").mkdir(exist_ok=True)
    path = folder / "models" / file
    path.write_text(SHEET.format(name=name, more=more), encoding="utf-8")
    return path


def faults_of(folder: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_own_sheets(folder / "models")
    return "\n".join(caught.value.lines)


def test_they_are_found_by_their_names(tmp_path: Path) -> None:
    """Beside those of the program; another configuration has others."""
    write(tmp_path, "any name.toml", "clip-2")
    (tmp_path / "models" / "notes.txt").write_text("not a sheet")
    put_up_own_sheets(tmp_path)
    assert sheet_of("clip-2").fields["duration"].default == 9
    assert list(own_sheets()) == ["clip-2"]
    assert set(known_sheets()) == {*shipped_sheets(), "clip-2"}
    put_up_own_sheets(tmp_path / "models")
    assert "clip-2" not in known_sheets()
    assert sheet_of("clip-2") is sheet_of(DEFAULT_MODEL)


def test_a_sheet_of_the_program_is_replaced_only_where_that_is_said(tmp_path: Path) -> None:
    """Nobody changes a model by a file that lies there by chance, or replaces what is not."""
    path = write(tmp_path, "grok.toml", "grok-video-1.5")
    assert "write replaces = true to use this one" in faults_of(tmp_path)
    assert sheet_of("grok-video-1.5").picture_counts == (1,)
    write(tmp_path, "grok.toml", "grok-video-1.5", "replaces = true")
    put_up_own_sheets(tmp_path)
    assert sheet_of("grok-video-1.5").picture_counts == (0,)
    path.unlink()
    write(tmp_path, "clip.toml", "clip-2", "replaces = true")
    assert "has no sheet for clip-2; leave it out" in faults_of(tmp_path)


def test_every_fault_of_every_sheet_is_named_at_once(tmp_path: Path) -> None:
    """With its file and its path in it."""
    one = write(tmp_path, "a.toml", "clip-2", "colour = 7")
    two = write(tmp_path, "b.toml", "clip 3", 'verified = "yes"')
    write(tmp_path, "c.toml", "clip-4")
    again = write(tmp_path, "d.toml", "clip-4")
    broken = tmp_path / "models" / "e.toml"
    broken.write_bytes(b"sheet = 1\n\xff")
    huge = tmp_path / "models" / "f.toml"
    huge.write_bytes(b"#" * 200_000)
    folder = tmp_path / "models" / "g.toml"
    folder.mkdir()
    told = faults_of(tmp_path)
    assert f"{one}: colour: " in told
    assert f"{two}: models.0: is no name of a model" in told
    assert f"{two}: verified: " in told
    assert f"{again}: models: clip-4 has a sheet in c.toml, too" in told
    assert f"{broken} is not UTF-8 text." in told
    assert f"{huge} is too large" in told
    assert f"{folder} cannot be read: " in told
    assert f"{tmp_path / 'models'} have 7 faults:" in told


def test_line_ends_and_marks_of_windows(tmp_path: Path) -> None:
    """As its editors write them."""
    path = write(tmp_path, "a.toml", "clip-2")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_own_sheet(path).sheet.head.models == ["clip-2"]


def test_no_folder_is_no_fault(tmp_path: Path) -> None:
    """Most teams write none; a file of that name is none of theirs either."""
    assert read_own_sheets(tmp_path / "models") == []
    (tmp_path / "models").write_text("a list of shoe models")
    assert read_own_sheets(tmp_path / "models") == []
