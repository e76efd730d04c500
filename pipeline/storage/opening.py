"""Which place new videos go to, and how a place is opened by its address.

Tested in tests/storage/test_places.py.
"""

from __future__ import annotations

from importlib.util import find_spec
from math import inf
from pathlib import Path

from pipeline.config.settings import Config
from pipeline.disk.folder import OutputFolder
from pipeline.errors import WITHOUT_PIP, ConfigError
from pipeline.storage.folder import FolderPlace
from pipeline.storage.places import Place, is_bucket, public_address

_WITHOUT_LIBRARY = 'Videos in a bucket need one library more: pip install "reelsheet[cloud]"'


def place_for(config: Config, folder: OutputFolder) -> Place | None:
    """Return where new videos go; None for `videos/` of the output folder.

    Raises ConfigError where it is a bucket, and the library for buckets is missing.
    """
    address = videos_at(config)
    if address is None:
        return None
    return open_place(f"{address}/{folder.root.absolute().name}", patience_of(config))


def patience_of(config: Config) -> tuple[float, float] | None:
    """Return for how many seconds a bucket that says nothing is put to, and how long after that.

    None until the window of a night ends, which ends all that is under way by itself.
    """
    patience_s = config.outage.patience_s
    return None if patience_s == "window" else (patience_s, config.stop.grace_s)


def videos_at(config: Config) -> str | None:
    """Return where videos go but for the name of the output folder; None if nowhere else."""
    address = config.output.videos
    if address is None or is_bucket(address):
        return address
    return str(Path(address).absolute())


def web_address(config: Config, file: str) -> str | None:
    """Return where others reach a video, by `output.link_base`; None where that says nothing of it.

    `file` is its path or address, as the journal has it.
    """
    base, there = config.output.link_base, videos_at(config)
    return public_address(base, file) if base and file.startswith(f"{there}/") else None


def open_place(address: str, patience: tuple[float, float] | None = None) -> Place:
    """Return a place by its address; nothing is asked yet, and no folder is made.

    `patience` is that of `patience_of`. Raises ConfigError where the library for buckets is
    missing.
    """
    if not is_bucket(address):
        return FolderPlace(Path(address))
    refuse_lack_of_library()
    from pipeline.storage.bucket import BucketPlace  # noqa: PLC0415 - loads 16 MB

    patience_s, grace_s = patience or (inf, 0.0)
    return BucketPlace(address, patience_s=patience_s, grace_s=grace_s)


def refuse_lack_of_library() -> None:
    """Raise ConfigError where buckets cannot be used, as the library for them is not installed."""
    if find_spec("obstore") is None:
        raise ConfigError(f"{_WITHOUT_LIBRARY}.", action=WITHOUT_PIP)
