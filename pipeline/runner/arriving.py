"""What downloads the videos of a manifest: where they arrive, and where they go from there.

Tested in tests/system/test_buckets.py and tests/system/test_main_job.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from pipeline.disk.rights import make_folder_for
from pipeline.downloader.fetching import Downloader
from pipeline.downloader.onloan import clear_arrived
from pipeline.downloader.verification import Decoders
from pipeline.model import Entry, State
from pipeline.network import read_network
from pipeline.runner.order import Order
from pipeline.storage.opening import patience_of

if TYPE_CHECKING:
    from pipeline.fleet.fleet import Fleet
    from pipeline.fleet.fleetstore import FleetStore


def open_store(
    order: Order, entries: Iterable[Entry], decoders: Decoders, *, allow_private: bool
) -> Downloader:
    """Return the downloader of a manifest, which is still to be entered.

    Args:
        order: What is run.
        entries: What the journal knows of its rows.
        decoders: The decoding processes of the run.
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
        decoders=decoders,
    )


def open_fleet_store(
    order: Order, fleet: Fleet | None, decoders: Decoders, *, allow_private: bool
) -> FleetStore:
    """Return what has the videos of a manifest downloaded by workers, still to be entered.

    Args:
        order: What is run.
        fleet: The workers; None where the run was stopped before any came.
        decoders: The decoding processes of the run.
        allow_private: Whether links may lead into private networks.

    Raises:
        ConfigError: The place of the videos cannot be used.

    """
    from pipeline.fleet.fleetstore import FleetStore  # noqa: PLC0415 - for workers alone
    from pipeline.fleet.wire import Terms  # noqa: PLC0415

    config, place = order.config, order.place
    if place is None:
        make_folder_for(order.folder.videos, order.checked.manifest.path)
    seen = config.output.verify != "boxes"
    terms = Terms(
        str(order.folder.videos.absolute()) if place is None else place.address,
        config.output.verify,
        order.video_mode,
        links=place is None and config.fleet.local is not None,
        allow_private=allow_private,
        max_bytes=config.output.max_video_bytes,
        measure=seen and config.review.quality,
        draw=seen and config.review.posters,
        patience=patience_of(config),
    )
    return FleetStore(fleet, terms, decoders, own=place is None)
