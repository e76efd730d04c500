"""A whole manifest checked: every problem of every row at once, and requests of the good rows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.checker import drafts, naming, rowpictures, rowtexts, rules
from pipeline.collector import collector_paused
from pipeline.errors import ConfigError
from pipeline.manifest import columns
from pipeline.manifest.templates import TemplateFault, is_jinja
from pipeline.model import Manifest, Picture, Problem, Request, Row, Severity
from pipeline.reader.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.config.settings import Config
    from pipeline.errors import ManifestError
    from pipeline.manifest.columns import Columns
    from pipeline.manifest.rowtemplate import RowTemplate


@dataclass(frozen=True)
class CheckedManifest:
    """What a check found.

    `keys` has one key per row of the manifest, in their order, also for rows that break a rule.
    `drafts` holds the valid rows by their physical row number, `images` what is sent of the
    pictures that they name; `pictures` are the local ones, by their `sha256`. `problems` stand in
    the order of rows and columns, those of the whole file first.
    """

    manifest: Manifest
    columns: Columns
    keys: tuple[str, ...]
    drafts: dict[int, rules.Draft]
    images: dict[int, tuple[str, ...]]
    model: str
    pictures: dict[str, Picture]
    problems: tuple[Problem, ...]

    @cached_property
    def requests(self) -> dict[int, Request]:
        """The valid rows as the provider is told, by their physical row number.

        Made when they are asked for: a check by itself has no use for them.
        """
        with collector_paused():
            return {
                number: rules.make_request(draft, self.images.get(number, ()), self.model)
                for number, draft in self.drafts.items()
            }

    @cached_property
    def requests_by_hash(self) -> dict[str, Request]:
        """The same requests by what they are known by in the journal."""
        return {request.request_hash: request for request in self.requests.values()}

    @property
    def valid(self) -> int:
        """How many rows could be sent."""
        return len(self.drafts)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that keep a row, or the whole file, from being sent."""
        return tuple(one for one in self.problems if one.severity is Severity.ERROR)

    def problems_of(self, row: int | None) -> tuple[Problem, ...]:
        """The problems of a physical row; None for those of the whole file."""
        return self._by_row.get(row, ())

    @cached_property
    def _by_row(self) -> dict[int | None, tuple[Problem, ...]]:
        rows: defaultdict[int | None, list[Problem]] = defaultdict(list)
        for problem in self.problems:
            rows[problem.row].append(problem)
        return {row: tuple(problems) for row, problems in rows.items()}


@dataclass(slots=True)
class _Checking:
    """The check under way."""

    manifest: Manifest
    columns: Columns
    fields: dict[str, int]
    defaults: rules.Defaults
    root: Path
    outside: bool  # pictures may lie outside of root
    prepare: bool  # pictures that are not fit to be sent become copies
    problems: list[Problem]
    template: rowtexts.PromptTemplate | None = None
    name: RowTemplate | None = None  # of the videos, where not every row may have one
    keys: list[str] = field(default_factory=list)
    bad_keys: list[Problem] = field(default_factory=list)
    unread_keys: set[int | None] = field(default_factory=set)  # rows whose key the reader lost
    broken: set[int] = field(default_factory=set)  # rows with an error found so far
    drafts: dict[int, rules.Draft] = field(default_factory=dict)
    pictured: list[rowpictures.Pictured] = field(default_factory=list)


def check_manifest(
    path: Path,
    config: Config,
    *,
    cache_dir: Path | None,
    progress: Callable[[int, int], None] | None = None,
    origin: Path | None = None,
) -> CheckedManifest:
    """Read and check a manifest; nothing is sent and the manifest is not changed.

    `cache_dir` remembers pictures between runs and takes their copies (None: nowhere; a picture
    that needs a copy then has the warning that it would be converted); `progress` is told how many
    pictures of how many were looked at. `origin` is the manifest whose run wrote this one (its
    results, its failed rows): relative pictures start where its own do. Raises ManifestError when
    the file is no table and ConfigError when a setting does not fit this manifest.
    """
    checking = _rows_checked(path, config, origin)
    seen = _with_pictures(checking, cache_dir, progress)
    return CheckedManifest(
        manifest=checking.manifest,
        columns=checking.columns,
        keys=tuple(checking.keys),
        drafts=checking.drafts,
        images=seen.images,
        model=config.api.model,
        pictures=seen.pictures,
        problems=_sorted(checking),
    )


@collector_paused()
def _rows_checked(path: Path, config: Config, origin: Path | None) -> _Checking:
    """Read the manifest and hold its rows against the rules; their pictures come afterwards."""
    settings = config.manifest
    manifest = read(
        path,
        # The rows that failed are a sheet by themselves.
        sheet=None if origin and path.stem.casefold().startswith("failed") else settings.sheet,
        encoding=settings.encoding,
        hidden_rows=settings.hidden_rows,
        fill_merged=settings.fill_merged,
    )
    found, problems = columns.match(
        manifest.headers,
        mapping=settings.columns,
        key=settings.key,
        prompt_needed=settings.prompt_template is None,
    )
    name = naming.name_template(config.output.name, manifest.headers)
    checking = _Checking(
        manifest=manifest,
        columns=found,
        fields=found.fields,
        defaults=rules.Defaults(
            config.defaults.duration, config.defaults.aspect_ratio, config.defaults.resolution
        ),
        root=_image_root(origin or path, settings.image_root),
        outside=settings.images_outside,
        prepare=config.images.prepare == "auto",
        problems=list(problems),
        name=name if is_jinja(config.output.name) else None,
    )
    made_of = _with_template(checking, settings.prompt_template)
    checking.keys, checking.bad_keys = naming.row_keys(manifest, checking.fields, made_of)
    _forgive_unread(checking)
    if not any(problem.severity is Severity.ERROR for problem in checking.problems):
        _note(checking, checking.bad_keys)
        _check_rows(checking)
    return checking


def file_problem(error: ManifestError) -> Problem:
    """A manifest that cannot be read at all, as a problem of the whole file."""
    message = f"{error.message} {error.action}" if error.action else error.message
    return Problem(code="manifest_unreadable", message=message)


def _image_root(path: Path, setting: str | None) -> Path:
    if setting is None:
        return path.parent
    root = Path(setting).expanduser()
    if not root.is_dir():
        raise ConfigError(
            f"manifest.image_root is {setting}, and there is no such folder.",
            action="Correct the path; it is seen from the working folder.",
        )
    return root


def _with_template(checking: _Checking, text: str | None) -> tuple[int, ...]:
    """Bind the template of prompts, if there is one; returns the columns that it uses."""
    if text is None:
        return ()
    template = rowtexts.prompt_template(text, checking.manifest, checking.fields)
    if isinstance(template, Problem):
        checking.problems.append(template)
        return ()
    checking.template = template
    made_of = template.template.columns
    used = any(map(template.stands_for, checking.manifest.rows))
    if used and "key" not in checking.fields:
        checking.problems.append(rowtexts.no_key_column(len(made_of)))
    return made_of


def _named(checking: _Checking) -> list[Problem]:
    """Name every problem of a row by the key in its cell, also where that key cannot be used."""
    in_cell: dict[int | None, str | None] = dict.fromkeys(checking.unread_keys)
    in_cell |= {one.row: one.key for one in checking.bad_keys if one.key}
    return [
        replace(one, key=in_cell[one.row]) if one.row in in_cell else one
        for one in checking.problems
    ]


def _forgive_unread(checking: _Checking) -> None:
    """Call no key empty whose cell could not be read: the reader has said what is wrong with it."""
    unread = {
        (one.row, one.cell)
        for one in checking.manifest.cell_problems
        if one.severity is Severity.ERROR
    }
    lost = {
        one.row
        for one in checking.bad_keys
        if one.code == "key_empty" and (one.row, one.cell) in unread
    }
    checking.unread_keys = lost
    checking.bad_keys = [one for one in checking.bad_keys if one.row not in lost]


def _note(checking: _Checking, problems: list[Problem]) -> None:
    checking.problems += problems
    checking.broken.update(
        one.row for one in problems if one.row is not None and one.severity is Severity.ERROR
    )


def _check_rows(checking: _Checking) -> None:
    """Hold each row against the rules; rows with pictures wait for those."""
    found_reading = _cell_problems(checking)
    odd = found_reading.keys() | checking.broken
    quick = drafts.make_drafter(checking.fields, checking.defaults)
    for row, key in zip(checking.manifest.rows, checking.keys, strict=True):
        usual = checking.name is None and row.number not in odd
        draft = quick(row, key) if usual else None
        if draft is None:
            _check_row(checking, row, key, found_reading.get(row.number, []))
        elif draft.image_cells:
            checking.pictured.append(rowpictures.Pictured(row, key, draft, draft.image_cells))
        else:
            checking.drafts[row.number] = draft


def _check_row(checking: _Checking, row: Row, key: str, found_reading: list[Problem]) -> None:
    template = checking.template
    draft, problems = drafts.draft_row(
        row,
        key,
        manifest=checking.manifest,
        fields=checking.fields,
        defaults=checking.defaults,
        made=template.made(row, key) if template else None,
    )
    problems += _unnamed(checking, row, key)
    if problems or found_reading:
        _note(checking, _merged(problems, found_reading, key))
    if named := drafts.image_fields(row, checking.fields):
        texts = tuple(text for _, text in named)
        checking.pictured.append(rowpictures.Pictured(row, key, draft, texts))
    elif draft is not None and row.number not in checking.broken:
        checking.drafts[row.number] = draft


def _with_pictures(
    checking: _Checking, cache_dir: Path | None, progress: Callable[[int, int], None] | None
) -> rowpictures.Seen:
    """Look at the pictures, and finish the rows that wait for them."""
    if not checking.pictured:
        return rowpictures.Seen()
    terms = rowpictures.Terms(checking.root, checking.outside, checking.prepare, cache_dir)
    seen = rowpictures.look(
        checking.pictured, checking.manifest, checking.fields, terms, progress=progress
    )
    _note(checking, seen.problems)
    for one in checking.pictured:
        if one.draft is not None and one.row.number not in checking.broken:
            checking.drafts[one.row.number] = one.draft
    checking.drafts = dict(sorted(checking.drafts.items()))
    return seen


def _unnamed(checking: _Checking, row: Row, key: str) -> tuple[Problem, ...]:
    """Why the row's video would have no name."""
    if checking.name is None:
        return ()
    try:
        checking.name.text(row, key=key)
    except TemplateFault as fault:
        return (rowtexts.row_problem(checking.manifest, row, key, "output.name", fault),)
    return ()


def _cell_problems(checking: _Checking) -> dict[int, list[Problem]]:
    """What the reader found in cells that count, by row; what concerns the whole file is noted."""
    if not checking.manifest.cell_problems:
        return {}
    headers, template = checking.manifest.headers, checking.template
    used = {headers[index].strip() for index in checking.fields.values()}
    if checking.name is not None:
        used |= {headers[index].strip() for index in checking.name.columns}
    needed: set[str] = set()  # where a prompt is made
    made: set[int] = set()
    if template is not None:
        needed = {headers[index].strip() for index in template.template.columns}
        made = {row.number for row in checking.manifest.rows if template.stands_for(row)}
    found: defaultdict[int, list[Problem]] = defaultdict(list)
    for problem in checking.manifest.cell_problems:
        column = (problem.column or "").strip()
        if problem.row is None:
            checking.problems.append(problem)
        elif not column or column in used or (column in needed and problem.row in made):
            found[problem.row].append(problem)
    return found


def _merged(problems: tuple[Problem, ...], found_reading: list[Problem], key: str) -> list[Problem]:
    """Both kinds of problem; of a cell that could not be read its emptiness says nothing more."""
    unread = {(one.column or "").strip() for one in found_reading if one.severity is Severity.ERROR}
    named = [one if one.key else replace(one, key=key) for one in found_reading]
    return named + [one for one in problems if (one.column or "").strip() not in unread]


def _sorted(checking: _Checking) -> tuple[Problem, ...]:
    headers = checking.manifest.headers
    order = {header: index for index, header in reversed(list(enumerate(headers)))}
    return tuple(
        sorted(_named(checking), key=lambda one: (one.row or 0, order.get(one.column or "", -1)))
    )
