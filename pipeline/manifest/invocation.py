"""The commands that sentences suggest: as they would have to be typed to work on the same rows.

Whatever the user named beside the manifest belongs to it. Without `--out`, say, the same command
would work in another output folder, and pay there for rows that were bought.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from pipeline.manifest.wording import quote_name

_USUAL = "outputs"
"""The default of output.dir."""
_OPTION = re.compile("\\badd (--[a-z-]+) KEY")
_COMMAND = re.compile(
    "reelsheet ([a-z]+) (MANIFEST|THERE)((?: KEY)?(?: --[a-z-]+(?: KEY| STATE| ID)?)*)"
)
_LOGIN = re.compile(r"(=\s*['\"]?(?:https?://)?).*@")
_COLUMN = "manifest.columns."
"""So begin the settings that --column stands for."""
_RESERVED = {"--pay-again": "all", "--redo": "changed"}
"""Words that stand for many rows, though a row may have them for its key."""


_FREE = frozenset({"check", "review", "status"})
"""Commands that order nothing; settings that begin like these are nothing to them."""
_OF_ORDERS = ("budget.", "limits.", "retry.", "outage.", "stop.")


def _is_read(setting: str) -> bool:
    return not setting.lstrip().startswith(_OF_ORDERS)


def _without_login(text: str) -> str:
    """Return a setting without what only its proxy may be told: commands are printed and logged."""
    return _LOGIN.sub(r"\1", text) if text.lstrip().startswith("http.proxy") else text


def _option(setting: str) -> tuple[str, str]:
    """Return the option that a setting is given with, and its value."""
    column = setting.strip().removeprefix(_COLUMN)
    if column != setting.strip():
        return "--column", column
    return "--set", _without_login(setting)


@dataclass(frozen=True, slots=True)
class Invocation:
    """What the user named: a manifest, and beside it whatever was typed.

    `out` is the output folder, `config` the configuration; they and `series` are None where they
    were not typed, whatever the settings say. `sets` are the other settings of the command line.
    `origin` is the manifest whose run wrote this one: failed.csv, results.csv. `adopt` has the
    journal taken over of a manifest that is gone.
    """

    manifest: Path
    out: Path | None = None
    series: str | None = None
    config: Path | None = None
    sets: tuple[str, ...] = ()
    origin: Path | None = None
    adopt: bool = False

    @property
    def words(self) -> str:
        """The words that follow the name of any command."""
        path = str(self.manifest)
        options = (("--out", self.out), ("--series", self.series), ("--config", self.config))
        given = [(name, value) for name, value in options if value is not None]
        given += [_option(text) for text in self.sets]
        named = [f"{name} {quote_name(str(value))}" for name, value in given]
        named += ["--adopt"] if self.adopt else []
        return " ".join((quote_name(f"./{path}" if path.startswith("-") else path), *named))

    def command(self, verb: str, *more: str, key: str | None = None) -> str:
        """Return a whole command.

        Args:
            verb: The name of the command.
            more: Further words, which are quoted where they must be.
            key: The row that it is about, if it takes one as an argument.

        """
        row = () if key is None else (key,)
        further = ("--", *row) if key is not None and key.startswith("-") else ()
        words = (*more, *further) if further else (*row, *more)
        sets = tuple(filter(_is_read, self.sets)) if verb in _FREE else self.sets
        named = replace(self, sets=sets).words
        return " ".join(("reelsheet", verb, named, *map(quote_name, words)))

    def rebuild(self, folder: Path) -> str:
        """Return the command that restores the journal in an output folder."""
        return self.owner(folder).command("journal rebuild")

    def owner(self, folder: Path) -> Invocation:
        """Return what names the manifest that an output folder belongs to, and the folder.

        It is named unless it is the usual one: where its journal is gone, it is not known by that.
        """
        manifest = self.origin or self.manifest
        usual = f"{folder.parent.name}/{folder.name}" == f"{_USUAL}/{manifest.stem}"
        out = self.out if self.out is not None or usual else folder
        return replace(self, manifest=manifest, out=out, origin=None)

    def elsewhere(self, manifest: str | Path, folder: str | Path) -> Invocation:
        """Return what names another manifest and its output folder, with the same settings."""
        return replace(self, manifest=Path(manifest), out=Path(folder), series=None, origin=None)

    def run_into(self, folder: Path | None, *, adopt: bool = False) -> str:
        """Return the command that runs the manifest with an output folder; None: one of its own."""
        words = (["--adopt"] if adopt else []) + ([] if folder is None else ["--out", str(folder)])
        return replace(self, out=None, adopt=False).command("run", *words)

    def unnamed(self, folder: Path) -> Invocation:
        """Return what names an output folder whose manifest is not known, with its settings."""
        return self.elsewhere("MANIFEST", folder)

    def in_place_of(self, folder: str | Path) -> Invocation:
        """Return what takes over the output folder of a manifest that is gone."""
        manifest = self.origin or self.manifest
        return replace(
            self, manifest=manifest, out=Path(folder), series=None, origin=None, adopt=True
        )

    def complete(
        self, advice: str, key: str = "KEY", state: str = "STATE", there: Invocation | None = None
    ) -> str:
        """Return an advice with its commands as they can be pasted.

        Only the commands change: what stands beside them may name a row or a file in any words.

        Args:
            advice: Sentences with commands such as "reelsheet run MANIFEST --redo KEY", and with
                options to add to them such as "add --only KEY".
            key: The key of the row.
            state: Its state.
            there: What THERE stands for: the manifest that its video was bought for.

        """

        def fill(found: re.Match[str]) -> str:
            verb, which, options = found.groups()
            named = there if which == "THERE" and there is not None else self
            by_row = options.startswith(" KEY")
            words: list[str] = []
            for word in options.split()[by_row:]:
                if word == "KEY":
                    words += of_row(words.pop(), key)
                else:
                    words.append(state if word == "STATE" else word)
            return named.command(verb, *words, key=key if by_row else None)

        added = _OPTION.sub(lambda found: f"add {quoted_option(found[1], key)}", advice)
        return _COMMAND.sub(fill, added)


def of_row(option: str, key: str) -> Sequence[str]:
    """Return the words by which an option that takes several keys takes this one alone."""
    only = ("--only", key) if _RESERVED.get(option) == key else ()
    return (option, _listed(key), *only)


def of_rows(option: str, keys: Iterable[str]) -> Sequence[str]:
    """Return the words by which an option takes these keys, and the words that it knows."""
    return (option, ",".join(map(_listed, keys)))


def quoted_option(option: str, key: str) -> str:
    """Return `of_row` as it is pasted behind a command."""
    return " ".join(map(quote_name, of_row(option, key)))


def _listed(key: str) -> str:
    """Return a key as one of a list with commas."""
    if "," in key or key.startswith('"'):
        doubled = key.replace('"', '""')
        return f'"{doubled}"'
    return key


_named: ContextVar[Mapping[Path, Invocation]] = ContextVar("_named", default=MappingProxyType({}))
"""What the call under way was given, by output folder: two calls of one process keep apart."""


_options: ContextVar[Sequence[tuple[str, str]]] = ContextVar("_options", default=())
"""The configuration and the settings that the call under way was given."""


def note_options(config: Path | None, sets: Iterable[str]) -> None:
    """Keep what was named beside any manifest, for commands about the account."""
    named = [] if config is None else [("--config", str(config))]
    _options.set((*named, *(("--set", _without_login(text)) for text in sets)))


def account_command(verb: str, *more: str) -> str:
    """Return a command about the account, with the configuration and the settings of this call.

    Args:
        verb: The part of `account`.
        more: Further words, which are quoted where they must be.

    """
    words = (*more, *(word for pair in _options.get() for word in pair))
    return " ".join(("reelsheet account", verb, *map(quote_name, words)))


def note_invocation(folder: Path, typed: Invocation) -> None:
    """Keep what was named for an output folder, for whoever finds its journal damaged."""
    _named.set({**_named.get(), folder: typed})


def noted_invocation(folder: Path) -> Invocation | None:
    """Return what was named last for an output folder; None if nothing was in this call."""
    return _named.get().get(folder)
