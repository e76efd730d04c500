"""The review page as files in the output folder."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.checker.rowmodels import say_unchecked
from pipeline.config.settings import Config
from pipeline.errors import StoreError
from pipeline.manifest.invocation import Invocation
from pipeline.manifest.wording import quote_name
from pipeline.models.shelf import put_up, sheet_of
from pipeline.review.static import ASSETS, as_script, asset, write_page
from tests.review.shop import Shop, make_shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = make_shop(tmp_path)
    shop.make("MUG")
    return shop


def write(shop: Shop) -> Path | None:
    return write_page(shop.check(), shop.folder, Config(), Invocation(shop.manifest))


def read(script: bytes) -> Any:
    text = script.decode("ascii")
    return json.loads(json.loads(text.removeprefix("const REVIEW_DATA = JSON.parse(")[:-3]))


def test_the_page_lies_in_the_output_folder(shop: Shop) -> None:
    """With its data, for those who may read the manifest; written again only where it changed."""
    shop.manifest.chmod(0o640)
    before = os.umask(0o022)
    try:
        page = write(shop)
    finally:
        os.umask(before)
    assert page == shop.folder.root / "review.html"
    assert {one.name for one in shop.folder.review.iterdir()} == {*ASSETS, "data.js"}
    data = read((shop.folder.review / "data.js").read_bytes())
    assert data["manifest"] == "shop.csv"
    assert data["rehearsal"] is True
    typed = quote_name(str(shop.manifest))
    assert data["command"] == f"reelsheet run {typed}"
    assert data["importing"] == f"reelsheet review {typed} --import FILE"
    assert data["cards"][0]["takes"][0]["file"] == "MUG.mp4"
    if os.name == "posix":
        assert (shop.folder.review / "data.js").stat().st_mode & 0o777 == 0o640
    times = {one: one.stat().st_mtime_ns for one in shop.folder.review.iterdir()}
    shop.make("BAG")
    write(shop)
    changed = {one.name for one, at in times.items() if one.stat().st_mtime_ns != at}
    assert changed == {"data.js"}


def test_it_says_whose_rules_nothing_has_checked(shop: Shop) -> None:
    """Of rows whose model has a sheet of the team's own alone, on trial and live; of no others."""
    put_up({"clip-2": sheet_of("viduq3-pro")})
    checked, typed = shop.check(), Invocation(shop.manifest)
    live = Config(provider="toapis")
    said = []
    for one, config in ((checked, live), (replace(checked, model="clip-2"), live),
                        (replace(checked, model="clip-2"), Config())):  # fmt: skip
        write_page(one, shop.folder, config, typed)
        said.append(read((shop.folder.review / "data.js").read_bytes())["unchecked"])
    expected = [list(say_unchecked(["clip-2"], rehearses=one)) for one in (False, True)]
    put_up({})
    assert said == [[], *expected]
    assert "were not checked independently. The emulator believes what is sent." in said[2][0]


def test_it_is_not_written_through_a_link(shop: Shop, tmp_path: Path) -> None:
    """Whoever can put a link there would have files of ours written elsewhere."""
    (tmp_path / "elsewhere").mkdir()
    shop.folder.review.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="link"):
        write(shop)
    assert not any((tmp_path / "elsewhere").iterdir())


def test_nothing_in_the_data_ends_the_script() -> None:
    """Neither a tag, nor a line separator, nor half a character."""
    hostile = "</script><!-- <script> \u2028 \ud800 ' \" \\ ]]> 名前"
    script = as_script({"title": hostile})
    assert b"<" not in script
    assert script.isascii()
    assert b"\n" not in script[:-1]
    assert read(script) == {"title": hostile}


def test_the_page_makes_no_text_into_elements() -> None:
    """Only textContent and setAttribute: nothing in it could be a script."""
    script = asset("page.js").decode()
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "Function(",
    ):
        assert word not in script
    page = asset("review.html").decode()
    assert "http" not in page.replace("http-equiv", "")
    assert "style=" not in page
