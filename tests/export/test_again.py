"""A table of an earlier export never names what is not handed over any more, unsaid."""

from __future__ import annotations

from pathlib import Path

import openpyxl

from pipeline.export.exporting import Wish
from pipeline.export.formats import FORMATS
from pipeline.export.publicaddress import PublicAddress
from pipeline.export.telling import document_of, tell_open
from pipeline.manifest.invocation import Invocation
from tests.export.goods import files_in, hand, judge
from tests.export.test_formats import shop_of, tabled
from tests.review.shop import Shop

ROWS = ["MUG,A mug.,Mug,CUP", "BAG,A bag.,Bag,SACK"]


def names_bag(shop: Shop) -> list[str]:
    """Return the tables that name the second row."""
    there = files_in(shop.folder.approved)
    book = openpyxl.load_workbook(shop.folder.approved / "matrixify.xlsx")["Files"]
    files = [row[2] for row in book.values]
    named = [name for name in there if name[-3:] in ("csv", "tsv", "onl") and b"BAG" in there[name]]
    return [*named, *(["matrixify.xlsx"] if "BAG.mp4" in files else [])]


def test_tables_that_are_not_named_again_are_brought_up_to_date(tmp_path: Path) -> None:
    """As they were asked for: with the same addresses, products and fields."""
    shop = shop_of(tmp_path, ROWS)
    tabled(shop, *FORMATS, product="product", meta_key="_video")
    judge(shop, "reject", "BAG")
    done = hand(shop)
    assert {path.name for path in done.files} > {one.file for one in FORMATS.values()}
    assert (done.complete, done.stale) == (True, ())
    assert names_bag(shop) == ["left_out.csv"]
    shops = (shop.folder.approved / "woocommerce.csv").read_text().splitlines()
    assert shops == ["SKU,Meta: _video", "CUP,https://cdn.example.com/v/MUG/MUG.mp4"]
    judge(shop, "approve", "BAG")
    done = hand(shop, Wish(tables=("matrixify",)))
    assert (done.unwritten, "matrixify.xlsx" in names_bag(shop)) == (("matrixify",), True)
    (shop.folder.approved / "google.tsv").unlink()
    hand(shop)
    assert not (shop.folder.approved / "google.tsv").exists(), "it was deleted, and not asked for"


def test_a_new_address_that_tables_of_before_do_not_take_is_told(tmp_path: Path) -> None:
    """They are written as they were asked for; the options that change that are named."""
    shop = shop_of(tmp_path, ROWS)
    tabled(shop, *FORMATS, product="product")
    assert hand(shop).notes == ()
    moved = PublicAddress.read("https://media.example.com/v")
    done = hand(shop, Wish(address=moved, tables=("google",)))
    (note,) = [one for one in done.notes if "address" in one]
    assert note.startswith("matrixify.xlsx, woocommerce.csv keep the address")
    assert note.endswith("add --to matrixify --to woocommerce")
    done = hand(shop, Wish(address=moved, tables=("matrixify", "woocommerce")))
    assert not [one for one in done.notes if "address" in one]


def test_a_table_that_a_person_changed_is_left_alone_and_named(tmp_path: Path) -> None:
    """Also one whose column is gone, and one of which nothing is known; the exit code says it."""
    shop = shop_of(tmp_path, ROWS)
    tabled(shop, "woocommerce", product="product")
    tabled(shop, "shopify", address=None)
    table = shop.folder.approved / "shopify.jsonl"
    table.write_text("mine\n")
    (shop.folder.approved / "google.tsv").write_text("id\tvideo_link\n")
    text = shop.manifest.read_text()
    shop.manifest.write_text(text.replace(",product", ",article"))
    done = hand(shop)
    assert [one.name for one in done.stale] == ["google.tsv", "shopify.jsonl", "woocommerce.csv"]
    assert not done.complete
    assert table.read_text() == "mine\n"
    said = list(tell_open(done, Invocation(shop.manifest)))
    assert any(f"{table} is of an earlier export" in one for one in said)
    assert len(document_of(done, rehearsal=True)["stale"]) == 3
    assert hand(shop, Wish(tables=("shopify",))).stale == done.stale[::2]
