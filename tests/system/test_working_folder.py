"""One manifest, started from several working folders: by hand here, by a scheduler there."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from tests.system.harness import invariants, sheets
from tests.system.harness.api import KEY, Api
from tests.system.harness.product import Product


def elsewhere(product: Product) -> Product:
    """Return the same program in another, empty working folder."""
    folder = product.folder / "elsewhere" / "deep"
    folder.mkdir(parents=True)
    return Product(folder, product.base_url, KEY, product.sets)


def without_book(product: Product) -> Product:
    """Return the same program without the account's book."""
    return replace(product, sets={"account.book": "none"})


def test_another_working_folder_buys_nothing_again(product: Product, api: Api) -> None:
    """Videos that were bought are copied, new rows are made, and both folders may go on."""
    shop = product
    manifest = sheets.write(shop.folder / "manifests" / "night.csv", sheets.rows(3))
    assert shop("run", manifest.relative_to(shop.folder), "-q", "--limit", "2").code == 0
    cron = elsewhere(shop)
    mark = api.mark()
    planned = cron("plan", manifest, "--json").json
    assert (planned["groups"]["repeat"], planned["groups"]["new"]) == (2, 1)
    for _ in range(2):
        assert cron("run", manifest, "-q").code == 0
    assert len(api.calls("submit", since=mark)) == 1
    invariants.hold(api, cron, manifest, cron.folder / "outputs" / "night", manifest.read_bytes())
    assert shop("run", manifest, "-q").code == 0
    assert len(api.calls("submit", since=mark)) == 1
    assert set(sheets.states(shop.folder / "outputs" / "night").values()) == {"done"}


def test_one_configuration_means_one_book(product: Product, api: Api) -> None:
    """The path of its book starts at the file, not at the working folder."""
    shop = product
    manifest = sheets.write(shop.folder / "manifests" / "night.csv", sheets.rows(3))
    settings = shop.folder / "config.yaml"
    settings.write_text("account: {book: our.db}\n", encoding="utf-8")
    assert shop("run", manifest, "-q").code == 0
    assert (shop.folder / "our.db").exists()
    mark = api.mark()
    cron = elsewhere(shop)
    assert cron("run", manifest, "-q", "--config", settings).code == 0
    assert not api.calls("submit", since=mark)
    assert not (cron.folder / "our.db").exists()


def test_the_book_of_an_earlier_version_is_taken_over(product: Product, api: Api) -> None:
    """It lies in the working folder; what only that book knows is not bought again."""
    shop = product
    manifest = sheets.write(shop.folder / "manifests" / "night.csv", sheets.rows(3))
    cron = elsewhere(shop)
    assert cron("run", manifest, "-q", sets={"account.book": "our.db"}).code == 0
    assert (cron.folder / "our.db").exists()
    shutil.rmtree(cron.folder / "outputs")
    settings = shop.folder / "config.yaml"
    settings.write_text("account: {book: our.db}\n", encoding="utf-8")
    copy = sheets.write(cron.folder / "copy.csv", sheets.rows(3))
    mark = api.mark()
    ended = cron("run", copy, "--config", settings)
    assert "3 submissions were taken over" in ended.err
    assert not api.calls("submit", since=mark)
    assert "taken over" not in cron("run", copy, "--config", settings).err
    assert not api.calls("submit", since=mark)


def test_another_working_folder_pays_nothing_twice(product: Product, api: Api) -> None:
    """Without a book: refused with 2 before anything is made or sent; `plan` warns; --out says
    what is meant.
    """  # noqa: D205 - one sentence
    shop = without_book(product)
    manifest = sheets.write(shop.folder / "manifests" / "night.csv", sheets.rows(3))
    out = shop.folder / "outputs" / "night"
    assert shop("run", manifest.relative_to(shop.folder), "-q").code == 0
    before = manifest.read_bytes()
    cron = elsewhere(shop)
    mark = api.mark()
    for command in ("run", "retry", "fetch"):
        refused = cron(command, manifest)
        assert refused.code == 2
        assert "paid for a second time" in refused.err
        assert f"--out {out} " in refused.err
        assert f"--out {cron.folder / 'outputs' / 'night'}." in refused.err
    planned = cron("plan", manifest, "--json")
    assert planned.code == 0
    assert "paid for a second time" in planned.err
    assert planned.json["groups"]["new"] == 3
    assert "second time" in cron("run", manifest, "--dry-run").err
    assert cron("check", manifest, "-q").err == "" == cron("status", manifest, "-q").err
    assert not (cron.folder / "outputs" / "night" / "journal.db").exists()
    assert api.calls(since=mark) == []

    assert cron("run", manifest, "-q", "--out", out).code == 0
    assert "second time" not in cron("plan", manifest, "--out", out).err
    assert api.calls(since=mark) == [], "all are done there"
    invariants.hold(api, shop, manifest, out, before)

    own = cron.folder / "outputs" / "night"
    assert cron("run", manifest, "-q", "--out", own, "--limit", "1").code == 0
    assert cron("run", manifest, "-q", "--limit", "1").code == 0, "it has a journal of its own now"
    assert len(api.calls("submit", since=mark)) == 2


def test_a_rehearsal_and_a_live_run_never_share_a_folder(product: Product, api: Api) -> None:
    """Named with --out, a folder of live work is refused to a rehearsal before it asks anybody."""
    manifest = sheets.write(product.folder / "night.csv", sheets.rows(1))
    out = product.folder / "made"
    assert product("run", manifest, "-q", "--out", out).code == 0
    mark = api.mark()
    refused = product("run", manifest, "--out", out, sets={"provider": "rehearsal"})
    assert refused.code == 2
    assert "holds the work of live runs" in refused.err
    assert not (out / "cache" / "emulator").exists()
    assert product("run", manifest, "-q", "--out", out).code == 0
    assert api.calls(since=mark) == []


@pytest.mark.parametrize("outputs", ["outputs", "../made"])
def test_a_folder_set_for_all_outputs(product: Product, api: Api, outputs: str) -> None:
    """An absolute output.dir is the same from everywhere; a relative one is looked for as set."""
    product = without_book(product)
    shop = Product(product.folder / "shop", product.base_url, KEY, product.sets)
    manifest = sheets.write(shop.folder / "night.csv", sheets.rows(1))
    sets = {"output.dir": outputs}
    assert shop("run", manifest, "-q", sets=sets).code == 0
    cron = elsewhere(product)
    mark = api.mark()
    assert cron("run", manifest, sets=sets).code == 2
    absolute = str((shop.folder / outputs).resolve())
    assert cron("run", manifest, "-q", sets={"output.dir": absolute}).code == 0
    assert api.calls(since=mark) == []


@pytest.mark.long
def test_a_rehearsal_begins_wherever_it_is_started(rehearsing: Product) -> None:
    """Nothing is paid there, so nothing is asked."""
    manifest = sheets.write(rehearsing.folder / "night.csv", sheets.rows(1))
    sets = {"output.verify": "boxes"}
    assert rehearsing("run", manifest, "-q", sets=sets).code == 0
    folder = rehearsing.folder / "elsewhere"
    folder.mkdir()
    again = Product(folder, None, None)
    assert again("run", manifest, "-q", sets=sets).code == 0
    assert (folder / "outputs" / "night.rehearsal" / "results.csv").is_file()


@pytest.mark.parametrize("command", ["run", "retry", "fetch"])
def test_without_a_key_nothing_is_left_behind(product: Product, api: Api, command: str) -> None:
    """A live run that cannot begin makes no folder and no journal."""
    manifest = sheets.write(product.folder / "night.xlsx", sheets.rows(1))
    mark = api.mark()
    ended = Product(product.folder, api.base_url, None)(command, manifest)
    assert ended.code == 2
    assert "TOAPIS_API_KEY" in ended.err
    assert api.calls(since=mark) == []
    assert list(product.folder.iterdir()) == [manifest]
