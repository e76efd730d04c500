"""The commands around the main job, one after the other, as a content team uses them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.system.harness import invariants, sheets
from tests.system.harness.api import Api
from tests.system.harness.product import Product


def test_parts_of_a_sheet(product: Product, api: Api) -> None:
    """--dry-run and --strict send nothing; --limit and --only send their part and exit for it."""
    lines = [*sheets.rows(5), sheets.row("BAD", duration="5")]
    manifest = sheets.write(product.folder / "shop.csv", lines)
    out = product.folder / "outputs" / "shop"
    mark = api.mark()
    dry = product("run", manifest, "--dry-run")
    assert dry.code == 0
    assert "5" in dry.out
    strict = product("run", manifest, "--strict")
    assert strict.code == 2
    assert "BAD" in strict.err
    unknown = product("run", manifest, "--only", "P9999")
    assert unknown.code == 2
    assert "P9999" in unknown.err
    assert api.calls(since=mark) == []
    assert not (out / "results.csv").exists()

    limited = product("run", manifest, "--limit", "2")
    assert limited.code == 1, "the two of the limit are done; BAD still needs the user"
    assert [*sheets.states(out).values()] == ["done", "done", *["waiting"] * 3, "invalid"]
    only = product("run", manifest, "--only", "P0004,P0002")
    assert only.code == 0
    assert sheets.states(out)["P0004"] == "done"
    assert sheets.states(out)["P0003"] == "waiting"
    assert len(api.calls("submit", since=mark)) == 3
    invariants.hold(api, product, manifest, out, manifest.read_bytes())


def test_edited_rows_and_new_takes(product: Product, api: Api) -> None:
    """An edited done row waits for --redo changed; a new take never overwrites the old video."""
    manifest = sheets.write(product.folder / "shop.csv", sheets.rows(3))
    out = product.folder / "outputs" / "shop"
    assert product("run", manifest, "-q").code == 0
    first = (out / "videos" / "P0001.mp4").read_bytes()

    edited = sheets.rows(3)
    edited[0]["prompt"] = "another shot of P0001"
    sheets.write(manifest, edited)
    mark = api.mark()
    planned = product("plan", manifest)
    assert "to submit: 0 rows" in planned.out
    assert "left alone: 1 row edited since the video was made; --redo changed" in planned.out
    left = product("run", manifest, "-q")
    assert left.code == 0, "a changed row that is done does not count"
    assert api.calls(since=mark) == []
    assert "--redo changed" in sheets.results(out)[0]["result_action"]

    assert product("run", manifest, "-q", "--redo", "changed,P0002").code == 0
    result = sheets.results(out)[0]
    assert (result["result_video"], result["result_attempts"]) == ("videos/P0001-2.mp4", "2")
    assert (out / "videos" / "P0001.mp4").read_bytes() == first

    assert sheets.results(out)[1]["result_video"] == "videos/P0002-2.mp4"
    assert len(api.calls("submit", since=mark)) == 2
    invariants.hold(api, product, manifest, out, manifest.read_bytes())

    (out / "results.csv").unlink()
    mark = api.mark()
    assert product("report", manifest).code == 0
    assert [*sheets.states(out).values()] == ["done"] * 3
    assert api.calls(since=mark) == []

    (out / "videos" / "P0003.mp4").unlink()
    assert product("fetch", manifest, "-q").code == 0
    assert api.calls("submit", since=mark) == []
    invariants.hold(api, product, manifest, out, manifest.read_bytes())


def test_failed_rows_get_new_attempts_up_to_the_limit(product: Product, api: Api) -> None:
    """Failed rows exit 1 and are left alone by `run`; `retry` makes attempt 2 with its own file."""
    lines = [
        sheets.row("OK"),
        sheets.row("ONCE"),
        sheets.row("EVER", prompt="[fault:query_failed_error@content_policy_violation] bad"),
        sheets.row("WHY", prompt="[fault:query_failed_reason] vague"),
    ]
    manifest = sheets.write(product.folder / "shop.csv", lines)
    out = product.folder / "outputs" / "shop"
    api.faults("query_failed_error@internal_error")
    assert product("run", manifest, "-q", "--only", "ONCE").code == 1
    api.faults()
    assert product("run", manifest, "-q").code == 1
    by_key = {one["sku"]: one for one in sheets.results(out)}
    assert [one["result_state"] for one in by_key.values()] == ["done", *["failed"] * 3]
    assert "content_policy_violation" in by_key["EVER"]["result_error"]
    assert "prompt" in by_key["EVER"]["result_action"]
    assert "retry" in by_key["ONCE"]["result_action"]

    mark = api.mark()
    assert product("retry", manifest, "-q").code == 1
    assert len(api.calls("submit", since=mark)) == 2, "no retry helps what the policy forbids"
    once = next(one for one in sheets.results(out) if one["sku"] == "ONCE")
    assert (once["result_state"], once["result_attempts"]) == ("done", "2")
    assert once["result_video"] == "videos/ONCE-2.mp4"
    references = [one["client_business_id"] for one in api.accepted("shot of ONCE")]
    assert len(set(references)) == 2

    assert product("run", manifest, "-q", "--retry", "failed").code == 1
    mark = api.mark()
    assert product("retry", manifest, "-q").code == 1, "three attempts are made"
    assert product("fetch", manifest, "-q").code == 0, "they ended before it began"
    assert api.calls("submit", since=mark) == []
    invariants.hold(api, product, manifest, out, manifest.read_bytes())


def test_an_output_folder_belongs_to_one_manifest(product: Product, api: Api) -> None:
    """A copy elsewhere has its own and pays nothing; whoever names another's folder is refused."""
    here = sheets.write(product.folder / "a" / "shop.csv", sheets.rows(1))
    there = sheets.write(product.folder / "b" / "shop.csv", sheets.rows(1))
    outputs = product.folder / "outputs"
    assert product("run", here, "-q").code == 0
    mark = api.mark()
    copied = product("run", there, "-q")
    assert copied.code == 0, copied.err
    assert f"outputs/shop belongs to another manifest of that name, {here}" in copied.err
    assert sorted(path.name for path in outputs.iterdir()) == ["shop", "shop-2"]
    (row,) = sheets.results(outputs / "shop-2")
    assert (row["result_state"], row["result_attempts"]) == ("done", "0")
    assert row["result_warnings"].startswith(f"taken from P0001 of {here}")
    assert product("run", there, "-q", "--adopt").code == 0
    others = sheets.write(product.folder / "c" / "shop.csv", sheets.rows(2, "other {}"))
    before = (outputs / "shop" / "results.csv").read_bytes()
    for manifest in (others, there):
        refused = product("run", manifest, "-q", "--out", outputs / "shop")
        assert refused.code == 2
        assert f"belongs to another manifest: {here}" in refused.err
        assert "--adopt" not in refused.err, "it would mix the two"
        adopting = product("run", manifest, "-q", "--adopt", "--out", outputs / "shop")
        assert adopting.code == 2
    assert (outputs / "shop" / "results.csv").read_bytes() == before
    here.unlink()
    moved = sheets.write(product.folder / "d" / "shop.csv", sheets.rows(1))
    assert product("run", moved, "-q", "--adopt").code == 0
    assert sorted(path.name for path in outputs.iterdir()) == ["shop", "shop-2"], "it moved there"
    assert api.calls(since=mark) == []


def test_a_gone_row_is_still_fetched(product: Product, api: Api, tmp_path: Path) -> None:
    """A row that left the sheet while its task ran is fetched by the next run, not submitted."""
    manifest = sheets.write(tmp_path / "shop.csv", sheets.rows(2))
    api.faults("query_never_finishing")
    slow = product("run", manifest, "-q", sets={"polling.deadline_s": "0.5"})
    assert slow.code == 5, slow.err
    out = tmp_path / "outputs" / "shop"
    assert [*sheets.states(out).values()] == ["running"] * 2
    api.faults()
    sheets.write(manifest, sheets.rows(1))
    mark = api.mark()
    assert product("fetch", manifest, "-q").code == 0
    assert api.calls("submit", since=mark) == []
    assert sorted(path.name for path in (out / "videos").iterdir()) == ["P0001.mp4", "P0002.mp4"]
    invariants.hold(api, product, manifest, out, manifest.read_bytes())


@pytest.mark.long
def test_a_folder_whose_name_is_no_text(rehearsing: Product) -> None:
    """It is a folder like any other."""
    folder = os.fsdecode(os.fsencode(rehearsing.folder) + b"/b\xe4d")
    try:
        Path(folder).mkdir()
    except OSError:
        pytest.skip("this file system takes only names that are text")
    Path(folder, "m.csv").write_text("key,prompt\nA,a mug\n", encoding="utf-8")
    rehearsing.folder = Path(folder)
    ended = rehearsing("run", "m.csv")
    assert ended.code == 0, ended.err
    assert Path(folder, "outputs", "m.rehearsal", "videos", "A.mp4").is_file()
