"""Which columns of a manifest are read as what, and which of the others may have been meant.

No column is left out silently: a line says what is read and what is not, and a column that is not
read but looks like one of ours is a warning with the option that reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.manifest.columns import FIELDS, column_option, fold_header
from pipeline.manifest.earlier import IGNORE
from pipeline.manifest.languages import EARLIEST
from pipeline.manifest.meanings import Standing, meanings_of
from pipeline.manifest.resultcolumns import our_columns
from pipeline.manifest.wording import shorten
from pipeline.model import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pipeline.checker.looks import Looks

NOT_READ = "column_not_read"
"""The code of the warning."""
_BEFORE_PAYING = frozenset({NOT_READ, "several_columns"})
"""The codes of what is said of columns before anything is paid for."""
_SINGLE = tuple(name for name in FIELDS if name.startswith("image_"))
_MOST = 30
"""Headers that a line shows."""
_LOOK = {
    "images": "pictures",
    "duration": "seconds of video",
    "aspect_ratio": "shapes of video",
    "resolution": "resolutions of video",
}


@dataclass(frozen=True, slots=True)
class ColumnsRead:
    """What is read of a manifest, in the order of its columns.

    `read` has each header with its field, or with the template that names it; `not_read` the
    headers of all other columns but our own. `offers` are those that may have been meant for a
    field which nothing else is read as.
    """

    read: tuple[tuple[str, str], ...] = ()
    not_read: tuple[str, ...] = ()
    offers: tuple[tuple[str, str], ...] = ()

    def lines(self) -> Iterator[str]:
        """Yield the line that says what is read and what is not, and one of what could be."""
        parts = [f"read: {_list([_say_reading(*one) for one in self.read])}"] if self.read else []
        if self.not_read:
            parts.append(f"not read: {_list([_short(one) for one in self.not_read])}")
        if parts:
            yield " \u00b7 ".join(parts)
        if self.offers:
            ways = [f"{column_option(*one)}" for one in self.offers]
            yield f"could be read: {_list(ways)}"

    def document(self) -> dict[str, object]:
        """Return the same for programs: the field of each header that is read, and the others."""
        found: dict[str, object] = {"read": dict(self.read), "not_read": list(self.not_read)}
        return found | ({"could_be_read": dict(self.offers)} if self.offers else {})


NOTHING_READ = ColumnsRead()


def report_columns(
    headers: Sequence[str],
    fields: Mapping[str, int],
    looks: Looks,
    *,
    used: Mapping[int, str],
    ignored: Collection[str],
    names: int,
    said: Collection[str],
) -> tuple[ColumnsRead, list[Problem]]:
    """Tell what is read of a manifest, and warn of columns that may have been meant to be.

    Args:
        headers: those of the manifest.
        fields: the index of each field's column.
        looks: the cells.
        used: the template that names a column, by its index.
        ignored: the headers of columns that the user does not want to be read.
        names: which names counted; see `languages`.
        said: the headers about which something was said already.

    """
    field_at = {index: name for name, index in fields.items()}
    ours = our_columns(headers)
    named = {
        index: header.strip()
        for index, header in enumerate(headers)
        if fold_header(header) and index not in ours
    }
    read = {
        index: (header, field_at.get(index) or used[index])
        for index, header in named.items()
        if index in field_at or index in used
    }
    left = {index: header for index, header in named.items() if index not in read}
    unwanted = {*map(fold_header, ignored), *map(fold_header, said)}
    search = _Search(looks, set(fields), names)
    for index, header in left.items():
        if fold_header(header) not in unwanted:
            search.judge(index, header)
    report = ColumnsRead(tuple(read.values()), tuple(left.values()), tuple(search.offers))
    return report, search.problems


class _Search:
    """The search for columns that may have been meant for one of the fields without a column."""

    def __init__(self, looks: Looks, filled: set[str], names: int) -> None:
        self._looks = looks
        self._filled = filled
        self._names = names
        self.problems: list[Problem] = []
        self.offers: list[tuple[str, str]] = []

    def judge(self, index: int, header: str) -> None:
        """Warn of a column, or offer it, if it may be one of the missing fields."""
        for field, standing in meanings_of(header):
            if standing is Standing.OFFERED or self._free(field) is None:
                continue
            if self._names == EARLIEST and self._fits(field, standing, index):
                self._warn(
                    header,
                    field,
                    "is not read: this manifest was run before such headers were understood, and "
                    "its rows keep their reading",
                    f"as {field}",
                    "the rows then count as edited",
                )
                return
        look = self._looks.looks_like(index)
        free = None if look is None else self._free(look)
        if look is not None and free is not None:
            what = _LOOK.get(look, "pictures")
            self._warn(header, free, f"is not read, although its cells look like {what}", "as that")
            return
        self._offer(index, header)

    def _offer(self, index: int, header: str) -> None:
        for field, standing in meanings_of(header):
            if standing is not Standing.OFFERED or field in self._filled:
                continue
            if field == "key" and self._looks.tells_rows_apart(index):
                self.offers.append((header, field))
            elif field not in {"key", "prompt"} and self._fits(field, standing, index):
                self._warn(header, field, f"is not read, although it may mean {field}", "as that")
            else:
                continue
            return

    def _fits(self, field: str, standing: Standing, index: int) -> bool:
        empty = self._looks.is_empty(index)
        return standing is Standing.SURE or (not empty and self._looks.fits(field, index))

    def _free(self, field: str) -> str | None:
        """Return the field that a column could be read as; None if another one is already."""
        if field not in (*_SINGLE, "images"):
            return None if field in self._filled else field
        if "images" in self._filled:
            return None
        taken = [name for name in _SINGLE if name in self._filled]
        if field == "images":
            return None if taken else field
        return next((name for name in _SINGLE if name not in taken), None)

    def _warn(
        self, header: str, field: str, why: str, how: str, otherwise: str | None = None
    ) -> None:
        message = (
            f'The column "{header}" {why}. To read it {how}, add {column_option(header, field)}; '
            f"{otherwise or 'otherwise there is nothing to do'}."
        )
        self.problems.append(Problem(NOT_READ, message, Severity.WARNING, column=header))
        self._filled.add(field)


def _say_reading(header: str, read_as: str) -> str:
    """Say what a column is read as: `Artikel = key`, or `colour in prompt.template`, or `key`.

    The names of templates have a dot or a blank, those of fields have neither.
    """
    if fold_header(header) == read_as:
        return _short(header)
    in_template = "." in read_as or " " in read_as
    return f"{_short(header)} {'in' if in_template else '='} {read_as}"


def _short(header: str) -> str:
    return shorten(" ".join(header.split()))


def _list(names: Sequence[str]) -> str:
    rest = len(names) - _MOST
    return ", ".join(names[:_MOST]) + (f" and {rest} more" if rest > 0 else "")


def column_warnings(problems: Iterable[Problem]) -> list[str]:
    """Return what is to be read of columns before anything is paid for."""
    return [one.message for one in problems if one.row is None and one.code in _BEFORE_PAYING]


def ignored_in(mapping: Mapping[str, str], earlier: Mapping[str, str]) -> list[str]:
    """Return the headers of columns that the user does not want to be read.

    Args:
        mapping: the setting `manifest.columns`.
        earlier: what the runs before read, with what they were told to ignore.

    """
    asked = {fold_header(header) for header in mapping}
    before = [one for one in earlier if earlier[one] == IGNORE and fold_header(one) not in asked]
    return [*before, *(header for header, field in mapping.items() if field == IGNORE)]
