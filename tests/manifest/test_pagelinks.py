"""Addresses of pages are told from those of pictures, and led to the picture where it is known."""

from __future__ import annotations

import pytest

from pipeline.manifest.pagelinks import page_at

DRIVE = "https://drive.google.com/uc?export=download&id=1AbC_defGHIjklMNop"
PAGES = {
    "https://drive.google.com/file/d/1AbC_defGHIjklMNop/view?usp=sharing": DRIVE,
    "https://drive.google.com/file/u/0/d/1AbC_defGHIjklMNop/preview": DRIVE,
    "https://drive.google.com/open?id=1AbC_defGHIjklMNop": DRIVE,
    "https://drive.google.com/drive/folders/1AbC_defGHIjklMNop": None,
    "https://docs.google.com/document/d/1AbC_defGHIjklMNop/edit": None,
    "https://photos.app.goo.gl/abc": None,
    "https://photos.google.com/share/abc": None,
    "https://www.google.com/imgres?imgurl=https%3A%2F%2Fa.example%2Fm.jpg&x=1":
        "https://a.example/m.jpg",
    "https://www.dropbox.com/s/abc/mug.jpg?dl=0": "https://www.dropbox.com/s/abc/mug.jpg?dl=1",
    "https://www.dropbox.com/s/abc/mug.jpg": "https://www.dropbox.com/s/abc/mug.jpg?dl=1",
    "https://www.dropbox.com/scl/fi/abc/mug.jpg?rlkey=xyz&dl=0":
        "https://www.dropbox.com/scl/fi/abc/mug.jpg?rlkey=xyz&dl=1",
    "https://www.dropbox.com/scl/fo/abc/folder?dl=0": None,
    "https://1drv.ms/i/s!Abc": None,
    "https://onedrive.live.com/embed?resid=1&authkey=2":
        "https://onedrive.live.com/download?resid=1&authkey=2",
    "https://shop.sharepoint.com/:i:/s/team/Eabc?e=4xy":
        "https://shop.sharepoint.com/:i:/s/team/Eabc?e=4xy&download=1",
    "https://shop-my.sharepoint.com/:f:/g/personal/a/Eabc": None,
    "https://www.icloud.com/iclouddrive/0ab#mug": None,
    "https://share.icloud.com/photos/0a": None,
    "https://we.tl/t-abc": None,
    "https://wetransfer.com/downloads/abc": None,
    "https://shop.example/products/blue-mug": None,
    "https://shop.example/collections/all/products/blue-mug?variant=12": None,
    "https://www.shop.example/Blue-Mug/dp/B00ABC1234": None,
    "https://shop.example/mug.html": None,
    "https://shop.example/mug.HTM?x=1": None,
    "https://shop.example/": None,
    "https://shop.example": None,
    "https://github.com/o/r/blob/main/a/mug.png":
        "https://raw.githubusercontent.com/o/r/main/a/mug.png",
    "https://imgur.com/aBcDeFg": "https://i.imgur.com/aBcDeFg.jpg",
    "https://en.wikipedia.org/wiki/File:Mug.jpg":
        "https://commons.wikimedia.org/wiki/Special:FilePath/Mug.jpg",
    "https://unsplash.com/photos/a-white-mug-AbCdEfGhIjK":
        "https://unsplash.com/photos/AbCdEfGhIjK/download",
}  # fmt: skip
PICTURES = """
    https://drive.google.com/uc?export=download&id=1AbC_defGHIjklMNop
    https://drive.google.com/thumbnail?id=1AbC_defGHIjklMNop&sz=w2000
    https://lh3.googleusercontent.com/abc
    https://www.dropbox.com/s/abc/mug.jpg?raw=1
    https://www.dropbox.com/s/abc/mug.jpg?dl=1
    https://dl.dropboxusercontent.com/s/abc/mug.jpg
    https://shop.sharepoint.com/:i:/s/team/Eabc?download=1
    https://cdn.shop.example/s/files/1/2/products/mug.jpg?v=1
    https://cdn.shop.example/products/blue-mug
    https://shop.example/products/mug.png
    https://shop.example/image.php?id=3
    https://shop.example/products/12345?w=800&fm=jpg
    https://s7.example/is/image/shop/products/mug1?wid=800
    https://i.imgur.com/aBcDeFg.jpg
    https://upload.wikimedia.org/wikipedia/commons/a/a1/Mug.jpg
    https://raw.githubusercontent.com/o/r/main/a/mug.png
    https://shop.example/?image=3
    https://shop.example:8443/a/b
"""


@pytest.mark.parametrize(("url", "direct"), PAGES.items())
def test_a_page(url: str, direct: str | None) -> None:
    """The address that works is no page any more."""
    found = page_at(url)
    assert found is not None
    assert found.direct == direct
    assert found.page
    assert direct is None or page_at(direct) is None


@pytest.mark.parametrize("url", PICTURES.split())
def test_what_may_be_a_picture(url: str) -> None:
    """It is not judged."""
    assert page_at(url) is None
