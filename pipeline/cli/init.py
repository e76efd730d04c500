"""`reelsheet init`: make a starter folder, or a manifest from a shop's export or from pictures.

Tested in tests/authoring/test_starter.py, tests/authoring/test_photographs.py and
tests/authoring/shops/test_command.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from pipeline.cli.initoptions import (
    Encoding,
    Images,
    InitOptions,
    ModelNames,
    OnlyActive,
    Output,
    Pattern,
    PictureBase,
    Shop,
    Source,
    Template,
    Variants,
    refuse_lone_options,
)
from pipeline.cli.options import ConfigPath, Quiet, Set, Verbose
from pipeline.cli.screen import print_line, say
from pipeline.errors import UsageError
from pipeline.manifest.invocation import Invocation
from pipeline.manifest.wording import count, quote_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.authoring.modelcolumns import Models
    from pipeline.config.settings import Config

_EXAMPLES = """\b
  reelsheet init my-videos
  reelsheet init --from shopify products_export.csv --output manifests/shop.xlsx
  reelsheet init --from-images photos --output manifests/photos.xlsx"""

_MODEL = "api.model"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "init",
        short_help="Make a starter folder or a manifest.",
        epilog=f"Examples:\n\n{_EXAMPLES}",
    )(_init)


def _init(
    source: Source = None,
    shop: Shop = None,
    images: Images = None,
    output: Output = None,
    template: Template = None,
    pattern: Pattern = None,
    only_active: OnlyActive = False,
    variants: Variants = False,
    picture_base: PictureBase = None,
    config: ConfigPath = None,
    sets: Set = None,
    encoding: Encoding = None,
    models: ModelNames = None,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Make a starter folder, or a manifest from a shop's export or a folder of pictures.

    The starter folder has a template workbook that explains the rules, the configuration, and
    folders for pictures and outputs. Nothing is sent, and existing files are never overwritten.
    """
    options = InitOptions(
        source, shop, images, output, template, pattern, only_active, variants, picture_base,
        config, sets, encoding, models, verbose, quiet,
    )  # fmt: skip
    _refuse_contradictions(options)
    if options.shop is not None:
        _from_export(options, options.shop)
    elif options.images is not None:
        _from_images(options, options.images)
    else:
        if options.source is not None and options.source.is_file():
            raise UsageError(
                f"{options.source} is a file; a starter folder needs the name of a folder.",
                action=_way_for(options.source, options),
            )
        _starter(options, options.source or Path())


def _starter(options: InitOptions, folder: Path) -> None:
    """Make a starter folder, for the model of its configuration or the one that is named."""
    from pipeline.authoring.starter import STARTER_CONFIG, make_starter, read_model
    from pipeline.config.ownsheets import find_sheets_to_bring

    for text in options.sets or ():
        if text.partition("=")[0].strip() != _MODEL:
            raise UsageError(
                f"--set {text}: a starter folder takes {_MODEL} alone.",
                action=f"Make the folder, and write the setting into its {STARTER_CONFIG}.",
            )
    there = (folder / STARTER_CONFIG).exists()
    model, kept = read_model(folder / STARTER_CONFIG, options.sets or ())
    brought = find_sheets_to_bring(folder, [model, *_others(options)])
    lines = make_starter(folder, _models(options, model), brought)
    if there and kept != model:
        note = f"Set {_MODEL}: {model} in {folder / STARTER_CONFIG}: that file is left alone."
        lines = [*lines[:-3], note, *lines[-3:]]
    _say(options, lines)


def _models(options: InitOptions, default: str) -> Models:
    """Return the models that rows may have; raises UsageError for one that there is not."""
    from pipeline.authoring.modelcolumns import Models
    from pipeline.checker.rowmodels import explain_no_model
    from pipeline.models.shelf import DEFAULT_MODEL, known_sheets

    known, others = known_sheets(), _others(options)
    if default not in known and any(_settings_of_model(options)):
        _refuse(default)
    for name in others:
        if name not in known:
            raise UsageError(f"--models: {explain_no_model(name)}")
    return Models(default if default in known else DEFAULT_MODEL, others)


def _others(options: InitOptions) -> tuple[str, ...]:
    """Return the models that --models names."""
    return tuple(name for text in (options.models or "").split(",") if (name := text.strip()))


def _refuse(model: str) -> NoReturn:
    """Refuse a model without a sheet: the table would be made for another one."""
    from pipeline.checker.rowmodels import explain_no_model
    from pipeline.models.shelf import DEFAULT_MODEL

    raise UsageError(
        f"--set {_MODEL}: {explain_no_model(model)}",
        action="To begin a sheet of its own, in models/: "
        f"reelsheet models new {quote_name(model)} --like {DEFAULT_MODEL}",
    )


def _settings_of_model(options: InitOptions) -> Iterator[str]:
    return (text for text in options.sets or () if text.partition("=")[0].strip() == _MODEL)


def _refuse_contradictions(options: InitOptions) -> None:
    """Refuse options that do not go together, and say what to do."""
    if options.shop is not None:
        from pipeline.authoring.shops.recognition import find

        if Path(options.shop).is_file():
            raise UsageError(
                f"--from {options.shop}: this is a file, and --from takes the format of an export.",
                action=_way_for(Path(options.shop), options),
            )
        find(options.shop)
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
    refuse_lone_options(options)


def _way_for(export: Path, options: InitOptions) -> str:
    """Say how a manifest is made of what may be a shop's export."""
    from pipeline.authoring.shops.conversion import format_of
    from pipeline.authoring.shops.recognition import EXPORT_FORMATS

    found = format_of(export, _loaded(options).manifest)
    if found is not None:
        command = _conversion(found.name, export, options)
        return f"It looks like an export of {found.shop}. This makes a manifest of it: {command}"
    return (
        f"To make a manifest of a shop's export: {_conversion('FORMAT', export, options)}, where "
        f"FORMAT is one of {', '.join(EXPORT_FORMATS)}."
    )


def _example(options: InitOptions) -> str:
    if options.shop is None:
        folder = quote_name(str(options.images))
        return f"For example: reelsheet init --from-images {folder} --output photos.xlsx"
    export = options.source or Path("products_export.csv")
    return f"For example: {_conversion(options.shop, export, options)}"


def _conversion(shop: str, export: Path, options: InitOptions) -> str:
    from pipeline.authoring.shops.recognition import conversion_command

    typed = Invocation(export, config=options.config, sets=tuple(options.sets or ()))
    return conversion_command(shop, typed, options.output)


def _from_export(options: InitOptions, shop: str) -> None:
    from pipeline.authoring.newmanifest import demand_free, write
    from pipeline.authoring.shops.conversion import convert
    from pipeline.authoring.shops.recognition import find

    assert options.source is not None  # noqa: S101 - see _refuse_contradictions
    assert options.output is not None  # noqa: S101 - likewise
    demand_free(options.output)
    loaded = _loaded(options)
    settings, models = loaded.manifest, _models(options, loaded.api.model)
    made = convert(
        options.source,
        find(shop),
        template=options.template,
        only_active=options.only_active,
        picture_base=options.picture_base,
        variants=options.variants,
        settings=settings,
        models=models,
    )
    looks = settings.looks
    notes = write(made.manifest, options.output, made_of=options.source, looks=looks, models=models)
    if not options.quiet:
        for line in (*made.findings, *notes):
            say(line)
    _say(options, _say_made(options, options.output, len(made.manifest.rows)))


def _loaded(options: InitOptions) -> Config:
    """Return the settings, by which an export is read as `check` would read it."""
    from pipeline.runner.target import load_settings

    sets = list(options.sets or ())
    if options.encoding is not None:
        sets.append(f"manifest.encoding={json.dumps(options.encoding, ensure_ascii=False)}")
    config, notes = load_settings(options.config, sets)
    for note in notes:
        say(f"note: {note}")
    return config


def _from_images(options: InitOptions, images: Path) -> None:
    from pipeline.authoring.newmanifest import demand_free, write
    from pipeline.authoring.photographs import assemble, describe_left_out
    from pipeline.checker.pictureroots import remember_root

    assert options.output is not None  # noqa: S101 - see _refuse_contradictions
    demand_free(options.output)
    models = _models(options, _loaded(options).api.model)
    made = assemble(
        images, options.output, pattern=options.pattern, template=options.template, models=models
    )
    notes = write(made.manifest, options.output, made_of=images, looks="looks", models=models)
    if not options.quiet:
        for line in (*made.advice, *notes):
            say(line)
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
    _say(options, [*lines, *_say_made(options, options.output, len(made.manifest.rows), setting)])


def _say_made(options: InitOptions, path: Path, rows: int, setting: str = "") -> list[str]:
    sets = (*_settings_of_model(options), *((setting,) if setting else ()))
    typed = Invocation(path, config=options.config, sets=sets)
    return [
        f"created {path} with {count(rows, 'row')}",
        "Read its prompts: each becomes a video. Then:",
        f"  {typed.command('check')}",
        f"  {typed.command('plan')}",
    ]


def _say(options: InitOptions, lines: Iterable[str]) -> None:
    if not options.quiet:
        for line in lines:
            print_line(line)
