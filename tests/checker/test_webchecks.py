"""What stands at the addresses of pictures becomes problems of the rows that name them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.checker.check import check_manifest
from pipeline.checker.webchecks import web_addresses, with_web_pictures
from pipeline.cli.app import app
from pipeline.config.settings import Config
from pipeline.downloader.webpictures import WebFault, WebPicture
from pipeline.model import Severity
from pipeline.pictures.accepted import FORMAT_OF
from pipeline.pictures.heads import PictureHead
from pipeline.runner.webcheck import WebLook

AT = "https://shop.example/"


def head(width: int, height: int, kind: str = "JPEG") -> PictureHead:
    return PictureHead(FORMAT_OF[kind].shown, FORMAT_OF[kind], width, height)


FOUND: dict[str, WebPicture | WebFault] = {
    f"{AT}good.jpg": WebPicture(head(1024, 576)),
    f"{AT}small.jpg": WebPicture(head(160, 90)),
    f"{AT}tall.jpg": WebPicture(head(600, 1600)),
    f"{AT}page.jpg": WebPicture(PictureHead("a web page")),
    f"{AT}old.tif": WebPicture(head(900, 600, "TIFF")),
    f"{AT}large.jpg": WebPicture(head(1024, 576), 12_000_000),
    f"{AT}gone.jpg": WebFault("There is nothing at the address (HTTP 404).", certain=True),
    f"{AT}shy.jpg": WebFault("The host answers with HTTP 403.", certain=False),
}


def test_each_is_a_problem_of_its_cell(tmp_path: Path) -> None:
    """What the provider certainly cannot get keeps its row from being sent; the rest is said."""
    path = tmp_path / "shop.csv"
    lines = [f"K{n},A mug number {n},{url}" for n, url in enumerate(FOUND)]
    path.write_text("\n".join(["sku,prompt,image_1", *lines]), encoding="utf-8")
    checked = check_manifest(path, Config(), cache_dir=None)
    assert web_addresses(checked) == list(FOUND)
    looked = with_web_pictures(checked, FOUND)
    said = [(one.row, one.column, one.code, one.severity is Severity.ERROR)
            for one in looked.problems]  # fmt: skip
    assert said == [
        (None, None, "picture_small", False),
        (4, "image_1", "picture_shape", False),
        (5, "image_1", "picture_web_kind", True),
        (6, "image_1", "picture_web_format", False),
        (7, "image_1", "picture_web_large", False),
        (8, "image_1", "picture_web_unseen", True),
        (9, "image_1", "picture_web_unseen", False),
    ]
    assert "small.jpg (160 x 90, row 3)" in looked.problems[0].message
    assert "600 x 1600" in looked.problems[1].message
    assert looked.problems[2].message.startswith(f"{AT}page.jpg leads to a web page.")
    assert [*looked.drafts] == [2, 3, 4, 6, 7, 9]


def test_without_web_pictures_nobody_is_asked(tmp_path: Path) -> None:
    """A table of texts is as it was."""
    path = tmp_path / "shop.csv"
    path.write_text("sku,prompt\nA,A mug turns\n", encoding="utf-8")
    checked = check_manifest(path, Config(), cache_dir=None)
    assert web_addresses(checked) == []
    assert with_web_pictures(checked, {}).problems == ()


@pytest.mark.parametrize(
    ("look", "sentence"),
    [
        (WebLook(1, 1), "1 web picture looked at, all there."),
        (WebLook(12, 10), "12 web pictures looked at: 10 there, 2 not."),
    ],
)
def test_the_figures_in_words(look: WebLook, sentence: str) -> None:
    """They are the last line but one of a check."""
    assert look.sentence == sentence


def test_the_command_looks_at_the_web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in a private network is asked, and the figures are in the document, too."""
    monkeypatch.chdir(tmp_path)
    Path("shop.csv").write_text(
        "sku,prompt,image_1\nA,A mug turns,http://127.0.0.1:9/a.jpg\nB,A bag turns,\n", "utf-8"
    )
    said = CliRunner().invoke(app, ["check", "shop.csv", "--fetch", "--json"])
    document = json.loads(said.stdout)
    assert said.exit_code == 2
    assert document["fetched"] == {"addresses": 1, "pictures": 0}
    (problem,) = document["problems"]
    assert (problem["row"], problem["code"]) == (2, "picture_web_unseen")
    assert "private or reserved network" in problem["message"]
    assert document["valid"] == 1
    said = CliRunner().invoke(app, ["check", "shop.csv", "--fetch"])
    assert "1 web picture looked at: 0 there, 1 not." in said.stdout
    said = CliRunner().invoke(app, ["check", "shop.csv", "--json"])
    assert (said.exit_code, "fetched" in json.loads(said.stdout)) == (0, False)
