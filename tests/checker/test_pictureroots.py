"""A manifest made of a folder elsewhere finds its pictures without any option."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from pipeline.checker.check import check_manifest
from pipeline.checker.pictureroots import better_root, remember_root, remembered_root
from pipeline.config.settings import Config


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    (tmp_path / "tables").mkdir()
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (640, 640), "green").save(tmp_path / "photos" / "mug.jpg")
    path = tmp_path / "tables" / "m.csv"
    path.write_text("key,prompt,image_1\nmug,A mug turns on a table,mug.jpg\n")
    return path


def test_the_noted_folder(manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is used from any working folder, for this manifest alone, and nothing else is sent."""
    photos = manifest.parent.parent / "photos"
    assert check_manifest(manifest, Config(), cache_dir=None).problems
    assert remember_root(manifest, photos)
    monkeypatch.chdir("/")
    assert check_manifest(manifest, Config(), cache_dir=None).problems == ()
    other = manifest.with_name("other.csv")
    other.write_bytes(manifest.read_bytes())
    assert remembered_root(other) is None
    assert check_manifest(other, Config(), cache_dir=None).problems
    manifest.write_text("key,prompt,image_1\nmug,A mug turns,../secret.jpg\n")
    Image.new("RGB", (640, 640)).save(manifest.parent.parent / "secret.jpg")
    (problem,) = check_manifest(manifest, Config(), cache_dir=None).problems
    assert problem.code == "picture_outside"


def test_pictures_beside_the_manifest(manifest: Path) -> None:
    """Where more of them are there, the note does not count; nor if its folder is gone."""
    photos = manifest.parent.parent / "photos"
    remember_root(manifest, photos)
    home = manifest.parent
    assert better_root(manifest, ["mug.jpg"], home) == photos.resolve()
    (home / "mug.jpg").write_bytes(b"x")
    assert better_root(manifest, ["mug.jpg"], home) == home
    assert better_root(manifest, ["https://example.com/a.jpg"], home) == home
    (photos / "mug.jpg").unlink()
    photos.rmdir()
    assert remembered_root(manifest) is None


def test_a_damaged_note(manifest: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is as none; where none can be made that is told."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    remember_root(manifest, manifest.parent)
    (note,) = (tmp_path / "state").rglob("*.json")
    note.write_text("[1]")
    assert remembered_root(manifest) is None
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    assert not remember_root(manifest, manifest.parent)
