"""The downloader of one manifest of a run: where its videos arrive, and where they go from there.

Tested in tests/system/test_buckets.py and tests/system/test_main_job.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from pipeline.disk.rights import make_folder_for
from pipeline.downloader.fetching import Downloader
from pipeline.downloader.onloan import clear_arrived
from pipeline.model import Entry, State
from pipeline.network import read_network
from pipeline.runner.order import Order


def open_store(order: Order, entries: Iterable[Entry], *, allow_private: bool) -> Downloader:
    """Return the downloader of a manifest, which is still to be entered.

    Args:
        order: What is run.
        entries: What the journal knows of its rows.
        allow_private: Whether links may lead into private networks.

    Raises:
        ConfigError: There is no way out, or the place of the videos cannot be used.

    """
    config, place = order.config, order.place
    arriving = order.folder.videos if place is None else order.folder.coming
    make_folder_for(arriving, order.checked.manifest.path)
    if place is not None:
        done = (one for one in entries if one.state is State.DONE)
        clear_arrived(arriving, (one.attempt.video_name for one in done))
    return Downloader(
        arriving,
        concurrency=config.limits.downloads,
        verify=config.output.verify,
        allow_private=allow_private,
        network=read_network(config, os.environ),
        secret=order.secret,
        max_bytes=config.output.max_video_bytes,
        mode=order.video_mode,
        place=place,
    )
