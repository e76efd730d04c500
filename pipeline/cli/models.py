"""`reelsheet models`: the models whose sheets there are, what each takes, and sheets of one's own.

Tested in tests/cli/test_models.py.
"""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.nearmisses import PlainGroup, name_command
from pipeline.cli.options import ConfigPath, Json
from pipeline.cli.screen import print_json, print_line, print_table
from pipeline.errors import ConfigError, ExitCode, UsageError
from pipeline.manifest.wording import count, quote_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipeline.config.ownsheets import OwnSheet
    from pipeline.models.records import Sheet

_HEADS = ("model", "read on", "tried", "sheet")
_NEVER_RUN = "from the page, never run"

_Name = Annotated[
    str, typer.Argument(metavar="NAME", help="The model, as `reelsheet models` lists it.")
]
_File = Annotated[Path, typer.Argument(metavar="FILE", help="The sheet, a TOML file.")]
_NewName = Annotated[
    str, typer.Argument(metavar="NAME", help="The model, as the provider spells it.")
]
_Like = Annotated[
    str, typer.Option("--like", metavar="OTHER", help="The model whose sheet it begins as.")
]


class _Parts(PlainGroup):
    """The parts of the command; a word that is none of them may be a model or a sheet."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - Typer's, private
        """Find the part that a word names; raises UsageError."""
        if args[0] not in self.commands and not args[0].startswith("-"):
            part = "check" if args[0].endswith(".toml") else "show"
            meant = name_command(args[0], ("reelsheet", "models"), self.commands)
            raise UsageError(
                f"There is no command reelsheet models {args[0]}; its parts are show, check and "
                "new.",
                action=f"Perhaps: {meant or f'reelsheet models {part} {quote_name(args[0])}'}",
            )
        return super().resolve_command(ctx, args)


def add_to(app: typer.Typer) -> None:
    """Add the command with its parts."""
    models = typer.Typer(
        cls=_Parts,
        help="List the video models, show what one takes, and write a sheet of your own.",
        invoke_without_command=True,
        rich_markup_mode=None,
    )
    models.callback()(_list)
    for work, example, short in (
        (_show, "veo3.1-fast", "Show what a model takes, with an example."),
        (_check, "models/clip-2.toml", "Check a sheet: every fault at once."),
        (_new, "clip-2 --like veo3.1-fast", "Begin a sheet like that of another model."),
    ):
        name = work.__name__.removeprefix("_")
        epilog = f"Example:\n\n\b\n  reelsheet models {name} {example}"
        models.command(name, short_help=short, epilog=epilog)(work)
    app.add_typer(models, name="models")


def _list(context: typer.Context, config: ConfigPath = None, as_json: Json = False) -> None:
    """List the models that a row can name in the column video_model; calls nobody.

    What is known of a model is its sheet: some come with Reelsheet, yours lie in models/ beside the
    configuration. docs/models.md says how to write one.
    """
    if context.invoked_subcommand is not None:
        return
    from pipeline.models.describing import head_of
    from pipeline.models.shelf import DEFAULT_MODEL

    places, default = _places(config)
    if as_json:
        models = [
            head_of(name, sheet) | _whence(place) | {"default": name == default}
            for name, (sheet, place) in places.items()
        ]
        print_json({"schema": 1, "models": models})
        return
    print_table(
        [
            (
                f"{name} (default)" if name == default else name,
                sheet.head.read.isoformat(),
                "" if sheet.head.verified else _NEVER_RUN,
                _say_place(place),
            )
            for name, (sheet, place) in places.items()
        ],
        _HEADS,
    )
    if default not in places:
        print_line(f"api.model is {default}, which has no sheet: rules of {DEFAULT_MODEL} hold.")
    print_line("What one takes: reelsheet models show NAME")


def _show(name: _Name, config: ConfigPath = None, as_json: Json = False) -> None:
    """Show what a model takes: its columns with their values, its pictures, its rules, an example.

    The example is the body of a request, as it would be sent for a row that says nothing more than
    it must.
    """
    places, _ = _places(config)
    sheet, place = places[_named(name, places)]
    if as_json:
        from pipeline.models.describing import document_of

        print_json({"schema": 1, **document_of(name, sheet), **_whence(place)})
    else:
        _print_sheet(name, sheet, place)


def _check(path: _File, as_json: Json = False) -> None:
    """Check the sheet of a model, and name every fault of it with its place; calls nobody.

    A fault ends with exit code 2.
    """
    found, faults = _faults_of(path)
    if as_json:
        named = [] if found is None else list(found.sheet.head.models)
        print_json({"schema": 1, "file": str(path), "models": named, "faults": faults})
        if faults:
            raise typer.Exit(ExitCode.USAGE)
        return
    if not path.exists():
        raise UsageError(
            f"{path} is not there: FILE is the sheet of a model, as models/clip-2.toml.",
            action=_way_to_sheet(path),
        )
    if found is None or faults:
        title = f"{path} has {count(len(faults), 'fault')}:"
        raise ConfigError(title, action="docs/models.md says what each part means.", faults=faults)
    name = found.sheet.head.models[0]
    _print_sheet(name, found.sheet, path)
    print_line()
    for line in _notes_on(found.sheet):
        print_line(f"note: {line}")
    print_line(f"{path} has no fault. Hold the body above against an example of the page.")


def _way_to_sheet(path: Path) -> str:
    """Say what to write instead of a file that is not there."""
    from pipeline.models.shelf import DEFAULT_MODEL, shipped_sheets

    if path.name in shipped_sheets():
        return f"To see what a model takes: reelsheet models show {path.name}"
    new = quote_name(path.name.removesuffix(".toml"))
    return f"To begin one: reelsheet models new {new} --like {DEFAULT_MODEL}"


def _notes_on(sheet: Sheet) -> list[str]:
    """Return what is no fault of a sheet, and yet may not be meant."""
    from pipeline.models.describing import say_of_defaults
    from pipeline.models.shelf import shipped_sheets

    notes = [line for name in sheet.head.models for line in say_of_defaults(name, sheet)]
    shipped = shipped_sheets()
    of_page = [name for name, one in shipped.items() if one.head.source == sheet.head.source]
    if of_page and not set(of_page) & set(sheet.head.models):
        notes.append(f"source is the page of {of_page[0]}: name the one of {sheet.head.models[0]}")
    return notes


def _new(name: _NewName, like: _Like, config: ConfigPath = None) -> None:
    """Begin a sheet like that of another model, in models/ beside the configuration.

    Then change what the page of the model says otherwise. Nothing that is there is written over.
    """
    from datetime import UTC, datetime

    from pipeline.config.ownsheets import FOLDER, read_own_sheet
    from pipeline.disk.place import place_new
    from pipeline.models.copying import write_sheet_like
    from pipeline.models.shelf import shipped_sheets

    places, _ = _places(config)
    sheet, _place = places[_named(like, places)]
    _refuse_name(name, places)
    folder = _beside(config) / FOLDER
    path = folder / f"{name.replace('/', '_').replace(':', '_')}.toml"
    text = write_sheet_like(
        sheet, like, name, today=datetime.now(UTC).date(), replaces=name in shipped_sheets()
    )
    try:
        folder.mkdir(exist_ok=True)
        place_new(path, text.encode())
    except FileExistsError:
        raise UsageError(
            f"{path} is there already; nothing was changed.",
            action="Change it, or remove it first.",
        ) from None
    except OSError as error:
        from pipeline.disk.failures import explain_os_error

        raise UsageError(f"{path} cannot be written: {explain_os_error(error)}.") from None
    read_own_sheet(path)
    print_line(f"written: {path}")
    print_line("Change what the page says otherwise, then:")
    print_line(f"  reelsheet models check {quote_name(str(path))}")


def _refuse_name(name: str, places: dict[str, tuple[Sheet, Path | None]]) -> None:
    from pipeline.models.sections import check_model_name

    try:
        check_model_name(name)
    except ValueError as error:
        raise UsageError(f"{name} {error}.") from None
    if (place := places.get(name, (None, None))[1]) is not None:
        raise UsageError(f"{name} has a sheet already: {place}.", action="Change that one.")


def _beside(config: Path | None) -> Path:
    return Path() if config is None else config.parent


def _places(config: Path | None) -> tuple[dict[str, tuple[Sheet, Path | None]], str]:
    """Return all sheets by model, with the files of the team's own, and the model of the settings.

    Raises ConfigError.
    """
    from pipeline.config.ownsheets import FOLDER, read_own_sheets
    from pipeline.models.shelf import known_sheets
    from pipeline.runner.target import load_settings

    loaded, _ = load_settings(config)
    own: Iterable[OwnSheet] = read_own_sheets(_beside(config) / FOLDER)
    files = {name: one.path for one in own for name in one.sheet.head.models}
    found = {name: (sheet, files.get(name)) for name, sheet in known_sheets().items()}
    return found, loaded.api.model


def _named(name: str, places: dict[str, tuple[Sheet, Path | None]]) -> str:
    """Return the name of a model; raises UsageError where there is no sheet for it."""
    if name in places:
        return name
    alias = [one for one, (sheet, _) in places.items() if name in sheet.head.aliases]
    near = alias or difflib.get_close_matches(name.casefold(), places, n=2, cutoff=0.5)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise UsageError(
        f"There is no sheet for a model called {name}.{hint}",
        action=f"The models are: {', '.join(places)}.",
    )


def _faults_of(path: Path) -> tuple[OwnSheet | None, list[str]]:
    """Read a sheet; return it, or None, with what is wrong with it."""
    from pipeline.config.ownsheets import read_own_sheet
    from pipeline.models.describing import example_of

    try:
        found = read_own_sheet(path)
    except ConfigError as error:
        first, *faults = error.lines
        return None, faults or [first]
    never = [name for name in found.sheet.head.models if example_of(name, found.sheet) is None]
    return found, [f"rules: no row of {name} can keep all of them" for name in never]


def _whence(place: Path | None) -> dict[str, Any]:
    return {"from": "shipped" if place is None else "own", "file": place and str(place)}


def _say_place(place: Path | None) -> str:
    return "comes with Reelsheet" if place is None else str(place)


def _print_sheet(name: str, sheet: Sheet, place: Path | None) -> None:
    from pipeline.models.describing import (
        examples_of,
        say_columns,
        say_image_files,
        say_pictures,
        say_price,
        say_prompt,
    )

    head = sheet.head
    others = [one for one in head.models if one != name]
    lines = [
        ("model", name),
        ("also for", ", ".join(others)),
        ("also called", ", ".join(head.aliases)),
        ("newer", head.superseded_by or ""),
        ("page", head.source),
        ("read on", f"{head.read}{'' if head.verified else f', {_NEVER_RUN}'}"),
        ("sheet", _say_place(place)),
        ("prompt", say_prompt(sheet)),
        ("pictures", say_pictures(sheet)),
        ("picture files", say_image_files(sheet.image_files)),
        *(("rule", rule.say) for rule in sheet.rules),
        *(("price", say_price(price)) for price in sheet.prices),
        *(("video", one) for one in _say_frames(sheet)),
    ]
    width = max(len(title) for title, _ in lines) + 2
    for title, said in lines:
        if said:
            print_line(f"{title:{width}}{said}")
    print_line()
    print_table(say_columns(sheet), ("column", "values", "an empty cell", "in the body"))
    print_line()
    plain, pictured = (examples := examples_of(name, sheet))[:1], examples[1:]
    for example in (*pictured, *plain):
        print_line("Sent with pictures:" if example in pictured else "An example of what is sent:")
        for line in json.dumps(example, indent=2, ensure_ascii=False).splitlines():
            print_line(line)


def _say_frames(sheet: Sheet) -> Sequence[str]:
    return [
        f"{width} x {height} pixels with {' at '.join(filter(None, names))}"
        for names, (width, height) in sheet.frames.items()
    ]
