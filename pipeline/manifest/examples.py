"""The example rows of the template workbook.

`init` writes them, and a live run refuses them: nobody means to pay for our mug.
Tested in tests/authoring/test_starter.py and tests/checker/test_unmeant.py.
"""

from __future__ import annotations

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
