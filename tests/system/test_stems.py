"""Manifests of one name: each has an output folder of its own, and a moved one keeps its own."""

from __future__ import annotations

import shlex
import shutil
import signal
from pathlib import Path

import pytest

from pipeline.journal.ownership import find_manifest
from tests.system.harness import invariants, sheets
from tests.system.harness.api import KEY, Api, wait_for
from tests.system.harness.product import Product, interrupt
from tests.system.test_working_folder import elsewhere, without_book

pytestmark = pytest.mark.long

READ_ONLY = ("check", "plan", "status")


def made(product: Product) -> set[Path]:
    """All that is in the working folder."""
    return set(product.folder.rglob("*"))


def other(path: Path, name: str = "other", count: int = 2) -> Path:
    """Write a manifest of rows that are in no other, under the same keys."""
    return sheets.write(path, sheets.rows(count, prompt=name + " shot of {}"))


def test_each_has_a_folder_of_its_own(product: Product, api: Api) -> None:
    """By every command the same, said until it is there; the keys are equal and do not meet."""
    here = sheets.write(product.folder / "a" / "shop.csv", sheets.rows(2))
    there = other(product.folder / "b" / "shop.csv")
    outputs = product.folder / "outputs"
    assert product("run", here, "-q").code == 0
    first = invariants.journal_holds(outputs / "shop")
    before, mark = made(product), api.mark()
    for command in READ_ONLY:
        told = product(command, there)
        assert told.code == 0
        assert f"{Path('outputs/shop')} belongs to another manifest" in told.err
        assert str(here) in told.err
        assert f"is {Path('outputs/shop-2')}" in told.err
        assert "--adopt" not in told.err
    assert product("plan", there, "--json").json["groups"]["new"] == 2
    assert made(product) == before
    assert api.calls(since=mark) == []

    ran = product("run", there)
    assert ran.code == 0, ran.err
    assert str(Path("outputs/shop-2")) in ran.err
    assert str(Path("outputs/shop-2/results.csv")) in ran.out
    assert len(api.calls("submit", since=mark)) == 2
    assert invariants.journal_holds(outputs / "shop") == first
    assert find_manifest(outputs / "shop-2" / "journal.db") == there.resolve()
    invariants.hold(api, product, there, outputs / "shop-2", there.read_bytes())

    mark = api.mark()
    for manifest, out in ((here, "shop"), (there, "shop-2")):
        assert product("run", manifest, "-q").err == ""
        assert product("status", manifest).out.split() == ["2", "done"]
        assert product("report", manifest, "-q").code == 0
        assert product("fetch", manifest, "-q").code == 0
        assert product("retry", manifest, "-q").code == 0
        assert sheets.states(outputs / out) == {"P0001": "done", "P0002": "done"}
    assert api.calls(since=mark) == []
    assert sorted(one.name for one in outputs.iterdir()) == ["shop", "shop-2"]


def test_two_suffixes_in_one_folder(product: Product, api: Api) -> None:
    """products.csv and products.xlsx have one name, too; a third one gets the next number."""
    outputs = product.folder / "outputs"
    table = sheets.write(product.folder / "shop.csv", sheets.rows(1))
    book = other(product.folder / "shop.xlsx", "book", 1)
    third = other(product.folder / "c" / "shop.csv", "third", 1)
    mark = api.mark()
    for manifest in (table, book, third):
        assert product("run", manifest, "-q").code == 0
    assert len(api.calls("submit", since=mark)) == 3
    homes = {find_manifest(outputs / name / "journal.db") for name in ("shop", "shop-2", "shop-3")}
    assert homes == {table.resolve(), book.resolve(), third.resolve()}
    mark = api.mark()
    shutil.rmtree(outputs / "shop")
    for manifest in (third, book):
        assert product("run", manifest, "-q").code == 0
    assert api.calls(since=mark) == [], "found again although the first folder is gone"


@pytest.mark.parametrize("command", ["run", "retry", "fetch"])
def test_a_moved_manifest_keeps_everything(product: Product, api: Api, command: str) -> None:
    """Said, remembered, nothing sent; read-only commands see it in the same way."""
    old = sheets.write(product.folder / "a" / "shop.csv", sheets.rows(3))
    out = product.folder / "outputs" / "shop"
    assert product("run", old, "-q").code == 0
    lines = [*sheets.rows(2), sheets.row("P0009", "a new one")]
    new = sheets.write(product.folder / "b" / "shop.csv", lines)
    old.unlink()
    mark = api.mark()
    for one in READ_ONLY:
        told = product(one, new, "-q")
        assert f"{old} is gone" in told.err
        assert str(Path("outputs/shop")) in told.err
    assert product("plan", new, "--json").json["groups"]["done"] == 2
    assert find_manifest(out / "journal.db") == old.resolve()
    ran = product(command, new, "--only", "P0001,P0002", "-q")
    assert ran.code == 0
    assert f"{old} is gone" in ran.err
    assert find_manifest(out / "journal.db") == new.resolve()
    again = product(command, new, "--only", "P0001,P0002", "-q")
    assert (again.code, again.err) == (0, "")
    assert api.calls("submit", since=mark) == []
    assert [one.name for one in (product.folder / "outputs").iterdir()] == ["shop"]


def test_a_renamed_manifest_goes_on_where_it_was_killed(product: Product, api: Api) -> None:
    """Every row is done in the old folder, each accepted once; the new name finds it again."""
    old = sheets.write(product.folder / "a.csv", sheets.rows(4, prompt="renamed shot of {}"))
    other(product.folder / "b.csv", "b", 1)
    assert product("run", "b.csv", "-q").code == 0
    out, mark = product.folder / "outputs" / "a", api.mark()
    api.faults("submit_slow@2")
    process = product.start("run", old, sets={"limits.outstanding": "2"})
    wait_for("two submissions", lambda: len(api.calls("submit", since=mark)) >= 2)
    interrupt(process, signal.SIGKILL)
    product.end(process)
    api.faults()
    new = old.rename(product.folder / "spring.csv")
    assert f"a.csv was renamed to {new}: its videos are in {Path('outputs/a')}" in (
        product("plan", new, "-q").err
    )
    ran = product("run", new, "-q")
    assert ran.code == 0, ran.err
    assert "a.csv was renamed to" in ran.err
    assert set(sheets.states(out).values()) == {"done"}
    accepted = [api.accepted(one["prompt"]) for one in sheets.results(out)]
    assert [len(one) for one in accepted] == [1, 1, 1, 1]
    assert find_manifest(out / "journal.db") == new.resolve()
    mark = api.mark()
    again = product("run", new, "-q")
    assert (again.code, again.err, api.calls(since=mark)) == (0, "", [])
    assert product("status", new).out.split() == ["4", "done"]
    assert sorted(one.name for one in out.parent.iterdir()) == ["a", "b"]
    third = new.rename(product.folder / "summer.csv")
    ended = product("run", third, "-q")
    assert ended.code == 0
    assert "4 rows got a video that was bought before, free" in ended.err
    assert api.calls("submit", since=mark) == []


@pytest.mark.long
def test_a_doubt_is_asked_for_by_an_earlier_name(product: Product, api: Api) -> None:
    """Whichever name a manifest had, resolve says where its rows are, by a command that works."""
    api.faults("submit_answer_lost", "query_lookup_unsupported")
    brief = {"api.lookup_s": "0.5"}
    first = sheets.write(product.folder / "first.csv", sheets.rows(1, prompt="doubtful {}"))
    assert product("run", first, "-q", sets=brief).code == 3
    second = first.rename(product.folder / "second.csv")
    assert product("run", second, "-q", sets=brief).code == 3
    third = second.rename(product.folder / "third one.csv")
    assert product("run", third, "-q", sets=brief).code == 3
    out = product.folder / "outputs" / "first"
    for earlier in (first, second):
        for asked in (("P0001", "--not-sent"), ("P0001", "--task-id", "t-1"), ("--all",)):
            for where in ((), ("--out", str(out))):
                told = product("resolve", earlier, *asked, *where)
                assert (told.code, told.out) == (2, "")
                assert f"{earlier} was renamed to {third}" in told.err
        line = told.err.partition("List those to settle with: reelsheet ")[2]
        listed = product(*shlex.split(line.strip().removesuffix(".")))
        assert (listed.code, "P0001 (row 2): in_doubt" in listed.out) == (0, True)
    never = product("resolve", product.folder / "never.csv", "P0001", "--not-sent")
    assert (never.code, "never.csv does not exist" in never.err) == (2, True)
    api.faults()
    assert product("resolve", third, "P0001", "--not-sent", "-q").code == 0


def test_moved_before_its_pictures(product: Product, api: Api) -> None:
    """Its rows cannot be told for what they are until the pictures follow; then nothing is sent."""
    picture = sheets.picture(product.folder / "a" / "mug.png")
    old = sheets.write(product.folder / "a" / "shop.csv", [sheets.row("MUG", image_1="mug.png")])
    assert product("run", old, "-q").code == 0
    new = product.folder / "b" / "shop.csv"
    new.parent.mkdir()
    old.rename(new)
    mark = api.mark()
    assert product("run", new, "-q").code == 1
    picture.rename(new.parent / picture.name)
    ran = product("run", new, "-q")
    assert ran.code == 0
    assert f"{old} is gone" in ran.err
    assert product("run", new, "-q").err == ""
    assert api.calls("submit", since=mark) == []


def test_one_that_is_gone_and_had_other_rows(product: Product, api: Api) -> None:
    """It was another manifest: a folder of its own, unless the user says that it was moved."""
    old = sheets.write(product.folder / "a" / "shop.csv", sheets.rows(3))
    assert product("run", old, "-q").code == 0
    old.unlink()
    new = other(product.folder / "b" / "shop.csv", count=1)
    mark = api.mark()
    assert str(Path("outputs/shop-2")) in product("plan", new).err
    assert product("run", new, "-q").code == 0
    assert len(api.calls("submit", since=mark)) == 1
    assert find_manifest(product.folder / "outputs" / "shop" / "journal.db") == old.resolve()
    edited = other(product.folder / "c" / "shop.csv", "edited", 3)
    mark = api.mark()
    assert product("run", edited, "-q", "--adopt").code == 0
    assert api.calls("submit", since=mark) == [], "rows that are done and were edited are left"
    assert find_manifest(product.folder / "outputs" / "shop" / "journal.db") == edited.resolve()


def test_a_copy_buys_only_what_is_new_in_it(product: Product, api: Api) -> None:
    """It has a folder of its own, into which the videos that were bought are copied."""
    here = sheets.write(product.folder / "a" / "shop.csv", sheets.rows(2))
    assert product("run", here, "-q").code == 0
    copy = sheets.write(product.folder / "b" / "shop.csv", sheets.rows(3))
    mark = api.mark()
    ran = product("run", copy)
    assert ran.code == 0
    assert "2 rows got a video that was bought before, free" in ran.err
    assert len(api.calls("submit", since=mark)) == 1
    assert set(sheets.states(product.folder / "outputs" / "shop-2").values()) == {"done"}


def test_a_copy_is_not_paid_for_a_second_time(product: Product, api: Api) -> None:
    """Without a book: what the other was sent for is not sent for this one until --out says so."""
    product = without_book(product)
    here = sheets.write(product.folder / "a" / "shop.csv", sheets.rows(2))
    assert product("run", here, "-q").code == 0
    copy = sheets.write(product.folder / "b" / "shop.csv", sheets.rows(3))
    before, mark = made(product), api.mark()
    for command in ("run", "retry", "fetch"):
        refused = product(command, copy)
        assert refused.code == 2
        assert "2 videos that" in refused.err
        assert "a second time" in refused.err
        assert f"run {here}" in refused.err
        assert "--adopt" not in refused.err
    assert "a second time" in product("plan", copy).err
    assert made(product) == before
    assert api.calls(since=mark) == []
    out = Path("outputs", "shop-2")
    assert product("run", copy, "-q", "--out", out).code == 0
    assert len(api.calls("submit", since=mark)) == 3
    mark = api.mark()
    assert (product("run", copy, "-q").code, api.calls(since=mark)) == (0, [])


def test_a_copy_of_the_whole_project(product: Product, api: Api) -> None:
    """Worked on beside the original, with its outputs: only what is new is bought, by either."""
    here = sheets.write(product.folder / "shop.csv", sheets.rows(2, prompt="copied {}"))
    assert product("run", here, "-q").code == 0
    copied = Path(shutil.copytree(product.folder, product.folder.with_name("copied project")))
    there = Product(copied, product.base_url, KEY)
    mark = api.mark()
    assert there("plan", "shop.csv", "--json").json["groups"]["repeat"] == 2
    ran = there("run", "shop.csv")
    assert ran.code == 0, ran.err
    assert "2 rows got a video that was bought before, free" in ran.err
    sheets.write(copied / "shop.csv", sheets.rows(3, prompt="copied {}"))
    assert there("run", "shop.csv", "-q").code == 0
    sheets.write(here, sheets.rows(3, prompt="copied {}"))
    assert product("run", here, "-q").code == 0
    assert len(api.calls("submit", since=mark)) == 1
    assert set(sheets.states(product.folder / "outputs" / "shop").values()) == {"done"}
    assert set(sheets.states(copied / "outputs" / "shop-2").values()) == {"done"}


def test_a_copy_of_what_no_book_has_kept_yet(product: Product, api: Api) -> None:
    """The run takes it over before it sends anything, so it need not be refused."""
    here = sheets.write(product.folder / "a" / "shop.csv", sheets.rows(2, prompt="early {}"))
    assert without_book(product)("run", here, "-q").code == 0
    copy = sheets.write(product.folder / "b" / "shop.csv", sheets.rows(3, prompt="early {}"))
    mark = api.mark()
    assert product("plan", copy, "--json").json["groups"]["repeat"] == 2
    ran = product("run", copy, "-q")
    assert ran.code == 0, ran.err
    assert len(api.calls("submit", since=mark)) == 1


def test_the_folder_of_another_manifest_is_refused_by_name(product: Product, api: Api) -> None:
    """While its file exists nothing takes it over; once it is gone, --adopt may."""
    here = sheets.write(product.folder / "a" / "shop.csv", sheets.rows(2))
    out = product.folder / "outputs" / "shop"
    assert product("run", here, "-q").code == 0
    there = other(product.folder / "b" / "shop.csv")
    kept = {path: path.read_bytes() for path in (out / "journal.db", out / "results.csv")}
    mark = api.mark()
    for command in (("run",), ("run", "--adopt"), ("retry",), ("fetch", "--adopt"), ("report",)):
        refused = product(*command, there, "--out", out)
        assert refused.code == 2
        assert f"belongs to another manifest: {here}, which still exists." in refused.err
        assert "--adopt" not in refused.err
    for reading in (("plan",), ("status",), ("resolve", "--all")):
        refused = product(*reading, there, "--out", out)
        assert (refused.code, refused.out) == (2, "")
        assert "which still exists" in refused.err
    here.rename(product.folder / "moved.csv")
    refused = product("run", there, "--out", out)
    assert refused.code == 2
    assert "most of its rows are not in" in refused.err
    assert "--adopt" not in refused.err
    assert {path: path.read_bytes() for path in kept} == kept
    settled = product("resolve", there, "P0001", "--not-sent", "--out", out)
    assert settled.code == 2
    assert "belongs to another manifest" in settled.err
    moved = product.folder / "moved.csv"
    for said in (f"{here} is gone", ""):
        adopted = product("run", moved, "-q", "--out", out)
        assert adopted.code == 0
        assert said in adopted.err
    assert find_manifest(out / "journal.db") == moved.resolve()
    assert api.calls(since=mark) == []


def test_failed_rows_in_place(product: Product, api: Api) -> None:
    """failed.csv of the second folder is run there, whoever has the first."""
    assert product("run", other(product.folder / "a" / "shop.csv", "a", 1), "-q").code == 0
    bad = sheets.row("BAD", prompt="[fault:query_failed_error@content_policy_violation] bad")
    manifest = sheets.write(product.folder / "b" / "shop.csv", [sheets.row("OK"), bad])
    assert product("run", manifest, "-q").code == 1
    out = product.folder / "outputs" / "shop-2"
    failed = out / "failed.csv"
    failed.write_text(failed.read_text("utf-8").replace(str(bad["prompt"]), "good"), "utf-8")
    mark = api.mark()
    assert product("run", failed, "-q").code == 0
    assert len(api.calls("submit", since=mark)) == 1
    assert find_manifest(out / "journal.db") == manifest.resolve()
    assert sorted(one.name for one in out.parent.iterdir()) == ["shop", "shop-2"]


def test_from_another_working_folder(product: Product, api: Api) -> None:
    """Without a book: the guard against paying again finds the second folder as well."""
    product = without_book(product)
    assert product("run", other(product.folder / "a" / "shop.csv", "a", 1), "-q").code == 0
    manifest = other(product.folder / "b" / "shop.csv", "b", 1)
    assert product("run", manifest, "-q").code == 0
    out = product.folder / "outputs" / "shop-2"
    cron = elsewhere(product)
    mark = api.mark()
    refused = cron("run", manifest)
    assert refused.code == 2
    assert f"--out {out} or start in" in refused.err
    assert cron("run", manifest, "-q", "--out", out).code == 0
    assert api.calls(since=mark) == []


@pytest.mark.long
def test_rehearsals_likewise(rehearsing: Product) -> None:
    """products-2.rehearsal; a copy is no matter of money there."""
    sets = {"output.verify": "boxes"}
    for name in ("a", "b"):
        manifest = sheets.write(rehearsing.folder / name / "shop.csv", sheets.rows(1))
        assert rehearsing("run", manifest, "-q", sets=sets).code == 0
    names = sorted(one.name for one in (rehearsing.folder / "outputs").iterdir())
    assert names == ["shop-2.rehearsal", "shop.rehearsal"]
    live = Product(rehearsing.folder, "http://127.0.0.1:9", KEY)
    said = live("plan", rehearsing.folder / "b" / "shop.csv").err.splitlines()
    assert [line for line in said if not line.startswith("read: ")] == []
