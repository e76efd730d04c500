"""Where the key goes: the host of the API and the variable that names the key.

Whoever writes a configuration could send another secret, or the key to another host. So a live run
to a host, or with a variable, that is not the default is asked about once, and remembered for this
user of this machine. What is remembered lies in the user's folder for state and nowhere that a
configuration names: `account.book` may come with the configuration.

Hosts of this machine need no question, as nothing leaves it; a variable that is not the default
does. What earlier versions bought from is known: the book in the same folder tells.

Tested in tests/runner/test_destination.py and tests/system/test_destinations.py.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.account.place import BOOK_FILE, name_of, state_folders
from pipeline.account.reading import accounts_that_bought
from pipeline.config.key import api_key
from pipeline.config.settings import Api, Config
from pipeline.config.values import is_loopback, origin_of
from pipeline.disk.openfile import is_gone, open_private, read_regular
from pipeline.errors import ReelsheetError, UsageError
from pipeline.network import read_network

_FILE = "destinations"
_LARGEST_BYTES = 1_000_000
_DEFAULT = Api()
_USUAL_ORIGIN = origin_of(_DEFAULT.base_url)


@dataclass(frozen=True, slots=True)
class Destination:
    """The origin of an API, and the environment variable that names the key sent there."""

    origin: str
    variable: str

    @property
    def is_default(self) -> bool:
        """Whether both are what they are without any setting."""
        return (self.origin, self.variable) == (_USUAL_ORIGIN, _DEFAULT.key_env)

    @property
    def needs_no_question(self) -> bool:
        """Whether it is the provider's own or this machine, with the usual variable."""
        ours = is_loopback(self.origin) or name_of(self.origin) == name_of(_USUAL_ORIGIN)
        return ours and self.variable == _DEFAULT.key_env

    @property
    def sentence(self) -> str:
        """What is said of it: that the run is live, the host, the variable."""
        return f"live at {self.origin}, key from {self.variable}"


def destination_of(config: Config) -> Destination | None:
    """Return where the key of a live run goes; None for a rehearsal, which has none."""
    if config.rehearses:
        return None
    return Destination(origin_of(config.api.base_url), config.api.key_env)


def say_destination(config: Config) -> str | None:
    """Return what is said before a live run with another host or variable than the default."""
    found = destination_of(config)
    return None if found is None or found.is_default else found.sentence


def refuse_without_key(config: Config) -> None:
    """Raise ConfigError if a live run would find no key, or no way out."""
    if not config.rehearses:
        api_key(config, os.environ)
        read_network(config, os.environ)


def refuse_strange_destination(
    config: Config,
    environment: Mapping[str, str],
    agree: Callable[[UsageError], bool] = lambda _: False,
) -> None:
    """Let the key go only where it went before, or where a person agrees; that is remembered.

    Args:
        config: The configuration.
        environment: The variables of the environment.
        agree: Shown why nothing is sent yet; says whether to go on.

    Raises:
        UsageError: Nobody has agreed; nothing was sent.

    """
    found = destination_of(config)
    if found is None:
        return
    folders = list(state_folders(environment))
    agreed = _agreed(folders)
    if found.needs_no_question:
        if agreed is None and not is_loopback(found.origin):
            # From here on what earlier versions bought from says nothing any more.
            _remember(folders, _known_before(folders, found.variable))
        return
    before = _known_before(folders, found.variable) if agreed is None else []
    if found in (agreed or before):
        return
    refusal = UsageError(
        f"This would be the first live run to {found.origin} with a key from {found.variable}: "
        "nothing was sent.",
        action="If the key is to go there, add --yes to one run, or start it on a terminal and "
        "answer yes. If you do not know this host or this variable, look for "
        "api.base_url and api.key_env in the configuration, and for variables of the environment "
        "that begin with REELSHEET_.",
    )
    if not agree(refusal):
        raise refusal
    _remember(folders, [*before, found])


def _agreed(folders: list[Path]) -> list[Destination] | None:
    """Return where the key may go; None before anything was remembered."""
    for folder in folders:
        with contextlib.suppress(OSError):
            lines = read_regular(folder / _FILE, _LARGEST_BYTES).decode("utf-8", "replace")
            parts = (line.partition(" ") for line in lines.splitlines())
            return [Destination(origin, variable) for origin, _, variable in parts]
    return None


def _known_before(folders: list[Path], variable: str) -> list[Destination]:
    """Return the hosts that earlier versions bought from, with this variable and the usual one."""
    hosts: list[str] = []
    books = (folder / BOOK_FILE for folder in folders)
    book = next((one for one in books if not is_gone(one)), None)
    if book is not None:
        # A book that cannot be read is told of by whoever opens it.
        with contextlib.suppress(ReelsheetError):
            hosts = accounts_that_bought(book)
    names = sorted({_DEFAULT.key_env, variable})
    return [Destination(f"https://{host}", name) for host in hosts for name in names]


def _remember(folders: list[Path], more: list[Destination]) -> None:
    """Note them in the first folder that takes it; without one it is asked every time."""
    content = "".join(f"{one.origin} {one.variable}\n" for one in more).encode()
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(open_private(folder / _FILE, os.O_WRONLY | os.O_APPEND), "ab") as file:
                file.write(content)
            return
