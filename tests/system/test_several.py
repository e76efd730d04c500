"""Runs over several manifests: together, each with its own folder, journal, log and results."""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.system.harness import invariants, sheets
from tests.system.harness.api import Api, wait_for
from tests.system.harness.product import Product


def named(folder: Path, name: str, count: int, **cells: str) -> Path:
    """Write a manifest whose keys are those of the others, and whose wording is its own."""
    return sheets.write(folder / name, sheets.rows(count, prompt=f"{name} shot of {{}}", **cells))


def lanes_of(api: Api, since: int = 0) -> list[str]:
    """Return which manifest each submission was of, in their order."""
    prompts = {
        one["client_business_id"]: one["prompt"].split(" ")[0]
        for one in api.records()["submissions"]
    }
    return [prompts[call["client_business_id"]] for call in api.calls("submit", since=since)]


def test_manifests_are_made_together(product: Product, api: Api) -> None:
    """In one run, fairly, each into its own folder; the invariants hold in all of them."""
    manifests = [
        named(product.folder, f"{one}.csv", n) for one, n in {"a": 12, "b": 3, "c": 6}.items()
    ]
    before = [manifest.read_bytes() for manifest in manifests]
    mark = api.mark()
    ran = product("run", *manifests, sets={"limits.outstanding": "3"})
    assert ran.code == 0, ran.err
    for manifest, given in zip(manifests, before, strict=True):
        out = product.folder / "outputs" / manifest.stem
        invariants.hold(api, product, manifest, out, given)
        assert sheets.summary(out)["submitted"] == sheets.summary(out)["rows"]
        log = (out / "run.log").read_text(encoding="utf-8")
        runs = set(re.findall(r'"run_id": "([^"]+)"', log))
        assert runs == {sheets.summary(out)["run_id"]}
        assert log.count('"event": "Intended"') == sheets.summary(out)["rows"]
        assert f"{manifest}:" in ran.out
    assert Counter(lanes_of(api, mark)[:9]) == {"a.csv": 3, "b.csv": 3, "c.csv": 3}
    assert "3 manifests together: 21 rows: 21 done; 21 submissions, 21 downloads" in ran.out


def test_the_results_of_a_small_one_are_written_while_others_go_on(
    product: Product, api: Api
) -> None:
    """As soon as its rows are through, with its own summary; only the balance is added later."""
    small, large = named(product.folder, "small.csv", 2), named(product.folder, "large.csv", 60)
    run = product.start("run", large, small, sets={"limits.outstanding": "4"})
    outputs = product.folder / "outputs"
    wait_for("the small one's results", (outputs / "small" / "results.csv").exists)
    wait_for("its end", lambda: sheets.summary(outputs / "small")["finished_at"])
    assert run.poll() is None
    assert not (outputs / "large" / "results.csv").exists()
    assert sheets.summary(outputs / "large")["exit_code"] is None
    early = sheets.summary(outputs / "small")
    assert early["states"] == {"done": 2}
    assert early["balance_after"] is None
    results = (outputs / "small" / "results.csv").stat()
    ended = product.end(run)
    assert ended.code == 0, ended.err
    after = sheets.summary(outputs / "large")["balance_after"]
    assert 0 < after < early["balance_before"]
    assert sheets.summary(outputs / "small") == {**early, "balance_after": after}
    assert (outputs / "small" / "results.csv").stat() == results
    for manifest in (small, large):
        out = outputs / manifest.stem
        invariants.hold(api, product, manifest, out, manifest.read_bytes())
        log = (out / "run.log").read_text(encoding="utf-8")
        assert log.count('"event": "end"') == 1


def test_rows_of_another_lane_are_bought_once_and_copied_at_the_end(
    product: Product, api: Api
) -> None:
    """Two manifests of one run with the same rows: one buys, the other has them when it ends."""
    mark = api.mark()
    both = [
        sheets.write(product.folder / name / "shop.csv", sheets.rows(3, prompt="twice {}"))
        for name in "ab"
    ]
    ran = product("run", *both)
    assert ran.code == 0, ran.err
    assert len(api.calls("submit", since=mark)) == 3
    assert "3 rows got a video that was bought before, free" in ran.err
    attempts = []
    for manifest, name in zip(both, ("shop", "shop-2"), strict=True):
        out = product.folder / "outputs" / name
        invariants.hold(api, product, manifest, out, manifest.read_bytes())
        assert set(sheets.states(out).values()) == {"done"}
        attempts += [one["result_attempts"] for one in sheets.results(out)]
    assert Counter(attempts) == {"1": 3, "0": 3}
    mark = api.mark()
    assert (product("run", *both, "-q").code, api.calls(since=mark)) == (0, [])


@pytest.mark.long
def test_a_video_that_one_lane_brings_home_serves_another(product: Product, api: Api) -> None:
    """The row was moved to the other sheet while it was made: it has its video in the same run."""
    api.faults("query_never_finishing")
    rows = sheets.rows(2, prompt="moved row {}")
    first = sheets.write(product.folder / "first.csv", rows)
    assert product("run", first, "-q", sets={"polling.deadline_s": "0.5"}).code == 5
    api.faults()
    sheets.write(first, [rows[0], *sheets.rows(40, prompt="many more {}")[2:]])
    second = sheets.write(product.folder / "second.csv", [rows[1], sheets.row("NEW", "own row")])
    only = sheets.write(product.folder / "third.csv", rows[1:])
    mark = api.mark()
    ran = product("run", second, only, first, sets={"limits.outstanding": "4"})
    assert ran.code == 0, ran.err
    assert len(api.calls("submit", since=mark)) == 39
    for manifest in (first, second, only):
        out = product.folder / "outputs" / manifest.stem
        assert set(sheets.states(out).values()) == {"done"}
        invariants.hold(api, product, manifest, out, manifest.read_bytes())


def test_equal_rows_of_two_lanes(product: Product, api: Api) -> None:
    """Two in the one and three in the other: three are bought in all, and each row gets its own."""
    both = [
        sheets.write(product.folder / f"{name}.csv", sheets.rows(count, prompt="equal"))
        for name, count in (("two", 2), ("three", 3))
    ]
    mark = api.mark()
    planned = product("plan", *both, "--json").json["manifests"]
    assert [one["video_seconds"] for one in planned] == [12, 6]
    first = product("run", *both)
    assert first.code in {0, 1}, first.err
    assert product("run", *both, "-q").code == 0
    assert len(api.calls("submit", since=mark)) == 3
    for manifest in both:
        out = product.folder / "outputs" / manifest.stem
        assert set(sheets.states(out).values()) == {"done"}
        videos = [path.read_bytes() for path in (out / "videos").iterdir()]
        assert len(set(videos)) == len(videos), "no take serves two rows of a manifest"


def test_rows_of_another_lane_wait_where_they_are_to_be_held(product: Product, api: Api) -> None:
    """With `repeats: hold` nothing is copied, and the row says how to get its video."""
    both = [
        sheets.write(product.folder / name / "shop.csv", sheets.rows(1, prompt="held {}"))
        for name in "ab"
    ]
    mark = api.mark()
    ran = product("run", *both, sets={"repeats": "hold"})
    assert (ran.code, len(api.calls("submit", since=mark))) == (1, 1)
    assert "bought before, and repeats is set to hold" in ran.err


def test_a_run_again_is_free_and_quick(product: Product, api: Api) -> None:
    """Over a folder, twice; the second run makes no call at all."""
    for name in ("a.csv", "b.xlsx"):
        named(product.folder / "sheets", name, 2)
    assert product("run", "sheets").code == 0
    mark = api.mark()
    again = product("run", "sheets")
    assert again.code == 0
    assert api.calls(since=mark) == []
    assert "2 manifests together: 4 rows: 4 done; 0 submissions" in again.out


def test_one_that_cannot_be_used_keeps_no_other_from_its_turn(product: Product, api: Api) -> None:
    """A missing file, a broken sheet, rows that break a rule: the others are made, exit code 1."""
    good = named(product.folder, "good.csv", 2)
    broken = product.folder / "broken.csv"
    broken.write_text("sku,nothing\nA,b\n", encoding="utf-8")
    mark = api.mark()
    ran = product("run", product.folder / "gone.csv", broken, good)
    assert ran.code == 1
    assert "gone.csv" in ran.err
    assert "broken.csv" in ran.err
    assert len(api.calls("submit", since=mark)) == 2
    assert sheets.states(product.folder / "outputs" / "good") == {"P0001": "done", "P0002": "done"}
    assert product("run", product.folder / "gone.csv", broken).code == 2


def test_a_locked_one_counts_as_one(product: Product, api: Api) -> None:
    """Another run has it: the others go on; if it is the only one, the code is 75."""
    held, free = named(product.folder, "held.csv", 1), named(product.folder, "free.csv", 1)
    mark = api.mark()
    first = product.start("run", held, sets={"polling.first_s": "100"})
    wait_for("the first run", lambda: api.calls("submit", since=mark))
    ran = product("run", held, free)
    assert ran.code == 1
    assert f"process {first.pid} on " in ran.err
    assert sheets.states(product.folder / "outputs" / "free") == {"P0001": "done"}
    assert product("run", held, held).code == 75
    first.kill()
    product.end(first)
    assert product("run", held, free).code == 0
    assert len(api.calls("submit", since=mark)) == 2


def test_a_cap_is_over_all_of_them(product: Product, api: Api) -> None:
    """It stops every lane, with code 4, and is said once."""
    manifests = [named(product.folder, f"{one}.csv", 4) for one in "ab"]
    mark = api.mark()
    ran = product("run", *manifests, sets={"budget.videos": "5"})
    assert ran.code == 4
    assert ran.err.count("stopped: a cap is reached") == 1
    assert len(api.calls("submit", since=mark)) == 5
    assert product("run", *manifests).code == 0
    assert len(api.calls("submit", since=mark)) == 8


def test_a_copy_in_the_same_run_is_bought_once(product: Product, api: Api) -> None:
    """The first lane buys, the other waits; when the run ends it gets the videos, free."""
    manifest = named(product.folder, "shop.csv", 3)
    copy = product.folder / "copy.csv"
    copy.write_bytes(manifest.read_bytes())
    mark = api.mark()
    first, second = product("plan", manifest, copy, "--json").json["manifests"]
    assert (first["groups"]["new"], first["video_seconds"]) == (3, 18)
    assert (second["groups"]["repeat"], second["video_seconds"]) == (3, 0)
    assert "to submit: 3 rows, 18 s of video" in product("plan", manifest, copy).out
    ran = product("run", manifest, copy)
    assert ran.code == 0, ran.err
    assert len(api.calls("submit", since=mark)) == 3
    for name in ("shop", "copy"):
        assert set(sheets.states(product.folder / "outputs" / name).values()) == {"done"}
    mark = api.mark()
    assert (product("run", manifest, copy).code, api.calls(since=mark)) == (0, [])


def test_out_is_the_folder_of_the_folders(product: Product, api: Api) -> None:
    """One for each manifest below it, and the next run finds them there."""
    manifests = [named(product.folder / one, "shop.csv", 1) for one in "ab"]
    sheets.write(manifests[1], sheets.rows(1, prompt="another shot of {}"))
    mark = api.mark()
    assert product("run", *manifests, "--out", "films").code == 0
    assert sorted(one.name for one in (product.folder / "films").iterdir()) == ["shop", "shop-2"]
    assert product("run", *reversed(manifests), "--out", "films").code == 0
    assert len(api.calls("submit", since=mark)) == 2


def test_a_kill_is_taken_up_by_each_on_its_own(product: Product, api: Api) -> None:
    """Killed in the middle; then each manifest is run by itself, and nothing is paid twice."""
    manifests = [named(product.folder, f"{one}.csv", 30) for one in "abc"]
    mark = api.mark()
    run = product.start("run", *manifests, sets={"limits.outstanding": "6"})
    wait_for("some submissions", lambda: len(api.calls("submit", since=mark)) > 20)
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    done = 0
    for manifest in manifests:
        out = product.folder / "outputs" / manifest.stem
        assert product("run", manifest, sets={"api.lookup_s": "2"}).code in {0, 3}
        invariants.hold(api, product, manifest, out, manifest.read_bytes())
        states = Counter(sheets.states(out).values())
        # A submission that was killed on its way, and never arrived, is in doubt.
        assert set(states) <= {"done", "in_doubt"}
        done += states["done"]
    assert not api.repeated()
    assert len(api.calls("submit", since=mark)) >= done > 80


def test_an_interrupted_run_writes_the_results_of_all(product: Product, api: Api) -> None:
    """Ctrl-C: no row is left in doubt, each manifest has its results, code 130."""
    manifests = [named(product.folder, f"{one}.csv", 40) for one in "ab"]
    mark = api.mark()
    run = product.start("run", *manifests, sets={"limits.outstanding": "4"})
    wait_for("some submissions", lambda: len(api.calls("submit", since=mark)) > 10)
    os.killpg(run.pid, signal.SIGINT)
    ended = product.end(run)
    assert ended.code == 130
    for manifest in manifests:
        states = sheets.states(product.folder / "outputs" / manifest.stem)
        assert len(states) == 40
        assert not {"in_doubt", "submitting"} & set(states.values())


@pytest.mark.long
@pytest.mark.process
def test_rehearsals_share_nothing_but_the_run(rehearsing: Product) -> None:
    """Each manifest has the emulator of its own folder, with its tasks and its pictures."""
    photo = sheets.picture(rehearsing.folder / "photo.png")
    for name in "ab":
        named(rehearsing.folder, f"{name}.csv", 2, image_1=photo.name)
    fast = {"polling.first_s": "0.2", "polling.interval_s": "0.2"}
    ran = rehearsing("run", "a.csv", "b.csv", sets=fast)
    assert ran.code == 0, ran.err
    for name in "ab":
        out = rehearsing.folder / "outputs" / f"{name}.rehearsal"
        assert set(sheets.states(out).values()) == {"done"}
        assert (out / "cache" / "emulator" / "state.db").is_file() or list(out.rglob("state.db"))
