"""Rules: what the provider takes is understood in many spellings, everything else is a problem."""

from __future__ import annotations

import re

import pytest

from pipeline.checker.rules import (
    BY_FIELD,
    FIELD_RULES,
    Draft,
    Form,
    aspect_ratio_of,
    cost,
    duration_of,
    make_request,
    request_hash,
    resolution_of,
)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ("4|4s|4 s|4 sec|4.0|4,0|04|4 Seconds|\uff14|4\u00a0s|4.", 4),
        ("6|6sec|+6|6 second", 6),
        ("6 Sekunden|6 Sek.|6.0 secondi|6 segundos|6\u79d2|6 sekundy|6 secondes|6 seconden", 6),
        ("6 Minuten|1.0 sec|6,5 Sekunden|-6 Sek|6 cm|4 - 6 Sek|6 Sekunden lang|0:06", None),
        ("10|10s|10.00", 10),
        ("5|0|8|4.5|-4|four|4 min|4-6|40|1e1|٤٤|4 s x", None),
    ],
)
def test_durations(texts: str, expected: int | None) -> None:
    """4, 6 and 10 seconds in any unambiguous spelling, nothing else."""
    assert {duration_of(text) for text in texts.split("|")} == {expected}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (
            "16:9|16x9|16X9|16\u00d79|16/9|16 : 9|16\uff1a9|\uff11\uff16\uff1a\uff19|landscape",
            "16:9",
        ),
        ("16:09|16:09:00|Horizontal", "16:9"),
        ("Querformat|paysage|orizzontale|apaisado|liggend|\u6a2a\u5c4f", "16:9"),
        ("Hochformat|hochkant|verticale|retrato|staand|\u7e26", "9:16"),
        ("9:16|9x16|09:16:00|portrait|PORTRAIT|vertical|9\u223616", "9:16"),
        ("1:1|square|4:3|169|16|16:9:30|16-9|2024-09-16|0.67|1920x1080", None),
    ],
)
def test_aspect_ratios(texts: str, expected: str | None) -> None:
    """16:9 and 9:16 as people and spreadsheets write them, even as Excel's times."""
    assert {aspect_ratio_of(text) for text in texts.split("|")} == {expected}


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ("720|720p|720P|720 p|\uff17\uff12\uff10", "720P"),
        ("1080|1080p|1080P|1080 P", "1080p"),
        ("hd|4k|2160p|480p|full hd|1280x720|72", None),
    ],
)
def test_resolutions(texts: str, expected: str | None) -> None:
    """Two resolutions, sent in exactly the provider's spelling."""
    assert {resolution_of(text) for text in texts.split("|")} == {expected}


def test_the_table_understands_itself() -> None:
    """Every allowed value of the table is read as itself, and so is every default."""
    readers = {
        "duration": duration_of,
        "aspect_ratio": aspect_ratio_of,
        "resolution": resolution_of,
    }
    for name, reader in readers.items():
        rule = BY_FIELD[name]
        assert [reader(str(value)) for value in rule.allowed] == list(rule.allowed)
        assert reader(str(getattr(Form(), name))) == getattr(Form(), name)
    assert all(rule.sentence for rule in FIELD_RULES)


def test_request_hash_covers_everything() -> None:
    """Each part counts, the order of the pictures too, and nothing runs into its neighbour."""
    told = {
        "prompt": "x", "images": ("a", "b"), "form": Form(6, "16:9", "720P"), "model": "m",
    }  # fmt: skip
    changes: list[dict[str, object]] = [
        {}, {"prompt": "y"}, {"images": ("b", "a")}, {"images": ("a,b",)}, {"images": ()},
        {"form": Form(4)}, {"form": Form(6, "9:16")}, {"form": Form(6, "16:9", "1080p")},
        {"model": "n"},
        {"prompt": 'x",["a'},
    ]  # fmt: skip
    hashes = [request_hash(**{**told, **change}) for change in changes]  # type: ignore[arg-type]
    assert len(set(hashes)) == len(changes)
    assert all(re.fullmatch("[0-9a-f]{64}", one) for one in hashes)


def test_request_hash_stays() -> None:
    """A paid row is known again by this hash: it never changes without a new version."""
    draft = Draft("A", 2, "Ein Schuh\n\u201eneu\u201c", (), Form(6, "16:9", "720P"))
    made = make_request(draft, ("https://example.com/a.jpg", "sha256:00"), "gemini_omni_flash")
    assert made.request_hash == ("d06a6cdc26c9e6cbb16593316c166d97629af466bf61704bbb14fdbbbca68b4a")
    assert (made.prompt, made.duration, made.model) == (draft.prompt, 6, "gemini_omni_flash")


def test_costs() -> None:
    """Seconds times price; unknown without a price."""
    assert cost(10, 0.5) == 5
    assert cost(10, None) is None
