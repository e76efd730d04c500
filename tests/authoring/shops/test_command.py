"""`reelsheet init --from`: the command, its summary and its refusals."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.checker.check import check_manifest
from pipeline.cli.app import app
from pipeline.config.settings import Config
from pipeline.errors import UsageError
from pipeline.manifest.wording import quote_name
from tests.system.harness import sheets

LINES = [
    {"Handle": "mug", "Title": "Mug", "Image Src": "https://127.0.0.1/1.jpg"},
    {"Handle": "mug", "Image Src": "https://127.0.0.1/2.jpg"},
]
Save = Callable[..., Path]


def init(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["init", *map(str, arguments)])


@pytest.fixture
def export(save: Save) -> Path:
    return save(("Handle", "Title", "Image Src"), LINES)


def test_a_manifest_is_made(export: Path, tmp_path: Path) -> None:
    """The result goes to standard output, what needs an eye to standard error."""
    target = tmp_path / "deep" / "shop.xlsx"
    told = init("--from", "shopify", export, "--output", target)
    assert told.exit_code == 0
    assert f"created {target} with 1 row\n" in told.stdout
    assert f"reelsheet check {quote_name(str(target))}" in told.stdout
    assert "1 product: 2 pictures found" in told.stderr
    assert check_manifest(target, Config(), cache_dir=None).problems == ()


@pytest.mark.skipif(os.name != "posix", reason="needs rights of POSIX")
@pytest.mark.parametrize("name", ["shop.xlsx", "shop.csv"])
def test_a_manifest_is_seen_by_nobody_who_may_not_see_the_export(
    export: Path, tmp_path: Path, name: str
) -> None:
    """That of an export for its owner alone is so too, and of pictures in a closed folder."""
    export.chmod(0o600)
    target, pictured = tmp_path / name, tmp_path / f"pictures-{name}"
    assert init("--from", "shopify", export, "--output", target).exit_code == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    pictures = tmp_path / "photos"
    pictures.mkdir(mode=0o700)
    sheets.picture(pictures / "mug.png")
    assert init("--from-images", pictures, "--output", pictured).exit_code == 0
    assert stat.S_IMODE(pictured.stat().st_mode) == 0o600


def test_where_pictures_lie_is_known_to_later_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any option, from whatever folder; it is said that other computers do not know it."""
    monkeypatch.chdir(tmp_path)
    Path("meine fotos").mkdir()
    sheets.picture(Path("meine fotos", "mug.png"))
    told = init("--from-images", "meine fotos", "--output", "sheets/photos.csv")
    assert told.exit_code == 0
    assert "is noted on this computer. Elsewhere set manifest.image_root." in told.output
    checked = CliRunner().invoke(app, ["check", "sheets/photos.csv"])
    assert (checked.exit_code, "0 problems" in checked.stdout) == (0, True), checked.stderr
    monkeypatch.chdir("sheets")
    assert CliRunner().invoke(app, ["check", "photos.csv"]).exit_code == 0


def test_nothing_is_written_over(export: Path, tmp_path: Path) -> None:
    """The file that is there keeps its bytes."""
    target = tmp_path / "shop.csv"
    target.write_text("mine", encoding="utf-8")
    told = init("--from", "shopify", export, "--output", target)
    assert isinstance(told.exception, UsageError)
    assert target.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "shopify", "x.csv"), "--output is missing"),
        (("--from", "shopify", "--output", "y.csv"), "export is missing"),
        (("--from", "shopify", "--from-images", ".", "--output", "y.csv"), "choose one"),
        (("--from-images", ".", "z", "--output", "y.csv"), "one folder too many"),
        (("--output", "y.csv"), "can only be used with --from or --from-images"),
        (("--only-active",), "can only be used with --from"),
        (("--pattern", "x"), "can only be used with --from-images"),
        (("--picture-base", "x"), "can only be used with --from"),
        (("--prompt-template", "x"), "can only be used with --from or --from-images"),
        (("--from", "shopify", "x.csv", "--output", "y.docx"), "cannot be the name of a manifest"),
    ],
)
def test_options_that_do_not_go_together(arguments: tuple[str, ...], said: str) -> None:
    """Each is refused before anything is read or written, with what to do."""
    told = init(*arguments)
    assert isinstance(told.exception, UsageError)
    assert said in told.exception.message


@pytest.mark.parametrize(
    ("arguments", "example"),
    [
        (
            ("--from", "shopify", "--output", "y.csv"),
            "--from shopify products_export.csv --output y.csv",
        ),
        (("--from-images", "my photos"), '--from-images "my photos" --output photos.xlsx'),
    ],
)
def test_what_is_missing_comes_with_a_whole_command(
    arguments: tuple[str, ...], example: str
) -> None:
    """It can be pasted: with what was typed, and no manifest that a starter folder has."""
    told = init(*arguments)
    assert isinstance(told.exception, UsageError)
    assert told.exception.action == f"For example: reelsheet init {example}"


def test_the_help_shows_the_way() -> None:
    """The help names both ways to a manifest, with an example of each."""
    text = init("--help").stdout
    assert "reelsheet init --from shopify" in text
    assert "reelsheet init --from-images" in text


def test_an_export_is_read_as_check_reads_it(save: Save, tmp_path: Path) -> None:
    """In a regional encoding: found out and said, or told by each of the options."""
    export = save(
        ("Handle", "Title", "Image Src"),
        [{**LINES[0], "Title": "Eine große Tasse aus weißem Ton, schön für den Tisch"}],
    )
    export.write_bytes(export.read_text(encoding="utf-8").encode("cp1252"))
    found = init("--from", "shopify", export, "--output", tmp_path / "a.csv")
    assert found.exit_code == 0
    assert "read as cp1252" in found.stderr
    config = tmp_path / "my.yaml"
    config.write_text("manifest: {encoding: cp1250}\n", encoding="utf-8")
    ways = [
        ("--encoding", "cp1250"),
        ("--set", "manifest.encoding=cp1250"),
        ("--config", str(config)),
    ]
    for number, way in enumerate(ways):
        target = tmp_path / f"{number}.csv"
        assert init("--from", "shopify", export, "--output", target, *way).exit_code == 0
        assert "Eine große Tasse aus weißem Ton, schön für den Tisch" in target.read_text(
            encoding="utf-8-sig"
        )
    wrong = init("--from", "shopify", export, "--output", tmp_path / "x.csv", "--encoding", "nope")
    assert wrong.exit_code != 0
    assert "--from" in str(init("--encoding", "cp1252").exception)
