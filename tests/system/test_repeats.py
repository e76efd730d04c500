"""What the account has bought is never bought again, whatever people do to files and folders.

Each act is done to a sheet that has run, and then the product is run as a process. The API's own
records say what was submitted.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.journal.reading import read_entries
from pipeline.model import State
from tests.system.harness import invariants, sheets
from tests.system.harness.api import KEY, Api
from tests.system.harness.product import Ended, Product

SLOW = {"limits.outstanding": "2"}
PRICE = {"budget.price_per_second": "0.5"}


@dataclass
class Shop:
    """A folder with manifests; each run of one is held against what always holds."""

    product: Product
    api: Api
    mark: int = 0

    @property
    def folder(self) -> Path:
        """Where the manifests lie."""
        return self.product.folder

    def rows(self, *names: str, **cells: str) -> list[dict[str, str]]:
        """Rows whose prompts nobody else has."""
        return [sheets.row(name, f"{self.folder.name}: {name}", **cells) for name in names]

    def write(self, name: str, rows: list[dict[str, str]]) -> Path:
        """Write a manifest."""
        return sheets.write(self.folder / name, rows)

    def run(self, manifest: Path, *options: str | Path, **sets: str) -> Ended:
        """Run a manifest."""
        return self.product("run", manifest, *options, sets={**sets})

    @property
    def submitted(self) -> int:
        """How many POSTs there were since the last time that this was asked."""
        before, self.mark = self.mark, self.api.mark()
        return len(self.api.calls("submit", since=before))

    @property
    def accepted(self) -> Counter[str]:
        """How often the API accepted each prompt of this folder."""
        return Counter(
            one["prompt"].removeprefix(f"{self.folder.name}: ")
            for one in self.api.records()["submissions"]
            if one["prompt"].startswith(f"{self.folder.name}: ")
        )


@pytest.fixture
def shop(product: Product, api: Api) -> Shop:
    """A folder without any manifest."""
    return Shop(product, api, api.mark())


NAMES = ("mug", "bag", "cap")


@pytest.fixture
def bought(shop: Shop) -> Path:
    """A workbook that has run to its end."""
    manifest = shop.write("products.xlsx", shop.rows(*NAMES))
    ended = shop.run(manifest)
    assert ended.code == 0, ended.err
    assert shop.submitted == 3
    return manifest


def of(out: Path) -> list[dict[str, str]]:
    """The results of an output folder."""
    return sheets.results(out)


Act = Callable[[Shop, Path], tuple[Path, Path, list[str]]]
"""Does something ordinary; returns the manifest now, its output folder, and options of the run."""


def saved_copy(shop: Shop, manifest: Path) -> tuple[Path, Path, list[str]]:
    copy = Path(shutil.copy(manifest, shop.folder / "products v2.xlsx"))
    return copy, shop.folder / "outputs" / "products v2", []


def results_of_anna(shop: Shop, manifest: Path) -> tuple[Path, Path, list[str]]:
    results = shop.folder / "outputs" / manifest.stem / "results.xlsx"
    copy = Path(shutil.copy(results, shop.folder / "results Anna.xlsx"))
    return copy, shop.folder / "outputs" / "results Anna", []


def dated(shop: Shop, manifest: Path) -> tuple[Path, Path, list[str]]:
    renamed = manifest.rename(shop.folder / "products-2026-11-27.xlsx")
    return renamed, shop.folder / "outputs" / renamed.stem, []


def other_keys_too(shop: Shop, _: Path) -> tuple[Path, Path, list[str]]:
    rows = [{**row, "sku": f"new {row['sku']}", "note": "spring"} for row in shop.rows(*NAMES)]
    return shop.write("spring.csv", rows), shop.folder / "outputs" / "spring", []


def other_outputs(shop: Shop, manifest: Path) -> tuple[Path, Path, list[str]]:
    copy = Path(shutil.copy(manifest, shop.folder / "again.xlsx"))
    return copy, shop.folder / "made" / "again", ["--set", "output.dir=made"]


def other_out(shop: Shop, manifest: Path) -> tuple[Path, Path, list[str]]:
    out = shop.folder / "elsewhere"
    return manifest, out, ["--out", str(out)]


ACTS: list[Act] = [saved_copy, results_of_anna, dated, other_keys_too, other_outputs, other_out]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_an_ordinary_act_buys_nothing(shop: Shop, bought: Path, act: Act) -> None:
    """The plan says so, with the money; the run copies, calls nobody, and says where from."""
    manifest, out, options = act(shop, bought)
    before = manifest.read_bytes()
    planned = shop.product("plan", manifest, "--json", *options, sets=PRICE).json
    assert planned["groups"]["repeat"] == 3
    assert planned["cost"]["amount"] == 0
    assert planned["cost_saved"] == {"amount": 9.0, "currency": "USD"}
    told = shop.product("plan", manifest, "-v", *options, sets=PRICE).out
    assert "its request was bought for mug of products.xlsx" in told
    assert "not paid again: 3 rows" in told
    assert "18 s of video, 9.00 USD" in told
    assert not out.exists()
    mark = shop.api.mark()

    ended = shop.run(manifest, *options)
    assert ended.code == 0, ended.err
    assert shop.api.calls(since=mark) == []
    assert "3 rows got a video that was bought before, free" in ended.err
    invariants.hold(shop.api, shop.product, manifest, out, before)
    for one in of(out):
        assert (one["result_state"], one["result_attempts"]) == ("done", "0")
        assert one["result_warnings"].startswith("taken from ")
        assert (
            f"--pay-again {one['sku'] if ' ' not in one['sku'] else chr(34)}"
            in (one["result_warnings"])
        )
    assert shop.accepted == dict.fromkeys(NAMES, 1)
    again = shop.run(manifest, *options)
    assert (again.code, shop.submitted) == (0, 0)


def test_another_working_folder_and_another_key(shop: Shop, bought: Path) -> None:
    """A copy of the sheet at another team's, whose key belongs to the same account."""
    folder = shop.folder / "team" / "b"
    folder.mkdir(parents=True)
    copy = Path(shutil.copy(bought, folder / "ours.xlsx"))
    theirs = Product(folder, shop.product.base_url, KEY)
    assert theirs("run", copy).code == 0
    assert shop.submitted == 0


@pytest.mark.long
def test_what_the_copy_has_is_its_own(shop: Shop, bought: Path) -> None:
    """The original's folder may be deleted later: the copy keeps its videos."""
    copy, out, _ = saved_copy(shop, bought)
    assert shop.run(copy).code == 0
    shutil.rmtree(shop.folder / "outputs" / "products")
    assert shop.run(copy).code == 0
    entries = read_entries(out / "journal.db")
    assert entries
    for entry in entries.values():
        assert entry.video is not None
        content = (out / "videos" / entry.video.name).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry.video.sha256
    assert shop.submitted == 0


@pytest.mark.long
def test_what_had_expired_and_is_bought_again_is_done(shop: Shop) -> None:
    """In the results of the very run that buys it, by retry and by name."""
    sheet = shop.write("sheet.csv", shop.rows("mug", "bag"))
    shop.api.faults("query_no_url")
    assert shop.run(sheet).code == 1
    out = shop.folder / "outputs" / "sheet"
    assert {one["result_state"] for one in of(out)} == {"expired"}
    shop.api.faults()
    shop.mark = shop.api.mark()
    redone = shop.run(sheet, "--only", "mug", "--redo", "mug")
    assert (redone.code, shop.submitted) == (0, 1), redone.err
    retried = shop.product("retry", sheet)
    assert (retried.code, shop.submitted) == (0, 1), retried.err
    for one in of(out):
        assert (one["result_state"], one["result_error"], one["result_action"]) == ("done", "", "")
        assert (out / one["result_video"]).is_file()


def test_new_rows_are_made_and_equal_ones_as_often_as_they_stand_there(
    shop: Shop, bought: Path
) -> None:
    """Nothing that is wanted is withheld: of two equal rows one is there, the other is made."""
    rows = [*shop.rows("mug", "hat"), *shop.rows("mug")]
    rows[2]["sku"] = "second mug"
    ended = shop.run(shop.write("more.csv", rows))
    assert ended.code == 0, ended.err
    assert shop.submitted == 2
    assert shop.accepted == {"mug": 2, "bag": 1, "cap": 1, "hat": 1}
    assert [one["result_attempts"] for one in of(shop.folder / "outputs" / "more")] == [
        "0",
        "1",
        "1",
    ]
    assert shop.run(bought).code == 0
    assert shop.submitted == 0


def test_failed_and_refused_rows_do_not_block(shop: Shop) -> None:
    """They cost nothing, so another manifest may try its luck, and so may retry."""
    shop.api.faults("query_failed_error")
    first = shop.write("first.csv", shop.rows("mug"))
    assert shop.run(first).code == 1
    shop.api.faults("submit_400")
    other = shop.write("other.csv", shop.rows("bag"))
    assert shop.run(other).code == 1
    shop.api.faults()
    shop.mark = shop.api.mark()
    both = shop.write("both.csv", shop.rows("mug", "bag"))
    assert shop.run(both).code == 0
    assert shop.submitted == 2
    retried = shop.product("retry", first)
    assert (retried.code, shop.submitted) == (0, 0), "its video is there by now"
    assert of(shop.folder / "outputs" / "first")[0]["result_state"] == "done"


def test_redo_and_pay_again_pay_on_purpose(shop: Shop, bought: Path) -> None:
    """Each takes a word, says what it pays, and a second --pay-again pays nothing more."""
    copy, out, _ = saved_copy(shop, bought)
    paid = shop.run(copy, "--pay-again", "mug", "-q", **PRICE)
    assert paid.code == 0, paid.err
    assert "1 row bought before is paid for again (--pay-again): 6 s of video, 3.00 USD" in paid.err
    assert shop.submitted == 1
    assert [one["result_attempts"] for one in of(out)] == ["1", "0", "0"]

    planned = shop.product("plan", copy, "--pay-again", "bag", "--json", sets=PRICE)
    assert planned.json["cost"]["amount"] == 3.0
    fresh = shop.run(copy, "--pay-again", "bag,mug")
    assert (fresh.code, shop.submitted) == (1, 1), "the mug is its own by now"
    assert "mug is done and was bought for itself; --redo mug makes another take" in fresh.err
    assert [one["result_attempts"] for one in of(out)] == ["1", "2", "0"]
    redone = shop.run(copy, "--redo", "cap")
    assert (redone.code, shop.submitted) == (0, 1)
    assert shop.run(copy).code == 0
    everything = shop.write("all.csv", shop.rows(*NAMES))
    assert shop.run(everything, "--pay-again", "all").code == 0
    assert shop.submitted == 3
    assert "no row has the key capp" in shop.run(copy, "--pay-again", "capp").err
    assert not shop.api.repeated()


@pytest.mark.long
def test_redo_says_that_another_sheet_has_bought_it(shop: Shop, bought: Path) -> None:
    """It pays all the same; the plan and the run say so, and what it costs."""
    edited = shop.rows(*NAMES)
    edited[0]["prompt"] += ", blue"
    assert shop.run(shop.write("blue.csv", edited[:1])).code == 0
    shop.write(bought.name, edited)
    said = "1 row bought before is paid for again (--redo): 6 s of video, 3.00 USD"
    planned = shop.product("plan", bought, "--redo", "changed", sets=PRICE)
    assert said in planned.out + planned.err
    shop.mark = shop.api.mark()
    ended = shop.run(bought, "--redo", "changed", **PRICE)
    assert (ended.code, shop.submitted) == (0, 1)
    assert said in ended.err
    again = shop.run(bought, "--redo", "bag", **PRICE)
    assert (again.code, shop.submitted) == (0, 1)
    assert "bought before" not in again.err, "its own take is no surprise"


@pytest.mark.long
def test_edited_away_and_back_again(shop: Shop, bought: Path) -> None:
    """The take of the row's own cells comes back, free; the results tell how often it was sent."""
    edited = shop.rows(*NAMES)
    edited[0]["prompt"] = edited[0]["prompt"] + ", blue"
    shop.write(bought.name, edited)
    assert shop.run(bought, "--redo", "changed").code == 0
    assert shop.submitted == 1
    shop.write(bought.name, shop.rows(*NAMES))
    for options in ((), ("--redo", "changed")):
        ended = shop.run(bought, *options)
        assert (ended.code, shop.submitted) == (0, 0), ended.err
        first = of(shop.folder / "outputs" / "products")[0]
        assert (first["result_state"], first["result_attempts"]) == ("done", "2")
    entry = read_entries(shop.folder / "outputs" / "products" / "journal.db")["mug"]
    assert entry.attempt.number == 3
    prompts = {one["task_id"]: one["prompt"] for one in shop.api.records()["submissions"]}
    assert prompts[entry.task_id or ""] == f"{shop.folder.name}: mug"


@pytest.mark.parametrize("gone", ["changed", "deleted"])
def test_a_video_that_cannot_be_had_lets_the_row_wait(shop: Shop, bought: Path, gone: str) -> None:
    """1 with other work to do, 2 with none; the results name the other row and both ways on."""
    video = shop.folder / "outputs" / "products" / "videos" / "mug.mp4"
    if gone == "changed":
        video.write_bytes(bytes(video.stat().st_size))
    else:
        video.unlink()
    copy, out, _ = saved_copy(shop, bought)
    ended = shop.run(copy)
    assert (ended.code, shop.submitted) == (1, 0)
    assert "1 row not sent: bought before" in ended.err
    first = of(out)[0]
    assert first["result_state"] == "waiting"
    assert ("reelsheet fetch" in first["result_action"]) == (gone == "deleted")
    assert "its video file is gone, was changed or cannot be read" in first["result_error"]
    assert f"Bought for mug of {bought}" in first["result_action"]
    assert f"in {shop.folder / 'outputs' / 'products'}" in first["result_action"]
    assert "--pay-again mug" in first["result_action"]
    failed = out / "failed.xlsx"
    assert [(one["sku"], one["result_state"]) for one in sheets.read(failed)[1]] == [
        ("mug", "waiting")
    ]
    assert "--pay-again mug" in sheets.read(failed)[1][0]["result_action"]
    for command, code in (("run", 2), ("retry", 0)):
        again = shop.product(command, failed)
        assert (again.code, shop.submitted) == (code, 0), "it is a repeat by this name, too"
    assert shop.run(copy).code == 2
    states = shop.product("status", copy, "--json").json["rows"]
    assert [one["state"] for one in states] == ["waiting", "done", "done"]
    assert shop.run(failed, "--pay-again", "mug").code == 0
    assert shop.submitted == 1
    assert (shop.run(copy).code, shop.submitted) == (0, 0)
    assert not failed.exists()


def test_a_video_whose_link_lives_is_downloaded_again(shop: Shop, bought: Path) -> None:
    """The row that waits names the command, which works as it is pasted; nothing is bought."""
    out = shop.folder / "outputs" / "products"
    (out / "videos" / "mug.mp4").unlink()
    copy, here, _ = saved_copy(shop, bought)
    ended = shop.run(copy)
    assert (ended.code, shop.submitted) == (1, 0)
    assert "1 row not sent: bought before, and its file can be downloaded again, free" in ended.err
    action = of(here)[0]["result_action"].partition("free: reelsheet ")[2]
    pasted = shlex.split(action.partition(". Then run again")[0])
    assert shop.product(*pasted).code == 0
    assert (shop.run(copy).code, shop.submitted) == (0, 0)
    (out / "videos" / "mug.mp4").unlink()
    bought.unlink()
    third = shop.write("third.csv", shop.rows("mug"))
    shutil.rmtree(here)
    assert shop.run(third).code == 2
    assert "fetch" not in of(shop.folder / "outputs" / "third")[0]["result_action"]


@pytest.mark.long
def test_a_held_row_that_is_corrected_in_the_file_of_failed_rows(shop: Shop, bought: Path) -> None:
    """It is another request then, and bought; without a key column its row brings its key."""
    shutil.rmtree(shop.folder / "outputs" / bought.stem / "videos")
    lines = [f"{row['prompt']},{row['duration']}" for row in shop.rows("mug", "hat", duration="6")]
    manifest = shop.folder / "plain.csv"
    manifest.write_text("\n".join(["prompt,duration", *lines, ""]), encoding="utf-8")
    assert shop.run(manifest).code == 1
    assert shop.submitted == 1
    out = shop.folder / "outputs" / "plain"
    failed = out / "failed.csv"
    assert (shop.run(failed).code, shop.submitted) == (2, 0)
    text = failed.read_text(encoding="utf-8")
    failed.write_text(text.replace(": mug,", ": red mug,"), encoding="utf-8")
    ended = shop.run(failed)
    assert (ended.code, shop.submitted) == (0, 1), ended.err
    assert shop.accepted == {"mug": 1, "bag": 1, "cap": 1, "hat": 1, "red mug": 1}
    assert read_entries(out / "journal.db").keys() >= {sheets.read(failed)[1][0]["key"]}


def test_a_good_copy_elsewhere_is_enough(shop: Shop, bought: Path) -> None:
    """The first folder was cleared, and the project moved: the video still lies in another one."""
    copy, _, _ = saved_copy(shop, bought)
    assert shop.run(copy).code == 0
    (shop.folder / "outputs" / "products" / "videos" / "mug.mp4").unlink()
    bag = shop.folder / "outputs" / "products" / "videos" / "bag.mp4"
    bag.write_bytes(bytes(bag.stat().st_size))
    third = shop.write("third.csv", shop.rows(*NAMES))
    planned = shop.product("plan", third, "--json").json
    assert planned["groups"]["repeat"] == 3
    ended = shop.run(third)
    assert (ended.code, shop.submitted) == (0, 0), ended.err
    here = shop.folder / "outputs" / "third" / "videos"
    there = shop.folder / "outputs" / copy.stem / "videos"
    for name in NAMES:
        assert (here / f"{name}.mp4").read_bytes() == (there / f"{name}.mp4").read_bytes()
    assert "taken from mug of" in of(shop.folder / "outputs" / "third")[0]["result_warnings"]


@pytest.mark.long
def test_a_take_of_its_own_comes_back_from_a_copy(shop: Shop, bought: Path) -> None:
    """Its own file was deleted; another folder had got a copy of it, and --redo need not pay."""
    copy, _, _ = saved_copy(shop, bought)
    assert shop.run(copy).code == 0
    edited = shop.rows(*NAMES)
    edited[0]["prompt"] += ", blue"
    shop.write(bought.name, edited)
    assert shop.run(bought, "--redo", "changed").code == 0
    (shop.folder / "outputs" / "products" / "videos" / "mug.mp4").unlink()
    shop.write(bought.name, shop.rows(*NAMES))
    shop.mark = shop.api.mark()
    ended = shop.run(bought, "--redo", "changed")
    assert (ended.code, shop.submitted) == (0, 0), ended.err
    first = of(shop.folder / "outputs" / "products")[0]
    assert (first["result_state"], first["result_action"]) == ("done", "")
    assert "made of the same cells" in first["result_warnings"]


def test_a_missing_video_comes_back_from_a_copy(shop: Shop, bought: Path) -> None:
    """Long after its link has expired: what another folder has need not be bought a second time."""
    copy, _, _ = saved_copy(shop, bought)
    assert shop.run(copy, "--only", "mug,bag").code == 0
    out = shop.folder / "outputs" / "products"
    sheets.long_ago(out)
    shutil.rmtree(out / "videos")
    planned = shop.product("plan", bought, "--json").json
    assert {name: n for name, n in planned["groups"].items() if n} == {"repeat": 2, "done": 1}
    assert planned["cost_saved"] is None
    ended = shop.run(bought)
    assert (ended.code, shop.submitted) == (0, 0), ended.err
    mug, bag, cap = of(out)
    assert {mug["result_state"], bag["result_state"]} == {"done"}
    assert (mug["result_attempts"], cap["result_state"]) == ("1", "done")
    assert "the video file is missing, and its link has expired" in cap["result_warnings"]
    assert "Put videos/cap.mp4 back" in cap["result_action"]
    assert f"To pay for another one: reelsheet run {bought} --set" in cap["result_action"]
    assert cap["result_action"].endswith(" --redo cap.")
    again = shop.run(bought)
    assert (again.code, shop.submitted) == (0, 0)


def test_held_repeats_wait_and_those_under_way_are_free_later(shop: Shop, bought: Path) -> None:
    """With `hold`; and while the original is still being made."""
    copy, _, _ = saved_copy(shop, bought)
    assert shop.run(copy, repeats="hold").code == 2
    assert shop.product("plan", copy, "--json").json["groups"]["repeat"] == 3
    shop.api.faults("query_never_finishing")
    slow = shop.write("slow.csv", shop.rows("hat"))
    assert shop.run(slow, **{"polling.deadline_s": "0.5"}).code == 5
    shop.mark = shop.api.mark()
    eager = shop.write("eager.csv", shop.rows("hat"))
    held = shop.run(eager)
    assert (held.code, shop.submitted) == (2, 0)
    first = of(shop.folder / "outputs" / "eager")[0]
    assert "its video is being made" in first["result_error"]
    assert "Run again when it is done" in first["result_action"]
    assert "--pay-again" not in first["result_action"]
    assert "still being made there; run again when it is done: free then" in held.err
    shop.api.faults()
    pasted = shlex.split(first["result_action"].rpartition("reelsheet ")[2].removesuffix("."))
    assert pasted[0] == "fetch"
    assert shop.product(*pasted).code == 0
    assert (shop.run(eager).code, shop.submitted) == (0, 0)
    remedy = of(shop.folder / "outputs" / copy.stem)[0]["result_action"].partition(
        "free: reelsheet "
    )
    pasted = shlex.split(remedy[2].partition(". To pay")[0])
    assert pasted[-2:] == ["--set", "repeats=reuse"]
    assert (shop.product(*pasted).code, shop.submitted) == (0, 0)


def test_an_original_in_doubt_is_settled_where_it_is(shop: Shop) -> None:
    """The row that waits names the command that lists it."""
    shop.api.faults("submit_answer_lost", "query_lookup_unsupported")
    first = shop.write("first one.csv", shop.rows("mug"))
    assert shop.run(first, **{"api.lookup_s": "0.5"}).code == 3
    shop.api.faults()
    later = shop.write("later.csv", shop.rows("mug"))
    ended = shop.run(later)
    assert ended.code == 2, ended.err
    assert "1 row not sent: bought before, and in doubt there" in ended.err
    action = of(shop.folder / "outputs" / "later")[0]["result_action"]
    assert "--pay-again" not in action
    listed = shop.product(*shlex.split(action.rpartition("reelsheet ")[2].removesuffix(".")))
    assert listed.code == 0, listed.err
    assert "mug" in listed.out


def test_two_runs_at_once_buy_a_request_once(shop: Shop) -> None:
    """Of two processes with the same rows one buys each, and the other waits for it."""
    names = [f"item {number}" for number in range(12)]
    sheets_of_both = [shop.write(f"team {team}.csv", shop.rows(*names)) for team in "ab"]
    started = [shop.product.start("run", one, sets=SLOW) for one in sheets_of_both]
    codes = {shop.product.end(one).code for one in started}
    assert codes <= {0, 1, 2, 5}
    assert shop.accepted == dict.fromkeys(names, 1)
    for one in sheets_of_both:
        assert shop.run(one).code == 0
    assert shop.accepted == dict.fromkeys(names, 1)


# Editions.

TEN = [f"C{number:02}" for number in range(12)]


def edition(shop: Shop, day: int, *, names: list[str] = TEN) -> Path:
    """A nightly export: the same keys, and an address or a word differs in all rows but two."""
    rows = shop.rows(*names)
    for row in rows[2:]:
        row["prompt"] += f", as of day {day}"
    return shop.write(f"products-2026-11-{day}.csv", rows)


@pytest.mark.long
def test_another_edition_is_not_paid_for_without_a_word(shop: Shop) -> None:
    """Without a series: 2 where nobody can be asked, with the money, and nothing is sent."""
    assert shop.run(edition(shop, 26)).code == 0
    assert shop.submitted == 12
    tonight = edition(shop, 27)
    refused = shop.run(tonight, **PRICE)
    assert (refused.code, shop.submitted) == (2, 0)
    assert "10 of the 10 rows" in refused.err
    assert "30.00 USD" in refused.err
    assert "--series products" in refused.err
    assert "10 of the 10 rows" in shop.product("plan", tonight, sets=PRICE).err
    for narrower in (("--limit", "5"), ("--only", "C04,C05"), ("--pay-again", "C05")):
        few = shop.run(tonight, *narrower, **PRICE)
        assert (few.code, shop.submitted) == (2, 0), "it is one, however few are ordered"
        assert "10 of the 10 rows" in few.err
        planned = shop.product("plan", tonight, *narrower, sets=PRICE)
        assert "10 of the 10 rows" in planned.err
    named = shop.run(tonight, "--only", "C05", "--pay-again", "C05")
    assert (named.code, shop.submitted) == (0, 1), "that is asked for by name"
    for rest in ((), ("--limit", "5"), ("--limit", "9")):
        ended = shop.run(tonight, *rest, **PRICE)
        assert (ended.code, shop.submitted) == (2, 0), "for one row, and not for the nine others"
        assert "9 of the 9 rows" in ended.err


@pytest.mark.long
def test_the_setting_pay_is_no_answer_about_editions(shop: Shop) -> None:
    """It pays for the very requests that were bought; rows in other words are asked about."""
    first = edition(shop, 26)
    assert shop.run(first).code == 0
    copy = Path(shutil.copy(first, shop.folder / "copy.csv"))
    shop.mark = shop.api.mark()
    refused = shop.run(edition(shop, 27), repeats="pay")
    assert (refused.code, shop.submitted) == (2, 0)
    assert "10 of the 10 rows" in refused.err
    assert shop.run(copy, repeats="pay").code == 0
    assert shop.submitted == 12


@pytest.mark.long
def test_two_editions_in_one_first_run(shop: Shop) -> None:
    """The first is bought; the other is asked about, and follows by itself as the message says."""
    first, second = edition(shop, 26), edition(shop, 27)
    warned = shop.product("plan", first, second).err
    ended = shop.product("run", first, second)
    assert (ended.code, shop.submitted) == (1, 12), ended.err
    for said in (warned, ended.err):
        assert f"10 of the 10 rows of {second} that would be paid for" in said
        assert f"this run buys in other words, most of them for {first}" in said
        assert "once this run has ended, let the series products take over" in said
        assert f"Then run: reelsheet run {second} --series products" in said
    assert shop.run(second, "--series", "products").code == 0
    assert shop.submitted == 0
    assert {one["result_state"] for one in of(shop.folder / "outputs" / "products")} == {"done"}


@pytest.mark.long
def test_tables_with_the_same_keys_are_run_together(shop: Shop) -> None:
    """Their names have nothing in common; and whoever wants both editions says so."""
    rows = shop.rows(*TEN)
    tables = [
        shop.write(f"{name}.csv", [{**row, "prompt": f"{row['prompt']}, {name}"} for row in rows])
        for name in ("shoes", "bags")
    ]
    assert shop.product("run", *tables).code == 0
    assert shop.submitted == 24
    both = shop.product("run", edition(shop, 26), edition(shop, 27), "--pay-again", "all")
    assert (both.code, shop.submitted) == (0, 24), both.err


@pytest.mark.long
def test_an_answer_for_a_few_rows_is_none_for_the_rest(shop: Shop) -> None:
    """`--pay-again all --limit 1` pays for a row; with all rows it is not asked again."""
    assert shop.run(edition(shop, 26, names=[*TEN, "C90"])).code == 0
    shop.mark = shop.api.mark()
    tonight = edition(shop, 27, names=[*TEN, "C90"])
    assert shop.run(tonight, "--only", "C05", "--pay-again", "all", "--limit", "1").code == 0
    assert shop.submitted == 1
    rest = shop.run(tonight)
    assert (rest.code, shop.submitted) == (2, 0), rest.err
    assert shop.run(tonight, "--pay-again", "all").code == 0
    assert shop.submitted == 12


@pytest.mark.long
def test_what_is_asked_for_by_key_and_not_done_is_said(shop: Shop, bought: Path) -> None:
    """It ends with 1; the plan says so, too."""
    once = {"limits.attempts": "1"}
    said = "mug gets no new take: 1 attempt made, limits.attempts is 1"
    redone = shop.run(bought, "--redo", "mug", **once)
    assert (redone.code, shop.submitted) == (1, 0)
    assert said in redone.err
    assert said in shop.product("plan", bought, "--redo", "mug", sets=once).err
    (way,) = re.findall(r"raise the limit for one run: reelsheet (.*)", redone.err)
    assert shop.product("plan", *shlex.split(way)[1:]).out.count("to submit: 1 row") == 1
    paid = shop.run(bought, "--pay-again", "bag", "-q")
    assert (paid.code, shop.submitted) == (1, 0)
    assert "bag is done and was bought for itself; --redo bag makes another take" in paid.err
    assert shop.run(bought, "--redo", "bag").code == 0
    assert shop.submitted == 1


def test_pay_again_is_one_way_on(shop: Shop) -> None:
    """All rows in other words are paid for, and so are those that were bought."""
    assert shop.run(edition(shop, 26)).code == 0
    shop.mark = shop.api.mark()
    assert shop.run(edition(shop, 27), "--pay-again", "all").code == 0
    assert shop.submitted == 12


def test_a_series_is_the_other(shop: Shop) -> None:
    """It begins with what the earlier edition bought: rows that were edited are left alone."""
    first = edition(shop, 26)
    assert shop.run(first).code == 0
    shop.mark = shop.api.mark()
    tonight = edition(shop, 27, names=[*TEN, "new"])
    planned = shop.product("plan", tonight, "--series", "products", "--json").json
    assert planned["groups"]["repeat"] == 12
    ended = shop.run(tonight, "--series", "products")
    assert ended.code == 0, ended.err
    assert shop.submitted == 1, "the new row"
    out = shop.folder / "outputs" / "products"
    assert {one["result_state"] for one in of(out)} == {"done"}
    differs = "the row differs from what the video was made of; --redo changed makes a new take"
    assert [differs in one["result_warnings"] for one in of(out)] == [
        *([False] * 2), *([True] * 10), False,
    ]  # fmt: skip
    assert "10 rows edited since the video was made; --redo changed" in ended.err
    tomorrow = edition(shop, 28, names=[*TEN, "new"])
    ended = shop.run(tomorrow, "--series", "products")
    assert (ended.code, shop.submitted) == (0, 0), ended.err
    groups = shop.product("plan", tomorrow, "--series", "products", "--json").json["groups"]
    assert (groups["changed"], groups["done"]) == (11, 2)
    redone = shop.run(tomorrow, "--series", "products", "--redo", "C05")
    assert (redone.code, shop.submitted) == (0, 1)


@pytest.mark.long
def test_editions_of_a_series_from_the_start(shop: Shop) -> None:
    """One folder, one journal; a manifest of no series is not mixed into it."""
    config = shop.folder / "config.yaml"
    config.write_text("manifest: {series: products}\n", encoding="utf-8")
    for day, posts in ((26, 12), (27, 0)):
        ended = shop.run(edition(shop, day))
        assert (ended.code, shop.submitted) == (0, posts), ended.err
    assert [path.name for path in (shop.folder / "outputs").iterdir()] == ["products"]
    config.unlink()
    plain = shop.write("shoes.csv", shop.rows("shoe"))
    assert shop.run(plain).code == 0
    mixed = shop.run(edition(shop, 28), "--series", "shoes")
    assert mixed.code == 2
    assert "belongs to a manifest that is of no series" in mixed.err
    for name in ("null", "A #1"):
        planned = shop.run(plain, "--series", name, "--limit", "0")
        assert f"outputs/{name}/results" in planned.out, planned.err


@pytest.mark.long
def test_rehearsals_are_no_purchases(shop: Shop, rehearsing: Product) -> None:
    """A rehearsed row is bought when it is meant."""
    manifest = shop.write("night.csv", shop.rows("mug"))
    before = shop.product("run", manifest, sets={"provider": "rehearsal"})
    assert before.code == 0, before.err
    assert rehearsing.key is None
    assert shop.run(manifest).code == 0
    assert shop.submitted == 1
    assert State.DONE.value == of(shop.folder / "outputs" / "night")[0]["result_state"]


@pytest.mark.long
def test_an_output_folder_whose_name_is_no_text(shop: Shop, bought: Path) -> None:
    """A run works there and beside it, and what it has bought is copied from there."""
    folder = Path(os.fsdecode(os.fsencode(shop.folder / "outputs") + b"/b\xe4d"))
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes only names that are text")
    later = shop.write("later.xlsx", shop.rows("pen"))
    for _ in range(2):
        ended = shop.run(later, "--out", folder)
        assert ended.code == 0, ended.err
        assert "damaged" not in ended.err
    assert shop.submitted == 1
    assert shop.run(bought).code == 0
    copy = shop.write("copy.xlsx", shop.rows("pen"))
    assert shop.run(copy).code == 0
    assert shop.submitted == 0
