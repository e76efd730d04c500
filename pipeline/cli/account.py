"""`reelsheet account`: what the account has bought over all manifests, from its book.

Tested in tests/cli/test_account.py.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import ConfigPath, Json, Quiet, Set
from pipeline.cli.screen import print_json, print_line, print_table, say
from pipeline.errors import UsageError
from pipeline.manifest.invocation import Invocation
from pipeline.manifest.wording import agree, count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.account.importing import Taken
    from pipeline.account.statement import Statement
    from pipeline.account.submission import Submission
    from pipeline.config.settings import Config
    from pipeline.engine.limits import Spend


def add_to(app: typer.Typer) -> None:
    """Add the command with its parts."""
    account = typer.Typer(
        help="Show what the account has bought over all manifests, from its book.",
        invoke_without_command=True,
        rich_markup_mode=None,
    )
    account.callback()(_show)
    account.command("import", short_help="Take over journals, or the book of another machine.")(
        _import
    )
    app.add_typer(account, name="account")


def _show(
    context: typer.Context,
    as_json: Json = False,
    config: ConfigPath = None,
    sets: Set = None,
) -> None:
    """Show what the account has bought over all manifests, from its book; calls nobody.

    The book is the account's own record of every live submission. Shown are the share of each
    manifest, the money of each day, and the submissions whose answer was lost.
    """
    if context.invoked_subcommand is not None:
        return
    from pipeline.account.purchases import name_in
    from pipeline.account.statement import statement_of

    configured = _load(config, sets)
    loaded = _live(configured)
    book = _book_of(loaded)
    name = name_in(book, loaded, os.environ)
    budget = loaded.budget
    said = statement_of(book, name, zone=budget.timezone, price=budget.price_per_second)
    if as_json:
        print_json(_document(said, name, book, loaded))
    else:
        live = ("provider=toapis",) if configured.rehearses else ()
        typed = Invocation(book, config=config, sets=(*(sets or ()), *live))
        _print(said, name, book, loaded, typed)


def _load(config: Path | None, sets: list[str] | None) -> Config:
    from pipeline.runner.configured import point_at_configuration
    from pipeline.runner.target import load_settings

    loaded, notes = load_settings(config, sets)
    notes += point_at_configuration(None, config, loaded)
    for note in notes:
        say(f"note: {note}")
    return loaded


def _live(config: Config) -> Config:
    """Return the configuration of a live run: a rehearsal has no account."""
    return config.model_copy(update={"provider": "toapis"})


def _book_of(config: Config) -> Path:
    from pipeline.account.place import places_of

    places = places_of(config, os.environ)
    if not places.paths:
        raise UsageError(
            "no book is kept (account.book: none), so nothing is known of the account.",
            action="Name a file with the setting account.book, or leave it away.",
        )
    return places.found or places.paths[0]


def _document(said: Statement, name: str, book: Path, config: Config) -> dict[str, object]:
    from pipeline.writer.outcome import iso

    priced = config.budget.price_per_second is not None
    return {
        "account": name,
        "book": str(book),
        "currency": config.budget.currency,
        **_figures(said.total, priced=priced),
        "manifests": [
            {
                "manifest": one.manifest,
                "folder": one.folder,
                **_figures(one.spend, priced=priced),
                "in_doubt": one.in_doubt,
                "last_submitted_at": iso(one.last_at),
            }
            for one in said.shares
        ],
        "days": [
            {"day": day.isoformat(), **_figures(spend, priced=priced)}
            for day, spend in said.days.items()
        ],
        "doubts": [_doubt(one) for one in said.doubts],
        **({"unpriced_videos": said.unpriced} if said.unpriced else {}),
    }


def _figures(spend: Spend, *, priced: bool) -> dict[str, object]:
    money = round(spend.money, 6) if priced or spend.money else None
    return {"videos": spend.videos, "video_seconds": spend.video_seconds, "money": money}


def _doubt(one: Submission) -> dict[str, object]:
    from pipeline.model import shown_key
    from pipeline.writer.outcome import iso

    return {
        "key": shown_key(one.key),
        "manifest": one.manifest,
        "folder": one.folder,
        "state": one.state.value,
        "submitted_at": iso(one.submitted_at),
        "client_business_id": one.reference,
        "task_id": one.task_id,
        "video_seconds": one.request.duration,
        "money": one.money,
    }


def _print(said: Statement, name: str, book: Path, config: Config, typed: Invocation) -> None:
    print_line(f"account {name}: what was sent and may be paid for, by its book {book}")
    if not said.shares:
        print_line("nothing was sent yet")
        return
    currency = config.budget.currency if said.total.money else None
    heads = ("videos", "seconds of video", *([currency] if currency else []))
    print_line()
    print_line("by manifest:")
    print_table(
        [
            (one.manifest, one.folder, *_cells(one.spend, currency), one.in_doubt)
            for one in said.shares
        ],
        ("manifest", "output folder", *heads, "to settle"),
    )
    print_line()
    print_line(f"by day (time zone: {config.budget.timezone}):")
    days = [(day.isoformat(), *_cells(spend, currency)) for day, spend in said.days.items()]
    print_table([*days, ("all days", *_cells(said.total, currency))], ("day", *heads))
    if said.unpriced:
        print_line()
        print_line(
            f"{'At least so much money: ' if currency else ''}{count(said.unpriced, 'video')} sent "
            f"without a price {agree(said.unpriced, 'is', 'are')} counted without money. To have "
            "all counted, set budget.price_per_second in the configuration."
        )
    if said.doubts:
        _print_doubts(said.doubts, typed)


def _print_doubts(doubts: Sequence[Submission], typed: Invocation) -> None:
    """List rows that may be paid for without a known task, and the commands that settle them."""
    from pipeline.model import shown_key
    from pipeline.writer.outcome import iso

    print_line()
    print_line(
        f"{count(len(doubts), 'submission')} to settle, which may or may not have been accepted "
        "and paid for:"
    )
    print_table(
        [
            (shown_key(one.key), one.manifest, one.state, iso(one.submitted_at), one.reference)
            for one in doubts
        ],
        ("row", "manifest", "state", "submitted (UTC)", "client_business_id"),
    )
    print_line("To see what is known of them, and how to settle each:")
    for manifest, folder in dict.fromkeys((one.manifest, one.folder) for one in doubts):
        print_line(f"  {typed.elsewhere(manifest, folder).command('resolve', '--all')}")


def _cells(spend: Spend, currency: str | None) -> tuple[object, ...]:
    return (spend.videos, spend.video_seconds, *([f"{spend.money:,.2f}"] if currency else []))


def _import(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE…", help="Journals (journal.db), or the book of another machine."
        ),
    ],
    config: ConfigPath = None,
    sets: Set = None,
    quiet: Quiet = False,
) -> None:
    """Take over journals, or the book of another machine, into the account's book; calls nobody.

    What was bought there is then not bought again here, and counts for the caps of its day. Live
    runs by themselves take over the journals beside their own output folder. A book that is damaged
    is mended first: a new one is made in its place, of what can be read of it and of the journals;
    no run should be under way then.
    """
    from pipeline.account.importing import Taken
    from pipeline.account.mending import is_broken, shows_a_book
    from pipeline.account.opening import COPY_WHOLE, explain_lack, import_file, open_account
    from pipeline.disk.openfile import refuse_pipe, refuse_ring
    from pipeline.disk.sqlitefile import lacks_log

    loaded = _live(_load(config, sets))
    book = _book_of(loaded).resolve()
    files = [file / "journal.db" if file.is_dir() else file for file in files]
    for file in files:
        refuse_ring(file)
        refuse_pipe(file)
    alone = {file for file in files if lacks_log(file)}  # before any is opened
    for file in [*files]:
        ours = file.resolve() == book
        if file.is_file() and (ours or shows_a_book(file)) and is_broken(file):
            _mend(file, loaded)
            if ours:
                files.remove(file)
    if not files:
        return
    with open_account(loaded, os.environ, say) as account:
        for path in files:
            taken = Taken() if account is None else import_file(account.book, account.name, path)
            if path in alone:
                say(f"note: {path}: {explain_lack(path)} {COPY_WHOLE}")
            if not quiet:
                print_line(f"{path}: {_describe(taken)}")


def _describe(taken: Taken) -> str:
    if not taken.submissions:
        return "nothing new"
    said = f"{count(taken.submissions, 'submission')} taken over"
    if not taken.reused:
        return said
    return (
        f"{said}, {taken.reused} of them as copies of videos whose purchase the book does not know"
    )


def _mend(file: Path, config: Config) -> None:
    """Make a new book in the place of a damaged one, and say what it knows."""
    from pipeline.account.mending import mend
    from pipeline.account.place import account_name, journals_near

    near = journals_near(Path(config.output.dir), None, ())
    mended = mend(file, account_name(config), near)
    print_line(
        f"{file}: mended, with {count(mended.submissions, 'submission')} from "
        f"{count(mended.journals, 'output folder')}; the damaged file is {mended.aside}"
    )
    for folder in mended.lost:
        say(
            f"note: {folder} has no journal that can be read: only what the damaged file still "
            "told of it is known.",
        )
