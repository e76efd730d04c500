"""Google's product feed: text and XML, one row for each product with all its variants."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.authoring.shops import feedxml
from pipeline.authoring.shops.conversion import convert
from pipeline.authoring.shops.recognition import find
from pipeline.errors import UsageError

HEADERS = (
    "id", "title", "description", "link", "image link", "additional_image_link", "item_group_id",
    "brand", "product_type", "price", "sale_price", "availability",
)  # fmt: skip
Made = Callable[..., tuple[list[dict[str, str]], Any]]
Save = Callable[..., Path]
AT = "https://127.0.0.1"


def pictures(row: dict[str, str]) -> list[str]:
    return [row[f"image_{n}"] for n in (1, 2, 3) if row[f"image_{n}"]]


def test_an_item(save: Save, made: Made) -> None:
    """Its pictures are parted before each address: an address may hold a comma."""
    line = {
        "id": "M-1", "title": "Mug &amp; saucer", "description": "<p>Big</p>", "link": f"{AT}/m",
        "image link": f"{AT}/a.jpg", "additional_image_link": f"{AT}/b,c.jpg,{AT}/d.jpg",
        "brand": "Kiln", "product_type": "Home &gt; Mugs", "price": "12 EUR",
        "sale_price": "9 EUR", "availability": "in_stock",
    }  # fmt: skip
    (row,), _ = made(save(HEADERS, [line]), "google")
    kept = {
        "key": "M-1", "title": "Mug & saucer", "description": "Big", "type": "Mugs",
        "vendor": "Kiln", "price": "9 EUR", "regular_price": "12 EUR", "url": f"{AT}/m",
        "status": "in_stock",
    }  # fmt: skip
    assert kept.items() <= row.items()
    assert pictures(row) == [f"{AT}/a.jpg", f"{AT}/b,c.jpg", f"{AT}/d.jpg"]


def test_variants_are_one_product(save: Save, made: Made) -> None:
    """Their group is the key; where the first has no picture, another one's stand in."""
    lines = [
        {"id": "S-1", "title": "Shirt S", "item_group_id": "SHIRT"},
        {"id": "T", "title": "Tea"},
        {"id": "S-2", "title": "Shirt M", "item_group_id": "SHIRT", "image link": f"{AT}/m.jpg"},
        {"title": "Nameless"},
    ]
    rows, conversion = made(save(HEADERS, lines), "google")
    assert [(row["key"], pictures(row)) for row in rows] == [("SHIRT", [f"{AT}/m.jpg"]), ("T", [])]
    assert "no picture in the export" in conversion.findings[0]
    assert conversion.findings[1:] == ("left out: line 5: it has no id",)


def test_a_row_for_each_variant(save: Save, made: Made) -> None:
    """With --variants each item has its id, its picture, and the words in which it differs."""
    item = {"title": "Shirt Ada", "item_group_id": "SHIRT", "brand": "Kiln", "material": "linen"}
    lines = [
        {**item, "id": "S-1", "color": "Sand", "size": "S", "image link": f"{AT}/s.jpg"},
        {**item, "id": "S-2", "color": "Sand", "size": "M", "image link": f"{AT}/m.jpg"},
        {**item, "id": "S-3", "color": "Blue", "size": "S", "title": "Shirt Ada blue"},
        {"id": "T", "title": "Tea"},
    ]
    path = save((*HEADERS, "color", "size", "material"), lines)
    rows, _ = made(path, "google", variants=True)
    assert [(row["key"], row["title"]) for row in rows] == [
        ("S-1", "Shirt Ada, Sand, S"),
        ("S-2", "Shirt Ada, Sand, M"),
        ("S-3", "Shirt Ada blue, S"),
        ("T", "Tea"),
    ]
    assert [pictures(row) for row in rows[:3]] == [[f"{AT}/{one}.jpg"] for one in "sms"]
    assert rows[0]["prompt"].startswith("Product film of Shirt Ada, Sand, made of linen, exactly")
    _, conversion = made(save(HEADERS, lines[3:]), "google", variants=True)
    assert conversion.findings[0] == (
        "--variants: no product of this export has variants, so each is one row"
    )


RSS = f"""<?xml version="1.0"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>A shop</title>
<item><g:id>M-1</g:id><title><![CDATA[Mug & saucer]]></title><g:description>Big</g:description>
<g:image_link>{AT}/a.jpg</g:image_link>
<g:additional_image_link>{AT}/b.jpg</g:additional_image_link>
<g:additional_image_link>{AT}/c.jpg</g:additional_image_link>
<g:shipping><g:id>no</g:id><g:price>1 EUR</g:price></g:shipping><g:price>9 EUR</g:price></item>
<item><g:id>T</g:id><title>Tea</title></item></channel></rss>"""


@pytest.mark.parametrize("text", [RSS, RSS.replace("item>", "entry>").replace("channel", "feed")])
def test_a_feed_in_xml(tmp_path: Path, made: Made, text: str) -> None:
    """Elements that occur several times are all read, those within others are not."""
    path = tmp_path / "feed.xml"
    path.write_text(text, encoding="utf-8")
    rows, _ = made(path, "google")
    assert [(row["key"], row["title"], row["price"]) for row in rows] == [
        ("M-1", "Mug & saucer", "9 EUR"),
        ("T", "Tea", ""),
    ]
    assert pictures(rows[0]) == [f"{AT}/{name}.jpg" for name in "abc"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (RSS[:300], "no XML file that can be read"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "declares entities"),
        ("<urlset><url/></urlset>", 'no column "id"'),
        ("<rss><channel/></rss>", 'no column "id"'),
        (f"<rss><item>{''.join(f'<n{one}>x</n{one}>' for one in range(17_000))}</item></rss>",
         "more than 16,384 kinds of elements"),
    ],
)  # fmt: skip
def test_other_xml_files(tmp_path: Path, text: str, said: str) -> None:
    """Each is refused with a sentence."""
    path = tmp_path / "feed.xml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        convert(path, find("google"))


def test_a_feed_has_a_cell_for_each_item_and_element(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Items of different elements make a table of their product: it is told before it is made."""
    monkeypatch.setattr(feedxml, "_MOST_CELLS", 100)
    items = [f"<item><id>{one}</id><e{one}>x</e{one}></item>" for one in range(10)]
    path = tmp_path / "feed.xml"
    for most, fits in ((9, True), (10, False)):
        path.write_text(f"<rss>{''.join(items[:most])}</rss>", encoding="utf-8")
        if fits:
            assert len(feedxml.read_feed(path).rows) == most
        else:
            with pytest.raises(UsageError, match="would have more than 100 cells"):
                feedxml.read_feed(path)
