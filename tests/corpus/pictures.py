"""Cells that name pictures, as they are copied from Explorer, browsers and other computers."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image

from tests.corpus.case import Case, lines


def picture(path: Path) -> None:
    """A small photograph."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (640, 360), "teal").save(path)


def _around(folder: Path) -> None:
    picture(folder / "photos" / "front.jpg")
    picture(folder / "photos" / "Back.JPG")
    picture(folder / "with blank.jpg")
    picture(folder.parent / "outside.jpg")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut off")
    (folder / "notes.txt").write_text("no picture", encoding="utf-8")
    (folder / "empty.png").touch()


def _linked(folder: Path) -> None:
    _around(folder)
    (folder / "inside.jpg").symlink_to(folder / "photos" / "front.jpg")
    (folder / "leading out.jpg").symlink_to(folder.parent / "outside.jpg")
    (folder / "ring.jpg").symlink_to(folder / "ring.jpg")


def _pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe.jpg")


def _image(
    name: str, cell: str, code: str = "", *says: str, settings: tuple[str, ...] = ()
) -> Case:
    """A file whose second row names a picture, beside rows that are good."""
    quoted = '"' + cell.replace('"', '""') + '"'
    return Case(
        name,
        lines("sku,prompt,image_1", "A,x,photos/front.jpg", f"B,y,{quoted}", "C,z,"),
        problems=((3, "image_1", code),) if code else (),
        valid=(2, 4) if code else (2, 3, 4),
        says=says,
        settings=settings,
        around=_linked,
    )


CASES = (
    _image("back-slashes", "photos\\front.jpg"),
    _image("dot-slash", "./photos/../photos/front.jpg"),
    _image("quotes-around", '"photos/front.jpg"'),
    _image("curly-quotes-around", "\u201cphotos/front.jpg\u201d"),
    _image("blanks-around", " \u00a0with blank.jpg\u200b "),
    _image("blank-as-percent-20", "with%20blank.jpg", "picture_missing", "with blank.jpg"),
    _image("home-folder", "~/reelsheet-has-no-such-picture.jpg", "picture_outside"),
    _image("another-case", "photos/back.jpg", "picture_missing", "Did you mean", "Back.JPG"),
    _image("misspelt", "photos/frnt.jpg", "picture_missing", "front.jpg"),
    _image("another-suffix", "photos/front.jpeg", "picture_missing", "front.jpg"),
    _image("outside", "../outside.jpg", "picture_outside", "manifest.images_outside"),
    _image("outside-allowed", "../outside.jpg", settings=("manifest.images_outside=true",)),
    _image("link-inside", "inside.jpg"),
    _image("link-leading-out", "leading out.jpg", "picture_outside"),
    _image("link-in-a-ring", "ring.jpg", "picture_unreadable"),
    _image("a-folder", "photos", "picture_not_a_file"),
    _image("no-picture", "notes.txt", "picture_wrong_format"),
    _image("cut-off", "broken.jpg", "picture_damaged"),
    _image("no-bytes-at-all", "empty.png", "picture_empty_file"),
    _image("drive-of-windows", "C:\\Users\\me\\front.jpg", "picture_other_computer"),
    _image("share-of-windows", "\\\\server\\photos\\front.jpg", "picture_other_computer"),
    _image("file-url-elsewhere", "file://server/front.jpg", "picture_other_computer"),
    _image("file-url-outside", "file:///etc/passwd", "picture_outside"),
    _image("web-address", "https://shop.example.com/a.jpg?v=1"),
    _image("web-address-without-scheme", "//shop.example.com/a.jpg", "picture_no_scheme",
           "https://shop.example.com/a.jpg"),
    _image("web-address-with-password", "https://me:secret@example.com/a.jpg", "picture_bad_url"),
    _image("ftp", "ftp://example.com/a.jpg", "picture_scheme"),
    _image("picture-in-the-cell", "data:image/png;base64,iVBORw0KGgo=", "picture_base64"),
    Case("a-line-break-in-the-path", lines("sku,prompt,image", 'A,x,"photos/\nfront.jpg"', "B,y,"),
         problems=((2, "image", "picture_bad_path"),), valid=(4,), around=_around),
    Case("two-pictures", lines("sku,prompt,image_1,image_2", "A,x,photos/front.jpg,photos/Back.JPG",
         "B,y,photos/front.jpg,"), problems=((2, "image_2", "image_count"),), valid=(3,),
         says=("Remove one or add a third.",), around=_around),
    Case("pictures-in-one-cell", lines("sku,prompt,images",
         'A,x,"photos/front.jpg; with blank.jpg|photos/Back.JPG"', 'B,y,"photos/front.jpg;gone.jpg;'
         'with blank.jpg"', "C,z,"), problems=((3, "images", "picture_missing"),), valid=(2, 4),
         around=_around),
    Case("a-pipe", lines("sku,prompt,image", "A,x,pipe.jpg", "B,y,"), valid=(3,),
         problems=((2, "image", "picture_not_a_file"),), around=_pipe),
)  # fmt: skip
