"""`reelsheet export`: hand the approved videos over, as plain files and as tables.

Tested in tests/cli/test_export.py and tests/system/test_export.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.columns import Column
from pipeline.cli.options import (
    ConfigPath,
    Json,
    ManifestPath,
    Out,
    Quiet,
    Series,
    Set,
    Verbose,
    check_and_show,
    resolve_options,
)
from pipeline.cli.screen import print_json, print_line, say
from pipeline.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from pipeline.checker.check import CheckedManifest
    from pipeline.review.takes import JudgedRow
    from pipeline.runner.target import Target


class _To(StrEnum):
    """What videos are handed over as."""

    FOLDER = "folder"
    MATRIXIFY = "matrixify"
    WOOCOMMERCE = "woocommerce"
    GOOGLE = "google"
    SHOPIFY = "shopify"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("export", short_help="Hand the approved videos over.")(_export)


def _export(
    manifest: ManifestPath,
    to: Annotated[
        list[_To] | None,
        typer.Option(
            "--to",
            metavar="SHOP",
            help="What for: folder (the folder alone, the default), or a table for a shop beside "
            "it: matrixify, woocommerce, google or shopify. Can be given several times.",
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(
            "--base-url",
            metavar="URL",
            help="Where the folder `approved` will be on the web, as https://cdn.example.com/v. "
            "Without it no table is written that needs the addresses of the videos.",
        ),
    ] = None,
    meta_key: Annotated[
        str | None,
        typer.Option(
            "--meta-key",
            metavar="KEY",
            help="With woocommerce: the field of your plugin that takes the address "
            "(default: product_video_url).",
        ),
    ] = None,
    id_column: Annotated[
        str | None,
        typer.Option(
            "--id-column",
            metavar="HEADER",
            help="The column with what the shop calls the product, its SKU or id (default: the "
            "key). Several rows may have the same.",
        ),
    ] = None,
    undecided: Annotated[
        bool,
        typer.Option(
            "--all", help="Also takes that nobody has judged; never those that were rejected."
        ),
    ] = False,
    config: ConfigPath = None,
    out: Out = None,
    sets: Set = None,
    series: Series = None,
    columns: Column = None,
    as_json: Json = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Hand the approved videos over: copies in the folder `approved`, and tables of them.

    Each row gets a folder with its video and a still, named by its key. media.csv has a line for
    each, with title, size, hash and who approved it; left_out.csv the rows without one, and why.
    Nothing is sent. What changed since the last export is replaced or removed, and said; what no
    export put there is never touched. A video that was handed over may be deleted from `videos`.
    Tables of earlier exports are brought up to date as they were asked for.

    The exit code is 1 if a row waits for a verdict, a video could not be handed over, or a table
    was not written or is out of date.
    """
    from pipeline.cli.progress import file_progress
    from pipeline.disk.folder import FolderUse
    from pipeline.disk.openfile import is_gone
    from pipeline.export.exporting import Wish, export
    from pipeline.export.publicaddress import PublicAddress
    from pipeline.export.telling import document_of, tell_done, tell_open
    from pipeline.export.woocommercecsv import read_meta_key
    from pipeline.review.takes import rows_with_takes
    from pipeline.runner.forgotten import explain_no_journal
    from pipeline.runner.target import refuse_another
    from pipeline.storage.opening import web_address
    from pipeline.storage.storedfiles import wait_once

    _ = verbose
    tables = tuple(dict.fromkeys(one.value for one in to or () if one is not _To.FOLDER))
    address = PublicAddress.read(base_url) if base_url is not None else None
    field = read_meta_key(meta_key)
    if meta_key is not None and _To.WOOCOMMERCE.value not in tables:
        raise UsageError(
            "--meta-key is of the table for woocommerce, which is not asked for.",
            action="Add --to woocommerce, or leave it out.",
        )
    target = resolve_options(manifest, config, out, sets, series=series, columns=columns)
    wish = Wish(
        tables=tables,
        undecided=undecided,
        address=address,
        linked=partial(web_address, target.config),
        product=id_column,
        meta_key=field,
    )
    refuse_another(target)
    _refuse_part(target)
    if is_gone(target.folder.journal):
        raise explain_no_journal(target)
    shown = not (quiet or as_json)
    rehearsal = target.folder.use is FolderUse.REHEARSED
    checked = check_and_show(target, show=shown)
    with wait_once():
        draw_posters(target, checked, rows_with_takes(checked, target.folder))
        with file_progress(show=shown) as progress:
            done = export(checked, target.folder, wish, rehearsal=rehearsal, progress=progress)
    if rehearsal:
        say("note: this is a rehearsal: its videos are marked REHEARSAL and are no goods.")
    if as_json:
        print_json(document_of(done, rehearsal=rehearsal))
    elif not quiet:
        for line in tell_done(done):
            print_line(line)
    for line in tell_open(done, target.invocation):
        say(line)
    if not done.complete:
        raise typer.Exit(ExitCode.NEEDS_USER)


def _refuse_part(target: Target) -> None:
    """Raise UsageError for a file of a run that has some of the rows only."""
    if target.folder.holds_part_of_rows(target.manifest):
        whole = target.invocation.owner(target.folder.root).command("export")
        raise UsageError(
            f"{target.manifest} has only those rows of its manifest that need you.",
            action=f"Name the manifest itself: {whole}",
        )


def draw_posters(target: Target, checked: CheckedManifest, rows: Sequence[JudgedRow]) -> None:
    """Draw the stills of takes and pictures that are not there yet; some cannot be drawn."""
    import asyncio

    from pipeline.downloader.verification import Decoders
    from pipeline.review.drawing import Drawer, pictures_of, posters_missing

    missing = posters_missing(rows, target.folder, target.manifest)
    missing += pictures_of(checked, target.folder)
    if not missing:
        return

    async def draw() -> None:
        async with Decoders() as decoders, Drawer(decoders.draw) as drawer:
            drawer.put(missing)
            await drawer.finish(None)

    asyncio.run(draw())
