"""Each table as its shop reads it: its columns, its addresses, and what it cannot take."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from pipeline.errors import UsageError
from pipeline.export.exporting import Exported, Wish
from pipeline.export.formats import FORMATS
from pipeline.export.publicaddress import PublicAddress
from pipeline.export.shopifyuploads import FORMAT as SHOPIFY
from pipeline.export.tables import TableOrder
from pipeline.export.woocommercecsv import read_meta_key
from tests.export.goods import draw, files_in, hand, judge
from tests.review.shop import Shop, make_shop

ADDRESS = PublicAddress.read("https://cdn.example.com/v/")


def shop_of(tmp_path: Path, lines: list[str], head: str = "sku,prompt,title,product\n") -> Shop:
    """Make a shop whose rows are all made and approved."""
    shop = make_shop(tmp_path, "MUG")
    shop.manifest.write_text(head + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    keys = [next(csv.reader([line]))[0] for line in lines]
    for number, key in enumerate(keys):
        shop.make(key, name=f"{number}.mp4")
    draw(shop)
    judge(shop, "approve", *keys)
    return shop


def tabled(shop: Shop, *names: str, **more: object) -> tuple[Exported, dict[str, bytes]]:
    """Export with these tables; return what was done and the files that are there."""
    wish = replace(Wish(tables=names, address=ADDRESS), **more)  # type: ignore[arg-type]
    done = hand(shop, wish)
    return done, files_in(done.folder)


def test_matrixify_gets_its_sheet_of_files(tmp_path: Path) -> None:
    """Another video under the same name is replaced in the shop; what is there already is not."""
    shop = shop_of(tmp_path, ["MUG,A mug.,Mug,", "Größe 38,A shoe.,=1+1,"])
    done, _ = tabled(shop, "matrixify")
    book = openpyxl.load_workbook(done.folder / "matrixify.xlsx")
    assert list(book["Files"].values) == [
        ("Command", "Link", "File Name"),
        ("MERGE", "https://cdn.example.com/v/MUG/MUG.mp4", "MUG.mp4"),
        ("MERGE", "https://cdn.example.com/v/Gr%C3%B6%C3%9Fe%2038/Gr%C3%B6%C3%9Fe%2038.mp4",
         "Größe 38.mp4"),
    ]  # fmt: skip
    before = (done.folder / "matrixify.xlsx").read_bytes()
    tabled(shop, "matrixify")
    assert (done.folder / "matrixify.xlsx").read_bytes() == before
    shop.make("MUG", 2)
    judge(shop, "approve", "MUG")
    for _ in range(2):
        done, _ = tabled(shop, "matrixify")
        book = openpyxl.load_workbook(done.folder / "matrixify.xlsx")
        assert [line[0] for line in book["Files"].values] == ["Command", "REPLACE", "MERGE"]


def test_woocommerce_finds_products_by_their_sku(tmp_path: Path) -> None:
    """A field of the plugin takes the address, one for each product."""
    shop = shop_of(tmp_path, ["M-1,A mug.,,CUP", "M-2,A mug.,,CUP", "=HYPERLINK(1),Evil.,,EVIL"])
    done, there = tabled(shop, "woocommerce", meta_key="_plugin_video")
    assert there["woocommerce.csv"].decode().splitlines() == [
        "SKU,Meta: _plugin_video",
        "M-1,https://cdn.example.com/v/M-1/M-1.mp4",
        "M-2,https://cdn.example.com/v/M-2/M-2.mp4",
    ]
    ((left),) = done.left
    assert (left.key, left.table) == ("=HYPERLINK(1)", "woocommerce")
    done, there = tabled(shop, "woocommerce", product="Product")
    assert [line.partition(",")[0] for line in there["woocommerce.csv"].decode().splitlines()] == [
        "SKU", "CUP", "EVIL",
    ]  # fmt: skip
    assert "only one" in done.left[0].why
    assert "M-2,3,woocommerce," in there["left_out.csv"].decode()


def test_google_gets_up_to_ten_links_of_a_product(tmp_path: Path) -> None:
    """ASCII alone, with commas between them and none in them; what is too long falls out."""
    rows = [f"M-{number},A mug.,,CUP" for number in range(12)]
    rows += ["Größe 38,A shoe.,,SHOE", f"{'x' * 60},Long.,,{'x' * 60}", '"a,b",Comma.,,COMMA']
    shop = shop_of(tmp_path, rows)
    done, there = tabled(shop, "google", product="product")
    text = there["google.tsv"].decode("ascii")
    lines = dict(csv.reader(text.splitlines(), delimiter="\t"))
    assert list(lines) == ["id", "CUP", "SHOE", "COMMA"]
    assert len(lines["CUP"].split(",")) == 10
    assert lines["SHOE"].endswith("/Gr%C3%B6%C3%9Fe%2038.mp4")
    assert lines["COMMA"] == "https://cdn.example.com/v/a%2Cb/a%2Cb.mp4"
    assert [one.key for one in done.left] == ["M-10", "M-11", "x" * 60]
    assert done.complete


def test_shopify_gets_what_a_staged_upload_needs(tmp_path: Path) -> None:
    """Without an address: the files go there by the API; nothing is uploaded here."""
    shop = shop_of(tmp_path, ["MUG,A mug.,Mug,"])
    done, there = tabled(shop, "shopify", address=None)
    (line,) = map(json.loads, there["shopify.jsonl"].decode().splitlines())
    size = len(there["MUG/MUG.mp4"])
    assert line["stagedUploadInput"] == {
        "resource": "VIDEO",
        "filename": "MUG.mp4",
        "mimeType": "video/mp4",
        "fileSize": str(size),
        "httpMethod": "POST",
    }
    assert line["fileCreateInput"]["alt"] == "Mug"
    many = [replace(done.media[0], key=str(number)) for number in range(1_200)]
    table = SHOPIFY.write(TableOrder(many, done.folder, shop.manifest, frozenset(), ""))
    assert "250 (Basic)" in table.notes[0]
    assert "1,000 new videos a week" in table.notes[1]


def test_a_table_without_an_address_is_not_written(tmp_path: Path) -> None:
    """The folder is handed over all the same, and it is told."""
    shop = shop_of(tmp_path, ["MUG,A mug.,Mug,"])
    done, there = tabled(shop, *FORMATS, address=None)
    assert done.unwritten == ("matrixify", "woocommerce", "google")
    assert not done.complete
    assert there.keys() == {
        "MUG/MUG.mp4", "MUG/MUG.jpg", "media.csv", "left_out.csv", "shopify.jsonl",
    }  # fmt: skip


def test_nothing_in_a_table_runs(tmp_path: Path) -> None:
    """A title, a key or a reviewer that begins like a formula is guarded as in all our tables."""
    shop = shop_of(tmp_path, ['"=cmd|x",A mug.,"=1+1;=2",@x', "MUG,A mug.,+cmd,-x"])
    _, there = tabled(shop, *FORMATS)
    for name in ("media.csv", "left_out.csv", "woocommerce.csv", "google.tsv"):
        text = there[name].decode("utf-8-sig")
        for line in csv.reader(text.splitlines(), delimiter="\t" if name[-3:] == "tsv" else ","):
            assert not any(cell.startswith(("=", "+", "@")) for cell in line), name
        assert not re.search(r"(?:^|[,;|\t])[\" ]*[=+@]", text, re.MULTILINE), name


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("https://cdn.example.com/v", "https://cdn.example.com/v"),
        ("https://müller.example:8443/a b/ü/", "https://xn--mller-kva.example:8443/a%20b/%C3%BC"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("https://cdn.example.com/a%20b", "https://cdn.example.com/a%20b"),
    ],
)
def test_an_address_is_ascii(text: str, base: str) -> None:
    """A name outside of it is encoded, and what is encoded already is left alone."""
    assert PublicAddress.read(text).of("é/?.mp4") == f"{base}/%C3%A9/%3F.mp4"


@pytest.mark.parametrize(
    "text",
    ["", "cdn.example.com", "ftp://x/y", "https://", "https://u:p@x/y", "https://x/?a", "https://x/#a",
     "https://[x", "https://x:99999", "file:///etc"],
)  # fmt: skip
def test_what_is_no_address_of_a_folder_is_refused(text: str) -> None:
    """With how to write it."""
    with pytest.raises(UsageError) as refused:
        PublicAddress.read(text)
    assert "--base-url" in f"{refused.value.action}"
    assert "u:p@" not in refused.value.message


@pytest.mark.parametrize("text", ["", " ", "a\nb", "x" * 300])
def test_a_field_has_a_name(text: str) -> None:
    """Of one line."""
    with pytest.raises(UsageError, match="--meta-key"):
        read_meta_key(text)


def test_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Nothing is handed over then."""
    shop = shop_of(tmp_path, ["MUG,A mug.,Mug,"])
    with pytest.raises(UsageError, match=r"--id-column Nummer: .* no column") as refused:
        hand(shop, Wish(product="Nummer"))
    assert refused.value.action is not None
    assert refused.value.action.startswith('Its headers are "')
    assert not shop.folder.approved.exists()
