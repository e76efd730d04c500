"""Which settings of places and workers cannot be carried out, before anything is begun.

Nothing of Dask is loaded here. Tested in tests/fleet/test_choice.py.
"""

from __future__ import annotations

from importlib.util import find_spec

from pipeline.config.settings import Config
from pipeline.errors import WITHOUT_PIP, ConfigError
from pipeline.storage.opening import refuse_lack_of_library
from pipeline.storage.places import is_bucket

_LIBRARIES = ("distributed", "cryptography", "obstore")


def refuse_unfit_settings(config: Config) -> None:
    """Raise ConfigError where videos cannot go where the settings say, or workers do no work."""
    output = config.output
    away = output.videos is not None and is_bucket(output.videos)
    if not config.has_workers:
        if away:
            refuse_lack_of_library()
        return
    if config.fleet.scheduler is not None and not away and not output.shared:
        raise ConfigError(
            "fleet.scheduler has workers on other machines, and the videos would stay there.",
            action="Set output.videos to a bucket; or, where the folder of the videos is on a disk "
            "that all machines have under the same path, set output.shared to true; or use "
            "fleet.local.",
        )
    refuse_lack_of_libraries()


def refuse_lack_of_libraries() -> None:
    """Raise ConfigError where there can be no workers, as libraries for them are not installed."""
    if any(find_spec(name) is None for name in _LIBRARIES):
        said = 'Workers need more libraries: pip install "reelsheet[fleet]".'
        raise ConfigError(said, action=WITHOUT_PIP)
