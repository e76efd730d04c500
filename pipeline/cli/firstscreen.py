"""What `reelsheet` alone shows: which tables are here, how far each is, and what to do next.

The words are those of people who fill in tables; `reelsheet help words` explains them.

Tested in tests/cli/test_standing.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from pipeline.cli.standing import Here, Standing, look_around
from pipeline.manifest.wording import count, quote_name

_STEPS = (
    ("init", "a table to fill in; or made from a shop's export or a folder of pictures"),
    ("check", "everything that is still wrong in a table"),
    ("plan", "how many videos, how long it takes, what it costs"),
    ("run", "make the videos: until you go live, previews that cost nothing"),
    ("status", "how far each table is; with --rows each article number"),
    ("review", "look at the videos, approve them or send them back"),
    ("export", "hand the approved videos over to the shop"),
)
_ABOVE = 3
"""So many folders above are looked at: whoever stands in outputs/shop has tables two above."""


def first_screen(environ: Mapping[str, str], now: float) -> Iterator[str]:
    """Yield the lines of the first screen for the working folder; raises nothing.

    `now` is in Unix seconds.
    """
    yield "Reelsheet makes a product video for each line of a table."
    yield ""
    yield from _tell(look_around(environ, now))
    yield ""
    yield "In the order of the work:"
    for name, text in _STEPS:
        yield f"  reelsheet {name:<7} {text}"
    yield ""
    yield "All commands: reelsheet --help. One of them: reelsheet help run"
    yield "What a word means: reelsheet help words. How a run ended: reelsheet help exit-codes"


def _tell(here: Here) -> Iterator[str]:
    yield from here.unread
    if not here.tables:
        yield from _begin()
        return
    yield "Here:"
    width = max(len(str(one.table)) for one in here.tables)
    for one in here.tables:
        yield f"  {one.table!s:<{width}}  {one.said}"
    if here.more:
        folder = quote_name(str(here.tables[-1].table.parent))
        yield f"  and {count(here.more, 'more table')}: reelsheet status {folder}"
    if here.written:
        kinds = ", ".join(sorted(set(here.written.values())))
        yield f"  (not listed: {count(len(here.written), 'file')} that commands wrote: {kinds})"
    yield ""
    yield "Next:"
    steps = dict(_steps(here.tables, {one.parent for one in here.written}))
    width = max(map(len, steps))
    for step, why in steps.items():
        yield f"  {step:<{width}}  {why}"


def _steps(tables: Sequence[Standing], mixed: Collection[Path]) -> Iterator[tuple[str, str]]:
    """Yield what comes next, each once; several new tables of a folder are checked together.

    In folders that are `mixed` with files of ours, each by its name: the folder means those too.
    """
    new = Counter(one.table.parent for one in tables if one.is_new)
    made = [one for one in tables if not one.is_export]
    for one in made or tables:
        if one.is_new and new[one.table.parent] > 1 and one.table.parent not in mixed:
            folder = quote_name(str(one.table.parent))
            those = "the new tables here" if folder == "." else f"those of {folder}"
            yield f"reelsheet check {folder}", f"shows everything that is still wrong in {those}"
        else:
            yield one.next, one.why


def _begin() -> Iterator[str]:
    """Yield how one begins, or where the folder is in which somebody has begun."""
    home = _home()
    if home is not None:
        yield "There is no table in this folder. They are in one above:"
        yield f"  cd {quote_name(str(home))}"
        yield "There reelsheet alone says what comes next. To begin something else, one of"
    else:
        yield "There is no table in this folder yet. Begin with one of"
    yield "  reelsheet init my-videos"
    yield "  reelsheet init --from shopify products_export.csv --output manifests/shop.xlsx"
    yield "  reelsheet init --from-images photos --output manifests/photos.xlsx"


def _home() -> Path | None:
    """Return the folder above in which `init` was: it has the configuration and the tables.

    None where there is none, or where this folder has a configuration of its own.
    """
    try:
        if Path("config.yaml").exists():
            return None
        for above in Path.cwd().parents[:_ABOVE]:
            if (above / "config.yaml").is_file() and (above / "manifests").is_dir():
                return above
    except OSError:
        pass
    return None
