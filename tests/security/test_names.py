"""Whatever a row is called: its video stays in its folder and takes nobody else's place."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.checker import naming
from pipeline.config.settings import Config
from pipeline.downloader.transfer import PartFile
from pipeline.errors import ExitCode, StoreError
from pipeline.model import Row
from pipeline.runner.target import resolve_target
from pipeline.storage.places import check_name
from tests.security.shop import Shop
from tests.system.harness import invariants, sheets

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs links")

HOSTILE = (
    "../../x", "/etc/x", "..", ".", "CON", "con.mp4", "NUL", "COM1", "LPT¹", "a.", "a", "A", "A1",
    "a1", "x" * 300, "ü" * 300, "Caf\u00e9", "Cafe\u0301", "\u212bngstrom", "-rf", "~root", "a/b",
    "a\\b", "a:b", "C:\\x", "a|b", "a*", "$(id)", "`id`", "a;b", "a b", ".hidden", "a.mp4",
    "a-2", "\u202egpj.exe", "\u200b", "🎬", "<b>", "'", "%2e%2e%2f", "...", " .. ", "aux.mp4.part",
)  # fmt: skip


def names_of(keys: tuple[str, ...], attempts: int = 3) -> dict[tuple[str, int], str]:
    """Return the file name of every attempt of rows with these keys."""
    rows = [(key, Row(number, (key,))) for number, key in enumerate(keys, 2)]
    bases = naming.video_names(rows, ("sku",), Config().output.name)
    return {
        (key, number): naming.attempt_name(bases[key], number)
        for key in keys
        for number in range(1, attempts + 1)
    }


def test_every_attempt_has_a_file_of_its_own_inside_of_the_folder(tmp_path: Path) -> None:
    """No two meet on any file system, none leaves the folder, each is one that it takes."""
    keys = tuple(dict.fromkeys(filter(None, map(naming.normalise_key, HOSTILE))))
    names = names_of(keys)
    folded = {naming._fold(name) for name in names.values()}
    assert len(folded) == len(names)
    for name in names.values():
        check_name(name)
        part = PartFile(tmp_path, name)
        for path in (part.final, part.path, part.sidecar):
            assert path.parent == tmp_path
            assert Path(os.path.normpath(path)) == path
            path.write_bytes(b"")  # 255 bytes are what most file systems take
            assert len(path.name.encode()) <= 255
    assert len(list(tmp_path.iterdir())) == 3 * len(names)


def test_hostile_keys_from_the_sheet_to_the_videos(shop: Shop) -> None:
    """A whole run over them: each row its own video, nothing outside of the output folder."""
    unique = dict.fromkeys(naming.normalise_key(key) for key in HOSTILE)
    lines = [sheets.row(key, f"shot {n}", duration="4") for n, key in enumerate(unique) if key]
    manifest = sheets.write(shop.folder / "deep" / "er" / "shop.csv", lines)
    manifest.rename(shop.folder / "shop.csv")
    before = {path for path in shop.folder.rglob("*") if not path.is_relative_to(shop.out.root)}
    assert shop.run().exit_code == 0
    after = {path for path in shop.folder.rglob("*") if not path.is_relative_to(shop.out.root)}
    assert after == before
    videos = sorted(shop.out.videos.iterdir())
    assert len(videos) == len(lines)
    assert all(path.is_file() and path.suffix == ".mp4" for path in videos)
    entries = invariants.journal_holds(shop.out.root)
    invariants.rows_hold(shop.api, shop.folder / "shop.csv", shop.out.root, entries)


@contextmanager
def precious(folder: Path) -> Iterator[Path]:
    """A file outside that must stay as it is, in a folder that must stay empty but for it."""
    outside = folder / "outside"
    outside.mkdir()
    file = outside / "precious"
    file.write_bytes(b"precious")
    mode = file.stat().st_mode
    yield file
    assert file.read_bytes() == b"precious"
    assert file.stat().st_mode == mode
    assert list(outside.iterdir()) == [file]


@posix
@pytest.mark.parametrize(
    "place",
    [
        "videos/A.mp4", "journal.db", "run.log", "cache/run.owner.json", "cache/run.lock",
        "cache/reserve", "cache/pictures.db", "videos/.A.mp4.part", "videos/.A.mp4.part.json",
        "results.csv", "summary.json", ".results.csv.part", ".summary.json.part",
    ],
)  # fmt: skip
def test_a_link_in_the_place_of_a_file_leads_nobody_out(shop: Shop, place: str) -> None:
    """It is refused, or replaced by a file; what it points to is not written, nor closed to others.

    Whatever the run could not write it says, and the row is done or can be done by the next run.
    """
    with precious(shop.folder) as file:
        link = shop.out.root / place
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)
        try:
            code = shop.run().exit_code
        except StoreError as error:
            code = error.exit_code
        assert code in {ExitCode.DONE, ExitCode.UNFINISHED}
        link.unlink(missing_ok=True)
        assert shop.run().exit_code == 0


@posix
def test_a_link_in_the_place_of_the_videos_leads_nobody_out(shop: Shop) -> None:
    """The folder of the videos may not be a link; it is said, and nothing is submitted."""
    with precious(shop.folder) as file:
        shop.out.root.mkdir()
        shop.out.videos.symlink_to(file.parent)
        mark = shop.api.mark()
        outcome = shop.run()
        assert outcome.exit_code == ExitCode.UNFINISHED
        assert "videos is a link" in outcome.stops[0].reason
        assert shop.api.calls("submit", since=mark) == []


@posix
@pytest.mark.parametrize("place", ["cache", "cache/pictures"])
def test_a_link_in_the_place_of_the_cache_leads_nobody_out(tmp_path: Path, place: str) -> None:
    """No command works in an output folder whose cache leads elsewhere."""
    with precious(tmp_path) as file:
        link = tmp_path / "out" / place
        link.parent.mkdir(parents=True)
        link.symlink_to(file.parent)
        with pytest.raises(StoreError, match="is a link to another place"):
            resolve_target(tmp_path / "a.csv", out=tmp_path / "out")
        link.unlink()
        resolve_target(tmp_path / "a.csv", out=tmp_path / "out")


@posix
def test_a_pipe_in_the_place_of_a_file_hangs_nobody(shop: Shop) -> None:
    """To open a pipe would wait for its reader for ever."""
    shop.out.root.mkdir()
    os.mkfifo(shop.out.log)
    with pytest.raises(StoreError, match=r"run\.log cannot be written"):
        shop.run()
