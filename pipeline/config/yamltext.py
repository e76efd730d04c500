"""Read YAML as plain values with their line numbers; anything ambiguous is a fault, not a guess.

Refused: aliases (a few lines of them expand to gigabytes), tags (they name types), a key given
twice (one of the two would be lost), and unquoted numbers with a colon (YAML 1.1 reads 16:9 as
969). Keys are taken as they are written: a header called 2024 or Yes stays text.

Tested in tests/config/test_loading.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

_DEEPEST = 20
_NUMBERS = {"tag:yaml.org,2002:int", "tag:yaml.org,2002:float"}


@dataclass(frozen=True, slots=True)
class Value:
    """A scalar or a list, with the line (from 1) of its key, or else its own."""

    value: object
    line: int


class Tree(dict[str, "Value | Tree"]):
    """A mapping, with the line (from 1) of its key, or else its own."""

    def __init__(self, line: int = 1) -> None:
        super().__init__()
        self.line = line


@dataclass(slots=True)
class Reading:
    """The result: `tree` (a single Value when the text is not a mapping) and the faults.

    A fault consists of the line, the dotted path and a sentence.
    """

    tree: Tree | Value
    faults: list[tuple[int, str, str]] = field(default_factory=list)


class _Loader(yaml.SafeLoader):
    """The safe loader, without aliases, tags and deep nesting."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:  # noqa: ANN401
        """Refuse aliases, tags and deep nesting before anything is built from them."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            raise _refusal(event, "aliases (*name) are not allowed; write the value out")
        if event.tag is not None:
            raise _refusal(event, "tags (!name) are not allowed; write the plain value")
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _refusal(event, "nested too deeply")
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _refusal(event: Any, problem: str) -> yaml.MarkedYAMLError:  # noqa: ANN401
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


def read_yaml(text: str) -> Reading:
    """Read one YAML document; text that is not YAML gives one fault and an empty tree."""
    reading = Reading(tree=Tree())
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is not None:
                reading.tree = _walk(loader, node, "", reading, node.start_mark.line + 1)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        # The error's own snippet is left out: it would repeat a pasted key.
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        reading.faults.append((line, "", f"cannot be read as YAML: {error.problem}"))
    except (yaml.YAMLError, ValueError):
        reading.faults.append((1, "", "contains characters or values that YAML does not allow"))
    return reading


def _walk(loader: _Loader, node: yaml.Node, path: str, reading: Reading, line: int) -> Tree | Value:
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, path, reading, line)
    if isinstance(node, yaml.ScalarNode) and node.tag in _NUMBERS and ":" in node.value:
        read_as = loader.construct_object(node)
        reading.faults.append(
            (
                line,
                path,
                f'YAML reads {node.value} as the number {read_as}: write "{node.value}", in quotes',
            )
        )
        return Value(_Refused, line)
    return Value(loader.construct_object(node, deep=True), line)


def _mapping(loader: _Loader, node: yaml.MappingNode, path: str, reading: Reading, at: int) -> Tree:
    tree = Tree(at)
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            reading.faults.append((line, path, "a key must be a plain name"))
            continue
        name = str(key_node.value)
        inner = f"{path}.{name}" if path else name
        if name in tree:
            reading.faults.append((line, inner, "is given twice; remove one of the two"))
            continue
        value = _walk(loader, value_node, inner, reading, line)
        if not (isinstance(value, Value) and value.value is _Refused):
            tree[name] = value
    return tree


class _Refused:
    """Marks a value for which a fault was already noted."""
