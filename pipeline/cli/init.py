"""`reelsheet init`: make a starter folder, or a manifest from a shop's export or from pictures.

Tested in tests/authoring/test_starter.py, tests/authoring/test_photographs.py and
tests/authoring/shops/test_command.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import ConfigPath, Quiet, Set, Verbose
from pipeline.cli.screen import print_line, say
from pipeline.errors import UsageError
from pipeline.manifest.invocation import Invocation
from pipeline.manifest.wording import count, quote_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.config.content import ManifestSettings

_EXAMPLES = """\b
  reelsheet init my-videos
  reelsheet init --from shopify products_export.csv --output manifests/shop.xlsx
  reelsheet init --from-images photos --output manifests/photos.xlsx"""

_Source = Annotated[
    Path | None,
    typer.Argument(
        metavar="DIR|EXPORT",
        help="The starter folder to make (default: this one); with --from, the shop's export.",
    ),
]
_Shop = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FORMAT",
        help="Make a manifest from a shop's product export: shopify, woocommerce, google (a "
        "product feed, also .xml), magento or prestashop.",
    ),
]
_Images = Annotated[
    Path | None,
    typer.Option(
        "--from-images",
        metavar="DIR",
        help="Make a manifest from a folder of pictures; their names tell which product each "
        "shows: SKU123_front.jpg, SKU123-2.jpg, SKU123/1.jpg.",
    ),
]
_Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        metavar="FILE",
        help="The manifest to write: .xlsx, .csv or .tsv. An existing file is never overwritten.",
    ),
]
_Template = Annotated[
    str | None,
    typer.Option(
        "--prompt-template",
        metavar="TEXT",
        help='A Jinja template for the prompts, for example "Video of {{ title }}. '
        '{{ look }}". Values with --from: name (the title without vendor, sales talk and sizes), '
        "kind, colour, material, shape, look (the words of the look that suits it), pictures "
        "(their number), title, type, vendor, description, tags, price, status, key, and every "
        'column as row["Header"]; with --from-images: key, title, name, look, pictures.',
    ),
]
_Pattern = Annotated[
    str | None,
    typer.Option(
        "--pattern",
        metavar="REGEX",
        help="With --from-images: the group key matches the part of a path that names the "
        "product, and a group view orders the product's pictures. For example "
        r"'(?P<key>[^/_]+)_(?P<view>\w+)'.",
    ),
]
_OnlyActive = Annotated[
    bool,
    typer.Option(
        "--only-active",
        help="With --from: leave out products that customers do not see (drafts, archived, "
        "private).",
    ),
]
_Variants = Annotated[
    bool,
    typer.Option(
        "--variants",
        help="With --from: a row for each variant (colour, size) instead of each product.",
    ),
]
_PictureBase = Annotated[
    str | None,
    typer.Option(
        "--picture-base",
        metavar="URL",
        help="With --from: what stands before pictures that the export names without a web "
        "address, for example https://shop.example.com/media/catalog/product (Magento).",
    ),
]
_Encoding = Annotated[
    str | None,
    typer.Option(
        "--encoding",
        metavar="NAME",
        help="With --from: the encoding of an export that is not UTF-8, for example cp1252 "
        "(setting manifest.encoding); by default it is found out where that is as good as certain.",
    ),
]


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of one call."""

    source: Path | None
    shop: str | None
    images: Path | None
    output: Path | None
    template: str | None
    pattern: str | None
    only_active: bool
    variants: bool
    picture_base: str | None
    config: Path | None
    sets: list[str] | None
    encoding: str | None
    verbose: bool
    quiet: bool


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "init",
        short_help="Make a starter folder or a manifest.",
        epilog=f"Examples:\n\n{_EXAMPLES}",
    )(_init)


def _init(
    source: _Source = None,
    shop: _Shop = None,
    images: _Images = None,
    output: _Output = None,
    template: _Template = None,
    pattern: _Pattern = None,
    only_active: _OnlyActive = False,
    variants: _Variants = False,
    picture_base: _PictureBase = None,
    config: ConfigPath = None,
    sets: Set = None,
    encoding: _Encoding = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Make a starter folder, or a manifest from a shop's export or a folder of pictures.

    The starter folder has a template workbook that explains the rules, the configuration, and
    folders for pictures and outputs. Nothing is sent, and existing files are never overwritten.
    """
    options = _Options(
        source, shop, images, output, template, pattern, only_active, variants, picture_base,
        config, sets, encoding, verbose, quiet,
    )  # fmt: skip
    _refuse_contradictions(options)
    if options.shop is not None:
        _from_export(options, options.shop)
    elif options.images is not None:
        _from_images(options, options.images)
    else:
        from pipeline.authoring.starter import make_starter

        if options.source is not None and options.source.is_file():
            raise UsageError(
                f"{options.source} is a file; a starter folder needs the name of a folder.",
                action=_way_for(options.source, options),
            )
        _say(options, make_starter(options.source or Path()))


def _refuse_contradictions(options: _Options) -> None:
    """Refuse options that do not go together, and say what to do."""
    if options.shop is not None and Path(options.shop).is_file():
        raise UsageError(
            f"--from {options.shop}: this is a file, and --from takes the format of an export.",
            action=_way_for(Path(options.shop), options),
        )
    if options.shop is not None and options.images is not None:
        raise UsageError("--from and --from-images exclude each other: choose one.")
    if options.output is None and (options.shop is not None or options.images is not None):
        raise UsageError(
            "--output is missing: it names the manifest to write.", action=_example(options)
        )
    if options.shop is not None and options.source is None:
        raise UsageError("The shop's export is missing.", action=_example(options))
    if options.images is not None and options.source is not None:
        raise UsageError(
            f"{options.source} is one folder too many: --from-images already names the folder."
        )
    _refuse_lone_options(options)


def _way_for(export: Path, options: _Options) -> str:
    """Say how a manifest is made of what may be a shop's export."""
    from pipeline.authoring.shops.conversion import format_of
    from pipeline.authoring.shops.recognition import EXPORT_FORMATS

    found = format_of(export, _reading(options))
    if found is not None:
        command = _conversion(found.name, export, options)
        return f"It looks like an export of {found.shop}. This makes a manifest of it: {command}"
    return (
        f"To make a manifest of a shop's export: {_conversion('FORMAT', export, options)}, where "
        f"FORMAT is one of {', '.join(EXPORT_FORMATS)}."
    )


def _example(options: _Options) -> str:
    if options.shop is None:
        folder = quote_name(str(options.images))
        return f"For example: reelsheet init --from-images {folder} --output photos.xlsx"
    export = options.source or Path("products_export.csv")
    return f"For example: {_conversion(options.shop, export, options)}"


def _conversion(shop: str, export: Path, options: _Options) -> str:
    from pipeline.runner.shopexport import conversion_command

    typed = Invocation(export, config=options.config, sets=tuple(options.sets or ()))
    return conversion_command(shop, typed, options.output)


def _refuse_lone_options(options: _Options) -> None:
    either = options.shop is not None or options.images is not None
    needs = (
        ("--output", options.output is not None, either, "--from or --from-images"),
        ("--prompt-template", options.template is not None, either, "--from or --from-images"),
        ("--pattern", options.pattern is not None, options.images is not None, "--from-images"),
        ("--only-active", options.only_active, options.shop is not None, "--from"),
        ("--variants", options.variants, options.shop is not None, "--from"),
        ("--picture-base", options.picture_base is not None, options.shop is not None, "--from"),
        ("--config", options.config is not None, options.shop is not None, "--from"),
        ("--set", bool(options.sets), options.shop is not None, "--from"),
        ("--encoding", options.encoding is not None, options.shop is not None, "--from"),
    )
    for option, given, allowed, partner in needs:
        if given and not allowed:
            raise UsageError(
                f"{option} can only be used with {partner}.", action="See reelsheet init --help."
            )


def _from_export(options: _Options, shop: str) -> None:
    from pipeline.authoring.newmanifest import demand_free, write
    from pipeline.authoring.shops.conversion import convert
    from pipeline.authoring.shops.recognition import find

    if options.source is None or options.output is None:
        raise UsageError("--from needs an export and --output.")
    export_format = find(shop)
    demand_free(options.output)
    settings = _reading(options)
    made = convert(
        options.source,
        export_format,
        template=options.template,
        only_active=options.only_active,
        picture_base=options.picture_base,
        variants=options.variants,
        settings=settings,
    )
    looks = settings.looks
    notes = write(made.manifest, options.output, made_of=options.source, looks=looks)
    if not options.quiet:
        _warn([*made.findings, *notes])
    _say(options, _say_made(options.output, len(made.manifest.rows)))


def _reading(options: _Options) -> ManifestSettings:
    """Return how the export is read: as `check` would read it with the same options."""
    from pipeline.runner.target import load_settings

    sets = list(options.sets or ())
    if options.encoding is not None:
        sets.append(f"manifest.encoding={json.dumps(options.encoding, ensure_ascii=False)}")
    config, notes = load_settings(options.config, sets)
    for note in notes:
        say(f"note: {note}")
    return config.manifest


def _from_images(options: _Options, images: Path) -> None:
    from pipeline.authoring.newmanifest import demand_free, write
    from pipeline.authoring.photographs import assemble, describe_left_out
    from pipeline.checker.pictureroots import remember_root

    if options.output is None:
        raise UsageError("--from-images needs --output.")
    demand_free(options.output)
    made = assemble(images, options.output, pattern=options.pattern, template=options.template)
    notes = write(made.manifest, options.output, made_of=images, looks="looks")
    if not options.quiet:
        _warn([*made.advice, *notes])
    lines = describe_left_out(made.left_out, everything=options.verbose)
    lines.append(f"{count(made.pictures, 'picture')} used")
    setting = ""
    if made.image_root is not None and remember_root(options.output, made.image_root):
        lines.append(
            "The pictures are outside the manifest's folder: that they are in "
            f"{made.image_root} is noted on this computer. Elsewhere set manifest.image_root."
        )
    elif made.image_root is not None:
        setting = f"manifest.image_root={made.image_root}"
        lines.append(
            "The pictures are outside the manifest's folder: set manifest.image_root to "
            f"{made.image_root} in config.yaml, or use --set as shown below."
        )
    _say(options, [*lines, *_say_made(options.output, len(made.manifest.rows), setting)])


def _say_made(path: Path, rows: int, setting: str = "") -> list[str]:
    typed = Invocation(path, sets=(setting,) if setting else ())
    return [
        f"created {path} with {count(rows, 'row')}",
        "Read its prompts: each becomes a video. Then:",
        f"  {typed.command('check')}",
        f"  {typed.command('plan')}",
    ]


def _say(options: _Options, lines: Iterable[str]) -> None:
    if not options.quiet:
        for line in lines:
            print_line(line)


def _warn(lines: Iterable[str]) -> None:
    for line in lines:
        say(line)
