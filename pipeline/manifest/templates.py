"""Texts made from a row's or a product's own words by a template that the user writes.

The language is Jinja's, narrowed to what a sentence needs: values, conditions, the listed filters,
`~` to join. Nothing is called, repeated or multiplied, and no text grows past a limit, so that a
mistake costs a message and not the machine's memory. Templates come from the configuration and the
command line, never from a cell; the text of a cell is a value and is never read as a template.

A value is named by a word (`{{ title }}`) or, if its name is not a word, by `{{ row["Any Header"]
}}`. The caller decides what the names mean: `Template.names` lists those that a template uses.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jinja2
from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, Undefined, nodes
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from pipeline.manifest.plaintext import plain_text, sentence

FILTERS = (
    "capitalize", "default", "first", "join", "last", "length", "lower", "replace", "sentence",
    "striphtml", "title", "trim", "truncate", "upper",
)  # fmt: skip
"""The filters that a template may use."""
_TESTS = ("defined", "undefined", "in", "string")
_LONGEST = 100_000  # characters of a text, also between two filters
_LONGEST_TEMPLATE = 20_000
_ROW = "row"
_REFUSED_OPERATORS = frozenset({"*", "**", "%", "/", "//", "-"})
# Every part of the language that a template may use; all others are refused by name.
_KNOWN = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.Name, nodes.Const,
    nodes.Getitem, nodes.Filter, nodes.Test, nodes.CondExpr, nodes.Not, nodes.And, nodes.Or,
    nodes.Compare, nodes.Operand, nodes.Concat, nodes.Add, nodes.Tuple, nodes.List, nodes.Keyword,
)  # fmt: skip
_NAMES_OF_PARTS = {
    "Call": "calling something (a filter is written {{ value | filter }})",
    "For": "a loop", "Mul": "multiplying", "Pow": "a power", "Mod": "the operator %",
    "Assign": "set", "AssignBlock": "set", "Getattr": 'a dot (a column is row["Its Header"])',
}  # fmt: skip
# Errors besides Jinja's own that the evaluation of an expression can raise.
_EVALUATION_ERRORS = (
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
)


class TemplateFault(Exception):
    """A template cannot be used, or not with these values; the text is the reason, unpunctuated."""


class ValueNeeded(TemplateFault):
    """The template needs the value `name`, which is empty."""

    def __init__(self, name: str) -> None:
        super().__init__(f"it needs {name}, which is empty")
        self.name = name


@dataclass(frozen=True, slots=True)
class Template:
    """A template that can be filled in.

    `names` are the values that it uses, as it spells them. `needs_nothing` says that it gives a
    text whatever is empty, because it consists of words and of values with `default("")`.
    """

    names: tuple[str, ...]
    needs_nothing: bool
    _generate: Callable[[Mapping[str, object]], Iterable[str]]
    _variables: Mapping[str, str]

    def fill(self, values: Mapping[str, object]) -> str:
        """Fill in the values by their names; None stands for an empty value.

        An empty value is false in a condition, and `default` replaces it.

        Raises:
            ValueNeeded: an empty value would have to be written.
            TemplateFault: the template cannot be filled in for another reason.

        """
        context = {
            variable: _Empty(hint=name, exc=_Needed) if values.get(name) is None else values[name]
            for name, variable in self._variables.items()
        }
        try:
            return "".join(_stop_at_limit(self._generate(context)))
        except _Needed as error:
            raise ValueNeeded(str(error)) from error
        except (TemplateError, *_EVALUATION_ERRORS) as error:
            raise TemplateFault(str(error).rstrip(".")) from error


def compile_template(text: str) -> Template:
    """Read a template.

    Raises:
        TemplateFault: it is not a template, or uses a part of Jinja that is not available.

    """
    if len(text) > _LONGEST_TEMPLATE:
        raise TemplateFault(f"it is longer than {_LONGEST_TEMPLATE:,} characters")
    try:
        tree = _SANDBOX.parse(text)
        _refuse_unknown(tree)
        naming = _Naming()
        naming.visit(tree)
        tree.set_environment(_SANDBOX)
        code = _SANDBOX.compile(tree)
        template = jinja2.Template.from_code(_SANDBOX, code, {})
    except TemplateSyntaxError as error:
        where = f" (line {error.lineno})" if "\n" in text.strip() else ""
        raise TemplateFault(
            f"{(error.message or 'it cannot be read').rstrip('.')}{where}"
        ) from error
    except (RecursionError, MemoryError, SyntaxError) as error:
        raise TemplateFault("it is nested too deeply") from error
    except (ValueError, *_EVALUATION_ERRORS) as error:  # a number of thousands of digits, say
        raise TemplateFault("it cannot be read") from error
    names = naming.variables
    return Template(tuple(names), _needs_nothing(tree), template.generate, names)


def from_shorthand(text: str) -> str:
    """Translate the shorthand `{key}-{colour}`, in which an empty value writes nothing, to Jinja.

    A text that is Jinja already stays as it is, so that translating twice changes nothing.

    Raises:
        TemplateFault: a brace has no partner, or holds more than a name.

    """
    if is_jinja(text):
        return text
    try:
        parsed = list(string.Formatter().parse(text))
    except ValueError:
        raise TemplateFault("it has a brace without its partner") from None
    pieces = []
    for literal, name, spec, conversion in parsed:
        if spec or conversion:
            raise TemplateFault("it may hold nothing but a column's name in braces")
        pieces.append(literal.replace("}", '{{ "}" }}'))
        if name is not None:
            quoted = name.strip().replace("\\", "\\\\").replace('"', '\\"')
            pieces.append(f'{{{{ {_ROW}["{quoted}"] | default("") }}}}')
    return "".join(pieces)


def is_jinja(text: str) -> bool:
    """Tell whether a text contains signs of Jinja, so that it is not the shorthand."""
    return "{{" in text or "{%" in text or "{#" in text


class _Needed(UndefinedError):
    """An empty value would have to be written; the text is its name."""


class _Empty(Undefined):
    """An empty value: it is false, equals the empty text and holds nothing, but is not written."""

    __slots__ = ()

    def __str__(self) -> str:
        raise _Needed(self._undefined_message)

    def __iter__(self) -> Iterator[object]:
        raise _Needed(self._undefined_message)

    def __contains__(self, item: object) -> bool:
        _ = item
        return False

    def __eq__(self, other: object) -> bool:
        return other == "" or isinstance(other, _Empty)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash("")


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja without calls and without the operators that can make a huge text from a short one.

    A template that uses them is refused when it is read; this is the second line of defence.
    """

    intercepted_binops = _REFUSED_OPERATORS

    def is_safe_callable(self, obj: object) -> bool:
        _ = obj
        return False

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        _ = context, left, right
        raise SecurityError(f"the operator {operator} is not available")


def _replace(value: object, old: object, new: object, count: int | None = None) -> str:
    text, before, after = str(value), str(old), str(new)
    times = text.count(before) if count is None else min(count, text.count(before))
    _demand(len(text) + times * (len(after) - len(before)))
    return text.replace(before, after, times)


def _join(value: Any, between: object = "") -> str:  # noqa: ANN401
    texts, joint = [str(part) for part in value], str(between)
    _demand(sum(map(len, texts)) + len(joint) * len(texts))
    return joint.join(texts)


def _truncate(
    value: object, length: int = 255, killwords: bool = False, end: str = "\u2026"
) -> str:
    """Cut a text between two words, to at most `length` characters with the mark at its end."""
    text = str(value)
    if len(text) <= length:
        return text
    start = text[: max(0, length - len(end))]
    whole = start if killwords else start.rsplit(" ", 1)[0]
    return whole.rstrip(" ,;:.-") + end


_OWN: dict[str, Callable[..., Any]] = {
    "striphtml": lambda value: plain_text(str(value)),
    "sentence": lambda value: sentence(str(value)),
    "replace": _replace,
    "join": _join,
    "truncate": _truncate,
}


def _sandbox() -> _Sandbox:
    sandbox = _Sandbox(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False)
    sandbox.filters = {name: _OWN.get(name) or sandbox.filters[name] for name in FILTERS}
    sandbox.tests = {name: sandbox.tests[name] for name in _TESTS}
    sandbox.globals.clear()
    return sandbox


_SANDBOX = _sandbox()


def _refuse_unknown(tree: nodes.Template) -> None:
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _KNOWN):
            kind = type(node).__name__
            what = _NAMES_OF_PARTS.get(kind, f"{kind.lower()} of Jinja")
            raise TemplateFault(f"{what} is not available in a template")
        if isinstance(node, nodes.Filter) and node.name not in FILTERS:
            raise TemplateFault(
                f'there is no filter "{node.name}"; there are: {", ".join(FILTERS)}'
            )
        if isinstance(node, nodes.Test) and node.name not in _TESTS:
            raise TemplateFault(f'there is no test "{node.name}"; there are: {", ".join(_TESTS)}')


def _needs_nothing(tree: nodes.Template) -> bool:
    if not all(isinstance(part, nodes.Output) for part in tree.body):
        return False
    return all(
        isinstance(piece, nodes.TemplateData | nodes.Const) or _may_be_empty(piece)
        for output in tree.body
        for piece in output.iter_child_nodes()
    )


def _may_be_empty(piece: nodes.Node) -> bool:
    return (
        isinstance(piece, nodes.Filter)
        and piece.name == "default"
        and isinstance(piece.node, nodes.Name)
        and [getattr(given, "value", None) for given in piece.args] == [""]
    )


class _Naming(NodeTransformer):
    """Gives each value a variable of its own: Jinja's words (`self`, `loop`) mean nothing to us."""

    def __init__(self) -> None:
        self.variables: dict[str, str] = {}

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Name:  # noqa: N802 - Jinja's way to say it
        row, header = node.node, node.arg
        if not (isinstance(row, nodes.Name) and row.name == _ROW):
            raise TemplateFault('brackets are for columns alone, as row["Its Header"]')
        if not (isinstance(header, nodes.Const) and isinstance(header.value, str)):
            raise TemplateFault('a column is named in quotes, as row["Its Header"]')
        return self._variable(header.value, node)

    def visit_Name(self, node: nodes.Name) -> nodes.Name:  # noqa: N802 - likewise
        if node.name == _ROW:
            raise TemplateFault('row needs the header of a column, as row["Its Header"]')
        return self._variable(node.name, node)

    def _variable(self, name: str, node: nodes.Node) -> nodes.Name:
        variable = self.variables.setdefault(name, f"value_{len(self.variables)}")
        return nodes.Name(variable, "load", lineno=node.lineno)


def _stop_at_limit(pieces: Iterable[str]) -> Iterator[str]:
    length = 0
    for piece in pieces:
        length += len(piece)
        _demand(length)
        yield piece


def _demand(length: int) -> None:
    if length > _LONGEST:
        raise TemplateFault(f"it makes a text of more than {_LONGEST:,} characters")
