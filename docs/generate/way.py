"""The way of one row, counted: which modules a plain CSV row enters in a rehearsal.

`python -m docs.generate.way` rehearses a CSV file of one row in this process and notes each module
of the package of which a function is entered or a record is made. `--write` puts the list into
docs/architecture.md.
"""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from .pages import ROOT

MOST = 45
"""No more modules than this may be needed to follow a row."""

SET_UP = {
    "__main__.py": "starts the command line",
    "account/guard.py": "tells which day of the budget it is, and holds intents against the caps",
    "account/nights.py": "tells when a night began: this is none",
    "account/opening.py": "opens the account's book; a rehearsal has none",
    "account/place.py": "tells where the account's book may lie",
    "account/reconcile.py": "decides what a journal that was lost takes back: this one is whole",
    "checker/checked.py": "keeps what a check has found",
    "checker/columnreport.py": "says what is read of the columns, before there is a row",
    "checker/emptyrows.py": "leaves out rows that were filled down: this one has a prompt",
    "checker/idlefindings.py": "leaves out findings that other cells answer: there are none",
    "checker/looks.py": "looks at cells whose header says nothing: this row has none",
    "checker/packeddrafts.py": "makes drafts of packed rows: there are none",
    "checker/pagecells.py": "names the addresses of pictures behind pages: there are none",
    "checker/payable.py": "looks for rows that nobody means: this one is meant",
    "checker/remarks.py": "remarks on what may not be meant: here there is nothing",
    "checker/asread.py": "hands the settings of reading to the reader",
    "checker/rowlooks.py": "looks for the looks that rows name: this one names none",
    "checker/rowmodels.py": "looks for the models that rows name: this one names none",
    "checker/rowpictures.py": "finds the pictures that rows name: this one names none",
    "checker/unmeant.py": "tells texts that nobody means: this one has none",
    "checker/unmeantwords.py": "lists the words of such texts",
    "checker/unread.py": "joins what the reader could not read: it read all",
    "cli/app.py": "declares the commands before any manifest is named",
    "cli/columns.py": "reads the option --column: none was given",
    "cli/ending.py": "ends the command with its exit code",
    "cli/jsonlines.py": "writes JSON lines to standard error: nobody asked for them",
    "cli/nearmisses.py": "names what was meant by words that there are not: there are none",
    "cli/options.py": "declares the options that commands share",
    "cli/problemlist.py": "lists problems: this row has none",
    "cli/progress.py": "draws the bars",
    "cli/screen.py": "prints lines and tables",
    "cli/several.py": "finds the manifests that were named, and shows runs over several",
    "concealment.py": "shortens addresses and keeps the key out of texts",
    "config/content.py": "declares the settings of what is read and written",
    "config/key.py": "finds the key: a rehearsal needs none",
    "config/loading.py": "resolves the settings before the manifest is opened",
    "config/settings.py": "declares the settings",
    "config/values.py": "declares which values settings take",
    "config/nights.py": "declares the settings of nights",
    "config/ownsheets.py": "reads a team's own sheets of models: there are none",
    "disk/failures.py": "puts an error of the system into a sentence",
    "disk/folder.py": "names the files of the output folder",
    "disk/groupcommit.py": "brings to the disk what the journal writes",
    "disk/lock.py": "keeps a second run out",
    "disk/logfile.py": "begins run.log anew before it gets too large",
    "disk/network.py": "tells whether a folder lies on a network disk",
    "disk/openfile.py": "opens our files without following links",
    "disk/place.py": "puts a whole file into its place, whatever it holds",
    "disk/reserve.py": "sets room aside for the day when the disk is full",
    "disk/rights.py": "says who may see what is made",
    "disk/sqlitefile.py": "opens databases",
    "downloader/allowance.py": "bounds the bytes of a download: this one stays far below",
    "downloader/connection.py": "opens connections and refuses private addresses",
    "downloader/way.py": "leads downloads through a proxy: there is none",
    "engine/bars.py": "learns what bars promise: of one row nothing",
    "engine/control.py": "steers the engine from outside: a plain run ends by itself",
    "engine/hours.py": "holds orders back outside the hours of a night: there are none",
    "engine/doubts.py": "asks for submissions in doubt again: there are none",
    "engine/experience.py": "keeps what tasks taught: one teaches nothing yet",
    "engine/later.py": "keeps rows whose turn comes after all others: there are none",
    "engine/commands.py": "declares what the engine asks of the scheduler",
    "engine/learned.py": "learns how long tasks take: of one row nothing",
    "engine/room.py": "holds orders back for want of room on a disk: there is enough",
    "engine/trials.py": "keeps rows of models back that were never run: this one was",
    "engine/uploads.py": "plans the uploads of pictures: this row has none",
    "engine/view.py": "tells others what the engine is at",
    "errors.py": "declares what can fail",
    "events.py": "declares what can happen to a row",
    "fleet/choice.py": "refuses workers that cannot work: there are to be none",
    "journal/database.py": "opens or makes the journal's file",
    "journal/handovers.py": "reads what was handed over where files are gone: none is",
    "journal/identities.py": "tells which entry a key means: this one is new",
    "journal/logreading.py": "reads what earlier runs logged: there were none",
    "journal/ownership.py": "binds the journal to the path of its manifest",
    "journal/reading.py": "reads what earlier runs left in the journal",
    "manifest/blank.py": "tells which cells are empty",
    "manifest/earlier.py": "keeps how the runs before read the manifest: there were none",
    "manifest/invocation.py": "names the commands that sentences suggest",
    "manifest/examples.py": "holds the example rows of the template, which are refused",
    "manifest/meanings.py": "tells what unknown headers may mean: there are none",
    "manifest/packedrows.py": "keeps the rows of large tables packed: this one is small",
    "manifest/pagelinks.py": "tells addresses of pages: this row has no address",
    "manifest/normalform.py": "compares texts in any Unicode form: these have only one",
    "manifest/plaintext.py": "keeps cells from running as formulas: these would not",
    "manifest/resultcolumns.py": "knows the columns that runs write: this manifest has none",
    "manifest/templates.py": "checks output.name with the settings; the plain {key} needs none",
    "manifest/wording.py": "puts numbers and names into sentences",
    "models/pricing.py": "prices what is bought: a rehearsal costs nothing",
    "models/records.py": "makes the sheet of the model before the manifest is opened",
    "models/shelf.py": "finds the sheet of the model",
    "network.py": "reads which proxy and certificates to use: there are none",
    "night/history.py": "keeps the list of nights and runs",
    "night/hours.py": "says when a run is to end: this one ends by itself",
    "night/metrics.py": "writes metrics: nobody asked for them",
    "night/notice.py": "tells how a night went: this is none",
    "night/outside.py": "tells whoever looks from outside how far the run is",
    "night/record.py": "keeps the figures for that",
    "night/switch.py": "lets others reach the run: nobody does",
    "night/window.py": "tells the hours of a night: there are none",
    "planner/delivered.py": "asks what was handed over where files are gone: none is",
    "planner/editions.py": "finds editions of one table: this manifest is none",
    "planner/pilot.py": "chooses the rows that are made first: none was asked for",
    "planner/rehearsed.py": "estimates the time of a rehearsal for those who are to be told",
    "planner/renaming.py": "looks for rows under other keys in the journal: this one is new",
    "planner/repeats.py": "finds rows whose request was bought before: this one is new",
    "journal/readings.py": "keeps how a manifest was read where that was found out",
    "planner/selection.py": "says which rows a run is asked for: all",
    "process/children.py": "starts the processes that decode videos",
    "process/collector.py": "turns Python's cycle collector off and on again",
    "reader/nontables.py": "tells web addresses and documents from tables: this one is a table",
    "reader/text/dialect.py": "finds the encoding and the separator before there is a row",
    "review/cards.py": "makes the cards of the review page, after the results",
    "review/chosen.py": "puts the chosen take of several into the results: there is one",
    "review/drawing.py": "draws posters beside the run",
    "review/inturn.py": "does one thing after the other beside the run",
    "review/looks.py": "makes chips of what was measured, after the results",
    "review/measuring.py": "measures videos beside the run",
    "review/posters.py": "names posters",
    "review/quality.py": "tells what is odd about videos, after the results",
    "review/keeping.py": "keeps what a person put into the results: there are none",
    "review/recording.py": "keeps what people decided where the journal was lost: nothing was",
    "review/readback.py": "reads back what a person put into the results: there are none",
    "review/static.py": "writes the review page, after the results",
    "review/takes.py": "lists what can be judged, after the results",
    "review/typedover.py": "notes which sentences were written, after the results",
    "review/verdicts.py": "tells which decision counts: there is none yet",
    "journal/decisions.py": "reads what people decided: nothing yet",
    "runner/attempts.py": "makes the attempts of rows when their turn is near",
    "review/writtenfiles.py": "notes what was written, so that it is known what a person changes",
    "runner/atend.py": "says what is left to do when the run has ended: nothing",
    "runner/balance.py": "compares what the account holds: a rehearsal has none",
    "runner/checking.py": "has the manifest checked as the runs before read it",
    "runner/comparison.py": "holds the plan against what was bought before: nothing was",
    "runner/buying.py": "offers what the run is about to buy: a rehearsal buys nothing",
    "runner/caps.py": "counts what the caps let through: this run has none",
    "runner/configured.py": "points at a configuration that is not used",
    "runner/destination.py": "asks before a key goes to a strange host: a rehearsal has none",
    "runner/engine_setup.py": "makes the engine and tells it what it must know before it begins",
    "runner/knownreading.py": "finds how the runs before read the manifest: there were none",
    "runner/lanes.py": "opens the account, the locks and the journals of the manifests",
    "runner/logevents.py": "says what stands in a line of run.log",
    "runner/meanwhile.py": "writes logs, and results of manifests that are through before others",
    "runner/manning.py": "opens the workers of a run: this one has none",
    "runner/mishaps.py": "names rows that end badly: this one does not",
    "runner/namesakes.py": "tells the output folders of manifests of one name apart",
    "runner/neighbours.py": "holds rows back that a folder near may have bought: there is none",
    "runner/order.py": "puts together what the run is asked to do",
    "runner/patience.py": "says how long an outage is waited out: there is none",
    "runner/publishing.py": "looks for results that a person has worked in: there are none",
    "runner/piloting.py": "looks for a pilot that is made first: there is none",
    "runner/rehearsal.py": "starts the emulator",
    "runner/renames.py": "puts entries under new keys: this row is new",
    "runner/reports.py": "hands the figures of the run to whoever asked for it",
    "runner/reviewed.py": "looks for what people decided: nothing was run yet",
    "runner/reviewing.py": "has posters drawn and the review page written",
    "runner/reuse.py": "copies videos that were bought before: there is none",
    "runner/runlog.py": "writes run.log",
    "runner/sametable.py": "looks for other editions of the table: there is none",
    "runner/signals.py": "listens for Ctrl-C",
    "runner/storage.py": "looks how much is free on the disks that the run writes to",
    "runner/takes.py": "finds the files of videos that were bought before: there is none",
    "runner/tally.py": "counts what the run has done",
    "runner/target.py": "finds the configuration and the output folder",
    "runner/terms.py": "bounds the hours of a night: there are none",
    "runner/turns.py": "puts the rows of a night in order: this is none",
    "runner/unchanged.py": "tells whether the manifest is still the one that was read",
    "runner/untried.py": "looks for such models and for a team's own ones: there are none",
    "runner/waits.py": "counts what waits for a person: nothing does",
    "runner/watching.py": "declares what whoever watches is told",
    "scheduler/seams.py": "declares what the scheduler needs of all others",
    "runner/arriving.py": "opens the downloader of the manifest",
    "process/cores.py": "counts the cores that decoders may have",
    "storage/folder.py": "lists the videos that are there: none yet",
    "storage/opening.py": "tells where videos go: into the output folder, as nothing else is set",
    "storage/places.py": "knows the addresses of places: there is none",
    "storage/storedfiles.py": "tells where takes lie for those who show them",
    "review/takelinks.py": "links takes that lie elsewhere: this one does not",
    "toapis/weblinks.py": "refuses what is no address of a video: this one is",
    "writer/advice.py": "tells what to do about rows: this one needs nothing",
    "writer/failed.py": "writes the rows that ended badly: this one did not",
    "writer/layout.py": "finds places for the columns of results: right of all others",
    "writer/kept.py": "holds what a person put into the results: there are none",
    "writer/summary.py": "writes the figures of the run",
}
"""What is entered but is not on the way of a row, each with its reason."""

PAGE = ROOT / "docs" / "architecture.md"
_BEGIN, _END = "<!-- traced: modules of a row -->\n", "<!-- trace ends -->\n"


def trace(work: Callable[[], object], package: Path) -> list[str]:
    """Return the modules of `package` that `work` enters by a function or a record, in order."""
    entered: dict[str, None] = {}
    prefix = f"{package}{os.sep}"

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        # Bodies of modules and classes are no functions: they lack this flag.
        if event != "call" or not code.co_flags & inspect.CO_OPTIMIZED:
            return
        file = code.co_filename
        if file == "<string>" and code.co_name == "__init__":
            # A record is made: dataclasses write this function, with the globals of its module.
            file = str(frame.f_globals.get("__file__", ""))
        if file.startswith(prefix):
            entered.setdefault(file.removeprefix(prefix))

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return list(entered)


def rehearse() -> list[str]:
    """Return the modules that one rehearsed CSV row enters, in the order of entry."""
    import pipeline  # noqa: PLC0415 - the trace is of the installed package
    from pipeline.cli.app import main  # noqa: PLC0415

    # What runs while modules are imported is not the way of a row.
    for module in pkgutil.walk_packages(pipeline.__path__, "pipeline."):
        if not module.name.startswith("pipeline.emulator") and "__main__" not in module.name:
            importlib.import_module(module.name)
    here, given = Path.cwd(), sys.argv
    # The emulator may still be closing its files when the run has ended.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.chdir(folder)
        try:
            manifest = Path("row.csv")
            manifest.write_text("key,prompt,duration\nMUG,A mug turns slowly.,4\n", "utf-8")
            sys.argv = ["reelsheet", "run", str(manifest), "--quiet"]
            return trace(lambda: _run(main), Path(pipeline.__file__).parent)
        finally:
            sys.argv = given
            os.chdir(here)


def _run(main: Callable[[], object]) -> None:
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise RuntimeError(f"the rehearsal ended with {ended.code}") from ended


def part(modules: list[str]) -> str:
    """Return what docs/architecture.md says of the modules that a row enters."""
    counted = [name for name in modules if name not in SET_UP]
    lines = [
        f"{len(counted)} modules, in the order in which anything of them is used first:",
        "",
        "```text",
    ]
    lines += [*counted, "```", "", "Left out as set-up:", ""]
    lines += [f"- `{name}` {SET_UP[name]}" for name in sorted(SET_UP)]
    return "\n".join(lines) + "\n"


def written(page: str) -> str:
    """Return what the page holds of it now."""
    return page.partition(_BEGIN)[2].partition(_END)[0]


def main() -> None:
    """Print the modules; with `--write` put them into the page."""
    said = part(rehearse())
    if "--write" in sys.argv[1:]:
        page = PAGE.read_text("utf-8")
        PAGE.write_text(page.replace(_BEGIN + written(page), _BEGIN + said), "utf-8")
    sys.stdout.write(said)


if __name__ == "__main__":
    main()
