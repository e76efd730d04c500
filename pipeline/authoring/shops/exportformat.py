"""The form of an export format: its headers, and how its lines become products.

Tested in tests/authoring/shops/test_shopify.py and tests/authoring/shops/test_woocommerce.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.errors import UsageError
from pipeline.manifest.columns import fold_header
from pipeline.manifest.normalform import fold
from pipeline.model import Manifest, Row


@dataclass(frozen=True, slots=True)
class Product:
    """A product of an export, in the same form for every format.

    `line` is its first physical line. `description` is plain text. `active` says whether customers
    see it. `pictures` are as the export names them, in the product's own order. `kept` holds
    further columns for the manifest, by their header there. `export` holds the cells of its first
    line by the headers of the export, for templates. `variants` are what can be bought of it, each
    a product of its own, if there are several.
    """

    key: str
    line: int
    title: str = ""
    type: str = ""
    vendor: str = ""
    description: str = ""
    tags: str = ""
    price: str = ""
    status: str = ""
    active: bool = True
    pictures: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)
    export: Mapping[str, str] = field(default_factory=dict)
    variants: tuple[Product, ...] = ()


@dataclass(frozen=True, slots=True)
class Export:
    """An export as read; its cells are found by the format's own names for the columns."""

    table: Manifest
    places: Mapping[str, int]

    @property
    def unit(self) -> str:
        """What a row of the file is called in a message."""
        return "line" if self.table.sheet is None else "row"

    def cell(self, line: Row, column: str) -> str:
        """Return the text of a cell; empty if the export has no such column."""
        place = self.places.get(column)
        return "" if place is None else line.cells[place].strip()

    def cells(self, line: Row) -> dict[str, str]:
        """Return all cells of a line by the headers of the export."""
        return dict(zip(self.table.headers, line.cells, strict=True))


def with_values(title: str, values: Sequence[str]) -> str:
    """Return a product's title with the values of a variant, such as its colour, behind it."""
    said = fold(title[:_LONGEST_TITLE])
    new = (one for one in values if one and not re.search(rf"\b{re.escape(fold(one))}\b", said))
    return ", ".join([title, *new])


def vary(product: Product, cells: Mapping[str, str], **own: Any) -> Product:  # noqa: ANN401
    """Return a product's variant: what is its own, and all else from the product.

    Args:
        product: whose variant it is.
        cells: those of its line, by the headers of the export; empty ones are the product's.
        own: what else differs, by the names of a product's fields.

    """
    export = {**product.export, **{name: cell for name, cell in cells.items() if cell.strip()}}
    return replace(product, export=export, variants=(), **own)


_Words = Mapping[str, tuple[str, ...]]
_SAMPLE = 300
"""The lines that show what a column holds."""
_LONGEST_WORD = 40
_LONGEST_TITLE = 300
"""Characters of a title in which the words of a variant are looked for."""
_NAMED = 3
"""The most columns that a message names."""
# The end of a name or an address of a picture, in a cell that is no HTML.
_PICTURE = re.compile(r"\.(?:jpe?g|png|webp|gif|avif|bmp|tiff?|heic)(?=$|[?#,;|\s])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """An export format.

    `columns` maps our name for each column to the headers that it has had, `translations` to those
    that it has in other languages. `required` lists groups of these names; of each group at least
    one column must exist. `pictures` are the columns of pictures, `marks` headers that no export of
    another shop has. `obtain` says how a person gets the file. `products` turns the lines into
    products, and adds to the list it is given what it leaves out. `variants` names the column of
    kinds, the kind of variants, and the column that names their parent. `base` is what stands
    before a picture in the shop's web address, for exports that leave it out.
    `without_variants` says why an export may have none.
    """

    name: str
    shop: str
    obtain: str
    columns: _Words
    required: tuple[tuple[str, ...], ...]
    pictures: tuple[str, ...]
    products: Callable[[Export, list[str]], Sequence[Product]]
    marks: tuple[str, ...] = ()
    translations: _Words = field(default_factory=dict)
    variants: tuple[str, str, str] | None = None
    base: str = ""
    without_variants: str = "no product of this export has variants, so each is one row"

    def of(self, table: Manifest) -> Export | None:
        """Return the table as an export of this format; None if it is not one."""
        return None if self.why_not(table) else Export(table, self._places(table))

    def why_not(self, table: Manifest) -> str:
        """Say why the table is no export of this format that can be read; empty if it is one.

        What is required are the columns without which keys or pictures would be lost: so a table
        with pictures in columns that the format does not know is refused.
        """
        places = self._places(table)
        missing = [
            " or ".join(f'"{header}"' for name in group for header in self.columns[name])
            for group in self.required
            if not any(name in places for name in group)
        ]
        if missing:
            return f"it has no column {', and no column '.join(missing)}"
        if not any(name in places for name in self.pictures):
            others = picture_columns(table)
            if others:
                wanted = " or ".join(f'"{one}"' for n in self.pictures for one in self.columns[n])
                shown = ", ".join(f'"{one}"' for one in others[:_NAMED])
                return f"it has no column {wanted}, and its pictures would be lost: {shown}"
        return self._why_no_variants(table, places)

    def marks_in(self, table: Manifest) -> list[str]:
        """Return the headers of the table that only exports of this shop have."""
        marks = set(map(fold_header, self.marks))
        return [header.strip() for header in table.headers if fold_header(header) in marks]

    def known_in(self, table: Manifest) -> int:
        """Count the columns that the format knows."""
        return len(self._places(table))

    def refuse(self, table: Manifest, why: str, looks_like: Sequence[str]) -> UsageError:
        """Return the error for a table that is not an export of this format.

        Args:
            table: what was read.
            why: what is wrong with it.
            looks_like: the names of the formats that it is an export of, the likeliest first.

        """
        hint = (
            f"It looks like an export of {looks_like[0]}: use --from {looks_like[0]}."
            if looks_like
            else self.obtain
        )
        return UsageError(
            f"{table.path} is not a product export of {self.shop}: {why}.", action=hint
        )

    def _why_no_variants(self, table: Manifest, places: Mapping[str, int]) -> str:
        """Say that variants would become products of their own; empty if they would not."""
        if self.variants is None:
            return ""
        kind, word, parent = self.variants
        if parent in places:
            return ""
        cells = column_of(table, places[kind]) if kind in places else every_cell(table)
        if any(word in cell.casefold().replace(",", " ").split() for cell in cells):
            header = self.columns[parent][0]
            return f'it has no column "{header}", and each {word} would become a product'
        return ""

    def _places(self, table: Manifest) -> dict[str, int]:
        headers = {fold_header(header): place for place, header in enumerate(table.headers)}
        # Of several spellings the first counts: what comes later replaces what came before.
        return {
            name: headers[fold_header(spelling)]
            for name, spellings in self.columns.items()
            for spelling in reversed((*spellings, *self.translations.get(name, ())))
            if fold_header(spelling) in headers
        }


def picture_columns(table: Manifest) -> list[str]:
    """Return the headers of the columns whose cells name pictures."""
    return [
        header.strip()
        for at, header in enumerate(table.headers)
        if any("<" not in cell and _PICTURE.search(cell) for cell in column_of(table, at))
    ]


def column_of(table: Manifest, place: int) -> Iterator[str]:
    """Yield the first cells of a column."""
    return (row.cells[place] for row in table.rows[:_SAMPLE])


def every_cell(table: Manifest) -> Iterator[str]:
    """Yield the first lines' short cells, which may be words of a list."""
    for row in table.rows[:_SAMPLE]:
        yield from (cell for cell in row.cells if len(cell) <= _LONGEST_WORD)
