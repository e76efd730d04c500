"""A prompt made of a product's own words, through a template that the user may write.

The template language is Jinja's, narrowed to what a sentence needs: values, conditions, the listed
filters. Nothing can be called, no text can be multiplied, and the length of a prompt is capped, so
that a slip in a template costs a message and not the machine's memory. Templates come from the
command line, never from a cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment, SecurityError

from pipeline.authoring.plaintext import plain_text, sentence
from pipeline.errors import UsageError

FILTERS = (
    "capitalize", "default", "first", "join", "last", "length", "lower", "replace", "sentence",
    "striphtml", "title", "trim", "truncate", "upper",
)  # fmt: skip
_LONGEST_RAW = 100_000  # characters after which a template is no longer listened to
# What evaluating an expression can raise besides Jinja's own errors.
_SLIPS = (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja without calls, without globals, and without the operators that make much of little."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def is_safe_callable(self, obj: object) -> bool:
        return False

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        _ = context, left, right
        raise SecurityError(f"the operator {operator} is not available")


def _sandbox() -> _Sandbox:
    sandbox = _Sandbox(undefined=StrictUndefined, autoescape=False)
    own: dict[str, Callable[..., Any]] = {"striphtml": _striphtml, "sentence": _sentence}
    sandbox.filters = {name: own.get(name) or sandbox.filters[name] for name in FILTERS}
    sandbox.globals.clear()
    return sandbox


def _striphtml(value: object) -> str:
    return plain_text(str(value))


def _sentence(value: object) -> str:
    return sentence(str(value))


class PromptTemplate:
    """A template, checked on making: `names` are the values that it may use.

    Raises UsageError when the text is no template, or uses a value or filter that is not there.
    """

    def __init__(self, text: str, *, names: tuple[str, ...], longest: int) -> None:
        self._longest = longest
        self._names = names
        sandbox = _sandbox()
        try:
            unknown = meta.find_undeclared_variables(sandbox.parse(text)) - set(names)
            self._template: Template = sandbox.from_string(text)
        except TemplateSyntaxError as error:
            raise self._bad(str(error.message)) from error
        if unknown:
            listed = ", ".join(sorted(unknown))
            raise self._bad(f"it uses {listed}, which is no value of a product")

    def prompt(self, values: Mapping[str, object], *, about: str) -> tuple[str, bool]:
        """Fill in the template: the prompt on one line, and whether it had to be cut.

        `about` names the product in messages. Raises UsageError when it cannot be filled in.
        """
        try:
            raw = self._rendered(values)
        except (TemplateError, *_SLIPS) as error:
            raise self._bad(f"for {about}: {error}") from error
        text = " ".join(raw.split())
        return (text, False) if len(text) <= self._longest else (_cut(text, self._longest), True)

    def _rendered(self, values: Mapping[str, object]) -> str:
        pieces: list[str] = []
        length = 0
        for piece in self._template.generate(values):
            pieces.append(piece[:_LONGEST_RAW])
            length += len(piece)
            if length > _LONGEST_RAW:
                break
        return "".join(pieces)

    def _bad(self, what: str) -> UsageError:
        return UsageError(
            f"The prompt template cannot be used: {what}.",
            action=f"Values: {', '.join(self._names)}. Filters: {', '.join(FILTERS)}. "
            'For example: "Product video of {{ title }}. {{ description | truncate(200) }}"',
        )


def _cut(text: str, longest: int) -> str:
    """Cut between two words, with a mark that says so."""
    start = text[: longest - 1]
    return f"{start.rsplit(' ', 1)[0].rstrip()}\u2026"
