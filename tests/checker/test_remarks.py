"""What may not be meant is said before it is paid for: each kind once, with its number."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from pipeline.checker.check import check_manifest
from pipeline.config.loading import load
from pipeline.model import Severity

GOOD = "A mug turns on a table"


def warnings(folder: Path, text: str, *settings: str) -> dict[str, str]:
    """Check a sheet; every row of it can be sent."""
    path = folder / "shop.csv"
    path.write_bytes(text.encode())
    checked = check_manifest(path, load(None, environ={}, overrides=settings), cache_dir=None)
    assert {(one.severity, one.row) for one in checked.problems} <= {(Severity.WARNING, None)}
    assert checked.valid == len(checked.manifest.rows)
    assert len({one.code for one in checked.problems}) == len(checked.problems)
    return {one.code: one.message for one in checked.problems}


def column(*prompts: str) -> str:
    return "prompt\n" + "\n".join(f'"{one}"' for one in prompts) + "\n"


def test_a_prompt_of_one_word(tmp_path: Path) -> None:
    """Or of digits; words of scripts without blanks are counted otherwise."""
    said = warnings(tmp_path, column("mug", GOOD, "12345", "12 34", "x", "T-shirt"))
    assert list(said) == ["prompt_short"]
    assert said["prompt_short"].startswith("5 rows (rows 2, 4, 5, 6 and 7): the prompt is")
    assert '"mug"' in said["prompt_short"]
    assert "prompt_short" in warnings(tmp_path, column("杯子"))
    assert warnings(tmp_path, column("一只绿色的杯子在木桌上缓缓旋转", "แก้วสีเขียวหมุนบนโต๊ะ")) == {}


def test_na_is_a_prompt_with_a_warning(tmp_path: Path) -> None:
    """It is somebody's product, but mostly nobody's."""
    said = warnings(tmp_path, column("NA", "n/a", "null", GOOD))
    assert list(said) == ["prompt_like_empty"]
    assert "3 rows (rows 2, 3 and 4)" in said["prompt_like_empty"]
    assert '"NA"' in said["prompt_like_empty"]


def test_html_that_was_left(tmp_path: Path) -> None:
    """Tags and signs of a web page; other angle brackets are words."""
    prompts = ("<p>A mug turns</p>", "A mug<br/>turns", "Tea &amp; mugs turn", "3 < 5 mugs turn",
               "<scene>A mug turns</scene>", "AT&T shop window")  # fmt: skip
    said = warnings(tmp_path, column(*prompts))
    assert list(said) == ["prompt_html"]
    assert "3 rows (rows 2, 3 and 4)" in said["prompt_html"]


def test_control_characters(tmp_path: Path) -> None:
    """They are said to be removed; tabs, line breaks and what belongs to a script are not."""
    prompts = ("A mug\x07 turns", "A\tmug\nturns", "A \u200emug\u200d turns", "A mug\x0bturns")
    said = warnings(tmp_path, column(*prompts))
    assert list(said) == ["prompt_controls"]
    assert said["prompt_controls"].startswith("2 rows (rows 2 and 6): the prompt holds control")
    assert "removed from what is sent" in said["prompt_controls"]


def test_one_prompt_for_many_rows(tmp_path: Path) -> None:
    """Without pictures nothing tells their products from another."""
    rows = [f"K{n},A product turns,{(4, 6)[n % 2]}" for n in range(6)]
    said = warnings(tmp_path, "\n".join(["sku,prompt,duration", *rows]))
    assert (
        "6 rows without a picture have the same prompt (rows 2, 3, 4, 5, 6 and 1 more"
        in (said["prompts_equal"])
    )
    rows = [f"K{n},A product turns,https://shop.example/{n}.jpg" for n in range(6)]
    assert warnings(tmp_path, "\n".join(["sku,prompt,image_1", *rows])) == {}


def picture(folder: Path, name: str, *size: int) -> None:
    Image.new("RGB", (size[0], size[1]), (size[0] % 256, 20, 30)).save(folder / name)


def test_small_pictures(tmp_path: Path) -> None:
    """Tracking pixels and thumbnails: with their sizes, each once."""
    picture(tmp_path, "pixel.gif", 1, 1)
    picture(tmp_path, "thumb.png", 160, 90)
    picture(tmp_path, "good.png", 1024, 576)
    rows = [f"{GOOD} {n},{name}" for n, name in enumerate(["pixel.gif", "thumb.png", "good.png",
                                                           "pixel.gif"])]  # fmt: skip
    said = warnings(tmp_path, "\n".join(["prompt,image_1", *rows]))
    assert list(said) == ["picture_small"]
    assert "2 pictures of 3 rows have fewer than 512 pixels" in said["picture_small"]
    assert "pixel.gif (1 x 1, row 2), thumb.png (160 x 90, row 3)" in said["picture_small"]


def test_a_picture_that_does_not_fit_the_frame(tmp_path: Path) -> None:
    """The row says so, with the size and how much of it can be shown."""
    picture(tmp_path, "tall.png", 600, 1200)
    path = tmp_path / "shop.csv"
    path.write_text(f"prompt,image_1\n{GOOD},tall.png\n", encoding="utf-8")
    (shape,) = check_manifest(path, load(None, environ={}), cache_dir=None).problems
    assert (shape.code, shape.row, shape.severity) == ("picture_shape", 2, Severity.WARNING)
    assert "600 x 1200" in shape.message


def test_the_same_picture_three_times(tmp_path: Path) -> None:
    """Under one name or several."""
    picture(tmp_path, "a.png", 640, 640)
    picture(tmp_path, "b.png", 640, 640)
    web = "https://shop.example/a.jpg"
    rows = [f"{GOOD} 1,a.png,a.png,b.png", f"{GOOD} 2,{web},{web},{web}",
            f"{GOOD} 3,a.png,{web},b.png", f"{GOOD} 4,a.png,,"]  # fmt: skip
    said = warnings(tmp_path, "\n".join(["prompt,image_1,image_2,image_3", *rows]))
    assert list(said) == ["picture_repeated"]
    assert said["picture_repeated"].startswith("2 rows (rows 2 and 3): the same picture")


@pytest.mark.parametrize(
    ("url", "direct"),
    [
        ("https://drive.google.com/file/d/1AbC_defGHIjklMNop/view?usp=sharing",
         "https://drive.google.com/uc?export=download&id=1AbC_defGHIjklMNop"),
        ("https://www.dropbox.com/s/abc/mug.jpg?dl=0", "https://www.dropbox.com/s/abc/mug.jpg?dl=1"),
        ("https://shop.example/products/blue-mug", "copy the address of the picture itself"),
    ],
)  # fmt: skip
def test_an_address_of_a_page(tmp_path: Path, url: str, direct: str) -> None:
    """With the address that works, where it is known; once for all rows of the kind."""
    path = tmp_path / "shop.csv"
    path.write_text(f"prompt,image_1\n{GOOD},{url}\n", encoding="utf-8")
    said = warnings(tmp_path, path.read_text(encoding="utf-8"))
    assert list(said) == ["picture_link_to_page"], "a single one is said once"
    assert said["picture_link_to_page"].startswith("1 picture link (row 2) leads to")
    assert direct in said["picture_link_to_page"]
    rows = [f"{GOOD} {n},{url}" for n in range(2)]
    path.write_text("\n".join(["prompt,image_1", *rows]), encoding="utf-8")
    checked = check_manifest(path, load(None, environ={}), cache_dir=None)
    assert {(one.code, one.severity) for one in checked.problems} == {
        ("picture_link_to_page", Severity.WARNING)
    }
    first, *cells = checked.problems
    assert first.message.startswith("2 picture links (rows 2 and 3) lead to")
    assert direct in first.message
    known = direct.startswith("https://")
    assert [(one.row, one.column) for one in cells] == [(2, "image_1"), (3, "image_1")] * known
    assert all(one.message.endswith(f"The picture itself is at {direct}") for one in cells)


def test_an_ordinary_sheet_has_nothing_to_be_remarked(tmp_path: Path) -> None:
    """Most have not."""
    picture(tmp_path, "a.png", 1920, 1080)
    assert warnings(tmp_path, f"prompt,image_1\n{GOOD},a.png\nA bag turns,\n") == {}
