"""Check a whole manifest: every problem of every row at once, and requests of the good rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.checker import drafts, naming, rowpictures, rowtexts, rules
from pipeline.checker.asread import name_sheet, read_as_set, refuse_names
from pipeline.checker.checked import CheckedManifest, is_error
from pipeline.checker.columnreport import ColumnsRead, ignored_in, report_columns
from pipeline.checker.emptyrows import without_empty_rows
from pipeline.checker.idlefindings import leave_out_idle, set_aside_holding
from pipeline.checker.looks import Looks
from pipeline.checker.packeddrafts import PackedDrafts
from pipeline.checker.pagecells import name_addresses
from pipeline.checker.payable import SoughtIn, hold_unmeant
from pipeline.checker.pictureroots import better_root
from pipeline.checker.remarks import PAGE_LINK, remark_on
from pipeline.checker.rowlooks import IN_FILMS, RowLooks, bind_looks
from pipeline.checker.rowmodels import RowModels, bind_models
from pipeline.checker.rowpictures import PicturedRow, PictureProgress
from pipeline.checker.unread import join_unread, unread_cells
from pipeline.manifest.columns import match_columns
from pipeline.manifest.earlier import NEW, FoundOut, Reading, found_out
from pipeline.manifest.packedrows import PackedRows, numbers_of
from pipeline.model import Manifest, Problem, Row
from pipeline.process.collector import pause_collector

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pipeline.checker.rowtexts import RowTemplate
    from pipeline.config.settings import Config
    from pipeline.errors import ManifestError


__all__ = ("CheckedManifest", "check_manifest", "file_problem")


def check_manifest(
    path: Path,
    config: Config,
    *,
    cache_dir: Path | None,
    progress: PictureProgress | None = None,
    origin: Path | None = None,
    kept: FoundOut | None = None,
    known: Reading = NEW,
) -> CheckedManifest:
    """Read and check a manifest; nothing is sent and the manifest is not changed.

    Args:
        path: the manifest.
        config: the settings; those of `manifest`, `defaults`, `images` and `output.name` count.
        cache_dir: the folder that remembers pictures between runs and takes their copies. None:
            nothing is kept, and a picture that needs a copy has a warning that says so.
        progress: is told how many local pictures of how many were looked at.
        origin: the manifest whose run wrote this one (its results, its failed rows): relative
            pictures start where its own do.
        kept: how it was read in earlier runs; None if it is new.
        known: how runs before read its columns.

    Raises:
        ManifestError: the file is no table.
        ConfigError: a setting does not fit this manifest.

    """
    manifest = read_as_set(path, config, origin, kept)
    return _Check(manifest, config, origin, known).run(cache_dir, progress)


def file_problem(error: ManifestError) -> Problem:
    """Turn the error of a manifest that cannot be read into a problem of the whole file."""
    message = f"{error.message} {error.action}" if error.action else error.message
    return Problem(code="manifest_unreadable", message=message)


class _Check:
    """One check of a manifest that was read, in four steps; each builds on those before it.

        match      headers become fields; the templates of prompts and names find their columns
        keys       every row gets a key, also where the cell of its key cannot be used
        rows       each row becomes a draft or problems; a row with pictures waits for the last step
        pictures   each local picture is opened once, and the rows that waited become drafts

    No problem of a row ends the check: a person corrects a sheet once, not once for each mistake.
    Only an error of the whole file (no prompt column, say) ends it after the keys, because every
    row would repeat that error.

    A row is valid if it has a draft at the end. `_broken` holds the rows that have an error so far;
    whichever step finds an error adds the row, and no later step makes a draft of it.

    The steps before the pictures make a few objects for each row, all of which stay: they run
    without Python's cycle collector, which would walk through them again and again.
    """

    _fields: dict[str, int]  # set by _match, like the next one
    _picture_root: Path
    _columns: ColumnsRead
    _looks: RowLooks
    _models: RowModels
    _reading: Reading
    _keys: list[str]  # set by _make_keys, like the next one
    _keys_in_cells: dict[int | None, str | None]  # of the rows whose key cannot be used

    def __init__(
        self, manifest: Manifest, config: Config, origin: Path | None, known: Reading
    ) -> None:
        self._manifest = manifest
        self._config = config
        self._known = known
        self._origin = origin
        self._prompts: rowtexts.RowPrompts | None = None
        self._names: RowTemplate | None = None  # if a row's video could come out without a name
        self._problems: list[Problem] = []
        self._holding: list[Problem] = []  # of rows that break no rule and are not sent
        self._broken: set[int] = set()
        self._made: dict[int, str] = {}  # the prompts that the template made
        self._finished: dict[int, rules.Draft] = {}
        self._drafts: Mapping[int, rules.Draft] = self._finished
        self._packed: PackedDrafts | None = None  # of a large manifest, in place of most of them
        self._pictured: list[PicturedRow] = []

    def run(self, cache_dir: Path | None, progress: PictureProgress | None) -> CheckedManifest:
        """Take all steps and return what they found."""
        with pause_collector():
            self._match()
            kept = self._fields | self._models.fields, self._prompts, self._looks.place
            self._manifest = without_empty_rows(self._manifest, *kept)
            key_problems = self._make_keys()
            checkable = not any(map(is_error, self._problems))
            if checkable:
                self._note(key_problems)
                self._note(refuse_names(self._manifest, self._keys, self._names))
                self._check_rows()
        findings = self._check_pictures(cache_dir, progress)
        packed, made = self._packed, self._finished
        self._drafts = made if packed is None else replace(packed, kept=made)
        held = self._hold_unmeant() if checkable else {}
        remarks = [*remark_on(self._manifest, self._drafts, findings.images, findings.pictures)]
        self._note(remarks)
        if any(one.code == PAGE_LINK for one in remarks):
            self._note(name_addresses(self._manifest, self._keys, self._fields, set(self._drafts)))
        return CheckedManifest(
            manifest=self._manifest,
            fields=self._fields,
            keys=tuple(self._keys),
            drafts=self._drafts,
            images=findings.images,
            model=self._config.api.model,
            pictures=findings.pictures,
            problems=self._problems_in_order(),
            files=findings.files,
            held=held,
            columns=self._columns,
            reading=self._reading,
        )

    def _match(self) -> None:
        """Find the column of each field, and the columns that the templates name."""
        settings, headers = self._config.manifest, self._manifest.headers
        looks, used = Looks(self._manifest.rows), dict[int, str]()
        ignored = ignored_in(settings.columns, self._known.read)
        self._looks = bind_looks(
            self._manifest, self._known, settings.columns, ignored, settings.looks
        )
        makes_prompts = settings.prompt_template is None and self._looks.make_all()
        self._fields, problems = match_columns(
            headers,
            mapping=settings.columns,
            key=settings.key,
            prompt_needed=settings.prompt_template is None and not makes_prompts,
            known=self._known,
            fits=looks.fits,
        )
        taken = {*self._fields.values(), *self._looks.field.values()}
        self._models = bind_models(self._manifest, self._config, taken, ignored, self._known)
        problems = self._models.bear_no_prompt(problems, self._manifest, self._fields)
        self._problems += name_sheet(self._manifest, problems)
        if (name := self._config.output.name) != naming.KEY_ALONE:
            names = rowtexts.name_template(name, headers)
            self._names = None if names.template.needs_nothing else names
            used |= dict.fromkeys(names.columns, "output.name")
        self._picture_root = (self._origin or self._manifest.path).parent
        if settings.image_root is not None:
            self._picture_root = rowpictures.picture_root(settings.image_root)
        if settings.prompt_template is not None:
            self._prompts, problems = rowtexts.bind_prompts(
                settings.prompt_template, self._manifest, self._fields
            )
            self._problems += problems
        if makes_prompts and self._looks.films(self._fields):
            used |= dict.fromkeys(self._looks.made_of, IN_FILMS)
        apart = self._looks.field | self._models.fields
        used |= {place: name for name, place in apart.items()}
        if self._prompts is not None:
            used |= dict.fromkeys(self._prompts.template.columns, "manifest.prompt_template")
        self._report_columns(looks, used)

    def _report_columns(self, looks: Looks, used: Mapping[int, str]) -> None:
        """Say what is read and what is not, and note it for the runs to come."""
        headers, known = self._manifest.headers, self._known
        ignored = ignored_in(self._config.manifest.columns, known.read)
        self._columns, problems = report_columns(
            headers,
            self._fields,
            looks,
            used=used,
            ignored=ignored,
            names=known.names,
            said=[one.column for one in self._problems if one.column and one.row is None],
        )
        self._problems += [*problems, *self._models.warn_of_unsent(self._manifest)]
        reading, found = (
            Reading.of(headers, self._read_apart(), ignored, known.names),
            found_out(self._manifest),
        )
        # What was found out once stays noted, also while the file needs none of it.
        encoding, sheet = found.encoding or known.encoding, found.sheet or known.sheet
        self._reading = replace(reading, encoding=encoding, sheet=sheet)

    def _read_apart(self) -> dict[str, int]:
        """Return all columns that are read, by what they are read as."""
        return self._fields | self._looks.field | self._models.fields

    def _make_keys(self) -> list[Problem]:
        """Make the key of each row, and return what is wrong with the keys in the cells."""
        further = self._models.key_cells if self._models.fields else None
        self._keys, problems = naming.row_keys(self._manifest, self._fields, self._made_of, further)
        # A cell that could not be read is not called empty: the reader has said what is wrong.
        unread = {(one.row, one.cell) for one in self._manifest.cell_problems if is_error(one)}
        lost = {
            one.row for one in problems if one.code == "key_empty" and (one.row, one.cell) in unread
        }
        problems = [one for one in problems if one.row not in lost]
        self._keys_in_cells = dict.fromkeys(lost)
        self._keys_in_cells |= {one.row: one.key for one in problems if one.key}
        return problems

    def _check_rows(self) -> None:
        """Hold each row against the rules; rows with pictures wait for those."""
        places, names = self._read_apart(), self._names
        found = unread_cells(self._manifest, places, names=names, prompts=self._prompts)
        self._problems += found.pop(None, [])
        counting = leave_out_idle(found, self._manifest, self._fields)
        unread, aside = set_aside_holding(counting, self._manifest, self._fields)
        self._holding += aside
        odd = unread.keys() | self._broken | self._looks.rows()
        draft_quickly = drafts.Drafter(self._fields, self._models.given, self._models)
        rows: Iterable[tuple[Row, str]] = zip(self._manifest.rows, self._keys, strict=True)
        if isinstance(self._manifest.rows, PackedRows) and "prompt" in self._fields:
            plain = draft_quickly.number_forms(self._manifest.rows, none=self._names is not None)
            at = self._fields["prompt"]
            packed = PackedDrafts(self._manifest.rows, self._keys, plain, at, {}).without(odd)
            rows, self._packed = packed.left_rows(), packed
        for row, key in rows:
            plainly_named = self._names is None and row.number not in odd
            draft = draft_quickly(row, key) if plainly_named else None
            if draft is None:
                self._check_row(row, key, unread.get(row.number, []))
            elif draft.image_cells:
                self._pictured.append(PicturedRow(row, key, draft, draft.image_cells))
            else:
                self._finished[row.number] = draft

    def _check_row(self, row: Row, key: str, unread: list[Problem]) -> None:
        """Find every problem of a row; `unread` are those that the reader found in its cells."""
        sheet, fields, models = self._manifest, self._fields, self._models
        made = self._looks.prompt_of(row, key, fields, self._prompts)
        if isinstance(made, str) and not rowtexts.has_prompt(row, fields):
            self._made[row.number] = made
        draft, problems = drafts.draft_row(
            row, key, manifest=sheet, fields=fields, defaults=models.given, made=made, models=models
        )
        if self._names is not None:
            unnamed = rowtexts.name_problem(self._names, self._manifest, row, key)
            problems += (unnamed,) if unnamed else ()
        self._note(join_unread(problems, unread, key))
        if named := drafts.image_fields(row, self._fields):
            texts = tuple(text for _, text in named)
            self._pictured.append(PicturedRow(row, key, draft, texts))
        elif draft is not None and row.number not in self._broken:
            self._finished[row.number] = draft

    def _check_pictures(
        self, cache_dir: Path | None, progress: PictureProgress | None
    ) -> rowpictures.Findings:
        """Look at the pictures, and finish the rows that wait for them."""
        if not self._pictured:
            return rowpictures.Findings()
        root, manifest = self._picture_root, self._origin or self._manifest.path
        if self._config.manifest.image_root is None:
            root = better_root(manifest, (t for one in self._pictured for t in one.texts), root)
        terms = rowpictures.PictureRules.of(self._config, root, cache_dir, self._models)
        findings = rowpictures.judge_pictures(
            self._pictured, self._manifest, self._fields, terms, progress=progress
        )
        self._note(findings.problems)
        self._holding += findings.holding
        for one in self._pictured:
            if one.draft is not None and one.row.number not in self._broken:
                self._finished[one.row.number] = one.draft
        self._finished = dict(sorted(self._finished.items()))
        return findings

    def _hold_unmeant(self) -> Mapping[int, rules.Draft]:
        """Take the rows that nobody means from those that can be sent, and return them."""
        live, allowed = not self._config.rehearses, self._config.manifest.allow
        sought = SoughtIn(
            self._manifest, self._keys, self._fields, self._made, self._made_of, live=live
        )
        numbers = numbers_of(self._manifest.rows) if self._holding else ()
        keys = dict(zip(numbers, self._keys, strict=False))
        holding = [replace(one, key=one.key or keys.get(one.row or 0)) for one in self._holding]
        found = hold_unmeant(self._drafts, self._problems, [*sought.find(), *holding], allowed)
        self._drafts, self._problems = found.drafts, found.problems
        return found.held

    @property
    def _made_of(self) -> tuple[int, ...]:
        """The indexes of the columns that prompts are made of."""
        return self._prompts.template.columns if self._prompts else self._looks.made_of

    def _note(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self._problems.append(problem)
            if problem.row is not None and is_error(problem):
                self._broken.add(problem.row)

    def _problems_in_order(self) -> tuple[Problem, ...]:
        """Sort the problems by row and column, and name each row by the key that a person sees.

        That is the key in its cell, also where it cannot be used and the row got another.
        """
        keys = self._keys_in_cells
        named = [
            replace(one, key=keys[one.row]) if one.row in keys else one for one in self._problems
        ]
        headers = self._manifest.headers
        order = {header: index for index, header in reversed(list(enumerate(headers)))}
        return tuple(sorted(named, key=lambda one: (one.row or 0, order.get(one.column or "", -1))))
