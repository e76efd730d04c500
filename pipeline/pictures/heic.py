"""HEIC photographs: the decoder is loaded when the first one appears, not before."""

from __future__ import annotations

from functools import cache

from pipeline.pictures.faults import HEIC_BRANDS


def is_heic(data: bytes) -> bool:
    """Tell by its first bytes whether a file is HEIC or HEIF."""
    return data[4:8] == b"ftyp" and data[8:12] in HEIC_BRANDS


@cache
def decoder_loaded() -> bool:
    """Make Pillow open HEIC, under the name HEIF; False where the library is not installed."""
    try:
        import pi_heif  # noqa: PLC0415 - 18 MB that most manifests never need
    except ImportError:
        return False
    pi_heif.register_heif_opener()
    return True
