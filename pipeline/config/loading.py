"""Resolve the settings from their four sources into one `Config`, or report all faults at once.

From highest to lowest precedence: `--set dotted.key=value`; the environment, `REELSHEET_PROVIDER`
or `REELSHEET_LIMITS__OUTSTANDING` (section and key in capitals, two underscores between them; an
empty variable counts as not set); the configuration file; the defaults. The values of the first
two are read as YAML, like those of the file; only a text setting takes the text as it stands.
"""

from __future__ import annotations

import contextlib
import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pipeline.config.catalogue import (
    FIELDS,
    PREFIX,
    RETIRED,
    SECTIONS,
    say_allowed,
    takes_text,
    variable,
)
from pipeline.config.settings import Config
from pipeline.config.values import WITHOUT_BOOK, looks_secret
from pipeline.config.yamltext import Reading, Tree, Value, read_yaml
from pipeline.disk.failures import explain_os_error
from pipeline.disk.openfile import read_regular
from pipeline.errors import ConfigError
from pipeline.manifest.earlier import IGNORE
from pipeline.manifest.wording import count, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails

_LARGEST_BYTES = 1_000_000
_WITH_COMMA = re.compile(r"0,[0-9]+|[0-9]+,[0-9]{1,2}")
"""A number as most of Europe writes it; 1,000 may be a thousand."""
_LONGEST_ECHO = 60

_BOOK = "account.book"
_LOOKS = "manifest.looks"
_MAPPING = "manifest.columns"
"""The only setting whose keys the user chooses."""


@dataclass(slots=True)
class _Gathered:
    """The value and the source of each dotted key so far, the faults, and what was ignored.

    `named` are the headers that were given one by one, on the command line.
    """

    values: dict[str, object] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    named: set[str] = field(default_factory=set)

    def fault(self, source: str, path: str, text: str) -> None:
        said = f"{source}: {path}: {text}" if path else f"{source}: {text}"
        if said not in self.faults:  # a setting of two kinds is wrong for each of them
            self.faults.append(said)


def load(
    path: Path | None,
    *,
    environ: Mapping[str, str],
    overrides: Sequence[str] = (),
    note: Callable[[str], None] = lambda _: None,
) -> Config:
    """Resolve the settings.

    Args:
        path: The configuration file; None if there is none.
        environ: The environment variables; those that begin with `REELSHEET_` are read.
        overrides: Texts `dotted.key=value`; of two with the same key the later wins.
        note: Called with a sentence for each setting that is gone and was ignored.

    Raises:
        ConfigError: It lists every fault with its source, key, value and what is allowed.

    """
    gathered = _Gathered()
    if path is not None:
        _gather_file(path, gathered)
    _gather_given(environ, overrides, gathered)
    config = _validate(gathered)
    for sentence in gathered.notes:
        note(sentence)
    return config


def load_in_part(
    path: Path | None,
    *,
    environ: Mapping[str, str],
    overrides: Sequence[str] = (),
    wanted: Collection[str],
) -> Config:
    """Return what can be used of settings that `load` refuses; never raises.

    Args:
        path: The configuration file; None if there is none.
        environ: The environment variables.
        overrides: Texts `dotted.key=value`.
        wanted: The settings that are read, each by itself; of all others the default.

    """
    gathered = _Gathered()
    with contextlib.suppress(ConfigError):
        if path is not None:
            _gather_file(path, gathered)
    _gather_given(environ, overrides, gathered)
    good = _Gathered()
    for key in sorted(gathered.values.keys() & set(wanted)):
        one = _Gathered(values={**good.values, key: gathered.values[key]})
        with contextlib.suppress(ConfigError):
            _validate(one)
            good = one
    return _validate(good)


def _gather_file(path: Path, gathered: _Gathered) -> None:
    try:
        content = read_regular(path, _LARGEST_BYTES)
        if len(content) > _LARGEST_BYTES:
            raise ConfigError(f"{path} is too large for a configuration file (over 1 MB).")
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError:
        raise ConfigError(
            f"There is no configuration file {path}.",
            action="Correct the path given with --config, or leave out --config.",
        ) from None
    except UnicodeDecodeError:
        raise ConfigError(
            f"{path} is not UTF-8 text.", action="Save the file in the encoding UTF-8."
        ) from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {explain_os_error(error)}.") from None
    reading = read_yaml(text)
    for line, key, sentence in reading.faults:
        gathered.fault(f"{path}:{line}", key, sentence)
    if isinstance(reading.tree, Value):
        if reading.tree.value is not None and not reading.faults:
            gathered.fault(str(path), "", "must consist of lines such as  provider: rehearsal")
        return
    _gather_tree(reading.tree, "", str(path), gathered, lines=True)
    book = gathered.values.get(_BOOK)
    if isinstance(book, str) and book != WITHOUT_BOOK:
        # One configuration means one book, from whichever folder a command is given.
        gathered.values[_BOOK] = str(path.parent / book)
    looks = gathered.values.get(_LOOKS)
    if isinstance(looks, str) or (looks is None and (path.parent / "looks").is_dir()):
        gathered.values[_LOOKS] = str(path.parent / (looks or "looks"))


def _gather_variable(name: str, text: str, gathered: _Gathered) -> None:
    key = name.removeprefix(PREFIX).casefold().replace("__", ".")
    if key not in FIELDS and key not in SECTIONS and key not in RETIRED:
        near = difflib.get_close_matches(name, map(variable, FIELDS), n=1)
        hint = f"did you mean {near[0]}?" if near else "there is no such setting"
        gathered.fault(f"environment variable {name}", "", hint)
        return
    _gather_text(key, text, f"environment variable {name}", gathered)


def _gather_given(
    environ: Mapping[str, str], overrides: Sequence[str], gathered: _Gathered
) -> None:
    """Gather what is given beside the file: the variables, and what goes before them."""
    for name in sorted(environ):
        if name.startswith(PREFIX) and environ[name].strip():
            _gather_variable(name, environ[name], gathered)
    for override in overrides:
        _gather_override(override, gathered)


def _gather_override(override: str, gathered: _Gathered) -> None:
    # A header may have the sign in it, a field has not.
    cut = str.rpartition if override.lstrip().startswith(f"{_MAPPING}.") else str.partition
    key, separator, text = cut(override, "=")
    key = key.strip()
    if not separator or not key:
        shown = "…" if looks_secret(override) else override
        gathered.fault("--set", "", f"write dotted.key=value, not {shown}")
        return
    _gather_text(key, text, "--set", gathered)


def _gather_text(key: str, text: str, source: str, gathered: _Gathered) -> None:
    """Gather a value from the environment or the command line, read like those of the file.

    A text setting takes the text as it stands: `--set output.name={sku}` is not a YAML mapping.
    """
    reading = read_yaml(text)
    if takes_text(key) and not _is_yaml_text(text, reading):
        reading = Reading(Value(text.strip(), 1))
    for _, inner, sentence in reading.faults:
        gathered.fault(source, f"{key}.{inner}" if inner else key, sentence)
    if reading.faults:
        return
    tree = reading.tree if text.strip() else Value(None, 1)
    if key.startswith(f"{_MAPPING}."):
        header = key.removeprefix(f"{_MAPPING}.")
        _gather_column(header, tree.value if isinstance(tree, Value) else _plain(tree), gathered)
        gathered.sources[_MAPPING] = source
        return
    _gather_item(key, tree, source, gathered, lines=False)


def _gather_column(header: str, field: object, gathered: _Gathered) -> None:
    """Add what a column is read as; it takes the place of what the file says of either."""
    known = gathered.values.get(_MAPPING)
    columns = dict(known) if isinstance(known, dict) else {}
    for other in [one for one in columns if one not in gathered.named]:
        if other.strip().casefold() == header.casefold() or columns[other] == field != IGNORE:
            del columns[other]
    columns[header] = field
    gathered.named.add(header)
    gathered.values[_MAPPING] = columns


def _is_yaml_text(text: str, reading: Reading) -> bool:
    """Tell whether text is a quoted string of YAML, a block, or null."""
    if reading.faults or not isinstance(reading.tree, Value):
        return False
    value = reading.tree.value
    return value is None or (isinstance(value, str) and text.lstrip()[0] in "\"'|>")


def _gather_tree(tree: Tree, prefix: str, origin: str, gathered: _Gathered, *, lines: bool) -> None:
    for name, item in tree.items():
        _gather_item(f"{prefix}{name}", item, origin, gathered, lines=lines)


def _gather_item(
    key: str, item: Tree | Value, origin: str, gathered: _Gathered, *, lines: bool
) -> None:
    source = f"{origin}:{item.line}" if lines else origin
    if key in SECTIONS:
        if not isinstance(item, Value):
            _gather_tree(item, f"{key}.", origin, gathered, lines=lines)
        elif item.value is not None:
            gathered.fault(source, key, "is a section: write its keys below it, indented")
    elif key in FIELDS:
        gathered.values[key] = item.value if isinstance(item, Value) else _plain(item)
        gathered.sources[key] = source
    elif key in RETIRED:
        _pass_over(key, item, source, gathered)
    else:
        gathered.fault(source, key, f"is not a setting; {_suggestion(key)}")


def _pass_over(key: str, item: Tree | Value, source: str, gathered: _Gathered) -> None:
    """Ignore a setting of an earlier version if it asks for what now always happens."""
    harmless, remedy = RETIRED[key]
    value = item.value if isinstance(item, Value) else _plain(item)
    if value == harmless:
        gathered.notes.append(f"{source}: {key}: this setting is gone and is ignored.")
    else:
        gathered.fault(source, key, f"{_echo(value)}: this setting is gone; {remedy}")


def _plain(tree: Tree) -> dict[str, object]:
    return {
        name: item.value if isinstance(item, Value) else _plain(item) for name, item in tree.items()
    }


def _suggestion(key: str) -> str:
    section, _, name = key.rpartition(".")
    known = [*FIELDS, *SECTIONS]
    same_name = [other for other in known if other.rpartition(".")[2] == (name or key)]
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.75) or same_name
    if near:
        return f"did you mean {near[0]}?"
    if section in SECTIONS:
        return f"{section} has: {', '.join(SECTIONS[section].model_fields)}"
    return f"the sections are: {', '.join(Config.model_fields)}"


def _validate(gathered: _Gathered) -> Config:
    nested: dict[str, Any] = {}
    for key, value in gathered.values.items():
        *sections, name = key.split(".")
        place = nested
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value
    config: Config | None = None
    try:
        config = Config.model_validate(nested)
    except ValidationError as error:
        for detail in error.errors():
            _note(detail, gathered)
    if config is None or gathered.faults:
        faults = count(len(gathered.faults), "fault")
        raise ConfigError(f"The configuration has {faults}:", faults=gathered.faults)
    return config


def _note(detail: ErrorDetails, gathered: _Gathered) -> None:
    """Note an error that pydantic found as a fault."""
    location = [str(part) for part in detail["loc"]]
    paths = (".".join(location[:length]) for length in range(len(location), 0, -1))
    key = next((path for path in paths if path in FIELDS), "")
    if not key:  # a rule over a whole section, whose sentence names the keys
        given = [source for key, source in gathered.sources.items() if key.startswith(location[0])]
        gathered.fault(", ".join(dict.fromkeys(given)), location[0], _own_words(detail))
        return
    inner = location[key.count(".") + 1 :] if key == _MAPPING else []
    path = ".".join([key, *(part for part in inner if part != "[key]")])
    value = detail["input"]
    own = detail["type"] == "value_error"
    text = _own_words(detail) if own else f"must be {say_allowed(key, inner=bool(inner))}"
    secret = key == "api.key_env" or not FIELDS[key].repr
    shown = "" if secret else f"{_echo(value)}: "
    gathered.fault(
        gathered.sources.get(key, "the default"), path, f"{shown}{text}{_quotes(key, value)}"
    )


def _own_words(detail: ErrorDetails) -> str:
    return detail["msg"].removeprefix("Value error, ")


def _echo(value: object) -> str:
    text = (
        "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    )
    if looks_secret(text) or "@" in text:
        return "(not shown)"
    return shorten(text, _LONGEST_ECHO)


def _quotes(key: str, value: object) -> str:
    if "text" in say_allowed(key) and not isinstance(value, (str, dict, list, type(None))):
        return " (write it in quotes)"
    if isinstance(value, str) and _WITH_COMMA.fullmatch(value) and "a number" in say_allowed(key):
        return f": {value.replace(',', '.')} with a point"
    return ""
