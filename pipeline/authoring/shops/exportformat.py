"""The form of an export format: its headers, and how its lines become products.

Tested in tests/authoring/shops/test_shopify.py and tests/authoring/shops/test_woocommerce.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.errors import UsageError
from pipeline.manifest.columns import fold_header
from pipeline.model import Manifest, Row


@dataclass(frozen=True, slots=True)
class Product:
    """A product of an export, in the same form for every format.

    `line` is its first physical line. `description` is plain text. `active` says whether customers
    see it. `pictures` are as the export names them, in the product's own order. `kept` holds
    further columns for the manifest, by their header there. `export` holds the cells of its first
    line by the headers of the export, for templates.
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


@dataclass(frozen=True, slots=True)
class Export:
    """An export as read; its cells are found by the format's own names for the columns."""

    table: Manifest
    places: Mapping[str, int]

    def cell(self, line: Row, column: str) -> str:
        """Return the text of a cell; empty if the export has no such column."""
        place = self.places.get(column)
        return "" if place is None else line.cells[place].strip()

    def cells(self, line: Row) -> dict[str, str]:
        """Return all cells of a line by the headers of the export."""
        return dict(zip(self.table.headers, line.cells, strict=True))


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """An export format.

    `columns` maps our name for each column to the headers that it has had. `required` lists groups
    of these names; of each group at least one column must exist. `obtain` says how a person gets
    the file. `products` turns the lines into products, and adds to the list it is given what it
    leaves out.
    """

    name: str
    shop: str
    obtain: str
    columns: Mapping[str, tuple[str, ...]]
    required: tuple[tuple[str, ...], ...]
    products: Callable[[Export, list[str]], Sequence[Product]]

    def of(self, table: Manifest) -> Export | None:
        """Return the table as an export of this format; None if it is not one."""
        return None if self.missing_columns(table) else Export(table, self._places(table))

    def missing_columns(self, table: Manifest) -> list[str]:
        """Return the required columns that the table lacks, in words."""
        places = self._places(table)
        return [
            " or ".join(f'"{header}"' for name in group for header in self.columns[name])
            for group in self.required
            if not any(name in places for name in group)
        ]

    def refuse(self, table: Manifest, looks_like: Sequence[str]) -> UsageError:
        """Return the error for a table that is not an export of this format."""
        hint = (
            f"It looks like an export of {looks_like[0]}: use --from {looks_like[0]}."
            if looks_like
            else self.obtain
        )
        return UsageError(
            f"{table.path} is not a product export of {self.shop}: it has no column "
            f"{', and no column '.join(self.missing_columns(table))}.",
            action=hint,
        )

    def _places(self, table: Manifest) -> dict[str, int]:
        headers = {fold_header(header): place for place, header in enumerate(table.headers)}
        # Of several spellings the first counts: what comes later replaces what came before.
        return {
            name: headers[fold_header(spelling)]
            for name, spellings in self.columns.items()
            for spelling in reversed(spellings)
            if fold_header(spelling) in headers
        }
