"""The options of `reelsheet init`, and which of them go together.

Tested in tests/authoring/test_starter.py and tests/authoring/shops/test_command.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import UsageError

Source = Annotated[
    Path | None,
    typer.Argument(
        metavar="DIR|EXPORT",
        help="The starter folder to make (default: this one); with --from, the shop's export.",
    ),
]
Shop = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FORMAT",
        help="Make a manifest from a shop's product export: shopify, woocommerce, google (a "
        "product feed, also .xml), magento or prestashop.",
    ),
]
Images = Annotated[
    Path | None,
    typer.Option(
        "--from-images",
        metavar="DIR",
        help="Make a manifest from a folder of pictures; their names tell which product each "
        "shows: SKU123_front.jpg, SKU123-2.jpg, SKU123/1.jpg.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        metavar="FILE",
        help="The manifest to write: .xlsx, .csv or .tsv. An existing file is never overwritten.",
    ),
]
Template = Annotated[
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
Pattern = Annotated[
    str | None,
    typer.Option(
        "--pattern",
        metavar="REGEX",
        help="With --from-images: the group key matches the part of a path that names the "
        "product, and a group view orders the product's pictures. For example "
        r"'(?P<key>[^/_]+)_(?P<view>\w+)'.",
    ),
]
OnlyActive = Annotated[
    bool,
    typer.Option(
        "--only-active",
        help="With --from: leave out products that customers do not see (drafts, archived, "
        "private).",
    ),
]
Variants = Annotated[
    bool,
    typer.Option(
        "--variants",
        help="With --from: a row for each variant (colour, size) instead of each product.",
    ),
]
PictureBase = Annotated[
    str | None,
    typer.Option(
        "--picture-base",
        metavar="URL",
        help="With --from: what stands before pictures that the export names without a web "
        "address, for example https://shop.example.com/media/catalog/product (Magento).",
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        "--encoding",
        metavar="NAME",
        help="With --from: the encoding of an export that is not UTF-8, for example cp1252 "
        "(setting manifest.encoding); by default it is found out where that is as good as certain.",
    ),
]
ModelNames = Annotated[
    str | None,
    typer.Option(
        "--models",
        metavar="NAME,NAME",
        help="Give the table a column video_model with these models beside that of the settings, "
        "and a sheet of rules for each. Without it the table is for the model of the settings: "
        "another one by --set api.model=NAME.",
    ),
]


@dataclass(frozen=True, slots=True)
class InitOptions:
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
    models: str | None
    verbose: bool
    quiet: bool


def refuse_lone_options(options: InitOptions) -> None:
    """Refuse options without the one that they belong to, and say which that is."""
    either = options.shop is not None or options.images is not None
    needs = (
        ("--output", options.output is not None, either, "--from or --from-images"),
        ("--prompt-template", options.template is not None, either, "--from or --from-images"),
        ("--pattern", options.pattern is not None, options.images is not None, "--from-images"),
        ("--only-active", options.only_active, options.shop is not None, "--from"),
        ("--variants", options.variants, options.shop is not None, "--from"),
        ("--picture-base", options.picture_base is not None, options.shop is not None, "--from"),
        ("--config", options.config is not None, either, "--from or --from-images"),
        ("--encoding", options.encoding is not None, options.shop is not None, "--from"),
    )
    for option, given, allowed, partner in needs:
        if given and not allowed:
            raise UsageError(
                f"{option} can only be used with {partner}.", action="See reelsheet init --help"
            )
