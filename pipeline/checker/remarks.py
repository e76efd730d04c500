"""Warnings about rows that can be sent, and may not be meant: each kind once, with its number.

A warning is of the whole file, because these things come by the hundred: it says how many rows
there are of a kind, the first ones, and what to do.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING

from pipeline.checker import unmeant
from pipeline.checker.packeddrafts import bundles_of, prompts_of
from pipeline.checker.payable import name_rows
from pipeline.manifest import pagelinks
from pipeline.manifest.blank import has_controls
from pipeline.manifest.wording import agree, count
from pipeline.model import Manifest, Picture, Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipeline.checker.rules import Draft

_MANY = 5
"""From so many rows on, one prompt for all of them without pictures is worth a word."""
LEAST_SIDE = 512
"""Pixels of the shorter side below which a picture shows little in a video of 720 lines."""
PAGE_LINK = "picture_link_to_page"
"""The code of what is said of links to pages."""
_LONGEST_SAYING = 16
"""The most characters of a prompt of several words that says nothing."""
_SHOWN = 3
"""The most pictures or addresses that a warning names."""
_FEW_LETTERS = 3
"""So few letters are one word in scripts that have no blanks between words."""

_SAYS_NOTHING = frozenset({
    "na", "n a", "nan", "null", "none", "nil", "undefined", "k a", "not available", "missing",
    "not applicable", "unknown", "empty",
})  # fmt: skip
_ENTITY = (
    "&(?:amp|nbsp|lt|gt|quot|apos|[aou]uml|szlig|eacute|egrave|[mn]dash|[lr][sd]quo|hellip|deg"
    "|#[0-9]{2,5}|#x[0-9a-f]{2,4});"
)
_HTML = re.compile(
    rf"</?(?:{'|'.join(sorted(unmeant.HTML_TAGS - {'title', 'link', 'section'}))})"
    rf"(?:\s[^<>]*)?/?>|{_ENTITY}",
    re.IGNORECASE,
)
# Thai, Lao, Burmese, Khmer, kana, Chinese characters: words stand without blanks between them.
_NO_BLANKS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u3096\u3400-\u9fff\uf900-\ufaff]"
)


def remark_on(
    manifest: Manifest,
    drafts: Mapping[int, Draft],
    images: Mapping[int, tuple[str, ...]],
    pictures: Mapping[str, Picture],
) -> Iterator[Problem]:
    """Yield all warnings about the rows that can be sent.

    Args:
        manifest: the table.
        drafts: the rows, by their physical numbers.
        images: the URLs and `sha256:<hex>` of the pictures of each.
        pictures: the local ones, by their `sha256`.

    """
    if not manifest.rows:
        said = "The table has headers, and no rows below them. Write a row for each video."
        yield Problem("no_rows", said, Severity.WARNING)
    yield from _remark_on_equals(drafts, images)
    yield from _remark_on_prompts(drafts)
    yield from _remark_on_pictures(drafts, images, pictures)


def _remark_on_prompts(drafts: Mapping[int, Draft]) -> Iterator[Problem]:
    short, nothing, html, controls = list[int](), list[int](), list[int](), list[int]()
    # Most bundles have nothing to be said of.
    bundles = bundles_of(drafts)
    odd = (bundle for bundle in bundles if not _are_plain([prompt for _, prompt in bundle]))
    for number, prompt in chain.from_iterable(odd):
        if not prompt:
            continue  # pictures alone, which the model takes
        if " " not in prompt or len(prompt) <= _LONGEST_SAYING:
            if unmeant.fold(prompt) in _SAYS_NOTHING:
                nothing.append(number)
            elif _is_short(prompt):
                short.append(number)
        if ("<" in prompt or "&" in prompt) and _HTML.search(prompt):
            html.append(number)
        if not prompt.isprintable() and has_controls(prompt):
            controls.append(number)
    yield from _remark(
        "prompt_like_empty",
        nothing,
        f'the prompt looks like the word for an empty cell ("{_of(drafts, nothing)}"), and would '
        "be sent as it is. Write what the video should show, or delete the row.",
    )
    yield from _remark(
        "prompt_short",
        short,
        f'the prompt is a single word, or digits only ("{_of(drafts, short)}"). A video is made '
        "of it all the same: write what it should show.",
    )
    yield from _remark(
        "prompt_html",
        html,
        "the prompt holds HTML of a web page (tags, or signs such as &amp;), which is sent as it "
        "stands. Take it out; in manifest.prompt_template the filter striphtml does.",
    )
    yield from _remark(
        "prompt_controls",
        controls,
        "the prompt holds control characters, which nobody sees. They are removed from what is "
        "sent; the sheet stays as it is.",
    )


def _are_plain(prompts: Sequence[str]) -> bool:
    """Tell whether there is nothing to be said of any of these prompts."""
    joined = "".join(prompts)
    return (
        joined.isprintable()
        and "<" not in joined
        and "&" not in joined
        and min(map(len, prompts)) > _LONGEST_SAYING
        and all(" " in prompt for prompt in prompts)
    )


def _remark_on_equals(
    drafts: Mapping[int, Draft], images: Mapping[int, tuple[str, ...]]
) -> Iterator[Problem]:
    """Yield a warning if rows ask for the very same video, and for a prompt that many have."""
    # By their hashes, which take half of the memory. Most manifests: no prompt occurs twice.
    if len({*map(hash, map(itemgetter(1), prompts_of(drafts)))}) == len(drafts):
        return
    first: dict[object, int] = {}
    equals = [
        (number, before)
        for number, draft in drafts.items()
        if (before := first.setdefault((draft.prompt, draft.form, images.get(number)), number))
        != number
    ]
    if equals:
        number, before = equals[0]
        yield Problem(
            code="rows_equal",
            message=f"{count(len(equals), 'row')} of the same prompt, pictures and form as another "
            f"one, for example row {number} and row {before}: each is made, and paid for.",
            severity=Severity.WARNING,
        )
    yield from _remark_on_equal_prompts(drafts, images)


def _remark_on_equal_prompts(
    drafts: Mapping[int, Draft], images: Mapping[int, tuple[str, ...]]
) -> Iterator[Problem]:
    """Yield a warning for a prompt that many rows without pictures have."""
    rows: defaultdict[str, list[int]] = defaultdict(list)
    for number, draft in drafts.items():
        if not images.get(number):
            rows[draft.prompt].append(number)
    for prompt, numbers in rows.items():
        if len(numbers) >= _MANY:
            yield Problem(
                code="prompts_equal",
                message=f"{count(len(numbers), 'row')} without a picture have the same prompt "
                f"({name_rows(numbers)}: {unmeant.quote(prompt)}): nothing in it tells one "
                "product from another. Name the product in the prompt, or give the rows pictures.",
                severity=Severity.WARNING,
            )


def _remark_on_pictures(
    drafts: Mapping[int, Draft],
    images: Mapping[int, tuple[str, ...]],
    pictures: Mapping[str, Picture],
) -> Iterator[Problem]:
    same = [
        number
        for number, named in images.items()
        if number in drafts and len(named) > 1 and len(set(named)) == 1
    ]
    yield from _remark(
        "picture_repeated",
        same,
        "the same picture several times over. Name it once, or show the product from other sides.",
    )
    small = {
        f"sha256:{sha256}": one
        for sha256, one in pictures.items()
        if min(one.width, one.height) < LEAST_SIDE
    }
    yield from _remark_on_small(drafts, images, small)
    yield from _remark_on_pages(images, drafts)


def _remark_on_small(
    drafts: Mapping[int, Draft],
    images: Mapping[int, tuple[str, ...]],
    small: Mapping[str, Picture],
) -> Iterator[Problem]:
    if not small:
        return
    found: dict[str, str] = {}
    rows: list[int] = []
    for number, draft in drafts.items():
        for text, image in zip(draft.image_cells, images.get(number, ()), strict=False):
            if (picture := small.get(image)) is not None:
                size = f"{picture.width} x {picture.height}"
                found.setdefault(image, f"{pagelinks.short(text)} ({size}, row {number})")
                rows.append(number)
    if found:
        yield warn_of_small(list(found.values()), rows)


def warn_of_small(shown: Sequence[str], rows: Sequence[int]) -> Problem:
    """Return the warning about small pictures.

    Args:
        shown: each of them with its size and its first row.
        rows: the rows that name them, in order.

    """
    numbers = list(dict.fromkeys(rows))
    return Problem(
        code="picture_small",
        message=f"{count(len(shown), 'picture')} of {count(len(numbers), 'row')} "
        f"{agree(len(shown), 'has', 'have')} fewer than {LEAST_SIDE} pixels on the shorter side: "
        f"{_list_some(shown)}. That is a thumbnail, or no picture of the product at all: name a "
        "larger one.",
        severity=Severity.WARNING,
    )


def _remark_on_pages(
    images: Mapping[int, tuple[str, ...]], drafts: Mapping[int, Draft]
) -> Iterator[Problem]:
    """Yield a warning for each kind of page that picture addresses lead to."""
    known: dict[str, pagelinks.PageLink | None] = {}
    rows: defaultdict[str, list[int]] = defaultdict(list)
    first: dict[str, tuple[str, str | None]] = {}
    for number, named in images.items():
        for url in named if number in drafts else ():
            if url.startswith("sha256:"):
                continue
            if url not in known:
                known[url] = pagelinks.page_at(url)
            if (link := known[url]) is not None:
                rows[link.page].append(number)
                first.setdefault(link.page, (url, link.direct))
    for page, numbers in rows.items():
        url, direct = first[page]
        others = " (those of the others stand at their rows)" if len(numbers) > 1 else ""
        remedy = (
            f"The picture itself is at {direct}{others}"
            if direct
            else "Open it, and copy the address of the picture itself, or save the picture and "
            "name the file"
        )
        yield Problem(
            code=PAGE_LINK,
            message=f"{count(len(numbers), 'picture link')} ({name_rows(numbers)}) "
            f"{agree(len(numbers), 'leads', 'lead')} to {page}, not to a picture: "
            f"{pagelinks.short(url)}. {remedy}.",
            severity=Severity.WARNING,
        )


def _remark(code: str, rows: Sequence[int], sentence: str) -> Iterator[Problem]:
    if rows:
        yield Problem(
            code=code,
            message=f"{count(len(rows), 'row')} ({name_rows(rows)}): {sentence}",
            severity=Severity.WARNING,
        )


def _of(drafts: Mapping[int, Draft], rows: Iterable[int]) -> str:
    return next((drafts[number].prompt for number in rows), "")


def _list_some(shown: Sequence[str]) -> str:
    more = len(shown) - _SHOWN
    return ", ".join(shown[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _is_short(prompt: str) -> bool:
    """Tell whether a prompt is a single word, or has no word in it."""
    words = prompt.split()
    if not any(map(str.isalpha, prompt)):
        return True
    if len(words) > 1:
        return False
    if not _NO_BLANKS.search(prompt):
        return True
    return sum(unicodedata.category(sign)[0] == "L" for sign in prompt) <= _FEW_LETTERS
