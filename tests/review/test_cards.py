"""The cards of the review page: what it shows of sheet, takes, stills and decisions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pipeline.model import Decision, Video
from pipeline.review.cards import Cards, Stills, chips_of, hash_of
from pipeline.review.posters import picture_name, poster_name
from pipeline.review.takes import rows_with_takes
from pipeline.review.verdicts import latest_of
from tests.review.shop import make_shop


def test_a_card_for_each_row(tmp_path: Path) -> None:
    """With title, prompt, seconds and groups from the sheet, and all of its takes."""
    shop = make_shop(tmp_path)
    first, second = shop.make("MUG"), shop.make("MUG", 2)
    checked = shop.check()
    rows = rows_with_takes(checked, shop.folder)
    said = Decision("MUG", 1, first.sha256, "reject", "other", reviewer="Ada", at=5.0, seq=3)
    maker = Cards(checked)
    mug, bag, _ = maker.make(rows, latest_of([said]), Stills(posters={"MUG-2.2.jpg"}))
    assert maker.groups == [{"name": "shop", "values": ["north", "south"]}]
    assert (mug["key"], mug["title"], mug["prompt"]) == ("MUG", "The MUG", "A MUG.")
    assert (mug["groups"], bag["groups"]) == ([1], [0])
    assert mug["prompt_hash"] == hash_of("A MUG.")
    assert mug["seconds"] > 0
    one, two = mug["takes"]
    assert (one["file"], one["sha256"], one["poster"]) == ("MUG.mp4", first.sha256, "")
    assert one["said"]["reason"] == "other"
    assert (two["poster"], two["number"], two["sha256"]) == ("MUG-2.2.jpg", 2, second.sha256)
    assert "said" not in two
    assert (bag["takes"], bag["entry"], bag["state"]) == ([], "", "waiting")


def test_a_sheet_of_anything_has_cards(tmp_path: Path) -> None:
    """Rows that break a rule, pictures of the web, no title, results that are read back."""
    shop = make_shop(tmp_path)
    shop.manifest.write_text(
        "prompt,image,result_state,vendor,code\n,,,A,1\nA bag.,https://shop.example/b.jpg,done,A,2\n"
    )
    checked = shop.check()
    maker = Cards(checked)
    empty, bag = maker.make(rows_with_takes(checked, shop.folder), {}, Stills())
    assert maker.groups == []
    assert (empty["title"], empty["prompt"], empty["seconds"]) == ("", "", 0)
    assert bag["pictures"] == [{"url": "https://shop.example/b.jpg"}]


def test_the_names_of_stills() -> None:
    """No two takes of anything share one."""
    assert poster_name("100% Wolle.mp4", 1) == "100% Wolle.1.jpg"
    assert poster_name("MUG.mp4", 12) != poster_name("MUG.1.mp4", 2)
    assert picture_name("ab" * 32) == "ab" * 12 + ".jpg"


def test_what_is_odd_is_said_in_two_words() -> None:
    """The whole sentence is in the results."""
    video = Video("a.mp4", 1, "aa", 5.0, 640, 360)
    odd = replace(
        video,
        warnings=(
            "The video has 640x360 pixels instead of 1280x720 (16:9 at 720P).",
            "The video is 5.00 s long instead of 6 s.",
            "something else",
        ),
    )
    assert chips_of(odd) == ["odd size", "odd length", "something else"]
    assert chips_of(video) == []
    tall = "The video has 720x1280 pixels instead of 1280x720 (16:9 at 720P)."
    near = "The video has 1920x1088 pixels instead of 1920x1080 (16:9 at 1080p)."
    assert chips_of(replace(video, warnings=(tall, near))) == ["odd frame", "odd size"]


def test_rows_can_be_grouped_by_the_model_that_they_have(tmp_path: Path) -> None:
    """Also one that is written in another way, or is that of the settings."""
    shop = make_shop(tmp_path)
    rows = "A,A bag.,\nB,A cup.,VEO3.1-fast\nC,A jar.,veo3.1-fast\nD,A lid.,gemini_omni_flash\n"
    shop.manifest.write_text(f"key,prompt,video_model\n{rows}")
    maker = Cards(shop.check())
    (group,) = maker.groups
    assert group["values"] == ["gemini_omni_flash", "veo3.1-fast"]
    cards = maker.make(rows_with_takes(shop.check(), shop.folder), {}, Stills())
    assert [one["groups"] for one in cards] == [[0], [1], [1], [0]]
