"""A manifest, or its pictures, changed while the run goes on: no harm is done, and it is said."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.harness import sheets
from tests.system.harness.api import Api, wait_for
from tests.system.harness.product import Product
from tests.system.harness.sampling import few_of

pytestmark = pytest.mark.process

ROWS = sheets.rows(4, duration="4")


def edit(path: Path) -> None:
    """Other prompts, in another order, and fewer of them."""
    rows = [{**one, "prompt": f"{one['prompt']}, new"} for one in reversed(ROWS[:3])]
    sheets.write(path, rows)


def save_as_excel_does(path: Path) -> None:
    """Write another file and put it in the place; a lock file lies beside it."""
    path.with_name(f"~${path.name}").write_bytes(b"x" * 165)
    edit(path.with_name(f"saved{path.suffix}"))
    path.with_name(f"saved{path.suffix}").replace(path)


def truncate(path: Path) -> None:
    path.write_bytes(b"")


def garble(path: Path) -> None:
    path.write_bytes(os.urandom(3000))


def remove(path: Path) -> None:
    path.unlink()


def move_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


WAYS = (edit, save_as_excel_does, truncate, garble, remove, move_folder)


@pytest.mark.parametrize(
    "way",
    few_of(
        [(suffix, way) for suffix in (".csv", ".xlsx") for way in WAYS],
        "remove.csv",
        "save_as_excel_does.xlsx",
        ids=[f"{way.__name__}{suffix}" for suffix in (".csv", ".xlsx") for way in WAYS],
    ),
)
def test_a_changed_manifest_does_no_harm(
    product: Product, api: Api, way: tuple[str, Callable[[Path], None]]
) -> None:
    """Results are those of what was read; the next run sees what there is now."""
    suffix, change = way
    manifest = sheets.write(product.folder / "in" / f"shop{suffix}", ROWS)
    api.faults("query_never_finishing")
    mark = api.mark()
    run = product.start("run", Path("in", manifest.name))
    wait_for("orders", lambda: len(api.calls("submit", since=mark)) == len(ROWS))
    change(manifest)
    api.faults()
    ended = product.end(run)
    assert ended.code == 0, ended.err
    told = [line for line in ended.err.splitlines() if "the run used it as it was" in line]
    assert len(told) == 1
    assert told[0].startswith("note: the manifest ")
    assert "un again" in told[0]
    out = product.folder / "outputs" / "shop"
    written = sheets.results(out)
    assert [(one["sku"], one["prompt"], one["result_state"]) for one in written] == [
        (one["sku"], one["prompt"], "done") for one in ROWS
    ]
    if change is save_as_excel_does:
        again = product("run", Path("in", manifest.name))
        assert again.code == 0, again.err
        assert "edited since the video was made" in again.err
        assert "the run used it" not in again.err
        written = sheets.results(out)
        assert [one["prompt"] for one in written] == [f"shot of P000{n}, new" for n in (3, 2, 1)]
        assert len(api.calls("submit", since=mark)) == len(ROWS)


def test_other_bytes_of_a_picture_are_not_sent_unseen(product: Product, api: Api) -> None:
    """It is replaced after the check: its row is not sent, and says so; the next run checks it."""
    pictures = [sheets.picture(product.folder / f"p{n}.jpg", hue=90 * n) for n in range(2)]
    rows = [{**one, "image_1": path.name} for one, path in zip(ROWS[:2], pictures, strict=True)]
    manifest = sheets.write(product.folder / "shop.csv", rows)
    api.faults("upload_slow@1.5")
    mark, sets = api.mark(), {"limits.uploads": "1"}
    run = product.start("run", manifest, sets=sets)
    wait_for("an upload", lambda: api.calls("upload", since=mark))
    sheets.picture(pictures[1], hue=200)
    ended = product.end(run)
    assert ended.code == 1, ended.err
    assert "has changed since it was checked" in ended.err
    out = product.folder / "outputs" / "shop"
    first, second = sheets.results(out)
    assert (first["result_state"], second["result_state"]) == ("done", "refused")
    assert "has changed since it was checked" in second["result_error"]
    api.faults()
    assert product("run", manifest).code == 0
    assert set(sheets.states(out).values()) == {"done"}
    assert len(api.calls("submit", since=mark)) == 2
