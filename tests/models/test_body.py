"""The body of a submission, in the order and with the wire types of its sheet."""

from __future__ import annotations

import json

from pipeline.models.body import make_body
from pipeline.models.sections import Value
from pipeline.models.sheet import read_sheet
from pipeline.models.shelf import sheet_of

NESTED = """
sheet = 1
models = ["clip-2"]
source = "https://example.test/clip-2"
read = 2026-11-22
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
