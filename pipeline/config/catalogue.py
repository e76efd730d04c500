"""Every setting: its key, what it allows, and the commented `config.yaml` that lists them all.

All of it is derived from `settings`, `content` and `nights`, so that it cannot drift.
Tested in tests/config/test_loading.py.
"""

from __future__ import annotations

import ast
import json
import textwrap
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain, pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.config import content, nights, settings
from pipeline.config.content import Section
from pipeline.config.nights import NightManifest
from pipeline.config.settings import Config
from pipeline.config.yamltext import Value, read_yaml

PREFIX = "REELSHEET_"
"""The names of environment variables that hold settings begin with this."""

SECTIONS: dict[str, type[Section]] = {}
"""Every section of the configuration, by its dotted path."""
FIELDS: dict[str, FieldInfo] = {}
"""Every setting, by its dotted path."""
_PLACES: dict[str, tuple[type[Section], str]] = {}
"""The section and the attribute of every setting, by its dotted path."""


def _know(model: type[Section], prefix: str = "") -> None:
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, Section):
            SECTIONS[prefix + name] = info.annotation
            _know(info.annotation, f"{prefix}{name}.")
        else:
            FIELDS[prefix + name] = info
            _PLACES[prefix + name] = model, name


_know(Config)


_IN_DOUBT = (
    "rows in doubt are never sent again by themselves. Remove the setting. Every run looks up the "
    "rows in doubt; those that it does not find are yours to settle with reelsheet resolve."
)
RETIRED = {"api.in_doubt": ("hold", _IN_DOUBT)}
"""Settings of earlier versions: the value that asked for what now always happens, and a remedy."""


def variable(key: str) -> str:
    """Return the name of the environment variable that holds a setting."""
    return PREFIX + key.replace(".", "__").upper()


def say_allowed(key: str, *, inner: bool = False) -> str:
    """Return in words what a setting may be; with `inner`, the values of a mapping."""
    return _in_words(FIELDS[key].annotation, FIELDS[key].metadata, inner=inner)


def describe_setting(key: str) -> str:
    """Return the text that `settings` has below a setting, on one line."""
    section, name = _PLACES[key]
    texts = (_texts_below_settings().get((kind.__name__, name)) for kind in section.__mro__)
    return " ".join(next(filter(None, texts), "").split())


@cache
def _texts_below_settings() -> Mapping[tuple[str, str], str]:
    """Return the texts in the sources of the settings, by class and attribute.

    pydantic could collect them, but does so whenever the classes are made: a tenth of the time that
    a check of ten rows takes.
    """
    found: dict[tuple[str, str], str] = {}
    sources = (Path(str(one.__file__)).read_text("utf-8") for one in (settings, content, nights))
    for section in chain.from_iterable(ast.parse(source).body for source in sources):
        if isinstance(section, ast.ClassDef):
            for setting, below in pairwise(section.body):
                if isinstance(setting, ast.AnnAssign) and isinstance(setting.target, ast.Name):
                    match below:
                        case ast.Expr(value=ast.Constant(value=str(text))):
                            found[section.name, setting.target.id] = text
    return found


def takes_text(key: str) -> bool:
    """Tell whether a setting is any text, not one of a few words."""
    kind = FIELDS[key].annotation if key in FIELDS else None
    members = [member for member in get_args(kind) if member is not type(None)] or [kind]
    return [getattr(one, "__origin__", one) for one in members] == [str]


def _in_words(kind: Any, metadata: Sequence[Any], *, inner: bool = False) -> str:  # noqa: ANN401
    if get_origin(kind) is Literal:
        *others, last = (str(one) for one in get_args(kind))
        return f"{', '.join(others)} or {last}" if others else last
    if get_origin(kind) is tuple:
        return f"a list of {_in_words(get_args(kind)[0], ())}"
    if get_origin(kind) is dict:
        return _in_words(get_args(kind)[1], ()) if inner else "lines of the form header: field"
    members = [one for one in get_args(kind) if one is not type(None)]
    if len(members) == 1 or hasattr(kind, "__metadata__"):
        optional = type(None) in get_args(kind)
        own = [getattr(one, "metadata", [one]) for one in getattr(kind, "__metadata__", ())]
        words = _in_words(members[0], [*metadata, *chain.from_iterable(own)])
        return f"{words}, or null" if optional else words
    if len(members) > 1:
        return " or ".join(_in_words(one, ()) for one in members)
    return _simple_in_words(kind, metadata)


def _simple_in_words(kind: Any, metadata: Sequence[Any]) -> str:  # noqa: ANN401
    if kind is bool:
        return "true or false"
    if kind is NightManifest:
        return "manifests, folders or patterns"
    if kind is str:
        patterned = any(getattr(one, "pattern", None) for one in metadata)
        return "text of three capital letters" if patterned else "text"
    words = "a whole number" if kind is int else "a number"
    bounds = {name: getattr(one, name) for one in metadata for name in ("gt", "ge", "le")
              if getattr(one, name, None) is not None}  # fmt: skip
    lower = f" above {bounds['gt']:g}" if "gt" in bounds else f" from {bounds.get('ge', 0):g}"
    return words + lower + (f" up to {bounds['le']:.10g}" if "le" in bounds else "")


_WIDTH = 100
_HEAD = f"""\
# The settings of Reelsheet with their defaults. A setting that is left out keeps its default.
# Each can also be given as --set section.key=value, or as an environment variable:
# {PREFIX}LIMITS__OUTSTANDING=5 sets limits.outstanding. The command line takes precedence over
# the environment, and the environment over this file.
"""


def sample(others: Mapping[str, object] = MappingProxyType({})) -> str:
    """Return the default `config.yaml`: every key with its comment.

    `others` are the values of settings, by dotted key, that do not have their default there.
    """
    config = Config()
    parts = [_HEAD]
    parts += ["\n" + _key(config, name, "", "", others) for name in Config.model_fields]
    return "".join(parts)


def _keys(section: BaseModel, prefix: str, indent: str, others: Mapping[str, object]) -> str:
    names = type(section).model_fields
    return "".join(_key(section, name, prefix, indent, others) for name in names)


def _key(
    section: BaseModel, name: str, prefix: str, indent: str, others: Mapping[str, object]
) -> str:
    path = prefix + name
    if path in SECTIONS:
        title = _comment((SECTIONS[path].__doc__ or "").strip(), indent)
        keys = _keys(getattr(section, name), f"{path}.", f"{indent}  ", others)
        return f"{title}{indent}{name}:\n{keys}"
    comment = _comment(f"{describe_setting(path)} [{say_allowed(path)}]", indent)
    value = others.get(path, FIELDS[path].get_default(call_default_factory=True))
    return f"{comment}{indent}{name}: {_write_value(value)}\n"


def _comment(text: str, indent: str) -> str:
    lead = f"{indent}# "
    return (
        textwrap.fill(
            text,
            _WIDTH,
            initial_indent=lead,
            subsequent_indent=lead,
            break_on_hyphens=False,
            break_long_words=False,
        )
        + "\n"
    )


def _write_value(value: object) -> str:
    """Write a value as YAML; text gets quotes only where YAML would read something else."""
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, str):
        read = read_yaml(value).tree
        plain = isinstance(read, Value) and read.value == value
        return value if plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)
