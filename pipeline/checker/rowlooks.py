"""The looks that the rows of a manifest name, and a team's own ones.

A row that names a look and has no prompt gets one of what the table says of the product, as a
shop's export does: its title, type, colour, material and shape.

Tested in tests/checker/test_rowlooks.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.checker.drafts import image_fields, problem_at
from pipeline.checker.rowtexts import RowPrompts, has_prompt
from pipeline.disk.failures import explain_os_error
from pipeline.disk.openfile import read_regular
from pipeline.errors import ConfigError
from pipeline.manifest.blank import strip_blanks, without_controls
from pipeline.manifest.columns import PRODUCT_NAMES, fold_header
from pipeline.manifest.earlier import Reading
from pipeline.manifest.languages import EARLIEST
from pipeline.manifest.productfilm import DEFAULT_TEMPLATE, LONGEST_TITLE, see
from pipeline.manifest.templates import compile_template
from pipeline.manifest.traits import trait_of
from pipeline.manifest.videolooks import (
    LOOK_COLUMN,
    Library,
    Look,
    LooksFault,
    built_in,
    read_looks,
)
from pipeline.manifest.wording import shorten
from pipeline.model import Manifest, Problem, Row

_TYPES = frozenset({
    "type", "product_type", "producttype", "category", "categories", "kategorie", "produkttyp",
    "produktart", "warengruppe", "catégorie", "categoria", "categoría", "tipo", "type_de_produit",
})  # fmt: skip
_VENDORS = frozenset({
    "vendor", "brand", "manufacturer", "marke", "hersteller", "marque", "fabricant", "marca",
    "merk",
})  # fmt: skip
IN_FILMS = "prompts of looks"
"""How messages call the use of columns that such prompts are made of."""
_LARGEST_BYTES = 100_000
_MOST_FILES = 100


@dataclass(frozen=True)
class RowLooks:
    """The looks of a manifest: which exist, and the columns that say which a row has.

    `place` is the index of the column; None if there is none that is read. `types`, `titles` and
    `vendors` are those that say what the product is. `folder` holds the team's own looks.
    """

    manifest: Manifest
    place: int | None
    types: tuple[int, ...]
    titles: tuple[int, ...]
    vendors: tuple[int, ...]
    folder: str | None

    @cached_property
    def library(self) -> Library:
        """The looks that exist: read once, and only if one is asked for."""
        return (
            built_in() if self.folder is None else built_in().joined(own_looks(Path(self.folder)))
        )

    @property
    def field(self) -> dict[str, int]:
        """The column, as those of the fields."""
        return {} if self.place is None else {LOOK_COLUMN: self.place}

    @property
    def made_of(self) -> tuple[int, ...]:
        """The indexes of the columns that a prompt is made of where its cell is empty."""
        if self.place is None or not self.titles:
            return ()
        traits = (
            at for at, header in enumerate(self.manifest.headers) if trait_of(header) is not None
        )
        return tuple(sorted({*self.types, *self.titles, *self.vendors, *traits}))

    def make_all(self) -> bool:
        """Tell whether rows may do without a prompt: one that names a look says what to film."""
        return bool(self.made_of) and any(
            self.named(row) and self._first(row, self.titles) for row in self.manifest.rows
        )

    def films(self, fields: Mapping[str, int]) -> bool:
        """Tell whether a row names a look and has no prompt, so that one is made of its columns."""
        rows = (row for row in self.manifest.rows if self.named(row))
        return any(not has_prompt(row, fields) for row in rows)

    def rows(self) -> set[int]:
        """Return the numbers of the rows that name a look."""
        if self.place is None:
            return set()
        return {row.number for row in self.manifest.rows if self.named(row)}

    def prompt_of(
        self, row: Row, key: str, fields: Mapping[str, int], prompts: RowPrompts | None
    ) -> str | Problem | None:
        """Return the prompt of a row that a template or a look makes; None for one as it stands.

        Args:
            row: the row.
            key: its key.
            fields: the index of each field's column.
            prompts: the template of the prompts; None without one.

        """
        makes = prompts if prompts is not None and prompts.stands_for(row) else None
        placed = makes is not None and makes.uses_look
        if not placed and not self.named(row):
            return makes.make(row, key) if makes else None
        pictures = len(image_fields(row, fields))
        look = self.of(row, key, pictures)
        if isinstance(look, Problem):
            return look
        if makes is not None:
            text = makes.make(row, key, look.for_pictures(pictures))
        else:
            if not has_prompt(row, fields):
                return self._film(row, key, look, pictures, fields.get("prompt"))
            text = strip_blanks(row.cells[fields["prompt"]])
        if placed or not isinstance(text, str) or not without_controls(text):
            return text
        return self.library.put_into(text, look, pictures)

    def _film(
        self, row: Row, key: str, look: Look, pictures: int, prompt_at: int | None
    ) -> str | Problem:
        """Make the prompt of a row that has none, or the problem that it does not say of what."""
        if not (title := self._first(row, self.titles)):
            message = (
                f'The prompt is empty, and the look "{look.name}" does not say what is filmed. '
                "Write the prompt, or the product's name into a column called title."
            )
            return problem_at(
                self.manifest, row.number, prompt_at, key, code="prompt_empty", message=message
            )
        if len(title) > LONGEST_TITLE:
            title = title[:LONGEST_TITLE].rsplit(" ", 1)[0]
        cells = dict(zip(self.manifest.headers, row.cells, strict=True))
        kind, vendor = self._first(row, self.types), self._first(row, self.vendors)
        words: dict[str, object] = {**see(title, vendor, kind, cells), "key": key}
        words |= {"pictures": pictures, "look": look.for_pictures(pictures)}
        return " ".join(compile_template(DEFAULT_TEMPLATE).fill(words).split())

    def _first(self, row: Row, places: Sequence[int]) -> str:
        return next(filter(None, (strip_blanks(row.cells[at]) for at in places)), "")

    def named(self, row: Row) -> bool:
        """Tell whether a row names a look."""
        return self.place is not None and bool(strip_blanks(row.cells[self.place]))

    def of(self, row: Row, key: str, pictures: int) -> Look | Problem:
        """Return the look of a row, or the problem that it names none that is known."""
        if self.place is None or not self.named(row):
            about = (row.cells[at] for at in (*self.types, *self.titles))
            return self.library.default(" ".join(about), pictures)
        name = strip_blanks(row.cells[self.place])
        look = self.library.find(name)
        if look is not None:
            return look
        near = self.library.nearest(name)
        hint = f' Did you mean "{near}"?' if near else ""
        message = (
            f'There is no look "{shorten(name)}".{hint} The looks are: '
            f"{', '.join(self.library.names)}. Your own ones go into a file in the folder looks "
            "beside config.yaml."
        )
        return problem_at(
            self.manifest, row.number, self.place, key, code="look_unknown", message=message
        )


def bind_looks(
    manifest: Manifest,
    known: Reading,
    mapping: Mapping[str, str],
    ignored: Collection[str],
    folder: str | None,
) -> RowLooks:
    """Find the looks of a manifest; one that was run without them keeps its reading.

    Args:
        manifest: the manifest as read.
        known: how the runs before read it.
        mapping: the field of some headers (`manifest.columns`).
        ignored: the headers of columns that are not to be read.
        folder: the team's own looks; None if there are none.

    """
    folded = [fold_header(header) for header in manifest.headers]
    asked = [fold_header(one) for one, field in mapping.items() if field == LOOK_COLUMN]
    others = {fold_header(one) for one, field in mapping.items() if field != LOOK_COLUMN}
    before = [fold_header(one) for one, field in known.read.items() if field == LOOK_COLUMN]
    names = [*asked, *(one for one in (*before, LOOK_COLUMN) if one not in others)]
    place = next((folded.index(name) for name in names if name in folded), None)
    if place is not None and folded[place] not in asked:
        place = place if _counts(manifest.headers[place], known, ignored) else None
    types, titles, vendors = (
        tuple(at for at, name in enumerate(folded) if name in names)
        for names in (_TYPES, PRODUCT_NAMES, _VENDORS)
    )
    return RowLooks(manifest, place, types, titles, vendors, folder)


def own_looks(folder: Path) -> Library:
    """Read the looks of a team: every .toml file of a folder.

    Raises ConfigError for a file that cannot be used.
    """
    library = Library()
    for path in _files(folder):
        try:
            library = library.joined(_read_file(path))
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {explain_os_error(error)}.") from None
        except (LooksFault, UnicodeDecodeError) as fault:
            why = fault if isinstance(fault, LooksFault) else "it is not UTF-8 text"
            raise ConfigError(
                f"{path} cannot be used: {why}.",
                action='A look is written as ["its name"], and below it words = "\u2026".',
            ) from None
    return library


def _read_file(path: Path) -> Library:
    data = read_regular(path, _LARGEST_BYTES)
    if len(data) > _LARGEST_BYTES:
        raise LooksFault("it is larger than 100 kB")
    return read_looks(data.decode("utf-8-sig"))


def _files(folder: Path) -> Sequence[Path]:
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".toml")
    except OSError as error:
        raise ConfigError(
            f"The folder of looks {folder} cannot be read: {explain_os_error(error)}."
        ) from None
    if len(found) > _MOST_FILES:
        raise ConfigError(f"{folder} holds more than {_MOST_FILES} files of looks.")
    return found


def _counts(header: str, known: Reading, ignored: Collection[str]) -> bool:
    name = header.strip()
    if known.read.get(name) == LOOK_COLUMN:
        return True
    unwanted = fold_header(name) in map(fold_header, ignored)
    return known.names != EARLIEST and name not in known.left and not unwanted
