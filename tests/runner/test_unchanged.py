"""What has become of a manifest since it was read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from pipeline.checker.check import CheckedManifest
from pipeline.disk.folder import OutputFolder
from pipeline.errors import UsageError
from pipeline.model import Manifest
from pipeline.reader.reading import read
from pipeline.runner.unchanged import check_copied, say_changed

CHANGED = "the manifest was changed meanwhile: the run used it as it was at its start. Run again"
GONE = "the manifest is no longer in its place: the run used it as it was at its start. Put it back"


@pytest.fixture
def shop(tmp_path: Path) -> Manifest:
    """A manifest as it was read."""
    path = tmp_path / "shop.csv"
    path.write_text("sku,prompt\nA,a lamp\n", encoding="utf-8")
    return read(path)


def _move_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))
    path.parent.write_text("a file in the place of the folder", encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda path: path.touch(), None),
        (lambda path: path.with_name("~$shop.csv").touch(), None),
        (lambda path: path.write_bytes(path.read_bytes()), None),
        (lambda path: path.write_bytes(b""), CHANGED),
        (lambda path: path.write_bytes(path.read_bytes().replace(b"lamp", b"sofa")), CHANGED),
        (lambda path: (path.unlink(), path.mkdir()), CHANGED),
        (lambda path: (path.unlink(), path.symlink_to(path)), CHANGED),
        (lambda path: path.unlink(), GONE),
        (_move_folder, GONE),
    ],
)
def test_only_other_bytes_are_a_change(
    shop: Manifest, change: Callable[[Path], object], told: str | None
) -> None:
    """A file that is saved as it was, or has a lock file beside it, is the same."""
    change(shop.path)
    said = say_changed(shop, OutputFolder(shop.path.parent / "out"))
    assert said is None if told is None else str(said).startswith(told)


def test_what_the_run_itself_writes_is_no_change(tmp_path: Path) -> None:
    """A run over results.csv writes results.csv."""
    path = tmp_path / "results.csv"
    path.write_text("sku,prompt\nA,a lamp\n", encoding="utf-8")
    manifest = read(path)
    path.write_text("sku,prompt\nA,a sofa\n", encoding="utf-8")
    assert say_changed(manifest, OutputFolder(tmp_path)) is None
    assert say_changed(manifest, OutputFolder(tmp_path / "out")) is not None


@pytest.mark.parametrize("saves", [0, 1, 2, 3])
def test_copy_and_check_are_of_the_same_bytes(tmp_path: Path, saves: int) -> None:
    """It is saved between the two, so many times; results are never written into another file."""
    path, versions = tmp_path / "shop.csv", iter(range(9))

    def save(version: int) -> None:
        path.write_text(f"sku,prompt\nA,a lamp {version}\n", encoding="utf-8")

    @contextlib.contextmanager
    def copy() -> Iterator[Path]:
        made = tmp_path / "copy.csv"
        made.write_bytes(path.read_bytes())
        yield made

    def check() -> CheckedManifest:
        if (version := next(versions)) < saves:
            save(version)
        return CheckedManifest(read(path), {}, (), {}, {}, "model", {}, ())

    save(100)
    with ExitStack() as stack:
        if saves == 3:
            with pytest.raises(UsageError, match="was saved while it was read; nothing was sent"):
                check_copied(path, copy, check, stack)
            return
        source, checked = check_copied(path, copy, check, stack)
        assert source.read_bytes() == path.read_bytes()
        assert read(source).rows == checked.manifest.rows
