"""What is written in an image cell: a web address, a file inside the picture folder, or a fault."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import pytest

from pipeline.manifest.locations import BucketPicture, locate, web_fault
from pipeline.manifest.picturetexts import split_addresses
from pipeline.model import PictureFault

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="Windows reads these as its own")


def code(found: object) -> str:
    assert isinstance(found, PictureFault)
    assert found.message.endswith((".", "jpg"))
    return found.code


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("a.jpg", "a.jpg"),
        ("  photos/a.jpg \n", "photos/a.jpg"),
        ('"photos/my kettle.jpg"', "photos/my kettle.jpg"),
        ("'a.jpg'", "a.jpg"),
        ("\u201ca.jpg\u201d", "a.jpg"),
        ("\u202aa.jpg", "a.jpg"),
        ("photos\\größe\\ä b.jpg", "photos/größe/ä b.jpg"),
        (".\\a.jpg", "a.jpg"),
        ("photos/../a.jpg", "photos/../a.jpg"),
        ("foto:1.jpg", "foto:1.jpg"),
        ("~a.jpg", "~a.jpg"),
        ("50%20off.jpg", "50%20off.jpg"),
    ],
)
@posix_only
def test_a_path_begins_at_the_picture_folder(cell: str, name: str, tmp_path: Path) -> None:
    """Blanks, quotes, invisible marks and back-slashes get the right reading."""
    assert locate(cell, tmp_path) == tmp_path / name


def test_file_urls_and_absolute_paths_inside_are_paths(tmp_path: Path) -> None:
    """A file:// URL is decoded; an absolute path is taken as long as it is inside."""
    picture = tmp_path / "ä b.jpg"
    assert locate(picture.as_uri(), tmp_path) == picture
    assert locate(str(picture), tmp_path) == picture


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.example/a.jpg?w=1&sig=x",
        "HTTP://cdn.example:8080/ä.jpg",
        "http://192.168.0.4/a.jpg",
        "https://bücher.example/a.jpg",
        "https://[2001:db8::1]/a",
    ],
)
def test_a_web_address_is_passed_on_as_it_is(url: str, tmp_path: Path) -> None:
    """The provider fetches it, so it is only checked for its form."""
    assert locate(f" {url} ", tmp_path) == url


@pytest.mark.parametrize("name", ["a.jpg", "spring 24/shop #1/Größe, 38%.jpg", "..a/...b/名.png"])
def test_a_picture_in_a_bucket_is_known_by_its_address(name: str, tmp_path: Path) -> None:
    """The scheme is one word in any letters; the names are those of the bucket."""
    for scheme in ("s3", "gs", "az"):
        address = f"{scheme}://my-photos.24/{name}"
        assert locate(f" {address}\n", tmp_path) == BucketPicture(address)
        shouted = address.replace(scheme, scheme.upper(), 1)
        assert locate(shouted, tmp_path) == BucketPicture(address)


def test_a_name_that_no_bucket_has_is_told_from_an_incomplete_address(tmp_path: Path) -> None:
    """Else the sentence would show an example that looks like what was written."""
    rule = ": the name of a bucket has 3 to 63 of a-z, 0-9, - and full stops."
    form = "is no address of a picture in a bucket, as s3://bucket/a.jpg"
    for cell, end in (("s3://b/x.png", rule), ("s3://Photos/x.png", rule), ("s3://photos/", ".")):
        fault = locate(cell, tmp_path)
        assert isinstance(fault, PictureFault)
        assert fault.message == f"{cell} {form}{end}"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ('""', "empty"),
        ("data:image/png;base64,iVBORw0KGgo=", "base64"),
        (base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(90)).decode(), "base64"),
        ("//cdn.example/a.jpg", "no_scheme"),
        ("www.example.com/a.jpg", "no_scheme"),
        ("s3://bucket", "bad_url"),
        ("s3://bucket/folder/", "bad_url"),
        ("s3://bucket/../other/a.jpg", "bad_url"),
        ("s3://b/a.jpg, s3://b/b.jpg", "bad_url"),
        ("gs://key:secret@bucket/a.jpg", "bad_url"),
        ("az://bucket/\ud800.jpg", "bad_url"),
        ("ftp://host/a.jpg", "scheme"),
        ("htps://host/a.jpg", "scheme"),
        ("http:/host/a.jpg", "bad_url"),
        ("https:host/a.jpg", "bad_url"),
        ("https://", "bad_url"),
        ("https:///a.jpg", "bad_url"),
        ("https://a b.example/x.jpg", "bad_url"),
        ("https://a.example/my kettle.jpg", "bad_url"),
        ("https://a.example\\x.jpg", "bad_url"),
        ("https://me:pw@a.example/x.jpg", "bad_url"),
        ("https://a.example:http/x.jpg", "bad_url"),
        ("https://[::1/x.jpg", "bad_url"),
        ("https://.../x.jpg", "bad_url"),
        ("https://a.example/" + "x" * 3000, "bad_url"),
        ("a\nb.jpg", "bad_path"),
        ("a\0.jpg", "bad_path"),
        ("file://server/share/a.jpg", "other_computer"),
        ("d/" * 101 + "a.jpg", "too_long"),
        ("d\\" * 101 + "a.jpg", "too_long"),
        ("../" * 101 + "a.jpg", "too_long"),
    ],
)
def test_what_cannot_be_a_picture_is_said(cell: str, expected: str, tmp_path: Path) -> None:
    """Each usual mistake has its own code and a sentence with a way out."""
    assert code(locate(cell, tmp_path)) == expected


def test_a_password_is_not_repeated() -> None:
    """A message goes into results and logs."""
    fault = web_fault("https://me:hunter2@a.example/x.jpg")
    assert fault is not None
    assert "hunter2" not in fault.message


@posix_only
@pytest.mark.parametrize("cell", ["C:\\Users\\me\\a.jpg", "d:/a.jpg", "\\\\nas\\photos\\a.jpg"])
def test_a_windows_path_on_another_system_is_said(cell: str, tmp_path: Path) -> None:
    """Only the content team can bring those pictures here."""
    assert code(locate(cell, tmp_path)) == "other_computer"


def test_a_path_outside_of_the_picture_folder_is_a_fault(tmp_path: Path) -> None:
    """By dots, absolute or in the home folder: it names the setting, and can be allowed."""
    root = tmp_path / "photos"
    root.mkdir()
    for cell in ("../a.jpg", str(tmp_path / "a.jpg"), "~/a.jpg", "x/../../a.jpg"):
        found = locate(cell, root)
        assert code(found) == "outside"
        assert isinstance(found, PictureFault)
        assert "manifest.image_root" in found.message
        assert isinstance(locate(cell, root, outside=True), Path)
    assert locate("~/a.jpg", root, outside=True) == Path.home() / "a.jpg"


def test_the_working_folder_is_named_in_full() -> None:
    """A manifest beside the person is in ".", which nobody reads as a folder."""
    found = locate("../a.jpg", Path())
    assert isinstance(found, PictureFault)
    assert f"is outside the picture folder {Path.cwd()}. Move" in found.message


@posix_only
def test_links_are_followed_before_a_path_counts_as_inside(tmp_path: Path) -> None:
    """A link out of the folder is outside; a folder that is itself a link is not."""
    (tmp_path / "real").mkdir()
    (tmp_path / "root").symlink_to("real")
    (tmp_path / "real" / "out").symlink_to(tmp_path)
    (tmp_path / "real" / "ring").symlink_to("ring")
    assert locate("a.jpg", tmp_path / "root") == tmp_path / "root" / "a.jpg"
    assert code(locate("out/a.jpg", tmp_path / "root")) == "outside"
    assert isinstance(locate("ring", tmp_path / "root"), Path)


@pytest.mark.parametrize("between", [",", ", ", " ", ";", "|", " ,\n", "\u3001"])
def test_a_cell_for_one_picture_with_several_addresses_is_told(
    between: str, tmp_path: Path
) -> None:
    """How many they are and where they belong, instead of what their middle looks like."""
    found = locate(between.join(f"https://x.example/{name}.jpg" for name in "abc"), tmp_path)
    assert isinstance(found, PictureFault)
    assert found.code == "several"
    assert "holds 3 web addresses, beginning with https://x.example/a.jpg" in found.message


def test_an_address_may_hold_another(tmp_path: Path) -> None:
    """Services that resize pictures are asked so; only what parts addresses parts them."""
    asked = "https://cdn.example/w_300,h_200/https://x.example/a,b.jpg?from=https://y.example/"
    assert locate(asked, tmp_path) == asked


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ('=IMAGE("https://x.example/a.jpg")', "Write https://x.example/a.jpg into the cell"),
        (
            '=_xlfn.IMAGE("https://x.example/a.jpg",,1)',
            "Write https://x.example/a.jpg into the cell",
        ),
        ('=DISPIMG("ID_4F",1)', "save it as a file"),
        ("=IMAGE(C2)", "save it as a file"),
    ],
)
def test_a_formula_that_shows_a_picture_is_no_missing_file(
    cell: str, words: str, tmp_path: Path
) -> None:
    """What to write instead is said, with the address where the formula has it."""
    found = locate(cell, tmp_path)
    assert isinstance(found, PictureFault)
    assert found.code == "in_cell"
    assert words in found.message


def test_the_signs_between_addresses_take_no_time() -> None:
    """However many they are."""
    assert len(split_addresses("http://a.example" + ", " * 200_000 + "x")) == 1
    assert len(split_addresses(", http://a.example" * 50_000)) == 50_000 + 1
