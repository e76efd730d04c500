"""The name of the model: asked for before the first submission, and sent as its page says."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from pipeline.journal.reading import read_entries
from tests.system.harness import sheets
from tests.system.harness.api import Api
from tests.system.harness.product import Product

pytestmark = pytest.mark.process
OLDER, NEWER = "gemini_omni_flash", "gemini-omni-flash"


def shop(product: Product, *, pictures: int = 0) -> tuple[Path, Path]:
    """Write a manifest of two rows, the second in 1080p; return it and its output folder."""
    names = []
    for number in range(pictures):
        Image.new("RGB", (640, 360), (40 * number, 90, 90)).save(product.folder / f"p{number}.png")
        names.append(f"p{number}.png")
    path = product.folder / "shop.csv"
    lines = ["sku,prompt,resolution,images", f"A,a mug,720p,{'|'.join(names)}", "B,a lamp,1080p,"]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path, product.folder / "outputs" / "shop"


def test_it_is_asked_for_once_and_before_anything_is_submitted(product: Product, api: Api) -> None:
    """Nothing is said where the list has the name; a run that submits nothing does not ask."""
    manifest, _ = shop(product)
    mark = api.mark()
    ended = product("run", manifest)
    assert ended.code == 0, ended.err
    assert "api.model" not in ended.err
    kinds = [call["kind"] for call in api.calls(since=mark)]
    assert kinds.count("models") == 1
    assert kinds.index("models") < kinds.index("submit")
    (asked,) = api.calls("models", since=mark)
    assert asked["path"] == "/v1/models?type=video"
    mark = api.mark()
    assert product("run", manifest).code == 0
    assert product("fetch", manifest).code == 0
    assert api.calls("models", since=mark) == []


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (f"models_listed@veo3.1-fast,{NEWER}", f"set api.model: {NEWER};"),
        ("models_listed@veo3.1-fast", "does not list the model gemini_omni_flash (api.model)"),
        ("models_404", "is not known"),
        ("models_500", "is not known"),
        ("models_html", "is not known"),
        ("models_reset", "is not known"),
        ("models_401", "is not known"),
    ],
)
def test_the_default_goes_out_whatever_the_list_says(
    product: Product, api: Api, fault: str, said: str
) -> None:
    """It is a name that only some channels have: one warning, and the rows are made."""
    manifest, out = shop(product)
    api.faults(fault)
    ended = product("run", manifest)
    assert ended.code == 0, ended.err
    assert ended.err.count(said) == 1
    assert ended.err.count("api.model") >= 1
    assert set(sheets.states(out).values()) == {"done"}


def test_a_name_that_nobody_knows_ends_with_2(product: Product, api: Api) -> None:
    """With near names, and with nothing sent; the right name goes on."""
    manifest, out = shop(product)
    mark = api.mark()
    ended = product("run", manifest, sets={"api.model": "gemini-omni-flsh"})
    assert ended.code == 2, ended.err
    assert "did you mean gemini-omni-flash" in ended.err
    assert api.calls("submit", since=mark) == []
    assert set(sheets.states(out).values()) == {"waiting"}
    ended = product("run", manifest)
    assert ended.code == 0, ended.err
    assert set(sheets.states(out).values()) == {"done"}


def test_the_newer_name_is_sent_as_its_page_says(product: Product, api: Api) -> None:
    """720p in small letters and two pictures; the older one refuses them before anything is sent.

    What a row asks for is the same under both, so that nothing made under one is made again.
    """
    manifest, out = shop(product, pictures=2)
    checked = product("check", manifest)
    assert checked.code == 2
    assert "The row names 2 pictures; a video takes no picture, one or three." in checked.out
    newer = {"api.model": NEWER}
    assert product("check", manifest, sets=newer).code == 0
    mark = api.mark()
    ended = product("run", manifest, sets=newer)
    assert ended.code == 0, ended.err
    assert set(sheets.states(out).values()) == {"done"}
    numbers = {call["number"] for call in api.calls("submit", since=mark)}
    sent = [one["body"] for one in api.records()["submissions"] if one["number"] in numbers]
    shown = {(one["model"], one["resolution"], len(one.get("image_urls", []))) for one in sent}
    assert shown == {(NEWER, "720p", 2), (NEWER, "1080p", 0)}
    resolutions = {
        one.attempt.request.resolution for one in dict(read_entries(out / "journal.db")).values()
    }
    assert resolutions == {"720P", "1080p"}


def test_a_manifest_may_mix_models(product: Product, api: Api) -> None:
    """Each row goes out as the page of its model prints it, and a second run buys nothing."""
    path = product.folder / "mixed.csv"
    cup, first, last = "A cup turns", "https://example.com/1.jpg", "https://example.com/2.jpg"
    lines = (
        "sku,prompt,images,duration,resolution,aspect_ratio,video_model,audio,seed",
        f"A,{cup},,4,,9:16,,,",
        f"B,{cup},{first}|{last},,1080p,,veo3.1-fast,,",
        f"C,{cup},{first},2 s,480,portrait,Grok-Video-1.5,,",
        f"D,{cup},,10,1080p,,viduq3-pro,nein,7",
        f"E,{cup},{first},,,,viduq3-turbo,,",
    )
    path.write_text("\n".join(lines) + "\n", "utf-8")
    mark = api.mark()
    ended = product("run", path)
    assert ended.code == 0, ended.err
    numbers = {call["number"] for call in api.calls("submit", since=mark)}
    sent = [one["body"] for one in api.records()["submissions"] if one["number"] in numbers]
    for body in sent:
        del body["client_business_id"]
        assert body.pop("prompt") == cup
    assert {body.pop("model"): body for body in sent} == {
        OLDER: {"duration": 4, "aspect_ratio": "9:16", "resolution": "720P"},
        "veo3.1-fast": {
            "duration": 8,
            "aspect_ratio": "16:9",
            "image_urls": [first, last],
            "metadata": {"generation_type": "frame", "resolution": "1080p"},
        },
        "grok-video-1.5": {
            "duration": 2, "aspect_ratio": "9:16", "resolution": "480p", "image": first,
        },
        "viduq3-pro": {"duration": 10, "resolution": "1080p", "audio": False, "seed": 7},
        "viduq3-turbo": {
            "duration": 5, "resolution": "720p", "audio": True, "image_urls": [first],
        },
    }  # fmt: skip
    mark = api.mark()
    assert product("run", path).code == 0
    assert api.calls("submit", since=mark) == []
