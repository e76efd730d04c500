"""A whole manifest checked: every problem of every row at once, and requests of the good rows."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import columns, naming, prompts, rules
from pipeline.errors import ConfigError
from pipeline.images import shape
from pipeline.images.shelf import PictureShelf
from pipeline.locations import PictureFault, locate
from pipeline.model import Manifest, Picture, Problem, Request, Row, Severity
from pipeline.reader.reading import read
from pipeline.templates import TemplateFault, is_jinja

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.columns import Columns
    from pipeline.config.settings import Config
    from pipeline.errors import ManifestError
    from pipeline.rowtemplate import RowTemplate

Located = Path | str | PictureFault


@dataclass(frozen=True)
class Checked:
    """What a check found.

    `keys` has one key per row of the manifest, in their order, also for rows that break a rule.
    `requests` holds the valid rows by their physical row number; `pictures` the local pictures
    that they name, by their `sha256`. `problems` stand in the order of rows and columns, those of
    the whole file first.
    """

    manifest: Manifest
    columns: Columns
    keys: tuple[str, ...]
    requests: dict[int, Request]
    pictures: dict[str, Picture]
    problems: tuple[Problem, ...]

    @property
    def valid(self) -> int:
        """How many rows could be sent."""
        return len(self.requests)

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
    fields: dict[str, int]
    defaults: rules.Defaults
    model: str
    root: Path
    outside: bool  # pictures may lie outside of root
    prepare: bool  # pictures that are not fit to be sent become copies
    problems: list[Problem]
    template: prompts.PromptTemplate | None = None
    name: RowTemplate | None = None  # of the videos, where not every row may have one
    broken: set[int] = field(default_factory=set)  # rows with an error found so far
    requests: dict[int, Request] = field(default_factory=dict)
    located: dict[str, Located] = field(default_factory=dict)  # by the text of the cell
    pictured: list[tuple[Row, str, rules.Draft | None]] = field(default_factory=list)


def check_manifest(
    path: Path,
    config: Config,
    *,
    cache_dir: Path | None,
    progress: Callable[[int, int], None] | None = None,
    origin: Path | None = None,
) -> Checked:
    """Read and check a manifest; nothing is sent and the manifest is not changed.

    `cache_dir` remembers pictures between runs and takes their copies (None: nowhere; a picture
    that needs a copy then has the warning that it would be converted); `progress` is told how many
    pictures of how many were looked at. `origin` is the manifest whose run wrote this one (its
    results, its failed rows): relative pictures start where its own do. Raises ManifestError when
    the file is no table and ConfigError when a setting does not fit this manifest.
    """
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
        fields=found.fields,
        defaults=rules.Defaults(
            config.defaults.duration, config.defaults.aspect_ratio, config.defaults.resolution
        ),
        model=config.api.model,
        root=_image_root(origin or path, settings.image_root),
        outside=settings.images_outside,
        prepare=config.images.prepare == "auto",
        problems=list(problems),
        name=name if is_jinja(config.output.name) else None,
    )
    made_of = _with_template(checking, settings.prompt_template)
    pictures: dict[str, Picture] = {}
    keys, bad_keys = naming.row_keys(manifest, checking.fields, made_of)
    if not any(problem.severity is Severity.ERROR for problem in checking.problems):
        _note(checking, bad_keys)
        _check_rows(checking, keys)
        if checking.pictured:
            pictures = _check_pictures(checking, cache_dir, progress)
    return Checked(
        manifest=manifest,
        columns=found,
        keys=tuple(keys),
        requests=checking.requests,
        pictures=pictures,
        problems=_sorted(_named(checking.problems, bad_keys), manifest),
    )


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
    template = prompts.prompt_template(text, checking.manifest, checking.fields)
    if isinstance(template, Problem):
        checking.problems.append(template)
        return ()
    checking.template = template
    made_of = template.template.columns
    used = any(map(template.stands_for, checking.manifest.rows))
    if used and "key" not in checking.fields:
        checking.problems.append(prompts.no_key_column(len(made_of)))
    return made_of


def _named(problems: list[Problem], bad_keys: list[Problem]) -> list[Problem]:
    """Name every problem of a row by the key in its cell, also where that key cannot be used."""
    in_cell = {one.row: one.key for one in bad_keys if one.key}
    return [replace(one, key=in_cell[one.row]) if one.row in in_cell else one for one in problems]


def _note(checking: _Checking, problems: list[Problem]) -> None:
    checking.problems += problems
    checking.broken.update(
        one.row for one in problems if one.row is not None and one.severity is Severity.ERROR
    )


def _check_rows(checking: _Checking, keys: list[str]) -> None:
    """Hold each row against the rules; rows with pictures wait for those."""
    cell_problems = _cell_problems(checking)
    fields, template = checking.fields, checking.template
    may_picture = any(name in fields for name in rules.IMAGE_FIELDS)
    for row, key in zip(checking.manifest.rows, keys, strict=True):
        draft, problems = rules.parse(
            row,
            key,
            manifest=checking.manifest,
            fields=fields,
            defaults=checking.defaults,
            made=template.made(row, key) if template else None,
        )
        problems += _unnamed(checking, row, key)
        if problems or row.number in cell_problems:
            _note(checking, _merged(problems, cell_problems.get(row.number, []), key))
        if may_picture and rules.image_fields(row, fields):
            checking.pictured.append((row, key, draft))
        elif draft is not None and row.number not in checking.broken:
            checking.requests[row.number] = rules.request(draft, (), checking.model)


def _unnamed(checking: _Checking, row: Row, key: str) -> tuple[Problem, ...]:
    """Why the row's video would have no name."""
    if checking.name is None:
        return ()
    try:
        checking.name.text(row, key=key)
    except TemplateFault as fault:
        return (prompts.row_problem(checking.manifest, row, key, "output.name", fault),)
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


def _check_pictures(
    checking: _Checking, cache_dir: Path | None, progress: Callable[[int, int], None] | None
) -> dict[str, Picture]:
    """Look at each local picture once, and finish the rows that name any."""
    for row, _, _ in checking.pictured:
        for _, text in rules.image_fields(row, checking.fields):
            if text not in checking.located:
                checking.located[text] = locate(text, checking.root, outside=checking.outside)
    paths = {one for one in checking.located.values() if isinstance(one, Path)}
    inspected: Mapping[Path, Picture | PictureFault] = {}
    if paths:
        tell = None if progress is None else _counting(progress, len(paths))
        with PictureShelf(cache_dir, prepare=checking.prepare) as shelf:
            inspected = shelf.inspect(sorted(paths), progress=tell)
    for row, key, draft in checking.pictured:
        _finish(checking, row, key, draft, inspected)
    checking.requests = dict(sorted(checking.requests.items()))
    return {one.sha256: one for one in inspected.values() if isinstance(one, Picture)}


def _counting(progress: Callable[[int, int], None], total: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        progress(done, total)

    return tell


def _finish(
    checking: _Checking,
    row: Row,
    key: str,
    draft: rules.Draft | None,
    inspected: Mapping[Path, Picture | PictureFault],
) -> None:
    """Judge the pictures of one row and make its request."""
    images = []
    for name, text in rules.image_fields(row, checking.fields):
        place = checking.located[text]
        found = inspected[place] if isinstance(place, Path) else place
        findings = _findings(place, found, draft)
        _note(checking, _picture_problems(checking, row, key, name, findings))
        if isinstance(found, Picture):
            images.append(f"sha256:{found.sha256}")
        elif isinstance(found, str):
            images.append(found)
    if draft is not None and row.number not in checking.broken:
        checking.requests[row.number] = rules.request(draft, tuple(images), checking.model)


def _findings(
    place: Located, found: Picture | PictureFault | str, draft: rules.Draft | None
) -> list[tuple[str, str, Severity]]:
    """What is to be said of one picture in one row: code, message and severity of each."""
    if isinstance(found, PictureFault):
        return [(f"picture_{found.code}", found.message, Severity.ERROR)]
    if isinstance(found, str):  # a web address: the provider fetches it
        return []
    findings = [("picture_warning", text, Severity.WARNING) for text in found.warnings]
    if draft is not None and isinstance(place, Path):
        far = shape.warning(place.name, found.width, found.height, draft.aspect_ratio)
        findings += [("picture_shape", far, Severity.WARNING)] if far else []
    return findings


def _picture_problems(
    checking: _Checking,
    row: Row,
    key: str,
    name: str,
    findings: list[tuple[str, str, Severity]],
) -> list[Problem]:
    return [
        rules.problem_at(
            checking.manifest,
            row.number,
            checking.fields[name],
            key,
            code=code,
            message=message,
            severity=severity,
        )
        for code, message, severity in findings
    ]


def _sorted(problems: list[Problem], manifest: Manifest) -> tuple[Problem, ...]:
    order = {header: index for index, header in reversed(list(enumerate(manifest.headers)))}
    return tuple(sorted(problems, key=lambda one: (one.row or 0, order.get(one.column or "", -1))))
