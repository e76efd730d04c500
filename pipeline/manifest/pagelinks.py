"""Web addresses that lead to a page instead of a picture, and the addresses that would work.

A link that somebody shared opens a page with the picture in it. The provider fetches what stands at
the address: the page. Told by the address alone; where a service has an address for the file
itself, it is derived from the link.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from urllib.parse import SplitResult


class PageLink(NamedTuple):
    """An address that leads to a page: of what, and the address that leads to the picture.

    `direct` is None where there is none, or none that is known.
    """

    page: str
    direct: str | None = None


_SHOWN = 100
"""The most characters of an address that a sentence shows."""
_PICTURE_SUFFIX = re.compile(r"\.(?:jpe?g|jfif|png|webp|gif|avif|bmp|tiff?|heic)$", re.IGNORECASE)
_USUAL_ENDS = (".jpg", ".jpeg", ".png", ".webp")
_HOST = re.compile(r"https?://([^/?#:@]+)(?::[0-9]+)?", re.IGNORECASE)
_PAGE_SUFFIX = re.compile(r"\.(?:html?|xhtml|shtml)$", re.IGNORECASE)
# A product's page: its folder, the product's own name, no suffix.
_SHOP_PATH = re.compile(
    r"/(?:products?|produkte?|produits?|productos?|prodotti|prodotto|producten|dp|itm|listing)"
    r"/[^/.]+(?:/[0-9]+)?/?$",
    re.IGNORECASE,
)
# What delivers pictures may call its folders as shops do.
_DELIVERS_PICTURES = re.compile(
    r"(?:^|[.-])(?:cdn|img|imgs|image|images|media|static|assets?|pics?|photos?|files?|s[0-9]?)"
    r"[0-9]*[.-]",
    re.IGNORECASE,
)
_SIZED = frozenset({"w", "h", "wid", "hei", "width", "height", "fm", "fmt", "format", "fit", "q"})
_DRIVE_FILE = re.compile(r"/file/(?:u/[0-9]+/)?d/([\w-]{10,})")
_DRIVE_ID = re.compile(r"[\w-]{10,}")
_UNSPLASH = re.compile(r"/photos/(?:[^/]+-)?([\w-]{11})/?$")
_IMGUR = re.compile(r"/([A-Za-z0-9]{5,8})$")
_BLOB = re.compile(r"/([^/]+)/([^/]+)/blob/(.+)$")
_WIKI_FILE = re.compile(r"/wiki/(?:File|Image|Datei|Fichier|Archivo|Bestand|Plik):(.+)$")


def page_at(url: str) -> PageLink | None:
    """Return which page an address leads to; None if it may be a picture."""
    host = _HOST.match(url)
    if host is None:
        return None
    try:
        return _page_at(url, host)
    except ValueError:  # an address that nobody can read
        return None


def _page_at(url: str, host: re.Match[str]) -> PageLink | None:
    name = host[1].lower()
    if (known := _BY_DOMAIN.get(".".join(name.rsplit(".", 2)[-2:]))) is not None:
        return known(urlsplit(url), name)
    path, _, query = url[host.end() :].partition("#")[0].partition("?")
    if path.endswith(_USUAL_ENDS):  # most addresses
        return None
    if _PAGE_SUFFIX.search(path):
        return PageLink("a web page")
    if path in {"", "/"} and not query:
        return PageLink("the first page of a web site")
    if not _SHOP_PATH.search(path) or _DELIVERS_PICTURES.search(name):
        return None
    sized = query and not _SIZED.isdisjoint(each.lower() for each, _ in parse_qsl(query))
    return None if sized else PageLink("the page of a product in a shop")


def _google(parts: SplitResult, host: str) -> PageLink | None:
    if host == "drive.google.com":
        return _google_drive(parts)
    if host == "docs.google.com":
        exported = parts.path.startswith("/uc") or "/export" in parts.path
        return None if exported else PageLink("a document of Google Docs")
    if host == "photos.google.com":
        return PageLink("an album of Google Photos")
    if parts.path == "/imgres":
        return PageLink("a result of Google's search for pictures", _first(parts.query, "imgurl"))
    searched = parts.path in {"/search", "/url"} and host in {"www.google.com", "google.com"}
    return PageLink("a search of Google") if searched else None


def _google_drive(parts: SplitResult) -> PageLink | None:
    if "/folders/" in parts.path or parts.path.startswith("/drive"):
        return PageLink("a folder of Google Drive")
    found = _DRIVE_FILE.search(parts.path)
    number = found[1] if found else None
    if parts.path == "/open" and _DRIVE_ID.fullmatch(_first(parts.query, "id") or ""):
        number = _first(parts.query, "id")
    if number is None:
        return None
    direct = f"https://drive.google.com/uc?export=download&id={number}"
    if resource := _first(parts.query, "resourcekey"):
        direct += f"&resourcekey={resource}"
    return PageLink("the page of Google Drive around a file", direct)


def _dropbox(parts: SplitResult, host: str) -> PageLink | None:
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    if host.startswith("dl.") or asked.get("dl") == "1" or asked.get("raw") == "1":
        return None
    if not re.match(r"/(?:s|scl/fi)/", parts.path):
        return PageLink("a page of Dropbox")
    direct = _with_query(parts, {"dl": "1"})
    return PageLink("the page of Dropbox around a file", direct)


def _onedrive(parts: SplitResult, host: str) -> PageLink | None:
    if host.startswith("api.") or parts.path.startswith("/download"):
        return None
    direct = None
    if host == "onedrive.live.com" and parts.path in {"/embed", "/redir"}:
        direct = parts._replace(path="/download").geturl()
    return PageLink("the page of OneDrive around a file", direct)


def _sharepoint(parts: SplitResult, _host: str) -> PageLink | None:
    if _first(parts.query, "download") == "1" or "/_layouts/15/download.aspx" in parts.path:
        return None
    if not re.match(r"/:[a-z]:/", parts.path):
        return None if _PICTURE_SUFFIX.search(parts.path) else PageLink("a page of SharePoint")
    if parts.path.startswith("/:f:/"):
        return PageLink("a folder of SharePoint")
    direct = _with_query(parts, {"download": "1"})
    return PageLink("the page of SharePoint or OneDrive around a file", direct)


def _github(parts: SplitResult, _host: str) -> PageLink | None:
    if (found := _BLOB.match(parts.path)) is None:
        return None
    direct = f"https://raw.githubusercontent.com/{found[1]}/{found[2]}/{found[3]}"
    return None if _first(parts.query, "raw") else PageLink("the page of GitHub", direct)


def _imgur(parts: SplitResult, host: str) -> PageLink | None:
    if host.startswith("i."):
        return None
    found = _IMGUR.match(parts.path)
    if not found:
        return None if _PICTURE_SUFFIX.search(parts.path) else PageLink("an album of Imgur")
    return PageLink("the page of Imgur around a picture", f"https://i.imgur.com/{found[1]}.jpg")


def _wiki(parts: SplitResult, host: str) -> PageLink | None:
    if host.startswith("upload.") or (found := _WIKI_FILE.search(parts.path)) is None:
        return None
    direct = f"https://commons.wikimedia.org/wiki/Special:FilePath/{found[1]}"
    return PageLink("the page of Wikimedia around a picture", direct)


def _unsplash(parts: SplitResult, host: str) -> PageLink | None:
    if not parts.path.startswith("/photos/") or host not in {"unsplash.com", "www.unsplash.com"}:
        return None
    if parts.path.rstrip("/").endswith("/download"):
        return None
    found = _UNSPLASH.search(parts.path)
    direct = f"https://unsplash.com/photos/{found[1]}/download" if found else None
    return PageLink("the page of Unsplash around a photograph", direct)


def _only_pages(name: str, *files: str) -> Callable[[SplitResult, str], PageLink | None]:
    """Make the judge of a service whose links are pages, except on the hosts that deliver files."""

    def judge(parts: SplitResult, host: str) -> PageLink | None:
        delivers = any(host.startswith(begin) for begin in files)
        return None if delivers or _PICTURE_SUFFIX.search(parts.path) else PageLink(name)

    return judge


_BY_DOMAIN: dict[str, Callable[[SplitResult, str], PageLink | None]] = {
    "google.com": _google,
    "goo.gl": _only_pages("a page of Google"),
    "dropbox.com": _dropbox,
    "1drv.ms": _onedrive,
    "live.com": _onedrive,
    "sharepoint.com": _sharepoint,
    "icloud.com": _only_pages("a page of iCloud", "cvws."),
    "wetransfer.com": _only_pages("a page of WeTransfer"),
    "we.tl": _only_pages("a page of WeTransfer"),
    "box.com": _only_pages("a page of Box", "dl.", "public."),
    "mega.nz": _only_pages("a page of Mega"),
    "pcloud.com": _only_pages("a page of pCloud"),
    "canva.com": _only_pages("a design of Canva", "media"),
    "figma.com": _only_pages("a design of Figma", "s3"),
    "pinterest.com": _only_pages("a page of Pinterest"),
    "instagram.com": _only_pages("a page of Instagram"),
    "facebook.com": _only_pages("a page of Facebook", "lookaside."),
    "youtube.com": _only_pages("a video of YouTube"),
    "youtu.be": _only_pages("a video of YouTube"),
    "flickr.com": _only_pages("a page of Flickr", "live.", "farm"),
    "pexels.com": _only_pages("a page of Pexels", "images."),
    "pixabay.com": _only_pages("a page of Pixabay", "cdn."),
    "etsy.com": _only_pages("a page of Etsy"),
    "github.com": _github,
    "imgur.com": _imgur,
    "wikipedia.org": _wiki,
    "wikimedia.org": _wiki,
    "unsplash.com": _unsplash,
}
"""The services that are known, by the last two parts of their hosts' names."""


def _first(query: str, name: str) -> str | None:
    """Return the first value of a name in a query."""
    return next(iter(parse_qs(query).get(name, ())), None)


def _with_query(parts: SplitResult, changed: dict[str, str]) -> str:
    """Return an address with these values in its query, in place of its own."""
    pairs = [pair for pair in parse_qsl(parts.query, keep_blank_values=True)
             if pair[0] not in changed and pair[0] not in {"raw", "web"}]  # fmt: skip
    return parts._replace(query=urlencode([*pairs, *changed.items()])).geturl()


def short(address: str) -> str:
    """Return an address or a path as a sentence shows it: readable, without what is signed."""
    bare, sign, _ = address.partition("?") if "://" in address else (address, "", "")
    shown = unquote(bare) + ("?…" if sign else "")
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"
