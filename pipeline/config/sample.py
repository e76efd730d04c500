"""The commented `config.yaml`, rendered from the settings themselves, so that it cannot drift."""

from __future__ import annotations

import json
import textwrap

from pydantic import BaseModel

from pipeline.config.loading import PREFIX, SECTIONS, allowed
from pipeline.config.settings import Config
from pipeline.config.yamltext import Value, read_yaml

_WIDTH = 100
_HEAD = f"""\
# Settings of Reelsheet, shown with their defaults. What is left out keeps its default.
# Each can also be given as --set section.key=value, or as an environment variable:
# {PREFIX}LIMITS__OUTSTANDING=5 stands for limits.outstanding. The command line wins, then
# the environment, then this file.
"""


def sample() -> str:
    """The text of the default `config.yaml`: every key with its comment, in the order of use."""
    config = Config()
    parts = [_HEAD]
    parts += ["\n" + _key(config, name, "", "") for name in Config.model_fields]
    return "".join(parts)


def _keys(section: BaseModel, prefix: str, indent: str) -> str:
    return "".join(_key(section, name, prefix, indent) for name in type(section).model_fields)


def _key(section: BaseModel, name: str, prefix: str, indent: str) -> str:
    path = prefix + name
    if path in SECTIONS:
        title = _comment((SECTIONS[path].__doc__ or "").strip(), indent)
        keys = _keys(getattr(section, name), f"{path}.", f"{indent}  ")
        return f"{title}{indent}{name}:\n{keys}"
    about = type(section).model_fields[name].description or ""
    comment = _comment(f"{about} [{allowed(prefix + name)}]", indent)
    return f"{comment}{indent}{name}: {_written(getattr(section, name))}\n"


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


def _written(value: object) -> str:
    """A value as YAML; texts get quotes only where YAML would read something else."""
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, str):
        read = read_yaml(value).tree
        plain = isinstance(read, Value) and read.value == value
        return value if plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)
