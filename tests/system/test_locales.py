"""Locales that are not UTF-8, and names of folders that are no text: nothing ends in 70."""

from __future__ import annotations

import os

from tests.system.harness.api import Api
from tests.system.harness.product import Product

PLAIN = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""ASCII for names of files and for all that is printed."""


def test_rows_that_the_locale_cannot_name_are_problems_of_their_own(
    product: Product, api: Api
) -> None:
    """A picture and a video whose names it has no letters for; the other rows run."""
    sheet = product.folder / "m.csv"
    lines = [
        "key,prompt,image_1",
        "MUG-1,A mug turns,日本語.png",
        "Tä-日,A vase turns,",
        "C,Gläser,",
    ]
    sheet.write_text("\n".join(lines) + "\n", encoding="utf-8")
    checked = product("check", sheet, "--json", env=PLAIN)
    assert checked.code == 2
    problems = {one["row"]: one for one in checked.json["problems"] if one["severity"] == "error"}
    assert {row: one["code"] for row, one in problems.items()} == {
        2: "picture_bad_path",
        3: "name_not_writable",
    }
    assert all("export LC_ALL=C.UTF-8" in one["message"] for one in problems.values())
    ended = product("run", sheet, env=PLAIN)
    assert ended.code == 1, ended.err
    sent = [one["prompt"] for one in api.records()["submissions"]]
    assert {"Gläser"} == {"A mug turns", "A vase turns", "Gläser"}.intersection(sent)
    assert product("status", sheet, "--rows", env=PLAIN).code == 0


def test_a_folder_whose_name_is_no_text(product: Product, api: Api) -> None:
    """Latin-1 bytes in the path of the manifest and of its output: run, and known again."""
    folder = product.folder / os.fsdecode(b"f\xfcr")
    folder.mkdir()
    sheet = folder / os.fsdecode(b"m\xe4.csv")
    sheet.write_text("key,prompt\nA,A mug in a folder\n", encoding="utf-8")
    for env in (PLAIN, {}):
        ended = product("run", sheet, env=env)
        assert ended.code == 0, ended.err
    sent = [one["prompt"] for one in api.records()["submissions"]]
    assert sent.count("A mug in a folder") == 1
    assert product("plan", sheet, "--json").json["groups"]["done"] == 1
