"""What the page of each model takes and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.emulator.orders import Order, RefusedError
from pipeline.emulator.pages import MODELS, check_order

ONE, TWO, THREE = (
    [f"https://shop.example/{one}.jpg" for one in range(count)] for count in (1, 2, 3)
)
VEO_FRAMES = {"image_urls": TWO, "metadata": {"generation_type": "frame"}}
VEO_REFERENCES = {"image_urls": THREE, "metadata": {"generation_type": "reference"}}


def order_of(model: str, fields: dict[str, Any], own: tuple[str, ...] = ()) -> Order:
    body = {"model": model, "prompt": "a mug", **fields}
    body = {name: value for name, value in body.items() if value is not None}
    return check_order(body, MODELS, lambda url: "unknown" not in url, own)


@pytest.mark.parametrize(
    ("model", "fields", "duration", "frame"),
    [
        ("gemini_omni_flash", {}, 6, (1280, 720)),
        ("gemini-omni-flash", {"resolution": "1080p"}, 6, (1920, 1080)),
        ("grok-video-1.5", {"image": ONE[0]}, 8, (1280, 720)),
        (
            "grok-video-1.5",
            {"image": ONE[0], "aspect_ratio": "2:3", "duration": 15},
            15,
            (720, 1080),
        ),
        ("veo3.1-lite", {}, 8, (1280, 720)),
        ("veo3.1-fast", {"metadata": {"resolution": "4k"}, "duration": 8}, 8, (3840, 2160)),
        ("veo3.1-quality", VEO_FRAMES, 8, (1280, 720)),
        ("veo3.1-fast", VEO_REFERENCES, 8, (1280, 720)),
        ("viduq3-pro", {"aspect_ratio": "3:4", "resolution": "540p"}, 5, (540, 720)),
        ("viduq3-turbo", {"prompt": None, "image_urls": ONE, "audio": False}, 5, (1280, 720)),
        ("viduq3-turbo", {"image_urls": TWO, "seed": -7, "duration": 16}, 16, (1280, 720)),
    ],
    ids=str,
)
def test_what_a_page_takes(
    model: str, fields: dict[str, Any], duration: int, frame: tuple[int, int]
) -> None:
    """And which video comes of it."""
    assert order_of(model, fields).clip_kind == (duration, frame)


@pytest.mark.parametrize(
    ("model", "fields", "code"),
    [
        ("grok-video-1.5", {}, "invalid_image"),
        ("grok-video-1.5", {"image": ONE}, "invalid_image"),
        ("grok-video-1.5", {"image": "data:image/png;base64,AAAA"}, "invalid_image"),
        ("grok-video-1.5", {"image": "https://unknown.example/"}, "image_fetch_failed"),
        ("grok-video-1.5", {"image_urls": ONE}, "unknown_parameter"),
        ("grok-video-1.5", {"image": ONE[0], "duration": 16}, "invalid_duration"),
        ("grok-video-1.5", {"image": ONE[0], "resolution": "1080p"}, "invalid_resolution"),
        ("veo3.1-fast", {"duration": 6}, "invalid_duration"),
        ("veo3.1-fast", {"resolution": "720p"}, "unknown_parameter"),
        ("veo3.1-fast", {"metadata": {"quality": "4k"}}, "invalid_metadata"),
        ("veo3.1-fast", {"metadata": "4k"}, "invalid_metadata"),
        ("veo3.1-fast", {"image_urls": ONE}, "invalid_image_urls"),
        ("veo3.1-fast", {"image_urls": TWO}, "invalid_generation_type"),
        ("veo3.1-fast", VEO_FRAMES | {"image_urls": THREE}, "invalid_generation_type"),
        ("veo3.1-fast", {"metadata": {"generation_type": "frame"}}, "invalid_generation_type"),
        ("veo3.1-quality", VEO_REFERENCES, "invalid_generation_type"),
        ("viduq3-pro", {"prompt": None}, "invalid_prompt"),
        ("viduq3-pro", {"prompt": "", "image_urls": ONE}, "invalid_prompt"),
        ("viduq3-pro", {"prompt": "x" * 5_001}, "invalid_prompt"),
        ("viduq3-pro", {"image_urls": THREE}, "invalid_image_urls"),
        ("viduq3-pro", {"image_urls": ONE, "aspect_ratio": "1:1"}, "invalid_aspect_ratio"),
        ("viduq3-pro", {"audio": "true"}, "invalid_audio"),
        ("viduq3-pro", {"seed": True}, "invalid_seed"),
        ("viduq3-pro", {"duration": "5"}, "invalid_duration"),
        ("clip-2", {}, "model_not_found"),
    ],
    ids=str,
)
def test_what_a_page_refuses(model: str, fields: dict[str, Any], code: str) -> None:
    """With the field's name, as the provider does."""
    with pytest.raises(RefusedError) as caught:
        order_of(model, fields)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("fields", "duration", "frame", "pictures"),
    [
        ({}, 5, (1280, 720), 0),
        ({"seconds": 9, "size": "1080P", "shape": ["1:1"]}, 9, (1080, 1080), 0),
        ({"options": {"duration": "4"}, "frames": [{"url": ONE[0]}]}, 4, (1280, 720), 1),
        ({"duration": 9_999, "size": "9999p", "ratio": "99:1"}, 60, (1280, 720), 0),
        ({"duration": -3, "sound": True, "name": "http://["}, 5, (1280, 720), 0),
    ],
    ids=str,
)
def test_an_order_of_the_users_own_model_is_believed(
    fields: dict[str, Any], duration: int, frame: tuple[int, int], pictures: int
) -> None:
    """Nothing is known of it: the video is a guess, and no body is refused."""
    order = order_of("clip-2", fields, own=("clip-2",))
    assert order.clip_kind == (duration, frame)
    assert len(order.image_urls) == pictures
    assert order.document() == {"model": "clip-2", "prompt": "a mug", **fields}


def test_rules_of_a_shipped_model_that_the_user_replaces_are_not_held() -> None:
    """The user's sheet says what is sent then, and no page of ours speaks against it."""
    assert order_of("grok-video-1.5", {"quality": 7}, own=("grok-video-1.5",)).duration_s == 5
