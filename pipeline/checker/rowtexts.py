"""The texts that templates make of a row, its prompt and the name of its video, or a problem.

A template names a column by its header as a word, without case and with blanks and signs as
underscores (`{{ body_html }}` is "Body (HTML)"), or by the header itself:
`{{ row["Body (HTML)"] }}`. `result_*` columns have no name here: a results file would make other
texts than its manifest.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.checker.drafts import LONGEST_TEXT, problem_at, say_too_long
from pipeline.errors import ConfigError
from pipeline.manifest.blank import is_blank, strip_blanks
from pipeline.manifest.columns import fold_header
from pipeline.manifest.plaintext import sentence
from pipeline.manifest.resultcolumns import RESULT_PREFIX
from pipeline.manifest.templates import Template, TemplateFault, ValueNeeded, compile_template
from pipeline.manifest.videolooks import LOOK_VALUE
from pipeline.manifest.wording import agree, name_headers, plural
from pipeline.model import Manifest, Problem, Row, Severity

_SETTING = "manifest.prompt_template"
_SIGNS = re.compile(r"[\W_]+")


class _CellNeeded(TemplateFault):
    """The template needs the cell of the column with the index `place`, which is empty."""

    def __init__(self, place: int) -> None:
        super().__init__("it needs a cell that is empty")
        self.place = place


@dataclass(frozen=True, slots=True)
class RowTemplate:
    """A template with the index of the column that each of its names stands for.

    Names without a column are `given` with each row, in small letters.
    """

    template: Template
    places: Mapping[str, int]

    @property
    def columns(self) -> tuple[int, ...]:
        """The indexes of the columns that the text is made of."""
        return tuple(sorted(set(self.places.values())))

    def text(self, row: Row, **given: str) -> str:
        """Make the text of a row; `given` are the values of names without a column.

        Raises:
            _CellNeeded: a cell that has to be written is empty.
            TemplateFault: the template cannot be filled in for another reason.

        """
        for place in self.places.values():
            if len(row.cells[place]) > LONGEST_TEXT:
                raise TemplateFault(
                    f"a cell that it names {say_too_long(len(row.cells[place]))[:-1]}"
                )
        values: dict[str, object] = {
            name: (strip_blanks(row.cells[self.places[name]]) or None)
            if name in self.places
            else given[name.casefold()]
            for name in self.template.names
        }
        try:
            return self.template.fill(values)
        except ValueNeeded as fault:
            raise _CellNeeded(self.places[fault.name]) from fault


def _bind(
    template: Template,
    headers: Sequence[str],
    *,
    given: Sequence[str] = (),
    without_column: Sequence[str] = (),
) -> RowTemplate:
    """Find the column of each name of a template.

    Args:
        template: the template.
        headers: those of the manifest.
        given: names, in small letters, that get their value with each row instead.
        without_column: names that do so only if the manifest has no such column.

    Raises:
        TemplateFault: the manifest does not have a column, or has several; it names them.

    """
    own = {
        index: header.strip()
        for index, header in enumerate(headers)
        if fold_header(header) and not fold_header(header).startswith(RESULT_PREFIX)
    }
    found = {name: _place(name, own) for name in template.names if name.casefold() not in given}
    lost = [name for name, place in found.items() if place is None]
    if missing := [name for name in lost if name.casefold() not in without_column]:
        raise TemplateFault(_say_missing(missing, own))
    return RowTemplate(template, {name: at for name, at in found.items() if at is not None})


@dataclass(frozen=True, slots=True)
class RowPrompts:
    """The template of prompts over the columns of one manifest.

    `place` is the index of the prompt column; None without one.
    """

    manifest: Manifest
    template: RowTemplate
    place: int | None

    def stands_for(self, row: Row) -> bool:
        """Tell whether the row has no prompt of its own, so that the template makes it."""
        return self.place is None or not strip_blanks(row.cells[self.place])

    @property
    def uses_look(self) -> bool:
        """Whether the template places the words of the row's look itself."""
        names = (name for name in self.template.template.names if name not in self.template.places)
        return LOOK_VALUE in map(str.casefold, names)

    def make(self, row: Row, key: str, look: str = LOOK_VALUE) -> str | Problem | None:
        """Make the prompt, on one line, or a problem; None for a row that has its own prompt.

        `look` are the words of the row's look.
        """
        if not self.stands_for(row):
            return None
        try:
            text = " ".join(self.template.text(row, look=look).split())
        except TemplateFault as fault:
            return _template_problem(self.manifest, row, key, _SETTING, fault)
        if not is_blank(text):
            return text
        message = (
            f"{_SETTING} makes an empty prompt for this row. Add words to the template, or write a "
            "prompt in the cell."
        )
        return problem_at(
            self.manifest, row.number, self.place, key, code="prompt_empty", message=message
        )


def has_prompt(row: Row, fields: Mapping[str, int]) -> bool:
    """Tell whether a row's prompt stands in its cell."""
    return "prompt" in fields and bool(strip_blanks(row.cells[fields["prompt"]]))


def bind_prompts(
    text: str, manifest: Manifest, fields: Mapping[str, int]
) -> tuple[RowPrompts | None, tuple[Problem, ...]]:
    """Bind `manifest.prompt_template` to the columns of a manifest.

    The problems are about the whole file. Raises ConfigError for a text that is no template.
    """
    try:
        template = compile_template(text)
    except TemplateFault as fault:
        raise ConfigError(f"{_SETTING} cannot be used: {fault}.") from fault
    try:
        bound = _bind(template, manifest.headers, without_column=(LOOK_VALUE,))
    except TemplateFault as fault:
        why = sentence(str(fault))
        message = f"{_SETTING} cannot be used: {why} Correct the template or the header."
        return None, (Problem(code="template_column", message=message),)
    prompts = RowPrompts(manifest, bound, fields.get("prompt"))
    if "key" in fields or not any(map(prompts.stands_for, manifest.rows)):
        return prompts, ()
    return prompts, (_no_key_column(len(bound.columns)),)


def _no_key_column(columns: int) -> Problem:
    """Warn that the rows are told apart by the columns that the template uses."""
    noun = plural(columns, "column")
    return Problem(
        code="keys_from_template",
        message=(
            "The manifest has no key column, so its rows are told apart by their contents, which "
            f"include the {noun} that {_SETTING} uses. If a later template uses other columns, all "
            "rows count as new and are paid for again. Give each row a key in a column called sku, "
            "id or key."
        ),
        severity=Severity.WARNING,
    )


def name_template(text: str, headers: Sequence[str]) -> RowTemplate:
    """Read `output.name` of the settings, in which the shorthand is already Jinja.

    Raises ConfigError if it is no template or names a column that the manifest does not have.
    """
    try:
        return _bind(compile_template(text), headers, given=("key",))
    except TemplateFault as fault:
        raise ConfigError(
            f"output.name cannot be used: {sentence(str(fault))}",
            action="Use {key} or the headers of your columns in braces, for example "
            "{key}-{colour}.",
        ) from fault


def name_problem(template: RowTemplate, manifest: Manifest, row: Row, key: str) -> Problem | None:
    """Say why `output.name` makes no name for the video of a row; None if it makes a name."""
    try:
        template.text(row, key=key)
    except TemplateFault as fault:
        return _template_problem(manifest, row, key, "output.name", fault)
    return None


def _template_problem(
    manifest: Manifest, row: Row, key: str, setting: str, fault: TemplateFault
) -> Problem:
    """Say why the template of a setting makes no text of a row, at the cell that is to blame."""
    if not isinstance(fault, _CellNeeded):
        message = f"{setting} cannot be filled in for this row: {fault}."
        return problem_at(manifest, row.number, None, key, code="template_failed", message=message)
    header = manifest.headers[fault.place].strip()
    name = _word(header) if _word(header).isidentifier() else f'row["{header}"]'
    message = (
        f'{setting} needs "{header}", but the cell is empty. Fill the cell, or give the template '
        f"a text for empty cells: {{{{ {name} | default('…') }}}}."
    )
    return problem_at(
        manifest, row.number, fault.place, key, code="template_cell_empty", message=message
    )


def _word(header: str) -> str:
    """Return a header as a word of a template."""
    return _SIGNS.sub("_", fold_header(header)).strip("_")


def _place(name: str, own: Mapping[int, str]) -> int | None:
    exact = [index for index, header in own.items() if header == name.strip()]
    alike = exact or [
        index for index, header in own.items() if fold_header(header) == fold_header(name)
    ]
    found = alike or [index for index, header in own.items() if _word(header) == _word(name) != ""]
    if len(found) > 1 and not exact:
        listed = " or ".join(f'row["{own[index]}"]' for index in found)
        raise TemplateFault(f"{name} could be several columns; write {listed}")
    return found[0] if found else None


def _say_missing(names: Sequence[str], own: Mapping[int, str]) -> str:
    listed = " and ".join(f'"{name}"' for name in names)
    noun = agree(len(names), "a column", "columns")
    words = {_word(header): header for header in own.values()}
    near = [close for name in names for close in difflib.get_close_matches(_word(name), words, n=1)]
    if near:
        hint = " and ".join(f'"{words[close]}"' for close in dict.fromkeys(near))
        return f"it names {noun} {listed} that the manifest does not have. Did you mean {hint}?"
    seen = name_headers(list(own.values()))
    return f"it names {noun} {listed} that the manifest does not have. {seen}"
