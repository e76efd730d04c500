"""`prune`: what nobody needs goes, what was paid for stays, and nothing is bought again."""

from __future__ import annotations

from pathlib import Path

from tests.system.harness import invariants, sheets
from tests.system.harness.api import Api, wait_for
from tests.system.harness.product import Product


def test_what_nobody_needs_goes_and_nothing_is_bought_again(product: Product, api: Api) -> None:
    """A take that was made again, a video that was handed over; later nights are done and quiet."""
    words = f"{product.folder.name} {{}}"
    manifest = sheets.write(product.folder / "a b.csv", sheets.rows(3, prompt=words))
    out = product.folder / "outputs" / "a b"
    sets = {"night.manifests": "['a b.csv']"}
    assert product("night", sets=sets).code == 0
    assert product("run", manifest, "--redo", "P0002").code == 0
    assert product("review", manifest, "--approve", "P0001").code == 0
    assert product("export", manifest, "--quiet").code == 1
    sent = len(api.records()["submissions"])
    videos = {one.name for one in (out / "videos").iterdir()}
    assert videos == {"P0001.mp4", "P0002.mp4", "P0002-2.mp4", "P0003.mp4"}

    young = product("prune")
    assert young.code == 0, young.err
    assert "nothing to remove in 1 output folder" in young.out
    assert "takes: not old enough" in young.out
    shown = product("prune", manifest, "--older-than", "0s")
    assert "2 files, " in shown.out
    assert "--yes removes them" in shown.out
    assert "takes: the only copy of what was paid for" in shown.out
    assert {one.name for one in (out / "videos").iterdir()} == videos
    kinds = product("prune", out, "--older-than", "0s", "--kinds", "takes", "--yes", "--json").json
    assert (kinds["removed"], kinds["files"]) == (True, 1)
    paths = kinds["folders"][0]["kinds"]["takes"]["paths"]
    assert [Path(one).name for one in paths] == ["P0002.mp4"]
    removed = product("prune", "--older-than", "0s", "--yes")
    assert "1 file removed, " in removed.out
    assert {one.name for one in (out / "videos").iterdir()} == {"P0002-2.mp4", "P0003.mp4"}

    sheets.long_ago(out)
    for _ in range(2):
        night = product("night", sets=sets)
        assert night.code == 0, night.err
        results = sheets.results(out)
        assert {one["result_state"] for one in results} == {"done"}
        assert not any(one["result_warnings"] for one in results)
    assert len(api.records()["submissions"]) == sent
    assert product("journal", "verify", manifest).code == 0


def test_what_prune_leaves_alone(product: Product, api: Api) -> None:
    """A folder in which a run works, what is no manifest, and kinds that there are not."""
    words = f"{product.folder.name} {{}}"
    manifest = sheets.write(product.folder / "a.csv", sheets.rows(1, prompt=words))
    out = product.folder / "outputs" / "a"
    assert "nothing to remove in 0 output folders" in product("prune").out
    assert product("prune", "gone.csv").code == 2
    unknown = product("prune", "--kinds", "takes,all")
    assert (unknown.code, "The kinds are: rehearsals, parts" in unknown.err) == (2, True)
    assert product("prune", "--kinds", "").code == 2
    api.faults("query_never_finishing")
    run = product.start("run", manifest)
    wait_for("a run", (out / "cache" / "run.owner.json").exists)
    busy = product("prune", "--older-than", "0s", "--yes")
    assert busy.code == 75, busy.err
    assert "another run works in" in busy.err
    assert product("prune", manifest, "gone.csv").code == 75
    run.kill()
    run.communicate()
    api.faults()
    assert product("run", manifest).code == 0
    invariants.hold(api, product, manifest, out, manifest.read_bytes())
