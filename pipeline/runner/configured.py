"""Where a configuration lies that is not used: beside the manifest, or in a folder near.

Tested in tests/runner/test_configured.py.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path

from pipeline.config.loading import load
from pipeline.config.settings import Config
from pipeline.errors import ConfigError
from pipeline.manifest.wording import quote_name

DEFAULT_CONFIG = Path("config.yaml")
_OWN_LEVELS = 2
"""A manifest lies in the folder of its project, or in a folder in it."""
_LEVELS = 3
"""So many folders above may be that of the project; its configuration must be one of ours then."""
_CHILDREN = 1000
"""So many entries of the working folder are looked at."""


def point_at_configuration(manifest: Path | None, config: Path | None, used: Config) -> list[str]:
    """Say where the configuration is that a manifest may have been meant to be run with.

    Nothing is said where one is named, or lies in the working folder.

    Args:
        manifest: The manifest; None for a command that is about none.
        config: The configuration that was named on the command line.
        used: The settings in use.

    """
    if config is not None or DEFAULT_CONFIG.is_file():
        return []
    here = Path.cwd()
    near = here.parents[:_LEVELS]
    if manifest is None:
        found = next(_configured(chain(near, _children(here))), None)
    else:
        above = [Path(os.path.normpath(one)) for one in manifest.absolute().parents]
        own = (one for one in above[:_OWN_LEVELS] if (one / DEFAULT_CONFIG).is_file())
        found = next(chain(own, _configured(chain(above[_OWN_LEVELS:_LEVELS], near))), None)
    return [] if found is None else [_say(found, used)]


def _children(folder: Path) -> Iterator[Path]:
    try:
        yield from islice(folder.iterdir(), _CHILDREN)
    except OSError:
        return


def _configured(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield the folders with a configuration of ours: other programs call theirs the same."""
    for folder in folders:
        with contextlib.suppress(OSError, ConfigError):
            if (folder / DEFAULT_CONFIG).is_file():
                load(folder / DEFAULT_CONFIG, environ={})
                yield folder


def _say(folder: Path, used: Config) -> str:
    named = folder
    with contextlib.suppress(ValueError):  # on another drive there is no way from here
        named = Path(os.path.relpath(folder))
    says = ""
    with contextlib.suppress(ConfigError):  # whoever uses it is told what is wrong
        provider = load(folder / DEFAULT_CONFIG, environ={}).provider
        says = f" and says provider: {provider}" if provider != used.provider else ""
    path = quote_name(str(named / DEFAULT_CONFIG))
    return (
        f"there is no {DEFAULT_CONFIG} in this folder; the one in {named} is not used{says}. "
        f"To use it, begin with: cd {_quoted(named)}. Or add --config {path} here."
    )


def _quoted(folder: Path) -> str:
    """Return a folder as it is pasted from the end of a sentence: the stop is none of its dots."""
    name = quote_name(str(folder))
    return f'"{name}"' if name.endswith(".") else name
