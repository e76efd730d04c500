"""The texts that templates make of a row, its prompt and the name of its video, or a problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.checker.drafts import problem_at
from pipeline.errors import ConfigError
from pipeline.manifest.blank import bare, is_blank
from pipeline.manifest.rowtemplate import CellNeeded, RowTemplate, bind, word
from pipeline.manifest.templates import TemplateFault, compile_template
from pipeline.model import Manifest, Problem, Row, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

_SETTING = "manifest.prompt_template"


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """The template of prompts over the columns of one manifest.

    `place` is the index of the prompt column; None without one.
    """

    manifest: Manifest
    template: RowTemplate
    place: int | None

    def stands_for(self, row: Row) -> bool:
        """Whether the row has no prompt of its own, so that the template makes it."""
        return self.place is None or not bare(row.cells[self.place])

    def make(self, row: Row, key: str) -> str | Problem | None:
        """Make the prompt, on one line, or a problem; None for a row that has its own prompt."""
        if not self.stands_for(row):
            return None
        try:
            text = " ".join(self.template.text(row).split())
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


def bind_prompts(
    text: str | None, manifest: Manifest, fields: Mapping[str, int]
) -> tuple[PromptTemplate | None, tuple[Problem, ...]]:
    """Bind `manifest.prompt_template`, if it is set, to the columns of a manifest.

    The problems are about the whole file. Raises ConfigError for a text that is no template.
    """
    if text is None:
        return None, ()
    try:
        template = compile_template(text)
    except TemplateFault as fault:
        raise ConfigError(f"{_SETTING} cannot be used: {fault}.") from fault
    try:
        bound = bind(template, manifest.headers)
    except TemplateFault as fault:
        sentence = str(fault) if str(fault)[-1] in "?." else f"{fault}."
        message = f"{_SETTING} cannot be used: {sentence} Correct the template or the header."
        return None, (Problem(code="template_column", message=message),)
    prompts = PromptTemplate(manifest, bound, fields.get("prompt"))
    if "key" in fields or not any(map(prompts.stands_for, manifest.rows)):
        return prompts, ()
    return prompts, (_no_key_column(len(bound.columns)),)


def _no_key_column(columns: int) -> Problem:
    """Warn that the rows are told apart by the columns that the template uses."""
    noun = "column" if columns == 1 else f"{columns} columns"
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
    if not isinstance(fault, CellNeeded):
        message = f"{setting} cannot be filled in for this row: {fault}."
        return problem_at(manifest, row.number, None, key, code="template_failed", message=message)
    header = manifest.headers[fault.place].strip()
    name = word(header) if word(header).isidentifier() else f'row["{header}"]'
    message = (
        f'{setting} needs "{header}", but the cell is empty. Fill the cell, or give the template '
        f"a text for empty cells: {{{{ {name} | default('…') }}}}."
    )
    return problem_at(
        manifest, row.number, fault.place, key, code="template_cell_empty", message=message
    )
