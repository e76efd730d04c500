"""The problems of pictures on the web, from a look at what stands at their addresses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.checker.drafts import image_fields, problem_at
from pipeline.checker.packeddrafts import drafts_without
from pipeline.checker.remarks import LEAST_SIDE, warn_of_small
from pipeline.downloader.webpictures import WebFault, WebPicture, is_too_large
from pipeline.manifest.pagelinks import page_at, short
from pipeline.model import Problem, Severity
from pipeline.pictures.accepted import shape_warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.checker.check import CheckedManifest
    from pipeline.checker.rules import Draft

_Found = WebPicture | WebFault
_SAVE = "Name a JPEG or PNG, or save it as a file: then a JPEG copy is sent."


def web_addresses(checked: CheckedManifest) -> list[str]:
    """Return the addresses of the pictures on the web that rows name, each once."""
    named = (url for urls in checked.images.values() for url in urls)
    return list(dict.fromkeys(url for url in named if not url.startswith("sha256:")))


def with_web_pictures(checked: CheckedManifest, found: Mapping[str, _Found]) -> CheckedManifest:
    """Return a manifest with what was found at the addresses of its pictures.

    A row whose picture the provider certainly cannot get is not valid any more.

    Args:
        checked: the manifest, checked without a look at the web.
        found: what stands at each address.

    """
    problems = [*_problems(checked, found)]
    problems += _remark_on_small(checked, found)
    broken = {one.row for one in problems if one.severity is Severity.ERROR}
    together = (*checked.problems, *problems)
    return replace(
        checked,
        drafts=drafts_without(checked.drafts, {row for row in broken if row is not None}),
        problems=tuple(sorted(together, key=lambda one: one.row or 0)),
    )


def _problems(checked: CheckedManifest, found: Mapping[str, _Found]) -> Iterator[Problem]:
    for row, key in zip(checked.manifest.rows, checked.keys, strict=True):
        images = checked.images.get(row.number, ())
        if not any(url in found for url in images):
            continue
        named = image_fields(row, checked.fields)
        for (name, _), url in zip(named, images, strict=False):
            draft = checked.drafts.get(row.number)
            fault = _fault_of(url, found[url], draft) if url in found else None
            if fault is not None:
                code, message, severity = fault
                yield problem_at(
                    checked.manifest, row.number, checked.fields[name], key,
                    code=code, message=message, severity=severity,
                )  # fmt: skip


def _fault_of(url: str, found: _Found, draft: Draft | None) -> tuple[str, str, Severity] | None:
    """Say what is wrong with a picture in a row: code, sentence, severity."""
    shown = short(url)
    if isinstance(found, WebFault):
        severity = Severity.ERROR if found.certain else Severity.WARNING
        remedy = "Correct the address." if found.certain else "Open it in a browser to see."
        return "picture_web_unseen", f"{shown}: {found.sentence} {remedy}", severity
    head = found.head
    if head.format is None:
        link = page_at(url)
        direct = f" The picture itself is at {link.direct}" if link and link.direct else ""
        remedy = direct or " Name the address of a JPEG or PNG picture."
        return "picture_web_kind", f"{shown} leads to {head.shown}.{remedy}", Severity.ERROR
    if not head.sent:
        return (
            "picture_web_format",
            f"{shown} is {head.shown}, which the provider may not take from the web. {_SAVE}",
            Severity.WARNING,
        )
    if is_too_large(found):
        size = f"{(found.size_bytes or 0) / 1e6:.1f} MB"
        return (
            "picture_web_large",
            f"{shown} has {size}, and the provider may take 10 MB at most. Name a smaller one.",
            Severity.WARNING,
        )
    if draft is None or not head.width:
        return None
    name = shown.rpartition("/")[2] or shown
    far = shape_warning(name, head.width, head.height, draft.form.aspect_ratio)
    return ("picture_shape", far, Severity.WARNING) if far else None


def _remark_on_small(checked: CheckedManifest, found: Mapping[str, _Found]) -> Iterator[Problem]:
    small = {
        url: f"{one.head.width} x {one.head.height}"
        for url, one in found.items()
        if isinstance(one, WebPicture) and 0 < min(one.head.width, one.head.height) < LEAST_SIDE
    }
    shown: dict[str, str] = {}
    rows: list[int] = []
    for number, images in checked.images.items():
        for url in images:
            if url in small:
                shown.setdefault(url, f"{short(url)} ({small[url]}, row {number})")
                rows.append(number)
    if shown:
        yield warn_of_small(list(shown.values()), rows)
