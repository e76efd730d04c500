"""Files as cameras write them: nothing that tells of people is left, and every pixel is."""

from __future__ import annotations

import io
import re
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageSequence, PngImagePlugin

from pipeline.pictures.metadata.orientation import Unwalkable
from pipeline.pictures.metadata.removal import remove_metadata

pytestmark = pytest.mark.filterwarnings("ignore:Image appears to be a malformed MPO")

SECRET = b"Anna Example, Cam#4711"
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
MIME = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}


def scene(mode: str = "RGB") -> Image.Image:
    """A picture with edges, slopes and noise."""
    noise = Image.effect_noise((160, 120), 80)
    slope = Image.linear_gradient("L").resize((160, 120))
    return Image.merge("RGB", (noise, slope, noise.rotate(180))).convert(mode)


def exif(orientation: int | None = 6) -> bytes:
    """An Exif block with artist, serial number, maker note, place and thumbnail."""
    noted = Image.Exif()
    noted[0x010F] = noted[0x013B] = SECRET.decode()
    if orientation is not None:
        noted[0x0112] = orientation
    noted.get_ifd(0x8769).update({0xA431: SECRET.decode(), 0x927C: SECRET * 9})
    noted.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 29: SECRET.decode()})
    return noted.tobytes() + b"\xff\xd8" + SECRET + b"\xff\xd9"


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


XMP = b'<x:xmpmeta tiff:Orientation="%d" dc:creator="' + SECRET + b'"/>'


def jpeg(picture: Image.Image, *, orientation: int | None = 6, xmp: int = 6, **how: Any) -> bytes:
    """A JPEG with all that is met in front of a picture, between its scans and behind it."""
    target = io.BytesIO()
    picture.save(target, "JPEG", icc_profile=ICC, comment=SECRET, **how)
    data = target.getvalue()
    front = b"".join(
        (
            segment(0xE1, b"Exif\0\0" + exif(orientation).removeprefix(b"Exif\0\0")),
            segment(0xE0, b"JFXX\0\x10" + SECRET),
            segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP % xmp),
            segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + SECRET),
            segment(0xE2, b"MPF\0" + SECRET),
            segment(0xEB, b"JP\0\0jumb" + SECRET),
            segment(0xED, b"Photoshop 3.0\x008BIM" + SECRET),
            b"\0\0",  # some programs leave padding
        )
    )
    first = data.index(b"\xff\xdb")
    data = data[:first] + front + data[first:]
    last = data.rindex(b"\xff\xda")
    return data[:last] + segment(0xFE, SECRET) + data[last:] + data + b"ftypmp42" + SECRET


def scans(data: bytes) -> list[bytes]:
    """The compressed picture alone, up to the first end."""
    found = []
    for begin in re.finditer(rb"\xff\xda", data[: data.find(b"\xff\xd9", data.rfind(b"\xff\xda"))]):
        end = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]").search(data, begin.end())
        found.append(data[begin.start() : end.start() if end else None])
    return found


def frames(data: bytes) -> list[tuple[bytes, object]]:
    """Every picture of a file, decoded, and how long it is shown."""
    with Image.open(io.BytesIO(data)) as opened:
        shown = ImageSequence.Iterator(opened) if opened.format != "MPO" else [opened]
        return [(one.convert("RGBA").tobytes(), one.info.get("duration")) for one in shown]


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def assert_clean(before: bytes, after: bytes, kind: str) -> None:
    """Nothing of the maker is left, and a second time changes nothing."""
    assert SECRET in before
    assert SECRET not in after
    assert b"Anna" not in after
    assert len(after) <= len(before)
    assert remove_metadata(after, MIME[kind]) == after
    assert set(opened(after).getexif()) <= {0x0112}
    assert opened(after).getexif().get_ifd(0x8825) == {}


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("how", [{}, {"progressive": True}, {"subsampling": 0, "quality": 98}])
def test_a_photograph(mode: str, how: dict[str, Any]) -> None:
    """Its compressed data are the same bytes, and so are its pixels, colours and orientation."""
    before = jpeg(scene(mode), **how)
    after = remove_metadata(before, "image/jpeg")
    assert_clean(before, after, "JPEG")
    whole = before[: before.index(b"\xff\xd9", before.index(b"\xff\xda")) + 2]
    assert b"".join(scans(after)) == b"".join(scans(whole))
    kept, was = opened(after), opened(before)
    assert kept.tobytes() == was.tobytes()
    assert kept.info["icc_profile"] == ICC
    assert kept.info.get("adobe_transform") == was.info.get("adobe_transform")
    assert kept.info.get("dpi") == was.info.get("dpi")
    assert kept.getexif()[0x0112] == 6
    assert kept.format == "JPEG"
    assert after.endswith(b"\xff\xd9")


def test_a_photograph_that_stands_upright_has_no_exif_at_all() -> None:
    """Nor has one whose Exif does not say how the camera was held."""
    for orientation in (1, None, 9):
        after = remove_metadata(jpeg(scene(), orientation=orientation, xmp=1), "image/jpeg")
        assert b"Exif" not in after


def test_a_thumbnail_in_the_first_segment_goes() -> None:
    """JFIF has a place for one; that of the pixels per inch beside it stays."""
    before = jpeg(scene(), dpi=(72, 72))
    at = before.index(b"\xff\xe0")
    thumbnail = bytes((9, 7)) + (SECRET * 9)[: 9 * 7 * 3]
    before = before[:at] + segment(0xE0, before[at + 4 : at + 16] + thumbnail) + before[at + 18 :]
    after = remove_metadata(before, "image/jpeg")
    assert_clean(before, after, "JPEG")
    assert opened(after).info["dpi"] == opened(before).info["dpi"] == (72, 72)


def test_an_orientation_that_only_xmp_knows_is_kept() -> None:
    """As Exif, which every viewer reads."""
    after = remove_metadata(jpeg(scene(), orientation=None, xmp=8), "image/jpeg")
    assert opened(after).getexif()[0x0112] == 8
    assert b"xmpmeta" not in after


def test_restart_marks_belong_to_the_picture() -> None:
    """They look like markers, and stand in the middle of the compressed data."""
    target = io.BytesIO()
    scene().save(target, "JPEG", restart_marker_blocks=4, exif=exif())
    after = remove_metadata(target.getvalue(), "image/jpeg")
    assert re.search(rb"\xff[\xd0-\xd7]", after)
    assert opened(after).tobytes() == opened(target.getvalue()).tobytes()
    assert SECRET not in after


def png(**more: object) -> bytes:
    """A PNG with texts, Exif, a time, private chunks, and data behind its end."""
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", SECRET.decode())
    texts.add_text("Comment", SECRET.decode(), zip=True)
    texts.add_itxt("XML:com.adobe.xmp", (XMP % 3).decode())
    texts.add(b"tIME", SECRET[:7])
    texts.add(b"prVt", SECRET)
    texts.add(b"gAMA", struct.pack(">I", 45455))
    target = io.BytesIO()
    given = {"icc_profile": ICC, "exif": exif(), **more}
    scene("RGBA").save(target, "PNG", pnginfo=texts, dpi=(300, 300), **given)
    return target.getvalue() + SECRET


TURNED = {"save_all": True, "append_images": [scene("RGBA").rotate(9)]}


@pytest.mark.parametrize("more", [{}, TURNED])
def test_a_drawing(more: dict[str, object]) -> None:
    """Its chunks of pixels are the same bytes; gamma, profile and orientation stay."""
    before = png(**more)
    after = remove_metadata(before, "image/png")
    assert_clean(before, after, "PNG")
    assert frames(after) == frames(before)
    idat = re.compile(rb"....IDAT.{16}", re.DOTALL)
    assert idat.findall(after) == idat.findall(before)
    kept = opened(after)
    assert kept.info["icc_profile"] == ICC
    assert kept.info["gamma"] == pytest.approx(0.45455)
    assert kept.getexif()[0x0112] == 6
    for kind in (b"tEXt", b"zTXt", b"iTXt", b"tIME", b"prVt"):
        assert kind not in after


def test_the_name_of_a_profile_tells_nothing() -> None:
    """It is free text."""
    profile = b"iCCP" + SECRET + b"\0\0" + zlib.compress(ICC)
    chunk = struct.pack(">I", len(profile) - 4) + profile + struct.pack(">I", zlib.crc32(profile))
    before = png(icc_profile=None)
    before = before[:33] + chunk + before[33:]
    after = remove_metadata(before, "image/png")
    assert_clean(before, after, "PNG")
    assert opened(after).info["icc_profile"] == ICC


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("animated", [True, False])
@pytest.mark.parametrize("orientation", [6, 1])
def test_a_webp(*, lossless: bool, animated: bool, orientation: int) -> None:
    """Its bits say what is left; trailing data and foreign chunks go."""
    target = io.BytesIO()
    more = {"save_all": True, "append_images": [scene().rotate(9)], "duration": 80}
    xmp = XMP % orientation
    scene().save(target, "WEBP", lossless=lossless, icc_profile=ICC, exif=exif(orientation),
                 xmp=xmp, **(more if animated else {}))  # fmt: skip
    data = target.getvalue() + b"pRvT" + struct.pack("<I", len(SECRET)) + SECRET
    before = data[:4] + struct.pack("<I", len(data) - 8) + data[8:] + SECRET
    after = remove_metadata(before, "image/webp")
    assert_clean(before, after, "WEBP")
    assert frames(after) == frames(before)
    kept = opened(after)
    assert kept.info["icc_profile"] == ICC
    assert kept.getexif().get(0x0112, 1) == orientation
    assert bool(after[20] & 0x08) == (orientation != 1)
    assert not after[20] & 0x04
    assert struct.unpack_from("<I", after, 4) == (len(after) - 8,)


def test_a_plain_webp_stays_as_it_is() -> None:
    """It has nothing but its picture."""
    target = io.BytesIO()
    scene().save(target, "WEBP")
    assert remove_metadata(target.getvalue(), "image/webp") == target.getvalue()


def test_a_gif() -> None:
    """Comments, texts and foreign applications go; how it runs stays."""
    target = io.BytesIO()
    scene("P").save(target, "GIF", save_all=True, append_images=[scene("P").rotate(9)],
                    duration=[70, 90], loop=3, comment=SECRET)  # fmt: skip
    data = target.getvalue()
    at = data.index(b"\x21\xff\x0bNETSCAPE2.0")
    xmp = b"\x21\xff\x0bXMP DataXMP" + bytes([len(SECRET)]) + SECRET + b"\0"
    text = b"\x21\x01\x0c" + bytes(12) + bytes([len(SECRET)]) + SECRET + b"\0"
    before = data[:at] + xmp + text + data[at:] + b"\0" + SECRET
    after = remove_metadata(before, "image/gif")
    assert_clean(before, after, "GIF")
    assert frames(after) == frames(data)
    assert opened(after).info["loop"] == 3


@pytest.mark.parametrize("kind", sorted(MIME))
def test_a_file_whose_pieces_cannot_be_told_apart_is_refused(kind: str) -> None:
    """Never sent as it is: nobody could say what is in it."""
    for damaged in (b"", b"GIF", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP", b"\x89PNG\r\n\x1a\n"):
        with pytest.raises(Unwalkable):
            remove_metadata(damaged, MIME[kind])
    with pytest.raises(Unwalkable, match="no way is known"):
        remove_metadata(b"BM", "image/bmp")


def test_a_segment_that_is_longer_than_the_file_is_named() -> None:
    """By its place."""
    with pytest.raises(Unwalkable, match="at byte 2 is longer than the file"):
        remove_metadata(b"\xff\xd8\xff\xe1\xff\xff" + SECRET, "image/jpeg")
    whole = png()
    with pytest.raises(Unwalkable, match="longer than the file"):
        remove_metadata(whole[:60], "image/png")


def test_a_segment_behind_the_picture_that_is_longer_than_the_file_ends_it() -> None:
    """Nobody reads further, and nothing behind it is sent."""
    whole = WHOLE["JPEG"]
    end = whole.index(b"\xff\xd9", whole.index(b"\xff\xda"))
    after = remove_metadata(whole[:end] + b"\xff\xe1\xff\xff" + SECRET, "image/jpeg")
    assert SECRET not in after
    assert opened(after).tobytes() == opened(whole).tobytes()


def make(kind: str) -> bytes:
    if kind == "JPEG":
        return jpeg(scene())
    if kind == "PNG":
        return png()
    target = io.BytesIO()
    more = {"comment": SECRET} if kind == "GIF" else {"exif": exif(), "xmp": XMP % 6}
    scene("P" if kind == "GIF" else "RGB").save(target, kind, **more)
    return target.getvalue()


WHOLE = {kind: make(kind) for kind in MIME}


@given(st.sampled_from(sorted(MIME)), st.integers(0), st.binary(min_size=1, max_size=6))
def test_damage_ends_in_a_file_or_in_a_refusal(kind: str, place: int, patch: bytes) -> None:
    """Whatever stands where: no other exception, no endless walk, never more bytes than before."""
    whole = WHOLE[kind]
    at = place % len(whole)
    damaged = whole[:at] + patch + whole[at + len(patch) :]
    with suppress(Unwalkable):
        assert len(remove_metadata(damaged, MIME[kind])) <= len(damaged) + 1


def test_the_second_picture_of_a_camera_goes(tmp_path: Path) -> None:
    """A file of two pictures becomes a plain JPEG of the first one."""
    path = tmp_path / "two.mpo"
    scene().save(path, "MPO", save_all=True, append_images=[scene().rotate(9)], exif=exif())
    before = path.read_bytes()
    assert opened(before).format == "MPO"
    after = remove_metadata(before, "image/jpeg")
    assert_clean(before, after, "JPEG")
    assert opened(after).format == "JPEG"
    assert opened(after).tobytes() == opened(before).tobytes()
    assert len(after) < len(before) / 1.5
