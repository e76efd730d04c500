"""What the program works with is what was read strictly, and nothing else."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from pipeline.models import records, sections

HEAD = {"sheet": 1, "models": ["clip-2"], "source": "https://example.test", "read": "2026-11-22"}


@pytest.mark.parametrize(
    "name",
    ["Head", "PromptRule", "ImagesRule", "FieldRule", "ConditionRule", "Price", "ImageFiles"],
)
def test_a_record_has_the_keys_and_the_defaults_of_its_section(name: str) -> None:
    """Each is declared twice, once for the strict reading and once for every start."""
    strict: type[BaseModel] = getattr(sections, name)
    plain = getattr(records, name)
    fields = strict.model_fields
    assert set(plain._fields) == set(fields)
    needed = {key for key, info in fields.items() if info.is_required()}
    assert needed == set(plain._fields) - set(plain._field_defaults)
    for key, default in plain._field_defaults.items():
        assert (list(default) if default == () else default) == fields[key].default, key


def test_a_sheet_is_made_of_its_document() -> None:
    """In the words of the sheet, frames by what a row says."""
    sheet = records.make_sheet(
        HEAD
        | {
            "images": [{"counts": [2], "as": "frames"}],
            "fields": {"audio": {"type": "boolean", "send": {"true": "on"}}},
            "frames": {"16:9 720p": [1280, 720], "1:1": [720, 720]},
        }
    )
    assert sheet.images[0].as_ == "frames"
    assert sheet.picture_counts == (2,)
    assert sheet.fields["audio"].sent(True) == "on"
    assert sheet.frames == {("16:9", "720p"): (1280, 720), ("1:1", ""): (720, 720)}
