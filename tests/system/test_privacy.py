"""Photographs as they arrive at the API: without what they tell of their maker, pixel for pixel."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from tests.system.harness import sheets
from tests.system.harness.hostile import Call, HostileApi, Said, hostile_api, tied_to
from tests.system.harness.product import Product

TOLD = "Anna Example, Cam#4711"
POST = "/v1/videos/generations"
TRAILER = b"ftypmp42" + TOLD.encode()


def answer(call: Call) -> Said:
    """Take pictures and orders, and never finish one: the run ends at once with 402."""
    if call.path.endswith("/uploads/images"):
        return Said({"success": True, "data": {"url": "https://files.example/a.jpg"}})
    return Said({"message": "quota"}, 402)


@pytest.fixture
def hostile() -> Iterator[HostileApi]:
    """An API that keeps what it was sent."""
    with hostile_api(answer) as api:
        yield api


@pytest.fixture
def shop(tmp_path: Path, hostile: HostileApi) -> Iterator[Product]:
    """The product tied to it."""
    with tied_to(hostile, tmp_path / "Größe 38") as tied:
        yield tied


def photograph(path: Path, orientation: int = 1) -> bytes:
    """Write a picture with place, artist, serial number, comment, and a film behind it."""
    noted = Image.Exif()
    noted[0x013B], noted[0x0112] = TOLD, orientation
    noted.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 29: TOLD})
    noted.get_ifd(0x8769)[0xA431] = TOLD
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", TOLD)
    picture = Image.effect_noise((320, 240), 60).convert("RGB")
    more = {
        ".jpg": {"comment": TOLD, "exif": noted},
        ".png": {"pnginfo": texts, "exif": noted},
        ".webp": {"exif": noted, "xmp": TOLD.encode(), "lossless": True},
        ".gif": {"comment": TOLD},
    }[path.suffix]
    picture.save(path, **more)  # type: ignore[arg-type]
    path.write_bytes(path.read_bytes() + (b"" if path.suffix in {".gif", ".webp"} else TRAILER))
    return path.read_bytes()


def sent(api: HostileApi) -> bytes:
    """Return the file of the only upload."""
    (upload,) = api.called("POST", "uploads")
    boundary = upload.body[: upload.body.index(b"\r\n")]
    return upload.body.partition(b"\r\n\r\n")[2].partition(b"\r\n" + boundary)[0]


def pixels(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as opened:
        return opened.convert("RGBA").tobytes()


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.gif"])
def test_what_the_api_gets_tells_of_nobody(shop: Product, hostile: HostileApi, name: str) -> None:
    """Place, artist, serial number, comment and trailer stay here; every pixel arrives."""
    file = photograph(shop.folder / name)
    manifest = sheets.write(shop.folder / "s.csv", [sheets.row("A", image_1=name)])
    assert shop("run", manifest).code == 4
    arrived = sent(hostile)
    assert TOLD.encode() in file
    assert TOLD.encode() not in hostile.called("POST", "uploads")[0].body
    assert b"Exif" not in arrived
    assert pixels(arrived) == pixels(file)
    assert (shop.folder / name).read_bytes() == file


def test_the_way_up_arrives(shop: Product, hostile: HostileApi) -> None:
    """A photograph that is sent as it is keeps the one entry that says how the camera was held."""
    photograph(shop.folder / "a.jpg", orientation=6)
    manifest = sheets.write(shop.folder / "s.csv", [sheets.row("A", image_1="a.jpg")])
    assert shop("run", manifest, sets={"images.prepare": "off"}).code == 4
    with Image.open(io.BytesIO(sent(hostile))) as arrived:
        assert dict(arrived.getexif()) == {0x0112: 6}


def test_whoever_wants_it_sends_the_file_itself(shop: Product, hostile: HostileApi) -> None:
    """Byte for byte, and the picture is the same to every later run."""
    file = photograph(shop.folder / "a.jpg")
    manifest = sheets.write(shop.folder / "s.csv", [sheets.row("A", image_1="a.jpg")])
    assert shop("run", manifest, sets={"images.metadata": "keep"}).code == 4
    assert sent(hostile) == file
    assert shop("run", manifest).code == 4
    assert len(hostile.called("POST", "uploads")) == 1  # used again, by the hash of the file


def test_a_row_does_not_look_edited(product: Product) -> None:
    """What decides is the file on the disk, however it was sent."""
    photograph(product.folder / "a.jpg")
    manifest = sheets.write(product.folder / "s.csv", [sheets.row("A", image_1="a.jpg")])
    assert product("run", manifest, sets={"images.metadata": "keep"}).code == 0
    planned = json.loads(product("plan", manifest, "--json").out)
    assert {name: rows for name, rows in planned["groups"].items() if rows} == {"done": 1}


def test_a_file_that_cannot_be_walked_is_not_sent(shop: Product, hostile: HostileApi) -> None:
    """Its row says why and both ways on; nothing of it leaves this machine."""
    file = photograph(shop.folder / "a.gif")
    # A comment that is longer than the file; decoders have seen the picture by then.
    (shop.folder / "a.gif").write_bytes(file[:-1] + b"\x21\xfe\xff" + TOLD.encode() + b";")
    manifest = sheets.write(shop.folder / "s.csv", [sheets.row("A", image_1="a.gif")])
    ended = shop("run", manifest)
    (row,) = sheets.results(shop.folder / "outputs" / "s")
    assert (ended.code, row["result_state"]) == (1, "refused"), ended.err
    assert "cannot be freed of its metadata" in row["result_error"]
    assert "images.metadata to keep" in row["result_error"]
    assert hostile.called("POST", "") == []
