"""From a shop's export to a plan with a price, by nothing but the commands that are printed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Command

SHOPIFY = """Handle,Title,Body (HTML),Vendor,Type,Published,Variant SKU,Image Src,Image Position
mug,Mug,<p>Hand made</p>,Mill,Mug,true,M-1,https://127.0.0.1/a.jpg,1
mug,,,,,,,https://127.0.0.1/b.jpg,2
lamp,Lamp,,,,true,L-1,https://127.0.0.1/c.jpg,1
"""
WOOCOMMERCE = """ID,Typ,Artikelnummer,Name,Veröffentlicht,Kurzbeschreibung,Kategorien,Bilder
1,simple,T-1,Tasse,1,Schön,Küche,https://127.0.0.1/a.jpg
2,simple,T-2,Löffel,1,Aus Holz,Küche,
"""
FRENCH = """ID,Type,UGS,Nom,Publié,Description courte,Tarif régulier,Catégories,Images
1,simple,T-1,Tasse,1,Belle,12,Cuisine,https://127.0.0.1/a.jpg
2,simple,T-2,Cuillère,1,,2,Cuisine,
"""
PRESTASHOP = """ID produit;Image;Nom;Référence;Catégorie;Prix (HT);Prix (TTC);État
1;https://127.0.0.1/1-small_default/a.jpg;Tasse;T-1;Cuisine;8;9;1
2;https://127.0.0.1/2-small_default/b.jpg;Lampe;T-2;Cuisine;8;9;1
"""
GOOGLE = """id\ttitle\tdescription\timage link\tprice
A\tMug\tHand made\thttps://127.0.0.1/a.jpg\t9 EUR
B\tLamp\t\thttps://127.0.0.1/b.jpg\t9 EUR
"""
MAGENTO = """sku,store_view_code,attribute_set_code,name,description,base_image,product_online
A,,Bag,Bag,<p>Nice</p>,,1
B,,Bag,Sack,,,1
"""
FEED = """<?xml version="1.0"?><rss xmlns:g="http://base.google.com/ns/1.0" version="2.0"><channel>
<item><g:id>A</g:id><title>Mug</title><g:image_link>https://127.0.0.1/a.jpg</g:image_link></item>
<item><g:id>B</g:id><title>Lamp</title><g:image_link>https://127.0.0.1/b.jpg</g:image_link></item>
</channel></rss>"""
EXPORTS = {
    "products export.csv": SHOPIFY, "artikel ü.csv": WOOCOMMERCE, "wc.csv": FRENCH,
    "presta.csv": PRESTASHOP, "feed.tsv": GOOGLE, "magento.csv": MAGENTO, "feed.xml": FEED,
}  # fmt: skip
_COMMAND = re.compile(
    r"^.*?(?:: |  )(reelsheet (?:init|plan) .*?)(?:\. Otherwise.*)?$", re.MULTILINE
)
_OPTION = re.compile(r"Add (--set budget\.price_per_second=\S+),")


def pasted(text: str, verb: str) -> list[str]:
    """Return the words of a printed command, as a shell would part them."""
    found = [one for one in _COMMAND.findall(text) if one.startswith(f"reelsheet {verb} ")]
    assert len(found) == 1, text
    return shlex.split(found[0])[1:]


@pytest.mark.parametrize("name", EXPORTS)
def test_what_is_printed_leads_to_a_price(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reelsheet: Command, name: str
) -> None:
    """`check` names the command that makes a manifest; that names `plan`, which says the rest."""
    folder = tmp_path / "Käse und Brot"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path(name).write_text(EXPORTS[name], encoding="utf-8")
    checked = reelsheet("check", name)
    assert checked.exit_code != 0
    said = f"{checked.output}\n{getattr(checked.exception, 'action', '')}"
    made = reelsheet(*pasted(said, "init"))
    assert made.exit_code == 0, made.output
    plan = pasted(made.stdout, "plan")
    planned = reelsheet(*plan)
    assert "to submit: 2 rows, 12 s of video, about" in planned.stdout
    (option,) = _OPTION.findall(planned.stdout)
    assert "12 s of video, 1.20 USD" in reelsheet(*plan, *option.split()).stdout


def test_a_model_without_prompts_makes_no_videos_of_an_exports_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reelsheet: Command
) -> None:
    """Each line has a picture, and several are of one product: it is converted all the same."""
    monkeypatch.chdir(tmp_path)
    Path("shop.csv").write_text(SHOPIFY, encoding="utf-8")
    said = reelsheet("plan", "shop.csv", "--set", "api.model=viduq3-pro").output
    assert "to submit: 0 rows" in said
    assert "no prompt column. It looks like an export of" in said
    assert "reelsheet init --from shopify shop.csv" in said


def test_a_plan_and_a_start_with_an_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reelsheet: Command
) -> None:
    """Whatever is tried first with an export names the same command."""
    monkeypatch.chdir(tmp_path)
    Path("shop.csv").write_text(SHOPIFY, encoding="utf-8")
    command = "reelsheet init --from shopify shop.csv --output shop-videos.xlsx"
    assert command in reelsheet("plan", "shop.csv").stderr
    for words in (("init", "shop.csv"), ("init", "--from", "shop.csv")):
        assert str(getattr(reelsheet(*words).exception, "action", "")).endswith(f": {command}")
    short = reelsheet("init", "--from", "shopify", "shop.csv")
    assert str(getattr(short.exception, "action", "")).endswith(command)
    Path("shop-videos.xlsx").write_bytes(b"")
    assert "--output shop-videos2.xlsx" in reelsheet("plan", "shop.csv").stderr


def test_what_is_no_export_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reelsheet: Command
) -> None:
    """A sheet by hand has the ways of its own columns; they work when pasted."""
    monkeypatch.chdir(tmp_path)
    Path("own.csv").write_text('sku,Name,price\nA,"A ""big"" mug",9\n', encoding="utf-8")
    said = reelsheet("check", "own.csv").stdout
    assert "init --from" not in said
    words = shlex.split(said.partition("For example: ")[2].splitlines()[0])
    assert words == ["--set", 'manifest.prompt_template=Product video of {{ row["Name"] }}']
    assert "1 row, 0 problems" in reelsheet("check", "own.csv", *words).stdout


def test_a_plan_names_the_command_that_says_why(manifest: Path, reelsheet: Command) -> None:
    """Rows that are not sent are not only counted."""
    planned = reelsheet("plan", manifest).stdout
    assert f"why rows are invalid: reelsheet check {manifest}\n" in planned
    assert reelsheet("check", manifest).exit_code == 2


def test_a_format_that_there_is_not_is_told_first(tmp_path: Path, reelsheet: Command) -> None:
    """Nobody types the name of an output only to learn that."""
    wrong = reelsheet("init", "--from", "shopifi", tmp_path / "a.csv").exception
    assert "no such export format" in str(wrong)
