"""What the template workbook holds that is no row of a person's own: examples, and a guide.

`init` writes the example rows, and a live run refuses them: nobody means to pay for our mug. The
sheets that explain are never taken for a table of products, wherever they stand in the workbook.
Tested in tests/authoring/test_starter.py, tests/reader/test_sheets.py and
tests/checker/test_unmeant.py.
"""

from __future__ import annotations

from collections.abc import Sequence

GUIDE_SHEET = "Start here"
"""The name of the sheet that says how to begin."""
GUIDE_TITLE = "Start here: from this table to product videos"
"""What stands in its first cell, by which it is known whatever it is called."""
NEEDED_STYLE = "reelsheet needed"
"""The cell style of the headers of columns that must be filled in; by it a template is known."""
RULES_HEADINGS = ("column", "what to write", "allowed", "if the cell is empty")
"""How the sheet Rules begins."""

EXAMPLES: tuple[dict[str, str], ...] = (
    {
        "key": "MUG-MOSS",
        "title": "Stoneware mug, moss green",
        "prompt": (
            "A moss-green stoneware mug with a speckled glaze stands on a pale oak table beside a "
            "window. Steam rises slowly in soft morning light. The camera glides in from the left "
            "at table height and comes to rest with the handle in sharp focus, the background "
            "softly blurred. Calm and warm, true colours, no text."
        ),
        "duration": "6",
        "aspect_ratio": "16:9",
        "resolution": "1080p",
        "notes": "Example without pictures. Replace it with one of your products.",
    },
    {
        "key": "BAG-SADDLE",
        "title": "Leather saddle bag, chestnut",
        "prompt": (
            "Upright product film of a chestnut leather saddle bag hanging against a light grey "
            "wall. It turns slowly by a quarter; a narrow beam of light travels over the grain and "
            "the brass buckle. Fixed camera, close framing, the whole bag always in the picture. "
            "Quiet luxury, no people, no text."
        ),
        "duration": "10",
        "aspect_ratio": "9:16",
        "resolution": "720P",
        "notes": "Example of an upright video. 1080p exists only with 16:9.",
    },
    {
        "key": "TEA-JASMINE",
        "title": "Jasmine tea, tin of 100 g",
        "prompt": (
            "Jasmine pearls fall in slow motion into a glass teapot of hot water and unfold; the "
            "water turns pale gold. Seen from the side at eye level, bright daylight from behind, "
            "white background. Fresh and clear, no text."
        ),
        "notes": "Example with empty cells: they take the defaults from config.yaml.",
    },
)
"""The cells of each example by their headers; without one the cell is empty."""

EXAMPLE_PROMPTS = frozenset(example["prompt"] for example in EXAMPLES)
"""The prompts of the examples."""


def explains(first_row: Sequence[str]) -> bool:
    """Tell by its first row whether a sheet is one of those that explain the template."""
    return first_row[:1] == [GUIDE_TITLE] or tuple(first_row[: len(RULES_HEADINGS)]) == (
        RULES_HEADINGS
    )
