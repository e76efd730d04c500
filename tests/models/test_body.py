"""The body of a submission, in the order and with the wire types of its sheet."""

from __future__ import annotations

import json

import pytest

from pipeline.models.body import make_body
from pipeline.models.records import Value
from pipeline.models.sheet import read_sheet
from pipeline.models.shelf import sheet_of, shipped_sheets

HEAD = """
sheet = 1
models = ["clip-2"]
source = "https://example.test/clip-2"
read = 2026-11-22
"""
NESTED = (
    HEAD
    + """
[fields.seconds]
type = "integer"
path = "metadata.seconds"
values = [4, 8]
send = { 8 = "long" }
[fields.sound]
type = "boolean"
path = "metadata.sound"
[[images]]
counts = [1]
put = { image = "{1}", "metadata.kind" = "frame" }
[[images]]
counts = [2]
put = { frames = [{ url = "{1}", role = "first" }, { url = "{2}", role = "last" }] }
[[images]]
counts = [3, 4]
put = { references = [{ url = "{*}", weight = 1 }] }
"""
)


def test_the_default_model_is_sent_as_its_page_says() -> None:
    """Byte for byte, as it was before there were sheets."""
    values: dict[str, Value] = {"duration": 6, "aspect_ratio": "16:9", "resolution": "720P"}
    model = "gemini_omni_flash"
    body = make_body(
        sheet_of(model), model, "A cup", values=values, image_urls=["https://a/1"], reference="r-1"
    )
    assert json.dumps(body) == (
        '{"model": "gemini_omni_flash", "prompt": "A cup", "duration": 6, "aspect_ratio": "16:9",'
        ' "resolution": "720P", "image_urls": ["https://a/1"], "client_business_id": "r-1"}'
    )
    newer = "gemini-omni-flash"
    assert make_body(sheet_of(newer), newer, "A cup", values=values) == {
        "model": newer,
        "prompt": "A cup",
        "duration": 6,
        "aspect_ratio": "16:9",
        "resolution": "720p",
    }


def test_places_constants_and_objects() -> None:
    """What is nested is made once, and a list has one object for each picture."""
    sheet = read_sheet(NESTED, "clip-2.toml")

    def body(count: int, **values: bool | int) -> dict[str, object]:
        urls = [f"https://a/{number}" for number in range(1, count + 1)]
        made = make_body(sheet, "clip-2", "A cup", values=values, image_urls=urls)
        return {name: made[name] for name in made if name not in ("model", "prompt")}

    assert body(0) == {}
    assert body(1, seconds=4, sound=False) == {
        "metadata": {"seconds": 4, "sound": False, "kind": "frame"},
        "image": "https://a/1",
    }
    assert body(2, seconds=8) == {
        "metadata": {"seconds": "long"},
        "frames": [
            {"url": "https://a/1", "role": "first"},
            {"url": "https://a/2", "role": "last"},
        ],
    }
    assert body(3) == {
        "references": [{"url": f"https://a/{number}", "weight": 1} for number in (1, 2, 3)]
    }


def filled(put: str, count: int) -> object:
    """Return what stands in `images` of a body with so many pictures."""
    images = f"[[images]]\ncounts = [2, 3, 4]\nput = {{ images = {put} }}"
    urls = [str(number) for number in range(1, count + 1)]
    sheet = read_sheet(HEAD + images, "clip-2.toml")
    return make_body(sheet, "clip-2", "A cup", values={}, image_urls=urls)["images"]


def test_the_first_picture_and_the_rest() -> None:
    """One entry of a sheet for any number of them; each is there once."""
    put = '[{ url = "{1}", role = "first" }, { url = "{2+}", role = "reference" }]'
    assert filled(put, 2) == [{"url": "1", "role": "first"}, {"url": "2", "role": "reference"}]
    assert filled(put, 4) == [
        {"url": "1", "role": "first"},
        *({"url": url, "role": "reference"} for url in "234"),
    ]


def test_a_numbered_picture_beside_each() -> None:
    """It stays the one that its number says, in every entry."""
    put = '[{ url = "{*}", first = "{1}", next = "{2}" }]'
    assert filled(put, 3) == [{"url": url, "first": "1", "next": "2"} for url in "123"]
    assert filled('[["{*}"], ["{1}", "{2+}"]]', 3) == [["1"], ["2"], ["3"], ["1", "2"], ["1", "3"]]


def test_a_boolean_that_is_sent_as_words() -> None:
    """Rows say yes or no in their own language; the page wants on and off."""
    field = '[fields.sound]\ntype = "boolean"\nsend = { true = "on", false = "off" }'
    sheet = read_sheet(HEAD + field, "clip-2.toml")
    sent = [make_body(sheet, "clip-2", "", values={"sound": one}) for one in (True, False)]
    assert [one["sound"] for one in sent] == ["on", "off"]


def test_a_single_picture_is_no_list() -> None:
    """The page of grok-video-1.5 takes exactly one, in `image`."""
    model = "grok-video-1.5"
    assert made(model, 1, duration=8, aspect_ratio="2:3", resolution="480p") == {
        "model": model,
        "prompt": "A cup",
        "duration": 8,
        "aspect_ratio": "2:3",
        "resolution": "480p",
        "image": "https://a/1",
    }
    assert sheet_of(model).picture_counts == (1,)


@pytest.mark.parametrize("model", ["veo3.1-fast", "veo3.1-quality", "veo3.1-lite"])
def test_the_number_of_pictures_says_what_they_are(model: str) -> None:
    """Two are the first and the last frame, three are references; the resolution is nested."""
    values: dict[str, Value] = {"duration": 8, "aspect_ratio": "9:16", "resolution": "4k"}
    plain = {"model": model, "prompt": "A cup", "duration": 8, "aspect_ratio": "9:16"}
    assert made(model, 0, **values) == {**plain, "metadata": {"resolution": "4k"}}
    for count, kind in ((2, "frame"), (3, "reference")):
        urls = [f"https://a/{number}" for number in range(1, count + 1)]
        assert made(model, count, **values) == {
            **plain,
            "metadata": {"resolution": "4k", "generation_type": kind},
            "image_urls": urls,
        }
    assert sheet_of(model).picture_counts == (0, 2, 3)
    refused = [rule.is_broken_by({"model": model, "images": 3}) for rule in sheet_of(model).rules]
    assert refused == [model == "veo3.1-quality"]


def test_with_pictures_no_ratio_is_sent() -> None:
    """Vidu gives the video the shape of its pictures; sound and seed go as they are."""
    model = "viduq3-pro"
    assert made(model, 2, duration=16, resolution="540p", audio=False, seed=7) == {
        "model": model,
        "prompt": "A cup",
        "duration": 16,
        "resolution": "540p",
        "audio": False,
        "seed": 7,
        "image_urls": ["https://a/1", "https://a/2"],
    }
    (shape,) = sheet_of(model).rules
    assert shape.is_broken_by({"images": 1, "aspect_ratio": "1:1"})
    assert not shape.is_broken_by({"images": 0, "aspect_ratio": "1:1"})
    assert "aspect_ratio" not in sheet_of(model).defaults


def test_what_has_a_default_at_the_server_is_always_sent() -> None:
    """Sound, resolution and length come from the sheet where a row leaves them out."""
    defaults = {name: sheet_of(name).defaults for name in shipped_sheets()}
    assert {name: one["duration"] for name, one in defaults.items()} == {
        "gemini_omni_flash": 6,
        "gemini-omni-flash": 6,
        "grok-video-1.5": 8,
        "veo3.1-fast": 8,
        "veo3.1-quality": 8,
        "veo3.1-lite": 8,
        "viduq3-pro": 5,
        "viduq3-turbo": 5,
    }
    assert all("resolution" in one for one in defaults.values())
    assert defaults["viduq3-turbo"]["audio"] is True


def made(model: str, pictures: int, **values: Value) -> dict[str, object]:
    urls = [f"https://a/{number}" for number in range(1, pictures + 1)]
    return make_body(sheet_of(model), model, "A cup", values=values, image_urls=urls)
