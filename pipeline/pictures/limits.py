"""How large a picture may be: what is sent, what is read, what is opened."""

from __future__ import annotations

LARGEST_BYTES = 10_000_000  # the provider says "10 MB"; this is the smaller reading of it
LARGEST_SIDE = 4096
"""Pixels of the longer side of what is sent. The provider states no limit. A phone's 12 megapixels
(4032 x 3024) pass as they are, and the video has at most 1920 x 1080."""

LARGEST_SOURCE_BYTES = 200_000_000  # read in order to make a copy: a TIFF of 60 megapixels
LARGEST_PIXELS = 89_478_485  # where Pillow begins to suspect a decompression bomb
