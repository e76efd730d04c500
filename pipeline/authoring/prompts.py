"""A prompt made of a product's own words, through a template that the user may write.

What a template may hold is said in `pipeline.manifest.templates`. An empty value writes nothing
here: what an export lacks is no fault of the template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.errors import UsageError
from pipeline.manifest.templates import FILTERS, TemplateFault, compile_template


class PromptTemplate:
    """A template, checked on making: `names` are the values that it may use.

    `columns` are the headers that it may use as `row["Header"]`; their cells are values as well.
    Raises UsageError when the text is no template, or uses a value or filter that is not there.
    """

    def __init__(
        self, text: str, *, names: tuple[str, ...], longest: int, columns: Sequence[str] = ()
    ) -> None:
        self._longest = longest
        self._names = names
        self._columns = columns
        try:
            self._template = compile_template(text)
        except TemplateFault as fault:
            raise self._bad(str(fault)) from fault
        unknown = set(self._template.names) - {*names, *columns}
        if unknown:
            listed = ", ".join(sorted(unknown))
            raise self._bad(f"it uses {listed}, which is no value of a product")

    def prompt(self, values: Mapping[str, object], *, about: str) -> tuple[str, bool]:
        """Fill in the template: the prompt on one line, and whether it had to be cut.

        `about` names the product in messages. Raises UsageError when it cannot be filled in.
        """
        try:
            raw = self._template.fill(values)
        except TemplateFault as fault:
            raise self._bad(f"for {about}: {fault}") from fault
        text = " ".join(raw.split())
        return (text, False) if len(text) <= self._longest else (_cut(text, self._longest), True)

    def _bad(self, what: str) -> UsageError:
        columns = ', and each column as row["Its Header"]' if self._columns else ""
        return UsageError(
            f"The prompt template cannot be used: {what}.",
            action=f"Values: {', '.join(self._names)}{columns}. Filters: {', '.join(FILTERS)}. "
            'For example: "Product video of {{ title }}. {{ description | truncate(200) }}"',
        )


def _cut(text: str, longest: int) -> str:
    """Cut between two words, with a mark that says so."""
    start = text[: longest - 1]
    return f"{start.rsplit(' ', 1)[0].rstrip()}\u2026"
