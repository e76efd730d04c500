"""Where a picture is: the text of an image cell becomes a web address or a path on this disk."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pipeline.concealment import conceal
from pipeline.manifest.blank import is_blank, trim_path
from pipeline.manifest.picturetexts import advice_on, is_picture_formula, split_addresses
from pipeline.model import PictureFault

_QUOTES = (
    ('"', '"'),
    ("'", "'"),
    ("`", "`"),
    ("\u201c", "\u201d"),  # curly quotes: English, German and single
    ("\u201e", "\u201c"),
    ("\u2018", "\u2019"),
    ("<", ">"),
)
# A scheme of one letter is a Windows drive; "foto:1.jpg" is a file name on most systems.
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://|(https?|file|ftps?|blob|mailto|cid):", re.IGNORECASE)
_DRIVE = re.compile(r"[a-z]:[\\/]", re.IGNORECASE)
# How the base64 of a JPEG, PNG, GIF or WebP begins.
_BASE64 = re.compile(r"(?:/9j/|iVBORw0KGgo|R0lGOD|UklGR)[A-Za-z0-9+/=\s]{40,}")
_LONGEST_URL = 2048
# Longer than any address or path that a system opens (PATH_MAX).
_LONGEST_TEXT = 4096
# Each folder of a path is looked at, to see whether it is a link.
_MOST_FOLDERS = 100
# Most web addresses consist of these characters alone; nothing can be wrong with them.
_USUAL_URL = re.compile(
    r"https?://[a-z0-9][a-z0-9-]*(?:\.[a-z0-9][a-z0-9-]*)+/[a-z0-9._~/%?&=+,-]{0,1500}",
    re.IGNORECASE | re.ASCII,
)
# What S3, Google and Azure take as names of buckets and containers, and of what is in them.
_BUCKET = r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]"
_OBJECT = re.compile(
    rf"(s3|gs|az)://{_BUCKET}"
    r"(?=.{2,1025}\Z)(?:/(?!\.{1,2}(?:/|\Z))[^/\x00-\x1f\x7f\ud800-\udfff]+)+"
)


@dataclass(frozen=True, slots=True)
class BucketPicture:
    """A picture in a bucket, by its address, as `s3://bucket/folder/name.jpg`."""

    address: str


@dataclass(frozen=True, slots=True)
class PathFault(PictureFault):
    """Why the file of a path cannot be used, or is not there.

    `lost` is the message without its remedy, `near` a file that was probably meant, and `slip` how
    its name differs from the one in the path.
    """

    lost: str = ""
    near: Path | None = None
    slip: Literal["case", "suffix", "spelling"] | None = None


SET_LOCALE = "Use a UTF-8 locale: export LC_ALL=C.UTF-8, and run again."
"""What to do where the locale has not all letters."""


def can_be_named(name: str) -> bool:
    """Tell whether the system can be asked for a file of that name in this locale."""
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return False
    return True


def locate(
    cell: str, root: Path, *, outside: bool = False
) -> Path | str | BucketPicture | PictureFault:
    """Read the picture that a cell names: a `str` is a web address, a `Path` a file on this disk.

    Whether the file exists is not checked here.

    Args:
        cell: the text of the cell, or of its part that names one picture.
        root: the folder at which relative paths begin (the manifest's or `manifest.image_root`).
        outside: whether a path may lead out of `root`; links are followed before that is decided.

    """
    if _USUAL_URL.fullmatch(cell):
        return cell
    if _is_base64(cell[:_LONGEST_TEXT]):
        return PictureFault(
            "base64",
            "The cell holds the picture itself (base64). Save it as a file and name the file.",
        )
    if len(cell) > _LONGEST_TEXT:
        return PictureFault(
            "too_long",
            f"The name of the picture has {len(cell):,} characters; it has at most "
            f"{_LONGEST_TEXT:,}. Write a web address or the name of a file.",
        )
    text = bare_path(cell)
    if not text:
        return PictureFault("empty", "The cell names no picture.")
    if is_picture_formula(text):
        return PictureFault(
            "in_cell", f"The cell shows a picture by a formula, not its name. {advice_on(text)}"
        )
    scheme = _SCHEME.match(text)
    if scheme:
        if len(addresses := split_addresses(text)) > 1:
            return PictureFault(
                "several",
                f"The cell holds {len(addresses)} web addresses, beginning with "
                f"{_shorten(addresses[0])}; it takes one. Write each into a cell of its own "
                "(image_1, image_2, image_3), or call the column images.",
            )
        return _by_scheme((scheme[1] or scheme[2]).lower(), text, root, outside=outside)
    if text.startswith("//") or text.lower().startswith("www."):
        return PictureFault(
            "no_scheme",
            f"{_shorten(text)} is a web address without https:// before it. "
            f"Write https://{_shorten(text.lstrip('/'))}",
        )
    return _on_disk(text, root, outside=outside)


def _is_base64(cell: str) -> bool:
    text = bare_path(cell)
    return text.lower().startswith(("data:", "base64,")) or _BASE64.match(text) is not None


def web_fault(url: str) -> PictureFault | None:
    """Return why the provider cannot fetch `url` by http(s); None if it can.

    A user name or password in it is a fault and is not repeated in the message.
    """
    try:
        parts = urlsplit(url)
        host, named, _ = parts.hostname, "@" in parts.netloc, parts.port
    except ValueError:
        return _bad_url(url, "cannot be read as a web address. Copy it again from the browser")
    if parts.scheme.lower() not in ("http", "https"):
        return _bad_url(url, "does not begin with http:// or https://")
    if named:
        return PictureFault(
            "bad_url",
            "The web address contains a user name or password. Use an address without them.",
        )
    if re.search(r"\s|[\x00-\x1f\x7f\\]", url):
        return _bad_url(url, "contains a space or a backslash. Write a space as %20 and \\ as /")
    if not host or not re.search(r"[^\W_]", host):
        return _bad_url(url, "has no host. Copy it again from the browser")
    if len(url) > _LONGEST_URL:
        return _bad_url(url, f"is longer than {_LONGEST_URL:,} characters")
    return None


def bare_path(cell: str) -> str:
    """Take away blanks, invisible characters and one pair of quotes around the text."""
    text = trim_path(cell)
    for opening, closing in _QUOTES:
        if len(text) > 1 and text.startswith(opening) and text.endswith(closing):
            text = text[1:-1].strip()
            break
    return "" if is_blank(text) else text


def _by_scheme(
    scheme: str, text: str, root: Path, *, outside: bool
) -> Path | str | BucketPicture | PictureFault:
    if scheme in ("http", "https"):
        if not text.lower().startswith(f"{scheme}://"):
            return _bad_url(text, f"is incomplete. It has to begin with {scheme}://")
        return web_fault(text) or text
    if scheme == "file":
        return _by_file_url(text, root, outside=outside)
    if scheme in {"s3", "gs", "az"}:
        address = f"{scheme}{text[len(scheme) :]}"
        if _OBJECT.fullmatch(address):
            return BucketPicture(address)
        what = f"is no address of a picture in a bucket, as {scheme}://bucket/a.jpg"
        if not re.match(rf"\w+://{_BUCKET}(?:/|\Z)", address):
            what += ": the name of a bucket has 3 to 63 of a-z, 0-9, - and full stops"
        return _bad_url(text, what)
    return PictureFault(
        "scheme",
        f"{_shorten(text)} begins with {scheme}:, which the provider cannot fetch. "
        "Use an https:// address, or save the picture as a file and name the file.",
    )


def _by_file_url(text: str, root: Path, *, outside: bool) -> Path | PictureFault:
    try:
        parts = urlsplit(text)
    except ValueError:
        return _bad_url(text, "cannot be read as a file:// address")
    if parts.netloc.lower() not in ("", "localhost"):
        lost = f"{_shorten(text)} is on another computer."
        return PathFault(
            "other_computer",
            f"{lost} Copy the picture to {root.absolute()} and write its name.",
            lost,
        )
    # Only here: it brings HTTP and TLS along, which a check needs for nothing else.
    from urllib.request import url2pathname  # noqa: PLC0415

    path = url2pathname(parts.path)
    if os.sep == "/" and re.match(r"/[a-z]:/", path, re.IGNORECASE):
        path = path[1:]  # file:///C:/photos/a.jpg
    return _on_disk(path, root, outside=outside)


def _on_disk(text: str, root: Path, *, outside: bool) -> Path | PictureFault:
    if re.search(r"[\x00-\x1f]", text):
        return PictureFault(
            "bad_path", f"{_shorten(text)!r} contains a line break or another control character."
        )
    if re.search(r"[\ud800-\udfff]", text):
        return PictureFault("bad_path", f"{_shorten(text)!r} contains half of a character.")
    if sys.platform != "win32" and (_DRIVE.match(text) or text.startswith("\\\\")):
        lost = f"{_shorten(text)} is a path on a Windows computer."
        return PathFault(
            "other_computer",
            f"{lost} Copy the picture to {root.absolute()} and write the path from there.",
            lost,
        )
    if (folders := len(re.findall(r"[\\/]+", text))) > _MOST_FOLDERS:
        return PictureFault(
            "too_long",
            f"{_shorten(text)} leads through {folders:,} folders; a path has at most "
            f"{_MOST_FOLDERS}. Write the name of a file.",
        )
    path = root / _expand(text if os.sep == "\\" else text.replace("\\", "/"))
    if not can_be_named(str(path)):
        return PictureFault(
            "bad_path",
            f"{_shorten(text)} has letters that names of files cannot have in this locale "
            f"({sys.getfilesystemencoding()}). {SET_LOCALE}",
        )
    if outside or is_inside(path, root):
        return path
    lost = f"{_shorten(text)} is outside the picture folder {root.absolute()}."
    return PathFault(
        "outside",
        f"{lost} Move the picture into it, set manifest.image_root to the folder that holds all "
        "pictures, or set manifest.images_outside to true.",
        lost,
    )


def _expand(text: str) -> Path:
    """Read `~/` as the home folder, where there is one."""
    path = Path(text)
    if not re.match(r"~(?:[\\/]|$)", text):
        return path
    try:
        return path.expanduser()
    except RuntimeError:  # without a home folder it is a name like any other
        return path


def is_inside(path: Path, root: Path) -> bool:
    """Tell whether `path` is below `root` with all links followed; a link in a ring is not."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def _bad_url(url: str, what: str) -> PictureFault:
    return PictureFault("bad_url", f"{_shorten(url)} {what}.")


def _shorten(text: str) -> str:
    """Shorten a long text, and leave out the signature behind a web address."""
    # The whole text is one address, even with a blank in the middle of it.
    bare = text.split("?", 1)[0] + "?…" if "://" in text and "?" in text else text
    bare = conceal(bare)
    return bare if len(bare) <= 120 else f"{bare[:117]}…"  # noqa: PLR2004
