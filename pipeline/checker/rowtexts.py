"""Texts that a row gets from a template: its prompt, its video's name, or why it gets none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.checker.drafts import problem_at
from pipeline.errors import ConfigError
from pipeline.manifest.plaintext import bare
from pipeline.manifest.rowtemplate import CellNeeded, RowTemplate, bind, word
from pipeline.manifest.templates import TemplateFault, compile_template
from pipeline.model import Manifest, Problem, Row, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTING = "manifest.prompt_template"


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """The template of prompts over the columns of one manifest; `place` is the prompt column's."""

    manifest: Manifest
    template: RowTemplate
    place: int | None

    def stands_for(self, row: Row) -> bool:
        """Whether the row's own prompt is missing, so that one is made."""
        return self.place is None or not bare(row.cells[self.place])

    def made(self, row: Row, key: str) -> str | Problem | None:
        """A prompt on one line, or why there is none; None for a row that has its own."""
        if not self.stands_for(row):
            return None
        try:
            text = " ".join(self.template.text(row).split())
        except TemplateFault as fault:
            return row_problem(self.manifest, row, key, SETTING, fault)
        if text:
            return text
        message = (
            f"{SETTING} leaves the prompt of this row empty. Put words into the template, or "
            "write a prompt."
        )
        return problem_at(
            self.manifest, row.number, self.place, key, code="prompt_empty", message=message
        )


def prompt_template(
    text: str, manifest: Manifest, fields: Mapping[str, int]
) -> PromptTemplate | Problem:
    """Bind `manifest.prompt_template` to the columns; a Problem of the file if one is not there.

    Raises ConfigError for a text that is no template.
    """
    try:
        template = compile_template(text)
    except TemplateFault as fault:
        raise ConfigError(f"{SETTING} cannot be used: {fault}.") from fault
    try:
        bound = bind(template, manifest.headers)
    except TemplateFault as fault:
        sentence = str(fault) if str(fault)[-1] in "?." else f"{fault}."
        return Problem(
            code="template_column",
            message=f"{SETTING} cannot be used: {sentence} Correct the template or the header.",
        )
    return PromptTemplate(manifest, bound, fields.get("prompt"))


def no_key_column(columns: int) -> Problem:
    """The warning that what a template uses decides which row is which."""
    noun = "column" if columns == 1 else f"{columns} columns"
    return Problem(
        code="keys_from_template",
        message=(
            "The manifest has no key column, so its rows are told apart by their contents, also by "
            f"the {noun} of {SETTING}: with a template that uses others they all are new rows, and "
            "are paid again. Give each row a key in a column sku, id or key."
        ),
        severity=Severity.WARNING,
    )


def row_problem(
    manifest: Manifest, row: Row, key: str, setting: str, fault: TemplateFault
) -> Problem:
    """Why a row has no text from the template of a setting, at the cell that is to blame."""
    if not isinstance(fault, CellNeeded):
        message = f"{setting} cannot be filled in for this row: {fault}."
        return problem_at(manifest, row.number, None, key, code="template_failed", message=message)
    header = manifest.headers[fault.place].strip()
    name = word(header) if word(header).isidentifier() else f'row["{header}"]'
    message = (
        f'{setting} needs "{header}", and the cell is empty. Fill it, or say in the template what '
        f"stands there then: {{{{ {name} | default('…') }}}}."
    )
    return problem_at(
        manifest, row.number, fault.place, key, code="template_cell_empty", message=message
    )
