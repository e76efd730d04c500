"""The models of a manifest's rows: the column that names them, and the columns of their own fields.

A row without a name has the model of the settings. A column such as `seed` or `audio` is read only
if a model of the manifest has that field, and counts only for the rows of such a model: for all
others it is a column of the user's own, and their keys are those that they have always had.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.checker.modelrules import FIRST_FORM, ModelRules
from pipeline.checker.rules import IMAGE_FIELDS, Form, keeps_its_hash
from pipeline.manifest.blank import is_blank, strip_blanks
from pipeline.manifest.columns import FIELDS, MODEL_COLUMN, NO_PROMPT, fold_header, near_prompts
from pipeline.manifest.earlier import IGNORE
from pipeline.manifest.languages import EARLIEST
from pipeline.manifest.videolooks import LOOK_COLUMN
from pipeline.manifest.wording import agree, list_numbers, name_all, shorten
from pipeline.model import Problem, Severity
from pipeline.models.shelf import known_sheets, own_sheets

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pipeline.config.settings import Config
    from pipeline.manifest.earlier import Reading
    from pipeline.model import Manifest, Row


_OF_ALL = (*FIELDS, LOOK_COLUMN, IGNORE)
"""What a column may have been read as that is nothing of models."""
_PICTURES_ALONE = (
    "The manifest has no prompt column. The models of its rows need none beside pictures: each "
    "video is made of its row's pictures alone."
)


@dataclass(frozen=True)
class RowModels:
    """The models that rows may name, with the rules of each.

    `default` is the model of the settings, `given` are their defaults. `place` is the index of the
    column that names models, None without one; `columns` those of further fields, by their names.
    """

    default: str
    given: Form = FIRST_FORM
    place: int | None = None
    columns: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def own(self) -> ModelRules:
        """The rules of the model of the settings."""
        return ModelRules(self.default, self.given)

    @property
    def fields(self) -> dict[str, int]:
        """All columns that are read here, as those of the fields."""
        named = {} if self.place is None else {MODEL_COLUMN: self.place}
        return named | dict(self.columns)

    def rules_for(self, name: str) -> ModelRules | None:
        """Return the rules of the model that a cell names; None if there is no such model."""
        if not name:
            return self.own
        if name not in self._rules:
            self._rules[name] = self._find(name)
        return self._rules[name]

    def rules_of(self, row: Row) -> ModelRules | None:
        """Return the rules of a row's model; None if it names one that there is not."""
        return self.rules_for("" if self.place is None else strip_blanks(row.cells[self.place]))

    def bear_no_prompt(
        self, problems: Sequence[Problem], manifest: Manifest, fields: Mapping[str, int]
    ) -> tuple[Problem, ...]:
        """Only warn of no prompt column where every model of the rows can do with pictures alone.

        Where a column may be meant to be the prompt's, nothing is bought without it.

        Args:
            problems: those of the headers.
            manifest: the rows.
            fields: the index of the column of each field.

        """
        lacks = any(one.code == NO_PROMPT for one in problems)
        pictures = any(name in fields for name in IMAGE_FIELDS)
        if not lacks or not pictures or near_prompts(manifest.headers):
            return tuple(problems)
        found = [rules for row in manifest.rows if (rules := self.rules_of(row)) is not None]
        if any(rules.needs_prompt(1) for rules in found or [self.own]):
            return tuple(problems)
        borne = Problem(NO_PROMPT, _PICTURES_ALONE, Severity.WARNING)
        return tuple(borne if one.code == NO_PROMPT else one for one in problems)

    def key_cells(self, row: Row) -> Iterable[tuple[str, str]]:
        """Yield what tells a row apart beside the fields that all rows have, as (field, text)."""
        found = self.rules_of(row)
        if found is None or self.place is None:
            named = "" if self.place is None else row.cells[self.place]
        else:
            of_first = keeps_its_hash(found.model)
            named = "" if of_first or not strip_blanks(row.cells[self.place]) else found.model
        if named:
            yield MODEL_COLUMN, named
        for name in sorted(self.columns):
            if found is not None and name in found.fields:
                yield name, row.cells[self.columns[name]]

    def explain_unknown(self, name: str) -> str:
        """Say that there is no such model, and what there is."""
        return f"{explain_no_model(name)} Leave the cell empty for {self.default}."

    def warn_of_unsent(self, manifest: Manifest) -> Iterator[Problem]:
        """Warn of cells that say something of a field that the row's model does not have."""
        for name, index in self.columns.items():
            unsent: dict[str, list[int]] = {}
            for row in manifest.rows:
                model = None if is_blank(row.cells[index]) else self.rules_of(row)
                if model is not None and name not in model.fields:
                    unsent.setdefault(model.model, []).append(row.number)
            header = manifest.headers[index].strip()
            for model_name, rows in unsent.items():
                message = (
                    f"{model_name} takes no {name.replace('_', ' ')}: what "
                    f"{agree(len(rows), 'row', 'rows')} {list_numbers(rows)} "
                    f"{agree(len(rows), 'says', 'say')} in the column {header} is not sent."
                )
                yield Problem("field_of_other_model", message, Severity.WARNING, column=header)

    @cached_property
    def _rules(self) -> dict[str, ModelRules | None]:
        return {}

    @cached_property
    def _names(self) -> dict[str, str]:
        return {name.casefold(): name for name in (*known_sheets(), self.default)}

    def _find(self, name: str) -> ModelRules | None:
        model = self._names.get(name.casefold())
        if model is None or model == self.default:
            return self.own if model else None
        return ModelRules(model, self.given, own=False)


def explain_no_model(name: str) -> str:
    """Say that there is no such model, and what there is."""
    known = list(known_sheets())
    near = difflib.get_close_matches(name.casefold(), known, n=2, cutoff=0.5)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return f'There is no model "{shorten(name)}".{hint} The models are: {", ".join(known)}.'


def unchecked_models(models: Iterable[str]) -> list[str]:
    """Return those of some models whose rules stand in a team's own sheet alone."""
    own = own_sheets()
    return [model for model in models if model in own]


def say_unchecked(models: Iterable[str], *, rehearses: bool) -> tuple[str, ...]:
    """Say of a team's own models that nothing has checked their rules independently."""
    named = unchecked_models(models)
    if not named:
        return ()
    believed = " The emulator believes what is sent." if rehearses else ""
    origin = agree(len(named), "a sheet of yours", "sheets of yours")
    said = (
        f"The rules of {name_all(named)} come from {origin} alone: they were not checked "
        f"independently.{believed} Hold the example of reelsheet models show {named[0]} against "
        "its page."
    )
    return (said,)


def bind_models(
    manifest: Manifest,
    config: Config,
    taken: Collection[int],
    ignored: Collection[str],
    known: Reading,
) -> RowModels:
    """Find the models of a manifest; one that was run without them keeps its reading.

    Args:
        manifest: the manifest as read.
        config: the settings: the model of rows that name none, the defaults, and what is read as
            what.
        taken: the indexes of columns that are read as something else.
        ignored: the headers of columns that are not to be read.
        known: how the runs before read it.

    """
    default, defaults = config.api.model, config.defaults
    given = Form(defaults.duration, defaults.aspect_ratio, defaults.resolution)
    asked = {fold_header(header): name for header, name in config.manifest.columns.items()}
    unwanted = set(map(fold_header, ignored))
    found: list[tuple[int, str, int]] = []
    for index, header in enumerate(manifest.headers):
        name, folded = header.strip(), fold_header(header)
        if index in taken or folded in unwanted:
            continue
        if folded in asked or known.read.get(name, IGNORE) not in _OF_ALL:
            said = asked.get(folded) or known.read[name]
            found.append((0 if folded in asked else 1, said, index))
        elif (known.names != EARLIEST and name not in known.left) or known.read.get(
            name
        ) == _field_of(header):
            found.append((2, _field_of(header), index))
    places: dict[str, int] = {}
    for _, name, index in sorted(found):  # what was asked for comes first
        places.setdefault(name, index)
    place = places.get(MODEL_COLUMN)
    if place is None and keeps_its_hash(default):
        extras = ModelRules(default, given).extras
        return RowModels(default, given, None, _columns(extras, places))
    plain = RowModels(default, given, place)
    cells = {""} if place is None else {strip_blanks(row.cells[place]) for row in manifest.rows}
    used = (rules for cell in cells if (rules := plain.rules_for(cell)) is not None)
    extras = tuple({name for rules in used for name in rules.extras} | set(plain.own.extras))
    return RowModels(default, given, place, _columns(extras, places))


def _field_of(header: str) -> str:
    """Return the field that a header names: with `video_` before it, it is never a product's."""
    name = fold_header(header)
    return name if name == MODEL_COLUMN else name.removeprefix("video_")


def _columns(extras: Sequence[str], places: Mapping[str, int]) -> dict[str, int]:
    return {name: places[name] for name in sorted(extras) if name in places}
