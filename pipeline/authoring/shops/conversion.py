"""Convert a shop's product export into a manifest with one row per product.

Tested in tests/authoring/shops/test_shopify.py and tests/authoring/shops/test_woocommerce.py.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.authoring.modelcolumns import FIRST, Models
from pipeline.authoring.newmanifest import (
    ChosenPictures,
    NewManifest,
    ProductPrompts,
    choose,
)
from pipeline.authoring.shops.exportformat import Export, ExportFormat, Product
from pipeline.authoring.shops.feedxml import read_feed
from pipeline.authoring.shops.recognition import likeliest, recognise
from pipeline.checker import rules
from pipeline.checker.naming import number_key
from pipeline.config.content import ManifestSettings
from pipeline.errors import ManifestError, UsageError
from pipeline.manifest.locations import web_fault
from pipeline.manifest.productfilm import DEFAULT_TEMPLATE, see
from pipeline.manifest.traits import unseen_kind
from pipeline.manifest.videolooks import LOOK_COLUMN, built_in
from pipeline.manifest.wording import count
from pipeline.model import Manifest
from pipeline.reader.reading import read

_NAMES = (
    "title", "type", "vendor", "description", "tags", "price", "status", "key", "name", "kind",
    "colour", "material", "shape", "pictures", "look",
)  # fmt: skip
_UNSEEN = "not shown to customers (draft, archived, offline …); --only-active leaves such out"
_OWN = ("title", "vendor", "type", "tags", "price", "status", "description")
_LISTED = 5
_XML = ".xml"


@dataclass(frozen=True, slots=True)
class Conversion:
    """A manifest made from an export, and lines that the user should read about it."""

    manifest: NewManifest
    findings: tuple[str, ...]


_Findings = defaultdict[str, list[str]]
"""The keys of the products that each sentence is about."""


def convert(
    path: Path,
    export_format: ExportFormat,
    *,
    template: str | None = None,
    only_active: bool = False,
    picture_base: str | None = None,
    variants: bool = False,
    settings: ManifestSettings | None = None,
    models: Models = FIRST,
) -> Conversion:
    """Read an export and make a manifest of it; nothing is written.

    Args:
        path: The file of the export.
        export_format: Its format; see `recognition.find`.
        template: The prompt template; None for `DEFAULT_TEMPLATE`.
        only_active: Leave out products that customers do not see.
        picture_base: The web address that stands before pictures which are named without theirs.
        variants: Make a row for each variant of a product.
        settings: How tables are read; None for the defaults.
        models: Those that rows may have; how many pictures a row has is said by the first.

    Raises:
        ManifestError: The file is not a table.
        UsageError: It is not such an export or has no usable product, or the template is unusable.

    """
    bases = _Bases(picture_base, export_format.base, models)
    export = _open_export(path, export_format, settings or ManifestSettings())
    prompts = ProductPrompts(
        DEFAULT_TEMPLATE if template is None else template,
        names=_NAMES,
        longest=rules.LONG_PROMPT,
        columns=export.table.headers,
    )
    left_out: list[str] = []
    notes = [*export.table.notes]
    findings = _Findings(list)
    found = export_format.products(export, left_out)
    if variants:
        if not any(product.variants for product in found):
            notes.append(f"--variants: {export_format.without_variants}")
        found = [each for product in found for each in product.variants or (product,)]
    products = _unique(found, findings)
    wanted = _select_products(products, findings, only_active=only_active)
    rows = _rows(wanted, prompts, bases, findings)
    if not rows:
        why = "; ".join([*left_out[:_LISTED], *_lines(findings)])
        raise UsageError(f"{path} has no product that can become a row. {why}".rstrip())
    lines = [*notes, *_lines(findings), *(f"left out: {text}" for text in left_out)]
    return Conversion(_manifest(rows, models), tuple(lines))


def format_of(path: Path, settings: ManifestSettings) -> ExportFormat | None:
    """Return the format that a file has as it stands; None for any other file."""
    try:
        return recognise(_read_table(path, settings))
    except ManifestError:
        return None


def _read_table(path: Path, settings: ManifestSettings) -> Manifest:
    if path.suffix.lower() == _XML:
        return read_feed(path)
    return read(
        path,
        sheet=settings.sheet,
        encoding=settings.encoding,
        hidden_rows=settings.hidden_rows,
        fill_merged=settings.fill_merged,
    )


def _open_export(path: Path, export_format: ExportFormat, settings: ManifestSettings) -> Export:
    table = _read_table(path, settings)
    others = likeliest(table)
    why = export_format.why_not(table)
    if not why and others and others[0] is not export_format:
        # What has the columns of one shop alone is no export of another one.
        foreign = others[0].marks_in(table)
        if foreign and not export_format.marks_in(table):
            named = ", ".join(f'"{one}"' for one in foreign[:_LISTED])
            why = f"its columns {named} are those of {others[0].shop}"
    export = None if why else export_format.of(table)
    if export is None:
        known = export_format.known_in(table)
        likely = [one for one in others if one.marks_in(table) or one.known_in(table) > known]
        raise export_format.refuse(
            table, why, [one.name for one in likely if one is not export_format]
        )
    if not table.rows:
        raise UsageError(
            f"{path} has no products: there is nothing below its header.",
            action=export_format.obtain,
        )
    return export


def _unique(products: Sequence[Product], findings: _Findings) -> list[tuple[str, Product]]:
    """Give each product a key of its own."""
    seen: Counter[str] = Counter()
    given = {product.key for product in products}
    keyed = []
    for product in products:
        key = number_key(product.key, seen)
        while key != product.key and key in given:
            key = number_key(product.key, seen)
        if key != product.key:
            twice = "another product has the same SKU, so a number was added to the key"
            findings[twice].append(key)
        keyed.append((key, product))
    return keyed


def _select_products(
    products: Sequence[tuple[str, Product]], findings: _Findings, *, only_active: bool
) -> list[tuple[str, Product]]:
    wanted = []
    for key, product in products:
        if not (product.title or product.description):
            findings["left out, because it has neither a title nor a description"].append(key)
        elif only_active and not product.active:
            findings[f"left out by --only-active: {product.status or 'no status'}"].append(key)
        else:
            if not product.active:
                findings[_UNSEEN].append(key)
            wanted.append((key, product))
    return wanted


def _rows(
    products: Sequence[tuple[str, Product]],
    prompts: ProductPrompts,
    bases: _Bases,
    findings: _Findings,
) -> list[dict[str, str]]:
    """Return the rows of the products; raise UsageError for a template that suits none of them."""
    rows, unfit = [], None
    for product in products:
        try:
            row = _row(product, prompts, bases, findings)
        except UsageError as error:
            unfit = unfit or error
            why = f"left out, because the template cannot be filled in: {error.__cause__}"
            findings[why].append(product[0])
        else:
            rows += [] if row is None else [row]
    if unfit is not None and not rows:
        raise unfit
    return rows


def _row(
    keyed: tuple[str, Product], prompts: ProductPrompts, bases: _Bases, findings: _Findings
) -> dict[str, str] | None:
    """Return the cells of a product by header; None if the template gives it no prompt."""
    key, product = keyed
    choice, faults = _pictures(product, bases)
    pictures = len(choice.taken)
    variants = [one.export for one in product.variants]
    seen = see(product.title, product.vendor, product.type, product.export, variants)
    look = built_in().default(f"{product.type} {seen['name']}", pictures)
    own = {name: getattr(product, name) for name in _NAMES if hasattr(product, name)}
    values = {**product.export, **own, "key": key, **seen, "pictures": pictures}
    values["look"] = look.for_pictures(pictures)
    prompt, cut = prompts.prompt(values, about=f"{key} (line {product.line})")
    if not prompt:
        findings["left out, because the template gives it an empty prompt"].append(key)
        return None
    notes = [f"The prompt was cut to {rules.LONG_PROMPT:,} characters."] if cut else []
    if not product.title:
        notes.append("No title in the export.")
    if any("://" not in one for one in choice.taken):
        findings[bases.advice].append(key)
    notes += [choice.note, *faults]
    for note in notes:
        if note:
            findings[note.split(": ", 1)[0].rstrip(".")].append(key)
    for finding in _hard_to_film(product, pictures):
        findings[finding].append(key)
    row = {
        "key": key,
        "prompt": prompt,
        LOOK_COLUMN: look.name if prompts.uses_look else "",
        "notes": " ".join(filter(None, notes)),
    }
    row |= {name: getattr(product, name) for name in _OWN} | dict(product.kept)
    return row | bases.models.cells_of(choice.taken)


def _hard_to_film(product: Product, pictures: int) -> list[str]:
    """Say what a person should know of a product before its film is paid for."""
    found = (
        []
        if pictures or product.pictures
        else ["no picture in the export, so the film is made of words alone"]
    )
    if kind := unseen_kind(product.type, product.title, product.export):
        found.append(f"{kind}: perhaps there is nothing to film; delete the row if so")
    return found


class _Bases:
    """What stands before pictures that are named without a web address.

    Args:
        given: What the user says; raises UsageError for what is no web address.
        usual: What it looks like for the format; empty where pictures have their own.
        models: Those that rows may have.

    """

    def __init__(self, given: str | None, usual: str, models: Models) -> None:
        if given is not None and (fault := web_fault(given)):
            raise UsageError(
                f"--picture-base: {fault.message}",
                action=f"For example: --picture-base {usual or 'https://YOUR-SHOP'}",
            )
        self._given = given.rstrip("/") if given else ""
        self._usual = usual
        self.models = models

    @property
    def advice(self) -> str:
        """What to do about pictures that are paths of the shop's own disk."""
        return (
            "pictures are named without a web address; say what stands before them "
            f"(--picture-base {self._usual}), or copy that folder of the shop beside the manifest"
        )

    def locate(self, link: str) -> str:
        """Return the web address of a picture, or its path below the shop's folder."""
        address = web_address(link)
        if "://" in address or not (self._given or self._usual):
            return address
        if self._given:
            return f"{self._given}/{address.lstrip('/')}"
        return link.strip().lstrip("/")

    def is_path(self, address: str) -> bool:
        """Tell whether this is a path of the shop's folder."""
        return bool(self._usual) and "://" not in address


def _pictures(product: Product, bases: _Bases) -> tuple[ChosenPictures, list[str]]:
    """Choose from the pictures that a provider can fetch; say what is wrong with the others."""
    good, faults = [], []
    for link in product.pictures:
        address = bases.locate(link)
        if bases.is_path(address):
            good.append(address)
        elif fault := web_fault(address):
            faults.append(f"A picture link cannot be used: {fault.message}")
        else:
            good.append(address)
    return choose(good, bases.models), faults


def web_address(link: str) -> str:
    """Complete a link that a shop wrote without `https:` or with spaces in it."""
    bare = link.strip().replace(" ", "%20")
    return f"https:{bare}" if bare.startswith("//") else bare


def _manifest(rows: list[dict[str, str]], models: Models) -> NewManifest:
    """Put the cells under headers; the shop's columns that are empty in all rows are left out."""
    further = dict.fromkeys(name for row in rows for name in row)
    fixed = ("key", "title", "prompt", LOOK_COLUMN, *models.headers)
    own = [
        name
        for name in further
        if name not in {*fixed, "notes"} and any(row.get(name) for row in rows)
    ]
    headers = (*fixed, *own, "notes")
    return NewManifest(headers, [tuple(row.get(name, "") for name in headers) for row in rows])


def _lines(findings: _Findings) -> list[str]:
    return [
        f"{count(len(keys), 'product')}: {sentence} ({_list_keys(keys)})"
        for sentence, keys in findings.items()
    ]


def _list_keys(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - _LISTED:,} more" if len(keys) > _LISTED else ""
    return f"{', '.join(keys[:_LISTED])}{more}"
