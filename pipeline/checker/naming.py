"""The names of a row: its key, the references of its attempts, the file names of its videos.

All of them stay the same from run to run, whatever the order of the rows: a row that got another
key or reference would be paid for again. Where two rows would have the same file name, both get a
short hash of their key. That covers names that differ only in case or in Unicode form, and names
that a later attempt of another row would take (`shoe` and `shoe-2`).
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING, TypeAlias

from pathvalidate import sanitize_filename

from pipeline.checker.drafts import problem_at
from pipeline.checker.rowtexts import RowTemplate, name_template
from pipeline.manifest.blank import is_blank, trim
from pipeline.manifest.columns import fold_header
from pipeline.manifest.normalform import to_normal_form
from pipeline.manifest.packedrows import texts_of
from pipeline.manifest.templates import TemplateFault, from_shorthand
from pipeline.manifest.wording import plural
from pipeline.model import Manifest, Problem, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    _Cells: TypeAlias = Callable[[Row], Iterable[tuple[str, str]]]

KEY_ALONE = from_shorthand("{key}")
"""The value of `output.name` that calls each video by its row's key."""

_JSON = json.JSONEncoder(separators=(",", ":"))  # ASCII, no blanks
_LONGEST_BYTES = 120
"""The longest name of a video, without its suffix."""
_HASH_DIGITS = 8  # of a hash that tells two videos of one name apart
_ROW_DIGITS = 12
"""How many digits of a hash make the key of a row that has none."""
_MADE = re.compile(r"row-[0-9a-f]{12}(-[0-9]+)?")
_LONGEST_KEY = 1000  # a longer one is not worked on; names of files are cut long before
_LISTED = 5
"""The most rows with the same key that a message names."""
_SUFFIX = ".mp4"
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,59}")
_LATER_ATTEMPT = re.compile(r"(.+)-([1-9][0-9]{0,3})")
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9¹²³])(\.|$)")
_INVISIBLE = {"Cc", "Cf"}  # control, zero width, direction
_UNSHOWN = {"Cn", "Co", "Cs"}  # unassigned, private, halves of a pair: a key keeps them, no name


def normalise_key(text: str) -> str:
    """Return a key as it is compared: composed (NFC), no invisible characters, single blanks."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split()) if "  " in text else text.strip()
    composed = to_normal_form("NFC", text)
    # By the set of its characters: a table can hold megabytes of such text.
    signs = {char for char in set(composed) if unicodedata.category(char) in _INVISIBLE}
    unseen = {ord(char): None for char in signs if not char.isspace()}
    return " ".join((composed.translate(unseen) if unseen else composed).split())


def _key_in(cell: str) -> str:
    if len(cell) > _LONGEST_KEY:
        return ""
    key = normalise_key(cell)
    return key if key.isascii() or not is_blank(key) else ""


def row_keys(
    manifest: Manifest,
    fields: Mapping[str, int],
    made_of: Sequence[int] = (),
    further: _Cells | None = None,
) -> tuple[list[str], list[Problem]]:
    """Return the key of each row, in their order, and the problems of the keys in the cells.

    A row whose key cannot be used gets a key made of its contents, so that it is reported under the
    same name every time.

    Args:
        manifest: the rows.
        fields: the index of each field's column.
        made_of: the indexes of the columns of which a prompt is made where its cell is empty.
        further: lists what tells a row apart beside the fields; None if there is nothing.

    """
    index, inputs = fields.get("key"), _inputs(manifest, fields, made_of, further)
    if index is None:
        return _unnamed_keys(manifest.rows, inputs, frozenset()), []
    keys = [*map(_key_in, texts_of(manifest.rows, index))]
    distinct = set(keys)
    if len(distinct) == len(keys) and "" not in distinct:
        return keys, []
    holders: dict[str, list[int]] = {}
    for key, row in zip(keys, manifest.rows, strict=True):
        holders.setdefault(key, []).append(row.number)
    bad = {key for key, rows in holders.items() if not key or len(rows) > 1}
    places = [place for place, key in enumerate(keys) if key in bad]
    problems = [
        _bad_key(manifest, manifest.rows[place], index, holders[keys[place]]) for place in places
    ]
    rows = [manifest.rows[place] for place in places]
    for place, key in zip(places, _unnamed_keys(rows, inputs, holders.keys()), strict=True):
        keys[place] = key
    return keys, problems


def _inputs(
    manifest: Manifest, fields: Mapping[str, int], made_of: Sequence[int], further: _Cells | None
) -> _Cells:
    """Make a function that lists the cells that tell a row apart, as (field, text).

    These are the cells of the fields and, if the prompt is empty, those that it is made of.
    """
    cells = list(fields.items())
    known = set(fields.values())
    wider = cells + [
        (f"column {fold_header(manifest.headers[i])}", i) for i in made_of if i not in known
    ]
    prompt = fields.get("prompt")

    def inputs(row: Row) -> Iterable[tuple[str, str]]:
        # Not `strip_blanks`: a row that was paid for with an invisible prompt keeps its key.
        empty = prompt is None or not trim(row.cells[prompt])
        return ((name, row.cells[index]) for name, index in (wider if empty else cells))

    return inputs if further is None else lambda row: chain(inputs(row), further(row))


def _unnamed_keys(rows: Iterable[Row], inputs: _Cells, given: Collection[str]) -> list[str]:
    seen: Counter[str] = Counter()
    keys = []
    for row in rows:
        plain = _contents_key(inputs(row))
        key = number_key(plain, seen)
        while key in given:
            key = number_key(plain, seen)
        keys.append(key)
    return keys


def _bad_key(manifest: Manifest, row: Row, index: int, rows: Sequence[int]) -> Problem:
    header = manifest.headers[index].strip()
    key = _key_in(row.cells[index])
    if len(row.cells[index]) > _LONGEST_KEY:
        code = "key_too_long"
        message = f"The key (column {header}) has over {_LONGEST_KEY:,} characters. Shorten it."
    elif not key:
        code, message = "key_empty", f"The key (column {header}) is empty. Give the row a key."
    else:
        code = "key_twice"
        holders = len(rows) - 1
        others = list(islice((str(one) for one in rows if one != row.number), _LISTED))
        more = f" and {holders - _LISTED} more" if holders > _LISTED else ""
        message = (
            f'The key "{key}" (column {header}) is also the key of {plural(holders, "row")} '
            f"{', '.join(others)}{more}. Give each row a key of its own, or delete one of the rows."
        )
    return problem_at(manifest, row.number, index, key or None, code=code, message=message)


def _contents_key(inputs: Iterable[tuple[str, str]]) -> str:
    """Make a key of a row's own input cells, given as (field, text); empty cells do not count.

    Equal rows get equal keys, which `number_key` tells apart.
    """
    cells = [(field, shown) for field, text in inputs if (shown := normalise_key(text))]
    return f"row-{_hash(cells)[:_ROW_DIGITS]}"


def looks_made_of_contents(key: str) -> bool:
    """Tell whether a key looks as if `_contents_key` had made it."""
    return _MADE.fullmatch(key) is not None


def number_key(key: str, seen: Counter[str]) -> str:
    """Return the key for the next row with these contents: the key, then `-2`, `-3` and so on.

    `seen` counts the rows so far.
    """
    seen[key] += 1
    return key if seen[key] == 1 else f"{key}-{seen[key]}"


def base_name(file_name: str, number: int) -> str:
    """Return the base of which `attempt_name` made the name of an attempt's video."""
    base = file_name.removesuffix(_SUFFIX)
    return base if number == 1 else base.removesuffix(f"-{number}")


def reference(journal_id: str, identity: str, number: int) -> str:
    """Return the `client_business_id` of an attempt: `rs-` and 40 hex digits, always the same.

    The provider takes letters, digits, `_` and `-`, at most 64: docs/contract.md, "Submissions".

    Args:
        journal_id: the id of the journal, so that two manifests with equal keys do not meet.
        identity: that of the row's entry: its key, unless that was another row's before.
        number: the number of the attempt, from 1.

    """
    return f"rs-{_hash([journal_id, identity, number])[:40]}"


def attempt_name(base: str, number: int) -> str:
    """Return the file name of an attempt's video; a later attempt never overwrites an earlier."""
    return f"{base}{_SUFFIX}" if number == 1 else f"{base}-{number}{_SUFFIX}"


def video_names(
    rows: Iterable[tuple[str, Row]],
    headers: Sequence[str],
    template: str,
    taken: Mapping[str, str] | None = None,
    *,
    kept: Mapping[str, str] | None = None,
    identities: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the base name of each row's videos, by key; `attempt_name` makes file names of it.

    Args:
        rows: each row with its key.
        headers: those of the manifest.
        template: the setting `output.name`.
        taken: the casefolded file names in the journal, and the keys that own them.
        kept: the base names of renamed rows, by key: their files stay as they are called.
        identities: the identities of new rows whose key was another row's before. Their names
            always get a hash of it: that row's earlier videos may have the plain name.

    Raises:
        ConfigError: the template cannot be used.

    """
    if template == KEY_ALONE:
        bases = {key: safe_name(key) for key, _ in rows}
    else:
        bound = name_template(template, headers)
        bases = {key: safe_name(_fill_name(bound, key, row)) for key, row in rows}
    bases |= {key: base for key, base in (kept or {}).items() if key in bases}
    owned = {_fold(name.removesuffix(_SUFFIX)): key for name, key in (taken or {}).items()}
    seeds = {key: identity for key, identity in (identities or {}).items() if key in bases}
    crowded = (_find_crowded(bases, owned) | seeds.keys()) - (kept or {}).keys()
    return _tell_apart(bases, crowded, owned, seeds) if crowded else bases


def safe_name(text: str) -> str:
    """Return a file name without suffix that every file system takes; it may be empty.

    It is no path and no device of Windows, does not begin with a dot or a hyphen, has no invisible
    characters, and at most 120 bytes.
    """
    if not (_PLAIN.fullmatch(text) and text[-1] != "-"):
        text = _clean(text)
    if _RESERVED.match(text.casefold()):
        text = f"_{text}"
    return text


def _clean(text: str) -> str:
    shown = "".join(
        char for char in normalise_key(text) if unicodedata.category(char) not in _UNSHOWN
    )
    # Fullwidth and similar forms of / : \ are kept: only the ASCII characters divide a path.
    name: str = sanitize_filename(shown, "_", "universal", fs_encoding="utf-8")
    return _cut(name.lstrip(".- "), _LONGEST_BYTES).rstrip(". -")


def _cut(text: str, length_bytes: int) -> str:
    """Cut a text to a number of UTF-8 bytes, between two characters and not before an accent."""
    if len(text.encode()) <= length_bytes:
        return text
    cut = text.encode()[:length_bytes].decode(errors="ignore")
    while cut and unicodedata.combining(text[len(cut)]):
        cut = cut[:-1]
    return cut


def _fold(name: str) -> str:
    """Return a name as a file system compares it that ignores case and Unicode forms."""
    if name.isascii():
        return name.casefold()
    return to_normal_form("NFC", to_normal_form("NFD", name).casefold())


def _find_crowded(bases: Mapping[str, str], owned: Mapping[str, str]) -> set[str]:
    """Return the keys whose plain name could be another row's, now or in a later attempt."""
    folded = {key: _fold(base) for key, base in bases.items()}
    holders = Counter(folded.values())
    # The owners of names in the journal that look like a later attempt, by the name before the -N.
    stems: dict[str, set[str]] = {}
    for name, key in owned.items():
        if later := _LATER_ATTEMPT.fullmatch(name):
            stems.setdefault(later[1], set()).add(key)
    crowded = set()
    for key, name in folded.items():
        later = _LATER_ATTEMPT.fullmatch(name)
        stem = later[1] if later else ""
        if (
            not name
            or holders[name] > 1
            or owned.get(name, key) != key
            or stems.get(name, {key}) != {key}
            or (stem and (stem in holders or owned.get(stem, key) != key))
        ):
            crowded.add(key)
    return crowded


def _tell_apart(
    bases: Mapping[str, str],
    crowded: set[str],
    owned: Mapping[str, str],
    seeds: Mapping[str, str],
) -> dict[str, str]:
    """Append a hash to each crowded name, with more digits until all differ.

    It is the hash of the key, or of what `seeds` has in its place.
    """
    used = {_fold(base) for key, base in bases.items() if key not in crowded}
    names = dict(bases)
    for key in sorted(crowded):
        digest = _hash([seeds.get(key, key)])
        for digits in (_HASH_DIGITS, 16, 64):
            start = _cut(bases[key] or "video", _LONGEST_BYTES - 1 - digits).rstrip(". -")
            name = f"{start}-{digest[:digits]}"
            folded = _fold(name)
            if folded not in used and owned.get(folded, key) == key:
                break
        used.add(folded)
        names[key] = name
    return names


def _fill_name(template: RowTemplate, key: str, row: Row) -> str:
    try:
        return template.text(row, key=key)
    except TemplateFault:  # the check has made it a problem of the row; an empty name gets a hash
        return ""


def _hash(value: object) -> str:
    """Hash a value's JSON (SHA-256), in which no two values look alike."""
    return hashlib.sha256(_JSON.encode(value).encode()).hexdigest()
